//! What the entries of a CRL have that a rule is about: the first entry of each kind.

use std::collections::HashSet;

use time::OffsetDateTime;

use crate::x509::{SerialNumber, der, der_rules};

/// What was found in the entries. Each field has the first entry that shows it, as its serial number.
#[derive(Debug, Default)]
pub struct CrlEntries {
    /// The number of entries; `None` when the CRL has no list of them.
    pub count: Option<usize>,
    /// The latest revocation, and its certificate.
    pub latest: Option<(OffsetDateTime, SerialNumber)>,
    /// A certificate that two entries are about.
    pub repeated: Option<SerialNumber>,
    /// The reason 0, which is said by leaving the reason out.
    pub unspecified: Option<SerialNumber>,
    /// A reason that does not exist.
    pub unknown_reason: Option<(u8, SerialNumber)>,
    /// The reason removeFromCRL.
    pub removed: Option<SerialNumber>,
    /// Entry extensions whose criticality is not the one that RFC 5280 §5.3 fixes, by their names; each once.
    pub wrong_criticality: Vec<(&'static str, SerialNumber)>,
    /// An extension that writes out critical FALSE.
    pub written_false: Option<SerialNumber>,
    /// A date that is not a UTCTime through 2049 and a GeneralizedTime after.
    pub wrong_time: Option<SerialNumber>,
    /// An empty list of entry extensions.
    pub empty_extensions: Option<SerialNumber>,
}

/// Content bytes of the object identifiers of entry extensions: 2.5.29.21, 2.5.29.24 and 2.5.29.29.
const REASON: &[u8] = &[0x55, 0x1d, 21];
const INVALIDITY_DATE: &[u8] = &[0x55, 0x1d, 24];
const CERTIFICATE_ISSUER: &[u8] = &[0x55, 0x1d, 29];

impl CrlEntries {
    /// Reads the content of revokedCertificates, which a decoder has accepted.
    pub(super) fn read(mut rest: &[u8]) -> Self {
        let mut found = Self::default();
        let mut seen = HashSet::new();
        let (mut issuer, mut count) = (0_usize, 0);
        while let Some((_, entry, after)) = der::split_first(rest) {
            (rest, count) = (after, count + 1);
            let Some((_, serial, entry)) = der::split_first(entry) else { continue };
            let Some((tag, time, extensions)) = der::split_first(entry) else { continue };
            let at = || SerialNumber::from_der_content(serial);
            if !is_written_as_required(tag, time) {
                found.wrong_time.get_or_insert_with(at);
            }
            let extensions = der::split_first(extensions).map(|(_, content, _)| content);
            if extensions == Some(&[]) {
                found.empty_extensions.get_or_insert_with(at);
            }
            let extensions = extensions.and_then(der::children).unwrap_or_default();
            for extension in extensions.into_iter().filter_map(der_rules::written_extension) {
                issuer += usize::from(extension.oid == CERTIFICATE_ISSUER);
                found.look_at(&extension, &at);
            }
            // In an indirect CRL several issuers may have used one number.
            if !seen.insert((issuer, serial)) {
                found.repeated.get_or_insert_with(at);
            }
        }
        found.count = Some(count);
        found
    }

    fn look_at(&mut self, extension: &der_rules::WrittenExtension<'_>, at: &dyn Fn() -> SerialNumber) {
        if extension.critical == Some(&[0]) {
            self.written_false.get_or_insert_with(at);
        }
        let is_critical = extension.critical.is_some_and(|flag| flag != [0]);
        let required = match extension.oid {
            REASON => ("reason code", false),
            INVALIDITY_DATE => ("invalidity date", false),
            CERTIFICATE_ISSUER => ("certificate issuer", true),
            _ => ("", is_critical),
        };
        if required.1 != is_critical && !self.wrong_criticality.iter().any(|(known, _)| *known == required.0) {
            self.wrong_criticality.push((required.0, at()));
        }
        if let (REASON, Some((der::ENUMERATED, [code], _))) = (extension.oid, der::split_first(extension.value)) {
            match code {
                0 => drop(self.unspecified.get_or_insert_with(at)),
                8 => drop(self.removed.get_or_insert_with(at)),
                1..=6 | 9 | 10 => {}
                code => drop(self.unknown_reason.get_or_insert_with(|| (*code, at()))),
            }
        }
    }
}

/// Returns whether a date is UTCTime through 2049 and GeneralizedTime after, with seconds and Z (RFC 5280 §5.1.2.4).
pub(super) fn is_written_as_required(tag: u8, text: &[u8]) -> bool {
    let Some((b'Z', digits)) = text.split_last() else { return false };
    let years = match (tag, digits.len()) {
        (der::UTC_TIME, 12) => true,
        // What is before 2050 belongs into a UTCTime.
        (der::GENERALIZED_TIME, 14) => digits >= &b"2050"[..],
        _ => false,
    };
    years && digits.iter().all(u8::is_ascii_digit)
}
