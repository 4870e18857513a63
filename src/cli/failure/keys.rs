//! Key files that cannot be used: exit status 2, and 3 for a passphrase that does not open one.

use super::Failure;
use crate::keys::key_file::KeyFileError;

impl Failure {
    /// `place` says which key: its file, or the part of it.
    pub fn unusable_key(place: &str, error: &KeyFileError) -> Self {
        let message = format!("{place}: {error}");
        let failure = match error {
            KeyFileError::WrongPassphrase => Self::refused("wrong-passphrase", message),
            _ => Self::usage("bad-key", message),
        };
        error.hint().into_iter().fold(failure, Self::hint)
    }
}
