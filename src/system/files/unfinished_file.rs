//! A file under a temporary name, which then appears complete under its own.

use std::ffi::OsStr;
use std::fs::File;

use super::FileError;
use super::existing::ExistingFile;
use super::place::Place;
use super::rename::{rename, rename_new};
use super::unfinished_name::unfinished_name;
use crate::system::Entropy;

/// A file that is being written. When it is dropped before it has its name, it is removed.
#[derive(Debug)]
pub(super) struct UnfinishedFile {
    /// Open: its lock tells `remove_stale` that a process works on it, where the file system has locks.
    file: File,
    place: Place,
    existing: ExistingFile,
    /// Its temporary name, until it has its own.
    temporary: Option<Place>,
}

impl UnfinishedFile {
    /// Begins a file, mode 0600.
    ///
    /// # Errors
    /// When the name is taken and the file is to be kept, or it is not a regular file, or the system refuses.
    pub fn begin(place: Place, existing: ExistingFile, entropy: &dyn Entropy) -> Result<Self, FileError> {
        let folder = &place.folder;
        folder.check_place(&place.name, existing)?;
        let name = unfinished_name(entropy).map_err(FileError::of("name a file in", folder.path()))?;
        let file = folder.create(OsStr::new(&name))?;
        drop(file.try_lock());
        let temporary = Some(Place { folder: folder.clone(), name: name.into() });
        Ok(Self { file, place, existing, temporary })
    }

    pub fn file(&self) -> &File {
        &self.file
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Returns its temporary name.
    #[cfg(test)]
    pub fn temporary(&self) -> Option<&Place> {
        self.temporary.as_ref()
    }

    /// Makes its content durable.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn sync(&self) -> Result<(), FileError> {
        self.file.sync_all().map_err(FileError::of("write", &self.place.path()))
    }

    /// Gives it its name. Durable when it was synced before, and its folder is synced afterwards.
    ///
    /// # Errors
    /// When the name is taken by now, or the system refuses. Then the old file is unchanged.
    pub fn rename(mut self) -> Result<(), FileError> {
        if let Some(temporary) = &self.temporary {
            match self.existing {
                ExistingFile::Keep => rename_new(temporary, &self.place)?,
                ExistingFile::Replace => rename(temporary, &self.place)?,
            }
        }
        self.temporary = None;
        let arrived = self.place.folder.check_arrived(&self.place.name, &self.file);
        arrived.map_err(FileError::of("write", &self.place.path()))
    }

    /// Gives it its name, durably when it was synced before.
    ///
    /// # Errors
    /// As [`rename`](Self::rename). When only the last sync of a replacement failed, the old file is gone.
    pub fn publish(self) -> Result<(), FileError> {
        let (place, existing) = (self.place.clone(), self.existing);
        self.rename()?;
        place.folder.sync().inspect_err(|_| {
            // The new name may be gone after a power cut, so it is removed at once. A file that was replaced is already gone.
            if existing == ExistingFile::Keep {
                place.folder.remove_file_quietly(&place.name);
            }
        })
    }
}

impl Drop for UnfinishedFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            temporary.folder.remove_file_quietly(&temporary.name);
        }
    }
}
