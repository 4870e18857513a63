//! How a backup is encrypted and opened.

use std::path::PathBuf;

use clap::Args;

use crate::app::context::Context;
use crate::cli::options::number::whole_number;
use crate::cli::options::passphrase::{FLAGS, PassphraseArguments, ask};
use crate::report::failure::Failure;
use crate::store::backup::encryption::{
    Lock, MAX_IDENTITY_FILE_BYTES, Protection, Recipient, Unlocking, read_identities,
};
use crate::system::files;

/// The flags that say where the passphrase of a backup is.
#[derive(Debug, Clone, Default, Args)]
#[group(id = "backup-passphrase", multiple = false)]
pub struct BackupPassphraseArguments {
    /// Read the passphrase of the backup from the first line of a file
    #[arg(long, help_heading = "Passphrase of the backup", value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Read it from an environment variable
    #[arg(long, help_heading = "Passphrase of the backup", value_name = "VAR")]
    passphrase_env: Option<String>,
    /// Read it from an open file descriptor
    #[arg(long, help_heading = "Passphrase of the backup", value_name = "N", value_parser = whole_number::<u32>)]
    passphrase_fd: Option<u32>,
}

impl BackupPassphraseArguments {
    fn plain(&self) -> PassphraseArguments {
        PassphraseArguments {
            passphrase_file: self.passphrase_file.clone(),
            passphrase_env: self.passphrase_env.clone(),
            passphrase_fd: self.passphrase_fd,
        }
    }
}

/// The flags that say for whom a backup is encrypted.
#[derive(Debug, Args)]
pub struct ProtectionArguments {
    /// Encrypt for the owner of this key instead of with a passphrase, as age1…; repeatable
    #[arg(long, value_name = "RECIPIENT", conflicts_with = "backup-passphrase")]
    recipient: Vec<Recipient>,
    #[command(flatten)]
    passphrase: BackupPassphraseArguments,
}

impl ProtectionArguments {
    /// Returns the recipients, or a passphrase, which is asked for twice.
    ///
    /// # Errors
    /// When there is neither.
    pub fn read(self, context: &Context<'_>) -> Result<(Protection, Vec<String>), Failure> {
        if !self.recipient.is_empty() {
            let shown = self.recipient.iter().map(ToString::to_string).collect();
            return Ok((Protection::Recipients(self.recipient), shown));
        }
        let instead = format!("{FLAGS}; or encrypt for a key: --recipient age1…");
        let chosen = self.passphrase.plain().choose(context, "Passphrase for the backup: ", &instead);
        Ok((Protection::Passphrase(chosen?), Vec::new()))
    }
}

/// The flags that say what opens a backup.
#[derive(Debug, Args)]
pub struct UnlockArguments {
    /// Decrypt with the private keys in this file, which age-keygen has made
    #[arg(long, value_name = "FILE", conflicts_with = "backup-passphrase")]
    identity: Option<PathBuf>,
    #[command(flatten)]
    passphrase: BackupPassphraseArguments,
}

impl UnlockArguments {
    /// Returns what opens a backup that needs this.
    ///
    /// # Errors
    /// When it was not given, and cannot be asked for.
    pub fn read(&self, lock: Lock, context: &Context<'_>) -> Result<Unlocking, Failure> {
        if let Some(path) = &self.identity {
            let content = files::read(&context.world.resolve(path), MAX_IDENTITY_FILE_BYTES)
                .map_err(|error| Failure::unreadable(&error))?;
            let content = zeroize::Zeroizing::new(content);
            return Ok(Unlocking::Identities(read_identities(&content)?));
        }
        let given = self.passphrase.plain().read(context)?;
        match (given, lock) {
            (Some(passphrase), _) => Ok(Unlocking::Passphrase(passphrase)),
            (None, Lock::Passphrase) => ask(context, "Passphrase of the backup: ", FLAGS).map(Unlocking::Passphrase),
            // The error names the flag.
            (None, Lock::Recipients) => Ok(Unlocking::Identities(Vec::new())),
        }
    }
}
