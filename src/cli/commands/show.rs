//! `ca show NAME|SERIAL`: one certificate of this CA and its history.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::app::context::Context;
use crate::app::resolve::{Patterns, Resolved, resolve_all};
use crate::authority::leaf::hook::{self, Hook};
use crate::authority::revocation::bundle;
use crate::cli::reports::access::{AccessJson, access_field};
use crate::cli::reports::entry::{EntryJson, FilesJson, file_fields, how_far};
use crate::cli::reports::exports::{RememberedExportJson, export_fields};
use crate::cli::reports::hook::HookJson;
use crate::cli::reports::many;
use crate::issuance::FileRules;
use crate::report::describe::scope::{ImpersonationScope, ScopeJson};
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath, Hex, Time};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::delivery::Paths;
use crate::store::index::{CertificateStatus, Entry, EntryId, Origin, Revocation, StoredExport};
use crate::store::locate::{count_as_delivered_if_there, locate};
use crate::store::previous_certificates::NameHistory;
use crate::text::{self, humanize, rfc3339};
use crate::x509::certificate::Certificate;
use crate::x509::{ExtendedKeyUsage, KeyKind};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Which certificates: a name (its current certificate is shown), a serial number or its first digits, a pattern such as
    /// 'web-*', a file, or the HOST:PORT of a server; see ca help names
    #[arg(value_name = "NAME|SERIAL|FILE", required = true)]
    certificates: Vec<String>,
}

/// One entry, with everything that is known of it.
struct Shown {
    entry: Entry,
    certificate: Certificate,
    /// Of an authority: what its key could be used for.
    scope: Option<ImpersonationScope>,
    /// Of an authority: the remembered CRL bundles.
    bundles: Vec<PathBuf>,
    /// Where its files are now.
    paths: Option<Paths>,
    revocations: Vec<Revocation>,
    /// The owner, group and mode that are remembered with the name.
    file_rules: FileRules,
    exports: Vec<StoredExport>,
    hook: Option<Hook>,
    /// Every certificate of the same name, the latest last.
    history: Vec<Entry>,
    /// The one of them whose files are in place.
    in_place: Option<EntryId>,
    now: OffsetDateTime,
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let resolved = resolve_all(&arguments.certificates, Patterns::Every, context)?;
    let each = resolved.into_iter().map(|resolved| (resolved.given.clone(), resolved)).collect();
    many::for_each("ca.show-many/1", each, |resolved| show(&resolved, context))
}

fn show(resolved: &Resolved, context: &Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let now = context.now();
    let store = context.store()?;
    let index = store.index()?;
    let found = &resolved.entry;
    let name_history = NameHistory::of(index, &found.name)?;
    let in_place = name_history.in_place(store.home(), &found.name.parse()?).map(|entry| entry.id);
    // Of a name, what is in place is shown; of a serial number, that certificate.
    let of_name = name_history.certificates.iter().find(|entry| Some(entry.id) == in_place && !resolved.is_this_one);
    let mut entry = of_name.unwrap_or(found).clone();
    count_as_delivered_if_there(store.home(), index, &mut entry)?;
    let certificate = index.certificate(&entry)?;
    let above = store.ca_certificates().ca_certificate(&entry.name).ok();
    let above = above.filter(|facts| *facts.certificate() == certificate).map(|facts| facts.above().to_vec());
    let scope = certificate.is_ca().then(|| ImpersonationScope::of(&certificate, &above.unwrap_or_default(), now));
    let bundles = if certificate.is_ca() { bundle::remembered(&store)? } else { Vec::new() };
    Ok(Box::new(Shown {
        scope,
        bundles: bundles.into_iter().map(|bundle| bundle.path).collect(),
        paths: locate(store.home(), &entry, &certificate),
        certificate,
        revocations: index.revocations(entry.id)?,
        file_rules: index.file_rules(&entry.name)?.unwrap_or_default(),
        exports: index.exports(&entry.name)?,
        hook: hook::of(index, &entry.name)?,
        history: name_history.certificates,
        in_place,
        entry,
        now,
    }))
}

impl Shown {
    fn status(&self) -> (Tone, String) {
        let end = self.entry.validity.not_after;
        match self.entry.status(self.now) {
            CertificateStatus::Valid => (Tone::Good, format!("valid, {} left", humanize(end - self.now))),
            CertificateStatus::Expired => (Tone::Bad, format!("expired {} ago", humanize(self.now - end))),
            CertificateStatus::NotYetValid => {
                let begin = self.entry.validity.not_before;
                (Tone::Warning, format!("not-yet-valid, valid in {}", humanize(begin - self.now)))
            }
            CertificateStatus::NotDelivered => {
                (Tone::Warning, "not-delivered: the run that issued it did not finish".to_owned())
            }
            status @ (CertificateStatus::Revoked | CertificateStatus::Held) => {
                let since = self.entry.revocation.as_ref().map(|revocation| rfc3339(revocation.at)).unwrap_or_default();
                let reason = self.entry.revocation.as_ref().map_or("", |revocation| revocation.reason.name());
                (Tone::Bad, format!("{status} since {since} ({reason})"))
            }
        }
    }

    fn no_files(&self, page: &Page) -> String {
        match (self.entry.delivered_at, &self.entry.place) {
            _ if self.entry.origin == Origin::Imported => "none here: another tool issued it".to_owned(),
            (Some(at), Some(place)) => format!("written to {} at {}, and not there now", page.path(place), rfc3339(at)),
            (Some(at), None) => format!("written at {}, and not there now", rfc3339(at)),
            (None, _) => "never written".to_owned(),
        }
    }

    fn usages(&self) -> String {
        let of_key = self.certificate.key_usage.iter().flat_map(|usage| usage.names()).map(str::to_owned);
        let extended = self.certificate.extended_key_usage.iter().flatten().map(ExtendedKeyUsage::to_string);
        of_key.chain(extended).collect::<Vec<_>>().join(", ")
    }
}

impl Report for Shown {
    fn text(&self, page: &mut Page) {
        let Self { entry, certificate, .. } = self;
        let (tone, status) = self.status();
        page.toned_field("name", Tone::Strong, &entry.name);
        page.toned_field("status", tone, &status);
        if let Some(scope) = &self.scope {
            page.field("scope", &scope.sentence());
        }
        page.field("serial", &entry.serial.to_string());
        page.field("template", &entry.template);
        page.field("issuer", &format!("{} ({})", entry.issuer, entry.authority));
        page.field("subject", &entry.subject);
        if !entry.sans.is_empty() {
            let sans: Vec<&str> = entry.sans.iter().map(|(_, value)| value.as_str()).collect();
            page.rows("names", &sans);
        }
        page.field("not before", &rfc3339(entry.validity.not_before));
        page.field("expires", &rfc3339(entry.validity.not_after));
        page.field("usages", &self.usages());
        page.field("key", &certificate.public_key.kind().to_string());
        page.digest("  sha-256", &entry.key_fingerprint);
        page.digest("sha-256", &entry.fingerprint);
        page.field("recorded", &format!("{} ({})", rfc3339(entry.issued_at), entry.origin.name()));
        match &self.paths {
            Some(paths) => file_fields(page, paths),
            None => page.field("files", &self.no_files(page)),
        }
        access_field(&self.file_rules, page);
        export_fields(&self.exports, self.in_place, page);
        if let Some(hook) = &self.hook {
            page.field("hook", &text::escape(&hook.command));
        }
        for path in &self.bundles {
            page.field("CRL bundle", &page.path(path));
        }
        for revocation in &self.revocations {
            let what = format!("{} {}", rfc3339(revocation.at), revocation.reason.name());
            let suspected = revocation.invalid_since.map(|at| format!(", suspected since {}", rfc3339(at)));
            let released = revocation.released_at.map(|at| format!(", released {}", rfc3339(at)));
            page.field("revocation", &[what, suspected.unwrap_or_default(), released.unwrap_or_default()].concat());
        }
        if self.history.len() > 1 {
            page.gap();
            page.line(&format!("{} certificates of this name, the latest last:", self.history.len()));
            let rows: Vec<Vec<String>> = self.history.iter().map(|entry| self.generation(entry)).collect();
            page.table(&["", "SERIAL", "ISSUED", "EXPIRES", "STATUS"], &rows);
            if self.in_place != Some(entry.id) {
                let in_place = self.history.iter().find(|other| Some(other.id) == self.in_place);
                let in_place = in_place.map_or_else(|| "none".to_owned(), |other| other.serial.to_string());
                page.line(&format!("* is shown; deployed: {in_place}"));
            }
        }
    }

    fn json(&self) -> Value {
        let Self { entry, certificate, now, .. } = self;
        let is_deployed = self.in_place == Some(entry.id);
        let extended = certificate.extended_key_usage.as_ref();
        let content = ShowJson {
            entry: EntryJson::new(entry, *now),
            key_algorithm: json::Shown(certificate.public_key.kind()),
            key_fingerprint_sha256: Hex(&entry.key_fingerprint),
            key_usage: certificate.key_usage.map(|usage| usage.names()),
            extended_key_usage: extended.map(|usages| usages.iter().map(json::Shown).collect()),
            is_ca: certificate.is_ca(),
            issued_at: Time(entry.issued_at),
            origin: entry.origin.name(),
            delivered_at: entry.delivered_at.map(Time),
            files: self.paths.as_ref().map(FilesJson::new),
            access: AccessJson::new(&self.file_rules, None),
            exports: RememberedExportJson::all(&self.exports, self.in_place),
            hook: self.hook.as_ref().map(HookJson::new),
            revocations: self.revocations.iter().map(RevocationJson::new).collect(),
            scope: self.scope.as_ref().map(ImpersonationScope::json),
            crl_bundles: self.bundles.iter().map(FilePath).collect(),
            in_place: is_deployed,
            deployed: is_deployed,
            history: self.history.iter().map(|entry| EntryJson::new(entry, *now)).collect(),
        };
        json::document("ca.show/1", &content)
    }
}

/// `ca.show/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Show")]
pub struct ShowJson<'a> {
    #[serde(flatten)]
    entry: EntryJson<'a>,
    key_algorithm: json::Shown<&'a KeyKind>,
    key_fingerprint_sha256: Hex<&'a [u8]>,
    key_usage: Option<Vec<&'static str>>,
    extended_key_usage: Option<Vec<json::Shown<&'a ExtendedKeyUsage>>>,
    is_ca: bool,
    issued_at: Time,
    /// `adopted`: the CA of another tool and its chain.
    #[schemars(extend("enum" = ["issued", "adopted", "imported"]))]
    origin: &'static str,
    /// When its files were written; `null` when they never were.
    delivered_at: Option<Time>,
    /// Where its files are.
    files: Option<FilesJson<'a>>,
    /// The owner, group and mode that are remembered with the name, or `null`.
    access: Option<AccessJson<'a>>,
    /// The files that renewals and rollbacks of the name write again.
    exports: Vec<RememberedExportJson<'a>>,
    /// What runs after the files of the name changed, or `null`.
    hook: Option<HookJson<'a>>,
    revocations: Vec<RevocationJson>,
    /// Of an authority: what could be done with its key.
    #[serde(rename = "reach")]
    scope: Option<ScopeJson<'a>>,
    /// Of an authority: the remembered files that have its CRL among others.
    crl_bundles: Vec<FilePath<&'a PathBuf>>,
    /// As `deployed`.
    #[schemars(extend("deprecated" = true))]
    in_place: bool,
    /// Its files are in place.
    deployed: bool,
    /// Every certificate of the name, this one among them, the latest last.
    history: Vec<EntryJson<'a>>,
}

/// A revocation.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Revocation")]
struct RevocationJson {
    at: Time,
    reason: &'static str,
    /// Since when the private key is suspected.
    invalid_since: Option<Time>,
    /// When the certificate was released from its hold.
    released_at: Option<Time>,
}

impl RevocationJson {
    fn new(revocation: &Revocation) -> Self {
        Self {
            at: Time(revocation.at),
            reason: revocation.reason.name(),
            invalid_since: revocation.invalid_since.map(Time),
            released_at: revocation.released_at.map(Time),
        }
    }
}

impl Shown {
    fn generation(&self, entry: &Entry) -> Vec<String> {
        let end = entry.validity.not_after;
        vec![
            if entry.id == self.entry.id { "*".to_owned() } else { String::new() },
            entry.serial.to_string(),
            entry.issued_at.date().to_string(),
            format!("{} {}", end.date(), how_far(end - self.now)),
            entry.status(self.now).to_string(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::output;
    use crate::report::relative::RelativePaths;
    use crate::report::style::Style;
    use crate::store::index::sample::{NOW, Sample, add, context, new_index};
    use crate::x509::crl::RevocationReason;
    use serde_json::json;
    use time::Duration;

    fn shown(reference: &str) -> Shown {
        let (_folder, _, mut index) = new_index();
        let over = NOW - Duration::DAY;
        let old = Sample { not_before: over - Duration::DAY, not_after: over, ..Sample::default() };
        add(&mut index, &old, "web.corp.test");
        let sans = ["web.corp.test", "10.0.0.1"];
        let id = add(&mut index, &Sample { serial: 2, sans: &sans, ..Sample::default() }, "web.corp.test");
        let mut transaction = index.transaction(context()).unwrap();
        let reason = RevocationReason::KeyCompromise;
        transaction.revoke(id, &Revocation { at: NOW, reason, invalid_since: Some(over), released_at: None }).unwrap();
        transaction.commit().unwrap();
        index.unmark_delivered(id).unwrap();
        let entry = index.find(&reference.parse().unwrap()).unwrap();
        Shown {
            certificate: index.certificate(&entry).unwrap(),
            scope: None,
            bundles: Vec::new(),
            paths: None,
            revocations: index.revocations(entry.id).unwrap(),
            file_rules: FileRules::default(),
            exports: Vec::new(),
            hook: None,
            history: index.history(&entry.name).unwrap(),
            in_place: Some(entry.id),
            entry,
            now: NOW,
        }
    }

    #[test]
    fn a_certificate_is_shown_with_its_history() {
        let text = output::text(&shown("web.corp.test"), Style::PLAIN, RelativePaths::NONE);
        println!("{text}");
        for line in [
            "status            revoked since 2026-06-01T12:00:00Z (key-compromise)",
            "issuer            CN=Root (root)",
            "names             web.corp.test",
            "                  10.0.0.1",
            "files             never written",
            "2 certificates of this name, the latest last:",
            "   0100000001  2026-06-01  2026-05-31 1d ago  expired",
            "*  0100000002  2026-06-01  2026-08-30 in 90d  revoked",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }

    #[test]
    fn a_program_gets_what_list_gives_and_more() {
        let json = shown("serial:0100000001").json();
        assert_eq!(json["schema"], "ca.show/1");
        assert_eq!((&json["serial"], &json["status"]), (&json!("0100000001"), &json!("expired")));
        assert_eq!(json["history"][1]["reason"], "key-compromise");
        assert_eq!(json["history"].as_array().map(Vec::len), Some(2));
    }
}
