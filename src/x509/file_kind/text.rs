//! Text that is not PEM at the beginning of a line.

use super::kind::FileKind;
use super::kinds;
use crate::x509::pem;

/// The most bytes of a text that are looked at.
const MOST: usize = 64 * 1024;

/// Where the first BEGIN of a text is.
pub(super) enum PemBegin {
    AtLineStart(usize),
    /// Other characters of its line precede it.
    Within(usize),
    None,
}

pub(super) fn pem_begin(content: &[u8]) -> PemBegin {
    match pem::first_begin(content) {
        None => PemBegin::None,
        Some(at) if at.checked_sub(1).is_none_or(|before| matches!(content[before], b'\n' | b'\r')) => {
            // A text in one line has its line breaks written out.
            if is_escaped(&content[at..]) { PemBegin::Within(at) } else { PemBegin::AtLineStart(at) }
        }
        Some(at) => PemBegin::Within(at),
    }
}

/// Returns whether `\n` stands for the line break behind a BEGIN.
fn is_escaped(from_begin: &[u8]) -> bool {
    let line = from_begin.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.windows(7).any(|window| window == b"-----\\n" || window == b"-----\\r")
}

/// Returns the kind of a PEM text whose first BEGIN, at this place, is not alone in its line.
pub(super) fn displaced_pem(content: &[u8], at: usize) -> &'static FileKind {
    if is_escaped(&content[at..]) {
        return &kinds::ESCAPED_PEM;
    }
    let line = content[..at].iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).map_or(0, |end| end + 1);
    if content[line..at].iter().all(|byte| matches!(byte, b' ' | b'\t')) {
        &kinds::INDENTED_PEM
    } else {
        &kinds::QUOTED_PEM
    }
}

/// How a text begins, and its kind.
static BEGINNINGS: [(&str, &FileKind); 16] = [
    ("ssh-rsa ", &kinds::SSH_PUBLIC),
    ("ssh-dss ", &kinds::SSH_PUBLIC),
    ("ssh-ed25519 ", &kinds::SSH_PUBLIC),
    ("ecdsa-sha2-", &kinds::SSH_PUBLIC),
    ("sk-ssh-", &kinds::SSH_PUBLIC),
    ("sk-ecdsa-", &kinds::SSH_PUBLIC),
    ("---- begin ssh2 public key", &kinds::SSH2_PUBLIC),
    ("putty-user-key-file-", &kinds::PUTTY),
    ("<!doctype html", &kinds::HTML),
    ("<html", &kinds::HTML),
    ("<head", &kinds::HTML),
    ("<?xml", &kinds::XML),
    ("certificate:", &kinds::OPENSSL_TEXT),
    ("certificate request:", &kinds::OPENSSL_TEXT),
    ("certificate revocation list", &kinds::OPENSSL_TEXT),
    ("keystore type:", &kinds::KEYTOOL_TEXT),
];

/// Returns the kind of a text without PEM.
pub(super) fn recognise(content: &[u8]) -> Option<&'static FileKind> {
    let text = String::from_utf8_lossy(&content[..content.len().min(MOST)]);
    let text = text.trim_start();
    let beginning: String = text.chars().take(40).collect::<String>().to_ascii_lowercase();
    if let Some((_, kind)) = BEGINNINGS.iter().find(|(begins, _)| beginning.starts_with(begins)) {
        return Some(kind);
    }
    if is_kubernetes_secret(text) {
        return Some(&kinds::KUBERNETES_SECRET);
    }
    if text.starts_with('{') || text.starts_with('[') {
        return Some(of_json(text));
    }
    if text.contains("Alias name: ") && text.contains("Entry type: ") {
        return Some(&kinds::KEYTOOL_TEXT);
    }
    of_encoded(text)
}

/// Returns whether a text begins with the header of a TOML table, such as `[names]`, `[[file]]` or `["a"]`, rather than with an
/// array of objects.
pub(super) fn begins_with_table(content: &[u8]) -> bool {
    let header = content.trim_ascii_start().strip_prefix(b"[");
    header.is_some_and(|header| {
        let first = header.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
        first.is_some_and(|first| !matches!(first, b'{' | b'\r' | b'\n'))
    })
}

/// A manifest of kind Secret, as YAML or JSON, with the keys of the type kubernetes.io/tls.
fn is_kubernetes_secret(text: &str) -> bool {
    let kind = ["kind: Secret", "\"kind\": \"Secret\"", "\"kind\":\"Secret\""].iter().any(|kind| text.contains(kind));
    kind && ["tls.crt", "tls.key", "ca.crt"].iter().any(|key| text.contains(key))
}

fn of_json(text: &str) -> &'static FileKind {
    if text.contains("\"keys\"") && text.contains("\"kty\"") {
        return &kinds::JWKS;
    }
    if text.contains("\"kty\"") { &kinds::JWK } else { &kinds::JSON }
}

/// DER as hexadecimal text or as base64: a SEQUENCE with a length of one to three bytes.
fn of_encoded(text: &str) -> Option<&'static FileKind> {
    let is_text_of = |allowed: fn(char) -> bool| text.chars().all(|c| allowed(c) || c.is_ascii_whitespace());
    if text.starts_with("30") && is_text_of(|c| c.is_ascii_hexdigit()) {
        return Some(&kinds::HEX);
    }
    if text.starts_with("30:") && is_text_of(|c| c.is_ascii_hexdigit() || c == ':') {
        return Some(&kinds::COLON_HEX);
    }
    let is_base64 = is_text_of(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '='));
    (text.starts_with("MI") && is_base64).then_some(&kinds::BASE64_DER)
}
