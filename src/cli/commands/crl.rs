//! `ca crl`: the CRL of an authority, or of all of them, and the files that servers read them from.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::app::crl_bundle::{self, CrlDone, RefreshOptions};
use crate::app::crl_exports;
use crate::app::crl_files::{self, RefreshedFiles};
use crate::authority::revocation::bundle::{self, Bundle};
use crate::authority::revocation::collected_crls;
use crate::authority::revocation::publish_crl::{self, CrlOrder, CrlOutcome, CrlStatus};
use crate::cli::options::change::{DryRunArgument, ExitChangedArgument};
use crate::cli::options::hook::HookArguments;
use crate::cli::options::number::whole_number;
use crate::cli::options::passphrase::PassphraseArguments;
use crate::cli::reports::all_crls::AllCrlsReport;
use crate::cli::reports::bundle::BundleJson;
use crate::cli::reports::crl::{CrlJson, crl_fields};
use crate::cli::reports::crl_files::{RefreshedExportsJson, crl_file_fields};
use crate::report::failure::Failure;
use crate::report::json;
use crate::report::output::Report;
use crate::report::page::Page;
use crate::store::approval::Declined;
use crate::store::{Store, StoreError};
use crate::text::{Lifetime, PathText};
use crate::x509::SerialNumber;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Choose the authority of the CRL [default: the one that issues]
    #[arg(long, visible_alias = "issuer", value_name = "AUTHORITY")]
    authority: Option<String>,
    /// Sign the CRL of every authority that is due, and write every bundle that is remembered
    #[arg(long, conflicts_with_all = ["authority", "out", "number", "compare", "forget"])]
    all: bool,
    /// Write the CRLs of all authorities to this file, now and whenever a CRL is signed: the issuing authority first, the root last
    #[arg(long, help_heading = BUNDLE, value_name = "FILE", requires = "all")]
    bundle: Option<PathBuf>,
    /// Add the CRL in this file to the bundle: of a CA above that is not an authority of this CA; repeatable; '' removes them
    #[arg(long, help_heading = BUNDLE, value_name = "FILE", requires = "bundle")]
    also: Option<Vec<PathBuf>>,
    /// Run this with sh after the bundle changed, now and after every later change; '' forgets it
    #[arg(long, help_heading = BUNDLE, value_name = "CMD", requires = "all")]
    hook: Option<String>,
    /// Stop a hook that takes longer, with every process that it started [default: 5m]
    #[arg(long, help_heading = BUNDLE, value_name = "D", requires = "hook")]
    hook_timeout: Option<Lifetime>,
    /// Do not run hooks this time
    #[arg(long, help_heading = BUNDLE, conflicts_with = "hook")]
    no_hook: bool,
    /// Do not refresh this bundle any longer; the file stays
    #[arg(long, help_heading = BUNDLE, value_name = "FILE", requires = "all", conflicts_with_all = ["bundle", "hook"])]
    forget_bundle: Option<PathBuf>,
    /// Choose how long the CRL is valid [default: crl.lifetime in ca.toml]
    #[arg(long = "for", value_name = "D")]
    lifetime: Option<Lifetime>,
    /// Sign only when something changed, a file is missing, or less than a third of the CRL's lifetime is left
    #[arg(long)]
    ensure: bool,
    /// Write a copy too: DER when the name ends in .der, else PEM; replaces an older CRL
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Continue with this CRL number, which must be greater than every earlier one
    #[arg(long, value_name = "N", conflicts_with = "ensure", value_parser = whole_number::<u64>)]
    number: Option<u64>,
    /// Compare this published CRL with the index first, and carry over what the index does not have; repeatable
    #[arg(long, value_name = "FILE")]
    compare: Vec<PathBuf>,
    /// Leave out a revocation that an earlier CRL named and `ca revoke` did not record; repeatable
    #[arg(long, value_name = "SERIAL", conflicts_with = "ensure")]
    forget: Vec<SerialNumber>,
    #[command(flatten)]
    dry_run: DryRunArgument,
    #[command(flatten)]
    exit_changed: ExitChangedArgument,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

const BUNDLE: &str = "File with the CRLs of all authorities";

/// What came of it.
struct Listed {
    outcome: CrlOutcome,
    /// The bundles and exports that were refreshed.
    files: RefreshedFiles,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    arguments.dry_run.apply(context);
    arguments.exit_changed.apply(context);
    if arguments.all {
        return run_all(&arguments, context);
    }
    let Arguments { authority, lifetime, ensure, out, number, compare, forget, passphrase, no_hook, .. } = arguments;
    let compare = compare.iter().map(|path| context.world.resolve(path)).collect();
    let copy = out.map(|path| context.world.resolve(&path));
    let order = CrlOrder { authority, lifetime, ensure, number, copy, compare, forget };
    let store = context.store()?;
    let outcome = publish_crl::publish(&store, &order, &mut passphrase.prompt(&store, context), &context.effects())?;
    for warning in &outcome.warnings {
        context.warn(&warning.message);
    }
    let options = RefreshOptions { skip_hooks: no_hook, secret: passphrase.passphrase_env.as_deref() };
    let files = crl_files::refresh(&store, options, context)?;
    Ok(Box::new(Listed { outcome, files }))
}

/// `ca crl --all`.
fn run_all(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let Arguments { lifetime, passphrase, no_hook, .. } = arguments;
    let store = context.store()?;
    let bundle = arguments.bundle(&store, context)?;
    if let Some(bundle) = &bundle {
        // Before anything is signed.
        bundle::check_place(&bundle.path)?;
        collected_crls::check_added(&store, &bundle.also, context.now())?;
    }
    let mut all = bundle::remembered(&store)?;
    all.retain(|known| bundle.as_ref().is_none_or(|bundle| bundle.path != known.path));
    all.extend(bundle.clone());
    let also: Vec<PathBuf> = all.into_iter().flat_map(|bundle| bundle.also).collect();
    let crls =
        crl_bundle::sign_all(&store, *lifetime, &also, &mut passphrase.prompt(&store, context), &context.effects())?;
    for crl in &crls {
        if let CrlDone::Published(outcome) = &crl.done {
            outcome.warnings.iter().for_each(|warning| context.warn(&warning.message));
        }
        if let Some(warning) = crl.warning() {
            context.warn_at_end(warning);
        }
    }
    let forgotten = arguments.forget_bundle.as_ref().map(|path| context.world.resolve(path));
    if let Some(path) = &forgotten
        && !bundle::forget(&store, path, &context.effects())?
    {
        return Err(Failure::usage(
            "unknown-bundle",
            format!("{} is not a CRL bundle that is remembered", path.escaped()),
        )
        .hint("ca settings show lists them"));
    }
    if context.changes.dry_run {
        let is_planned = crls.iter().any(|crl| matches!(crl.done, CrlDone::Planned));
        crl_bundle::plan(&store, bundle.as_ref(), is_planned, context)?;
        crl_exports::plan(&store, is_planned, context)?;
    } else if let Some(bundle) = &bundle {
        // A bundle that cannot be written now is not remembered.
        bundle::content(&store, &bundle.also, context.now())?;
        bundle::remember(&store, bundle, &context.effects())?;
    }
    if context.changes.dry_run && !context.changes.planned.borrow().is_empty() {
        return Err(StoreError::from(Declined::DryRun).into());
    }
    let options = RefreshOptions { skip_hooks: *no_hook, secret: passphrase.passphrase_env.as_deref() };
    let files = crl_files::refresh(&store, options, context)?;
    Ok(Box::new(AllCrlsReport { crls, files, forgotten }))
}

impl Arguments {
    /// Returns the bundle that is named, with what is to be remembered of it; `None` when none is. A hook alone is for the only
    /// bundle.
    fn bundle(&self, store: &Store, context: &Context<'_>) -> Result<Option<Bundle>, Failure> {
        let hooks =
            HookArguments { hook: self.hook.clone(), hook_timeout: self.hook_timeout, ..HookArguments::default() };
        let hook = hooks.options().hook;
        let path = match (&self.bundle, &hook) {
            (Some(path), _) => context.world.resolve(path),
            (None, None) => return Ok(None),
            (None, Some(_)) => match bundle::remembered(store)?.as_slice() {
                [only] => only.path.clone(),
                several => {
                    let sentence = format!("--hook needs --bundle FILE: {} CRL bundles are remembered", several.len());
                    return Err(Failure::usage("bad-arguments", sentence));
                }
            },
        };
        let known = bundle::of(store, &path)?;
        let is_path = |path: &&PathBuf| !path.as_os_str().is_empty();
        let also = self.also.as_ref();
        let also = also.map(|paths| paths.iter().filter(is_path).map(|path| context.world.resolve(path)).collect());
        Ok(Some(Bundle { hook: hook.unwrap_or(known.hook), also: also.unwrap_or(known.also), ..known }))
    }
}

/// `ca.crl/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PublishedCrl")]
pub struct PublishedCrlJson<'a> {
    #[serde(flatten)]
    crl: CrlJson<'a>,
    /// The bundles that are remembered, after the CRL was signed.
    bundles: Vec<BundleJson<'a>>,
    /// The names whose exports did not have the present CRLs.
    refreshed_exports: Vec<RefreshedExportsJson<'a>>,
}

impl Report for Listed {
    fn text(&self, page: &mut Page) {
        crl_fields(&self.outcome, page);
        crl_file_fields(&self.files, page);
    }

    fn json(&self) -> Value {
        let bundles = self.files.bundles.iter().map(BundleJson::new).collect();
        let refreshed_exports = RefreshedExportsJson::all(&self.files.exports);
        json::document("ca.crl/1", &PublishedCrlJson { crl: CrlJson::new(&self.outcome), bundles, refreshed_exports })
    }

    fn failure(&self) -> Option<Failure> {
        self.files.failure()
    }

    fn has_changed(&self) -> bool {
        matches!(self.outcome.status, CrlStatus::Signed(_)) || self.files.has_changed()
    }

    fn only_confirms(&self) -> bool {
        true
    }
}
