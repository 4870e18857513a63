//! `ca issue`: a key and a certificate.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use crate::app::after_issue::After;
use crate::app::context::Context;
use crate::authority::leaf::issue;
use crate::authority::leaf::order::{IssueOrder, IssueStatus, SubjectKey};
use crate::cli::options::change::ExitChangedArgument;
use crate::cli::options::hook::HookArguments;
use crate::cli::options::issue::{IssueOptions, existing};
use crate::cli::options::passphrase::{PassphraseArguments, short_warning};
use crate::cli::reports::issue::finish;
use crate::report::failure::Failure;
use crate::report::output::Report;
use crate::store::delivery::Destination;
use crate::store::entry_name::EntryName;
use crate::store::passphrase_prompt::EncryptedKey;
use crate::text::Lifetime;
use crate::x509::KeyAlgorithm;

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
    options: IssueOptions,
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
    /// Do not ask for a confirmation at a terminal
    #[arg(long, requires = "force", conflicts_with = "dry_run")]
    yes: bool,
    #[command(flatten)]
    exit_changed: ExitChangedArgument,
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

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let Arguments {
        template,
        name,
        key,
        options,
        out,
        if_due,
        dry_run,
        force,
        yes,
        exit_changed,
        encrypt_key,
        key_passphrase_file,
        hook,
        passphrase,
    } = arguments;
    context.changes.is_confirmed = yes;
    exit_changed.apply(context);
    let store = context.store()?;
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
    let order = IssueOrder {
        template,
        name,
        expiry: options.expiry(),
        names: options.sans,
        clip: options.clip,
        key: SubjectKey::Generate(key),
        subject: options.subject,
        set: options.set.into_iter().collect::<BTreeMap<_, _>>(),
        issuer: options.issuer,
        place: out.map(|folder| Destination::Folder(context.world.resolve(&folder))),
        existing: existing(if_due, force),
        follows: None,
        dry_run,
        protection,
    };
    let mut short = None;
    let mut prompt = passphrase.prompt(&store, context);
    let mut ask = |key: &EncryptedKey| prompt(key).inspect(|passphrase| short = passphrase.short_length());
    let outcome = issue::issue(&store, order, &mut ask, &context.effects())?;
    drop(prompt);
    // The key of a new authority is encrypted with the passphrase of its issuer.
    let is_new_authority = outcome.status == IssueStatus::Issued && outcome.is_of_authority();
    if let (true, Some(length)) = (is_new_authority, short) {
        context.warn_at_end(short_warning(length));
    }
    let after = After { action: "issue", hook: hook.options(), secret: passphrase.passphrase_env.as_deref() };
    finish(&after, &store, outcome, "ca.issue/1", context)
}
