//! Where a passphrase comes from: a flag, the settings of the CA, or a person. Never the list of arguments.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::app::context::Context;
use crate::cli::options::number::whole_number;
use crate::keys::Passphrase;
use crate::report::exit_status::ExitStatus;
use crate::report::failure::Failure;
use crate::store::Store;
use crate::store::config::{Config, PassphraseSettings};
use crate::store::home::Home;
use crate::store::passphrase_prompt::{EncryptedKey, MOST_ATTEMPTS, PassphraseUnavailable};
use crate::text::{Diagnosis, Diagnostic, PathText};
pub use sources::{FLAGS, ask};
use sources::{
    Maker, ask_for, from_command, from_credential, from_file, from_named_file, from_variable, made,
    made_of_existing_key,
};

mod sources;

// The headings of the two groups. `next_help_heading` would stay in force behind a group.
const OF_CA_KEY: &str = "Passphrase of the CA key";
const NEW: &str = "New passphrase";

/// The flags that say where the passphrase of a CA key is.
#[derive(Debug, Clone, Default, Args)]
#[group(id = "passphrase", multiple = false)]
pub struct PassphraseArguments {
    /// Read the passphrase of the CA key from the first line of a file
    #[arg(long, help_heading = OF_CA_KEY, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Read it from an environment variable
    #[arg(long, help_heading = OF_CA_KEY, value_name = "VAR")]
    pub passphrase_env: Option<String>,
    /// Read it from an open file descriptor
    #[arg(long, help_heading = OF_CA_KEY, value_name = "N", value_parser = whole_number::<u32>)]
    pub passphrase_fd: Option<u32>,
}

/// The flags that say where the passphrase of a key to come is.
#[derive(Debug, Clone, Default, Args)]
#[group(id = "new-passphrase", multiple = false)]
pub struct NewPassphraseArguments {
    /// Read the new passphrase from the first line of a file
    #[arg(long, help_heading = NEW, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
    /// Read it from an environment variable
    #[arg(long, help_heading = NEW, value_name = "VAR")]
    new_passphrase_env: Option<String>,
    /// Read it from an open file descriptor
    #[arg(long, help_heading = NEW, value_name = "N", value_parser = whole_number::<u32>)]
    new_passphrase_fd: Option<u32>,
}

/// As [`FLAGS`], for a key that is not the CA's.
pub const KEY_FLAG: &str = "give --key-passphrase-file FILE";

/// As [`FLAGS`], for a new passphrase.
pub const NEW_FLAGS: &str = "give --new-passphrase-file FILE, --new-passphrase-env VAR or --new-passphrase-fd N";

impl NewPassphraseArguments {
    /// Read as those of a key that exists are.
    pub fn plain(&self) -> PassphraseArguments {
        PassphraseArguments {
            passphrase_file: self.new_passphrase_file.clone(),
            passphrase_env: self.new_passphrase_env.clone(),
            passphrase_fd: self.new_passphrase_fd,
        }
    }
}

impl PassphraseArguments {
    /// Whether there is any of the flags.
    pub fn is_given(&self) -> bool {
        self.passphrase_file.is_some() || self.passphrase_env.is_some() || self.passphrase_fd.is_some()
    }

    /// The passphrase that the flags name; `None` when there is no flag.
    ///
    /// # Errors
    /// When what they name is not there or empty: exit status 2.
    pub fn read(&self, context: &Context<'_>) -> Result<Option<Passphrase>, Failure> {
        self.read_with(context, made)
    }

    /// As [`read`](Self::read), for a key of another tool, whose passphrase may be empty.
    pub fn read_of_existing_key(&self, context: &Context<'_>) -> Result<Option<Passphrase>, Failure> {
        self.read_with(context, made_of_existing_key)
    }

    fn read_with(&self, context: &Context<'_>, made: Maker) -> Result<Option<Passphrase>, Failure> {
        if let Some(path) = &self.passphrase_file {
            return from_named_file(path, context, made).map(Some);
        }
        if let Some(variable) = &self.passphrase_env {
            return from_variable(variable, context, made).map(Some);
        }
        // The kernel's name of an open descriptor: only descriptors of the caller can be read this way.
        let path = |descriptor| PathBuf::from(format!("/dev/fd/{descriptor}"));
        self.passphrase_fd.map(|descriptor| from_file(&path(descriptor), context, made)).transpose()
    }

    /// Returns what an act calls for the passphrase of a CA key.
    pub fn prompt<'a>(
        &'a self,
        store: &'a Store,
        context: &'a Context<'_>,
    ) -> impl FnMut(&EncryptedKey) -> Result<Passphrase, PassphraseUnavailable> + 'a {
        move |key| self.open(store, context, &question_with_file(key, store.home(), context)).map_err(refusal)
    }

    /// The passphrase of a key that exists: by flag, by ca.toml, by asking.
    ///
    /// # Errors
    /// When none of them has one.
    pub fn open(&self, store: &Store, context: &Context<'_>, question: &str) -> Result<Passphrase, Failure> {
        self.open_by(&store.config().passphrase, store.home(), context, question)
    }

    /// As [`open`](Self::open), with settings that are not in a ca.toml yet.
    ///
    /// # Errors
    /// When none of them has one.
    pub fn open_by(
        &self,
        settings: &PassphraseSettings,
        home: &Home,
        context: &Context<'_>,
        question: &str,
    ) -> Result<Passphrase, Failure> {
        if let Some(passphrase) = self.read(context)? {
            return Ok(passphrase);
        }
        // The user did not type these, so the failure names the settings.
        let from_settings =
            |failure: Failure| failure.hint(format!("[passphrase] in {} names it", home.config().escaped()));
        if let Some(passphrase) = from_credential(context)? {
            return Ok(passphrase);
        }
        if !settings.command.is_empty() {
            return from_command(&settings.command, home, context).map_err(from_settings);
        }
        if !settings.file.is_empty() {
            return from_file(&home.resolve(&settings.file), context, made).map_err(from_settings);
        }
        if !settings.env.is_empty() {
            return from_variable(&settings.env, context, made).map_err(from_settings);
        }
        ask(context, question, FLAGS).map_err(|failure| match failure.code {
            "no-passphrase" => failure.hint(format!(
                "or once for all commands: file, env or command under [passphrase] in {}",
                home.config().escaped()
            )),
            _ => failure,
        })
    }

    /// As [`prompt`](Self::prompt), for an act that encrypts a new key with the passphrase.
    pub fn prompt_for_new_key<'a>(
        &'a self,
        store: &'a Store,
        context: &'a Context<'_>,
    ) -> impl FnMut(&EncryptedKey) -> Result<Passphrase, PassphraseUnavailable> + 'a {
        let mut prompt = self.prompt(store, context);
        move |key| prompt(key).inspect(|passphrase| warn_if_short(passphrase, context))
    }

    /// A passphrase for a new key: by flag, or asked for twice.
    ///
    /// # Errors
    /// When there is none, or the two differ.
    pub fn choose(&self, context: &Context<'_>, question: &str, instead: &str) -> Result<Passphrase, Failure> {
        let chosen = match self.read(context)? {
            Some(passphrase) => passphrase,
            None => ask_twice(context, question, instead)?,
        };
        warn_if_short(&chosen, context);
        Ok(chosen)
    }
}

/// A passphrase for a new key that is typed twice alike; `None` when Enter alone is typed, which leaves the key unencrypted.
///
/// # Errors
/// When a terminal is missing, or the two passphrases differ three times.
pub fn choose_or_none(context: &Context<'_>, question: &str, instead: &str) -> Result<Option<Passphrase>, Failure> {
    let chosen = typed_twice(context, question, instead, made_of_existing_key)?;
    Ok(Some(chosen).filter(|chosen| !chosen.expose().is_empty()))
}

fn ask_twice(context: &Context<'_>, question: &str, instead: &str) -> Result<Passphrase, Failure> {
    typed_twice(context, question, instead, made)
}

/// Asks again when the two differ, at most three times. An empty passphrase is not repeated.
fn typed_twice(context: &Context<'_>, question: &str, instead: &str, made: Maker) -> Result<Passphrase, Failure> {
    let mut question = question.to_owned();
    for attempt in 1..=MOST_ATTEMPTS {
        let first = ask_for(context, &question, instead, made)?;
        if first.expose().is_empty() || first.expose() == ask_for(context, "Again: ", instead, made)?.expose() {
            return Ok(first);
        }
        if attempt == 1 {
            question = format!("The two passphrases differ. {question}");
        }
    }
    Err(Failure::usage("passphrases-differ", "the two passphrases differ"))
}

/// Warns about a passphrase with which a new key is encrypted when it is short; [`Passphrase::SHORT`] says why.
pub fn warn_if_short(passphrase: &Passphrase, context: &Context<'_>) {
    if let Some(length) = passphrase.short_length() {
        context.warn_at_end(short_warning(length));
    }
}

/// The warning about a passphrase of so many characters.
pub fn short_warning(length: usize) -> String {
    let (characters, enough) = (if length == 1 { "character" } else { "characters" }, Passphrase::SHORT);
    format!(
        "the passphrase of the new key has {length} {characters}: a copy of the key file can be opened by trying; use at \
         least {enough}, for example four random words"
    )
}

/// The passphrase for new CA keys: by flag, by ca.toml, or asked for twice.
///
/// # Errors
/// When none of them has one.
pub fn new_ca_passphrase(
    flags: &PassphraseArguments,
    home: &Home,
    config: &Config,
    context: &Context<'_>,
) -> Result<Passphrase, Failure> {
    let settings = &config.passphrase;
    let chosen = if settings.is_set() || from_credential(context)?.is_some() {
        flags.open_by(settings, home, context, "").inspect(|passphrase| warn_if_short(passphrase, context))
    } else {
        flags.choose(context, "Passphrase for the CA keys: ", FLAGS)
    };
    chosen.map_err(|failure| match failure.code {
        "no-passphrase" => failure.hint("or leave the CA keys unencrypted: --no-passphrase"),
        _ => failure,
    })
}

/// Returns whether systemd passed a passphrase as a credential.
///
/// # Errors
/// When it cannot be read, or is not a passphrase.
pub fn has_credential(context: &Context<'_>) -> Result<bool, Failure> {
    Ok(from_credential(context)?.is_some())
}

/// The reason why there is no passphrase, as the error of an act on the CA contains it.
#[derive(Debug)]
struct Refused(Failure);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Refused {}

impl Diagnostic for Refused {
    fn diagnosis(&self) -> Diagnosis {
        let Failure { status, code, hints, .. } = &self.0;
        let diagnosis = match status {
            ExitStatus::Usage => Diagnosis::usage(code),
            _ => Diagnosis::refused(code),
        };
        diagnosis.hints(hints.iter().cloned())
    }
}

/// Turns a failure to have a passphrase into what an act on the CA takes.
pub fn refusal(failure: Failure) -> PassphraseUnavailable {
    PassphraseUnavailable::new(Refused(failure))
}

/// How a person is asked for the passphrase of a key.
pub fn question(key: &EncryptedKey) -> String {
    match key {
        EncryptedKey::Authority(name) => format!("Passphrase of '{name}': "),
        EncryptedKey::AuthorityBeforeChange(name) => format!("Current passphrase of '{name}': "),
        EncryptedKey::File(path) => format!("Passphrase of {}: ", path.escaped()),
    }
}

/// As [`question`], with the file of the key as seen from the working folder.
fn question_with_file(key: &EncryptedKey, home: &Home, context: &Context<'_>) -> String {
    let (name, which) = match key {
        EncryptedKey::Authority(name) => (name, "Passphrase"),
        EncryptedKey::AuthorityBeforeChange(name) => (name, "Current passphrase"),
        EncryptedKey::File(_) => return question(key),
    };
    let path = home.key(name);
    let path = path.strip_prefix(&context.world.working_folder).unwrap_or(&path);
    format!("{which} of the key of '{name}' ({}): ", path.escaped())
}

/// Returns what an act calls for the passphrase of a key that is not the CA's: the first line of `--key-passphrase-file`, or
/// what is typed.
pub fn key_file_prompt<'a>(
    file: Option<&'a Path>,
    context: &'a Context<'_>,
) -> impl FnMut(&EncryptedKey) -> Result<Passphrase, PassphraseUnavailable> + 'a {
    move |key| of_key_file(file, &question(key), KEY_FLAG, context).map_err(refusal)
}

/// As [`key_file_prompt`], for a key of another tool, whose passphrase may be empty. No key is encrypted with it.
pub fn existing_key_file_prompt<'a>(
    file: Option<&'a Path>,
    context: &'a Context<'_>,
) -> impl FnMut(&EncryptedKey) -> Result<Passphrase, PassphraseUnavailable> + 'a {
    move |key| of_existing_key_file(file, &question(key), KEY_FLAG, context).map_err(refusal)
}

/// The passphrase of a key that is not the CA's: the first line of a file, or what is typed; `instead` says what to give
/// without a terminal.
///
/// # Errors
/// When there is none.
pub fn of_key_file(
    file: Option<&Path>,
    question: &str,
    instead: &str,
    context: &Context<'_>,
) -> Result<Passphrase, Failure> {
    of_file_or_typed(file, question, instead, context, made)
}

/// As [`of_key_file`], for a key of another tool, whose passphrase in a file may be empty.
pub fn of_existing_key_file(
    file: Option<&Path>,
    question: &str,
    instead: &str,
    context: &Context<'_>,
) -> Result<Passphrase, Failure> {
    of_file_or_typed(file, question, instead, context, made_of_existing_key)
}

fn of_file_or_typed(
    file: Option<&Path>,
    question: &str,
    instead: &str,
    context: &Context<'_>,
    made: Maker,
) -> Result<Passphrase, Failure> {
    match file {
        Some(file) => from_named_file(file, context, made),
        None => ask_for(context, question, instead, made),
    }
}

#[cfg(test)]
mod tests;
