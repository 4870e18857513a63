//! `ca backup`: writes the backup to a file, or to standard output.

use std::io::{self, Seek};
use std::path::{Path, PathBuf};

use super::temporary_folder;
use crate::app::context::Context;
use crate::app::progress::ReportedBytes;
use crate::report::failure::Failure;
use crate::store::Store;
use crate::store::backup::encryption::Prepared;
use crate::store::backup::write::{BackupSummary, write_backup};
use crate::system::files::{self, ExistingFile, FileError, StreamedFile};

/// What the progress says.
const WHAT: &str = "writing the backup";

/// Where a backup is written to.
#[derive(Debug, Clone)]
pub enum BackupTarget {
    File { path: PathBuf, existing: ExistingFile },
    Stdout,
}

impl BackupTarget {
    /// Checks that a backup can be written there, before a passphrase is asked for.
    ///
    /// # Errors
    /// When a file is in the way, or standard output is a terminal.
    pub fn check(&self, context: &Context<'_>) -> Result<(), Failure> {
        match self {
            Self::File { path, existing } => files::check_place(path, *existing).map_err(|error| exists(error, path)),
            Self::Stdout if context.world.terminal.shows_stdout() => {
                Err(Failure::usage("bad-arguments", "a backup is not text, and standard output is a terminal")
                    .hint("name a file, or redirect standard output"))
            }
            Self::Stdout => Ok(()),
        }
    }
}

/// Writes a backup of the CA.
///
/// # Errors
/// When the CA cannot be read, or the backup cannot be written. Then an existing file is unchanged.
pub fn write(
    store: &Store,
    target: &BackupTarget,
    encryption: Prepared,
    context: &mut Context<'_>,
) -> Result<BackupSummary, Failure> {
    let effects = context.effects();
    match target {
        BackupTarget::File { path, existing } => {
            let file = StreamedFile::begin(path, *existing, effects.entropy).map_err(|error| exists(error, path))?;
            let list = files::unnamed_file(folder_of(path), effects.entropy)?;
            let out = ReportedBytes::new(&file, WHAT, None, effects.progress);
            let (summary, _) = write_backup(store, encryption, out, list, &effects)?;
            file.publish().map_err(|error| exists(error, path))?;
            Ok(summary)
        }
        BackupTarget::Stdout => {
            // The reader may be slow, and the CA is locked until everything was read.
            let folder = temporary_folder(context);
            let list = files::unnamed_file(&folder, effects.entropy)?;
            let spool = files::unnamed_file(&folder, effects.entropy)?;
            let out = ReportedBytes::new(spool, WHAT, None, effects.progress);
            let (summary, out) = write_backup(store, encryption, out, list, &effects)?;
            let mut spool = out.into_inner();
            spool.rewind().map_err(FileError::of("read", &folder))?;
            let copied = io::copy(&mut spool, &mut context.world.stdout).and_then(|_| context.world.stdout.flush());
            copied.map_err(|error| Failure::stdout(&error))?;
            Ok(summary)
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn exists(error: FileError, path: &Path) -> Failure {
    let is_file = error.is_already_there() && path.is_file();
    let failure = Failure::from(error);
    if is_file { failure.hint("to replace it: --force") } else { failure }
}
