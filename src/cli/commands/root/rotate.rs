//! `ca root rotate`: a new root with a new key takes the place of the old one, step by step.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::app::context::Context;
use crate::authority::hierarchy::rotation::{
    self, FinishedRotation, RootRotationOrder, RotationStatus, StartedRotation,
};
use crate::cli::options::change::{ConfirmArguments, ConfirmForceArguments};
use crate::cli::options::passphrase::{NewPassphraseArguments, PassphraseArguments, warn_if_short};
use crate::cli::reports::authority::AuthorityJson;
use crate::cli::reports::clients::{ClientJson, RefusedBy, WHAT_CAS_ISSUE};
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath, Hex, Serial, Time};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::index::Entry;
use crate::store::passphrase_prompt::PassphrasePrompt;
use crate::text::{Lifetime, rfc3339};
use crate::x509::{Certificate, KeyAlgorithm};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Make the new root, cross-sign both roots, and sign the certificates of the authorities again
    Start(Box<StartArguments>),
    /// List certificates that still depend on the old root
    Status,
    /// Remove the old root from the trust bundle
    Finish(FinishArguments),
}

#[derive(Debug, Args)]
struct StartArguments {
    /// Name the new root [default: the old name with the next generation, such as G2]
    #[arg(long, visible_alias = "common-name", value_name = "CN")]
    name: Option<String>,
    /// Choose the kind of its key [default: root.key in ca.toml]
    #[arg(long, value_name = "ALG")]
    key: Option<KeyAlgorithm>,
    /// Choose how long it is valid [default: root.lifetime in ca.toml]
    #[arg(long = "for", value_name = "D")]
    lifetime: Option<Lifetime>,
    /// Start although clients that trust only the old root will refuse new certificates
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    confirm: ConfirmForceArguments,
    #[command(flatten)]
    passphrase: PassphraseArguments,
    #[command(flatten)]
    new_passphrase: NewPassphraseArguments,
}

#[derive(Debug, Args)]
struct FinishArguments {
    /// Finish although something still depends on the old root
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    confirm: ConfirmArguments,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    match arguments.step {
        Step::Start(arguments) => start(*arguments, context),
        Step::Status => {
            let state = rotation::status(context.store()?.as_ref(), &context.effects())?;
            Ok(Box::new(StatusReport { state, now: context.now() }))
        }
        Step::Finish(FinishArguments { force, confirm }) => {
            confirm.apply(context);
            let finished = rotation::finish(context.store()?.as_ref(), force, &context.effects())?;
            Ok(Box::new(FinishReport { finished }))
        }
    }
}

fn start(arguments: StartArguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    arguments.confirm.apply(context);
    let store = context.store()?;
    let asking = &*context;
    let new = arguments.new_passphrase.plain();
    let order = RootRotationOrder {
        name: arguments.name,
        key: arguments.key,
        lifetime: arguments.lifetime,
        protection: new.read(asking)?.inspect(|passphrase| warn_if_short(passphrase, asking)),
        without_cross_certificate: arguments.force,
    };
    // Without a passphrase of its own, the key of the new root gets the old one's.
    let mut ask: Box<PassphrasePrompt<'_>> = if new.is_given() {
        Box::new(arguments.passphrase.prompt(&store, asking))
    } else {
        Box::new(arguments.passphrase.prompt_for_new_key(&store, asking))
    };
    // The key of a new root that is there already has the passphrase that was chosen for it.
    let mut ask_new = if new.is_given() { &new } else { &arguments.passphrase }.prompt(&store, asking);
    let started = rotation::start(&store, &order, &mut *ask, &mut ask_new, &asking.effects())?;
    drop((ask, ask_new));
    for recertified in &started.recertified {
        for oid in &recertified.left_out {
            let name = &recertified.name;
            context.warn(&format!("the extension {oid} of the certificate of '{name}' is not in its new one"));
        }
    }
    if started.old_issues {
        let (old, new) = (&started.old, &started.new);
        context.warn(&format!("ca.toml names '{old}' as the authority that issues; name '{new}' at issuer in [issue]"));
    }
    if !started.has_cross_certificate {
        context.warn(
            "clients that trust only the old root refuse what is issued from now on: its path length is too small",
        );
    }
    let refused_by = RefusedBy::of(&started.client_facts, &store.config().verify);
    refused_by.note(WHAT_CAS_ISSUE, context);
    Ok(Box::new(StartReport { started, refused_by }))
}

struct StartReport {
    started: StartedRotation,
    refused_by: RefusedBy,
}

struct StatusReport {
    state: Option<RotationStatus>,
    now: OffsetDateTime,
}

impl StatusReport {
    /// The command that renews all certificates of the old root, when there are several. It renews others that expire as soon, too.
    fn renew_all(&self) -> Option<String> {
        let ends = self.state.iter().flat_map(|state| &state.certificates).map(|entry| entry.validity.not_after);
        let several = ends.clone().nth(1).is_some();
        let days = (ends.max()? - self.now).whole_days() + 1;
        several.then(|| format!("ca renew --due --within {days}d"))
    }
}

struct FinishReport {
    finished: FinishedRotation,
}

fn root_fields(page: &mut Page, label: &str, name: &str, certificate: &Certificate) {
    page.field(label, &format!("{name}, {}", certificate.subject));
    page.field("  expires", &rfc3339(certificate.validity.not_after));
    page.digest("  SHA-256", &certificate.fingerprint());
}

/// `ca.root-rotate-start/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RootRotateStart")]
pub struct RotateStartJson<'a> {
    /// As `outcome`.
    #[schemars(extend("deprecated" = true))]
    status: &'static str,
    #[schemars(extend("enum" = ["started", "resumed"]))]
    outcome: &'static str,
    old: AuthorityJson<'a>,
    new: AuthorityJson<'a>,
    /// The authorities with a certificate of the new root.
    recertified: Vec<RecertifiedJson<'a>>,
    /// Those further below whose chain changed.
    rechained: &'a Vec<String>,
    /// Clients that trust only the old root accept what is issued from now on.
    #[serde(rename = "bridge")]
    has_cross_certificate: bool,
    /// ca.toml names the old root as the one that issues.
    old_root_issues: bool,
    /// The old root has a CRL, and the new one needs one.
    #[serde(rename = "revocation_list_needed")]
    crl_needed: bool,
    bundle: FilePath<&'a PathBuf>,
    /// The clients that refuse what the new root signs.
    refused_by: Vec<ClientJson<'a>>,
}

/// An authority with a certificate of the new root.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Recertified")]
struct RecertifiedJson<'a> {
    authority: &'a str,
    serial: Serial<'a>,
    not_after: Time,
    fingerprint_sha256: Hex<[u8; 32]>,
    /// As `left_out_extensions`.
    #[schemars(extend("deprecated" = true))]
    left_out: &'a Vec<String>,
    /// The object identifiers of extensions of the one before that it has not.
    left_out_extensions: &'a Vec<String>,
}

impl<'a> RecertifiedJson<'a> {
    fn new(recertified: &'a rotation::Recertified) -> Self {
        let certificate = &recertified.certificate;
        Self {
            authority: &recertified.name,
            serial: Serial(&certificate.serial),
            not_after: Time(certificate.validity.not_after),
            fingerprint_sha256: Hex(certificate.fingerprint()),
            left_out: &recertified.left_out,
            left_out_extensions: &recertified.left_out,
        }
    }
}

impl Report for StartReport {
    fn text(&self, page: &mut Page) {
        let started = &self.started;
        let done = if started.resumed { "Continued the rotation from " } else { "Started the rotation from " };
        page.pieces(&[
            (Tone::Good, "✓ "),
            (Tone::Plain, done),
            (Tone::Strong, &started.old),
            (Tone::Plain, " to "),
            (Tone::Strong, &started.new),
        ]);
        root_fields(page, "old root", &started.old, &started.old_certificate);
        root_fields(page, "new root", &started.new, &started.new_certificate);
        for recertified in &started.recertified {
            let until = rfc3339(recertified.certificate.validity.not_after);
            page.field("new chain", &format!("{}, expires {until}", recertified.name));
        }
        for name in &started.rechained {
            page.field("new chain", name);
        }
        page.field("both roots", &page.path(&started.bundle));
        page.gap();
        page.line("1. Give every client both roots (the file above, or 'ca roots').");
        page.line("2. Issue again what depends on the old root: 'ca root rotate status' lists it.");
        page.line("3. Finish: ca root rotate finish");
        if started.has_crl {
            page.line(&format!("Clients that check CRLs need one of the new root: ca crl --authority {}", started.new));
        }
    }

    fn json(&self) -> Value {
        let started = &self.started;
        let done = if started.resumed { "resumed" } else { "started" };
        let content = RotateStartJson {
            status: done,
            outcome: done,
            old: AuthorityJson::new(&started.old, &started.old_certificate),
            new: AuthorityJson::new(&started.new, &started.new_certificate),
            recertified: started.recertified.iter().map(RecertifiedJson::new).collect(),
            rechained: &started.rechained,
            has_cross_certificate: started.has_cross_certificate,
            old_root_issues: started.old_issues,
            crl_needed: started.has_crl,
            bundle: FilePath(&started.bundle),
            refused_by: self.refused_by.json(),
        };
        json::document("ca.root-rotate-start/1", &content)
    }

    fn only_confirms(&self) -> bool {
        true
    }
}

/// `ca.root-rotate-status/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RootRotateStatus")]
pub struct RotateStatusJson<'a> {
    #[schemars(extend("enum" = ["none", "started"]))]
    state: &'static str,
    /// `null` without a rotation.
    old: Option<AuthorityJson<'a>>,
    new: Option<AuthorityJson<'a>>,
    /// `ca root rotate finish` will not refuse.
    ready: bool,
    /// The certificates below the old root.
    certificates: Vec<LeftJson<'a>>,
    /// As `authority_names`.
    #[schemars(extend("deprecated" = true))]
    authorities: Vec<&'a str>,
    /// The authorities below the old root.
    authority_names: Vec<&'a str>,
    old_root_issues: bool,
    /// Renews everything below the old root; `null` for one certificate.
    command: Option<String>,
}

/// A certificate that is below the old root.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Left")]
struct LeftJson<'a> {
    serial: Serial<'a>,
    name: &'a str,
    template: &'a str,
    /// As `authority`. In the other documents, `issuer` is the name of the issuer.
    #[schemars(extend("deprecated" = true))]
    issuer: &'a str,
    authority: &'a str,
    subject: &'a str,
    not_after: Time,
    fingerprint_sha256: Hex<&'a [u8]>,
}

impl<'a> LeftJson<'a> {
    fn new(entry: &'a Entry) -> Self {
        Self {
            serial: Serial(&entry.serial),
            name: &entry.name,
            template: &entry.template,
            issuer: &entry.authority,
            authority: &entry.authority,
            subject: &entry.subject,
            not_after: Time(entry.validity.not_after),
            fingerprint_sha256: Hex(&entry.fingerprint),
        }
    }
}

impl Report for StatusReport {
    fn text(&self, page: &mut Page) {
        let Some(state) = &self.state else { return page.line("No rotation is under way.") };
        root_fields(page, "old root", &state.old, &state.old_certificate);
        root_fields(page, "new root", &state.new, &state.new_certificate);
        page.gap();
        if state.is_ready() {
            let done = "Nothing depends on the old root any longer: ca root rotate finish";
            return page.pieces(&[(Tone::Good, "✓ "), (Tone::Plain, done)]);
        }
        for name in &state.authorities {
            page.line(&format!("The authority '{name}' depends on the old root: ca root rotate start"));
        }
        if state.old_issues {
            page.line(&format!("ca.toml names '{}' as the authority that issues: issuer in [issue]", state.old));
        }
        if !state.certificates.is_empty() {
            let count = state.certificates.len();
            let depend = if count == 1 { "certificate depends" } else { "certificates depend" };
            page.line(&format!("{count} live {depend} on the old root; 'ca renew NAME' or 'ca rekey NAME' moves it:"));
            let row = |entry: &Entry| {
                vec![
                    entry.name.clone(),
                    entry.template.clone(),
                    entry.authority.clone(),
                    rfc3339(entry.validity.not_after),
                    entry.serial.to_string(),
                ]
            };
            let rows: Vec<_> = state.certificates.iter().map(row).collect();
            page.table(&["NAME", "TEMPLATE", "ISSUER", "EXPIRES", "SERIAL"], &rows);
        }
        if let Some(command) = self.renew_all() {
            page.gap();
            page.line(&format!("All at once, with everything else that expires by then: {command}"));
        }
    }

    fn json(&self) -> Value {
        let state = self.state.as_ref();
        let authorities: Vec<&str> = state.iter().flat_map(|state| &state.authorities).map(String::as_str).collect();
        let content = RotateStatusJson {
            state: if state.is_some() { "started" } else { "none" },
            old: state.map(|state| AuthorityJson::new(&state.old, &state.old_certificate)),
            new: state.map(|state| AuthorityJson::new(&state.new, &state.new_certificate)),
            ready: state.is_some_and(RotationStatus::is_ready),
            certificates: state.iter().flat_map(|state| &state.certificates).map(LeftJson::new).collect(),
            authority_names: authorities.clone(),
            authorities,
            old_root_issues: state.is_some_and(|state| state.old_issues),
            command: self.renew_all(),
        };
        json::document("ca.root-rotate-status/1", &content)
    }
}

/// `ca.root-rotate-finish/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RootRotateFinish")]
pub struct RotateFinishJson<'a> {
    old: AuthorityJson<'a>,
    new: AuthorityJson<'a>,
    /// The folder of the old root.
    retired: FilePath<&'a PathBuf>,
    /// As `key_file`.
    #[schemars(extend("deprecated" = true))]
    key: Option<FilePath<&'a PathBuf>>,
    /// The private key of the old root.
    key_file: Option<FilePath<&'a PathBuf>>,
    /// What was below the old root when it was forced.
    left_behind: Vec<LeftJson<'a>>,
    authorities_left_behind: &'a Vec<String>,
}

impl Report for FinishReport {
    fn text(&self, page: &mut Page) {
        let FinishedRotation { state, retired, key } = &self.finished;
        page.pieces(&[
            (Tone::Good, "✓ "),
            (Tone::Plain, "Finished the rotation from "),
            (Tone::Strong, &state.old),
            (Tone::Plain, " to "),
            (Tone::Strong, &state.new),
        ]);
        root_fields(page, "new root", &state.new, &state.new_certificate);
        page.field("old root", &page.path(retired));
        if !state.certificates.is_empty() {
            let names: Vec<_> = state.certificates.iter().map(|entry| entry.name.as_str()).collect();
            page.toned_rows("left behind", Tone::Warning, &names);
        }
        page.gap();
        page.line("Clients may stop trusting the old root: 'ca roots' writes the bundle without it.");
        if let Some(key) = key {
            page.line(&format!("Its private key is still there; remove it: {}", page.path(key)));
        }
    }

    fn json(&self) -> Value {
        let FinishedRotation { state, retired, key } = &self.finished;
        let content = RotateFinishJson {
            old: AuthorityJson::new(&state.old, &state.old_certificate),
            new: AuthorityJson::new(&state.new, &state.new_certificate),
            retired: FilePath(retired),
            key: key.as_ref().map(FilePath),
            key_file: key.as_ref().map(FilePath),
            left_behind: state.certificates.iter().map(LeftJson::new).collect(),
            authorities_left_behind: &state.authorities,
        };
        json::document("ca.root-rotate-finish/1", &content)
    }

    fn only_confirms(&self) -> bool {
        true
    }
}
