//! A CRL that was signed, as `ca crl` and `ca revoke` show it.

use serde_json::{Value, json};

use crate::authority::revocation::carry_over::{CarriedOver, PublishedEntry};
use crate::authority::revocation::publish_crl::{CrlOutcome, CrlReason, CrlStatus};
use crate::report::page::{Page, Tone};
use crate::text::{self, PathText, humanize, rfc3339};
use crate::x509::SerialNumber;

/// The fields of a CRL.
pub fn crl_fields(outcome: &CrlOutcome, page: &mut Page) {
    let number = format!("number {}", outcome.number);
    let (mark, done) = match outcome.status {
        CrlStatus::Signed(_) => ("✓ ", "Signed the revocation list of "),
        CrlStatus::Unchanged => ("= ", "Unchanged, not due: the revocation list of "),
    };
    let because = match outcome.status {
        CrlStatus::Signed(CrlReason::Changed) => "  because something was revoked or released",
        CrlStatus::Signed(CrlReason::Due) => "  because less than a third of its life was left",
        CrlStatus::Signed(CrlReason::NotYetValid) => {
            "  because the last one is not valid yet: the clock of this machine may be wrong, or was ahead when it was signed"
        }
        CrlStatus::Signed(CrlReason::Files) => "  because its files were not as they were written",
        CrlStatus::Signed(CrlReason::Ordered | CrlReason::First) | CrlStatus::Unchanged => "",
    };
    page.pieces(&[
        (Tone::Good, mark),
        (Tone::Plain, done),
        (Tone::Strong, &outcome.authority),
        (Tone::Plain, ", "),
        (Tone::Plain, &number),
        (Tone::Dim, because),
    ]);
    page.field("issuer", &outcome.issuer.to_string());
    page.field("revoked", &count(outcome.revoked));
    page.field("issue date", &rfc3339(outcome.this_update));
    let left = humanize(outcome.next_update - outcome.at);
    page.field("next update", &format!("{} ({left} left)", rfc3339(outcome.next_update)));
    page.field("list", &outcome.pem.escaped().to_string());
    page.field("list in DER", &outcome.der.escaped().to_string());
    if let Some(copy) = &outcome.copy {
        page.field("copy", &copy.escaped().to_string());
    }
    let CarriedOver { entries, forgotten } = &outcome.carried_over;
    if !entries.is_empty() {
        page.rows("carried over", &carried_over(entries));
    }
    if !forgotten.is_empty() {
        page.field("forgotten", &some_of(forgotten.iter()));
    }
}

/// What the index did not have, and which CRL named it.
fn carried_over(entries: &[PublishedEntry]) -> [String; 2] {
    let mut paths: Vec<String> = entries.iter().map(|entry| entry.path.escaped().to_string()).collect();
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

/// A CRL in JSON.
pub fn crl_json(outcome: &CrlOutcome) -> Value {
    let because = match outcome.status {
        CrlStatus::Signed(CrlReason::Ordered) => Some("ordered"),
        CrlStatus::Signed(CrlReason::First) => Some("first"),
        CrlStatus::Signed(CrlReason::Changed) => Some("changed"),
        CrlStatus::Signed(CrlReason::Due) => Some("due"),
        CrlStatus::Signed(CrlReason::NotYetValid) => Some("not-yet-valid"),
        CrlStatus::Signed(CrlReason::Files) => Some("files"),
        CrlStatus::Unchanged => None,
    };
    json!({
        "authority": outcome.authority,
        "issuer": outcome.issuer.to_string(),
        "status": if because.is_some() { "signed" } else { "unchanged" },
        "because": because,
        "number": outcome.number,
        "this_update": rfc3339(outcome.this_update),
        "next_update": rfc3339(outcome.next_update),
        "revoked": outcome.revoked,
        "fingerprint_sha256": text::hex(&outcome.fingerprint),
        "carried_over": outcome.carried_over.entries.iter().map(|entry| json!({
            "serial": entry.serial.to_string(),
            "revoked_at": rfc3339(entry.revocation.at),
            "reason": entry.revocation.reason.name(),
            "from": entry.path,
        })).collect::<Vec<_>>(),
        "forgotten": outcome.carried_over.forgotten.iter().map(SerialNumber::to_string).collect::<Vec<_>>(),
        "warnings": outcome.warnings,
        "files": { "pem": outcome.pem, "der": outcome.der, "copy": outcome.copy },
    })
}
