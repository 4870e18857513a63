//! The flags of a PKCS#12 file that is written: its passphrase.

use std::path::PathBuf;

use clap::Args;

use crate::cli::options::number::whole_number;
use crate::cli::options::passphrase::PassphraseArguments;

const HEADING: &str = "Passphrase of a PKCS#12 file";

/// The flags that say where the passphrase of a PKCS#12 file is.
#[derive(Debug, Clone, Default, Args)]
#[group(id = "store-passphrase", multiple = false)]
pub struct StorePassphraseArguments {
    /// Read the passphrase of the new file from the first line of a file [default: generated, and written to
    /// FILE.passphrase with mode 0600]
    #[arg(long, help_heading = HEADING, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Read it from an environment variable
    #[arg(long, help_heading = HEADING, value_name = "VAR")]
    passphrase_env: Option<String>,
    /// Read it from an open file descriptor
    #[arg(long, help_heading = HEADING, value_name = "N", value_parser = whole_number::<u32>)]
    passphrase_fd: Option<u32>,
}

impl StorePassphraseArguments {
    /// Returns them as those of another passphrase, which are read alike.
    pub fn plain(&self) -> PassphraseArguments {
        PassphraseArguments {
            passphrase_file: self.passphrase_file.clone(),
            passphrase_env: self.passphrase_env.clone(),
            passphrase_fd: self.passphrase_fd,
        }
    }
}
