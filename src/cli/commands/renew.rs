//! `ca renew`: the next certificate for the same key.

use std::cell::Cell;
use std::io::Write;
use std::num::NonZeroUsize;

use clap::Args;

use crate::app::context::Context;
use crate::app::directory::usual_issuer;
use crate::app::renew_due::{RenewDueRequest, RenewedEntry, Selection, renew_due};
use crate::app::resolve::{Patterns, is_not_revoked, resolve_all};
use crate::authority::leaf::order::DueRule;
use crate::authority::leaf::renew::NextKey;
use crate::cli::next_certificate::{NOT_FOLLOWED, NextCertificateOptions, follow};
use crate::cli::options::number::jobs;
use crate::cli::options::passphrase::key_file_prompt;
use crate::cli::reports::renew_due::{EntryText, RenewDueReport};
use crate::report::failure::Failure;
use crate::report::output::{OutputFormat, Report};
use crate::report::page::Page;
use crate::report::relative::RelativePaths;
use crate::store::Store;
use crate::store::passphrase_prompt::EncryptedKey;
use crate::system::threads::usual_jobs;
use crate::text::Lifetime;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Which certificates: a name, a pattern such as 'web-*', a serial number or its first digits, a file, or an intermediate; see ca help names
    #[arg(value_name = "NAME|SERIAL|FILE", required_unless_present_any = ["due", "all"])]
    certificates: Vec<String>,
    /// Renew every certificate and intermediate that is due, and sign every CRL that is due; see 'ca due'. With names: only those of them that are due
    #[arg(long, conflicts_with_all = ["lifetime", "not_after", "set", "hook", "owner", "group", "mode"])]
    due: bool,
    /// Choose what is due: what expires within this time [default: what is in the last third of its lifetime]
    #[arg(long, value_name = "D", requires = "due", conflicts_with = "all")]
    within: Option<Lifetime>,
    /// Renew every deployed certificate, due or not, except those of authorities
    #[arg(long, conflicts_with_all = ["certificates", "due", "lifetime", "not_after", "set", "hook", "owner", "group", "mode"])]
    all: bool,
    /// With --due or --all: generate keys, sign and write files in this many threads [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = jobs)]
    jobs: Option<NonZeroUsize>,
    /// With --all: do not ask for a confirmation at a terminal
    #[arg(long, requires = "all", conflicts_with = "dry_run")]
    yes: bool,
    #[command(flatten)]
    next: NextCertificateOptions,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let Arguments { certificates, due, within, all, jobs, yes, next } = arguments;
    let rule = within.map_or(DueRule::LastThird, DueRule::Within);
    if !due && !all {
        if jobs.is_some() {
            return Err(Failure::usage("bad-arguments", "--jobs needs --due or --all")
                .hint("leave it out: named certificates are renewed one after the other"));
        }
        return follow(&certificates, NextKey::Same, &next, context);
    }
    next.apply(context);
    context.changes.is_confirmed = yes;
    let what = match (all, certificates.as_slice()) {
        (true, _) => Selection::All,
        (false, []) => Selection::Due(rule),
        (false, given) => {
            let resolved = resolve_all(given, Patterns::Usable(&is_not_revoked, NOT_FOLLOWED), context)?;
            Selection::DueOf(rule, resolved.into_iter().map(|resolved| resolved.entry.name).collect())
        }
    };
    let store = context.store()?;
    let (usual_issuer, now) = (usual_issuer(&store)?, context.now());
    // Each entry is a line as soon as it is done: the others can take long.
    let prints = context.format == OutputFormat::Text && !context.quiet;
    let failed = Cell::new(false);
    let print = |entry: &RenewedEntry, context: &mut Context<'_>| {
        if prints && !failed.get() {
            let mut page = Page::new(context.style, RelativePaths::below(&context.world.working_folder));
            EntryText { usual_issuer: &usual_issuer, when: rule, now }.write(entry, &mut page);
            let out = &mut context.world.stdout;
            failed.set(out.write_all(page.into_string().as_bytes()).and_then(|()| out.flush()).is_err());
        }
    };
    let request = RenewDueRequest {
        on_done: &print,
        what: &what,
        jobs: jobs.unwrap_or_else(usual_jobs),
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
    // What could not be printed is tried once more, so that the failure is reported.
    let is_printed = prints && !failed.get();
    Ok(Box::new(RenewDueReport { renewed, usual_issuer, when: rule, all, now, is_printed }))
}
