//! Certificates (RFC 5280 §4.1).

use std::ops::Range;

use super::{
    DistinguishedName, DistributionPoint, ExtendedKeyUsage, GeneralName, KeyUsage, NameConstraints, PublicKey,
    SerialNumber, SignatureAlgorithm, Validity, digest,
};

/// A certificate that was decoded: its bytes, and every field that this program understands.
///
/// Decoding is not verification. An extension whose content cannot be decoded is listed in `malformed`: the verifier
/// refuses it, and `ca inspect` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    pub(super) der: Vec<u8>,
    pub(super) tbs: Range<usize>,
    /// 1, 2 or 3.
    pub version: u32,
    pub serial: SerialNumber,
    /// The algorithm inside the signed part; it must equal `signature_algorithm` (RFC 5280 §4.1.1.2).
    pub tbs_signature_algorithm: SignatureAlgorithm,
    pub signature_algorithm: SignatureAlgorithm,
    pub issuer: DistinguishedName,
    pub validity: Validity,
    pub subject: DistinguishedName,
    pub public_key: PublicKey,
    /// Every extension, in its order.
    pub extensions: Vec<Extension>,
    /// Object identifiers of extensions that could not be decoded, or that occur twice, and why.
    pub malformed: Vec<(String, String)>,
    /// The parts other than the content of an extension that cannot be read. Only [`Certificate::read_partially`] returns a
    /// certificate that has such parts.
    pub unreadable: Vec<UnreadablePart>,
    pub basic_constraints: Option<BasicConstraints>,
    pub key_usage: Option<KeyUsage>,
    pub extended_key_usage: Option<Vec<ExtendedKeyUsage>>,
    pub subject_alt_names: Option<Vec<GeneralName>>,
    pub subject_key_id: Option<Vec<u8>>,
    pub authority_key_id: Option<AuthorityKeyId>,
    pub name_constraints: Option<NameConstraints>,
    /// Object identifiers of the certificate policies.
    pub policies: Vec<String>,
    /// The object identifiers of policy qualifiers other than the two of RFC 5280 §4.2.1.4.
    pub unknown_qualifiers: Vec<String>,
    /// Pairs of policies that the issuer takes as equivalent: its own, the subject's (RFC 5280 §4.2.1.5).
    pub policy_mappings: Vec<(String, String)>,
    pub policy_constraints: Option<PolicyConstraints>,
    /// The number of certificates after which anyPolicy is no longer accepted (RFC 5280 §4.2.1.14).
    pub inhibit_any_policy: Option<u32>,
    pub distribution_points: Vec<DistributionPoint>,
    /// URLs at which CRLs are published.
    pub crl_urls: Vec<String>,
    /// URLs of OCSP responders.
    pub ocsp_urls: Vec<String>,
    /// URLs of the issuer's certificate.
    pub ca_issuer_urls: Vec<String>,
    /// The content of the signature BIT STRING.
    pub signature: Vec<u8>,
}

/// A part of a certificate that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadablePart {
    /// `subject, relative name 1`, `extension 3 (key usage)`.
    pub place: String,
    pub reason: String,
}

/// An extension whose content is not decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The dotted object identifier.
    pub oid: String,
    pub critical: bool,
    pub value: Vec<u8>,
}

/// RFC 5280 §4.2.1.9.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BasicConstraints {
    pub ca: bool,
    pub path_length: Option<u32>,
}

/// The number of certificates after which each constraint applies (RFC 5280 §4.2.1.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyConstraints {
    pub require_explicit_policy: Option<u32>,
    pub inhibit_policy_mapping: Option<u32>,
}

/// RFC 5280 §4.2.1.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityKeyId {
    pub key_id: Option<Vec<u8>>,
    /// Whether it also has the issuer's issuer and serial, which breaks the chain once the issuer is renewed.
    pub names_issuer_and_serial: bool,
    /// The serial number of the issuer's certificate, when it has one.
    pub serial: Option<SerialNumber>,
}

/// Object identifiers of the extensions that this program decodes.
pub mod oid {
    pub const SUBJECT_KEY_ID: &str = "2.5.29.14";
    pub const KEY_USAGE: &str = "2.5.29.15";
    pub const SUBJECT_ALT_NAME: &str = "2.5.29.17";
    pub const ISSUER_ALT_NAME: &str = "2.5.29.18";
    pub const BASIC_CONSTRAINTS: &str = "2.5.29.19";
    pub const CRL_NUMBER: &str = "2.5.29.20";
    pub const REASON_CODE: &str = "2.5.29.21";
    pub const INVALIDITY_DATE: &str = "2.5.29.24";
    pub const DELTA_CRL_INDICATOR: &str = "2.5.29.27";
    pub const ISSUING_DISTRIBUTION_POINT: &str = "2.5.29.28";
    pub const CERTIFICATE_ISSUER: &str = "2.5.29.29";
    pub const NAME_CONSTRAINTS: &str = "2.5.29.30";
    pub const CRL_DISTRIBUTION_POINTS: &str = "2.5.29.31";
    pub const CERTIFICATE_POLICIES: &str = "2.5.29.32";
    pub const POLICY_MAPPINGS: &str = "2.5.29.33";
    pub const AUTHORITY_KEY_ID: &str = "2.5.29.35";
    pub const POLICY_CONSTRAINTS: &str = "2.5.29.36";
    pub const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
    pub const FRESHEST_CRL: &str = "2.5.29.46";
    pub const INHIBIT_ANY_POLICY: &str = "2.5.29.54";
    pub const AUTHORITY_INFO_ACCESS: &str = "1.3.6.1.5.5.7.1.1";
    /// The attribute of a request that has the extensions (RFC 2985 §5.4.2).
    pub const EXTENSION_REQUEST: &str = "1.2.840.113549.1.9.14";
    pub const SUBJECT_INFO_ACCESS: &str = "1.3.6.1.5.5.7.1.11";
    pub const SUBJECT_DIRECTORY_ATTRIBUTES: &str = "2.5.29.9";
    pub const OCSP_NO_CHECK: &str = "1.3.6.1.5.5.7.48.1.5";
    pub const NETSCAPE_TYPE: &str = "2.16.840.1.113730.1.1";

    /// Returns the common name of an extension.
    pub fn name(oid: &str) -> Option<&'static str> {
        NAMES.into_iter().find(|(known, _)| *known == oid).map(|(_, name)| name)
    }

    /// Returns `2.5.29.17 (subject alternative names)`, or the number alone.
    pub fn with_name(oid: &str) -> String {
        name(oid).map_or_else(|| oid.to_owned(), |name| format!("{oid} ({name})"))
    }

    const NAMES: [(&str, &str); 28] = [
        (SUBJECT_KEY_ID, "subject key identifier"),
        (KEY_USAGE, "key usage"),
        (SUBJECT_ALT_NAME, "subject alternative names"),
        (ISSUER_ALT_NAME, "issuer alternative names"),
        (BASIC_CONSTRAINTS, "basic constraints"),
        (CRL_NUMBER, "CRL number"),
        (REASON_CODE, "reason code"),
        (INVALIDITY_DATE, "invalidity date"),
        (DELTA_CRL_INDICATOR, "delta CRL indicator"),
        (ISSUING_DISTRIBUTION_POINT, "issuing distribution point"),
        (CERTIFICATE_ISSUER, "certificate issuer"),
        (NAME_CONSTRAINTS, "name constraints"),
        (CRL_DISTRIBUTION_POINTS, "CRL distribution points"),
        (CERTIFICATE_POLICIES, "certificate policies"),
        (POLICY_MAPPINGS, "policy mappings"),
        (AUTHORITY_KEY_ID, "authority key identifier"),
        (POLICY_CONSTRAINTS, "policy constraints"),
        (EXTENDED_KEY_USAGE, "extended key usage"),
        (INHIBIT_ANY_POLICY, "inhibit any policy"),
        (AUTHORITY_INFO_ACCESS, "authority information access"),
        (SUBJECT_INFO_ACCESS, "subject information access"),
        (FRESHEST_CRL, "freshest CRL"),
        (SUBJECT_DIRECTORY_ATTRIBUTES, "subject directory attributes"),
        (OCSP_NO_CHECK, "OCSP no check"),
        ("1.3.6.1.5.5.7.1.24", "TLS feature (must-staple)"),
        ("1.3.6.1.4.1.11129.2.4.2", "signed certificate timestamps"),
        (NETSCAPE_TYPE, "Netscape certificate type"),
        ("2.16.840.1.113730.1.13", "Netscape comment"),
    ];
}

impl Certificate {
    /// Returns the bytes of the whole certificate.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Returns the bytes that are signed (`tbsCertificate`).
    pub fn tbs(&self) -> &[u8] {
        &self.der[self.tbs.clone()]
    }

    /// Returns the SHA-256 of the whole certificate.
    pub fn fingerprint(&self) -> [u8; 32] {
        digest::sha256(&self.der)
    }

    /// Returns the extension with this object identifier.
    pub fn extension(&self, oid: &str) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.oid == oid)
    }

    /// Returns whether it is the certificate of a CA: basic constraints with `cA` set.
    pub fn is_ca(&self) -> bool {
        self.basic_constraints.is_some_and(|constraints| constraints.ca)
    }

    /// Returns false for the DER of a certificate that [`is_ca`](Self::is_ca) says is not one of a CA, without decoding it: of a
    /// million certificates, few have to be decoded to find those of CAs. True says nothing.
    pub fn may_be_of_ca(der: &[u8]) -> bool {
        /// The content of the object identifier 2.5.29.19, basicConstraints.
        const BASIC_CONSTRAINTS: [u8; 3] = [0x55, 0x1d, 0x13];
        /// The rest of the extension without the CA bit (RFC 5280 §4.2.1.9): an OCTET STRING with an empty SEQUENCE.
        const EMPTY: [u8; 4] = [4, 2, 0x30, 0];
        /// `critical`, which may be before it.
        const CRITICAL: [u8; 3] = [1, 1, 0xff];
        let is_named_at = |at: &usize| der[*at..].starts_with(&BASIC_CONSTRAINTS);
        (0..der.len()).filter(|at| der[*at] == BASIC_CONSTRAINTS[0]).filter(is_named_at).any(|at| {
            let rest = &der[at + BASIC_CONSTRAINTS.len()..];
            !rest.strip_prefix(&CRITICAL).unwrap_or(rest).starts_with(&EMPTY)
        })
    }

    /// Returns whether subject and issuer are the same name. Such a certificate need not be signed with its own key.
    pub fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// Returns whether it is a root whose authority key identifier names its own serial number.
    pub fn names_its_serial(&self) -> bool {
        self.is_self_issued() && self.authority_key_id.as_ref().is_some_and(|id| id.names_issuer_and_serial)
    }

    /// Returns all subject alternative names; none when the extension is missing.
    pub fn names(&self) -> &[GeneralName] {
        self.subject_alt_names.as_deref().unwrap_or_default()
    }
}
