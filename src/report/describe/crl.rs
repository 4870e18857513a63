//! The content of a CRL.

use time::OffsetDateTime;

use crate::report::describe::fields::{
    authority_key_id_words, exponent_words, extension_fields, fingerprint_fields, malformed_fields, name_fields,
    signature_field, when,
};
use crate::report::describe::json::{
    AttributeJson, AuthorityKeyIdJson, CrlJson, ExtensionJson, MalformedJson, ObjectJson, RevokedJson, SignatureJson,
};
use crate::report::describe::object::Describe;
use crate::report::json::{Hex, Shown, Time};
use crate::report::page::{Page, Tone};
use crate::text::{how_far, rfc3339};
use crate::x509::crl::RevokedEntry;
use crate::x509::{Crl, DecodeError, digest};

/// The most entries of a CRL that are shown. In JSON each takes about a kilobyte of memory.
const MOST_ENTRIES: usize = 100_000;

/// A CRL, looked at at a certain time.
pub struct DescribedCrl {
    /// With its first [`MOST_ENTRIES`] entries.
    list: Crl,
    /// The number of entries after those.
    more: usize,
    now: OffsetDateTime,
}

impl DescribedCrl {
    /// Decodes a CRL.
    ///
    /// # Errors
    /// As [`Crl::from_der`].
    pub fn from_der(input: &[u8], now: OffsetDateTime) -> Result<Self, DecodeError> {
        let (mut entries, mut more) = (Vec::new(), 0);
        let mut list = Crl::read(input.to_vec(), |entry| {
            if entries.len() < MOST_ENTRIES {
                entries.push(entry);
            } else {
                more += 1;
            }
        })?;
        list.entries = entries;
        Ok(Self { list, more, now })
    }
}

impl Describe for DescribedCrl {
    fn title(&self) -> String {
        let issuer = &self.list.issuer;
        let shown = issuer.common_name().map_or_else(|| issuer.to_string(), str::to_owned);
        format!("CRL of {shown}")
    }

    fn text(&self, page: &mut Page) {
        let Self { list, more, now } = self;
        page.field("Version", &list.version.to_string());
        name_fields(page, "Issuer", &list.issuer);
        if let Some(number) = &list.number {
            page.field("Number", &exponent_words(number));
        }
        page.field("Issue date", &when(list.this_update, *now));
        match list.next_update {
            None => page.toned_field("Next update", Tone::Warning, "not said"),
            Some(next) if next < *now => {
                page.toned_field(
                    "Next update",
                    Tone::Bad,
                    &format!("{} (overdue since {})", rfc3339(next), how_far(next, *now)),
                );
            }
            Some(next) => page.toned_field("Next update", Tone::Good, &when(next, *now)),
        }
        if let Some(id) = &list.authority_key_id {
            page.field("Issuer's key id", &authority_key_id_words(id));
        }
        extension_fields(page, &list.extensions);
        malformed_fields(page, &list.malformed);
        signature_field(page, &list.signature_algorithm, &list.signature);
        fingerprint_fields(page, list.as_der());
        page.field("Revoked", &format!("{} certificates", list.entries.len() + more));
        if !list.entries.is_empty() {
            let rows: Vec<Vec<String>> = list.entries.iter().map(row).collect();
            page.table(&["SERIAL", "REVOKED", "REASON", "REMARKS"], &rows);
        }
        if *more > 0 {
            page.line(&format!("and {more} more"));
        }
    }

    fn json(&self) -> ObjectJson<'_> {
        let Self { list, more, now } = self;
        ObjectJson::Crl(Box::new(CrlJson {
            kind: "revocation-list",
            version: list.version,
            version_number: list.version,
            issuer: Shown(&list.issuer),
            issuer_attributes: AttributeJson::all(&list.issuer),
            number: list.number.as_deref().map(exponent_words),
            crl_number: list.number.as_deref().and_then(|number| exponent_words(number).parse().ok()),
            this_update: Time(list.this_update),
            next_update: list.next_update.map(Time),
            seconds_left: list.next_update.map(|next| (next - *now).whole_seconds()),
            authority_key_id: list.authority_key_id.as_ref().map(AuthorityKeyIdJson::new),
            extensions: ExtensionJson::all(&list.extensions),
            malformed: MalformedJson::all(&list.malformed, &[]),
            revoked: list.entries.iter().map(RevokedJson::new).collect(),
            revoked_count: list.entries.len() + more,
            revoked_not_shown: *more,
            signature: SignatureJson::new(&list.signature_algorithm, &list.signature),
            signed_signature_algorithm: Shown(&list.tbs_signature_algorithm),
            fingerprint_sha256: Hex(digest::sha256(list.as_der())),
            fingerprint_sha1: Hex(digest::sha1(list.as_der())),
        }))
    }
}

fn row(entry: &RevokedEntry) -> Vec<String> {
    let since = entry.invalid_since.map(|at| format!("suspected since {}", rfc3339(at)));
    let unknown = entry.unknown_critical.iter().map(|oid| format!("unknown critical extension {oid}"));
    vec![
        entry.serial.with_sign(),
        rfc3339(entry.revoked_at),
        entry.reason.map_or("", |reason| reason.name()).to_owned(),
        since.into_iter().chain(unknown).collect::<Vec<_>>().join("; "),
    ]
}
