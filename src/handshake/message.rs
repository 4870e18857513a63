//! The messages of a TLS session, read from what crossed the wire: RFC 8446 §4 (TLS 1.3) and RFC 5246 §7.4 (TLS 1.2).

use std::time::Duration;

use super::registry::{self, TlsVersion};
use super::wire::{Reader, Side};
use crate::x509::text::hex;
use crate::x509::{Certificate, DistinguishedName};

/// One message, in the order of the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub from: Side,
    pub body: Body,
    /// Its length without record framing and encryption; a handshake message counts with its four octets of header.
    pub bytes: usize,
    pub encrypted: bool,
    /// When the flight that holds its last octet was written, counted from the beginning of the exchange.
    pub at: Duration,
}

/// What a message says, as far as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    ClientHello {
        versions: Vec<String>,
        cipher_suites: Vec<String>,
        groups: Vec<String>,
        /// Groups for which a public value comes along, with its length in octets.
        key_shares: Vec<(String, usize)>,
        signature_schemes: Vec<String>,
        server_name: Option<String>,
        protocols: Vec<String>,
        /// The client knows the server from before and offers to take that session up again.
        resumes: bool,
    },
    ServerHello {
        version: String,
        cipher_suite: String,
        key_share: Option<(String, usize)>,
        /// TLS 1.2; in TLS 1.3 it stands in the encrypted extensions.
        protocol: Option<String>,
        resumes: bool,
    },
    /// A server hello that asks for another key share.
    HelloRetryRequest {
        cipher_suite: String,
        group: Option<String>,
    },
    EncryptedExtensions {
        protocol: Option<String>,
    },
    CertificateRequest {
        signature_schemes: Vec<String>,
        /// The authorities whose certificates are welcome; none means any.
        authorities: Vec<String>,
    },
    Certificate {
        chain: Vec<Shown>,
    },
    CertificateVerify {
        scheme: String,
    },
    /// TLS 1.2: the server's half of the key exchange, signed.
    ServerKeyExchange {
        group: String,
        scheme: String,
    },
    ServerHelloDone,
    ClientKeyExchange,
    Finished,
    NewSessionTicket {
        lifetime_seconds: usize,
    },
    KeyUpdate,
    CertificateStatus,
    ChangeCipherSpec,
    Alert {
        fatal: bool,
        description: String,
    },
    ApplicationData,
    /// A handshake message that this program does not read, by its number.
    Other(u8),
    /// A record that none of the session's keys opens.
    Unreadable,
}

/// A certificate inside a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub subject: String,
    pub issuer: String,
    pub serial: String,
    pub names: Vec<String>,
    pub bytes: usize,
}

impl Message {
    /// The name in the RFC's spelling.
    pub fn name(&self) -> String {
        match &self.body {
            Body::ClientHello { .. } => "ClientHello",
            Body::ServerHello { .. } => "ServerHello",
            Body::HelloRetryRequest { .. } => "HelloRetryRequest",
            Body::EncryptedExtensions { .. } => "EncryptedExtensions",
            Body::CertificateRequest { .. } => "CertificateRequest",
            Body::Certificate { .. } => "Certificate",
            Body::CertificateVerify { .. } => "CertificateVerify",
            Body::ServerKeyExchange { .. } => "ServerKeyExchange",
            Body::ServerHelloDone => "ServerHelloDone",
            Body::ClientKeyExchange => "ClientKeyExchange",
            Body::Finished => "Finished",
            Body::NewSessionTicket { .. } => "NewSessionTicket",
            Body::KeyUpdate => "KeyUpdate",
            Body::CertificateStatus => "CertificateStatus",
            Body::ChangeCipherSpec => "ChangeCipherSpec",
            Body::Alert { .. } => "Alert",
            Body::ApplicationData => "ApplicationData",
            Body::Other(number) => return format!("handshake message {number}"),
            Body::Unreadable => "unreadable record",
        }
        .to_owned()
    }

    /// What it decided, as lines of name and value: the same facts for the diagram and for JSON.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let list = |items: &[String]| items.join(", ");
        let shares = |shares: &[(String, usize)]| {
            let shown: Vec<String> = shares.iter().map(|(group, bytes)| format!("{group} ({bytes} bytes)")).collect();
            shown.join(", ")
        };
        let mut facts = Vec::new();
        match &self.body {
            Body::ClientHello {
                versions,
                cipher_suites,
                groups,
                key_shares,
                signature_schemes,
                server_name,
                protocols,
                resumes,
            } => {
                facts.push(("versions", list(versions)));
                facts.push(("cipher suites", list(cipher_suites)));
                facts.push(("groups", list(groups)));
                facts.push(("key shares", shares(key_shares)));
                facts.push(("signatures", list(signature_schemes)));
                facts.push(("server name", server_name.clone().unwrap_or_default()));
                facts.push(("protocols", list(protocols)));
                facts.push(("resumes", if *resumes { "an earlier session".to_owned() } else { String::new() }));
            }
            Body::ServerHello { version, cipher_suite, key_share, protocol, resumes } => {
                facts.push(("version", version.clone()));
                facts.push(("cipher suite", cipher_suite.clone()));
                facts.push(("key share", shares(key_share.as_slice())));
                facts.push(("protocol", protocol.clone().unwrap_or_default()));
                facts.push(("resumes", if *resumes { "the earlier session".to_owned() } else { String::new() }));
            }
            Body::HelloRetryRequest { cipher_suite, group } => {
                facts.push(("cipher suite", cipher_suite.clone()));
                facts.push(("asks for", group.clone().unwrap_or_default()));
            }
            Body::EncryptedExtensions { protocol } => facts.push(("protocol", protocol.clone().unwrap_or_default())),
            Body::CertificateRequest { signature_schemes, authorities } => {
                facts.push(("signatures", list(signature_schemes)));
                facts.push(("authorities", authorities.join("; ")));
            }
            Body::Certificate { chain } if chain.is_empty() => facts.push(("certificates", "none".to_owned())),
            Body::Certificate { chain } => {
                for shown in chain {
                    facts.push(("subject", format!("{} ({} bytes)", shown.subject, shown.bytes)));
                    facts.push(("names", shown.names.join(", ")));
                    facts.push(("issuer", shown.issuer.clone()));
                    facts.push(("serial", shown.serial.clone()));
                }
            }
            Body::CertificateVerify { scheme } => facts.push(("signature", scheme.clone())),
            Body::ServerKeyExchange { group, scheme } => {
                facts.push(("group", group.clone()));
                facts.push(("signature", scheme.clone()));
            }
            Body::NewSessionTicket { lifetime_seconds } => {
                facts.push(("valid for", format!("{lifetime_seconds} s")));
            }
            Body::Alert { fatal, description } => {
                facts.push(("level", if *fatal { "fatal" } else { "warning" }.to_owned()));
                facts.push(("alert", description.clone()));
            }
            _ => {}
        }
        facts.retain(|(_, value)| !value.is_empty());
        facts
    }
}

/// The randoms and choices in a hello that the keys depend on.
#[derive(Debug, Clone)]
pub(super) struct Hello {
    pub random: Vec<u8>,
    /// Of a server hello.
    pub choice: Option<(TlsVersion, u16)>,
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

/// Reads one handshake message by its number; what does not fit its own lengths is [`Body::Other`].
///
/// `version` is nothing until the server has chosen.
pub(super) fn read(number: u8, content: &[u8], version: Option<TlsVersion>) -> (Body, Option<Hello>) {
    let tls13 = version == Some(TlsVersion::Tls13);
    let mut input = Reader(content);
    let body = match number {
        1 => return client_hello(&mut input).unwrap_or((Body::Other(number), None)),
        2 => return server_hello(&mut input).unwrap_or((Body::Other(number), None)),
        4 => input.number(4).map(|lifetime_seconds| Body::NewSessionTicket { lifetime_seconds }),
        8 => encrypted_extensions(&mut input),
        11 => certificate(&mut input, tls13),
        12 => server_key_exchange(&mut input),
        13 if tls13 => certificate_request_tls13(&mut input),
        13 => certificate_request_tls12(&mut input),
        14 => Some(Body::ServerHelloDone),
        15 => input.u16().map(|scheme| Body::CertificateVerify { scheme: registry::signature_scheme(scheme) }),
        16 => Some(Body::ClientKeyExchange),
        20 => Some(Body::Finished),
        22 => Some(Body::CertificateStatus),
        24 => Some(Body::KeyUpdate),
        _ => None,
    };
    (body.unwrap_or(Body::Other(number)), None)
}

/// Reads an alert (RFC 8446 §6).
pub(super) fn read_alert(content: &[u8]) -> Option<Body> {
    match content {
        [level, description] => Some(Body::Alert { fatal: *level == 2, description: registry::alert(*description) }),
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

fn client_hello(input: &mut Reader<'_>) -> Option<(Body, Option<Hello>)> {
    let legacy_version = input.u16()?;
    let random = input.take(32)?.to_vec();
    let session_id = input.vector(1)?;
    let suites = input.numbers(2)?;
    input.vector(1)?;
    let names = |numbers: &[u16], name: fn(u16) -> String| numbers.iter().map(|number| name(*number)).collect();

    let mut versions = vec![registry::version(legacy_version)];
    let (mut groups, mut signature_schemes, mut key_shares) = (Vec::new(), Vec::new(), Vec::new());
    let (mut server_name, mut protocols, mut resumes) = (None, Vec::new(), false);
    // A TLS 1.3 client fills the session id with random octets for the eyes of middleboxes (RFC 8446 appendix D.4).
    let mut speaks_tls13 = false;
    for (number, value) in extensions(input)? {
        let mut value = Reader(&value);
        match number {
            extension::SUPPORTED_VERSIONS => {
                let offered = value.numbers(1)?;
                speaks_tls13 = offered.contains(&0x0304);
                versions = names(&offered, registry::version);
            }
            extension::SUPPORTED_GROUPS => groups = names(&value.numbers(2)?, registry::group),
            extension::SIGNATURE_ALGORITHMS => {
                signature_schemes = names(&value.numbers(2)?, registry::signature_scheme);
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
                    key_shares.push((registry::group(list.u16()?), list.vector(2)?.len()));
                }
            }
            extension::PRE_SHARED_KEY => resumes = true,
            extension::SESSION_TICKET => resumes |= !value.is_empty(),
            _ => {}
        }
    }
    let body = Body::ClientHello {
        versions,
        cipher_suites: names(&suites, registry::cipher_suite),
        groups,
        key_shares,
        signature_schemes,
        server_name,
        protocols,
        resumes: resumes || !speaks_tls13 && !session_id.is_empty(),
    };
    Some((body, Some(Hello { random, choice: None })))
}

/// RFC 8446 §4.1.3: a server hello with this random is a HelloRetryRequest (the SHA-256 of its name).
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

fn server_hello(input: &mut Reader<'_>) -> Option<(Body, Option<Hello>)> {
    let mut version = input.u16()?;
    let random = input.take(32)?.to_vec();
    input.vector(1)?;
    let suite = input.u16()?;
    input.u8()?;
    let retry = random == RETRY_RANDOM;
    let (mut key_share, mut protocol, mut resumes) = (None, None, false);
    for (number, value) in extensions(input)? {
        let mut value = Reader(&value);
        match number {
            extension::SUPPORTED_VERSIONS => version = value.u16()?,
            extension::KEY_SHARE => {
                let group = registry::group(value.u16()?);
                key_share = Some((group, if retry { 0 } else { value.vector(2)?.len() }));
            }
            extension::PROTOCOLS => protocol = read_protocols(&mut value)?.pop(),
            extension::PRE_SHARED_KEY => resumes = true,
            _ => {}
        }
    }
    let cipher_suite = registry::cipher_suite(suite);
    if retry {
        return Some((Body::HelloRetryRequest { cipher_suite, group: key_share.map(|(group, _)| group) }, None));
    }
    let chosen = match version {
        0x0304 => Some(TlsVersion::Tls13),
        0x0303 => Some(TlsVersion::Tls12),
        _ => None,
    };
    let hello = Hello { random, choice: chosen.map(|version| (version, suite)) };
    Some((
        Body::ServerHello { version: registry::version(version), cipher_suite, key_share, protocol, resumes },
        Some(hello),
    ))
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
            extension::SIGNATURE_ALGORITHMS => signature_schemes = value.numbers(2)?,
            extension::CERTIFICATE_AUTHORITIES => authorities = read_authorities(value.vector(2)?)?,
            _ => {}
        }
    }
    Some(certificate_request(&signature_schemes, authorities))
}

fn certificate_request_tls12(input: &mut Reader<'_>) -> Option<Body> {
    input.vector(1)?;
    let signature_schemes = input.numbers(2)?;
    let authorities = read_authorities(input.vector(2)?)?;
    Some(certificate_request(&signature_schemes, authorities))
}

fn certificate_request(schemes: &[u16], authorities: Vec<String>) -> Body {
    let signature_schemes = schemes.iter().map(|scheme| registry::signature_scheme(*scheme)).collect();
    Body::CertificateRequest { signature_schemes, authorities }
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

fn shown(der: &[u8]) -> Shown {
    match Certificate::from_der(der) {
        Ok(certificate) => Shown {
            subject: certificate.subject.to_string(),
            issuer: certificate.issuer.to_string(),
            serial: certificate.serial.to_string(),
            names: certificate.names().iter().map(ToString::to_string).collect(),
            bytes: der.len(),
        },
        Err(_) => Shown {
            subject: "a certificate that cannot be read".to_owned(),
            issuer: String::new(),
            serial: String::new(),
            names: Vec::new(),
            bytes: der.len(),
        },
    }
}

/// `ServerECDHParams` and the signature over them (RFC 8422 §5.4); other kinds of exchange are not offered by rustls.
fn server_key_exchange(input: &mut Reader<'_>) -> Option<Body> {
    const NAMED_CURVE: u8 = 3;
    if input.u8()? != NAMED_CURVE {
        return None;
    }
    let group = registry::group(input.u16()?);
    input.vector(1)?;
    Some(Body::ServerKeyExchange { group, scheme: registry::signature_scheme(input.u16()?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_lies_about_its_lengths_is_not_read_and_does_no_harm() {
        for number in 0..=30 {
            for content in [&[][..], &[0xff; 3], &[0xff; 40], &[0x03, 0x03], &[0; 80]] {
                for version in [None, Some(TlsVersion::Tls12), Some(TlsVersion::Tls13)] {
                    let _ = read(number, content, version);
                }
            }
        }
        assert_eq!(read(1, &[3, 3, 0], None).0, Body::Other(1));
        assert_eq!(read_alert(&[2]), None);
    }

    #[test]
    fn an_alert_has_the_name_that_the_rfc_gives_it() {
        assert_eq!(
            read_alert(&[2, 116]),
            Some(Body::Alert { fatal: true, description: "certificate_required".into() })
        );
        assert_eq!(read_alert(&[1, 0]), Some(Body::Alert { fatal: false, description: "close_notify".into() }));
    }
}
