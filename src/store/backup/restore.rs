//! Restoring a CA from the content of a backup: into a folder under a temporary name, which appears whole or not at all.

use std::io::{self, Read};
use std::path::Path;

use super::archive::{ArchiveReader, MemberHeader, MemberKind};
use super::error::BackupError;
use super::manifest::{MANIFEST, MAX_MANIFEST_BYTES, Manifest};
use super::settings::{MovedPlaces, moved_places};
use super::write::{FOLDERS, GIT_IGNORE, INDEX, INDEX_LOG, SETTINGS, SUMS, TEMPLATES};
use crate::store::config::Config;
use crate::store::home::Home;
use crate::store::index::{EventContext, EventKind, Index, IndexError};
use crate::store::restored::Restored;
use crate::system::Entropy;
use crate::system::files::{self, ExistingFile, FileError, Folder, StagedFolder};
use crate::text::{self, rfc3339};
use crate::x509::digest::Sha256;

/// A CA whose files are complete and verified, in a folder that has no name yet.
#[derive(Debug)]
pub struct UnpackedCa {
    folder: StagedFolder,
    pub manifest: Manifest,
    /// The number of files.
    pub files: u64,
}

impl UnpackedCa {
    /// Returns the paths of the CA under its temporary name.
    pub fn home(&self) -> Home {
        Home::at(self.folder.path().to_owned())
    }

    /// Makes all files and folders durable.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn sync(&self) -> Result<(), BackupError> {
        Ok(Folder::open(self.folder.path())?.sync_file_system()?)
    }

    /// Gives the CA its name, in one step. `target` does not exist, or is an empty folder. The CA is durable when this
    /// returns, if [`sync`](Self::sync) was called before.
    ///
    /// # Errors
    /// When something has this name by now, or the system refuses.
    pub fn publish(self, target: &Path) -> Result<(), BackupError> {
        match self.folder.publish_new_or_over_empty(target) {
            Err(error) if error.is_already_there() || error.is_not_a_folder() => {
                Err(BackupError::Taken(target.to_owned()))
            }
            published => Ok(published?),
        }
    }
}

/// Checks that a CA can be restored to a path, before work is done in vain.
///
/// # Errors
/// When something is there that is not an empty folder.
pub fn check_target(target: &Path) -> Result<(), BackupError> {
    match Folder::open_if_exists(target) {
        Ok(None) => Ok(()),
        Ok(Some(folder)) if folder.names()?.is_empty() => Ok(()),
        Ok(Some(_)) => Err(BackupError::Taken(target.to_owned())),
        Err(error) if error.is_not_a_folder() => Err(BackupError::Taken(target.to_owned())),
        Err(error) => Err(error.into()),
    }
}

/// Unpacks and verifies the content of a backup in a new folder in `parent`. What a killed run left there is removed.
///
/// # Errors
/// When the content is damaged or not a backup, or the system refuses. Then nothing is left.
pub fn unpack(
    content: impl Read,
    parent: &Path,
    event: EventContext,
    entropy: &dyn Entropy,
) -> Result<UnpackedCa, BackupError> {
    let now = event.at;
    files::remove_stale(parent)?;
    let folder = StagedFolder::create(parent, entropy)?;
    let mut unpacking = Unpacking {
        top: Folder::open(folder.path())?,
        open: Vec::new(),
        list: Sha256::default(),
        files: 0,
        settings: None,
        has_index: false,
    };
    let mut archive = ArchiveReader::new(content);
    let manifest = read_manifest(&mut archive, &mut unpacking)?;
    unpacking.unpack(&mut archive)?;
    let files = unpacking.files;
    let settings = unpacking.settings.take().unwrap_or_default();
    verify_settings(&settings)?;
    settle_index(&folder.path().join(INDEX), &manifest, event)?;
    let restored =
        Restored { complete_until: manifest.complete_until, restored_at: now, compared: Vec::new(), settled_at: None };
    restored.write(&Home::at(folder.path().to_owned()), ExistingFile::Keep, entropy)?;
    // The settings make a folder a CA directory: they are written when everything else is complete.
    unpacking.top.write_stream(SETTINGS, &mut settings.as_bytes(), files::PUBLIC)?;
    Ok(UnpackedCa { folder, manifest, files })
}

fn read_manifest(archive: &mut ArchiveReader<impl Read>, unpacking: &mut Unpacking) -> Result<Manifest, BackupError> {
    let first = archive.next_member().map_err(BackupError::reading)?;
    let first = first.filter(|member| member.path == MANIFEST && member.kind == MemberKind::File);
    let Some(first) = first else { return Err(BackupError::NotABackup("its first file is not backup.toml")) };
    if first.bytes > MAX_MANIFEST_BYTES {
        return Err(BackupError::NotABackup("its first file is too long"));
    }
    let mut content = Vec::new();
    archive.read_to_end(&mut content).map_err(BackupError::read)?;
    unpacking.note_digest(MANIFEST, crate::x509::digest::sha256(&content));
    Manifest::read(&content)
}

/// An archive on its way to the disk.
struct Unpacking {
    top: Folder,
    /// The folders that are being filled, from the outermost to the innermost. Those before are complete.
    open: Vec<(String, Folder)>,
    /// The digest of the list of digests, as the last member has it.
    list: Sha256,
    files: u64,
    /// The text of `ca.toml`.
    settings: Option<String>,
    has_index: bool,
}

impl Unpacking {
    fn unpack(&mut self, archive: &mut ArchiveReader<impl Read>) -> Result<(), BackupError> {
        while let Some(member) = archive.next_member().map_err(BackupError::reading)? {
            if member.path == SUMS {
                return self.finish(archive);
            }
            self.check_name(&member)?;
            self.leave_folders_before(&member.path)?;
            let name = member.path.rsplit('/').next().unwrap_or_default();
            match member.kind {
                MemberKind::Folder => {
                    let created = self.innermost().create_subfolder(name).map_err(|error| twice(error, &member))?;
                    self.open.push((member.path, created));
                }
                MemberKind::File if member.path == SETTINGS => self.read_settings(&member, &mut *archive)?,
                MemberKind::File => self.unpack_file(&member, name, &mut *archive)?,
            }
        }
        Err(BackupError::Damaged(format!("it ends without {SUMS}")))
    }

    fn unpack_file(&mut self, member: &MemberHeader, name: &str, content: impl Read) -> Result<(), BackupError> {
        let mut content = Reading { content, digest: Sha256::default(), failed: None };
        // What others may read may be read by them again; what others may write is not restored.
        let mode = (member.mode & 0o644) | files::SECRET;
        let mode = if member.path.starts_with(INDEX) { files::SECRET } else { mode };
        let written = self.innermost().write_stream(name, &mut content, mode);
        if let Some(error) = content.failed {
            return Err(BackupError::read(error));
        }
        written.map_err(|error| twice(error, member))?;
        self.note_digest(&member.path, content.digest.finish());
        self.has_index |= member.path == INDEX;
        Ok(())
    }

    fn read_settings(&mut self, member: &MemberHeader, mut content: impl Read) -> Result<(), BackupError> {
        if self.settings.is_some() || member.bytes > files::MAX_SMALL_FILE_BYTES {
            return Err(BackupError::Damaged(format!("it has {SETTINGS} twice, or it is too long")));
        }
        let mut text = Vec::new();
        content.read_to_end(&mut text).map_err(BackupError::read)?;
        self.note_digest(SETTINGS, crate::x509::digest::sha256(&text));
        let not_text = |_| BackupError::Damaged(format!("{SETTINGS} is not text"));
        self.settings = Some(String::from_utf8(text).map_err(not_text)?);
        Ok(())
    }

    fn innermost(&self) -> &Folder {
        self.open.last().map_or(&self.top, |(_, folder)| folder)
    }

    fn note_digest(&mut self, path: &str, digest: [u8; 32]) {
        self.list.update(format!("{}  {path}\n", text::hex(&digest)).as_bytes());
        self.files += 1;
    }

    /// A backup has what a CA directory has, and nothing else.
    fn check_name(&self, member: &MemberHeader) -> Result<(), BackupError> {
        let first = member.path.split('/').next().unwrap_or_default();
        let is_top = first == member.path;
        let is_known = match member.kind {
            MemberKind::Folder => FOLDERS.contains(&first) || first == TEMPLATES && is_top,
            MemberKind::File if is_top => [INDEX, INDEX_LOG, GIT_IGNORE, SETTINGS].contains(&first),
            MemberKind::File => FOLDERS.contains(&first) || first == TEMPLATES,
        };
        let is_unfinished = |name: &str| files::unfinished_name::is_unfinished_name(name.as_ref());
        let is_known = is_known && !member.path.split('/').any(is_unfinished);
        if is_known {
            return Ok(());
        }
        Err(BackupError::Damaged(format!("'{}' is not a part of a CA directory", text::escape(&member.path))))
    }

    /// Closes the folders that are complete. Each member comes after the folder that it is in, and before others.
    fn leave_folders_before(&mut self, path: &str) -> Result<(), BackupError> {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        while let Some((innermost, _)) = self.open.last() {
            let is_around = path.strip_prefix(innermost.as_str()).is_some_and(|rest| rest.starts_with('/'));
            if is_around {
                break;
            }
            self.open.pop();
        }
        if self.open.last().map_or("", |(path, _)| path) != parent {
            return Err(BackupError::Damaged(format!("'{}' comes before its folder", text::escape(path))));
        }
        Ok(())
    }

    /// The last member has the digests of all others; nothing comes after it.
    fn finish(&mut self, archive: &mut ArchiveReader<impl Read>) -> Result<(), BackupError> {
        self.leave_folders_before(SUMS)?;
        let mut listed = Reading { content: &mut *archive, digest: Sha256::default(), failed: None };
        io::copy(&mut listed, &mut io::sink()).map_err(BackupError::read)?;
        let listed = listed.digest.finish();
        if std::mem::take(&mut self.list).finish() != listed {
            return Err(BackupError::Damaged(format!("a file does not have the digest that {SUMS} has")));
        }
        if archive.next_member().map_err(BackupError::reading)?.is_some() {
            return Err(BackupError::Damaged(format!("it goes on after {SUMS}")));
        }
        if self.settings.is_none() || !self.has_index {
            return Err(BackupError::Damaged(format!("it has no {SETTINGS} or no {INDEX}")));
        }
        Ok(())
    }
}

/// The name of a member that is taken was taken by another one.
fn twice(error: FileError, member: &MemberHeader) -> BackupError {
    if error.is_already_there() {
        BackupError::Damaged(format!("it has '{}' twice", text::escape(&member.path)))
    } else {
        error.into()
    }
}

/// Settings that lead out of the folder would make the restored CA use the index of another one.
fn verify_settings(text: &str) -> Result<(), BackupError> {
    let config = Config::read(SETTINGS, text).map_err(|error| BackupError::Damaged(error.to_string()))?;
    if moved_places(&config) == MovedPlaces::default() {
        Ok(())
    } else {
        Err(BackupError::Damaged(format!("its {SETTINGS} has the index or the templates in another place")))
    }
}

/// Reads all of the index, records the restore in it, and writes its log back, so that it is one file.
fn settle_index(path: &Path, manifest: &Manifest, event: EventContext) -> Result<(), BackupError> {
    let damaged = |reason: String| BackupError::Damaged(format!("its index is damaged: {reason}"));
    let of_index = |error: IndexError| {
        if error.is_of_the_system() { BackupError::from(error) } else { damaged(error.to_string()) }
    };
    let mut index = Index::open(path).map_err(of_index)?;
    if let Some(problem) = index.check().map_err(of_index)?.into_iter().next() {
        return Err(damaged(problem));
    }
    let found = index.certificate_count()?;
    if found != manifest.certificates {
        return Err(damaged(format!("it has {found} certificates, and {} were backed up", manifest.certificates)));
    }
    // An index of an older version has no log before it is opened.
    let head = index.log_head().map_err(of_index)?;
    let head = head.map(|head| text::hex(&head.hash)).unwrap_or_default();
    if head != manifest.head && manifest.events > 0 {
        return Err(damaged("its event log is not the one that was backed up".to_owned()));
    }
    let mut transaction = index.transaction(event)?;
    let detail = format!("complete until {}", rfc3339(manifest.complete_until));
    transaction.record_event(EventKind::Restore, "", Some(detail));
    transaction.commit()?;
    index.close_folded()?;
    for side_file in ["index.db-wal", "index.db-shm"] {
        files::remove(&path.with_file_name(side_file))?;
    }
    Ok(())
}

/// Hashes what is read, and keeps the error, which is not one of the file that is written.
struct Reading<R> {
    content: R,
    digest: Sha256,
    failed: Option<io::Error>,
}

impl<R: Read> Read for Reading<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.content.read(buffer) {
            Ok(read) => {
                self.digest.update(&buffer[..read]);
                Ok(read)
            }
            Err(error) => {
                let kind = error.kind();
                self.failed = Some(error);
                Err(kind.into())
            }
        }
    }
}

#[cfg(test)]
mod tests;
