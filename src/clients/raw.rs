//! Certificates as lenient clients read them: the frame of RFC 5280 §4.1, with whatever is in it.
//!
//! [`crate::x509`] refuses what it does not understand. Here a version 4, an unreadable extension or a date without seconds
//! is a fact, so only the frame must be there.

use super::raw_der::{expect, values, whole};
use super::raw_name::RawName;
use super::raw_time::RawTime;
use crate::x509::der;

/// A certificate, split into its fields.
#[derive(Debug)]
pub struct RawCertificate<'a> {
    pub der: &'a [u8],
    /// As it is called: 1 for a certificate without the field.
    pub version: u8,
    /// The content of the INTEGER.
    pub serial: &'a [u8],
    /// The two AlgorithmIdentifiers, each whole.
    pub inner_algorithm: &'a [u8],
    pub outer_algorithm: &'a [u8],
    pub issuer: RawName<'a>,
    pub subject: RawName<'a>,
    pub not_before: RawTime<'a>,
    pub not_after: RawTime<'a>,
    pub key: RawKey<'a>,
    pub has_unique_id: bool,
    /// `None` when the field is missing.
    pub extension_list: Option<Vec<RawExtension<'a>>>,
}

/// A SubjectPublicKeyInfo.
#[derive(Debug)]
pub struct RawKey<'a> {
    pub spki: &'a [u8],
    /// The content of the algorithm's object identifier.
    pub algorithm: &'a [u8],
    /// The parameters, whole; empty without them.
    pub parameters: &'a [u8],
    /// The content of the BIT STRING, without the count of unused bits.
    pub bits: &'a [u8],
}

#[derive(Debug, Clone, Copy)]
pub struct RawExtension<'a> {
    /// The content of the object identifier.
    pub oid: &'a [u8],
    pub critical: bool,
    pub value: &'a [u8],
}

/// An AlgorithmIdentifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawAlgorithm<'a> {
    /// The content of the object identifier.
    pub oid: &'a [u8],
    /// The parameters, whole; empty without them.
    pub parameters: &'a [u8],
}

/// Content bytes of the object identifiers of extensions.
pub mod extension {
    pub const SKI: &[u8] = &[0x55, 0x1d, 14];
    pub const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
    pub const PRIVATE_KEY_USAGE_PERIOD: &[u8] = &[0x55, 0x1d, 16];
    pub const SAN: &[u8] = &[0x55, 0x1d, 17];
    pub const ISSUER_ALT_NAME: &[u8] = &[0x55, 0x1d, 18];
    pub const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
    pub const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 30];
    pub const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 31];
    pub const POLICIES: &[u8] = &[0x55, 0x1d, 32];
    pub const POLICY_MAPPINGS: &[u8] = &[0x55, 0x1d, 33];
    pub const AKI: &[u8] = &[0x55, 0x1d, 35];
    pub const POLICY_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 36];
    pub const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];
    pub const FRESHEST_CRL: &[u8] = &[0x55, 0x1d, 46];
    pub const INHIBIT_ANY_POLICY: &[u8] = &[0x55, 0x1d, 54];
    pub const AUTHORITY_INFO_ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 1];
    pub const SUBJECT_INFO_ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 11];
    pub const TLS_FEATURE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 24];
    pub const CT_POISON: &[u8] = &[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 3];
    pub const NETSCAPE_TYPE: &[u8] = &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 1, 1];
    pub const NETSCAPE_COMMENT: &[u8] = &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 1, 13];
}

const EXPLICIT_0: u8 = der::context_constructed(0);
const EXPLICIT_3: u8 = der::context_constructed(3);

impl<'a> RawCertificate<'a> {
    /// Splits a certificate; `None` when it does not have the frame of one.
    pub fn read(der: &'a [u8]) -> Option<Self> {
        let (outer, _) = expect(der::SEQUENCE, der)?;
        let (tbs, rest) = expect(der::SEQUENCE, outer)?;
        let (outer_algorithm, ..) = whole(rest)?;
        let (version, rest) = match expect(EXPLICIT_0, tbs) {
            Some((field, rest)) => (expect(der::INTEGER, field)?.0.last()?.saturating_add(1), rest),
            None => (1, tbs),
        };
        let (serial, rest) = expect(der::INTEGER, rest)?;
        let (inner_algorithm, _, rest) = whole(rest)?;
        let (issuer, _, rest) = whole(rest)?;
        let (validity, rest) = expect(der::SEQUENCE, rest)?;
        let (tag, not_before, validity) = der::split_first(validity)?;
        let not_before = RawTime::new(tag, not_before);
        let (tag, not_after, _) = der::split_first(validity)?;
        let not_after = RawTime::new(tag, not_after);
        let (subject, _, rest) = whole(rest)?;
        let (spki, _, rest) = whole(rest)?;
        let list = values(rest).find(|(tag, _)| *tag == EXPLICIT_3).map(|(_, content)| content);
        Some(Self {
            der,
            version,
            serial,
            inner_algorithm,
            outer_algorithm,
            issuer: RawName::new(issuer),
            subject: RawName::new(subject),
            not_before,
            not_after,
            key: RawKey::read(spki)?,
            has_unique_id: values(rest).any(|(tag, _)| matches!(tag & 0x1f, 1 | 2)),
            extension_list: list.map(extensions),
        })
    }

    pub fn extensions(&self) -> &[RawExtension<'a>] {
        self.extension_list.as_deref().unwrap_or_default()
    }

    /// Returns the first extension with this object identifier.
    pub fn extension(&self, oid: &[u8]) -> Option<&RawExtension<'a>> {
        self.extensions().iter().find(|extension| extension.oid == oid)
    }

    pub fn signature_algorithm(&self) -> RawAlgorithm<'a> {
        RawAlgorithm::read(self.outer_algorithm)
    }

    /// Returns whether subject and issuer are the same name.
    pub fn is_self_issued(&self) -> bool {
        self.subject.is_same(&self.issuer)
    }

    /// Returns the content of the subject key identifier.
    pub fn key_id(&self) -> Option<&'a [u8]> {
        expect(der::OCTET_STRING, self.extension(extension::SKI)?.value).map(|(id, _)| id)
    }

    /// Returns whether basic constraints say that it is a CA.
    pub fn is_ca(&self) -> bool {
        let flag = || {
            let (fields, _) = expect(der::SEQUENCE, self.extension(extension::BASIC_CONSTRAINTS)?.value)?;
            expect(der::BOOLEAN, fields).map(|(flag, _)| flag.iter().any(|byte| *byte != 0))
        };
        flag().unwrap_or_default()
    }
}

fn extensions(content: &[u8]) -> Vec<RawExtension<'_>> {
    let Some((list, _)) = expect(der::SEQUENCE, content) else { return Vec::new() };
    let read = |(tag, fields): (u8, _)| {
        let (oid, rest) = (tag == der::SEQUENCE).then(|| expect(der::OBJECT_IDENTIFIER, fields)).flatten()?;
        let (critical, rest) = match expect(der::BOOLEAN, rest) {
            Some((flag, rest)) => (flag.iter().any(|byte| *byte != 0), rest),
            None => (false, rest),
        };
        Some(RawExtension { oid, critical, value: expect(der::OCTET_STRING, rest)?.0 })
    };
    values(list).filter_map(read).collect()
}

impl<'a> RawKey<'a> {
    fn read(spki: &'a [u8]) -> Option<Self> {
        let (fields, _) = expect(der::SEQUENCE, spki)?;
        let (algorithm, _, rest) = whole(fields)?;
        let algorithm = RawAlgorithm::read(algorithm);
        let (bits, _) = expect(der::BIT_STRING, rest)?;
        Some(Self { spki, algorithm: algorithm.oid, parameters: algorithm.parameters, bits: bits.get(1..)? })
    }
}

impl<'a> RawAlgorithm<'a> {
    /// Splits an AlgorithmIdentifier; its parts are empty when it is not one.
    pub fn read(whole: &'a [u8]) -> Self {
        let fields = expect(der::SEQUENCE, whole).map(|(fields, _)| fields).unwrap_or_default();
        let (oid, parameters) = expect(der::OBJECT_IDENTIFIER, fields).unwrap_or_default();
        Self { oid, parameters }
    }
}
