//! `ca key`: what is done with the key of an authority.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::authority::hierarchy::key_passphrase::{self, KeyPassphraseChange};
use crate::cli::options::change::DryRunArgument;
use crate::cli::options::passphrase::{self, NEW_FLAGS, NewPassphraseArguments, PassphraseArguments};
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath, Hex};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Change, add or remove the passphrase of an authority's key
    Passphrase(Box<PassphraseOf>),
}

#[derive(Debug, Args)]
struct PassphraseOf {
    /// Which authority
    #[arg(value_name = "AUTHORITY")]
    authority: String,
    /// Remove the passphrase: store the key unencrypted
    #[arg(long, group = "new-passphrase")]
    remove: bool,
    #[command(flatten)]
    dry_run: DryRunArgument,
    #[command(flatten)]
    passphrase: PassphraseArguments,
    #[command(flatten)]
    new_passphrase: NewPassphraseArguments,
}

struct Changed {
    outcome: KeyPassphraseChange,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let Action::Passphrase(arguments) = arguments.action;
    arguments.dry_run.apply(context);
    let store = context.store()?;
    let context = &*context;
    let mut ask = arguments.passphrase.prompt(&store, context);
    let mut choose = || {
        if arguments.remove {
            return Ok(None);
        }
        let question = format!("New passphrase of '{}': ", arguments.authority);
        let instead = format!("{NEW_FLAGS}; or remove the passphrase: --remove");
        let chosen = arguments.new_passphrase.plain().choose(context, &question, &instead);
        chosen.map(Some).map_err(passphrase::refusal)
    };
    let outcome = key_passphrase::change(&store, &arguments.authority, &mut ask, &mut choose, &context.effects())?;
    Ok(Box::new(Changed { outcome }))
}

impl Changed {
    fn done(&self) -> &'static str {
        match (self.outcome.was_encrypted, self.outcome.is_encrypted) {
            (true, true) => "changed",
            (false, true) => "added",
            (true, false) => "removed",
            (false, false) => "unchanged",
        }
    }
}

/// `ca.key-passphrase/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "KeyPassphrase")]
pub struct KeyPassphraseJson<'a> {
    authority: &'a str,
    /// As `outcome`.
    #[schemars(extend("deprecated" = true))]
    status: &'static str,
    /// `unchanged`: there was none to remove.
    #[schemars(extend("enum" = ["changed", "added", "removed", "unchanged"]))]
    outcome: &'static str,
    was_encrypted: bool,
    encrypted: bool,
    /// As `key_file`.
    #[schemars(extend("deprecated" = true))]
    key: FilePath<&'a PathBuf>,
    key_file: FilePath<&'a PathBuf>,
    /// The identifier of the public key.
    key_id: Hex<Vec<u8>>,
}

impl Report for Changed {
    fn text(&self, page: &mut Page) {
        let authority = format!("'{}'", self.outcome.authority);
        let done = match self.done() {
            "changed" => "Changed the passphrase of the CA key ",
            "added" => "Encrypted the CA key ",
            "removed" => "Removed the passphrase of the CA key ",
            _ => "Unchanged, without a passphrase: the CA key ",
        };
        page.pieces(&[(Tone::Good, "✓ "), (Tone::Plain, done), (Tone::Strong, &authority)]);
        page.field("key", &page.path(&self.outcome.path));
    }

    fn json(&self) -> Value {
        let KeyPassphraseChange { authority, path, public_key, was_encrypted, is_encrypted } = &self.outcome;
        let content = KeyPassphraseJson {
            authority,
            status: self.done(),
            outcome: self.done(),
            was_encrypted: *was_encrypted,
            encrypted: *is_encrypted,
            key: FilePath(path),
            key_file: FilePath(path),
            key_id: Hex(public_key.key_id().to_vec()),
        };
        json::document("ca.key-passphrase/1", &content)
    }

    fn only_confirms(&self) -> bool {
        true
    }
}
