//! `ca trust`: which trust stores of this machine trust the roots of this CA.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::app::trust::{
    self, RootInStore, RootOutcome, StoreName, StoreReport, StoreSelection, TrustAction, TrustReport, TrustRequest,
    TrustRoot,
};
use crate::cli::options::change::{ConfirmArguments, ExitChangedArgument};
use crate::report::describe::scope::ScopeJson;
use crate::report::failure::{ErrorJson, Failure};
use crate::report::json::{self, Hex, Shown, Time};
use crate::report::output::{Answer, Report};
use crate::report::page::{Page, Tone};
use crate::system::files;
use crate::text::rfc3339;
use crate::x509::DistinguishedName;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make programs of this machine trust the roots of this CA
    Install(InstallArguments),
    /// Remove the roots of this CA from the trust stores of this machine
    Uninstall(UninstallArguments),
    /// Check which trust stores of this machine trust the roots of this CA
    Check(CheckArguments),
}

#[derive(Debug, Args)]
struct InstallArguments {
    #[command(flatten)]
    stores: StoreArguments,
    #[command(flatten)]
    confirm: ConfirmArguments,
    #[command(flatten)]
    exit_changed: ExitChangedArgument,
}

#[derive(Debug, Args)]
struct UninstallArguments {
    /// Remove only roots that are retired or have expired
    #[arg(long)]
    retired: bool,
    #[command(flatten)]
    stores: StoreArguments,
    #[command(flatten)]
    confirm: ConfirmArguments,
    #[command(flatten)]
    exit_changed: ExitChangedArgument,
}

#[derive(Debug, Args)]
struct CheckArguments {
    #[command(flatten)]
    stores: StoreArguments,
}

/// Which stores.
#[derive(Debug, Args)]
struct StoreArguments {
    /// Choose a store, repeatable: system, nss (Chromium), firefox (every profile) or java [default: every one that is found]
    #[arg(long = "store", value_name = "system|nss|firefox|java", value_parser = store_name())]
    names: Vec<StoreName>,
    /// Use the NSS database in this folder, which has cert9.db; repeatable
    #[arg(long = "nss-db", help_heading = "Other places", value_name = "DIR")]
    nss_databases: Vec<PathBuf>,
    /// Use this Java key store instead of that of the JDK
    #[arg(long, help_heading = "Other places", value_name = "FILE")]
    java_keystore: Option<PathBuf>,
    /// Read the passphrase of the Java key store from the first line of a file [default: changeit]
    #[arg(long, help_heading = "Other places", value_name = "FILE")]
    java_passphrase_file: Option<PathBuf>,
    /// Use the system store below this folder instead of /, as Debian has it
    #[arg(long = "system-dir", help_heading = "Other places", value_name = "DIR")]
    system_folder: Option<PathBuf>,
}

fn store_name() -> impl TypedValueParser<Value = StoreName> {
    let parser = PossibleValuesParser::new(StoreName::ALL.map(StoreName::name));
    parser.map(|word| StoreName::ALL.into_iter().find(|name| name.name() == word).unwrap_or(StoreName::System))
}

impl StoreArguments {
    fn selection(&self, context: &Context<'_>) -> Result<StoreSelection, Failure> {
        let passphrase = |path: &PathBuf| -> Result<_, Failure> {
            let path = context.world.resolve(path);
            let content = zeroize::Zeroizing::new(
                files::read(&path, files::MAX_SMALL_FILE_BYTES).map_err(|error| Failure::unreadable(&error))?,
            );
            let text = String::from_utf8_lossy(&content);
            Ok(zeroize::Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
        };
        Ok(StoreSelection {
            names: self.names.clone(),
            system_folder: self.system_folder.clone(),
            nss_databases: self.nss_databases.clone(),
            java_keystore: self.java_keystore.clone(),
            java_passphrase: self.java_passphrase_file.as_ref().map(passphrase).transpose()?,
        })
    }
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let (action, stores, only_retired) = match &arguments.action {
        Action::Install(InstallArguments { stores, confirm, exit_changed }) => {
            confirm.apply(context);
            exit_changed.apply(context);
            (TrustAction::Install, stores, false)
        }
        Action::Uninstall(UninstallArguments { retired, stores, confirm, exit_changed }) => {
            confirm.apply(context);
            exit_changed.apply(context);
            (TrustAction::Uninstall, stores, *retired)
        }
        Action::Check(CheckArguments { stores }) => (TrustAction::Check, stores, false),
    };
    let request = TrustRequest { action, stores: stores.selection(context)?, only_retired };
    let report = trust::run(&request, context)?;
    for (store, root) in report.left_over() {
        let (name, place) = (&root.name, store.store.place_text());
        let sentence = format!("the root '{name}' is no longer in service, and {place} still trusts it");
        context.warn_at_end(format!("{sentence}. Remove it: ca trust uninstall --retired"));
    }
    for root in report.installed().filter(|root| root.is_for_any_host()) {
        context.warn_at_end(root.warning());
    }
    Ok(Box::new(Trusted { report }))
}

struct Trusted {
    report: TrustReport,
}

fn outcome(outcome: RootOutcome) -> &'static str {
    match outcome {
        RootOutcome::Trusted => "trusted",
        RootOutcome::NotTrusted => "not-trusted",
        RootOutcome::Installed => "installed",
        RootOutcome::Removed => "removed",
        RootOutcome::Unchanged => "unchanged",
        RootOutcome::Failed => "failed",
    }
}

/// `ca.trust-check/1`, and those of the two other commands.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Trust")]
pub struct TrustJson<'a> {
    /// Whether every one of these stores trusts every root in service, after the command.
    trusted: bool,
    /// Those in service first.
    roots: Vec<RootJson<'a>>,
    stores: Vec<StoreJson<'a>>,
}

/// A root.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TrustRoot")]
struct RootJson<'a> {
    authority: &'a str,
    subject: Shown<&'a DistinguishedName>,
    fingerprint_sha256: Hex<[u8; 32]>,
    not_after: Time,
    /// False when it is retired or has expired.
    in_service: bool,
    /// The names for which it can issue.
    #[serde(rename = "reach")]
    scope: ScopeJson<'a>,
}

impl<'a> RootJson<'a> {
    fn new(root: &'a TrustRoot) -> Self {
        Self {
            authority: &root.name,
            subject: Shown(&root.certificate.subject),
            fingerprint_sha256: Hex(root.certificate.fingerprint()),
            not_after: Time(root.certificate.validity.not_after),
            in_service: root.is_in_service,
            scope: root.scope.json(),
        }
    }
}

/// A trust store.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TrustStore")]
struct StoreJson<'a> {
    #[schemars(extend("enum" = ["system", "nss", "firefox", "java"]))]
    store: &'static str,
    /// How it is built: `debian`, `fedora`, `arch`, `suse`, `keychain`, `nss` or `java`.
    kind: &'static str,
    /// The file or folder.
    place: String,
    roots: Vec<RootInStoreJson<'a>>,
    error: Option<ErrorJson<'a>>,
}

/// A root in a store.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RootInStore")]
struct RootInStoreJson<'a> {
    authority: &'a str,
    /// After the command.
    trusted: bool,
    #[schemars(extend("enum" = ["trusted", "not-trusted", "installed", "removed", "unchanged", "failed"]))]
    outcome: &'static str,
    /// Where the store has this certificate: files, nicknames or aliases.
    store_entries: &'a [String],
}

impl<'a> StoreJson<'a> {
    fn new(report: &'a TrustReport, store: &'a StoreReport) -> Self {
        let root = |found: &'a RootInStore| RootInStoreJson {
            authority: &report.roots[found.root].name,
            trusted: found.presence.is_trusted,
            outcome: outcome(found.outcome),
            store_entries: &found.presence.entries,
        };
        Self {
            store: store.store.name.name(),
            kind: store.store.kind(),
            place: store.store.place_text(),
            roots: store.roots.iter().map(root).collect(),
            error: store.failure.as_ref().map(Failure::error_json),
        }
    }
}

impl Trusted {
    fn document(&self) -> &'static str {
        match self.report.action {
            TrustAction::Install => "ca.trust-install/1",
            TrustAction::Uninstall => "ca.trust-uninstall/1",
            TrustAction::Check => "ca.trust-check/1",
        }
    }

    fn write_store(&self, store: &StoreReport, page: &mut Page) {
        let is_of_interest = |found: &&RootInStore| {
            self.report.roots[found.root].is_in_service
                || found.presence.is_trusted
                || found.outcome != RootOutcome::NotTrusted && found.outcome != RootOutcome::Unchanged
        };
        let roots: Vec<&RootInStore> = store.roots.iter().filter(is_of_interest).collect();
        let is_bad = |found: &&RootInStore| {
            found.outcome == RootOutcome::Failed
                || found.outcome == RootOutcome::NotTrusted && self.report.roots[found.root].is_in_service
        };
        let (mark, tone) = match store.failure.is_some() || roots.iter().any(is_bad) {
            true => ("✗ ", Tone::Bad),
            false => ("✓ ", Tone::Good),
        };
        let place = format!("  {}", store.store.place_text());
        page.pieces(&[(tone, mark), (Tone::Strong, store.store.name.name()), (Tone::Plain, &page.sentence(&place))]);
        for found in roots {
            let what = match found.outcome {
                RootOutcome::Trusted if !self.report.roots[found.root].is_in_service => "trusted, no longer in service",
                RootOutcome::Trusted => "trusted",
                RootOutcome::NotTrusted => "not trusted",
                RootOutcome::Installed => "installed, trusted now",
                RootOutcome::Removed => "removed, no longer trusted",
                RootOutcome::Unchanged if found.presence.is_trusted => "unchanged, trusted already",
                RootOutcome::Unchanged => "unchanged, not in this store",
                RootOutcome::Failed => "not changed",
            };
            page.field(&self.report.roots[found.root].name, what);
            if !found.presence.entries.is_empty() {
                let entries: Vec<String> = found.presence.entries.iter().map(|entry| page.sentence(entry)).collect();
                page.rows("  as", &entries);
            }
        }
        if let Some(failure) = &store.failure {
            page.toned_field("error", Tone::Bad, &page.sentence(&failure.message));
        }
    }
}

impl Report for Trusted {
    fn text(&self, page: &mut Page) {
        for root in self.report.roots.iter().filter(|root| root.is_in_service) {
            let until = rfc3339(root.certificate.validity.not_after);
            page.field(&root.name, &format!("{}, expires {until}", root.certificate.subject));
            page.digest("  SHA-256", &root.certificate.fingerprint());
            page.field("  issues for", &root.scope.names());
        }
        for store in &self.report.stores {
            page.gap();
            self.write_store(store, page);
        }
    }

    fn json(&self) -> Value {
        let report = &self.report;
        let content = TrustJson {
            trusted: report.is_trusted(),
            roots: report.roots.iter().map(RootJson::new).collect(),
            stores: report.stores.iter().map(|store| StoreJson::new(report, store)).collect(),
        };
        json::document(self.document(), &content)
    }

    fn answer(&self) -> Answer {
        match self.report.action {
            TrustAction::Check if !self.report.is_trusted() => Answer::No,
            _ => Answer::Yes,
        }
    }

    fn failure(&self) -> Option<Failure> {
        self.report.failure()
    }

    fn has_changed(&self) -> bool {
        self.report.has_changed()
    }

    fn only_confirms(&self) -> bool {
        self.report.action != TrustAction::Check
    }
}
