//! Reads the messages of a TLS session from their bytes: RFC 8446 §4 (TLS 1.3) and RFC 5246 §7.4 (TLS 1.2).

use super::message::{Body, KeyShare, ShownCertificate};
use super::registry::{Alert, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme, TlsVersion};
use super::wire::Reader;
use crate::text::hex;
use crate::x509::{Certificate, DistinguishedName};

/// The fields of a hello that are needed to read later messages.
#[derive(Debug, Clone)]
pub struct Hello {
    pub random: Vec<u8>,
    pub session_id: Vec<u8>,
    /// The server's choice; `None` in a client hello, and for versions that are not read here.
    pub choice: Option<(TlsVersion, CipherSuite)>,
}

/// The fields of earlier messages that are needed to read a message.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// `None` until the server has chosen a version.
    pub version: Option<TlsVersion>,
    /// The session id of the client hello.
    pub session_id: &'a [u8],
}

mod extension {
    pub const SERVER_NAME: u16 = 0;
    pub const SUPPORTED_GROUPS: u16 = 10;
    pub const SIGNATURE_ALGORITHMS: u16 = 13;
    pub const PROTOCOLS: u16 = 16;
    pub const SESSION_TICKET: u16 = 35;
    pub const PRE_SHARED_KEY: u16 = 41;
    pub const SUPPORTED_VERSIONS: u16 = 43;
    pub const CERTIFICATE_AUTHORITIES: u16 = 47;
    pub const KEY_SHARE: u16 = 51;
}

/// Reads one handshake message by its number. A message whose lengths do not fit its content is [`Body::Other`].
pub fn read(number: u8, content: &[u8], known: Known<'_>) -> (Body, Option<Hello>) {
    let tls13 = known.version == Some(TlsVersion::Tls13);
    let mut input = Reader(content);
    let body = match number {
        1 => return client_hello(&mut input).unwrap_or((Body::Other { number }, None)),
        2 => return server_hello(&mut input, known.session_id).unwrap_or((Body::Other { number }, None)),
        4 => new_session_ticket(&mut input, tls13),
        8 => encrypted_extensions(&mut input),
        11 => certificate(&mut input, tls13),
        12 => server_key_exchange(&mut input),
        13 if tls13 => certificate_request_tls13(&mut input),
        13 => certificate_request_tls12(&mut input),
        14 => Some(Body::ServerHelloDone),
        15 => input.u16().map(|scheme| Body::CertificateVerify { scheme: SignatureScheme(scheme) }),
        16 => input.vector(1).map(|public| Body::ClientKeyExchange { public_bytes: public.len() }),
        20 => Some(Body::Finished),
        22 => Some(Body::CertificateStatus),
        24 => Some(Body::KeyUpdate),
        _ => None,
    };
    (body.unwrap_or(Body::Other { number }), None)
}

/// Reads an alert (RFC 8446 §6); `None` unless it has exactly two bytes.
pub fn read_alert(content: &[u8]) -> Option<Body> {
    match content {
        [level, description] => Some(Body::Alert { fatal: *level == 2, description: Alert(*description) }),
        _ => None,
    }
}

fn extensions(input: &mut Reader<'_>) -> Option<Vec<(u16, Vec<u8>)>> {
    if input.is_empty() {
        return Some(Vec::new());
    }
    let mut block = Reader(input.vector(2)?);
    let mut found = Vec::new();
    while !block.is_empty() {
        found.push((block.u16()?, block.vector(2)?.to_vec()));
    }
    Some(found)
}

fn typed<T>(numbers: Vec<u16>, of: fn(u16) -> T) -> Vec<T> {
    numbers.into_iter().map(of).collect()
}

fn client_hello(input: &mut Reader<'_>) -> Option<(Body, Option<Hello>)> {
    let legacy_version = input.u16()?;
    let random = input.take(32)?.to_vec();
    let session_id = input.vector(1)?;
    let suites = input.numbers(2)?;
    input.vector(1)?;

    let mut versions = vec![ProtocolVersion(legacy_version)];
    let (mut groups, mut signature_schemes, mut key_shares) = (Vec::new(), Vec::new(), Vec::new());
    let (mut server_name, mut protocols, mut resumes) = (None, Vec::new(), false);
    // A TLS 1.3 client sends a random session id for compatibility with middleboxes (RFC 8446 appendix D.4).
    let mut speaks_tls13 = false;
    for (number, value) in extensions(input)? {
        let mut value = Reader(&value);
        match number {
            extension::SUPPORTED_VERSIONS => {
                versions = typed(value.numbers(1)?, ProtocolVersion);
                speaks_tls13 = versions.contains(&ProtocolVersion::TLS13);
            }
            extension::SUPPORTED_GROUPS => groups = typed(value.numbers(2)?, NamedGroup),
            extension::SIGNATURE_ALGORITHMS => {
                signature_schemes = typed(value.numbers(2)?, SignatureScheme);
            }
            extension::SERVER_NAME => {
                let mut list = Reader(value.vector(2)?);
                list.u8()?;
                server_name = Some(String::from_utf8_lossy(list.vector(2)?).into_owned());
            }
            extension::PROTOCOLS => protocols = read_protocols(&mut value)?,
            extension::KEY_SHARE => {
                let mut list = Reader(value.vector(2)?);
                while !list.is_empty() {
                    key_shares.push(KeyShare { group: NamedGroup(list.u16()?), bytes: list.vector(2)?.len() });
                }
            }
            extension::PRE_SHARED_KEY => resumes = true,
            extension::SESSION_TICKET => resumes |= !value.is_empty(),
            _ => {}
        }
    }
    let body = Body::ClientHello {
        random: hex(&random),
        versions,
        cipher_suites: typed(suites, CipherSuite),
        groups,
        key_shares,
        signature_schemes,
        server_name,
        protocols,
        resumes: resumes || !speaks_tls13 && !session_id.is_empty(),
    };
    Some((body, Some(Hello { random, session_id: session_id.to_vec(), choice: None })))
}

/// A server hello with this random is a HelloRetryRequest (RFC 8446 §4.1.3); it is the SHA-256 of that name.
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Reads a server hello; `offered` is the session id of the client hello.
fn server_hello(input: &mut Reader<'_>, offered: &[u8]) -> Option<(Body, Option<Hello>)> {
    let mut version = ProtocolVersion(input.u16()?);
    let random = input.take(32)?.to_vec();
    let session_id = input.vector(1)?;
    let cipher_suite = CipherSuite(input.u16()?);
    input.u8()?;
    let retry = random == RETRY_RANDOM;
    let (mut key_share, mut protocol, mut resumes) = (None, None, false);
    for (number, value) in extensions(input)? {
        let mut value = Reader(&value);
        match number {
            extension::SUPPORTED_VERSIONS => version = ProtocolVersion(value.u16()?),
            extension::KEY_SHARE => {
                let group = NamedGroup(value.u16()?);
                key_share = Some(KeyShare { group, bytes: if retry { 0 } else { value.vector(2)?.len() } });
            }
            extension::PROTOCOLS => protocol = read_protocols(&mut value)?.pop(),
            extension::PRE_SHARED_KEY => resumes = true,
            _ => {}
        }
    }
    if retry {
        let group = key_share.map(|share| share.group);
        return Some((Body::HelloRetryRequest { version, cipher_suite, group }, None));
    }
    let chosen = match version {
        ProtocolVersion::TLS13 => Some(TlsVersion::Tls13),
        ProtocolVersion::TLS12 => Some(TlsVersion::Tls12),
        _ => None,
    };
    // TLS 1.2: the server resumes the session when it repeats the session id (RFC 5077 §3.4). In TLS 1.3 it always
    // repeats it.
    resumes |= chosen == Some(TlsVersion::Tls12) && !offered.is_empty() && session_id == offered;
    let body = Body::ServerHello { random: hex(&random), version, cipher_suite, key_share, protocol, resumes };
    let choice = chosen.map(|version| (version, cipher_suite));
    Some((body, Some(Hello { random, session_id: session_id.to_vec(), choice })))
}

/// Reads a session ticket: RFC 8446 §4.6.1, and RFC 5077 §3.3 in TLS 1.2.
fn new_session_ticket(input: &mut Reader<'_>, tls13: bool) -> Option<Body> {
    let lifetime_seconds = input.number(4)?;
    if tls13 {
        input.number(4)?;
        input.vector(1)?;
    }
    Some(Body::NewSessionTicket { lifetime_seconds, ticket_bytes: input.vector(2)?.len() })
}

fn encrypted_extensions(input: &mut Reader<'_>) -> Option<Body> {
    let mut protocol = None;
    for (number, value) in extensions(input)? {
        if number == extension::PROTOCOLS {
            protocol = read_protocols(&mut Reader(&value))?.pop();
        }
    }
    Some(Body::EncryptedExtensions { protocol })
}

fn read_protocols(value: &mut Reader<'_>) -> Option<Vec<String>> {
    let mut list = Reader(value.vector(2)?);
    let mut protocols = Vec::new();
    while !list.is_empty() {
        protocols.push(String::from_utf8_lossy(list.vector(1)?).into_owned());
    }
    Some(protocols)
}

fn certificate_request_tls13(input: &mut Reader<'_>) -> Option<Body> {
    input.vector(1)?;
    let (mut signature_schemes, mut authorities) = (Vec::new(), Vec::new());
    for (number, value) in extensions(input)? {
        let mut value = Reader(&value);
        match number {
            extension::SIGNATURE_ALGORITHMS => signature_schemes = typed(value.numbers(2)?, SignatureScheme),
            extension::CERTIFICATE_AUTHORITIES => authorities = read_authorities(value.vector(2)?)?,
            _ => {}
        }
    }
    Some(Body::CertificateRequest { signature_schemes, authorities })
}

fn certificate_request_tls12(input: &mut Reader<'_>) -> Option<Body> {
    input.vector(1)?;
    let signature_schemes = typed(input.numbers(2)?, SignatureScheme);
    let authorities = read_authorities(input.vector(2)?)?;
    Some(Body::CertificateRequest { signature_schemes, authorities })
}

fn read_authorities(list: &[u8]) -> Option<Vec<String>> {
    let mut list = Reader(list);
    let mut authorities = Vec::new();
    while !list.is_empty() {
        let der = list.vector(2)?;
        authorities.push(DistinguishedName::from_der(der).map_or_else(|_| hex(der), |name| name.to_string()));
    }
    Some(authorities)
}

fn certificate(input: &mut Reader<'_>, tls13: bool) -> Option<Body> {
    if tls13 {
        input.vector(1)?;
    }
    let mut list = Reader(input.vector(3)?);
    let mut chain = Vec::new();
    while !list.is_empty() {
        let der = list.vector(3)?;
        if tls13 {
            list.vector(2)?;
        }
        chain.push(shown(der));
    }
    Some(Body::Certificate { chain })
}

fn shown(der: &[u8]) -> ShownCertificate {
    match Certificate::from_der(der) {
        Ok(certificate) => ShownCertificate {
            subject: certificate.subject.to_string(),
            issuer: certificate.issuer.to_string(),
            serial: certificate.serial.to_string(),
            names: certificate.names().iter().map(ToString::to_string).collect(),
            not_before: Some(certificate.validity.not_before),
            not_after: Some(certificate.validity.not_after),
            key: certificate.public_key.kind().to_string(),
            signature: certificate.signature_algorithm.to_string(),
            bytes: der.len(),
        },
        Err(_) => ShownCertificate {
            subject: "a certificate that cannot be read".to_owned(),
            issuer: String::new(),
            serial: String::new(),
            names: Vec::new(),
            not_before: None,
            not_after: None,
            key: String::new(),
            signature: String::new(),
            bytes: der.len(),
        },
    }
}

/// Reads `ServerECDHParams` and the scheme of their signature (RFC 8422 §5.4); rustls does not offer other key
/// exchanges.
fn server_key_exchange(input: &mut Reader<'_>) -> Option<Body> {
    const NAMED_CURVE: u8 = 3;
    if input.u8()? != NAMED_CURVE {
        return None;
    }
    let key_share = KeyShare { group: NamedGroup(input.u16()?), bytes: input.vector(1)?.len() };
    Some(Body::ServerKeyExchange { key_share, scheme: SignatureScheme(input.u16()?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_whose_lengths_do_not_fit_is_not_read() {
        for number in 0..=30 {
            for content in [&[0xff; 3][..], &[0xff; 40], &[0x03, 0x03]] {
                for version in [None, Some(TlsVersion::Tls12), Some(TlsVersion::Tls13)] {
                    let (body, hello) = read(number, content, Known { version, session_id: &[] });
                    // No field with a length is read in these messages.
                    let without_lengths = [14, 15, 20, 22, 24].contains(&number);
                    let is_read = body != Body::Other { number };
                    assert_eq!((is_read, hello.is_some()), (without_lengths, false), "{number}: {body:?}");
                }
            }
        }
        assert_eq!(read(1, &[3, 3, 0], Known::default()).0, Body::Other { number: 1 });
        assert_eq!(read_alert(&[2]), None);
        assert_eq!(read_alert(&[2, 40, 0]), None);
    }

    fn vector(bytes: usize, content: &[u8]) -> Vec<u8> {
        let length = content.len().to_be_bytes();
        [&length[length.len() - bytes..], content].concat()
    }

    fn extension(number: u16, content: &[u8]) -> Vec<u8> {
        [&number.to_be_bytes()[..], &vector(2, content)].concat()
    }

    /// `None`: the block of extensions is absent, as before RFC 3546.
    fn client_hello(session_id: &[u8], extensions: Option<&[Vec<u8>]>) -> Vec<u8> {
        let extensions = extensions.map(|all| vector(2, &all.concat())).unwrap_or_default();
        let suites = vector(2, &[0xc0, 0x2f]);
        [&[3, 3][..], &[9; 32], &vector(1, session_id), &suites, &vector(1, &[0]), &extensions].concat()
    }

    fn server_hello(version: [u8; 2], session_id: &[u8], extensions: Option<&[Vec<u8>]>) -> Vec<u8> {
        let extensions = extensions.map(|all| vector(2, &all.concat())).unwrap_or_default();
        [&version[..], &[9; 32], &vector(1, session_id), &[0xc0, 0x2f, 0], &extensions].concat()
    }

    #[test]
    fn a_client_that_wants_to_take_up_a_session_says_so_by_ticket_key_or_session_id() {
        let resumes = |session_id: &[u8], extensions: Option<&[Vec<u8>]>| match read(
            1,
            &client_hello(session_id, extensions),
            Known::default(),
        ) {
            (Body::ClientHello { resumes, .. }, Some(hello)) => {
                assert_eq!(hello.session_id, session_id);
                resumes
            }
            other => panic!("{other:?}"),
        };
        let speaks_tls13 = extension(43, &vector(1, &[3, 4, 3, 3]));
        let speaks_tls12 = extension(43, &vector(1, &[3, 3]));
        assert!(!resumes(&[], None) && resumes(&[1], None));
        // A TLS 1.3 client sends a session id for compatibility with middleboxes (RFC 8446 appendix D.4).
        assert!(!resumes(&[1], Some(std::slice::from_ref(&speaks_tls13))) && resumes(&[1], Some(&[speaks_tls12])));
        assert!(resumes(&[], Some(&[speaks_tls13, extension(41, &[])])));
        // RFC 5077 §3.2: an empty ticket requests one.
        assert!(resumes(&[], Some(&[extension(35, &[7])])) && !resumes(&[], Some(&[extension(35, &[])])));
    }

    #[test]
    fn a_client_hello_is_read_with_what_it_offers() {
        let offers = [
            extension(0, &vector(2, &[&[0][..], &vector(2, b"web.test")].concat())),
            extension(10, &vector(2, &[0, 0x1d, 0, 0x17])),
            extension(13, &vector(2, &[8, 7])),
            extension(16, &vector(2, &[vector(1, b"h2"), vector(1, b"http/1.1")].concat())),
            extension(51, &vector(2, &[&[0, 0x1d][..], &vector(2, &[5; 32])].concat())),
            extension(0xfafa, &[1, 2, 3]),
        ];
        let (body, _) = read(1, &client_hello(&[], Some(&offers)), Known::default());
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let expected = Body::ClientHello {
            random: "09".repeat(32),
            versions: vec![ProtocolVersion::TLS12],
            cipher_suites: vec![CipherSuite(0xc02f)],
            groups: vec![NamedGroup(0x001d), NamedGroup(0x0017)],
            key_shares: vec![KeyShare { group: NamedGroup(0x001d), bytes: 32 }],
            signature_schemes: vec![SignatureScheme(0x0807)],
            server_name: Some("web.test".to_owned()),
            protocols: words(&["h2", "http/1.1"]),
            resumes: false,
        };
        assert_eq!(body, expected);
    }

    #[test]
    fn a_server_takes_up_a_session_of_tls_1_2_by_the_session_id_that_was_offered() {
        let says = |version, session_id: &[u8], offered, extensions: Option<&[Vec<u8>]>| {
            let known = Known { version: None, session_id: offered };
            match read(2, &server_hello(version, session_id, extensions), known) {
                (Body::ServerHello { resumes, .. }, Some(hello)) => (resumes, hello.choice.map(|(version, _)| version)),
                other => panic!("{other:?}"),
            }
        };
        let (new, old) = (Some(TlsVersion::Tls13), Some(TlsVersion::Tls12));
        assert_eq!(says([3, 3], &[1], &[1], None), (true, old));
        assert_eq!(says([3, 3], &[2], &[1], None), (false, old));
        assert_eq!(says([3, 3], &[], &[], None), (false, old));
        let tls13 = extension(43, &[3, 4]);
        assert_eq!(says([3, 3], &[1], &[1], Some(std::slice::from_ref(&tls13))), (false, new));
        assert_eq!(says([3, 3], &[1], &[1], Some(&[tls13, extension(41, &[0, 0])])), (true, new));
        // TLS 1.1 is chosen, but there is no choice to read later messages by.
        assert_eq!(says([3, 2], &[1], &[1], None), (false, None));
    }

    #[test]
    fn certificate_requests_name_their_authorities_in_both_versions() {
        let name = [0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 6, 3, 0x55, 4, 3, 0x0c, 2, b'C', b'A'];
        let list = vector(2, &[vector(2, &name), vector(2, &[0xff, 0])].concat());
        let schemes = vector(2, &[4, 3]);
        let tls12 = [&vector(1, &[1])[..], &schemes, &list].concat();
        let extensions = [extension(13, &schemes), extension(47, &list)].concat();
        let tls13 = [vector(1, &[]), vector(2, &extensions)].concat();
        let expected = Body::CertificateRequest {
            signature_schemes: vec![SignatureScheme(0x0403)],
            authorities: vec!["CN=CA".to_owned(), "ff00".to_owned()],
        };
        for (version, content) in [(TlsVersion::Tls12, tls12), (TlsVersion::Tls13, tls13)] {
            let known = Known { version: Some(version), session_id: &[] };
            assert_eq!(read(13, &content, known).0, expected, "{version}");
        }
    }

    #[test]
    fn a_key_exchange_of_another_kind_than_a_named_curve_is_not_read() {
        let exchange =
            |kind| read(12, &[&[kind, 0, 0x1d][..], &vector(1, &[5; 32]), &[8, 7]].concat(), Known::default()).0;
        assert!(matches!(exchange(3), Body::ServerKeyExchange { key_share: KeyShare { bytes: 32, .. }, .. }));
        assert_eq!(exchange(1), Body::Other { number: 12 });
    }

    #[test]
    fn messages_that_servers_of_others_send_have_their_names() {
        assert_eq!(read(22, &[1], Known::default()).0, Body::CertificateStatus);
        assert_eq!(read(24, &[0], Known::default()).0, Body::KeyUpdate);
        assert_eq!(read(23, &[0], Known::default()).0, Body::Other { number: 23 });
    }

    #[test]
    fn an_alert_has_the_name_that_the_rfc_gives_it() {
        assert_eq!(read_alert(&[2, 116]), Some(Body::Alert { fatal: true, description: Alert::CERTIFICATE_REQUIRED }));
        assert_eq!(read_alert(&[1, 0]), Some(Body::Alert { fatal: false, description: Alert::CLOSE_NOTIFY }));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            number in proptest::num::u8::ANY,
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..120),
            lengths in proptest::collection::vec(0_u8..4, 0..60),
        ) {
            for content in [&bytes, &lengths] {
                for version in [None, Some(TlsVersion::Tls12), Some(TlsVersion::Tls13)] {
                    for number in [number, number % 24] {
                        let (body, _) = read(number, content, Known { version, session_id: &[] });
                        drop(format!("{body:?}"));
                    }
                }
                drop(read_alert(content));
            }
        }
    }
}
