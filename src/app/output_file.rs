//! A file that the user named for a result of a command, such as `ca roots --out` and `ca export --out`.

use std::path::Path;

use crate::app::context::Context;
use crate::report::failure::Failure;
use crate::report::output::OutputFormat;
use crate::store::StoreError;
use crate::store::approval::{Approval, PlannedChange};
use crate::system::files::{self, ExistingFile, FileError};
use crate::text::PathText;

/// The hint of an export whose file is there already.
pub const TO_REPLACE: &str = "to replace it: --force";

/// Leaves out the hint of a flag that the command does not have.
pub fn without_force(mut failure: Failure) -> Failure {
    failure.hints.retain(|hint| hint != TO_REPLACE);
    failure
}

/// Refuses to write a private key or binary data to a terminal, or into a JSON document.
///
/// # Errors
/// Exit status 2, with the flag that writes a file.
pub fn check_stdout(has_key: bool, is_binary: bool, context: &Context<'_>) -> Result<(), Failure> {
    let what = match (has_key, is_binary) {
        (true, _) => "a private key is not written to",
        (false, true) => "binary data is not written to",
        (false, false) => return Ok(()),
    };
    let place = if context.format == OutputFormat::Json {
        "a JSON document"
    } else if context.world.terminal.shows_stdout() {
        "a terminal"
    } else {
        return Ok(());
    };
    Err(Failure::usage("needs-out", format!("{what} {place}")).hint("write it to a file: --out FILE"))
}

/// The result of a command, for a file.
pub struct OutputFile<'a> {
    /// What it is, as an object: `the roots`.
    pub what: &'a str,
    pub content: &'a [u8],
    /// The permissions of the file.
    pub mode: u32,
    /// Whether a file with other content may be replaced.
    pub force: bool,
}

impl OutputFile<'_> {
    /// Writes the file in one step, unless it has this content already; returns whether it was written. A file that other
    /// users may read, and that they must not, is written again.
    ///
    /// # Errors
    /// When another file is there that is not to be replaced, the change is not approved, or the system refuses.
    pub fn write(&self, out: &Path, context: &Context<'_>) -> Result<bool, Failure> {
        let path = context.world.resolve(out);
        let is_secret = self.mode == files::SECRET;
        let there = files::read_regular(&path, files::MAX_FILE_BYTES)?;
        let is_same = there.as_ref().is_some_and(|there| there.content == self.content);
        let is_exposed = is_secret && there.as_ref().is_some_and(|there| there.mode & !self.mode & 0o777 != 0);
        if is_secret {
            // The file had the private key too.
            drop(there.map(|there| zeroize::Zeroizing::new(there.content)));
        }
        if is_same && !is_exposed {
            return Ok(false);
        }
        let change = PlannedChange::new(format!("write {} to {}", self.what, path.escaped()));
        let replaces = self.force && !is_same && path.symlink_metadata().is_ok();
        let existing = if self.force || is_same { ExistingFile::Replace } else { ExistingFile::Keep };
        files::check_place(&path, existing).map_err(|error| self.in_the_way(error, &path))?;
        let change = if replaces { change.asks("what the file has now") } else { change };
        context.approve(change).map_err(StoreError::from)?;
        let published = files::publish_file(&path, self.content, self.mode, existing, context.effects().entropy);
        published.map_err(|error| self.in_the_way(error, &path))?;
        Ok(true)
    }

    /// Checks that the file can be written, before anything else is.
    ///
    /// # Errors
    /// When another file is there that is not to be replaced, or the system refuses.
    pub fn check(&self, out: &Path, context: &Context<'_>) -> Result<(), Failure> {
        let path = context.world.resolve(out);
        let existing = if self.force { ExistingFile::Replace } else { ExistingFile::Keep };
        files::check_place(&path, existing).map_err(|error| self.in_the_way(error, &path))
    }

    fn in_the_way(&self, error: FileError, path: &Path) -> Failure {
        let is_there = error.is_already_there() && path.is_file() && !self.force;
        let failure = Failure::from(error);
        if is_there { failure.hint(TO_REPLACE) } else { failure }
    }
}
