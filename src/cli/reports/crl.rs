//! A CRL that was signed, as `ca crl` and `ca revoke` show it.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::authority::revocation::carry_over::{CarriedOver, PublishedEntry};
use crate::authority::revocation::publish_crl::{CrlOutcome, CrlReason, CrlStatus};
use crate::report::json::{FilePath, Hex, Serial, Shown, Time, WarningJson};
use crate::report::page::{Page, Tone};
use crate::text::{humanize, rfc3339};
use crate::x509::{DistinguishedName, SerialNumber};

/// Returns why a CRL was signed, as a phrase after its number; empty when it was ordered, or not signed.
pub fn because(outcome: &CrlOutcome) -> &'static str {
    match outcome.status {
        CrlStatus::Signed(CrlReason::Changed) => "  because something was revoked or released",
        CrlStatus::Signed(CrlReason::Due) => "  because less than a third of its lifetime was left",
        CrlStatus::Signed(CrlReason::NotYetValid) => {
            "  because the last one is not valid yet: the clock of this machine may be wrong, or was ahead when it was signed"
        }
        CrlStatus::Signed(CrlReason::Files) => "  because its files had been changed",
        CrlStatus::Signed(CrlReason::Ordered | CrlReason::First) | CrlStatus::Unchanged => "",
    }
}

/// The fields of a CRL.
pub fn crl_fields(outcome: &CrlOutcome, page: &mut Page) {
    let number = format!("number {}", outcome.number);
    let (mark, done) = match outcome.status {
        CrlStatus::Signed(_) => ("✓ ", "Signed the CRL of "),
        CrlStatus::Unchanged => ("= ", "Unchanged, not due: the CRL of "),
    };
    page.pieces(&[
        (Tone::Good, mark),
        (Tone::Plain, done),
        (Tone::Strong, &outcome.authority),
        (Tone::Plain, ", "),
        (Tone::Plain, &number),
        (Tone::Dim, because(outcome)),
    ]);
    page.field("issuer", &outcome.issuer.to_string());
    page.field("revoked", &count(outcome.revoked));
    page.field("issue date", &rfc3339(outcome.this_update));
    let left = humanize(outcome.next_update - outcome.at);
    page.field("next update", &format!("{} ({left} left)", rfc3339(outcome.next_update)));
    page.field("CRL", &page.path(&outcome.pem));
    page.field("CRL in DER", &page.path(&outcome.der));
    if let Some(copy) = &outcome.copy {
        page.field("copy", &page.path(copy));
    }
    carried_over_fields(outcome, page);
    if matches!(outcome.status, CrlStatus::Signed(_)) && outcome.copy.is_none() {
        page.field("next", "copy the CRL to where clients read it (--out FILE writes a copy), and reload them");
    }
}

/// What the CRL has from earlier ones, and what it left out.
pub fn carried_over_fields(outcome: &CrlOutcome, page: &mut Page) {
    let CarriedOver { entries, forgotten } = &outcome.carried_over;
    if !entries.is_empty() {
        page.rows("carried over", &carried_over(entries, page));
    }
    if !forgotten.is_empty() {
        page.field("forgotten", &some_of(forgotten.iter()));
    }
}

/// What the index did not have, and which CRL named it.
fn carried_over(entries: &[PublishedEntry], page: &Page) -> [String; 2] {
    let mut paths: Vec<String> = entries.iter().map(|entry| page.path(&entry.path)).collect();
    paths.sort();
    paths.dedup();
    let serials = some_of(entries.iter().map(|entry| &entry.serial));
    let what = format!("{} that the index did not have: {serials}", count(entries.len() as u64));
    [what, format!("from {}", paths.join(", "))]
}

/// The first serial numbers, and how many more there are.
fn some_of<'a>(serials: impl ExactSizeIterator<Item = &'a SerialNumber>) -> String {
    const MOST: usize = 10;
    let more = serials.len().saturating_sub(MOST);
    let shown = serials.take(MOST).map(SerialNumber::to_string).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

fn count(certificates: u64) -> String {
    format!("{certificates} certificate{}", if certificates == 1 { "" } else { "s" })
}

/// A CRL that was signed, or not.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Crl")]
pub struct CrlJson<'a> {
    authority: &'a str,
    issuer: Shown<&'a DistinguishedName>,
    /// As `outcome`.
    #[schemars(extend("deprecated" = true))]
    status: &'static str,
    /// `unchanged`: with `--ensure`, when it is not due.
    #[schemars(extend("enum" = ["signed", "unchanged"]))]
    outcome: &'static str,
    /// Why it was signed: `ordered`, `first`, `changed`, `not-yet-valid`, `due` or `files`.
    because: Option<&'static str>,
    number: u64,
    /// As `number`; in every document an integer.
    crl_number: u64,
    this_update: Time,
    next_update: Time,
    /// As `revoked_count`.
    #[schemars(extend("deprecated" = true))]
    revoked: u64,
    /// How many certificates it names.
    revoked_count: u64,
    fingerprint_sha256: Hex<&'a [u8]>,
    /// What a published CRL named and the index did not have.
    carried_over: Vec<CarriedOverJson<'a>>,
    /// The serial numbers of `--forget`.
    forgotten: Vec<Serial<'a>>,
    /// As the messages of `warning_details`.
    #[schemars(extend("deprecated" = true))]
    warnings: Vec<&'a str>,
    warning_details: Vec<WarningJson<'a>>,
    files: CrlFilesJson<'a>,
}

/// A revocation that was carried over.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CarriedOver")]
struct CarriedOverJson<'a> {
    serial: Serial<'a>,
    revoked_at: Time,
    reason: &'static str,
    /// The CRL that names it.
    from: FilePath<&'a PathBuf>,
}

/// The files of a CRL.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CrlFiles")]
struct CrlFilesJson<'a> {
    pem: FilePath<&'a PathBuf>,
    der: FilePath<&'a PathBuf>,
    /// With `--out`.
    copy: Option<FilePath<&'a PathBuf>>,
}

impl<'a> CrlJson<'a> {
    pub fn new(outcome: &'a CrlOutcome) -> Self {
        let because = match outcome.status {
            CrlStatus::Signed(CrlReason::Ordered) => Some("ordered"),
            CrlStatus::Signed(CrlReason::First) => Some("first"),
            CrlStatus::Signed(CrlReason::Changed) => Some("changed"),
            CrlStatus::Signed(CrlReason::Due) => Some("due"),
            CrlStatus::Signed(CrlReason::NotYetValid) => Some("not-yet-valid"),
            CrlStatus::Signed(CrlReason::Files) => Some("files"),
            CrlStatus::Unchanged => None,
        };
        let done = if because.is_some() { "signed" } else { "unchanged" };
        let CarriedOver { entries, forgotten } = &outcome.carried_over;
        let carried_over = |entry: &'a PublishedEntry| CarriedOverJson {
            serial: Serial(&entry.serial),
            revoked_at: Time(entry.revocation.at),
            reason: entry.revocation.reason.name(),
            from: FilePath(&entry.path),
        };
        Self {
            authority: &outcome.authority,
            issuer: Shown(&outcome.issuer),
            status: done,
            outcome: done,
            because,
            number: outcome.number,
            crl_number: outcome.number,
            this_update: Time(outcome.this_update),
            next_update: Time(outcome.next_update),
            revoked: outcome.revoked,
            revoked_count: outcome.revoked,
            fingerprint_sha256: Hex(&outcome.fingerprint),
            carried_over: entries.iter().map(carried_over).collect(),
            forgotten: forgotten.iter().map(Serial).collect(),
            warnings: outcome.warnings.iter().map(|warning| warning.message.as_str()).collect(),
            warning_details: outcome.warnings.iter().map(WarningJson::new).collect(),
            files: CrlFilesJson {
                pem: FilePath(&outcome.pem),
                der: FilePath(&outcome.der),
                copy: outcome.copy.as_ref().map(FilePath),
            },
        }
    }
}
