//! A file that nobody else finds, and that is gone with whoever has it open.

use std::fs::{self, File};
use std::path::Path;

use super::unfinished_name::unfinished_name;
use super::{FileError, SECRET};
use crate::system::Entropy;
use crate::system::unix;

/// Makes such a file on the file system of a folder, to be written and read.
///
/// # Errors
/// When the system refuses.
pub fn unnamed_file(folder: &Path, entropy: &dyn Entropy) -> Result<File, FileError> {
    let path = folder.join(unfinished_name(entropy).map_err(FileError::of("name a file in", folder))?);
    let file = unix::write::create_file_to_read(&path, SECRET).map_err(FileError::of("create", &path))?;
    fs::remove_file(&path).map_err(FileError::of("remove", &path))?;
    Ok(file)
}
