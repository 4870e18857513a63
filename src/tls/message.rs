//! The messages of a TLS session: RFC 8446 §4 (TLS 1.3) and RFC 5246 §7.4 (TLS 1.2).
//!
//! Each field of a [`Body`] is also a field in JSON, with the same name.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use time::OffsetDateTime;

use super::registry::{Alert, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use super::wire::Side;
use crate::text::rfc3339;

/// One message of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub from: Side,
    pub body: Body,
    /// Its length in bytes without record framing and encryption; that of a handshake message includes its header of
    /// four bytes.
    pub bytes: usize,
    pub encrypted: bool,
    /// The time from the start of the exchange until the flight with its last byte was written.
    pub at: Duration,
}

/// The fields of a message that are reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Body {
    ClientHello {
        /// In hexadecimal; each line of a key log has it as its second field.
        random: String,
        versions: Vec<ProtocolVersion>,
        cipher_suites: Vec<CipherSuite>,
        groups: Vec<NamedGroup>,
        /// The groups for which the client sends a public value.
        key_shares: Vec<KeyShare>,
        signature_schemes: Vec<SignatureScheme>,
        server_name: Option<String>,
        /// Application protocols (RFC 7301).
        protocols: Vec<String>,
        /// `true` when the client offers to resume an earlier session.
        resumes: bool,
    },
    ServerHello {
        random: String,
        version: ProtocolVersion,
        cipher_suite: CipherSuite,
        /// `None` in TLS 1.2, where the server key exchange has it.
        key_share: Option<KeyShare>,
        /// `None` in TLS 1.3, where the encrypted extensions have it.
        protocol: Option<String>,
        /// `true` when the session that the client offered is resumed.
        resumes: bool,
    },
    /// A server hello that requests another key share (RFC 8446 §4.1.4).
    HelloRetryRequest {
        version: ProtocolVersion,
        cipher_suite: CipherSuite,
        /// The group for which the client must send a public value.
        group: Option<NamedGroup>,
    },
    EncryptedExtensions {
        protocol: Option<String>,
    },
    CertificateRequest {
        signature_schemes: Vec<SignatureScheme>,
        /// The CAs whose certificates the server accepts; an empty list means any CA.
        authorities: Vec<String>,
    },
    Certificate {
        chain: Vec<ShownCertificate>,
    },
    CertificateVerify {
        scheme: SignatureScheme,
    },
    /// TLS 1.2: the server's public value, signed (`ServerECDHParams`, RFC 8422 §5.4).
    ServerKeyExchange {
        key_share: KeyShare,
        scheme: SignatureScheme,
    },
    ServerHelloDone,
    /// TLS 1.2: the client's public value.
    ClientKeyExchange {
        /// The length of its public value in bytes.
        public_bytes: usize,
    },
    Finished,
    NewSessionTicket {
        lifetime_seconds: usize,
        ticket_bytes: usize,
    },
    KeyUpdate,
    CertificateStatus,
    ChangeCipherSpec,
    Alert {
        fatal: bool,
        description: Alert,
    },
    ApplicationData,
    /// A handshake message of a type that is not read, or whose lengths do not fit.
    Other {
        number: u8,
    },
    /// A record that no key of the session decrypts.
    Unreadable,
    /// Bytes that cannot be a record, and all bytes after them.
    NotTls,
}

/// The public value of one endpoint in the key exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KeyShare {
    pub group: NamedGroup,
    pub bytes: usize,
}

/// A certificate in a Certificate message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ShownCertificate {
    pub subject: String,
    pub names: Vec<String>,
    pub issuer: String,
    pub serial: String,
    /// `None` when the certificate cannot be read.
    #[serde(serialize_with = "date_or_nothing")]
    #[schemars(with = "String")]
    pub not_before: Option<OffsetDateTime>,
    #[serde(serialize_with = "date_or_nothing")]
    #[schemars(with = "String")]
    pub not_after: Option<OffsetDateTime>,
    /// The kind of its public key.
    pub key: String,
    /// How its issuer signed it.
    pub signature: String,
    pub bytes: usize,
}

impl ShownCertificate {
    fn memory(&self) -> usize {
        let texts =
            [&self.subject, &self.issuer, &self.serial, &self.key, &self.signature].into_iter().chain(&self.names);
        size_of::<Self>() + texts.map(|text| text_memory(text)).sum::<usize>()
    }
}

/// Returns how many bytes a text in a list takes: its place, its bytes, and what the allocator needs for it.
fn text_memory(text: &str) -> usize {
    size_of::<String>() + 16 + text.len()
}

impl Message {
    /// Returns about how many bytes of memory it takes, rather more than fewer. What a client decides is counted without
    /// making text of it.
    pub fn memory(&self) -> usize {
        let contents = match &self.body {
            Body::ClientHello {
                random,
                versions,
                cipher_suites,
                groups,
                key_shares,
                signature_schemes,
                server_name,
                protocols,
                resumes: _,
            } => {
                size_of_val(&versions[..])
                    + size_of_val(&cipher_suites[..])
                    + size_of_val(&groups[..])
                    + size_of_val(&key_shares[..])
                    + size_of_val(&signature_schemes[..])
                    + [random]
                        .into_iter()
                        .chain(server_name)
                        .chain(protocols)
                        .map(|text| text_memory(text))
                        .sum::<usize>()
            }
            Body::Certificate { chain } => chain.iter().map(ShownCertificate::memory).sum(),
            _ => self.facts().iter().map(|(_, fact)| text_memory(fact)).sum(),
        };
        // A vector that grew has room for up to twice its elements.
        size_of::<Self>() + 2 * contents
    }

    /// Returns the name of the message as the RFCs write it.
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
            Body::ClientKeyExchange { .. } => "ClientKeyExchange",
            Body::Finished => "Finished",
            Body::NewSessionTicket { .. } => "NewSessionTicket",
            Body::KeyUpdate => "KeyUpdate",
            Body::CertificateStatus => "CertificateStatus",
            Body::ChangeCipherSpec => "ChangeCipherSpec",
            Body::Alert { .. } => "Alert",
            Body::ApplicationData => "ApplicationData",
            Body::Other { number } => return format!("handshake message {number}"),
            Body::Unreadable => "unreadable record",
            Body::NotTls => "no TLS record",
        }
        .to_owned()
    }

    /// Returns the fields as pairs of label and text, for the diagram and for JSON; empty values are left out.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        fn list<T: ToString>(items: &[T]) -> String {
            items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
        let mut facts = Vec::new();
        let mut fact = |name, value: String| facts.push((name, value));
        match &self.body {
            Body::ClientHello {
                random,
                versions,
                cipher_suites,
                groups,
                key_shares,
                signature_schemes,
                server_name,
                protocols,
                resumes,
            } => {
                fact("random", beginning(random));
                fact("versions", list(versions));
                fact("cipher suites", list(cipher_suites));
                fact("groups", list(groups));
                fact("key shares", list(key_shares));
                fact("signatures", list(signature_schemes));
                fact("server name", server_name.clone().unwrap_or_default());
                fact("protocols", list(protocols));
                fact("resumes", if *resumes { "an earlier session" } else { "" }.to_owned());
            }
            Body::ServerHello { random, version, cipher_suite, key_share, protocol, resumes } => {
                fact("random", beginning(random));
                fact("version", version.to_string());
                fact("cipher suite", cipher_suite.to_string());
                fact("key share", key_share.as_ref().map(KeyShare::to_string).unwrap_or_default());
                fact("protocol", protocol.clone().unwrap_or_default());
                fact("resumes", if *resumes { "the earlier session" } else { "" }.to_owned());
            }
            Body::HelloRetryRequest { version, cipher_suite, group } => {
                fact("version", version.to_string());
                fact("cipher suite", cipher_suite.to_string());
                fact("asks for", group.as_ref().map(|group| format!("a key share of {group}")).unwrap_or_default());
            }
            Body::EncryptedExtensions { protocol } => fact("protocol", protocol.clone().unwrap_or_default()),
            Body::CertificateRequest { signature_schemes, authorities } => {
                fact("signatures", list(signature_schemes));
                fact("authorities", authorities.join("; "));
            }
            Body::Certificate { chain } if chain.is_empty() => fact("certificates", "none".to_owned()),
            Body::Certificate { chain } => {
                for (number, shown) in chain.iter().enumerate() {
                    fact("subject", format!("{} ({} bytes)", shown.subject, shown.bytes));
                    fact("names", shown.names.join(", "));
                    fact("issuer", shown.issuer.clone());
                    // Subject and issuer are enough for an intermediate.
                    if number == 0 {
                        fact("serial", shown.serial.clone());
                        fact("expires", shown.not_after.map(rfc3339).unwrap_or_default());
                        fact("key", shown.key.clone());
                        fact("signed with", shown.signature.clone());
                    }
                }
            }
            Body::CertificateVerify { scheme } => fact("signature", scheme.to_string()),
            Body::ServerKeyExchange { key_share, scheme } => {
                fact("key share", key_share.to_string());
                fact("signature", scheme.to_string());
            }
            Body::ClientKeyExchange { public_bytes } => fact("public value", format!("{public_bytes} bytes")),
            Body::NewSessionTicket { lifetime_seconds, ticket_bytes } => {
                fact("valid for", format!("{lifetime_seconds} s"));
                fact("ticket", format!("{ticket_bytes} bytes"));
            }
            Body::Alert { fatal, description } => {
                fact("level", if *fatal { "fatal" } else { "warning" }.to_owned());
                fact("alert", description.to_string());
            }
            Body::ServerHelloDone
            | Body::Finished
            | Body::KeyUpdate
            | Body::CertificateStatus
            | Body::ChangeCipherSpec
            | Body::ApplicationData
            | Body::Other { .. }
            | Body::Unreadable
            | Body::NotTls => {}
        }
        facts.retain(|(_, value)| !value.is_empty());
        facts
    }
}

/// Writes the date as RFC 3339, and an empty text for `None`.
fn date_or_nothing<S: Serializer>(date: &Option<OffsetDateTime>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&date.map(rfc3339).unwrap_or_default())
}

/// `x25519 (32 bytes)`.
impl std::fmt::Display for KeyShare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes)", self.group, self.bytes)
    }
}

/// Returns the first 24 characters of a random value, which are enough to search for it.
fn beginning(hex: &str) -> String {
    hex.get(..24).map_or_else(|| hex.to_owned(), |beginning| format!("{beginning}…"))
}
