//! A folder that is filled under a temporary name, and then appears complete under its own.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::folder::Folder;
use super::place::Place;
use super::rename::{rename, rename_new};
use super::replace::replace_place;
use super::resolve::others_can_write;
use super::unfinished_name::{is_unfinished_name, unfinished_name};
use super::{CHANGE_OWNER, FOLDER, FileError, GROUP_FOLDER, Ownership, SECRET};
use crate::system::Entropy;
use crate::system::unix::folder::{self, Found, Kind};
use crate::system::unix::{attributes, write};

/// A folder under construction: `<parent>/.staged-<random>`, mode 0700. When it is dropped before it is published, it is
/// removed with everything in it.
#[derive(Debug)]
pub struct StagedFolder {
    /// Its name, in its parent.
    pub(super) place: Place,
    path: PathBuf,
    /// Open while this process works on it: its kernel lock says so to [`remove_stale`].
    pub(super) folder: Folder,
    /// Files in it, in the order of writing; they are synced in this order.
    files: Vec<StagedFile>,
    /// Folders in it, likewise.
    folders: Vec<(PathBuf, Folder)>,
    /// True when it is made beside hundreds of others: no file of it stays open, and none is written to the disk before the others.
    pub(super) is_one_of_many: bool,
    pub(super) published: bool,
}

#[derive(Debug)]
struct StagedFile {
    /// In the folder under construction.
    name: PathBuf,
    /// `None`: SQLite writes it, or it was closed.
    opened: Option<File>,
}

impl StagedFolder {
    /// Starts a folder in `parent`, which must be on the same file system as the target.
    ///
    /// # Errors
    /// When the path of `parent` leads through a link that other users could have planted, or the system refuses.
    pub fn create(parent: &Path, entropy: &dyn Entropy) -> Result<Self, FileError> {
        Self::create_in(&Folder::open(parent)?, entropy)
    }

    /// As [`create`](Self::create), in a folder that is open.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn create_in(parent: &Folder, entropy: &dyn Entropy) -> Result<Self, FileError> {
        loop {
            let name = unfinished_name(entropy).map_err(FileError::of("name a file in", parent.path()))?;
            let place = Place { folder: parent.clone(), name: name.into() };
            let folder = match parent.create_folder(&place.name, FOLDER) {
                // Another process may have taken it for abandoned between two calls: then start again.
                Err(error) if error.is_already_there() || error.is_missing() && error.action != "create" => continue,
                folder => folder?,
            };
            let path = place.path();
            if mark_alive(&folder, &place).map_err(FileError::of("lock", &path))? {
                let (files, folders) = (Vec::new(), Vec::new());
                return Ok(Self { place, path, folder, files, folders, is_one_of_many: false, published: false });
            }
        }
    }

    /// Returns its path while it is under construction.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file into it; `name` may be in a folder that was added before. Durable after [`sync`](Self::sync).
    ///
    /// # Errors
    /// When the name is taken, or the system refuses.
    pub fn add(&mut self, name: impl AsRef<Path>, content: &[u8], mode: u32) -> Result<(), FileError> {
        self.add_owned(name, content, mode, Ownership::default())
    }

    /// Writes a file into it that belongs to this owner and group.
    ///
    /// # Errors
    /// As [`add`](Self::add); only root may give files to other users.
    pub fn add_owned(
        &mut self,
        name: impl AsRef<Path>,
        content: &[u8],
        mode: u32,
        ownership: Ownership,
    ) -> Result<(), FileError> {
        let name = name.as_ref();
        let (folder, last) = self.place_of(name)?;
        let file = folder.write_new(last, content, (mode, ownership))?;
        let opened = if self.is_one_of_many {
            None
        } else {
            write::start_writing(&file);
            Some(file)
        };
        self.files.push(StagedFile { name: name.to_owned(), opened });
        Ok(())
    }

    /// Writes a file with a secret into it: mode 0600.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn add_secret(&mut self, name: impl AsRef<Path>, content: &[u8]) -> Result<(), FileError> {
        self.add(name, content, SECRET)
    }

    /// Creates a folder in it, mode 0700.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn add_folder(&mut self, name: impl AsRef<Path>) -> Result<(), FileError> {
        let (folder, last) = self.place_of(name.as_ref())?;
        let created = folder.create_folder(last, FOLDER)?;
        self.folders.push((name.as_ref().to_owned(), created));
        Ok(())
    }

    /// Adds a file that was written into it by SQLite, so that it is synced with the others.
    pub fn adopt(&mut self, name: impl AsRef<Path>) {
        self.files.push(StagedFile { name: name.as_ref().to_owned(), opened: None });
    }

    /// The open folder in it that a name begins in, and the rest of the name.
    fn place_of<'n>(&self, name: &'n Path) -> Result<(Folder, &'n OsStr), FileError> {
        let (parent, last) = (name.parent().unwrap_or(Path::new("")), name.file_name().unwrap_or_default());
        let added = || self.folders.iter().find(|(there, _)| there == parent).map(|(_, folder)| folder);
        match if parent.as_os_str().is_empty() { Some(&self.folder) } else { added() } {
            Some(folder) => Ok((folder.clone(), last)),
            None => Err(FileError::of("create", &self.path.join(name))(io::ErrorKind::NotFound.into())),
        }
    }

    /// Checks that files can be given to an owner and a group, before the folder is given away.
    ///
    /// # Errors
    /// When the system refuses: only root may give files to other users.
    pub fn check_ownership(&self, ownership: Ownership) -> Result<(), FileError> {
        if ownership == Ownership::default() {
            return Ok(());
        }
        let name = OsStr::new("owner");
        let given = ownership.give(&self.folder.create(name)?, &self.path);
        self.folder.remove_file_quietly(name);
        given
    }

    /// Gives the folder and everything in it to an owner and a group: the folder itself comes last, when it is complete.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn give(&self, ownership: Ownership) -> Result<(), FileError> {
        if ownership == Ownership::default() {
            return Ok(());
        }
        for file in &self.files {
            self.with_file(file, CHANGE_OWNER, |opened| ownership.give_opened(opened))?;
        }
        let folders = self.folders.iter().map(|(_, folder)| folder).rev().chain([&self.folder]);
        folders.into_iter().try_for_each(|folder| ownership.give(folder.file(), folder.path()))
    }

    /// Lets the group of the folder enter it, when it is complete: mode 0750.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn let_group_enter(&self) -> Result<(), FileError> {
        let set = attributes::set_mode_of(self.folder.file(), GROUP_FOLDER);
        set.map_err(FileError::of("set the permissions of", &self.path))
    }

    /// Makes everything in it durable: the files, the folders in it, then itself.
    ///
    /// # Errors
    /// When the system refuses; then nothing in it is known to be durable.
    pub fn sync(&self) -> Result<(), FileError> {
        self.files.iter().try_for_each(|file| self.with_file(file, "sync", File::sync_all))?;
        self.folders.iter().rev().try_for_each(|(_, folder)| folder.sync())?;
        self.folder.sync()
    }

    fn with_file(
        &self,
        file: &StagedFile,
        action: &'static str,
        act: impl FnOnce(&File) -> io::Result<()>,
    ) -> Result<(), FileError> {
        let acted = match &file.opened {
            Some(opened) => act(opened),
            None => {
                let (folder, last) = self.place_of(&file.name)?;
                folder.open_to_read(last).and_then(|opened| act(&opened))
            }
        };
        acted.map_err(FileError::of(action, &self.path.join(&file.name)))
    }

    /// Publishes it as `target`, durably. Call [`sync`](Self::sync) before.
    ///
    /// # Errors
    /// When the name is taken ([`FileError::is_already_there`]), or the system refuses. Then it was not published, except
    /// when only the last sync failed: the action of that error is `sync`.
    pub fn publish_new(mut self, target: &Path) -> Result<(), FileError> {
        let target = Place::beside(target, &self.place.folder, "create")?;
        rename_new(&self.place, &target)?;
        self.published = true;
        let arrived = target.folder.check_arrived(&target.name, self.folder.file());
        arrived.map_err(FileError::of("create", &target.path()))?;
        target.folder.sync()
    }

    /// Publishes it as [`publish_new`](Self::publish_new) does; an empty folder of that name is replaced.
    ///
    /// # Errors
    /// As [`publish_new`](Self::publish_new).
    pub fn publish_new_or_over_empty(mut self, target: &Path) -> Result<(), FileError> {
        let place = Place::beside(target, &self.place.folder, "create")?;
        // In one step, and only over an empty folder: rename(2).
        rename(&self.place, &place)?;
        self.published = true;
        let arrived = place.folder.check_arrived(&place.name, self.folder.file());
        arrived.map_err(FileError::of("create", &place.path()))?;
        place.folder.sync()
    }

    /// Replaces the folder `target`, which is kept as `kept`, durably: see [`replace_folder`](super::replace_folder). Call
    /// [`sync`](Self::sync) before.
    ///
    /// # Errors
    /// As [`replace_folder`](super::replace_folder).
    pub fn publish_replacing(mut self, target: &Path, kept: &Path) -> Result<(), FileError> {
        replace_place(&self.place, target, kept)?;
        self.published = true;
        Ok(())
    }
}

/// An unfinished folder is useless.
impl Drop for StagedFolder {
    fn drop(&mut self) {
        // A replacement that could not be undone may have moved it: then it is not under its temporary name.
        if !self.published && is_at(&self.folder, &self.place).unwrap_or(false) {
            // If that fails, remove_stale finds it.
            drop(self.folder.remove_content());
            drop(folder::remove_folder(self.place.folder.file(), &self.place.name));
        }
    }
}

/// Removes what killed processes left unfinished in a folder. What a living process works on is kept, since that process
/// holds a kernel lock on it. It reads the whole folder; call it where one process at a time works (under the CA lock).
///
/// # Errors
/// When the folder cannot be read. What cannot be removed is left, and does no harm.
pub fn remove_stale(parent: &Path) -> Result<(), FileError> {
    match Folder::open_if_exists(parent)? {
        Some(folder) => folder.remove_stale(),
        None => Ok(()),
    }
}

impl Folder {
    /// Removes what killed processes left unfinished in it: see [`remove_stale`]. Where others can write, only what is ours
    /// is removed: they could have given the name to a folder of a third user.
    ///
    /// # Errors
    /// As [`remove_stale`].
    pub fn remove_stale(&self) -> Result<(), FileError> {
        let found = self.file().metadata().map_err(FileError::of("read", self.path()))?;
        let is_shared = others_can_write(&found);
        for name in self.names()?.iter().filter(|name| is_unfinished_name(name)) {
            // If that fails, the next run finds it.
            drop(self.remove_abandoned(name, is_shared));
        }
        Ok(())
    }

    fn remove_abandoned(&self, name: &OsStr, is_shared: bool) -> io::Result<()> {
        // A link or a device with such a name was not made by this program, and is not opened.
        if !matches!(folder::look_at(self.file(), name)?.kind(), Kind::File | Kind::Folder) {
            return Ok(());
        }
        let opened = folder::open_to_read(self.file(), name)?;
        let found = Found::of(&opened)?;
        let is_removable = matches!(found.kind(), Kind::File | Kind::Folder)
            && (!is_shared || attributes::is_ours(found.owner()))
            && opened.try_lock().is_ok();
        if !is_removable {
            return Ok(());
        }
        if found.kind() == Kind::File {
            return folder::remove_file(self.file(), name);
        }
        Self::of_opened(opened, self.path_of(name)).remove_content()?;
        folder::remove_folder(self.file(), name)
    }
}

/// Returns the folders in `parent` that killed processes left unfinished: those with a name of this program, of this user or
/// root, that no living process works on.
///
/// # Errors
/// When the folder cannot be read.
pub fn stale_folders(parent: &Path) -> Result<Vec<PathBuf>, FileError> {
    let Some(folder) = Folder::open_if_exists(parent)? else { return Ok(Vec::new()) };
    let names = folder.names()?;
    let stale = names.iter().filter(|name| is_unfinished_name(name) && is_stale(&folder, name).unwrap_or(false));
    let mut folders: Vec<PathBuf> = stale.map(|name| folder.path_of(name)).collect();
    folders.sort();
    Ok(folders)
}

fn is_stale(parent: &Folder, name: &OsStr) -> io::Result<bool> {
    if folder::look_at(parent.file(), name)?.kind() != Kind::Folder {
        return Ok(false);
    }
    let opened = folder::open_to_read(parent.file(), name)?;
    let found = Found::of(&opened)?;
    let is_trusted = found.owner() == 0 || attributes::is_ours(found.owner());
    Ok(found.kind() == Kind::Folder && is_trusted && opened.try_lock().is_ok())
}

/// Removes a folder: first it is moved out of its place in one step, so that a process that is killed meanwhile never
/// leaves a part of it there. Durable when its place is synced.
///
/// # Errors
/// When it cannot be moved into `workshop`, a folder on the same file system that [`remove_stale`] cleans.
pub fn discard(folder: &Path, workshop: &Path, entropy: &dyn Entropy) -> Result<(), FileError> {
    let name = unfinished_name(entropy).map_err(FileError::of("name a file in", workshop))?;
    let unfinished = Place { folder: Folder::open(workshop)?, name: name.into() };
    rename(&Place::of(folder, "replace")?, &unfinished)?;
    // If that fails, remove_stale finds it.
    drop(unfinished.folder.remove(&unfinished.name));
    Ok(())
}

/// Takes the lock that says that this process works on the folder. `false` when another process removed the folder as
/// abandoned.
fn mark_alive(folder: &Folder, place: &Place) -> io::Result<bool> {
    // On a file system without locks, no process can lock it in order to remove it either.
    drop(folder.file().try_lock());
    is_at(folder, place)
}

/// Returns whether a name stands for an open folder.
fn is_at(folder: &Folder, place: &Place) -> io::Result<bool> {
    let (parent, name) = place.at();
    let ours = Found::of(folder.file())?;
    Ok(folder::look_at(parent, name).is_ok_and(|there| there.is_same_as(&ours)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Barrier;
    use std::thread;

    use super::super::write::tests::{Umask, mode_of, planted};
    use super::*;
    use crate::system::entropy::SystemEntropy;

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names = super::super::names_in(folder).unwrap();
        names.sort();
        names
    }

    fn staged(parent: &Path, content: &str) -> StagedFolder {
        let mut staged = StagedFolder::create(parent, &SystemEntropy).unwrap();
        staged.add("cert.pem", content.as_bytes(), 0o644).unwrap();
        staged.add_folder("sub").unwrap();
        staged.add_secret("sub/key.pem", content.as_bytes()).unwrap();
        staged.sync().unwrap();
        staged
    }

    #[test]
    fn a_folder_appears_whole_with_exact_modes() {
        for mask in [0o000, 0o077] {
            let parent = tempfile::tempdir().unwrap();
            let target = parent.path().join("web");
            let umask = Umask::set(mask);
            staged(parent.path(), "one").publish_new(&target).unwrap();
            drop(umask);
            assert_eq!(names_in(parent.path()), ["web"]);
            let modes = ["", "cert.pem", "sub", "sub/key.pem"].map(|name| mode_of(&target.join(name)));
            assert_eq!(modes, [0o700, 0o644, 0o700, 0o600], "umask {mask:03o}");
        }
    }

    #[test]
    fn a_folder_that_is_not_published_leaves_nothing() {
        let parent = tempfile::tempdir().unwrap();
        drop(staged(parent.path(), "one"));
        assert!(names_in(parent.path()).is_empty());
    }

    #[test]
    fn what_is_there_already_stays_and_the_attempt_leaves_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let path = |name: &str| parent.path().join(name);
        fs::write(path("file"), "old").unwrap();
        fs::create_dir(path("folder")).unwrap();
        std::os::unix::fs::symlink(path("nowhere"), path("dangling")).unwrap();
        for name in ["file", "folder", "dangling"] {
            let error = staged(parent.path(), "new").publish_new(&path(name)).unwrap_err();
            assert!(error.is_already_there(), "{name}: {error}");
        }
        assert_eq!(names_in(parent.path()), ["dangling", "file", "folder"]);
        assert!(names_in(&path("folder")).is_empty());
    }

    #[test]
    fn of_many_that_want_one_name_one_gets_it() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("ca");
        let start = Barrier::new(20);
        let winners: Vec<usize> = thread::scope(|scope| {
            let attempt = |number: usize| {
                let (start, target, parent) = (&start, &target, parent.path());
                scope.spawn(move || {
                    let staged = staged(parent, &number.to_string());
                    start.wait();
                    match staged.publish_new(target) {
                        Ok(()) => Some(number),
                        Err(error) => {
                            assert!(error.is_already_there(), "{error}");
                            None
                        }
                    }
                })
            };
            let threads: Vec<_> = (0..20).map(attempt).collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
        });
        let [winner] = winners[..] else { panic!("{winners:?}") };
        assert_eq!(fs::read_to_string(target.join("cert.pem")).unwrap(), winner.to_string());
        assert_eq!(fs::read_to_string(target.join("sub/key.pem")).unwrap(), winner.to_string());
        assert_eq!(names_in(parent.path()), ["ca"]);
    }

    #[test]
    fn a_replacement_shows_the_new_folder_and_keeps_the_old_one() {
        let parent = tempfile::tempdir().unwrap();
        let path = |name: &str| parent.path().join(name);
        let content = |folder: &str| fs::read_to_string(path(folder).join("cert.pem")).unwrap();
        staged(parent.path(), "one").publish_new(&path("web")).unwrap();
        staged(parent.path(), "two").publish_replacing(&path("web"), &path("first")).unwrap();
        assert_eq!((content("web"), content("first")), ("two".to_owned(), "one".to_owned()));
        assert_eq!(names_in(parent.path()), ["first", "web"]);
    }

    #[test]
    fn a_replacement_needs_a_folder_to_replace_and_a_free_name_to_keep_it() {
        let parent = tempfile::tempdir().unwrap();
        let path = |name: &str| parent.path().join(name);
        fs::write(path("file"), "old").unwrap();
        fs::create_dir(path("folder")).unwrap();
        let replace = |target, kept| staged(parent.path(), "new").publish_replacing(&path(target), &path(kept));
        assert!(replace("missing", "kept").unwrap_err().is_missing());
        assert!(replace("file", "kept").is_err());
        assert!(replace("folder", "file").unwrap_err().is_already_there());
        assert!(replace("folder", "missing/kept").unwrap_err().is_missing());
        assert_eq!(names_in(parent.path()), ["file", "folder"]);
        assert!(names_in(&path("folder")).is_empty());
    }

    #[test]
    fn what_is_discarded_is_gone_from_its_place_even_if_it_cannot_be_removed() {
        let parent = tempfile::tempdir().unwrap();
        let path = |name: &str| parent.path().join(name);
        for name in ["workshop", "place"] {
            fs::create_dir(path(name)).unwrap();
        }
        staged(parent.path(), "one").publish_new(&path("place/web")).unwrap();
        discard(&path("place/web"), &path("workshop"), &SystemEntropy).unwrap();
        assert!(names_in(&path("place")).is_empty() && names_in(&path("workshop")).is_empty());
        assert!(discard(&path("place/web"), &path("workshop"), &SystemEntropy).unwrap_err().is_missing());
    }

    #[test]
    fn a_name_inside_that_is_taken_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let mut staged = staged(parent.path(), "one");
        assert!(staged.add("cert.pem", b"two", 0o644).unwrap_err().is_already_there());
    }

    #[test]
    fn a_way_that_others_could_have_laid_is_not_taken() {
        let top = planted();
        let path = |name: &str| top.path().join(name);
        assert!(StagedFolder::create(&path("shared/link"), &SystemEntropy).is_err());
        assert!(names_in(&path("victim")).is_empty());
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_a_living_one_makes_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let path = |name: &str| parent.path().join(name);
        fs::create_dir(path(".staged-0123456789abcdef")).unwrap();
        fs::write(path(".staged-0123456789abcdef/key.pem"), "half").unwrap();
        fs::write(path(".staged-00000000000000ff"), "half").unwrap();
        // Not ours: another name, and a link with one of our names.
        fs::write(path(".staged-not-hexadecimal"), "").unwrap();
        fs::create_dir(path("elsewhere")).unwrap();
        std::os::unix::fs::symlink(path("elsewhere"), path(".staged-1111111111111111")).unwrap();

        let living = staged(parent.path(), "one");
        remove_stale(parent.path()).unwrap();
        assert!(living.path().join("sub/key.pem").exists());
        drop(living);
        assert_eq!(names_in(parent.path()), [".staged-1111111111111111", ".staged-not-hexadecimal", "elsewhere"]);
        remove_stale(&path("missing")).unwrap();
    }

    #[test]
    fn what_another_user_called_like_a_folder_under_construction_stays_where_others_can_write() {
        use std::os::unix::fs::{PermissionsExt, chown};
        let top = tempfile::tempdir().unwrap();
        let names = [".staged-0123456789abcdef", ".staged-00000000000000ff"];
        for (mode, is_shared) in [(0o777, true), (0o755, false)] {
            fs::set_permissions(top.path(), fs::Permissions::from_mode(mode)).unwrap();
            for name in names {
                fs::create_dir_all(top.path().join(name).join("below")).unwrap();
            }
            let theirs = top.path().join(names[1]);
            let is_theirs = chown(&theirs, Some(65534), None).is_ok();
            rustix::fs::mkfifoat(rustix::fs::CWD, top.path().join(".staged-1111111111111111"), rustix::fs::Mode::RUSR)
                .unwrap();
            remove_stale(top.path()).unwrap();
            assert_eq!(theirs.exists(), is_shared && is_theirs, "only root can make a folder of another user's");
            assert!(!top.path().join(names[0]).exists());
            fs::remove_file(top.path().join(".staged-1111111111111111")).unwrap();
        }
    }

    #[test]
    fn what_killed_processes_left_is_listed_and_not_what_lives_or_belongs_to_another_user() {
        let parent = tempfile::tempdir().unwrap();
        let path = |name: &str| parent.path().join(name);
        let (left, theirs) = (path(".staged-0123456789abcdef"), path(".staged-00000000000000ff"));
        for folder in [&left, &theirs, &path(".staged-not-hexadecimal")] {
            fs::create_dir(folder).unwrap();
        }
        std::os::unix::fs::symlink(&left, path(".staged-1111111111111111")).unwrap();
        fs::write(path(".staged-2222222222222222"), "").unwrap();
        let is_theirs = std::os::unix::fs::chown(&theirs, Some(65_534), None).is_ok();
        let living = staged(parent.path(), "one");
        let mut expected = if is_theirs { vec![left] } else { vec![theirs, left] };
        assert_eq!(stale_folders(parent.path()).unwrap(), expected);
        expected.push(living.path().to_owned());
        expected.sort();
        living.folder.file().unlock().unwrap();
        assert_eq!(stale_folders(parent.path()).unwrap(), expected, "a lock is what a living process has");
        assert_eq!(stale_folders(&path("missing")).unwrap(), [""; 0].map(PathBuf::from));
    }

    #[test]
    fn a_folder_that_another_user_exchanged_is_not_reported_as_published() {
        let top = planted();
        let path = |name: &str| top.path().join(name);
        type Publish = fn(StagedFolder, &Path) -> Result<(), FileError>;
        for publish in [StagedFolder::publish_new as Publish, StagedFolder::publish_new_or_over_empty] {
            let staged = staged(&path("shared"), "ours");
            fs::rename(staged.path(), path("shared/away")).unwrap();
            std::os::unix::fs::symlink(path("victim"), staged.path()).unwrap();
            let error = publish(staged, &path("shared/web")).unwrap_err();
            assert!(error.to_string().ends_with("another user exchanged it while it was being written"), "{error}");
            fs::remove_file(path("shared/web")).unwrap();
            fs::remove_dir_all(path("shared/away")).unwrap();
        }
        assert!(names_in(&path("victim")).is_empty());
    }

    #[test]
    fn a_folder_that_was_moved_before_it_could_be_published_is_not_emptied() {
        let parent = tempfile::tempdir().unwrap();
        let staged = staged(parent.path(), "one");
        fs::rename(staged.path(), parent.path().join("kept")).unwrap();
        drop(staged);
        assert_eq!(fs::read_to_string(parent.path().join("kept/cert.pem")).unwrap(), "one");
    }
}
