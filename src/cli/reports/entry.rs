//! An entry of the index and the files of its certificate, as every command shows them.

use std::path::PathBuf;

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::report::page::Page;
use crate::store::delivery::Paths;
use crate::store::index::Entry;
use crate::text::{self, PathText, rfc3339};

/// `in 89d` or `3d ago`: short, in the units in which durations are given.
pub fn how_far(distance: Duration) -> String {
    const YEAR: u64 = 365 * 86_400;
    let seconds = distance.whole_seconds().unsigned_abs();
    let short = match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        86_400..63_072_000 => format!("{}d", seconds / 86_400),
        // Rounded: ten years less a second are ten years.
        _ => format!("{}y", (seconds + YEAR / 2) / YEAR),
    };
    if distance.is_negative() { format!("{short} ago") } else { format!("in {short}") }
}

/// An entry in JSON.
pub fn entry_json(entry: &Entry, now: OffsetDateTime) -> Value {
    let sans: Vec<Value> = entry.sans.iter().map(|(kind, value)| json!({ "type": kind, "value": value })).collect();
    let revocation = entry.revocation.as_ref();
    json!({
        "serial": entry.serial.to_string(),
        "name": entry.name,
        "template": entry.template,
        "issuer": entry.issuer.to_string(),
        "authority": entry.authority,
        "subject": entry.subject,
        "sans": sans,
        "not_before": rfc3339(entry.validity.not_before),
        "not_after": rfc3339(entry.validity.not_after),
        "status": entry.status(now).name(),
        "fingerprint_sha256": text::hex(&entry.fingerprint),
        "revoked_at": revocation.map(|revocation| rfc3339(revocation.at)),
        "reason": revocation.map(|revocation| revocation.reason.name()),
    })
}

/// The files of a certificate in JSON.
pub fn files_json(paths: &Paths) -> Value {
    let Paths { certificate, chain, fullchain, key } = paths;
    json!({ "cert": certificate, "chain": chain, "fullchain": fullchain, "key": key })
}

/// A field for each file of a certificate.
pub fn file_fields(page: &mut Page, paths: &Paths) {
    for (label, path) in labelled(paths) {
        page.field(label, &path.escaped().to_string());
    }
}

fn labelled(paths: &Paths) -> Vec<(&'static str, &PathBuf)> {
    let Paths { certificate, chain, fullchain, key } = paths;
    let some = [
        ("certificate", Some(certificate)),
        ("chain", Some(chain)),
        ("full chain", fullchain.as_ref()),
        ("private key", key.as_ref()),
    ];
    some.into_iter().filter_map(|(label, path)| Some((label, path?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_is_short_and_says_its_direction() {
        for (seconds, shown) in [
            (59, "in 59s"),
            (3_599, "in 59m"),
            (90_000, "in 1d"),
            (7_775_999, "in 89d"),
            (315_359_999, "in 10y"),
            (-259_200, "3d ago"),
            (0, "in 0s"),
        ] {
            assert_eq!(how_far(Duration::seconds(seconds)), shown);
        }
    }
}
