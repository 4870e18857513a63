//! Certificate revocation lists (RFC 5280 §5).

use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use time::OffsetDateTime;

use super::{AuthorityKeyId, DistinguishedName, Extension, IssuingDistributionPoint, SerialNumber, SignatureAlgorithm};
use crate::text;

/// A CRL that was decoded. As for [`super::Certificate`], decoding is not verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crl {
    pub(super) der: Vec<u8>,
    pub(super) tbs: Range<usize>,
    /// 1 or 2.
    pub version: u32,
    pub tbs_signature_algorithm: SignatureAlgorithm,
    pub signature_algorithm: SignatureAlgorithm,
    pub issuer: DistinguishedName,
    pub this_update: OffsetDateTime,
    pub next_update: Option<OffsetDateTime>,
    pub entries: Vec<RevokedEntry>,
    pub extensions: Vec<Extension>,
    /// Object identifiers of extensions (of the CRL or an entry) that could not be decoded, and why.
    pub malformed: Vec<(String, String)>,
    /// The CRL number (§5.2.3), big-endian without leading zeros.
    pub number: Option<Vec<u8>>,
    pub authority_key_id: Option<AuthorityKeyId>,
    /// The scope of the CRL (§5.2.5); `None` when it covers everything.
    pub scope: Option<IssuingDistributionPoint>,
    /// The number of the CRL that this delta CRL is based on (§5.2.4); `None` for a full CRL.
    pub delta_base: Option<Vec<u8>>,
    /// The content of the signature BIT STRING.
    pub signature: Vec<u8>,
}

/// One revoked certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedEntry {
    pub serial: SerialNumber,
    pub revoked_at: OffsetDateTime,
    pub reason: Option<RevocationReason>,
    pub invalid_since: Option<OffsetDateTime>,
    /// The issuer of the certificate (§5.3.3), when it is not the issuer of the CRL. In a CRL, an entry without the
    /// extension has the certificate issuer of the entry before it; here each entry has its own.
    pub certificate_issuer: Option<Arc<DistinguishedName>>,
    /// Object identifiers of critical entry extensions that this program does not process.
    pub unknown_critical: Vec<String>,
}

/// Why a certificate was revoked (RFC 5280 §5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevocationReason {
    Unspecified,
    KeyCompromise,
    CaCompromise,
    AffiliationChanged,
    Superseded,
    CessationOfOperation,
    CertificateHold,
    RemoveFromCrl,
    PrivilegeWithdrawn,
    AaCompromise,
}

impl RevocationReason {
    const ALL: [(u8, Self, &'static str); 10] = [
        (0, Self::Unspecified, "unspecified"),
        (1, Self::KeyCompromise, "key-compromise"),
        (2, Self::CaCompromise, "ca-compromise"),
        (3, Self::AffiliationChanged, "affiliation-changed"),
        (4, Self::Superseded, "superseded"),
        (5, Self::CessationOfOperation, "cessation-of-operation"),
        (6, Self::CertificateHold, "certificate-hold"),
        (8, Self::RemoveFromCrl, "remove-from-crl"),
        (9, Self::PrivilegeWithdrawn, "privilege-withdrawn"),
        (10, Self::AaCompromise, "aa-compromise"),
    ];

    /// Returns the names of all reasons.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(|(.., name)| name)
    }

    /// Returns the reason for a value of the `CRLReason` enumeration.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, ..)| *known == code).map(|(_, reason, _)| reason)
    }

    /// Returns the value of the `CRLReason` enumeration.
    pub fn code(self) -> u8 {
        Self::ALL.into_iter().find(|(_, reason, _)| *reason == self).map_or(0, |(code, ..)| code)
    }

    /// Returns the name in flags and reports.
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, reason, _)| *reason == self).map_or("", |(.., name)| name)
    }
}

/// The text is not a reason of RFC 5280 §5.3.1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReasonError {
    /// A word that people use for the reason.
    #[error("RFC 5280 calls this reason {}", .0)]
    Called(&'static str),
    #[error("'{}' is not a reason; known are {}, and hold and release for short", text::escape(.0), RevocationReason::words())]
    Unknown(String),
}

/// Words for the reasons, without hyphens. A revocation is final, so they are answered and not accepted. Of numbers, as in
/// `CRLReason`, the names are answered too.
const OTHER_WORDS: [(&str, &[&str]); 9] = [
    (
        "key-compromise",
        &[
            "lost",
            "stolen",
            "theft",
            "leak",
            "leaked",
            "exposed",
            "compromise",
            "compromised",
            "hacked",
            "breach",
            "breached",
            "keylost",
            "lostkey",
            "keystolen",
            "stolenkey",
            "keyleaked",
            "leakedkey",
            "1",
        ],
    ),
    ("ca-compromise", &["cacompromised", "calost", "castolen", "2"]),
    (
        "affiliation-changed",
        &["left", "leftcompany", "moved", "renamed", "namechanged", "resigned", "affiliation", "3"],
    ),
    ("superseded", &["replaced", "renewed", "rekeyed", "rotated", "reissued", "supersede", "outdated", "old", "4"]),
    (
        "cessation-of-operation",
        &[
            "retired",
            "retire",
            "decommissioned",
            "decommission",
            "unused",
            "obsolete",
            "shutdown",
            "offline",
            "removed",
            "deleted",
            "closed",
            "endoflife",
            "eol",
            "nolongerneeded",
            "noneed",
            "cessation",
            "5",
        ],
    ),
    ("hold", &["suspend", "suspended", "pause", "paused", "onhold", "temporary", "disabled", "6"]),
    ("release", &["unhold", "unsuspend", "resume", "resumed", "unrevoke", "restore", "restored", "8"]),
    (
        "privilege-withdrawn",
        &["fired", "dismissed", "banned", "blocked", "unauthorized", "unauthorised", "forbidden", "withdrawn", "9"],
    ),
    ("unspecified", &["other", "none", "unknown", "0"]),
];

impl RevocationReason {
    fn words() -> String {
        Self::ALL.map(|(.., name)| name).join(", ")
    }
}

/// Reads `key-compromise`, and the form of RFC 5280 and openssl (`keyCompromise`); `hold` is `certificate-hold`, and
/// `release` is `remove-from-crl`.
impl FromStr for RevocationReason {
    type Err = ReasonError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let plain = |word: &str| word.to_ascii_lowercase().replace(['-', '_'], "");
        match plain(given).as_str() {
            "hold" => Ok(Self::CertificateHold),
            "release" => Ok(Self::RemoveFromCrl),
            word => {
                Self::ALL.into_iter().find(|(.., name)| plain(name) == word).map(|(_, reason, _)| reason).ok_or_else(
                    || {
                        let mut others = OTHER_WORDS.iter();
                        match others.find(|(_, words)| words.contains(&word)) {
                            Some((reason, _)) => ReasonError::Called(reason),
                            None => ReasonError::Unknown(given.to_owned()),
                        }
                    },
                )
            }
        }
    }
}

impl Crl {
    /// Returns the bytes of the whole CRL.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Returns the bytes that are signed (`tbsCertList`).
    pub fn tbs(&self) -> &[u8] {
        &self.der[self.tbs.clone()]
    }

    /// Returns the extension with this object identifier.
    pub fn extension(&self, oid: &str) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.oid == oid)
    }

    /// Returns the entries for this serial, of any certificate issuer.
    pub fn entries_of<'a>(&'a self, serial: &'a SerialNumber) -> impl Iterator<Item = &'a RevokedEntry> {
        self.entries.iter().filter(move |entry| entry.serial == *serial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_read_in_every_form_and_other_words_are_refused() {
        for (code, reason, name) in RevocationReason::ALL {
            assert_eq!(name.parse(), Ok(reason));
            assert_eq!(RevocationReason::from_code(code), Some(reason));
        }
        assert_eq!("keyCompromise".parse(), Ok(RevocationReason::KeyCompromise));
        assert_eq!("removeFromCRL".parse(), Ok(RevocationReason::RemoveFromCrl));
        assert_eq!("hold".parse(), Ok(RevocationReason::CertificateHold));
        assert_eq!("release".parse(), Ok(RevocationReason::RemoveFromCrl));
        assert!("".parse::<RevocationReason>().is_err() && "compromise".parse::<RevocationReason>().is_err());
        let refused = |word: &str| word.parse::<RevocationReason>().unwrap_err();
        assert_eq!(refused("lost"), ReasonError::Called("key-compromise"));
        assert_eq!(refused("End-of-Life"), ReasonError::Called("cessation-of-operation"));
        assert_eq!(refused("4"), ReasonError::Called("superseded"));
        assert_eq!(refused("nonsense"), ReasonError::Unknown("nonsense".to_owned()));
        for (reason, words) in OTHER_WORDS {
            assert!(reason.parse::<RevocationReason>().is_ok(), "{reason}");
            assert!(words.iter().all(|word| refused(word) == ReasonError::Called(reason)), "{words:?}");
        }
    }
}
