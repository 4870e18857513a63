//! `ca backup`, `ca backup test` and `ca restore`, without their command lines.

pub mod check;
pub mod restore;
pub mod write;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::app::context::Context;
use crate::app::progress::ReportedBytes;
use crate::report::failure::Failure;
use crate::store::backup::encryption::{EncryptionError, Lock, Sealed, Unlocking};
use crate::store::backup::error::BackupError;
use crate::store::passphrase_prompt::MOST_ATTEMPTS;
use crate::store::{Store, StoreError};
use crate::system::files::FileError;
use crate::text::{PathText, io_reason};

/// Returns what opens a backup that needs this.
pub type Unlock<'a> = dyn Fn(Lock, &Context<'_>) -> Result<Unlocking, Failure> + 'a;

/// An authority of a restored CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoredAuthority {
    pub name: String,
    /// `encrypted`, `plain` or `missing`.
    pub key: &'static str,
}

/// Reads the header of a backup, and opens it; `-` is standard input.
///
/// # Errors
/// Exit status 2 when it cannot be read; when it cannot be opened.
fn open<'c>(
    file: &Path,
    unlock: &Unlock<'_>,
    context: &'c Context<'_>,
) -> Result<Result<Box<dyn Read + 'c>, BackupError>, Failure> {
    // What is decrypted is a little shorter than the file.
    let length = std::fs::metadata(context.world.resolve(file)).ok().map(|found| found.len());
    let mut attempt = 1;
    loop {
        let sealed = match Sealed::read(input(file, context)?) {
            Ok(sealed) => sealed,
            Err(error) => return Ok(Err(error.into())),
        };
        let with = unlock(sealed.lock(), context)?;
        match sealed.open(&with) {
            Ok(content) => {
                let content = ReportedBytes::new(content, "reading the backup", length, context);
                return Ok(Ok(Box::new(content)));
            }
            // A passphrase is typed for a file only: standard input is not a terminal when it is the backup.
            Err(EncryptionError::WrongPassphrase) if is_typed(&with) && attempt < MOST_ATTEMPTS => attempt += 1,
            Err(error) => return Ok(Err(error.into())),
        }
    }
}

fn input(file: &Path, context: &Context<'_>) -> Result<Box<dyn Read>, Failure> {
    if file.as_os_str() == "-" {
        return context.take_stdin("the backup");
    }
    let opened = File::open(context.world.resolve(file)).map_err(FileError::of("read", file));
    Ok(Box::new(opened.map_err(|error| Failure::unreadable(&error))?))
}

/// Whether a user typed the passphrase, who can be asked again. It is noted as wrong.
fn is_typed(with: &Unlocking) -> bool {
    let Unlocking::Passphrase(passphrase) = with else { return false };
    passphrase.note_wrong();
    passphrase.is_typed()
}

/// The folder for temporary files.
fn temporary_folder(context: &Context<'_>) -> PathBuf {
    context.world.variable("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from)
}

/// Returns the failure of a backup, with the name of its file.
fn failed(file: &Path, error: BackupError) -> Failure {
    let of_file = matches!(
        error,
        BackupError::NotABackup(_)
            | BackupError::Damaged(_)
            | BackupError::Unreadable(_)
            | BackupError::LaterFormat { .. }
            | BackupError::Encryption(_)
    );
    let name = if file.as_os_str() == "-" { "standard input".to_owned() } else { file.escaped().to_string() };
    if let BackupError::Encryption(EncryptionError::Io(cause)) = &error {
        return Failure::usage("unreadable-input", format!("cannot read {name}: {}", io_reason(cause)));
    }
    let mut failure = Failure::from(error);
    if of_file {
        failure.message = format!("{name}: {}", failure.message);
    }
    failure
}

fn authorities_of(store: &Store) -> Result<Vec<RestoredAuthority>, StoreError> {
    let authorities = store.ca_certificates();
    let key = |name: &str| match authorities.key_file(name) {
        Ok(file) if file.is_encrypted() => Ok("encrypted"),
        Ok(_) => Ok("plain"),
        Err(StoreError::KeyAway { .. }) => Ok("missing"),
        Err(error) => Err(error),
    };
    let names = authorities.names()?.into_iter();
    names.map(|name| Ok(RestoredAuthority { key: key(&name)?, name })).collect()
}
