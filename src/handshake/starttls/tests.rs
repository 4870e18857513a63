//! Tests of [`super`]: servers that say given words.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use super::super::fixtures::TIMEOUT;
use super::*;

/// What a server does: says words, or reads as many bytes as the client's next words have.
enum Act {
    Say(Vec<u8>),
    Hear(usize),
}

fn say(words: &str) -> Act {
    Act::Say(words.as_bytes().to_vec())
}

/// Plays a server, and returns what the client's request ended with and what the server heard.
fn played(protocol: StartTls, acts: Vec<Act>) -> (Result<(), StartTlsError>, Vec<u8>) {
    played_within(TIMEOUT, protocol, acts)
}

fn played_within(limit: Duration, protocol: StartTls, acts: Vec<Act>) -> (Result<(), StartTlsError>, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server: JoinHandle<Vec<u8>> = std::thread::spawn(move || {
        let mut socket = listener.accept().unwrap().0;
        let mut heard = Vec::new();
        for act in acts {
            match act {
                Act::Say(words) => socket.write_all(&words).unwrap(),
                Act::Hear(count) => {
                    let mut words = vec![0; count];
                    // A client that has given up closes.
                    if socket.read_exact(&mut words).is_err() {
                        break;
                    }
                    heard.extend(words);
                }
            }
        }
        heard
    });
    let mut socket = TcpStream::connect(address).unwrap();
    let asked = protocol.ask(&mut socket, "mail.test", limit);
    drop(socket);
    (asked, server.join().unwrap())
}

/// The acts of a server that gives its permission, with the words of the client that come before each.
fn willing(protocol: StartTls) -> Vec<Act> {
    let words = |text: &str| Act::Hear(text.len());
    match protocol {
        StartTls::Smtp | StartTls::Lmtp => vec![
            say("220-mail.test\r\n220 ready\r\n"),
            words("EHLO client.invalid\r\n"),
            say("250-mail.test\r\n250-SIZE 100\r\n250-STARTTLS\r\n250 HELP\r\n"),
            words("STARTTLS\r\n"),
            say("220 2.0.0 go ahead\r\n"),
        ],
        StartTls::Imap => vec![
            say("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n"),
            words("a1 STARTTLS\r\n"),
            say("* CAPABILITY x\r\na1 OK begin\r\n"),
        ],
        StartTls::Pop3 => vec![say("+OK <1@mail.test>\r\n"), words("STLS\r\n"), say("+OK begin\r\n")],
        StartTls::Ftp => vec![say("220-a\r\n any text\r\n220 b\r\n"), words("AUTH TLS\r\n"), say("234 begin\r\n")],
        StartTls::Nntp => vec![say("201 no posting\r\n"), words("STARTTLS\r\n"), say("382 begin\r\n")],
        StartTls::Sieve => vec![
            say("\"IMPLEMENTATION\" \"x\"\r\n\"STARTTLS\"\r\nOK \"ready\"\r\n"),
            words("STARTTLS\r\n"),
            say("OK \"begin\"\r\n"),
        ],
        StartTls::Xmpp => vec![
            Act::Hear(protocols::stream_header("jabber:client", "mail.test").len()),
            say("<?xml version='1.0'?><stream:stream from='mail.test'><stream:features>"),
            say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"),
            words("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
            say("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
        ],
        StartTls::Ldap => {
            vec![Act::Hear(31), Act::Say(vec![0x30, 0x0c, 2, 1, 1, 0x78, 7, 0x0a, 1, 0, 4, 0, 4, 0])]
        }
        StartTls::Postgres => vec![Act::Hear(8), say("S")],
        StartTls::Mysql => vec![Act::Say(mysql_greeting(0xffff)), Act::Hear(36)],
    }
}

/// The handshake packet of a MySQL server with these flags.
fn mysql_greeting(flags: u16) -> Vec<u8> {
    let mut packet = vec![10];
    packet.extend_from_slice(b"8.0.36\0");
    packet.extend_from_slice(&[1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0]);
    packet.extend_from_slice(&flags.to_le_bytes());
    packet.extend_from_slice(&[33, 2, 0, 0xff, 0xc1]);
    [vec![u8::try_from(packet.len()).unwrap(), 0, 0, 0], packet].concat()
}

#[test]
fn a_server_that_is_willing_is_asked_in_the_words_of_its_protocol() {
    for protocol in StartTls::ALL {
        let (asked, heard) = played(protocol, willing(protocol));
        assert!(asked.is_ok(), "{protocol:?} {asked:?}");
        match protocol {
            StartTls::Lmtp => assert!(heard.starts_with(b"LHLO ")),
            StartTls::Ldap => assert!(heard.ends_with(b"1.3.6.1.4.1.1466.20037")),
            StartTls::Postgres => assert_eq!(heard, [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]),
            StartTls::Mysql => assert_eq!((heard[3], heard[5] & 0x08), (1, 0x08)),
            _ => {}
        }
    }
}

/// A third party could have put the words there, and the client would take them for those of the TLS session.
#[test]
fn words_after_the_permission_end_the_test() {
    for protocol in StartTls::ALL.into_iter().filter(|protocol| *protocol != StartTls::Mysql) {
        let mut acts = willing(protocol);
        if let Some(Act::Say(words)) = acts.last_mut() {
            words.extend_from_slice(b"250 injected\r\n");
        }
        let (asked, _) = played(protocol, acts);
        assert!(matches!(asked, Err(StartTlsError::MoreAfterPermission)), "{protocol:?} {asked:?}");
    }
}

#[test]
fn a_server_that_closes_has_not_begun_tls() {
    for protocol in StartTls::ALL {
        let whole = willing(protocol).len();
        for kept in 0..whole - usize::from(protocol == StartTls::Mysql) {
            let mut acts = willing(protocol);
            acts.truncate(kept);
            let (asked, _) = played(protocol, acts);
            assert!(asked.is_err(), "{protocol:?} {kept}");
        }
    }
}

#[test]
fn the_words_of_a_refusal_are_shown() {
    use StartTlsError as E;
    let hear = || Act::Hear(1);
    for (protocol, acts, expected) in [
        (StartTls::Smtp, vec![say("554 no\u{1b}[31m service\r\n")], "the server answered: 554 no\\u{1b}[31m service"),
        (StartTls::Smtp, vec![say("* OK IMAP\r\n")], "does not speak this protocol; it sent: * OK IMAP"),
        (StartTls::Smtp, vec![say("220 x\r\n"), hear(), say("250 HELP\r\n")], "the server does not offer TLS"),
        (StartTls::Imap, vec![say("* PREAUTH\r\n")], "the server answered: * PREAUTH"),
        (StartTls::Imap, vec![say("* OK\r\n"), hear(), say("a1 NO\r\n")], "the server answered: a1 NO"),
        (StartTls::Imap, vec![say("* OKAY\r\n")], "the server answered: * OKAY"),
        (StartTls::Pop3, vec![say("+OK\r\n"), hear(), say("-ERR no\r\n")], "the server answered: -ERR no"),
        (StartTls::Ftp, vec![say("220 x\r\n"), hear(), say("500 no\r\n")], "the server answered: 500 no"),
        (StartTls::Nntp, vec![say("502 no\r\n")], "the server answered: 502 no"),
        (StartTls::Sieve, vec![say("\"SIEVE\" \"x\"\r\nOK\r\n")], "the server does not offer TLS"),
        (StartTls::Sieve, vec![say("BYE \"full\"\r\n")], "the server answered: BYE \"full\""),
        (StartTls::Xmpp, vec![hear(), say("<stream:features/>")], "the server does not offer TLS"),
        (StartTls::Xmpp, vec![hear(), say("<stream:error>x</stream:error>")], "the server answered: <stream:error>"),
        (
            StartTls::Ldap,
            vec![hear(), Act::Say(vec![0x30, 0x0c, 2, 1, 1, 0x78, 7, 0x0a, 1, 2, 4, 0, 4, 0])],
            "LDAP result 2 to StartTLS",
        ),
        (StartTls::Postgres, vec![hear(), say("N")], "the server does not offer TLS"),
        (StartTls::Postgres, vec![hear(), say("H")], "does not speak this protocol; it sent: H"),
        (StartTls::Mysql, vec![Act::Say(mysql_greeting(0))], "the server does not offer TLS"),
        (
            StartTls::Mysql,
            vec![Act::Say([&[17, 0, 0, 0, 0xff, 0x69, 4][..], b"Host is blocked"].concat()[..21].to_vec())],
            "the server answered: Host is blocke",
        ),
    ] {
        let (asked, _) = played(protocol, acts);
        let error = asked.unwrap_err().to_string();
        assert!(error.contains(expected), "{protocol:?} {error}");
    }
    let (asked, _) = played(StartTls::Smtp, vec![Act::Say(vec![b'x'; 70_000])]);
    assert!(matches!(asked, Err(E::TooMuch)), "{asked:?}");
}

#[test]
fn a_port_has_one_protocol_and_a_name_is_one_word() {
    let ports: Vec<u16> = StartTls::ALL.iter().flat_map(|protocol| protocol.ports()).copied().collect();
    for port in &ports {
        assert_eq!(ports.iter().filter(|other| other == &port).count(), 1, "{port}");
    }
    assert_eq!((StartTls::of_port(587), StartTls::of_port(465)), (Some(StartTls::Smtp), None));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]

    /// The words of a willing server with one byte changed, and then its silence.
    #[test]
    fn no_words_of_a_server_make_the_client_panic_or_wait(which in 0usize..11, at in 0usize..80, byte in proptest::num::u8::ANY) {
        let protocol = StartTls::ALL[which];
        let mut acts = willing(protocol);
        let mut skipped = 0;
        for act in &mut acts {
            let Act::Say(words) = act else { continue };
            if let Some(changed) = words.get_mut(at.wrapping_sub(skipped)) {
                *changed = byte;
            }
            skipped += words.len();
        }
        // Where both wait for each other, the limit ends it.
        drop(played_within(Duration::from_millis(100), protocol, acts));
    }
}
