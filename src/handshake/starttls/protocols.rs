//! How each protocol asks for TLS.

use super::dialogue::{Dialogue, StartTlsError};

type Asked = Result<(), StartTlsError>;

/// A client's name for itself, which says nothing about this machine (RFC 2606 §2).
const OWN_NAME: &str = "client.invalid";

/// SMTP and LMTP: a greeting, the list of extensions, and STARTTLS (RFC 3207 §4, RFC 2033 §4).
pub(super) fn smtp(dialogue: &mut Dialogue<'_>, hello: &str) -> Asked {
    reply(dialogue, "220")?;
    dialogue.send(format!("{hello} {OWN_NAME}\r\n").as_bytes())?;
    let extensions = reply(dialogue, "250")?;
    let is_starttls =
        |line: &Vec<u8>| line.get(4..).is_some_and(|word| word.trim_ascii().eq_ignore_ascii_case(b"STARTTLS"));
    if !extensions.iter().any(is_starttls) {
        return Err(StartTlsError::NotOffered);
    }
    dialogue.send(b"STARTTLS\r\n")?;
    reply(dialogue, "220").map(drop)
}

/// FTP: AUTH TLS (RFC 4217 §4).
pub(super) fn ftp(dialogue: &mut Dialogue<'_>) -> Asked {
    reply(dialogue, "220")?;
    dialogue.send(b"AUTH TLS\r\n")?;
    reply(dialogue, "234").map(drop)
}

/// NNTP: STARTTLS (RFC 4642 §2.2); a server greets with 200, or with 201 when it takes no articles.
pub(super) fn nntp(dialogue: &mut Dialogue<'_>) -> Asked {
    let greeting = dialogue.line()?;
    match greeting.get(..3) {
        Some(b"200" | b"201") => {}
        Some(code) if code.iter().all(u8::is_ascii_digit) => return Err(StartTlsError::refused(&greeting)),
        _ => return Err(StartTlsError::other_protocol(&greeting)),
    }
    dialogue.send(b"STARTTLS\r\n")?;
    reply(dialogue, "382").map(drop)
}

/// Reads a reply with a code of three digits, of one line or several (RFC 5321 §4.2.1), and returns its lines.
fn reply(dialogue: &mut Dialogue<'_>, wanted: &str) -> Result<Vec<Vec<u8>>, StartTlsError> {
    let mut lines = Vec::new();
    loop {
        let line = dialogue.line()?;
        let (code, after) = (line.get(..3).unwrap_or_default().to_vec(), line.get(3).copied());
        let is_reply =
            code.len() == 3 && code.iter().all(u8::is_ascii_digit) && matches!(after, None | Some(b' ' | b'-'));
        if !is_reply {
            // Lines in the middle of a reply of FTP may have any text (RFC 959 §4.2).
            if lines.is_empty() {
                return Err(StartTlsError::other_protocol(&line));
            }
            lines.push(line);
            continue;
        }
        if code != wanted.as_bytes() {
            return Err(StartTlsError::refused(&line));
        }
        lines.push(line);
        if after != Some(b'-') {
            return Ok(lines);
        }
    }
}

/// IMAP: a greeting, and STARTTLS with a tag (RFC 9051 §6.2.1).
pub(super) fn imap(dialogue: &mut Dialogue<'_>) -> Asked {
    let greeting = dialogue.line()?;
    if !greeting.starts_with(b"* ") {
        return Err(StartTlsError::other_protocol(&greeting));
    }
    // A server that has accepted a client by its address does not begin TLS any more (PREAUTH), nor one that says BYE.
    if !begins_with_word(&greeting, b"* OK") {
        return Err(StartTlsError::refused(&greeting));
    }
    dialogue.send(b"a1 STARTTLS\r\n")?;
    loop {
        let line = dialogue.line()?;
        if begins_with_word(&line, b"a1 OK") {
            return Ok(());
        }
        if line.starts_with(b"a1 ") || begins_with_word(&line, b"* BYE") {
            return Err(StartTlsError::refused(&line));
        }
    }
}

/// POP3: STLS (RFC 2595 §4).
pub(super) fn pop3(dialogue: &mut Dialogue<'_>) -> Asked {
    let greeting = dialogue.line()?;
    match greeting.as_slice() {
        line if begins_with_word(line, b"+OK") => {}
        line if begins_with_word(line, b"-ERR") => return Err(StartTlsError::refused(line)),
        line => return Err(StartTlsError::other_protocol(line)),
    }
    dialogue.send(b"STLS\r\n")?;
    let answer = dialogue.line()?;
    if begins_with_word(&answer, b"+OK") { Ok(()) } else { Err(StartTlsError::refused(&answer)) }
}

/// ManageSieve: the list of capabilities, and STARTTLS (RFC 5804 §2.2).
pub(super) fn sieve(dialogue: &mut Dialogue<'_>) -> Asked {
    let mut offers = false;
    loop {
        let line = dialogue.line()?;
        if begins_with_word(&line, b"OK") {
            break;
        }
        if !line.starts_with(b"\"") {
            let is_its_refusal = [&b"NO"[..], b"BYE"].iter().any(|word| begins_with_word(&line, word));
            let error = if is_its_refusal { StartTlsError::refused } else { StartTlsError::other_protocol };
            return Err(error(&line));
        }
        offers |= begins_with_word(&line, b"\"STARTTLS\"");
    }
    if !offers {
        return Err(StartTlsError::NotOffered);
    }
    dialogue.send(b"STARTTLS\r\n")?;
    let answer = dialogue.line()?;
    if begins_with_word(&answer, b"OK") { Ok(()) } else { Err(StartTlsError::refused(&answer)) }
}

/// Returns whether a line begins with these words in any case, and not with a longer one.
fn begins_with_word(line: &[u8], word: &[u8]) -> bool {
    let begins = line.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    begins && matches!(line.get(word.len()), None | Some(b' '))
}

/// XMPP: a stream, its features, and the starttls element (RFC 6120 §5.4).
pub(super) fn xmpp(dialogue: &mut Dialogue<'_>, host_name: &str, between_servers: bool) -> Asked {
    let namespace = if between_servers { "jabber:server" } else { "jabber:client" };
    dialogue.send(stream_header(namespace, host_name).as_bytes())?;
    let ends = ["</stream:features>", "<stream:features/>", "</stream:error>", "</stream:stream>"];
    let (features, which) = dialogue.text_until(&ends)?;
    if which >= 2 {
        return Err(StartTlsError::refused(&features));
    }
    if !features.windows(TLS_NAMESPACE.len()).any(|window| window == TLS_NAMESPACE.as_bytes()) {
        return Err(StartTlsError::NotOffered);
    }
    dialogue.send(format!("<starttls xmlns='{TLS_NAMESPACE}'/>").as_bytes())?;
    let (answer, _) = dialogue.text_until(&[">"])?;
    if !answer.starts_with(b"<proceed") {
        return Err(StartTlsError::refused(&answer));
    }
    // An empty element may have an end tag of its own.
    if answer.ends_with(b"/>") { Ok(()) } else { dialogue.text_until(&["</proceed>"]).map(drop) }
}

const TLS_NAMESPACE: &str = "urn:ietf:params:xml:ns:xmpp-tls";

/// Returns the beginning of a stream to this host.
pub(in crate::handshake) fn stream_header(namespace: &str, host_name: &str) -> String {
    // A host name that a TLS client can ask for has no character that XML gives a meaning.
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='{namespace}' xmlns:stream='http://etherx.jabber.org/streams' \
         to='{host_name}' version='1.0'>"
    )
}

/// LDAP: the extended operation StartTLS (RFC 4511 §4.14), and its response.
pub(super) fn ldap(dialogue: &mut Dialogue<'_>) -> Asked {
    // LDAPMessage { messageID 1, extendedReq { requestName 1.3.6.1.4.1.1466.20037 } }
    let name = b"1.3.6.1.4.1.1466.20037";
    let mut request = vec![0x30, 0x1d, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16];
    request.extend_from_slice(name);
    dialogue.send(&request)?;
    let head = dialogue.exactly(2)?;
    let [0x30, first] = *head else { return Err(StartTlsError::other_protocol(&head)) };
    let length = match first {
        0..=0x7f => usize::from(first),
        // As many bytes of length follow; a response of more than 64 KiB is not one to this request.
        0x81 | 0x82 => {
            let bytes = dialogue.exactly(usize::from(first & 0x7f))?;
            bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte))
        }
        _ => return Err(StartTlsError::other_protocol(&head)),
    };
    let message = dialogue.exactly(length)?;
    // messageID, then extendedResp with its resultCode: INTEGER 1, [APPLICATION 24], ENUMERATED.
    let [0x02, 0x01, _, 0x78, rest @ ..] = message.as_slice() else {
        return Err(StartTlsError::other_protocol(&message));
    };
    let after_length = match rest.first() {
        Some(0x81) => 2,
        Some(0x82) => 3,
        _ => 1,
    };
    match rest.get(after_length..) {
        Some([0x0a, 0x01, 0x00, ..]) => Ok(()),
        Some([0x0a, 0x01, code, ..]) => Err(StartTlsError::Refused(format!("LDAP result {code} to StartTLS"))),
        _ => Err(StartTlsError::other_protocol(&message)),
    }
}

/// PostgreSQL: an SSLRequest, and one byte as its answer (protocol 3.0, "SSL Session Encryption").
pub(super) fn postgres(dialogue: &mut Dialogue<'_>) -> Asked {
    dialogue.send(&POSTGRES_SSL_REQUEST)?;
    match dialogue.exactly(1)?.as_slice() {
        b"S" => Ok(()),
        b"N" => Err(StartTlsError::NotOffered),
        b"E" => {
            // An error of a server that is too old to know the request, or that refuses every connection.
            let length = dialogue.exactly(4)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            Err(StartTlsError::refused(&dialogue.exactly(length.saturating_sub(4).min(1024))?))
        }
        other => Err(StartTlsError::other_protocol(other)),
    }
}

/// The length, and 80877103 in place of a version.
const POSTGRES_SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// MySQL and MariaDB: the server's handshake packet, and an SSLRequest (protocol version 10).
pub(super) fn mysql(dialogue: &mut Dialogue<'_>) -> Asked {
    let head = dialogue.exactly(4)?;
    let length = head.iter().take(3).rev().fold(0, |length, byte| length << 8 | usize::from(*byte));
    if length > 4096 {
        return Err(StartTlsError::other_protocol(&head));
    }
    let packet = dialogue.exactly(length)?;
    match packet.as_slice() {
        [10, rest @ ..] => {
            // The version of the server as text, the thread, 8 bytes of the challenge, a filler, and the flags.
            let flags = rest.iter().position(|byte| *byte == 0).and_then(|end| rest.get(end + 1 + 13..end + 1 + 15));
            let Some([low, high]) = flags else { return Err(StartTlsError::other_protocol(&packet)) };
            if u16::from_le_bytes([*low, *high]) & MYSQL_SSL == 0 {
                return Err(StartTlsError::NotOffered);
            }
        }
        // An error: its number, and its text.
        [0xff, _, _, text @ ..] => return Err(StartTlsError::refused(text)),
        _ => return Err(StartTlsError::other_protocol(&packet)),
    }
    let flags = u32::from(MYSQL_PROTOCOL_41 | MYSQL_SSL | MYSQL_SECURE_CONNECTION).to_le_bytes();
    let mut request = vec![32, 0, 0, 1];
    request.extend_from_slice(&flags);
    // The largest packet, the character set utf8, and 23 bytes of zero.
    request.extend_from_slice(&[0, 0, 0, 1, 33]);
    request.extend_from_slice(&[0; 23]);
    dialogue.send(&request)
}

const MYSQL_PROTOCOL_41: u16 = 0x0200;
const MYSQL_SSL: u16 = 0x0800;
const MYSQL_SECURE_CONNECTION: u16 = 0x8000;
