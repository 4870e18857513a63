//! Writes the files of a recipe: a new folder appears complete, and in a folder that is there each file is replaced in one step,
//! after all of them are on the disk.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::content::PlannedFile;
use crate::system::Entropy;
use crate::system::files::{self, ExistingFile, FileError, Folder, NewFile, Ownership, StagedFolder};

/// Where the files of a recipe go, and whose they are.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// Absolute.
    pub folder: &'a Path,
    pub ownership: Ownership,
    /// Whether another user than this process reads them: folders that are made above let everybody pass.
    pub is_for_others: bool,
}

/// How a file on the disk compares with the one to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    Missing,
    /// Content, mode and owner are those of the new file.
    Same,
    /// The content is the same; the mode or the owner is not.
    OtherAccess,
    OtherContent,
}

impl Delivery<'_> {
    /// Compares each file with the one that is there, in their order.
    ///
    /// # Errors
    /// When something else than a regular file has its name, or the system refuses.
    pub fn states(&self, planned: &[PlannedFile]) -> Result<Vec<FileState>, FileError> {
        let mut folders = BTreeMap::new();
        planned.iter().map(|file| self.state(file, &mut folders)).collect()
    }

    fn state(
        &self,
        file: &PlannedFile,
        folders: &mut BTreeMap<PathBuf, Option<Folder>>,
    ) -> Result<FileState, FileError> {
        let (folder, name) = self.place(file);
        if !folders.contains_key(&folder) {
            folders.insert(folder.clone(), Folder::open_if_exists(&folder)?);
        }
        let Some(Some(opened)) = folders.get(&folder) else { return Ok(FileState::Missing) };
        opened.check_place(name, ExistingFile::Replace)?;
        let Some(there) = opened.read(name, files::MAX_FILE_BYTES)? else { return Ok(FileState::Missing) };
        // It can have a private key too.
        let content = zeroize::Zeroizing::new(there.content);
        Ok(match *content == *file.content {
            false => FileState::OtherContent,
            true if there.mode == file.mode && self.ownership.is_that_of(there.ownership) => FileState::Same,
            true => FileState::OtherAccess,
        })
    }

    /// Writes the files, of which those that are [the same](FileState::Same) are left out by the caller. Files that have other
    /// content are replaced.
    ///
    /// # Errors
    /// When something is in the way, or the system refuses. A folder that was new is not there then; of a folder that was there,
    /// some files may be replaced when a rename failed.
    pub fn write(&self, planned: &[&PlannedFile], entropy: &dyn Entropy) -> Result<(), FileError> {
        match Folder::open_if_exists(self.folder)? {
            None => self.write_new(self.folder, planned, entropy),
            Some(_) => self.write_into(planned, entropy),
        }
    }

    /// Makes a folder with the files, which appears complete.
    fn write_new(&self, folder: &Path, planned: &[&PlannedFile], entropy: &dyn Entropy) -> Result<(), FileError> {
        let above = folder.parent().unwrap_or(Path::new("/"));
        files::create_folders(above, if self.is_for_others { files::PASSAGE } else { files::FOLDER })?;
        let mut staged = StagedFolder::create(above, entropy)?;
        let mut added: Vec<PathBuf> = Vec::new();
        for file in planned {
            let path = self.folder.join(&file.name);
            let name = path.strip_prefix(folder).unwrap_or(&path);
            let below = name.parent().filter(|below| !below.as_os_str().is_empty());
            if let Some(below) = below
                && !added.iter().any(|there| there == below)
            {
                staged.add_folder(below)?;
                added.push(below.to_owned());
            }
            staged.add(name, &file.content, file.mode)?;
        }
        staged.give(self.ownership)?;
        if self.ownership.names_group() && planned.iter().any(|file| file.mode & 0o040 != 0) {
            staged.let_group_enter()?;
        }
        staged.sync()?;
        staged.publish_new(folder)
    }

    /// Writes into a folder that is there. Folders in it that are missing are made complete first.
    fn write_into(&self, planned: &[&PlannedFile], entropy: &dyn Entropy) -> Result<(), FileError> {
        let mut by_folder: BTreeMap<PathBuf, Vec<&PlannedFile>> = BTreeMap::new();
        planned.iter().for_each(|file| by_folder.entry(self.place(file).0).or_default().push(file));
        let mut opened = Vec::new();
        for (path, files) in by_folder {
            match Folder::open_if_exists(&path)? {
                None => self.write_new(&path, &files, entropy)?,
                Some(folder) => {
                    folder.remove_stale()?;
                    opened.push((folder, files));
                }
            }
        }
        let new = |file: &PlannedFile| self.place(file).1.to_owned();
        let names: Vec<Vec<_>> = opened.iter().map(|(_, files)| files.iter().map(|file| new(file)).collect()).collect();
        let mut together = Vec::new();
        for ((folder, files), names) in opened.iter().zip(&names) {
            for (file, name) in files.iter().zip(names) {
                let name = name.to_str().unwrap_or(&file.name);
                let (content, mode, ownership) = (&file.content[..], file.mode, self.ownership);
                together.push((folder, NewFile { name, content, mode, ownership }));
            }
        }
        files::replace_together(&together, entropy)
    }

    fn place<'f>(&self, file: &'f PlannedFile) -> (PathBuf, &'f OsStr) {
        let name = Path::new(&file.name);
        let below = name.parent().filter(|below| !below.as_os_str().is_empty());
        let folder = below.map_or_else(|| self.folder.to_owned(), |below| self.folder.join(below));
        (folder, name.file_name().unwrap_or_default())
    }
}
