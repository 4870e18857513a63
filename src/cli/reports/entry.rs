//! An entry of the index and the files of its certificate, as every command shows them.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use crate::report::json::{self, FilePath, Hex, NameJson, Serial, Shown, Time};
use crate::report::page::Page;
use crate::store::delivery::Paths;
use crate::store::index::Entry;
use crate::x509::DistinguishedName;

/// `in 89d` or `3d ago`: short, in the units in which durations are given.
pub fn how_far(distance: Duration) -> String {
    const YEAR: u64 = 365 * 86_400;
    let seconds = distance.whole_seconds().unsigned_abs();
    let short = match seconds {
        0..60 => format!("{seconds}s"),
        // Rounded: 90 days less a second are 90 days.
        60..3_570 => format!("{}m", (seconds + 30) / 60),
        3_570..84_600 => format!("{}h", (seconds + 1_800) / 3_600),
        84_600..63_072_000 => format!("{}d", (seconds + 43_200) / 86_400),
        _ => format!("{}y", (seconds + YEAR / 2) / YEAR),
    };
    if distance.is_negative() { format!("{short} ago") } else { format!("in {short}") }
}

/// An entry of the index: a certificate that this CA issued, or whose issuer it is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Entry")]
pub struct EntryJson<'a> {
    pub serial: Serial<'a>,
    pub name: &'a str,
    pub template: &'a str,
    /// The name of its issuer.
    pub issuer: Shown<&'a DistinguishedName>,
    /// The authority of this CA that issued it.
    pub authority: &'a str,
    pub subject: &'a str,
    pub sans: Vec<NameJson<'a>>,
    pub not_before: Time,
    pub not_after: Time,
    /// What it is now.
    #[schemars(extend("enum" = ["valid", "expired", "revoked", "held", "not-yet-valid", "not-delivered"]))]
    pub status: &'static str,
    pub fingerprint_sha256: Hex<&'a [u8]>,
    pub revoked_at: Option<Time>,
    /// Why it was revoked.
    pub reason: Option<&'static str>,
}

impl<'a> EntryJson<'a> {
    pub fn new(entry: &'a Entry, now: OffsetDateTime) -> Self {
        let name = |(kind, value): &'a (String, String)| NameJson { kind: kind.into(), value: value.into() };
        let revocation = entry.revocation.as_ref();
        Self {
            serial: Serial(&entry.serial),
            name: &entry.name,
            template: &entry.template,
            issuer: Shown(&entry.issuer),
            authority: &entry.authority,
            subject: &entry.subject,
            sans: entry.sans.iter().map(name).collect(),
            not_before: Time(entry.validity.not_before),
            not_after: Time(entry.validity.not_after),
            status: entry.status(now).name(),
            fingerprint_sha256: Hex(&entry.fingerprint),
            revoked_at: revocation.map(|revocation| Time(revocation.at)),
            reason: revocation.map(|revocation| revocation.reason.name()),
        }
    }
}

/// An entry in JSON.
pub fn entry_json(entry: &Entry, now: OffsetDateTime) -> Value {
    json::value(&EntryJson::new(entry, now))
}

/// The files of a certificate.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Files")]
pub struct FilesJson<'a> {
    pub cert: FilePath<&'a PathBuf>,
    /// The certificates between it and the root.
    pub chain: FilePath<&'a PathBuf>,
    /// The certificate and its chain.
    pub fullchain: Option<FilePath<&'a PathBuf>>,
    pub key: Option<FilePath<&'a PathBuf>>,
}

impl<'a> FilesJson<'a> {
    pub fn new(paths: &'a Paths) -> Self {
        let Paths { certificate, chain, fullchain, key } = paths;
        Self {
            cert: FilePath(certificate),
            chain: FilePath(chain),
            fullchain: fullchain.as_ref().map(FilePath),
            key: key.as_ref().map(FilePath),
        }
    }
}

/// A field for each file of a certificate.
pub fn file_fields(page: &mut Page, paths: &Paths) {
    for (label, path) in labelled(paths) {
        page.field(label, &page.path(path));
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
            (3_540, "in 59m"),
            (3_599, "in 1h"),
            (90_000, "in 1d"),
            (7_775_999, "in 90d"),
            (315_359_999, "in 10y"),
            (-259_200, "3d ago"),
            (0, "in 0s"),
        ] {
            assert_eq!(how_far(Duration::seconds(seconds)), shown);
        }
    }
}
