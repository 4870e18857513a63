//! The CRL that rules are applied to.

use super::entries::CrlEntries;
use crate::x509::certificate::oid;
use crate::x509::der_rules::{self, WrittenExtension};
use crate::x509::{Crl, DecodeError, der};

/// A CRL that rules are applied to. Its entries are not kept: there can be very many.
#[derive(Debug)]
pub struct CrlTarget {
    /// Without entries.
    pub crl: Crl,
    /// What the entries have that a rule is about.
    pub entries: CrlEntries,
}

impl CrlTarget {
    /// Decodes a CRL, which must fill `input`.
    ///
    /// # Errors
    /// When it is not a CRL.
    pub fn read(input: Vec<u8>) -> Result<Self, DecodeError> {
        let mut latest = None;
        let crl = Crl::read(input, |entry| {
            if latest.as_ref().is_none_or(|(at, _)| *at < entry.revoked_at) {
                latest = Some((entry.revoked_at, entry.serial));
            }
        })?;
        let mut entries = match fields(&crl).revoked {
            Some(list) => CrlEntries::read(list),
            None => CrlEntries::default(),
        };
        entries.latest = latest;
        Ok(Self { crl, entries })
    }

    /// Returns whether the CRL has the extension, marked as critical.
    pub fn is_critical(&self, oid: &str) -> bool {
        self.crl.extension(oid).is_some_and(|extension| extension.critical)
    }

    /// Returns whether it is a delta CRL (RFC 5280 §5.2.4).
    pub fn is_delta(&self) -> bool {
        self.crl.extension(oid::DELTA_CRL_INDICATOR).is_some()
    }

    pub(super) fn fields(&self) -> CrlFields<'_> {
        fields(&self.crl)
    }
}

/// The parts of the signed part that are looked at as they are written.
pub(super) struct CrlFields<'a> {
    /// thisUpdate and nextUpdate, each with its tag.
    pub times: Vec<&'a [u8]>,
    /// The content of revokedCertificates; `None` when the field is missing.
    pub revoked: Option<&'a [u8]>,
    pub extensions: Vec<WrittenExtension<'a>>,
}

const EXTENSIONS: [u8; 1] = [der::context_constructed(0)];

fn fields(crl: &Crl) -> CrlFields<'_> {
    let fields = der_rules::fields(crl.tbs());
    let has_tag = |tags: &'static [u8]| move |field: &&&[u8]| field.first().is_some_and(|tag| tags.contains(tag));
    let times: Vec<_> = fields.iter().filter(has_tag(&[der::UTC_TIME, der::GENERALIZED_TIME])).copied().collect();
    // The issuer and the algorithm, which are SEQUENCEs too, stand before the times.
    let after_times = fields.iter().rposition(|field| times.contains(field)).map_or(fields.len(), |at| at + 1);
    let rest = fields.get(after_times..).unwrap_or_default();
    let revoked = rest.iter().find(has_tag(&[der::SEQUENCE])).and_then(|list| der::split_first(list));
    let extensions = rest.iter().find(has_tag(&EXTENSIONS));
    CrlFields {
        times,
        revoked: revoked.map(|(_, content, _)| content),
        extensions: extensions.and_then(|it| der_rules::written_extensions(it)).unwrap_or_default(),
    }
}
