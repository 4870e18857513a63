//! `ca renew --due`: everything that is due, one after the other. A failure is reported at the end and does not stop the rest.

use crate::app::after_issue::After;
use crate::app::directory::usual_issuer;
use crate::app::run_hook::HookRun;
use crate::cli::next_certificate::NextCertificateOptions;
use crate::cli::options::passphrase::key_file_prompt;
use crate::cli::reports::due::due_json;
use crate::cli::reports::due::kind;
use crate::cli::reports::hook::hook_failure;
use crate::cli::reports::hook::hook_fields;
use crate::cli::reports::hook::hook_run_json;
use std::collections::BTreeMap;

use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::app::context::Context;
use crate::authority::leaf::due;
use crate::authority::leaf::due::{DueEntry, DueItem};
use crate::authority::leaf::order::{CertificateFacts, DueRule as When, IssueStatus};
use crate::authority::leaf::renew;
use crate::authority::leaf::renew::{NextKey, RenewOrder};
use crate::authority::revocation::publish_crl;
use crate::authority::revocation::publish_crl::CrlOrder;
use crate::report::failure::Failure;
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::Store;
use crate::store::index::Reference;
use crate::store::passphrase_prompt::{EncryptedKey, PassphraseCache};
use crate::text::rfc3339;

/// What came of everything.
struct Renewed {
    entries: Vec<Entry>,
    usual_issuer: String,
    when: When,
    now: OffsetDateTime,
}

struct Entry {
    due: DueEntry,
    outcome: Result<Done, Failure>,
    hook: Option<HookRun>,
}

/// What was done about one entry.
enum Done {
    Renewed {
        serial: String,
        until: OffsetDateTime,
    },
    Signed {
        number: u64,
        until: OffsetDateTime,
    },
    /// Another process did it first.
    Unchanged,
    /// An authority, which is renewed by hand; or a certificate whose key is not here, which needs a new request.
    Left,
}

pub fn run(when: When, next: &NextCertificateOptions, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let store = context.store()?;
    let mut given = PassphraseCache::default();
    let mut entries = Vec::new();
    for due in due::due(&store, when, &context.effects())? {
        let (outcome, hook) = match &due.what {
            DueItem::Certificate { entry, has_key: true, .. } => {
                let reference = Reference::Serial(entry.serial.clone());
                match renew_one(&store, reference, when, next, &mut given, context) {
                    Ok((done, hook)) => (Ok(done), hook),
                    Err(failure) => (Err(failure), None),
                }
            }
            DueItem::List { .. } => (sign_crl(&store, &due.name, when, next, &mut given, context), None),
            DueItem::Authority { .. } | DueItem::Certificate { .. } => (Ok(Done::Left), None),
        };
        entries.push(Entry { due, outcome, hook });
    }
    Ok(Box::new(Renewed { entries, usual_issuer: usual_issuer(&store)?, when, now: context.now() }))
}

fn renew_one(
    store: &Store,
    reference: Reference,
    when: When,
    next: &NextCertificateOptions,
    given: &mut PassphraseCache,
    context: &mut Context<'_>,
) -> Result<(Done, Option<HookRun>), Failure> {
    let renewal = RenewOrder {
        reference,
        key: NextKey::Same,
        expiry: None,
        clip: next.clip,
        set: BTreeMap::new(),
        encrypted: false,
        only_if: Some(when),
    };
    let outcome = {
        let context = &*context;
        let mut open = next.passphrase.prompt(store, context);
        let mut ask = |key: &EncryptedKey| given.get(key, &mut open);
        let mut key_prompt = key_file_prompt(next.key_passphrase_file.as_deref(), context);
        renew::renew(store, &renewal, &mut ask, &mut key_prompt, &context.effects())?
    };
    for warning in &outcome.warnings {
        context.warn(&format!("{}: {} ({})", outcome.name, warning.message, warning.citation));
    }
    let secret = next.passphrase.passphrase_env.as_deref();
    let hook = After { action: "renew", hook: next.hook.options(), secret }.run(store, &outcome, context)?;
    Ok(match (&outcome.status, &outcome.facts) {
        (IssueStatus::Issued, CertificateFacts::Certificate(certificate)) => {
            let (serial, until) = (certificate.serial.to_string(), certificate.validity.not_after);
            (Done::Renewed { serial, until }, hook)
        }
        _ => (Done::Unchanged, None),
    })
}

fn sign_crl(
    store: &Store,
    authority: &str,
    when: When,
    next: &NextCertificateOptions,
    given: &mut PassphraseCache,
    context: &Context<'_>,
) -> Result<Done, Failure> {
    // Two runs at once sign one CRL; `--within` may ask for a CRL that is not in its last third.
    let ensure = when == When::LastThird;
    let order = CrlOrder { authority: Some(authority.to_owned()), ensure, ..CrlOrder::default() };
    let mut open = next.passphrase.prompt(store, context);
    let mut ask = |key: &EncryptedKey| given.get(key, &mut open);
    let outcome = publish_crl::publish(store, &order, &mut ask, &context.effects())?;
    Ok(match outcome.status {
        publish_crl::CrlStatus::Signed(_) => Done::Signed { number: outcome.number, until: outcome.next_update },
        publish_crl::CrlStatus::Unchanged => Done::Unchanged,
    })
}

impl Entry {
    fn failed(&self) -> bool {
        self.outcome.is_err() || self.hook.as_ref().is_some_and(HookRun::failed)
    }

    fn status(&self) -> &'static str {
        match &self.outcome {
            Ok(Done::Renewed { .. }) => "renewed",
            Ok(Done::Signed { .. }) => "signed",
            Ok(Done::Unchanged) => "unchanged",
            Ok(Done::Left) => "left",
            Err(_) => "failed",
        }
    }
}

impl Report for Renewed {
    fn text(&self, page: &mut Page) {
        if self.entries.is_empty() {
            page.line("nothing is due");
        }
        for entry in &self.entries {
            let (tone, mark, done) = match &entry.outcome {
                Ok(Done::Renewed { serial, until }) => {
                    (Tone::Good, "✓ ", format!("renewed until {}, serial {serial}", rfc3339(*until)))
                }
                Ok(Done::Signed { number, until }) => {
                    (Tone::Good, "✓ ", format!("signed number {number}, good until {}", rfc3339(*until)))
                }
                Ok(Done::Unchanged) => (Tone::Plain, "= ", "done by another process".to_owned()),
                Ok(Done::Left) => {
                    let command = entry.due.command(&self.usual_issuer, self.when);
                    let end = rfc3339(entry.due.validity.not_after);
                    (Tone::Warning, "! ", format!("left: it ends at {end}; when you decide to: {command}"))
                }
                Err(failure) => (Tone::Bad, "✗ ", failure.message.clone()),
            };
            let what = format!("{} ", kind(&entry.due));
            let name = entry.due.name.as_str();
            page.pieces(&[
                (tone, mark),
                (Tone::Plain, &what),
                (Tone::Strong, name),
                (Tone::Plain, &format!(": {done}")),
            ]);
            match (&entry.hook, &entry.due.what, &entry.outcome) {
                (Some(hook), _, _) => hook_fields(hook, page),
                (None, DueItem::Certificate { folder, hook, .. }, Ok(Done::Renewed { .. })) => {
                    let why = if hook.is_some() { "its hook was left out" } else { "no hook does it" };
                    page.field("to reload", &format!("whatever reads {}; {why}", folder.display()));
                }
                _ => {}
            }
        }
    }

    fn json(&self) -> Value {
        let entry = |entry: &Entry| {
            let mut document = due_json(&entry.due, &entry.due.command(&self.usual_issuer, self.when), self.now);
            let (serial, number, until) = match &entry.outcome {
                Ok(Done::Renewed { serial, until }) => (Some(serial), None, Some(*until)),
                Ok(Done::Signed { number, until }) => (None, Some(number), Some(*until)),
                _ => (None, None, None),
            };
            document["status"] = json!(entry.status());
            document["new"] = json!({ "serial": serial, "number": number, "ends_at": until.map(rfc3339) });
            document["error"] =
                entry.outcome.as_ref().err().map_or(Value::Null, |failure| failure.json()["error"].clone());
            document["hook"] = entry.hook.as_ref().map_or(Value::Null, hook_run_json);
            document
        };
        json!({
            "schema": "ca.renew-due/1",
            "entries": self.entries.iter().map(entry).collect::<Vec<_>>(),
            "failed": self.entries.iter().filter(|entry| entry.failed()).count(),
        })
    }

    fn failure(&self) -> Option<Failure> {
        let failed: Vec<&Entry> = self.entries.iter().filter(|entry| entry.failed()).collect();
        if failed.is_empty() {
            return None;
        }
        let names: Vec<String> =
            failed.iter().map(|entry| format!("{} {}", kind(&entry.due), entry.due.name)).collect();
        let sentence = format!("{} of {} failed: {}", failed.len(), self.entries.len(), names.join(", "));
        let hints = failed.iter().flat_map(|entry| match &entry.outcome {
            Err(failure) => failure.hints.iter().map(|hint| format!("{}: {hint}", entry.due.name)).collect(),
            Ok(_) => entry.hook.as_ref().and_then(hook_failure).map_or_else(Vec::new, |failure| vec![failure.message]),
        });
        Some(hints.fold(Failure::refused("not-all-renewed", sentence), Failure::hint))
    }

    fn only_confirms(&self) -> bool {
        // What is left to a person has to be read by one.
        self.entries.iter().all(|entry| !matches!(entry.outcome, Ok(Done::Left)))
    }
}
