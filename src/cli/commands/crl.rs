//! `ca crl`: the CRL of an authority.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use crate::app::context::Context;
use crate::authority::revocation::publish_crl::{self, CrlOrder, CrlOutcome, CrlStatus};
use crate::cli::options::change::{DryRunArgument, ExitChangedArgument};
use crate::cli::options::number::whole_number;
use crate::cli::options::passphrase::PassphraseArguments;
use crate::cli::reports::crl::{CrlJson, crl_fields};
use crate::report::failure::Failure;
use crate::report::json;
use crate::report::output::Report;
use crate::report::page::Page;
use crate::text::Lifetime;
use crate::x509::SerialNumber;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Choose the authority of the CRL [default: the one that issues]
    #[arg(long, value_name = "AUTHORITY")]
    authority: Option<String>,
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

/// What came of it.
struct Listed {
    outcome: CrlOutcome,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let Arguments { authority, lifetime, ensure, out, number, compare, forget, dry_run, exit_changed, passphrase } =
        arguments;
    dry_run.apply(context);
    exit_changed.apply(context);
    let compare = compare.iter().map(|path| context.world.resolve(path)).collect();
    let copy = out.map(|path| context.world.resolve(&path));
    let order = CrlOrder { authority, lifetime, ensure, number, copy, compare, forget };
    let store = context.store()?;
    let outcome = publish_crl::publish(&store, &order, &mut passphrase.prompt(&store, context), &context.effects())?;
    for warning in &outcome.warnings {
        context.warn(&warning.message);
    }
    Ok(Box::new(Listed { outcome }))
}

impl Report for Listed {
    fn text(&self, page: &mut Page) {
        crl_fields(&self.outcome, page);
    }

    fn json(&self) -> Value {
        json::document("ca.crl/1", &CrlJson::new(&self.outcome))
    }

    fn has_changed(&self) -> bool {
        matches!(self.outcome.status, CrlStatus::Signed(_))
    }

    fn only_confirms(&self) -> bool {
        true
    }
}
