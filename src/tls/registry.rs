//! The numbers of TLS with the names that IANA registers (<https://www.iana.org/assignments/tls-parameters>).

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

/// A version of TLS that this program implements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsVersion {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

impl TlsVersion {
    /// Returns `1.2` or `1.3`, as in options and JSON.
    pub const fn number(self) -> &'static str {
        match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }
}

/// `TLS 1.3`.
impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TLS {}", self.number())
    }
}

/// A group for the key exchange that the TLS library implements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// X25519 together with ML-KEM-768, which quantum computers are not known to break (draft-ietf-tls-ecdhe-mlkem).
    X25519MlKem768,
    /// RFC 7748.
    X25519,
    /// The curve P-256.
    Secp256r1,
    /// The curve P-384.
    Secp384r1,
}

impl Group {
    /// All groups in the order in which rustls prefers them.
    pub const ALL: &'static [Self] = &[Self::X25519MlKem768, Self::X25519, Self::Secp256r1, Self::Secp384r1];

    /// The groups for which the client's first hello has no public value: a server that accepts only these must request
    /// one.
    pub const ON_REQUEST: &'static [Self] = &[Self::Secp256r1, Self::Secp384r1];

    /// Returns the name that IANA registers, such as `X25519MLKEM768`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X25519MlKem768 => "X25519MLKEM768",
            Self::X25519 => "x25519",
            Self::Secp256r1 => "secp256r1",
            Self::Secp384r1 => "secp384r1",
        }
    }
}

/// Implements [`JsonSchema`] for a type that is serialized as its text.
macro_rules! json_schema_of_text {
    ($type:ident) => {
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                String::json_schema(generator)
            }
        }
    };
}

/// Defines a type whose values are the numbers of an IANA registry. It is displayed and serialized as the registered
/// name, or as the number in hexadecimal when this program does not have the name.
macro_rules! registered {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub u16);

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.pad(name),
                    None if is_grease(self.0) => f.pad("GREASE"),
                    None => f.pad(&format!("0x{:04x}", self.0)),
                }
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        json_schema_of_text!($type);
    };
}

/// Returns whether the number is reserved for GREASE (RFC 8701 §2): clients offer it so that servers keep ignoring
/// unknown numbers. Both bytes are equal and end in the digit `a`.
const fn is_grease(number: u16) -> bool {
    let [high, low] = number.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

registered! {
    /// A protocol version as it is on the wire, displayed as `1.3`.
    ProtocolVersion
}

impl ProtocolVersion {
    pub const TLS12: Self = Self(0x0303);
    pub const TLS13: Self = Self(0x0304);

    fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x0300 => "SSL 3.0",
            0x0301 => "1.0",
            0x0302 => "1.1",
            0x0303 => "1.2",
            0x0304 => "1.3",
            _ => return None,
        })
    }
}

registered! {
    /// TLS Cipher Suites, with names for those that rustls implements and those that other clients and servers still
    /// offer.
    CipherSuite
}

impl CipherSuite {
    /// Returns whether the key exchange of the suite is static RSA: the client encrypts the secret to the server's
    /// certified key (RFC 5246 §7.4.7.1), so that an attacker who gets that key later can decrypt recorded sessions.
    /// TLS 1.3 has no such suites.
    pub const fn is_static_rsa(self) -> bool {
        matches!(
            self.0,
            0x0005 | 0x000a | 0x002f | 0x0035 | 0x003c | 0x003d | 0x0041 | 0x0084 | 0x009c | 0x009d | 0xc09c | 0xc09d
        )
    }

    /// Returns whether the number is not a cipher suite, although clients offer it as one: a signalling value (RFC
    /// 5746, RFC 7507) or GREASE.
    const fn is_signal(self) -> bool {
        matches!(self.0, 0x00ff | 0x5600) || is_grease(self.0)
    }

    fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x0005 => "TLS_RSA_WITH_RC4_128_SHA",
            0x000a => "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
            0x0016 => "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA",
            0x002f => "TLS_RSA_WITH_AES_128_CBC_SHA",
            0x0032 => "TLS_DHE_DSS_WITH_AES_128_CBC_SHA",
            0x0033 => "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
            0x0035 => "TLS_RSA_WITH_AES_256_CBC_SHA",
            0x0038 => "TLS_DHE_DSS_WITH_AES_256_CBC_SHA",
            0x0039 => "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
            0x003c => "TLS_RSA_WITH_AES_128_CBC_SHA256",
            0x003d => "TLS_RSA_WITH_AES_256_CBC_SHA256",
            0x0041 => "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA",
            0x0045 => "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA",
            0x0067 => "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
            0x006b => "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
            0x0084 => "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA",
            0x0088 => "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA",
            0x009c => "TLS_RSA_WITH_AES_128_GCM_SHA256",
            0x009d => "TLS_RSA_WITH_AES_256_GCM_SHA384",
            0x009e => "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
            0x009f => "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
            0x00ff => "TLS_EMPTY_RENEGOTIATION_INFO_SCSV",
            0x1301 => "TLS_AES_128_GCM_SHA256",
            0x1302 => "TLS_AES_256_GCM_SHA384",
            0x1303 => "TLS_CHACHA20_POLY1305_SHA256",
            0x1304 => "TLS_AES_128_CCM_SHA256",
            0x1305 => "TLS_AES_128_CCM_8_SHA256",
            0x5600 => "TLS_FALLBACK_SCSV",
            0xc009 => "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
            0xc00a => "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
            0xc013 => "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
            0xc014 => "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
            0xc023 => "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
            0xc024 => "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
            0xc027 => "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
            0xc028 => "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
            0xc02b => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            0xc02c => "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            0xc02f => "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            0xc030 => "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            0xc09c => "TLS_RSA_WITH_AES_128_CCM",
            0xc09d => "TLS_RSA_WITH_AES_256_CCM",
            0xc09e => "TLS_DHE_RSA_WITH_AES_128_CCM",
            0xc09f => "TLS_DHE_RSA_WITH_AES_256_CCM",
            0xc0ac => "TLS_ECDHE_ECDSA_WITH_AES_128_CCM",
            0xc0ad => "TLS_ECDHE_ECDSA_WITH_AES_256_CCM",
            0xcca8 => "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            0xcca9 => "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            0xccaa => "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            _ => return None,
        })
    }
}

/// Returns whether a client offers cipher suites with static RSA key exchange and no other cipher suites.
pub fn all_static_rsa(cipher_suites: &[CipherSuite]) -> bool {
    let mut real = cipher_suites.iter().filter(|suite| !suite.is_signal()).peekable();
    real.peek().is_some() && real.all(|suite| suite.is_static_rsa())
}

registered! {
    /// TLS Supported Groups.
    NamedGroup
}

impl NamedGroup {
    pub const X25519_MLKEM768: Self = Self(0x11ec);

    fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x0017 => "secp256r1",
            0x0018 => "secp384r1",
            0x0019 => "secp521r1",
            0x001d => "x25519",
            0x001e => "x448",
            0x001f => "brainpoolP256r1tls13",
            0x0020 => "brainpoolP384r1tls13",
            0x0021 => "brainpoolP512r1tls13",
            0x0100 => "ffdhe2048",
            0x0101 => "ffdhe3072",
            0x0102 => "ffdhe4096",
            0x0103 => "ffdhe6144",
            0x0104 => "ffdhe8192",
            0x0200 => "MLKEM512",
            0x0201 => "MLKEM768",
            0x0202 => "MLKEM1024",
            0x11eb => "SecP256r1MLKEM768",
            0x11ec => "X25519MLKEM768",
            0x11ed => "SecP384r1MLKEM1024",
            _ => return None,
        })
    }
}

registered! {
    /// TLS SignatureScheme.
    SignatureScheme
}

impl SignatureScheme {
    fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x0201 => "rsa_pkcs1_sha1",
            0x0203 => "ecdsa_sha1",
            0x0401 => "rsa_pkcs1_sha256",
            0x0403 => "ecdsa_secp256r1_sha256",
            0x0420 => "rsa_pkcs1_sha256_legacy",
            0x0501 => "rsa_pkcs1_sha384",
            0x0503 => "ecdsa_secp384r1_sha384",
            0x0601 => "rsa_pkcs1_sha512",
            0x0603 => "ecdsa_secp521r1_sha512",
            0x0804 => "rsa_pss_rsae_sha256",
            0x0805 => "rsa_pss_rsae_sha384",
            0x0806 => "rsa_pss_rsae_sha512",
            0x0807 => "ed25519",
            0x0808 => "ed448",
            0x0809 => "rsa_pss_pss_sha256",
            0x080a => "rsa_pss_pss_sha384",
            0x080b => "rsa_pss_pss_sha512",
            0x081a => "ecdsa_brainpoolP256r1tls13_sha256",
            0x081b => "ecdsa_brainpoolP384r1tls13_sha384",
            0x081c => "ecdsa_brainpoolP512r1tls13_sha512",
            0x0904 => "mldsa44",
            0x0905 => "mldsa65",
            0x0906 => "mldsa87",
            _ => return None,
        })
    }
}

/// TLS Alerts, displayed and serialized as the registered name (RFC 8446 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alert(pub u8);

impl Alert {
    pub const CLOSE_NOTIFY: Self = Self(0);
    pub const HANDSHAKE_FAILURE: Self = Self(40);
    pub const BAD_CERTIFICATE: Self = Self(42);
    pub const UNSUPPORTED_CERTIFICATE: Self = Self(43);
    pub const CERTIFICATE_REVOKED: Self = Self(44);
    pub const CERTIFICATE_EXPIRED: Self = Self(45);
    pub const CERTIFICATE_UNKNOWN: Self = Self(46);
    pub const UNKNOWN_CA: Self = Self(48);
    pub const DECODE_ERROR: Self = Self(50);
    pub const DECRYPT_ERROR: Self = Self(51);
    pub const PROTOCOL_VERSION: Self = Self(70);
    pub const CERTIFICATE_REQUIRED: Self = Self(116);

    fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "close_notify",
            10 => "unexpected_message",
            20 => "bad_record_mac",
            22 => "record_overflow",
            40 => "handshake_failure",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            44 => "certificate_revoked",
            45 => "certificate_expired",
            46 => "certificate_unknown",
            47 => "illegal_parameter",
            48 => "unknown_ca",
            49 => "access_denied",
            50 => "decode_error",
            51 => "decrypt_error",
            70 => "protocol_version",
            71 => "insufficient_security",
            80 => "internal_error",
            86 => "inappropriate_fallback",
            90 => "user_canceled",
            109 => "missing_extension",
            110 => "unsupported_extension",
            112 => "unrecognized_name",
            113 => "bad_certificate_status_response",
            115 => "unknown_psk_identity",
            116 => "certificate_required",
            120 => "no_application_protocol",
            _ => return None,
        })
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&format!("alert {}", self.0)),
        }
    }
}

impl Serialize for Alert {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

json_schema_of_text!(Alert);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_reserved_numbers_are_known_to_mean_nothing() {
        let names =
            [CipherSuite(0x0a0a).to_string(), NamedGroup(0xfafa).to_string(), ProtocolVersion(0x1a1a).to_string()];
        assert_eq!(names, ["GREASE"; 3]);
        let names =
            [CipherSuite(0x0a1a).to_string(), NamedGroup(0x1111).to_string(), ProtocolVersion(0x0a0b).to_string()];
        assert_eq!(names, ["0x0a1a", "0x1111", "0x0a0b"]);
        assert_eq!(Alert(7).to_string(), "alert 7");
    }

    /// IANA's names are systematic: the key exchange is what follows `TLS_`.
    #[test]
    fn suites_with_static_rsa_and_signals_are_known_by_their_names_too() {
        for suite in (0..=u16::MAX).map(CipherSuite) {
            let name = suite.to_string();
            assert_eq!(suite.is_static_rsa(), name.starts_with("TLS_RSA_WITH_"), "{name}");
            assert_eq!(suite.is_signal(), name.ends_with("_SCSV") || name == "GREASE", "{name}");
        }
    }
}
