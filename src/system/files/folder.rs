//! A folder that was opened once. Everything in it is found by its name in the open folder, and changed as an open file, so
//! that another user who can write there cannot lead a later step elsewhere with a link.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::existing::{ExistingFile, check_kind, check_regular};
use super::interference::Interference;
use super::resolve;
use super::{FOLDER, FileError, GROUP_FOLDER, Ownership, SECRET, too_long};
use crate::system::unix::attributes;
use crate::system::unix::folder::{self, Found, Kind, OpenFor};

/// How deep the folders are that are removed. Each one stays open until it is empty, and another user may have made them.
const MAX_DEPTH: usize = 64;

/// An open folder. A clone is the same open folder.
#[derive(Debug, Clone)]
pub struct Folder {
    opened: Arc<File>,
    /// For messages, and to recognize the folder of another path.
    path: PathBuf,
}

/// A file as it is on the disk, for a copy.
pub struct StoredFile {
    pub content: Vec<u8>,
    /// The permission bits.
    pub mode: u32,
    pub ownership: Ownership,
}

impl Folder {
    /// Opens the folder at a path. Links in the path are followed, unless another user could have planted them.
    ///
    /// # Errors
    /// When the path has such a link, is missing or not a folder, or the system refuses.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        Self::open_for(path, OpenFor::Everything).map_err(FileError::of("open", path))
    }

    /// Opens a folder as [`open`](Self::open) does; `None` when nothing is at that path.
    ///
    /// # Errors
    /// As [`open`](Self::open), except for a missing folder.
    pub fn open_if_exists(path: &Path) -> Result<Option<Self>, FileError> {
        match Self::open(path) {
            Err(error) if error.is_missing() => Ok(None),
            opened => opened.map(Some),
        }
    }

    pub(super) fn open_for(path: &Path, open_for: OpenFor) -> io::Result<Self> {
        let start = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        Ok(Self { opened: Arc::new(resolve::open_folder(start, open_for)?), path: start.to_owned() })
    }

    /// A folder that was opened in another way.
    pub(super) fn of_opened(opened: File, path: PathBuf) -> Self {
        Self { opened: Arc::new(opened), path }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of something in it, for messages.
    pub fn path_of(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.path.join(name.as_ref())
    }

    pub(super) fn file(&self) -> &File {
        &self.opened
    }

    /// Opens a folder in it; a link to one is none.
    pub(super) fn folder(&self, name: &OsStr) -> io::Result<Self> {
        let opened = folder::open_folder(&self.opened, name, OpenFor::Everything)?;
        Ok(Self::of_opened(opened, self.path_of(name)))
    }

    /// Returns the names of everything in it, in no order.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn names(&self) -> Result<Vec<OsString>, FileError> {
        folder::names(&self.opened).map_err(FileError::of("read", &self.path))
    }

    /// Returns whether it has this name. A link counts, wherever it leads.
    pub fn has(&self, name: impl AsRef<OsStr>) -> bool {
        folder::look_at(&self.opened, name.as_ref()).is_ok()
    }

    /// Checks that a name in it is free, or a regular file that may be replaced. Only the rename itself is certain; this
    /// check has the better message, and refuses to replace what is not a regular file.
    ///
    /// # Errors
    /// When something is in the way.
    pub fn check_place(&self, name: impl AsRef<OsStr>, existing: ExistingFile) -> Result<(), FileError> {
        let name = name.as_ref();
        let checked = match folder::look_at(&self.opened, name) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
            found => found.and_then(|found| check_kind(found.kind(), existing)),
        };
        checked.map_err(FileError::of("write", &self.path_of(name)))
    }

    /// Reads a regular file of at most `most` bytes; `None` when nothing has this name. Content, mode and owner are of one
    /// and the same file.
    ///
    /// # Errors
    /// When it is a link, a folder, a pipe or a device, is longer, or the system refuses.
    pub fn read(&self, name: impl AsRef<OsStr>, most: u64) -> Result<Option<StoredFile>, FileError> {
        let name = name.as_ref();
        match self.open_to_read(name).and_then(|opened| read_whole(opened, most)) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some).map_err(FileError::of("read", &self.path_of(name))),
        }
    }

    /// Gives a regular file in it to an owner and a group, and sets its mode; `None` leaves the mode. Nothing happens when
    /// nothing has this name.
    ///
    /// # Errors
    /// When it is not a regular file, or the system refuses.
    pub fn set_access(
        &self,
        name: impl AsRef<OsStr>,
        mode: Option<u32>,
        ownership: Ownership,
    ) -> Result<(), FileError> {
        let (name, path) = (name.as_ref(), self.path_of(name.as_ref()));
        let opened = match self.open_to_read(name) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened.map_err(FileError::of("open", &path))?,
        };
        ownership.give(&opened, &path)?;
        let set = mode.map_or(Ok(()), |mode| attributes::set_mode_of(&opened, mode));
        set.map_err(FileError::of("set the permissions of", &path))
    }

    /// Gives the folder itself to an owner and a group, and lets the group enter it when it may.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn set_own_access(&self, group_enters: bool, ownership: Ownership) -> Result<(), FileError> {
        ownership.give(&self.opened, &self.path)?;
        let mode = if group_enters { GROUP_FOLDER } else { FOLDER };
        attributes::set_mode_of(&self.opened, mode).map_err(FileError::of("set the permissions of", &self.path))
    }

    /// Opens a regular file, and only that.
    pub(super) fn open_to_read(&self, name: &OsStr) -> io::Result<File> {
        let opened = folder::open_to_read(&self.opened, name);
        let found = match &opened {
            Ok(opened) => Found::of(opened)?,
            // The system has one error for a link and another for a socket.
            Err(_) => folder::look_at(&self.opened, name)?,
        };
        check_regular(found.kind())?;
        opened
    }

    /// Makes the names in it durable: what was created, renamed or removed in it.
    ///
    /// # Errors
    /// When the system refuses; then the names are not known to be durable.
    pub fn sync(&self) -> Result<(), FileError> {
        self.opened.sync_all().map_err(FileError::of("sync", &self.path))
    }

    /// Creates a file that only we can open.
    pub(super) fn create(&self, name: &OsStr) -> Result<File, FileError> {
        self.create_with_mode(name, SECRET)
    }

    fn create_with_mode(&self, name: &OsStr, mode: u32) -> Result<File, FileError> {
        folder::create_file(&self.opened, name, mode).map_err(FileError::of("create", &self.path_of(name)))
    }

    /// Writes a new file with exactly this mode and owner, and returns it open. Not durable until it and the folder are synced. After
    /// an error no file of that name is left.
    pub(super) fn write_new(
        &self,
        name: &OsStr,
        content: &[u8],
        (mode, ownership): (u32, Ownership),
    ) -> Result<File, FileError> {
        // A file that is given away has its mode last, so that no one else can open it before it has its owner.
        let first = if ownership == Ownership::default() { mode } else { SECRET };
        let file = self.create_with_mode(name, first)?;
        match fill(&file, content, ownership, mode) {
            Ok(()) => Ok(file),
            Err(cause) => {
                self.remove_file_quietly(name);
                Err(FileError::of("write", &self.path_of(name))(cause))
            }
        }
    }

    /// Creates a folder with exactly this mode in it, and opens it.
    pub(super) fn create_folder(&self, name: &OsStr, mode: u32) -> Result<Self, FileError> {
        let path = self.path_of(name);
        // First only for us; then exactly the requested mode, whatever the umask.
        folder::create_folder(&self.opened, name).map_err(FileError::of("create", &path))?;
        let opened = self.folder(name).and_then(|created| {
            created.set_mode_of_new(mode)?;
            Ok(created)
        });
        opened.map_err(|cause| {
            drop(folder::remove_folder(&self.opened, name));
            FileError { action: "set the permissions of", path, cause }
        })
    }

    /// Another user may have exchanged the new folder for a different one before it was opened. Only an empty one of ours
    /// gets its mode changed: that opens nothing.
    fn set_mode_of_new(&self, mode: u32) -> io::Result<()> {
        let found = self.opened.metadata()?;
        if !attributes::is_ours(attributes::owner(&found)) {
            return Err(Interference::Exchanged.into());
        }
        if attributes::mode(&found) & 0o777 == mode {
            return Ok(());
        }
        if !folder::names(&self.opened)?.is_empty() {
            return Err(Interference::Exchanged.into());
        }
        attributes::set_mode_of(&self.opened, mode)
    }

    /// Checks after a rename that the name stands for the file that was renamed. Where others can write, they could have
    /// exchanged it under its temporary name. A file of ours may be that of another run, which came later.
    pub(super) fn check_arrived(&self, name: &OsStr, renamed: &File) -> io::Result<()> {
        if !resolve::others_can_write(&self.opened.metadata()?) {
            return Ok(());
        }
        let there = folder::look_at(&self.opened, name)?;
        if there.is_same_as(&Found::of(renamed)?) || attributes::is_ours(there.owner()) && there.kind() == Kind::File {
            return Ok(());
        }
        Err(Interference::Exchanged.into())
    }

    /// Removes a file, or a folder with everything in it. Nothing happens when nothing has this name. A link is removed,
    /// never followed.
    pub(super) fn remove(&self, name: &OsStr) -> io::Result<()> {
        self.remove_to_depth(name, MAX_DEPTH)
    }

    fn remove_to_depth(&self, name: &OsStr, depth: usize) -> io::Result<()> {
        match folder::look_at(&self.opened, name) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(cause) => Err(cause),
            Ok(found) if found.kind() == Kind::Folder => {
                let depth =
                    depth.checked_sub(1).ok_or_else(|| io::Error::other("it has too many folders in each other"))?;
                self.folder(name)?.remove_content_to_depth(depth)?;
                folder::remove_folder(&self.opened, name)
            }
            Ok(_) => folder::remove_file(&self.opened, name),
        }
    }

    /// Removes everything in it.
    pub(super) fn remove_content(&self) -> io::Result<()> {
        self.remove_content_to_depth(MAX_DEPTH)
    }

    fn remove_content_to_depth(&self, depth: usize) -> io::Result<()> {
        folder::names(&self.opened)?.iter().try_for_each(|name| self.remove_to_depth(name, depth))
    }

    /// Removes a file. Nothing happens when nothing has this name; a folder is an error.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn remove_file(&self, name: impl AsRef<OsStr>) -> Result<(), FileError> {
        match folder::remove_file(&self.opened, name.as_ref()) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(FileError::of("remove", &self.path_of(name.as_ref()))),
        }
    }

    /// Removes a file after a failure that is reported already; one that cannot be removed is left.
    pub fn remove_file_quietly(&self, name: impl AsRef<OsStr>) {
        drop(folder::remove_file(&self.opened, name.as_ref()));
    }
}

/// Writes the content, gives the file to its owner, and then sets the mode, unless the file was created with it.
pub(super) fn fill(mut file: &File, content: &[u8], ownership: Ownership, mode: u32) -> io::Result<()> {
    file.write_all(content)?;
    ownership.give_opened(file)?;
    // Even for 0600: a strange umask can have removed bits at creation.
    if attributes::mode(&file.metadata()?) == mode { Ok(()) } else { attributes::set_mode_of(file, mode) }
}

fn read_whole(file: File, most: u64) -> io::Result<StoredFile> {
    let found = file.metadata()?;
    let room = usize::try_from(found.len().min(most)).unwrap_or_default() + 1;
    let mut content = Vec::with_capacity(room);
    file.take(most + 1).read_to_end(&mut content)?;
    if content.len() as u64 > most {
        return Err(too_long(most));
    }
    Ok(StoredFile { content, mode: attributes::mode(&found) & 0o777, ownership: Ownership::of_file(&found) })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

    use super::super::write::tests::mode_of;
    use super::super::{NewFile, StagedFolder};
    use super::*;
    use crate::system::entropy::SystemEntropy;

    const MOST: u64 = 100;

    /// An open folder whose name is given to a link to `victim` before the folder is used.
    fn exchanged_for_a_link() -> (tempfile::TempDir, Folder) {
        let top = tempfile::tempdir().unwrap();
        let path = |name: &str| top.path().join(name);
        for folder in ["victim", "shared"] {
            fs::create_dir(path(folder)).unwrap();
            fs::set_permissions(path(folder), fs::Permissions::from_mode(0o777)).unwrap();
        }
        fs::write(path("victim/key.pem"), "theirs").unwrap();
        let opened = Folder::open(&path("shared")).unwrap();
        fs::rename(path("shared"), path("moved")).unwrap();
        symlink("victim", path("shared")).unwrap();
        (top, opened)
    }

    fn new_file(name: &str) -> NewFile<'_> {
        NewFile { name, content: b"ours", mode: 0o640, ownership: Ownership::default() }
    }

    #[test]
    fn everything_happens_in_the_folder_that_was_opened_and_nothing_where_its_name_leads_now() {
        let (top, folder) = exchanged_for_a_link();
        let path = |name: &str| top.path().join(name);
        folder.check_place("key.pem", ExistingFile::Keep).unwrap();
        assert!(folder.read("key.pem", MOST).unwrap().is_none());
        folder.publish(new_file("key.pem"), ExistingFile::Keep, &SystemEntropy).unwrap();
        folder.publish(new_file("key.pem"), ExistingFile::Replace, &SystemEntropy).unwrap();
        drop(folder.write_new("one".as_ref(), b"1", (0o600, Ownership::default())).unwrap());
        folder.create_folder("below".as_ref(), 0o750).unwrap();
        drop(folder.create(".staged-0123456789abcdef".as_ref()).unwrap());
        folder.remove_stale().unwrap();
        folder.sync().unwrap();
        let mut names = folder.names().unwrap();
        names.sort();
        assert_eq!(names, ["below", "key.pem", "one"]);
        assert_eq!([mode_of(&path("moved/key.pem")), mode_of(&path("moved/below"))], [0o640, 0o750]);
        folder.remove_content().unwrap();
        assert_eq!(fs::read_dir(path("moved")).unwrap().count(), 0);
        assert_eq!(fs::read_to_string(path("victim/key.pem")).unwrap(), "theirs");
        assert_eq!(fs::read_dir(path("victim")).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_under_construction_is_filled_and_removed_where_it_was_made() {
        let (top, folder) = exchanged_for_a_link();
        let path = |name: &str| top.path().join(name);
        let mut staged = StagedFolder::create_in(&folder, &SystemEntropy).unwrap();
        let name = staged.path().file_name().unwrap().to_owned();
        let place = path("moved").join(&name);
        // The other user moves it away, and puts a link in its place.
        fs::rename(&place, path("moved/away")).unwrap();
        symlink(path("victim"), &place).unwrap();
        staged.add("cert.pem", b"ours", 0o644).unwrap();
        staged.add_folder("below").unwrap();
        staged.add("below/key.pem", b"ours", 0o600).unwrap();
        let group = fs::metadata(path("moved")).unwrap().gid();
        staged.check_ownership(Ownership::of(None, Some(&group.to_string())).unwrap()).unwrap();
        staged.give(Ownership::of(None, Some(&group.to_string())).unwrap()).unwrap();
        staged.sync().unwrap();
        assert_eq!(fs::read_to_string(path("moved/away/below/key.pem")).unwrap(), "ours");
        drop(staged);
        assert!(path("moved/away/cert.pem").exists() && place.is_symlink(), "it is no longer under its name");
        assert_eq!(fs::read_dir(path("victim")).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(path("victim/key.pem")).unwrap(), "theirs");
    }

    #[test]
    fn only_a_regular_file_is_read_and_its_mode_and_owner_are_those_of_what_was_read() {
        let top = tempfile::tempdir().unwrap();
        let path = |name: &str| top.path().join(name);
        fs::write(path("file"), "content").unwrap();
        fs::set_permissions(path("file"), fs::Permissions::from_mode(0o604)).unwrap();
        fs::create_dir(path("folder")).unwrap();
        symlink("file", path("link")).unwrap();
        symlink("missing", path("dangling")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe"), rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
        drop(std::os::unix::net::UnixListener::bind(path("socket")).unwrap());
        let folder = Folder::open(top.path()).unwrap();
        for (name, reason) in [
            ("folder", "it is a folder"),
            ("link", "it is a symbolic link, and those are not followed"),
            ("dangling", "it is a symbolic link, and those are not followed"),
            ("pipe", "it is not a regular file"),
            ("socket", "it is not a regular file"),
        ] {
            let Err(error) = folder.read(name, MOST) else { panic!("{name} was read") };
            assert!(error.to_string().ends_with(reason), "{error}");
        }
        let stored = folder.read("file", MOST).unwrap().unwrap();
        assert_eq!((stored.content.as_slice(), stored.mode), (b"content".as_slice(), 0o604));
        assert_eq!(stored.ownership, Ownership::of_file(&fs::metadata(path("file")).unwrap()));
        assert!(folder.read("file", 6).is_err_and(|error| error.to_string().ends_with("longer than 6 bytes")));
        assert!(folder.read("missing", MOST).unwrap().is_none());
    }

    #[test]
    fn a_new_folder_that_was_exchanged_for_another_keeps_its_mode() {
        let top = tempfile::tempdir().unwrap();
        let path = |name: &str| top.path().join(name);
        fs::create_dir(path("theirs")).unwrap();
        fs::set_permissions(path("theirs"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(path("theirs/key.pem"), "").unwrap();
        let theirs = Folder::open(&path("theirs")).unwrap();
        assert!(theirs.set_mode_of_new(0o755).is_err());
        assert_eq!(mode_of(&path("theirs")), 0o700);
        fs::remove_file(path("theirs/key.pem")).unwrap();
        theirs.set_mode_of_new(0o755).unwrap();
        assert_eq!(mode_of(&path("theirs")), 0o755);
        if chown(path("theirs"), Some(65_534), None).is_ok() {
            assert!(theirs.set_mode_of_new(0o700).is_err());
            assert_eq!(mode_of(&path("theirs")), 0o755);
        }
    }

    #[test]
    fn a_file_is_given_away_before_others_may_read_it() {
        let top = tempfile::tempdir().unwrap();
        let file = fs::File::create(top.path().join("file")).unwrap();
        let group = file.metadata().unwrap().gid();
        let ownership = Ownership::of(None, Some(&group.to_string())).unwrap();
        // A change of the owner takes the set-user-id bit away (chown(2)), so it shows which of the two came last.
        fill(&file, b"", ownership, 0o4755).unwrap();
        assert_eq!(mode_of(&top.path().join("file")), 0o4755);
    }

    #[test]
    fn what_is_found_under_the_new_name_has_to_be_what_was_renamed_where_others_can_write() {
        let top = tempfile::tempdir().unwrap();
        let path = |name: &str| top.path().join(name);
        let folder = Folder::open(top.path()).unwrap();
        let file = folder.create("file".as_ref()).unwrap();
        symlink("file", path("link")).unwrap();
        for (mode, is_shared) in [(0o700, false), (0o777, true)] {
            fs::set_permissions(top.path(), fs::Permissions::from_mode(mode)).unwrap();
            folder.check_arrived("file".as_ref(), &file).unwrap();
            assert_eq!(folder.check_arrived("link".as_ref(), &file).is_err(), is_shared);
            assert_eq!(folder.check_arrived("missing".as_ref(), &file).is_err(), is_shared);
        }
    }

    #[test]
    fn folders_in_each_other_without_end_are_left() {
        let top = tempfile::tempdir().unwrap();
        let deep = top.path().join("a/".repeat(2 * MAX_DEPTH));
        fs::create_dir_all(&deep).unwrap();
        let folder = Folder::open(top.path()).unwrap();
        assert!(folder.remove("a".as_ref()).unwrap_err().to_string().contains("too many folders"));
        assert!(deep.exists());
        fs::rename(top.path().join("a/".repeat(MAX_DEPTH + 1)), top.path().join("b")).unwrap();
        folder.remove("a".as_ref()).unwrap();
        assert_eq!(folder.names().unwrap(), ["b"]);
    }
}
