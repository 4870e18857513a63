//! The report of every command that issues a certificate.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::clients::{RefusedBy, WHAT_CAS_ISSUE};
use super::entry::{file_fields, files_json};
use super::hook::{hook_failure, hook_fields, hook_run_json};
use crate::app::after_issue::After;
use crate::app::context::Context;
use crate::app::run_hook::HookRun;
use crate::authority::leaf::order::{CertificateFacts, IssueOutcome, IssueStatus};
use crate::report::describe::comparison::{comparison_fields, comparison_json};
use crate::report::failure::Failure;
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::Store;
use crate::text::{self, humanize, rfc3339};
use crate::x509::{DistinguishedName, GeneralName, SerialNumber, Validity};

/// What came of it.
struct IssueReport {
    schema: &'static str,
    outcome: IssueOutcome,
    hook: Option<HookRun>,
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
    let hook = after.run(store, &outcome, context)?;
    Ok(Box::new(IssueReport { hook, ..IssueReport::new(outcome, store, schema, context) }))
}

/// The fields that a certificate and a draft share.
struct Facts<'a> {
    serial: Option<&'a SerialNumber>,
    issuer: &'a DistinguishedName,
    subject: &'a DistinguishedName,
    names: &'a [GeneralName],
    validity: Validity,
    key: String,
    fingerprint: Option<[u8; 32]>,
}

impl IssueReport {
    /// The report of an act that issued, and its warnings on the way.
    fn new(outcome: IssueOutcome, store: &Store, schema: &'static str, context: &mut Context<'_>) -> Self {
        for warning in &outcome.warnings {
            context.warn(&format!("{} ({})", warning.message, warning.citation));
        }
        if outcome.clipped {
            context.note("Shortened to the end of its issuer.");
        }
        let refused_by = RefusedBy::of(&outcome.client_facts, &store.config().verify);
        refused_by.note(if outcome.is_of_authority() { WHAT_CAS_ISSUE } else { "this certificate" }, context);
        Self { schema, outcome, hook: None, refused_by, now: context.now() }
    }

    fn facts(&self) -> Facts<'_> {
        match &self.outcome.facts {
            CertificateFacts::Certificate(certificate) => Facts {
                serial: Some(&certificate.serial),
                issuer: &certificate.issuer,
                subject: &certificate.subject,
                names: certificate.names(),
                validity: certificate.validity,
                key: certificate.public_key.kind().to_string(),
                fingerprint: Some(certificate.fingerprint()),
            },
            // The next run draws another serial number, and there is nothing yet to take a fingerprint of.
            CertificateFacts::Draft(draft) => Facts {
                serial: None,
                issuer: &draft.issuer,
                subject: &draft.subject,
                names: &draft.names,
                validity: draft.validity,
                key: draft.public_key.kind().to_string(),
                fingerprint: None,
            },
        }
    }
}

impl Report for IssueReport {
    fn text(&self, page: &mut Page) {
        let facts = self.facts();
        let name = self.outcome.name.as_str();
        let (mark, done) = match self.outcome.status {
            IssueStatus::Issued if self.outcome.comparison.is_some() => ("✓ ", "Signed"),
            IssueStatus::Issued => ("✓ ", "Issued"),
            IssueStatus::Unchanged => ("= ", "Unchanged, not due:"),
            IssueStatus::Planned if self.outcome.comparison.is_some() => ("+ ", "Would sign"),
            IssueStatus::Planned => ("+ ", "Would issue"),
        };
        page.pieces(&[
            (Tone::Good, mark),
            (Tone::Plain, done),
            (Tone::Plain, " "),
            (Tone::Strong, name),
            (Tone::Dim, &format!("  {}", self.outcome.template)),
        ]);
        page.field("subject", &facts.subject.to_string());
        let names: Vec<_> = facts.names.iter().map(GeneralName::value).collect();
        if !names.is_empty() {
            page.rows("names", &names);
        }
        page.field("issuer", &format!("{} ({})", facts.issuer, self.outcome.authority));
        let left = humanize(facts.validity.not_after - self.now);
        page.field(
            "valid",
            &format!("{} to {} ({left})", rfc3339(facts.validity.not_before), rfc3339(facts.validity.not_after)),
        );
        page.field("key", &facts.key);
        if let Some(serial) = facts.serial {
            page.field("serial", &serial.to_string());
        }
        if let Some(paths) = &self.outcome.paths {
            file_fields(page, paths);
        }
        if let Some(comparison) = &self.outcome.comparison {
            comparison_fields(page, comparison);
        }
        if let Some(hook) = &self.hook {
            hook_fields(hook, page);
        }
    }

    fn failure(&self) -> Option<Failure> {
        self.hook.as_ref().and_then(hook_failure)
    }

    fn json(&self) -> Value {
        let facts = self.facts();
        let mut document = json!({
            "schema": self.schema,
            "name": self.outcome.name.as_str(),
            "template": self.outcome.template,
            "serial": facts.serial.map(SerialNumber::to_string),
            "issuer": facts.issuer.to_string(),
            "authority": self.outcome.authority,
            "subject": facts.subject.to_string(),
            "sans": facts.names.iter().map(|name| json!({ "type": name.kind(), "value": name.value() })).collect::<Vec<_>>(),
            "not_before": rfc3339(facts.validity.not_before),
            "not_after": rfc3339(facts.validity.not_after),
            "key": facts.key,
            "fingerprint_sha256": facts.fingerprint.map(|fingerprint| text::hex(&fingerprint)),
            "status": match self.outcome.status {
                IssueStatus::Issued => "issued",
                IssueStatus::Unchanged => "unchanged",
                IssueStatus::Planned => "planned",
            },
            "files": self.outcome.paths.as_ref().map(files_json),
            "replaced": self.outcome.replaced.as_ref().map(SerialNumber::to_string),
            "hook": self.hook.as_ref().map(hook_run_json),
            "warnings": self.outcome.warnings.iter().map(|warning| &warning.message).collect::<Vec<_>>(),
            "refused_by": self.refused_by.json(),
        });
        if let (Some(comparison), Some(fields)) = (&self.outcome.comparison, document.as_object_mut()) {
            fields.insert("exact".to_owned(), comparison.is_exact().into());
            fields.extend(comparison_json(comparison));
        }
        document
    }

    fn has_changed(&self) -> bool {
        self.outcome.status == IssueStatus::Issued
    }

    fn only_confirms(&self) -> bool {
        self.outcome.status != IssueStatus::Planned
    }
}
