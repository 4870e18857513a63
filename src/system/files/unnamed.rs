//! A file without a name, which no other process can open and which is gone when it is closed.

use std::fs::File;
use std::path::Path;

use super::FileError;
use super::folder::Folder;
use super::unfinished_name::unfinished_name;
use crate::system::Entropy;
use crate::system::unix::folder::OpenFor;

/// Creates such a file on the file system of a folder, to write and read.
///
/// # Errors
/// When the system refuses.
pub fn unnamed_file(folder: &Path, entropy: &dyn Entropy) -> Result<File, FileError> {
    let folder = Folder::open_for(folder, OpenFor::Search).map_err(FileError::of("open", folder))?;
    let name = unfinished_name(entropy).map_err(FileError::of("name a file in", folder.path()))?;
    let file = folder.create(name.as_ref())?;
    folder.remove(name.as_ref()).map_err(FileError::of("remove", &folder.path_of(&name)))?;
    Ok(file)
}
