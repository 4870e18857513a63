//! `ca renew`: the next certificate for the same key.

use std::path::PathBuf;

use clap::Args;
use time::OffsetDateTime;

use super::issue::{After, key_and_value};
use super::renew_due;
use crate::authority::leaf::order::Due;
use crate::authority::leaf::renew;
use crate::authority::leaf::renew::{NextKey, Renewal};
use crate::cli::hook::HookArguments;
use crate::cli::options::passphrase;
use crate::cli::options::passphrase::PassphraseArguments;
use crate::cli::output::Report;
use crate::cli::{Context, Failure};
use crate::issuance::End;
use crate::text::Lifetime;
use crate::text::parse_time;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Which certificate: its name or serial number; name: and serial: say which is meant
    #[arg(value_name = "NAME|SERIAL", required_unless_present = "due")]
    reference: Option<String>,
    /// Renew every certificate that is due, and sign every revocation list that is; see 'ca due'
    #[arg(long, conflicts_with_all = ["reference", "lifetime", "not_after", "set", "hook"])]
    due: bool,
    /// Choose what is due: what ends within this time [default: what is in the last third of its life]
    #[arg(long, value_name = "D", requires = "due")]
    within: Option<Lifetime>,
    #[command(flatten)]
    next: Next,
}

/// What may be different the next time.
#[derive(Debug, Args)]
pub struct Next {
    /// Choose how long the next one is valid [default: as long as this one]
    #[arg(long = "for", value_name = "D")]
    lifetime: Option<Lifetime>,
    /// Choose the last second of its validity, as RFC 3339
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with = "lifetime")]
    not_after: Option<OffsetDateTime>,
    /// Shorten a certificate that would outlive its issuer
    #[arg(long)]
    pub(super) clip: bool,
    /// Give a value for the placeholders of the template outside the subject; repeatable
    #[arg(long, value_name = "K=V", value_parser = key_and_value)]
    set: Vec<(String, String)>,
    /// Open the encrypted key that is there with the first line of a file; a new one is encrypted with the same
    #[arg(long, value_name = "FILE")]
    pub(super) key_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) hook: HookArguments,
    #[command(flatten)]
    pub(super) passphrase: PassphraseArguments,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let Arguments { reference, due: _, within, next } = arguments;
    match reference {
        Some(reference) => follow(&reference, NextKey::Same, next, "ca.renew/1", context),
        None => renew_due::run(within.map_or(Due::LastThird, Due::Within), &next, context),
    }
}

/// Issues the certificate that follows another.
pub fn follow(
    reference: &str,
    key: NextKey,
    next: Next,
    schema: &'static str,
    context: &mut Context<'_>,
) -> Result<Box<dyn Report>, Failure> {
    let home = context.home()?;
    let reference = reference.parse().map_err(|error| Failure::usage("bad-name", format!("{error}")))?;
    let renewal = Renewal {
        reference,
        key,
        end: next.lifetime.map(End::For).or(next.not_after.map(End::At)),
        clip: next.clip,
        set: next.set.into_iter().collect(),
        encrypted: next.key_passphrase_file.is_some(),
        only_if: None,
    };
    let mut ask = |question: &str| next.passphrase.open(&home, context, question).map_err(passphrase::refusal);
    let kept =
        PassphraseArguments { passphrase_file: next.key_passphrase_file.clone(), ..PassphraseArguments::default() };
    let mut ask_for_kept_key = |question: &str| {
        let ask = || passphrase::ask(context, question, "give --key-passphrase-file FILE");
        kept.read(context).and_then(|given| given.map_or_else(ask, Ok)).map_err(passphrase::refusal)
    };
    let outcome = renew::renew(&home, &renewal, &mut ask, &mut ask_for_kept_key, &context.tools())?;
    let action = if key == NextKey::Same { "renew" } else { "rekey" };
    let after = After { action, hook: next.hook, secret: next.passphrase.passphrase_env.as_deref() };
    after.shown(&home, outcome, schema, context)
}
