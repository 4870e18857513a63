//! The interface between an act and its caller for the passphrase of an encrypted key: the act names the key, the
//! caller asks the user.

use std::collections::HashMap;
use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::fmt;
use std::path::PathBuf;

use crate::keys::Passphrase;
use crate::text::{Diagnosis, Diagnostic};

/// The key whose passphrase is needed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EncryptedKey {
    /// The key of an authority, by its name.
    Authority(String),
    /// The key of an authority whose passphrase is about to change.
    AuthorityBeforeChange(String),
    /// A key file.
    File(PathBuf),
}

/// Returns the passphrase of a key. It is called only when the key is encrypted.
pub type PassphrasePrompt<'a> = dyn FnMut(&EncryptedKey) -> Result<Passphrase, PassphraseUnavailable> + 'a;

/// How often a user may type the passphrase of one key.
pub const MOST_ATTEMPTS: usize = 3;

/// Opens something with a passphrase. One that was typed and is wrong is asked for again; one of another source is not.
///
/// # Errors
/// Those of `prompt` and `open`; `is_wrong` says which of them means a wrong passphrase.
pub fn open_with<T, E>(
    mut prompt: impl FnMut() -> Result<Passphrase, E>,
    mut open: impl FnMut(&Passphrase) -> Result<T, E>,
    is_wrong: impl Fn(&E) -> bool,
) -> Result<(T, Passphrase), E> {
    let mut attempt = 1;
    loop {
        let passphrase = prompt()?;
        match open(&passphrase) {
            Ok(opened) => return Ok((opened, passphrase)),
            Err(error) if is_wrong(&error) => {
                passphrase.note_wrong();
                if !passphrase.is_typed() || attempt == MOST_ATTEMPTS {
                    return Err(error);
                }
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// The error of a caller that has no passphrase; it contains the caller's own error as the reason.
#[derive(Debug)]
pub struct PassphraseUnavailable(Box<dyn Diagnostic + Send + Sync>);

impl PassphraseUnavailable {
    /// Wraps the caller's reason.
    pub fn new(reason: impl Diagnostic + Send + Sync + 'static) -> Self {
        Self(Box::new(reason))
    }
}

impl fmt::Display for PassphraseUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for PassphraseUnavailable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl Diagnostic for PassphraseUnavailable {
    fn diagnosis(&self) -> Diagnosis {
        self.0.diagnosis()
    }
}

/// A cache of the passphrases that were entered, so that the caller is asked once for each key.
#[derive(Default)]
pub struct PassphraseCache(HashMap<EncryptedKey, Passphrase>);

impl PassphraseCache {
    /// Returns the passphrase of a key, and calls `prompt` the first time, and when what was typed was wrong.
    ///
    /// # Errors
    /// As `prompt`, which is called again the next time.
    pub fn get(
        &mut self,
        key: &EncryptedKey,
        prompt: &mut PassphrasePrompt<'_>,
    ) -> Result<Passphrase, PassphraseUnavailable> {
        let known = match self.0.entry(key.clone()) {
            Occupied(mut known) => {
                if known.get().was_wrong() {
                    known.insert(prompt(key)?);
                }
                known.into_mut()
            }
            Vacant(unknown) => unknown.insert(prompt(key)?),
        };
        Ok(known.duplicate())
    }
}
