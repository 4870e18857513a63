//! `ca renew`: the next certificate for the same key.

use clap::Args;

use crate::app::context::Context;
use crate::app::directory::usual_issuer;
use crate::app::renew_due::{RenewDueRequest, renew_due};
use crate::authority::leaf::order::DueRule;
use crate::authority::leaf::renew::NextKey;
use crate::cli::next_certificate::{NextCertificateOptions, follow};
use crate::cli::options::passphrase::key_file_prompt;
use crate::cli::reports::renew_due::RenewDueReport;
use crate::report::failure::Failure;
use crate::report::output::Report;
use crate::store::Store;
use crate::store::passphrase_prompt::EncryptedKey;
use crate::text::Lifetime;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Which certificates: a name, a pattern such as 'web-*', a serial number or its first digits, or a file; see ca help names
    #[arg(value_name = "NAME|SERIAL|FILE", required_unless_present = "due")]
    certificates: Vec<String>,
    /// Renew every certificate that is due, and sign every CRL that is due; see 'ca due'
    #[arg(long, conflicts_with_all = ["certificates", "lifetime", "not_after", "set", "hook"])]
    due: bool,
    /// Choose what is due: what expires within this time [default: what is in the last third of its lifetime]
    #[arg(long, value_name = "D", requires = "due")]
    within: Option<Lifetime>,
    #[command(flatten)]
    next: NextCertificateOptions,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let Arguments { certificates, due, within, next } = arguments;
    match due {
        false => follow(&certificates, NextKey::Same, &next, context),
        true => renew_all(within.map_or(DueRule::LastThird, DueRule::Within), &next, context),
    }
}

fn renew_all(
    when: DueRule,
    next: &NextCertificateOptions,
    context: &mut Context<'_>,
) -> Result<Box<dyn Report>, Failure> {
    next.apply(context);
    let store = context.store()?;
    let request = RenewDueRequest {
        due: when,
        clip: next.clip,
        hook: next.hook.options(),
        secret: next.passphrase.passphrase_env.as_deref(),
        ca_key_prompt: &|store: &Store, key: &EncryptedKey, context: &Context<'_>| {
            next.passphrase.prompt(store, context)(key)
        },
        key_prompt: &|_: &Store, key: &EncryptedKey, context: &Context<'_>| {
            key_file_prompt(next.key_passphrase_file.as_deref(), context)(key)
        },
    };
    let renewed = renew_due(&store, &request, context)?;
    Ok(Box::new(RenewDueReport { renewed, usual_issuer: usual_issuer(&store)?, when, now: context.now() }))
}
