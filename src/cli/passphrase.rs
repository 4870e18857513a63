//! Where a passphrase comes from: a flag, the settings of the CA, or a person. Never the list of arguments.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Context, Failure};
use crate::authority::config::PassphraseSettings;
use crate::authority::{AuthorityError, Home};
use crate::keys::Passphrase;
use crate::system::files;

/// The flags that say where the passphrase of a CA key is.
#[derive(Debug, Clone, Default, Args)]
#[group(id = "passphrase", multiple = false)]
#[command(next_help_heading = "Passphrase of the CA key")]
pub struct PassphraseArguments {
    /// Read the passphrase of the CA key from the first line of a file
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Read it from an environment variable
    #[arg(long, value_name = "VAR")]
    pub passphrase_env: Option<String>,
    /// Read it from an open file descriptor
    #[arg(long, value_name = "N")]
    pub passphrase_fd: Option<u32>,
}

/// A passphrase is a line; more than this is the wrong file.
const MOST_OCTETS: u64 = 64 * 1024;
/// The flags that a person without a terminal may give instead.
pub const FLAGS: &str = "give --passphrase-file FILE, --passphrase-env VAR or --passphrase-fd N";

impl PassphraseArguments {
    /// The passphrase that the flags name; `None` when there is no flag.
    ///
    /// # Errors
    /// When what they name is not there or empty: exit status 2.
    pub fn read(&self, context: &Context<'_>) -> Result<Option<Passphrase>, Failure> {
        if let Some(path) = &self.passphrase_file {
            return from_file(&context.world.resolve(path)).map(Some);
        }
        if let Some(variable) = &self.passphrase_env {
            return from_variable(variable, context).map(Some);
        }
        // The kernel's name for an open descriptor: nothing is opened that the caller did not hand over.
        self.passphrase_fd.map(|descriptor| from_file(&PathBuf::from(format!("/dev/fd/{descriptor}")))).transpose()
    }

    /// The passphrase of a key that exists: by flag, by ca.toml, by asking.
    ///
    /// # Errors
    /// When none of them has one.
    pub fn open(
        &self,
        settings: &PassphraseSettings,
        home: &Home,
        context: &Context<'_>,
        question: &str,
    ) -> Result<Passphrase, Failure> {
        if let Some(passphrase) = self.read(context)? {
            return Ok(passphrase);
        }
        if !settings.file.is_empty() {
            return from_file(&home.resolve(&settings.file));
        }
        if !settings.env.is_empty() {
            return from_variable(&settings.env, context);
        }
        ask(context, question, FLAGS)
    }

    /// A passphrase for a new key: by flag, or asked for twice.
    ///
    /// # Errors
    /// When there is none, or the two differ.
    pub fn choose(&self, context: &Context<'_>, question: &str, instead: &str) -> Result<Passphrase, Failure> {
        if let Some(passphrase) = self.read(context)? {
            return Ok(passphrase);
        }
        let first = ask(context, question, instead)?;
        let second = ask(context, "Again: ", instead)?;
        if first.expose() == second.expose() {
            Ok(first)
        } else {
            Err(Failure::usage("passphrases-differ", "the two passphrases differ"))
        }
    }
}

/// Turns a failure to have a passphrase into the refusal of the act that asked for it.
pub fn refusal(failure: Failure) -> AuthorityError {
    let Failure { status, code, message, hints, picture: _ } = failure;
    AuthorityError::NoPassphrase { code, message, hints, badly_asked: status == super::ExitStatus::Usage }
}

fn from_file(path: &Path) -> Result<Passphrase, Failure> {
    let content = files::read(path, MOST_OCTETS).map_err(|error| Failure::unreadable(&error))?;
    // The first line is the passphrase: an editor ends the file with a newline, and a comment may follow.
    let line = content.split_inclusive(|octet| *octet == b'\n').next().unwrap_or_default().to_vec();
    drop(zeroize::Zeroizing::new(content));
    not_empty(Passphrase::new(line), &format!("the first line of {}", path.display()))
}

fn from_variable(variable: &str, context: &Context<'_>) -> Result<Passphrase, Failure> {
    use std::os::unix::ffi::OsStrExt;
    match context.world.variable(variable) {
        Some(value) => Ok(Passphrase::new(value.as_bytes().to_vec())),
        None => {
            Err(Failure::usage("no-passphrase", format!("the environment variable {variable} is not set, or empty")))
        }
    }
}

/// Asks a person; `instead` says what to give where nobody can be asked.
///
/// # Errors
/// Without a terminal, or with `--no-input`: exit status 2.
pub fn ask(context: &Context<'_>, question: &str, instead: &str) -> Result<Passphrase, Failure> {
    if context.globals.no_input || !context.world.terminal.can_ask() {
        return Err(
            Failure::usage("no-passphrase", "a passphrase is needed, and nobody can be asked for it").hint(instead)
        );
    }
    let answer = context.world.terminal.ask_secret(question);
    let answer = answer
        .map_err(|error| Failure::usage("no-passphrase", format!("no passphrase was read: {error}")).hint(instead))?;
    not_empty(Passphrase::new(answer.as_bytes().to_vec()), "what was typed")
}

fn not_empty(passphrase: Passphrase, whose: &str) -> Result<Passphrase, Failure> {
    if passphrase.is_empty() {
        Err(Failure::usage("no-passphrase", format!("{whose} is empty, which is no passphrase")))
    } else {
        Ok(passphrase)
    }
}
