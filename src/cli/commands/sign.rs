//! `ca sign`: a certificate for a request.

use std::path::PathBuf;

use clap::Args;

use crate::app::after_issue::After;
use crate::app::context::Context;
use crate::authority::leaf::sign::{self, SignOrder};
use crate::cli::options::change::ExitChangedArgument;
use crate::cli::options::hook::HookArguments;
use crate::cli::options::issue::{IssueOptions, existing};
use crate::cli::options::passphrase::PassphraseArguments;
use crate::cli::reports::issue::finish;
use crate::report::failure::{Failure, KindCodes};
use crate::report::output::Report;
use crate::store::delivery::Destination;
use crate::text::{Lifetime, PathText};
use crate::x509::file_kind::Expected;
use crate::x509::signing_request::der_of_file;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The certificate request, as PEM or DER; - is standard input
    #[arg(value_name = "CSR|-")]
    request: PathBuf,
    /// Choose the template: server, client, peer, intermediate, or one of the site's own
    #[arg(long, value_name = "TEMPLATE", default_value = "server")]
    template: String,
    /// Choose how the certificate is called here [default: as the request calls itself]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    options: IssueOptions,
    /// Put the files into this folder instead of issued/NAME/
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Refuse whatever would not be exactly what the request asks for
    #[arg(long)]
    require_exact: bool,
    /// Do nothing while there is one with the same names and key that has more than D of its life left [default: a third]
    #[arg(long, value_name = "D", num_args = 0..=1)]
    if_due: Option<Option<Lifetime>>,
    /// Decide everything and sign nothing
    #[arg(long)]
    dry_run: bool,
    /// Replace what is there; the old files are kept as a generation
    #[arg(long)]
    force: bool,
    /// Do not ask for a confirmation at a terminal
    #[arg(long, requires = "force", conflicts_with = "dry_run")]
    yes: bool,
    #[command(flatten)]
    exit_changed: ExitChangedArgument,
    #[command(flatten)]
    hook: HookArguments,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let Arguments {
        request,
        template,
        name,
        options,
        out,
        require_exact,
        if_due,
        dry_run,
        force,
        yes,
        exit_changed,
        hook,
        passphrase,
    } = arguments;
    context.changes.is_confirmed = yes;
    exit_changed.apply(context);
    let store = context.store()?;
    let codes = KindCodes { other: "not-a-request", empty: "empty-input" };
    let content = context.read_expected(&request, Expected::Request, codes)?;
    let place = if request.as_os_str() == "-" { "standard input".to_owned() } else { request.escaped().to_string() };
    let signing = SignOrder {
        request: der_of_file(&content).map_err(|error| Failure::not_a_request(&place, &error))?,
        template,
        name: name.map(|name| name.parse()).transpose()?,
        expiry: options.expiry(),
        names: options.sans,
        clip: options.clip,
        subject: options.subject,
        set: options.set.into_iter().collect(),
        issuer: options.issuer,
        place: out.map(|folder| Destination::Folder(context.world.resolve(&folder))),
        existing: existing(if_due, force),
        dry_run,
        exact: require_exact,
    };
    let outcome = sign::sign(&store, signing, &mut passphrase.prompt(&store, context), &context.effects())?;
    let after = After { action: "sign", hook: hook.options(), secret: passphrase.passphrase_env.as_deref() };
    finish(&after, &store, outcome, "ca.sign/1", context)
}
