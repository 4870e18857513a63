//! The report of every command that issues a certificate.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::access::{AccessJson, access_field};
use super::clients::{ClientJson, RefusedBy, WHAT_CAS_ISSUE};
use super::entry::{FilesJson, file_fields};
use super::exports::{ExportRunJson, after_failure, export_run_fields};
use super::hook::{HookRunJson, hook_fields};
use crate::app::after_issue::{After, AfterChange};
use crate::app::context::Context;
use crate::authority::leaf::order::{CertificateFacts, IssueOutcome, IssueStatus};
use crate::lint::Finding;
use crate::report::describe::comparison::{ComparisonJson, comparison_fields};
use crate::report::failure::Failure;
use crate::report::json::{self, Hex, NameJson, Serial, Shown, Time, WarningJson};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::Store;
use crate::text::{humanize, rfc3339, shell_word};
use crate::x509::certificate::oid;
use crate::x509::{DistinguishedName, ExtendedKeyUsage, GeneralName, KeyKind, SerialNumber, Validity};

/// What came of it.
struct IssueReport {
    schema: &'static str,
    outcome: IssueOutcome,
    after: AfterChange,
    refused_by: RefusedBy,
    now: OffsetDateTime,
}

/// Runs the hook, and makes the report of both.
///
/// # Errors
/// When the index cannot be read or written.
pub fn finish(
    after: &After<'_>,
    store: &Store,
    outcome: IssueOutcome,
    schema: &'static str,
    context: &mut Context<'_>,
) -> Result<Box<dyn Report>, Failure> {
    let after = after.run(store, &outcome, context)?;
    Ok(Box::new(IssueReport { after, ..IssueReport::new(outcome, store, schema, context) }))
}

/// The fields that a certificate and a draft share.
struct Facts<'a> {
    serial: Option<&'a SerialNumber>,
    issuer: &'a DistinguishedName,
    subject: &'a DistinguishedName,
    names: &'a [GeneralName],
    validity: Validity,
    key: &'a KeyKind,
    fingerprint: Option<[u8; 32]>,
}

/// `ca.issue/1`, and the same of renew, rekey and sign.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Issue")]
pub struct IssueJson<'a> {
    name: &'a str,
    template: &'a str,
    /// `null` with `--dry-run`.
    serial: Option<Serial<'a>>,
    /// The name of its issuer.
    issuer: Shown<&'a DistinguishedName>,
    /// The authority of this CA that issued it.
    authority: &'a str,
    subject: Shown<&'a DistinguishedName>,
    sans: Vec<NameJson<'a>>,
    not_before: Time,
    not_after: Time,
    /// As `key_algorithm`.
    #[schemars(extend("deprecated" = true))]
    key: Shown<&'a KeyKind>,
    key_algorithm: Shown<&'a KeyKind>,
    /// `null` with `--dry-run`.
    fingerprint_sha256: Option<Hex<[u8; 32]>>,
    /// As `outcome`.
    #[schemars(extend("deprecated" = true))]
    status: &'static str,
    /// `unchanged`: with `--if-due`; `planned`: with `--dry-run`.
    #[schemars(extend("enum" = ["issued", "unchanged", "planned"]))]
    outcome: &'static str,
    files: Option<FilesJson<'a>>,
    /// What `--owner`, `--group` and `--mode` of the name are; left out when nothing is remembered.
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<AccessJson<'a>>,
    /// As `replaced_serial`.
    #[schemars(extend("deprecated" = true))]
    replaced: Option<Serial<'a>>,
    /// The serial number of the certificate whose place it took.
    replaced_serial: Option<Serial<'a>>,
    /// The exports that are remembered with the name, and were written again; left out when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exports: Vec<ExportRunJson<'a>>,
    /// What ran after the change.
    hook: Option<HookRunJson<'a>>,
    /// As the messages of `warning_details`.
    #[schemars(extend("deprecated" = true))]
    warnings: Vec<&'a str>,
    warning_details: Vec<WarningJson<'a>>,
    /// The object identifiers of the extensions of the previous certificate that the template no longer adds.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    left_out: &'a [String],
    /// The clients that refuse it.
    refused_by: Vec<ClientJson<'a>>,
    /// Of a request.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    comparison: Option<ComparisonJson<'a>>,
}

/// A rule of form that a new certificate does not keep.
pub fn warning_json(finding: &Finding) -> WarningJson<'_> {
    WarningJson { code: finding.rule, message: &finding.message, severity: finding.severity.name() }
}

impl IssueReport {
    /// The report of an act that issued, and its warnings on the way.
    fn new(outcome: IssueOutcome, store: &Store, schema: &'static str, context: &mut Context<'_>) -> Self {
        for warning in &outcome.warnings {
            context.warn(&format!("{} ({})", warning.message, warning.citation));
        }
        for oid in &outcome.left_out {
            let name = oid::with_name(oid);
            let sentence =
                format!("Left out: the extension {name} of the previous certificate; the template no longer adds it.");
            context.note(&sentence);
        }
        if outcome.clipped {
            context.note("Shortened to expire with its issuer.");
        }
        let refused_by = RefusedBy::of(&outcome.client_facts, &store.config().verify);
        refused_by.note(if outcome.is_of_authority() { WHAT_CAS_ISSUE } else { "this certificate" }, context);
        Self { schema, outcome, after: AfterChange::default(), refused_by, now: context.now() }
    }

    /// Returns the words for what was done, and for what would be done.
    fn verbs(&self) -> (&'static str, &'static str) {
        match self.schema {
            "ca.renew/1" => ("Renewed", "Would renew"),
            "ca.rekey/1" => ("Rekeyed", "Would rekey"),
            _ if self.outcome.comparison.is_some() => ("Signed", "Would sign"),
            _ => ("Issued", "Would issue"),
        }
    }

    /// Returns what to do with the new files.
    fn next(&self) -> String {
        let (is_ca, is_for_server) = match &self.outcome.facts {
            CertificateFacts::Certificate(certificate) => {
                let purposes = certificate.extended_key_usage.as_deref().unwrap_or_default();
                (certificate.is_ca(), purposes.contains(&ExtendedKeyUsage::ServerAuth))
            }
            CertificateFacts::Draft(_) => (false, false),
        };
        let has_key = self.outcome.paths.as_ref().is_some_and(|paths| paths.key.is_some());
        let next = match (is_ca, is_for_server, has_key) {
            (true, ..) => return format!("ca issue server NAME --issuer {}", shell_word(self.outcome.name.as_str())),
            (_, true, true) => "configure the server with the full chain and the private key, and reload it",
            (_, true, false) => "configure the server with the full chain and its own private key, and reload it",
            (_, false, true) => "give the full chain and the private key to the client",
            (_, false, false) => "give the full chain to the owner of the request",
        };
        next.to_owned()
    }

    fn facts(&self) -> Facts<'_> {
        match &self.outcome.facts {
            CertificateFacts::Certificate(certificate) => Facts {
                serial: Some(&certificate.serial),
                issuer: &certificate.issuer,
                subject: &certificate.subject,
                names: certificate.names(),
                validity: certificate.validity,
                key: certificate.public_key.kind(),
                fingerprint: Some(certificate.fingerprint()),
            },
            // The next run draws another serial number, and there is nothing yet to take a fingerprint of.
            CertificateFacts::Draft(draft) => Facts {
                serial: None,
                issuer: &draft.issuer,
                subject: &draft.subject,
                names: &draft.names,
                validity: draft.validity,
                key: draft.public_key.kind(),
                fingerprint: None,
            },
        }
    }
}

impl Report for IssueReport {
    fn text(&self, page: &mut Page) {
        let facts = self.facts();
        let name = self.outcome.name.as_str();
        let (done, planned) = self.verbs();
        let (mark, done) = match self.outcome.status {
            IssueStatus::Issued => ("✓ ", done),
            IssueStatus::Unchanged => ("= ", "Unchanged, not due:"),
            IssueStatus::Planned => ("+ ", planned),
        };
        page.pieces(&[
            (Tone::Good, mark),
            (Tone::Plain, done),
            (Tone::Plain, " "),
            (Tone::Strong, name),
            (Tone::Dim, &format!("  {}", self.outcome.template)),
        ]);
        page.field("subject", &facts.subject.to_string());
        // The kind of a host name, an address, a mailbox or a URI is seen; a principal looks like a mailbox.
        let shown = |name: &GeneralName| if name.principal().is_some() { name.to_string() } else { name.value() };
        let names: Vec<_> = facts.names.iter().map(shown).collect();
        if !names.is_empty() {
            page.rows("names", &names);
        }
        page.field("issuer", &format!("{} ({})", facts.issuer, self.outcome.authority));
        let left = humanize(facts.validity.not_after - self.now);
        page.field("valid from", &rfc3339(facts.validity.not_before));
        page.field("expires", &format!("{} (in {left})", rfc3339(facts.validity.not_after)));
        page.field("key", &facts.key.to_string());
        if let Some(serial) = facts.serial {
            page.field("serial", &serial.to_string());
        }
        if let Some(paths) = &self.outcome.paths {
            file_fields(page, paths);
        }
        access_field(&self.outcome.file_rules, page);
        if let Some(replaced) = &self.outcome.replaced {
            page.field("replaced", &format!("{replaced}, which stays valid until it expires"));
        }
        if let Some(comparison) = &self.outcome.comparison {
            comparison_fields(page, comparison);
        }
        export_run_fields(&self.after.exports, page);
        match &self.after.hook {
            Some(hook) => hook_fields(hook, page),
            None if self.outcome.status == IssueStatus::Issued => page.field("next", &self.next()),
            None => {}
        }
    }

    fn failure(&self) -> Option<Failure> {
        after_failure(self.outcome.name.as_str(), &self.after.exports, self.after.hook.as_ref())
    }

    fn json(&self) -> Value {
        let facts = self.facts();
        let outcome = &self.outcome;
        let done = match outcome.status {
            IssueStatus::Issued => "issued",
            IssueStatus::Unchanged => "unchanged",
            IssueStatus::Planned => "planned",
        };
        let content = IssueJson {
            name: outcome.name.as_str(),
            template: &outcome.template,
            serial: facts.serial.map(Serial),
            issuer: Shown(facts.issuer),
            authority: &outcome.authority,
            subject: Shown(facts.subject),
            sans: NameJson::all(facts.names),
            not_before: Time(facts.validity.not_before),
            not_after: Time(facts.validity.not_after),
            key: Shown(facts.key),
            key_algorithm: Shown(facts.key),
            fingerprint_sha256: facts.fingerprint.map(Hex),
            status: done,
            outcome: done,
            files: outcome.paths.as_ref().map(FilesJson::new),
            access: AccessJson::new(&outcome.file_rules, outcome.closed_way.as_ref()),
            replaced: outcome.replaced.as_ref().map(Serial),
            replaced_serial: outcome.replaced.as_ref().map(Serial),
            exports: ExportRunJson::all(&self.after.exports),
            hook: self.after.hook.as_ref().map(HookRunJson::new),
            warnings: outcome.warnings.iter().map(|warning| warning.message.as_str()).collect(),
            warning_details: outcome.warnings.iter().map(warning_json).collect(),
            left_out: &outcome.left_out,
            refused_by: self.refused_by.json(),
            comparison: outcome.comparison.as_ref().map(ComparisonJson::new),
        };
        json::document(self.schema, &content)
    }

    fn has_changed(&self) -> bool {
        self.outcome.status == IssueStatus::Issued
    }

    fn only_confirms(&self) -> bool {
        self.outcome.status != IssueStatus::Planned
    }
}
