//! `ca issue`: a key and a certificate for each name.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use crate::app::after_issue::After;
use crate::app::context::Context;
use crate::authority::leaf::issue;
use crate::authority::leaf::order::{IssueOrder, IssueStatus, SubjectKey};
use crate::cli::options::change::ExitChangedArgument;
use crate::cli::options::file_rules::FileRuleArguments;
use crate::cli::options::hook::HookArguments;
use crate::cli::options::issue::{IssueOptions, existing, host_of_url, only_for_one};
use crate::cli::options::passphrase::{PassphraseArguments, short_warning};
use crate::cli::reports::issue::finish;
use crate::cli::reports::many;
use crate::issuance::GivenExtensions;
use crate::keys::Passphrase;
use crate::report::failure::Failure;
use crate::report::output::Report;
use crate::store::delivery::Destination;
use crate::store::entry_name::EntryName;
use crate::store::passphrase_prompt::{EncryptedKey, PassphraseCache};
use crate::store::{Store, templates};
use crate::text::{Lifetime, shell_word};
use crate::x509::{GeneralName, KeyAlgorithm};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The template: server, client, peer, intermediate, or one of your own
    template: String,
    /// The name of the certificate: a host name for a server, the owner for a client; each of several names gets its own
    /// certificate (one certificate for two host names: ca issue server a.test --san b.test)
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Choose the kind of key [default: the template's first]
    #[arg(long, value_name = "ALG")]
    key: Option<KeyAlgorithm>,
    #[command(flatten)]
    options: IssueOptions,
    /// Write the four files to this folder instead of issued/NAME/; one combined file: ca export NAME --as combined
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Do nothing while a certificate with the same names and key has more than D of its lifetime left [default: a third]
    #[arg(long, value_name = "D", num_args = 0..=1)]
    if_due: Option<Option<Lifetime>>,
    /// Show what would be signed, and sign nothing
    #[arg(long, conflicts_with_all = ["hook", "no_hook"])]
    dry_run: bool,
    /// Replace existing files; the old ones are kept as a generation
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
    files: FileRuleArguments,
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
    let mut names: Vec<(String, EntryName)> = Vec::with_capacity(arguments.names.len());
    for given in &arguments.names {
        let name: EntryName = given.parse()?;
        if names.iter().any(|(_, other)| other.folder() == name.folder()) {
            return Err(Failure::usage("bad-arguments", format!("'{name}' is named twice")));
        }
        names.push((given.clone(), name));
    }
    let is_one = names.len() == 1;
    if !is_one {
        only_for_one(arguments.out.is_some(), "--out")?;
    }
    // Of several, each is checked before the first is issued.
    if !is_one && !arguments.dry_run {
        for (given, name) in &names {
            let order = order(&arguments, name.clone(), true, None, context);
            let mut prompt = arguments.passphrase.prompt(&store, context);
            issue::issue(&store, order, &mut prompt, &context.effects())
                .map_err(|error| many::nothing_done(given, swapped(error.into(), &arguments, &store)))?;
        }
    }
    let protection = if arguments.encrypt_key && !arguments.dry_run {
        let path = arguments.key_passphrase_file.clone();
        let flags = PassphraseArguments { passphrase_file: path, ..PassphraseArguments::default() };
        let whose = if is_one { format!("key of '{}'", names[0].1) } else { "keys".to_owned() };
        Some(flags.choose(context, &format!("Passphrase for the new {whose}: "), "give --key-passphrase-file FILE")?)
    } else {
        None
    };
    let mut passphrases = PassphraseCache::default();
    many::for_each("ca.issue-many/1", names, |name| {
        let protection = protection.as_ref().map(Passphrase::duplicate);
        let order = order(&arguments, name, arguments.dry_run, protection, context);
        let mut short = None;
        let mut prompt = arguments.passphrase.prompt(&store, context);
        let mut ask = |key: &EncryptedKey| {
            passphrases.get(key, &mut prompt).inspect(|passphrase| short = passphrase.short_length())
        };
        let outcome = issue::issue(&store, order, &mut ask, &context.effects())
            .map_err(|error| swapped(error.into(), &arguments, &store))?;
        drop(prompt);
        // The key of a new authority is encrypted with the passphrase of its issuer.
        let is_new_authority = outcome.status == IssueStatus::Issued && outcome.is_of_authority();
        if let (true, Some(length)) = (is_new_authority, short) {
            context.warn_at_end(short_warning(length));
        }
        let secret = arguments.passphrase.passphrase_env.as_deref();
        let after = After { action: "issue", hook: arguments.hook.options(), secret };
        finish(&after, &store, outcome, "ca.issue/1", context)
    })
}

fn order(
    arguments: &Arguments,
    name: EntryName,
    dry_run: bool,
    protection: Option<Passphrase>,
    context: &Context<'_>,
) -> IssueOrder {
    let options = &arguments.options;
    IssueOrder {
        template: arguments.template.clone(),
        name,
        expiry: options.expiry(),
        names: options.sans.clone(),
        clip: options.clip,
        key: SubjectKey::Generate(arguments.key),
        whole_subject: None,
        extensions: GivenExtensions::None,
        subject: options.subject.clone(),
        set: options.set.iter().cloned().collect::<BTreeMap<_, _>>(),
        issuer: options.issuer.clone(),
        place: arguments.out.as_ref().map(|folder| Destination::Folder(context.world.resolve(folder))),
        existing: existing(arguments.if_due, arguments.force),
        files: arguments.files.change(),
        follows: None,
        declaration: None,
        new_key: None,
        dry_run,
        protection,
    }
}

/// Adds what was obviously meant: the template and the name the other way round, or a host name out of a web address.
fn swapped(failure: Failure, arguments: &Arguments, store: &Store) -> Failure {
    let Arguments { template, names, .. } = arguments;
    let first = match names.as_slice() {
        [name, ..] => name.as_str(),
        [] => return failure,
    };
    if failure.code == "unknown-template" && templates::find(&store.template_folder(), first).is_ok() {
        let others: String = names[1..].iter().map(|name| format!(" {}", shell_word(name))).collect();
        let hint = format!("the template comes first: ca issue {first} {}{others}", shell_word(template));
        return Failure { hints: vec![hint], ..failure };
    }
    if failure.code != "name-kind" {
        return failure;
    }
    let uris: Vec<String> = arguments.options.sans.iter().map(GeneralName::value).collect();
    let of_san = uris.iter().find_map(|uri| host_of_url(uri)).map(|host| format!("--san {}", shell_word(host)));
    let of_name = names.iter().find_map(|name| host_of_url(name));
    let command = of_name.map(|host| format!("ca issue {template} {}", shell_word(host))).or(of_san);
    let hint = command.map(|command| format!("a name is a host, not a web address: {command}"));
    Failure { hints: hint.into_iter().chain(failure.hints).collect(), ..failure }
}
