//! A file without a name, which no other process can open and which is gone when it is closed.

use std::fs::{self, File};
use std::path::Path;

use super::unfinished_name::unfinished_name;
use super::{FileError, SECRET};
use crate::system::{Entropy, unix};

/// Creates such a file on the file system of a folder, to write and read.
///
/// # Errors
/// When the system refuses.
pub fn unnamed_file(folder: &Path, entropy: &dyn Entropy) -> Result<File, FileError> {
    let path = folder.join(unfinished_name(entropy).map_err(FileError::of("name a file in", folder))?);
    let file = unix::write::create_file_to_read(&path, SECRET).map_err(FileError::of("create", &path))?;
    fs::remove_file(&path).map_err(FileError::of("remove", &path))?;
    Ok(file)
}
