//! `ca issue`: a key and a certificate.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::authority::leaf::hook::Change;
use crate::authority::leaf::issue;
use crate::authority::leaf::order::{CertificateFacts, Due, Existing, Order, Outcome, Status, SubjectKey};
use crate::cli::hook::{HookArguments, HookReport};
use crate::cli::options::passphrase;
use crate::cli::options::passphrase::PassphraseArguments;
use crate::cli::output::Report;
use crate::cli::{Context, Failure};
use crate::issuance::End;
use crate::report::describe::comparison::{comparison_fields, comparison_json};
use crate::report::page::{Page, Tone};
use crate::store::delivery::{Paths, Place};
use crate::store::entry_name::EntryName;
use crate::store::home::Home;
use crate::text;
use crate::text::Lifetime;
use crate::text::{distance, parse_time, rfc3339};
use crate::x509::{AttributeType, DistinguishedName, GeneralName, KeyAlgorithm, SerialNumber, Validity};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The template: server, client, peer, intermediate, or one of the site's own
    template: String,
    /// The name of the certificate: a host name for a server, who it is for a client
    name: String,
    /// Choose the kind of key [default: the template's first]
    #[arg(long, value_name = "ALG")]
    key: Option<KeyAlgorithm>,
    #[command(flatten)]
    wish: Wish,
    /// Put the four files into this folder instead of issued/NAME/
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Do nothing while there is one with the same names and key that has more than D of its life left [default: a third]
    #[arg(long, value_name = "D", num_args = 0..=1)]
    if_due: Option<Option<Lifetime>>,
    /// Decide everything and sign nothing
    #[arg(long, conflicts_with_all = ["hook", "no_hook"])]
    dry_run: bool,
    /// Replace what is there; the old files are kept as a generation
    #[arg(long)]
    force: bool,
    /// Encrypt the new private key; asks for its passphrase, or takes --key-passphrase-file
    #[arg(long)]
    encrypt_key: bool,
    /// Encrypt the new private key with the first line of a file
    #[arg(long, value_name = "FILE", requires = "encrypt_key")]
    key_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    hook: HookArguments,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

/// What the certificate shall say.
#[derive(Debug, Args)]
pub struct Wish {
    /// Add a subject alternative name: DNS, IP, e-mail or URI, recognised from the value; repeatable
    #[arg(long = "san", value_name = "NAME")]
    pub(super) sans: Vec<GeneralName>,
    /// Choose how long it is valid: 45s 30m 12h 90d 2w 1y
    #[arg(long = "for", value_name = "D", allow_hyphen_values = true)]
    pub(super) lifetime: Option<Lifetime>,
    /// Choose the last second of its validity, as RFC 3339
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with = "lifetime")]
    pub(super) not_after: Option<OffsetDateTime>,
    /// Set an attribute of the subject, as organization=Acme; repeatable
    #[arg(long, value_name = "K=V", value_parser = subject_attribute)]
    pub(super) subject: Vec<(AttributeType, String)>,
    /// Give a value for the placeholders of the template; repeatable
    #[arg(long, value_name = "K=V", value_parser = key_and_value)]
    pub(super) set: Vec<(String, String)>,
    /// Choose the authority that issues
    #[arg(long, value_name = "AUTHORITY")]
    pub(super) issuer: Option<String>,
    /// Shorten a certificate that would outlive its issuer
    #[arg(long)]
    pub(super) clip: bool,
}

impl Wish {
    pub(super) fn end(&self) -> End {
        match (self.lifetime, self.not_after) {
            (Some(lifetime), _) => End::For(lifetime),
            (None, Some(end)) => End::At(end),
            (None, None) => End::Default,
        }
    }
}

/// What to do when the name has a certificate already, as the flags say it.
pub(super) fn existing(if_due: Option<Option<Lifetime>>, force: bool) -> Existing {
    match (if_due, force) {
        (Some(within), _) => Existing::KeepUnlessDue(within.map_or(Due::LastThird, Due::Within)),
        (None, true) => Existing::Replace,
        (None, false) => Existing::Refuse,
    }
}

pub(super) fn key_and_value(given: &str) -> Result<(String, String), String> {
    match given.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected a key and a value, as in team=ops".to_owned()),
    }
}

pub(super) fn subject_attribute(given: &str) -> Result<(AttributeType, String), String> {
    let (label, value) = key_and_value(given)?;
    let known = || AttributeType::all_labels().collect::<Vec<_>>().join(", ");
    let kind = AttributeType::from_label(&label).ok_or_else(|| {
        let near = text::did_you_mean(&label, AttributeType::all_labels());
        format!("'{}' is not an attribute of a subject{near}; known are {}", text::escape(&label), known())
    })?;
    // The form is checked here, where the flag can be named.
    DistinguishedName::build(&[(kind.clone(), value.clone())]).map_err(|error| error.to_string())?;
    Ok((kind, value))
}

/// What came of it.
pub(super) struct IssueReport {
    schema: &'static str,
    outcome: Outcome,
    hook: Option<HookReport>,
    now: OffsetDateTime,
}

/// What is to happen after an act that issued.
pub(super) struct After<'a> {
    pub action: &'static str,
    pub hook: HookArguments,
    /// The variable with the passphrase.
    pub secret: Option<&'a str>,
}

impl After<'_> {
    /// Runs the hook of the name if files changed.
    ///
    /// # Errors
    /// When the index cannot be read or written.
    pub fn run(
        &self,
        home: &Home,
        outcome: &Outcome,
        context: &mut Context<'_>,
    ) -> Result<Option<HookReport>, Failure> {
        let name = outcome.name.as_str();
        match (&outcome.facts, &outcome.paths, outcome.status) {
            (CertificateFacts::Certificate(certificate), Some(paths), Status::Issued) => {
                let change = Change {
                    action: self.action,
                    name,
                    template: &outcome.template,
                    authority: &outcome.authority,
                    serial: &certificate.serial,
                    previous: outcome.replaced.as_ref(),
                    not_after: certificate.validity.not_after,
                    paths,
                };
                let secrets: Vec<&str> = self.secret.into_iter().collect();
                self.hook.run(home, &change, outcome.hook.clone(), &secrets, context)
            }
            (_, _, Status::Planned) => Ok(None),
            _ => self.hook.remember(home, name, context).map(|()| None),
        }
    }

    /// Runs the hook, and makes the report of both.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn shown(
        &self,
        home: &Home,
        outcome: Outcome,
        schema: &'static str,
        context: &mut Context<'_>,
    ) -> Result<Box<dyn Report>, Failure> {
        let hook = self.run(home, &outcome, context)?;
        Ok(Box::new(IssueReport { hook, ..IssueReport::new(outcome, schema, context) }))
    }
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let home = context.home()?;
    let Arguments {
        template,
        name,
        key,
        wish,
        out,
        if_due,
        dry_run,
        force,
        encrypt_key,
        key_passphrase_file,
        hook,
        passphrase,
    } = arguments;
    let name: EntryName = name.parse()?;
    let protection = if encrypt_key && !dry_run {
        let flags = PassphraseArguments { passphrase_file: key_passphrase_file, ..PassphraseArguments::default() };
        let chosen = flags.choose(
            context,
            &format!("Passphrase for the new key of '{name}': "),
            "give --key-passphrase-file FILE",
        )?;
        Some(chosen)
    } else {
        None
    };
    let order = Order {
        template,
        name,
        end: wish.end(),
        names: wish.sans,
        clip: wish.clip,
        key: SubjectKey::Generate(key),
        subject: wish.subject,
        set: wish.set.into_iter().collect::<BTreeMap<_, _>>(),
        issuer: wish.issuer,
        place: out.map(|folder| Place::Folder(context.world.resolve(&folder))),
        existing: existing(if_due, force),
        follows: None,
        dry_run,
        protection,
    };
    let mut ask = |question: &str| passphrase.open(&home, context, question).map_err(passphrase::refusal);
    let outcome = issue::issue(&home, order, &mut ask, &context.tools())?;
    let after = After { action: "issue", hook, secret: passphrase.passphrase_env.as_deref() };
    after.shown(&home, outcome, "ca.issue/1", context)
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
    fn new(outcome: Outcome, schema: &'static str, context: &mut Context<'_>) -> Self {
        for warning in &outcome.warnings {
            context.warn(&format!("{} ({})", warning.message, warning.citation));
        }
        if outcome.clipped {
            context.note("Shortened to the end of its issuer.");
        }
        Self { schema, outcome, hook: None, now: context.now() }
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
            Status::Issued if self.outcome.comparison.is_some() => ("✓ ", "Signed"),
            Status::Issued => ("✓ ", "Issued"),
            Status::Unchanged => ("= ", "Unchanged, not due:"),
            Status::Planned if self.outcome.comparison.is_some() => ("+ ", "Would sign"),
            Status::Planned => ("+ ", "Would issue"),
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
            page.field("names", &names.join("\n"));
        }
        page.field("issuer", &format!("{} ({})", facts.issuer, self.outcome.authority));
        let left = distance(facts.validity.not_after - self.now);
        page.field(
            "valid",
            &format!("{} to {} ({left})", rfc3339(facts.validity.not_before), rfc3339(facts.validity.not_after)),
        );
        page.field("key", &facts.key);
        if let Some(serial) = facts.serial {
            page.field("serial", &serial.to_string());
        }
        if let Some(paths) = &self.outcome.paths {
            for (label, path) in labelled(paths) {
                page.field(label, &path.display().to_string());
            }
        }
        if let Some(comparison) = &self.outcome.comparison {
            comparison_fields(page, comparison);
        }
        if let Some(hook) = &self.hook {
            hook.text(page);
        }
    }

    fn failure(&self) -> Option<Failure> {
        self.hook.as_ref().and_then(HookReport::failure)
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
                Status::Issued => "issued",
                Status::Unchanged => "unchanged",
                Status::Planned => "planned",
            },
            "files": self.outcome.paths.as_ref().map(files_json),
            "replaced": self.outcome.replaced.as_ref().map(SerialNumber::to_string),
            "hook": self.hook.as_ref().map(HookReport::json),
            "warnings": self.outcome.warnings.iter().map(|warning| &warning.message).collect::<Vec<_>>(),
        });
        if let (Some(comparison), Some(fields)) = (&self.outcome.comparison, document.as_object_mut()) {
            fields.insert("exact".to_owned(), comparison.is_exact().into());
            fields.extend(comparison_json(comparison));
        }
        document
    }

    fn is_account(&self) -> bool {
        self.outcome.status != Status::Planned
    }
}

/// The files of a certificate, as every command gives them to programs.
pub(super) fn files_json(paths: &Paths) -> Value {
    let Paths { certificate, chain, fullchain, key } = paths;
    json!({ "cert": certificate, "chain": chain, "fullchain": fullchain, "key": key })
}

/// The files of a certificate, as every command names them to people.
pub(super) fn labelled(paths: &Paths) -> Vec<(&'static str, &PathBuf)> {
    let Paths { certificate, chain, fullchain, key } = paths;
    let some = [
        ("certificate", Some(certificate)),
        ("chain", Some(chain)),
        ("full chain", fullchain.as_ref()),
        ("private key", key.as_ref()),
    ];
    some.into_iter().filter_map(|(label, path)| Some((label, path?))).collect()
}
