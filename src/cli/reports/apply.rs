//! The plan and the result of `ca apply`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::difference::{DifferenceJson, phrase};
use super::exports::{ExportRunJson, export_run_fields};
use super::hook::{HookRunJson, hook_failure, hook_fields};
use super::summary::{advice, listed, summary_line};
use crate::app::apply::{Applied, AppliedEntry, Done, ManifestFile, PlannedApply, PrunedName};
use crate::app::remembered_exports::ExportRun;
use crate::authority::apply::plan::{ExtraName, PlannedEntry};
use crate::authority::leaf::state::{Difference, Fix};
use crate::report::failure::{ErrorJson, Failure};
use crate::report::json::{self, FilePath, Hex, Serial, Time};
use crate::report::output::{Answer, Report, json_line};
use crate::report::page::{Page, Tone};
use crate::text::{Diagnostic, PathText, how_far, rfc3339};

/// How the report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    Text,
    /// One JSON document a line, for each certificate.
    Ndjson,
}

/// What would be done: `--plan`.
pub struct PlanReport {
    pub planned: PlannedApply,
    /// Of each certificate, why nothing can be done.
    failures: Vec<Option<Failure>>,
    pub prunes: bool,
    /// The file of `--plan-out`.
    pub written: Option<PathBuf>,
    pub lines: Lines,
    pub now: OffsetDateTime,
}

/// `ca.apply-plan/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ApplyPlan")]
pub struct PlanJson<'a> {
    manifests: Vec<ManifestJson<'a>>,
    /// Names that are no longer declared are removed.
    prune: bool,
    /// The number of certificates and names that would be changed.
    change_count: usize,
    entries: Vec<PlannedJson<'a>>,
    /// The names that one of the manifests declared earlier, and none declares now.
    extra: Vec<ExtraJson<'a>>,
}

/// A manifest.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AppliedManifest")]
struct ManifestJson<'a> {
    path: FilePath<&'a PathBuf>,
    sha256: Hex<&'a [u8]>,
}

/// A declared certificate, and what would be done.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PlannedCertificate")]
pub struct PlannedJson<'a> {
    name: &'a str,
    template: &'a str,
    /// What would be done: `access` changes owner and mode, `export` writes exports, `record` only remembers.
    #[schemars(extend("enum" = ["none", "record", "export", "access", "issue", "fail"]))]
    action: &'static str,
    /// Of the deployed certificate.
    serial: Option<Serial<'a>>,
    not_after: Option<Time>,
    differences: Vec<DifferenceJson>,
    /// Why nothing can be done.
    error: Option<ErrorJson<'a>>,
}

/// A name that is no longer declared.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExtraName")]
struct ExtraJson<'a> {
    name: &'a str,
    /// Its certificates that are neither revoked nor expired.
    serials: Vec<Serial<'a>>,
}

impl<'a> ExtraJson<'a> {
    fn new(extra: &'a ExtraName) -> Self {
        Self { name: &extra.name, serials: extra.live.iter().map(|entry| Serial(&entry.serial)).collect() }
    }
}

impl<'a> PlannedJson<'a> {
    fn new(entry: &'a PlannedEntry, failure: Option<&'a Failure>) -> Self {
        let action = match (&entry.differences, entry.fix()) {
            (Err(_), _) => "fail",
            (_, None) => "none",
            (_, Some(Fix::Record)) => "record",
            (_, Some(Fix::Export)) => "export",
            (_, Some(Fix::Access)) => "access",
            (_, Some(Fix::Issue)) => "issue",
        };
        Self {
            name: entry.declared.name.as_str(),
            template: &entry.declared.template,
            action,
            serial: entry.deployed.as_ref().map(|deployed| Serial(&deployed.serial)),
            not_after: entry.deployed.as_ref().map(|deployed| Time(deployed.validity.not_after)),
            differences: entry.differences.iter().flatten().map(DifferenceJson::new).collect(),
            error: failure.map(Failure::error_json),
        }
    }
}

impl PlanReport {
    pub fn new(planned: PlannedApply, prunes: bool, lines: Lines, now: OffsetDateTime) -> Self {
        let failure = |entry: &PlannedEntry| {
            entry.differences.as_ref().err().map(|error| Failure::new(error.to_string(), error.diagnosis()))
        };
        let failures = planned.plan.entries.iter().map(failure).collect();
        Self { planned, failures, prunes, written: None, lines, now }
    }

    fn entries(&self) -> impl Iterator<Item = (&PlannedEntry, Option<&Failure>)> {
        self.planned.plan.entries.iter().zip(self.failures.iter().map(Option::as_ref))
    }

    /// Returns the document, which is also the file of `--plan-out`.
    pub fn document(&self) -> Value {
        let plan = &self.planned.plan;
        let changed = plan.entries.iter().filter(|entry| is_changed(entry)).count();
        let content = PlanJson {
            manifests: self.planned.manifests.iter().map(manifest).collect(),
            prune: self.prunes,
            change_count: changed + if self.prunes { plan.extra.len() } else { 0 },
            entries: self.entries().map(|(entry, failure)| PlannedJson::new(entry, failure)).collect(),
            extra: plan.extra.iter().map(ExtraJson::new).collect(),
        };
        json::document("ca.apply-plan/1", &content)
    }
}

fn manifest(file: &ManifestFile) -> ManifestJson<'_> {
    ManifestJson { path: FilePath(&file.path), sha256: Hex(&file.digest) }
}

fn is_changed(entry: &PlannedEntry) -> bool {
    entry.differences.as_ref().map_or(true, |differences| !differences.is_empty())
}

fn phrases(differences: &[Difference], now: OffsetDateTime) -> String {
    differences.iter().map(|difference| phrase(difference, now)).collect::<Vec<_>>().join("; ")
}

fn extra_line(extra: &ExtraName, prunes: bool, page: &mut Page) {
    let (tone, mark, what) = if prunes {
        (
            Tone::Bad,
            "- ",
            format!("no longer declared: {} revoked, its files are removed", certificates(extra.live.len())),
        )
    } else {
        (Tone::Warning, "! ", "no longer declared; --prune revokes and removes it".to_owned())
    };
    page.pieces(&[(tone, mark), (Tone::Strong, &extra.name), (Tone::Plain, &format!("  {what}"))]);
}

fn certificates(count: usize) -> String {
    match count {
        0 => "no certificate is".to_owned(),
        1 => "1 certificate is".to_owned(),
        count => format!("{count} certificates are"),
    }
}

fn unchanged_line(count: usize, page: &mut Page) {
    if count > 0 {
        page.pieces(&[(Tone::Good, "= "), (Tone::Plain, &format!("{count} unchanged"))]);
    }
}

impl Report for PlanReport {
    fn text(&self, page: &mut Page) {
        let plan = &self.planned.plan;
        if self.lines == Lines::Ndjson {
            for (entry, failure) in self.entries() {
                let content = EntryJson::planned(entry, failure);
                page.verbatim(&(json_line(&json::document("ca.apply-entry/1", &content)) + "\n"));
            }
            return;
        }
        for entry in &plan.entries {
            let (tone, mark, what) = match &entry.differences {
                Ok(differences) if differences.is_empty() => continue,
                Ok(differences) if differences.contains(&Difference::New) => {
                    (Tone::Good, "+ ", phrases(differences, self.now))
                }
                Ok(differences) => (Tone::Warning, "~ ", phrases(differences, self.now)),
                Err(error) => (Tone::Bad, "✗ ", page.sentence(&error.to_string())),
            };
            let name = entry.declared.name.as_str();
            page.pieces(&[(tone, mark), (Tone::Strong, name), (Tone::Plain, &format!("  {what}"))]);
        }
        plan.extra.iter().for_each(|extra| extra_line(extra, self.prunes, page));
        unchanged_line(plan.entries.iter().filter(|entry| !is_changed(entry)).count(), page);
        if let Some(written) = &self.written {
            page.field("plan", &page.path(written));
        }
    }

    fn json(&self) -> Value {
        self.document()
    }

    fn answer(&self) -> Answer {
        if self.planned.plan.has_changes(self.prunes) { Answer::No } else { Answer::Yes }
    }

    fn failure(&self) -> Option<Failure> {
        let failed: Vec<(String, Failure)> = self
            .entries()
            .filter_map(|(entry, failure)| Some((entry.declared.name.to_string(), failure?.clone())))
            .collect();
        not_all(&failed, self.planned.plan.entries.len())
    }
}

/// What was done.
pub struct ApplyReport {
    pub applied: Applied,
    pub manifests: Vec<ManifestFile>,
    pub lines: Lines,
    pub now: OffsetDateTime,
}

/// `ca.apply/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Apply")]
pub struct ApplyJson<'a> {
    manifests: Vec<ManifestJson<'a>>,
    entries: Vec<EntryJson<'a>>,
    /// The names that were removed, with `--prune`.
    pruned: Vec<PrunedJson<'a>>,
    /// The names that are no longer declared and stay.
    extra: Vec<ExtraJson<'a>>,
    /// The hooks, each once.
    hooks: Vec<HookRunJson<'a>>,
    /// The number of certificates and names for which something failed.
    failed: usize,
}

/// `ca.apply-entry/1`: a declared certificate, and what was done.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AppliedCertificate")]
pub struct EntryJson<'a> {
    name: &'a str,
    template: &'a str,
    #[schemars(extend("enum" = ["unchanged", "issued", "changed", "failed", "planned"]))]
    outcome: &'static str,
    /// Why something was done.
    differences: Vec<DifferenceJson>,
    /// Of the certificate that is deployed now.
    serial: Option<Serial<'a>>,
    not_after: Option<Time>,
    /// The serial number of the certificate that was replaced.
    replaced: Option<Serial<'a>>,
    /// The exports that were written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exports: Vec<ExportRunJson<'a>>,
    error: Option<ErrorJson<'a>>,
}

/// A name that was removed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PrunedName")]
struct PrunedJson<'a> {
    name: &'a str,
    /// The certificates that were revoked.
    serials: Vec<Serial<'a>>,
    /// The authorities whose CRLs have to be signed again.
    authorities: &'a [String],
    /// The exported files, which stay.
    files_left: Vec<FilePath<&'a PathBuf>>,
    error: Option<ErrorJson<'a>>,
}

impl<'a> EntryJson<'a> {
    fn planned(entry: &'a PlannedEntry, failure: Option<&'a Failure>) -> Self {
        let PlannedJson { name, template, serial, not_after, differences, error, .. } =
            PlannedJson::new(entry, failure);
        let outcome = match &entry.differences {
            Err(_) => "failed",
            Ok(differences) if differences.is_empty() => "unchanged",
            Ok(_) => "planned",
        };
        Self { name, template, outcome, differences, serial, not_after, replaced: None, exports: Vec::new(), error }
    }

    fn applied(entry: &'a AppliedEntry) -> Self {
        let planned = Self::planned(&entry.planned, None);
        let (outcome, serial, not_after, replaced) = match &entry.outcome {
            Ok(Done::Unchanged) => ("unchanged", planned.serial, planned.not_after, None),
            Ok(Done::Changed) => ("changed", planned.serial, planned.not_after, None),
            Ok(Done::Issued { serial, not_after, previous, .. }) => {
                ("issued", Some(Serial(serial)), Some(Time(*not_after)), previous.as_ref().map(Serial))
            }
            Err(_) => ("failed", planned.serial, planned.not_after, None),
        };
        Self {
            outcome,
            serial,
            not_after,
            replaced,
            exports: ExportRunJson::all(&entry.exports),
            error: entry.outcome.as_ref().err().map(Failure::error_json),
            ..planned
        }
    }
}

impl<'a> PrunedJson<'a> {
    fn new(pruned: &'a PrunedName) -> Self {
        let done = pruned.outcome.as_ref().ok();
        Self {
            name: &pruned.name,
            serials: done.iter().flat_map(|done| done.revoked.iter().map(Serial)).collect(),
            authorities: done.map_or(&[], |done| &done.authorities),
            files_left: done.iter().flat_map(|done| done.exports.iter().map(FilePath)).collect(),
            error: pruned.outcome.as_ref().err().map(Failure::error_json),
        }
    }
}

impl ApplyReport {
    fn failures(&self) -> Vec<(String, Failure)> {
        let entries = self.applied.entries.iter().filter_map(|entry| {
            let name = entry.planned.declared.name.to_string();
            let failure = match &entry.outcome {
                Err(failure) => Some(failure.clone()),
                Ok(_) => entry.exports.iter().find_map(export_failure),
            };
            failure.map(|failure| (name, failure))
        });
        let pruned = self
            .applied
            .pruned
            .iter()
            .filter_map(|pruned| Some((pruned.name.clone(), pruned.outcome.as_ref().err()?.clone())));
        entries.chain(pruned).collect()
    }
}

impl Report for ApplyReport {
    fn text(&self, page: &mut Page) {
        let applied = &self.applied;
        if self.lines == Lines::Ndjson {
            for entry in &applied.entries {
                page.verbatim(&(json_line(&json::document("ca.apply-entry/1", &EntryJson::applied(entry))) + "\n"));
            }
            return;
        }
        for entry in &applied.entries {
            let differences = entry.planned.differences.as_deref().unwrap_or_default();
            let (tone, mark, what) = match &entry.outcome {
                Ok(Done::Unchanged) => continue,
                Ok(Done::Issued { serial, not_after, .. }) => {
                    let expires = format!("expires {} ({})", rfc3339(*not_after), how_far(*not_after, self.now));
                    (
                        Tone::Good,
                        "✓ ",
                        format!("issued, {expires}, serial {serial} ({})", phrases(differences, self.now)),
                    )
                }
                Ok(Done::Changed) => (Tone::Good, "✓ ", format!("changed ({})", phrases(differences, self.now))),
                Err(failure) => (Tone::Bad, "✗ ", page.sentence(&failure.message)),
            };
            let name = entry.planned.declared.name.as_str();
            page.pieces(&[(tone, mark), (Tone::Strong, name), (Tone::Plain, &format!("  {what}"))]);
            export_run_fields(&entry.exports, page);
        }
        let outcomes = applied.entries.iter().map(|entry| EntryJson::applied(entry).outcome);
        summary_line(outcomes.filter(|outcome| *outcome != "unchanged"), page);
        for pruned in &applied.pruned {
            let (tone, mark, what) = match &pruned.outcome {
                Ok(done) => {
                    let revoked = certificates(done.revoked.len());
                    (Tone::Good, "✓ ", format!("removed: {revoked} revoked"))
                }
                Err(failure) => (Tone::Bad, "✗ ", page.sentence(&failure.message)),
            };
            page.pieces(&[(tone, mark), (Tone::Strong, &pruned.name), (Tone::Plain, &format!("  {what}"))]);
            for export in pruned.outcome.iter().flat_map(|done| &done.exports) {
                page.field("stays", &page.path(export));
            }
        }
        applied.left.iter().for_each(|extra| extra_line(extra, false, page));
        let is_unchanged = |entry: &&AppliedEntry| entry.outcome == Ok(Done::Unchanged);
        unchanged_line(applied.entries.iter().filter(is_unchanged).count(), page);
        applied.hooks.iter().for_each(|hook| hook_fields(hook, page));
        let authorities = applied.pruned.iter().filter_map(|pruned| pruned.outcome.as_ref().ok());
        if authorities.flat_map(|done| &done.authorities).next().is_some() {
            page.field("to publish", "the revocations: ca crl --all");
        }
    }

    fn json(&self) -> Value {
        let applied = &self.applied;
        let content = ApplyJson {
            manifests: self.manifests.iter().map(manifest).collect(),
            entries: applied.entries.iter().map(EntryJson::applied).collect(),
            pruned: applied.pruned.iter().map(PrunedJson::new).collect(),
            extra: applied.left.iter().map(ExtraJson::new).collect(),
            hooks: applied.hooks.iter().map(HookRunJson::new).collect(),
            failed: self.failures().len(),
        };
        json::document("ca.apply/1", &content)
    }

    fn failure(&self) -> Option<Failure> {
        let failure = not_all(&self.failures(), self.applied.entries.len() + self.applied.pruned.len());
        failure.or_else(|| self.applied.hooks.iter().find_map(hook_failure))
    }

    fn has_changed(&self) -> bool {
        self.applied.has_changed()
    }

    fn only_confirms(&self) -> bool {
        self.lines == Lines::Text && self.applied.left.is_empty()
    }
}

/// Returns the failure of an export; `None` when it was written.
fn export_failure(run: &ExportRun) -> Option<Failure> {
    let failure = run.result.as_ref().err()?;
    let message = format!("its export {} was not written: {}", run.destination.escaped(), failure.message);
    Some(Failure { message, ..failure.clone() })
}

/// Returns the failure that names each certificate that failed; `None` when none did.
fn not_all(failed: &[(String, Failure)], of: usize) -> Option<Failure> {
    if failed.is_empty() {
        return None;
    }
    let names: Vec<&str> = failed.iter().map(|(name, _)| name.as_str()).collect();
    let failure = Failure::refused("not-all-applied", format!("{} of {of} failed: {}", failed.len(), listed(&names)));
    let lines = failed.iter().flat_map(|(name, failure)| failure.lines().map(|line| (name.clone(), line.clone())));
    Some(advice(lines, failed.len()).into_iter().fold(failure, Failure::hint))
}
