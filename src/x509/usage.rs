//! What a key may be used for: key usage (RFC 5280 §4.2.1.3) and extended key usage (§4.2.1.12).

use std::fmt;
use std::str::FromStr;

use crate::text;

/// The bits of the key usage extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyUsage(u16);

/// Each bit with its name in templates and reports; the index in the list is the number of the bit.
const KEY_USAGES: [&str; 9] = [
    "digital-signature",
    "content-commitment",
    "key-encipherment",
    "data-encipherment",
    "key-agreement",
    "key-cert-sign",
    "crl-sign",
    "encipher-only",
    "decipher-only",
];

impl KeyUsage {
    pub const DIGITAL_SIGNATURE: Self = Self(1 << 0);
    pub const CONTENT_COMMITMENT: Self = Self(1 << 1);
    pub const KEY_ENCIPHERMENT: Self = Self(1 << 2);
    pub const DATA_ENCIPHERMENT: Self = Self(1 << 3);
    pub const KEY_AGREEMENT: Self = Self(1 << 4);
    pub const KEY_CERT_SIGN: Self = Self(1 << 5);
    pub const CRL_SIGN: Self = Self(1 << 6);
    pub const ENCIPHER_ONLY: Self = Self(1 << 7);
    pub const DECIPHER_ONLY: Self = Self(1 << 8);

    /// Takes bits numbered as in RFC 5280: bit 0 is digitalSignature.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & 0x1ff)
    }

    /// Returns the bits; bit 0 is digitalSignature.
    pub const fn bits(self) -> u16 {
        self.0
    }

    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Returns the names of the bits that are set, in the order of RFC 5280.
    pub fn names(self) -> Vec<&'static str> {
        (0..).zip(KEY_USAGES).filter(|(bit, _)| self.0 >> bit & 1 == 1).map(|(_, name)| name).collect()
    }

    /// Returns the bit with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        KEY_USAGES.iter().position(|known| *known == name).map(|bit| Self(1 << bit))
    }

    /// Returns all names, for messages.
    pub const fn all_names() -> [&'static str; 9] {
        KEY_USAGES
    }
}

impl fmt::Display for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(", "))
    }
}

/// One purpose of the extended key usage extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtendedKeyUsage {
    ServerAuth,
    ClientAuth,
    CodeSigning,
    EmailProtection,
    TimeStamping,
    OcspSigning,
    /// `anyExtendedKeyUsage`.
    Any,
    /// Any other purpose, by its dotted object identifier.
    Other(String),
}

/// The purposes with a name, and their object identifiers.
const PURPOSES: [(&str, &str, ExtendedKeyUsage); 7] = [
    ("server-auth", "1.3.6.1.5.5.7.3.1", ExtendedKeyUsage::ServerAuth),
    ("client-auth", "1.3.6.1.5.5.7.3.2", ExtendedKeyUsage::ClientAuth),
    ("code-signing", "1.3.6.1.5.5.7.3.3", ExtendedKeyUsage::CodeSigning),
    ("email-protection", "1.3.6.1.5.5.7.3.4", ExtendedKeyUsage::EmailProtection),
    ("time-stamping", "1.3.6.1.5.5.7.3.8", ExtendedKeyUsage::TimeStamping),
    ("ocsp-signing", "1.3.6.1.5.5.7.3.9", ExtendedKeyUsage::OcspSigning),
    ("any", "2.5.29.37.0", ExtendedKeyUsage::Any),
];

impl ExtendedKeyUsage {
    /// Returns the purpose with this dotted object identifier.
    pub fn from_oid(oid: &str) -> Self {
        PURPOSES
            .into_iter()
            .find(|(_, known, _)| *known == oid)
            .map_or_else(|| Self::Other(oid.to_owned()), |(_, _, purpose)| purpose)
    }

    /// Returns the dotted object identifier.
    pub fn oid(&self) -> &str {
        match self {
            Self::Other(oid) => oid,
            known => PURPOSES.iter().find(|(.., purpose)| purpose == known).map_or("", |(_, oid, _)| oid),
        }
    }

    /// Returns the names that templates may use.
    pub fn all_names() -> [&'static str; 7] {
        PURPOSES.map(|(name, ..)| name)
    }
}

/// The text is neither the name of a purpose nor a dotted object identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown extended key usage '{}'{}", text::escape(.0), text::did_you_mean(.0, ExtendedKeyUsage::all_names()))]
pub struct UnknownPurpose(pub String);

/// Reads the name of a purpose, or its dotted object identifier.
impl FromStr for ExtendedKeyUsage {
    type Err = UnknownPurpose;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        if let Some((.., purpose)) = PURPOSES.into_iter().find(|(name, ..)| *name == given) {
            return Ok(purpose);
        }
        // X.660: the first arc is 0, 1 or 2, and there are at least two.
        let arcs: Vec<_> = given.split('.').map(str::parse::<u64>).collect();
        match arcs.as_slice() {
            [Ok(0..=2), Ok(_), rest @ ..] if rest.iter().all(Result::is_ok) => Ok(Self::from_oid(given)),
            _ => Err(UnknownPurpose(given.to_owned())),
        }
    }
}

/// The name used in templates, or the object identifier.
impl fmt::Display for ExtendedKeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(oid) => f.write_str(oid),
            known => f.write_str(PURPOSES.iter().find(|(.., purpose)| purpose == known).map_or("", |(name, ..)| name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_has_a_name_and_every_name_a_bit() {
        for name in KeyUsage::all_names() {
            assert_eq!(KeyUsage::from_name(name).unwrap().names(), [name]);
        }
        assert_eq!(KeyUsage::KEY_CERT_SIGN.union(KeyUsage::CRL_SIGN).to_string(), "key-cert-sign, crl-sign");
        assert_eq!(KeyUsage::from_name("keyCertSign"), None);
    }

    #[test]
    fn a_purpose_survives_the_way_through_its_object_identifier() {
        for (name, oid, purpose) in PURPOSES {
            assert_eq!(ExtendedKeyUsage::from_oid(oid), purpose);
            assert_eq!((purpose.oid(), purpose.to_string().as_str()), (oid, name));
        }
        assert_eq!(ExtendedKeyUsage::from_oid("1.2.3").oid(), "1.2.3");
    }

    #[test]
    fn a_purpose_is_a_name_or_an_object_identifier() {
        assert_eq!("server-auth".parse(), Ok(ExtendedKeyUsage::ServerAuth));
        assert_eq!("1.3.6.1.5.5.7.3.17".parse::<ExtendedKeyUsage>().unwrap().oid(), "1.3.6.1.5.5.7.3.17");
        for word in ["", "serverAuth", "1", "3.1", "1.x", "1..2"] {
            assert!(word.parse::<ExtendedKeyUsage>().is_err(), "{word}");
        }
    }
}
