//! Private keys in files that a user names, and how their passphrases and those of CA keys are asked for.

use std::path::Path;

use crate::app::context::Context;
use crate::keys::key_file::{KeyFile, KeyFileError};
use crate::keys::{Passphrase, PrivateKey};
use crate::report::failure::{Failure, KindCodes};
use crate::store::Store;
use crate::store::passphrase_prompt::{EncryptedKey, PassphraseUnavailable, open_with};
use crate::text::PathText;
use crate::x509::file_kind::Expected;

/// The code of a failure to open a key with the passphrase that was given.
pub const WRONG_PASSPHRASE: &str = "wrong-passphrase";

/// Returns the passphrase of a CA key.
pub type CaKeyPrompt<'a> =
    dyn Fn(&Store, &EncryptedKey, &Context<'_>) -> Result<Passphrase, PassphraseUnavailable> + 'a;

/// Returns the passphrase of the encrypted private key in a file.
pub type KeyFilePrompt<'a> = dyn Fn(&Path, &Context<'_>) -> Result<Passphrase, Failure> + 'a;

/// Reads a private key; `prompt` is called when it is encrypted.
///
/// # Errors
/// When the file cannot be read, its key cannot be used, or there is no passphrase.
pub fn read_private_key(
    path: &Path,
    prompt: &KeyFilePrompt<'_>,
    context: &mut Context<'_>,
) -> Result<PrivateKey, Failure> {
    let content =
        zeroize::Zeroizing::new(context.read_expected(path, Expected::PrivateKey, KindCodes::both("bad-key"))?);
    let refused = |error: KeyFileError| Failure::unusable_key(&path.escaped().to_string(), &error);
    let file = KeyFile::parse(&content).map_err(refused)?;
    if !file.is_encrypted() {
        return file.open(None).map_err(refused);
    }
    let open = |passphrase: &Passphrase| file.open(Some(passphrase)).map_err(refused);
    open_with(|| prompt(path, context), open, |failure| failure.code == WRONG_PASSPHRASE).map(|(key, _)| key)
}
