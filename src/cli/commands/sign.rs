//! `ca sign`: a certificate for a request.

use std::path::PathBuf;

use clap::Args;

use crate::app::after_issue::After;
use crate::app::context::Context;
use crate::authority::leaf::sign::{self, SignOrder};
use crate::cli::options::change::ExitChangedArgument;
use crate::cli::options::file_rules::OwnerArguments;
use crate::cli::options::hook::HookArguments;
use crate::cli::options::issue::{IssueOptions, existing, only_for_one};
use crate::cli::options::passphrase::PassphraseArguments;
use crate::cli::reports::issue::finish;
use crate::cli::reports::many;
use crate::report::failure::{Failure, KindCodes};
use crate::report::output::Report;
use crate::store::delivery::Destination;
use crate::store::passphrase_prompt::{EncryptedKey, PassphraseCache};
use crate::text::{Lifetime, PathText};
use crate::x509::file_kind::Expected;
use crate::x509::signing_request::der_of_file;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The certificate requests, one in each file, as PEM or DER; - is standard input
    #[arg(value_name = "CSR|-", required = true)]
    requests: Vec<PathBuf>,
    /// Choose the template: server, client, peer, intermediate, or one of your own
    #[arg(long, value_name = "TEMPLATE", default_value = "server")]
    template: String,
    /// Choose the name of the certificate here [default: from the request]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    options: IssueOptions,
    /// Put the files into this folder instead of issued/NAME/
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Refuse unless key, names, subject (byte for byte) and extensions are exactly those of the request
    #[arg(long)]
    require_exact: bool,
    /// Do nothing while a certificate with the same names and key has more than D of its lifetime left [default: a third]
    #[arg(long, value_name = "D", num_args = 0..=1)]
    if_due: Option<Option<Lifetime>>,
    /// Show what would be signed, and sign nothing
    #[arg(long)]
    dry_run: bool,
    /// Replace existing files; the old ones are kept as a generation
    #[arg(long)]
    force: bool,
    /// Do not ask for a confirmation at a terminal
    #[arg(long, requires = "force", conflicts_with = "dry_run")]
    yes: bool,
    #[command(flatten)]
    exit_changed: ExitChangedArgument,
    #[command(flatten)]
    files: OwnerArguments,
    #[command(flatten)]
    hook: HookArguments,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    context.changes.is_confirmed = arguments.yes;
    arguments.exit_changed.apply(context);
    let store = context.store()?;
    store.index_location().will_be_used();
    if arguments.requests.len() > 1 {
        only_for_one(arguments.name.is_some(), "--name")?;
        only_for_one(arguments.out.is_some(), "--out")?;
    }
    let mut requests = Vec::with_capacity(arguments.requests.len());
    for path in &arguments.requests {
        let codes = KindCodes { other: "not-a-request", empty: "empty-input" };
        let content = context.read_expected(path, Expected::Request, codes)?;
        let place = if path.as_os_str() == "-" { "standard input".to_owned() } else { path.escaped().to_string() };
        let der = der_of_file(&content).map_err(|error| Failure::not_a_request(&place, &error))?;
        requests.push((place, der));
    }
    // Of several, each is checked before the first is signed.
    if requests.len() > 1 && !arguments.dry_run {
        for (place, der) in &requests {
            let order = order(&arguments, der.clone(), true, context)?;
            let mut prompt = arguments.passphrase.prompt(&store, context);
            sign::sign(&store, order, &mut prompt, &context.effects())
                .map_err(|error| many::nothing_done(place, error.into()))?;
        }
    }
    let mut passphrases = PassphraseCache::default();
    many::for_each("ca.sign-many/1", requests, |der| {
        let signing = order(&arguments, der, arguments.dry_run, context)?;
        let mut prompt = arguments.passphrase.prompt(&store, context);
        let mut ask = |key: &EncryptedKey| passphrases.get(key, &mut prompt);
        let outcome = sign::sign(&store, signing, &mut ask, &context.effects())?;
        drop(prompt);
        let secret = arguments.passphrase.passphrase_env.as_deref();
        let after = After { action: "sign", hook: arguments.hook.options(), secret };
        finish(&after, &store, outcome, "ca.sign/1", context)
    })
}

fn order(arguments: &Arguments, request: Vec<u8>, dry_run: bool, context: &Context<'_>) -> Result<SignOrder, Failure> {
    let options = &arguments.options;
    Ok(SignOrder {
        request,
        template: arguments.template.clone(),
        name: arguments.name.as_ref().map(|name| name.parse()).transpose()?,
        expiry: options.expiry(),
        names: options.sans.clone(),
        clip: options.clip,
        subject: options.subject.clone(),
        set: options.set.iter().cloned().collect(),
        issuer: options.issuer.clone(),
        place: arguments.out.as_ref().map(|folder| Destination::Folder(context.world.resolve(folder))),
        existing: existing(arguments.if_due, arguments.force),
        files: arguments.files.change(),
        dry_run,
        exact: arguments.require_exact,
    })
}
