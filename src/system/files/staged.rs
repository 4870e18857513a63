//! A folder that is filled under a temporary name, and then appears complete under its own.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::folders::names_in;
use super::parent::parent_of;
use super::rename::{rename_folder, rename_new};
use super::replace::replace_folder;
use super::unfinished_name::{PREFIX, is_unfinished_name, unfinished_name};
use super::write::{make_folder, write_new};
use super::{FOLDER, FileError, Ownership, SECRET, refuse_planted_links, sync_folder};
use crate::system::Entropy;
use crate::system::unix::attributes::{is_ours_or_roots, is_same_file};

/// A folder under construction: `<parent>/.staged-<random>`, mode 0700. When it is dropped before it is published, it is
/// removed with everything in it.
#[derive(Debug)]
pub struct StagedFolder {
    path: PathBuf,
    /// Files in it, in the order of writing; they are synced in this order.
    files: Vec<PathBuf>,
    /// Folders in it, likewise.
    folders: Vec<PathBuf>,
    /// Open while this process works on it: its kernel lock says so to [`remove_stale`].
    _alive: File,
    published: bool,
}

impl StagedFolder {
    /// Starts a folder in `parent`, which must be on the same file system as the target.
    ///
    /// # Errors
    /// When the path of `parent` leads through a link that other users could have planted, or the system refuses.
    pub fn create(parent: &Path, entropy: &dyn Entropy) -> Result<Self, FileError> {
        refuse_planted_links(&parent.join(PREFIX))?;
        loop {
            let path = parent.join(unfinished_name(entropy).map_err(FileError::of("name a file in", parent))?);
            match make_folder(&path, FOLDER) {
                Ok(()) => {}
                Err(error) if error.is_already_there() => continue,
                Err(error) => return Err(error),
            }
            // Another process may have taken it for abandoned between the two calls: then start again.
            if let Some(alive) = mark_alive(&path).map_err(FileError::of("lock", &path))? {
                return Ok(Self { path, files: Vec::new(), folders: Vec::new(), _alive: alive, published: false });
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
        let path = self.path.join(name);
        write_new(&path, content, mode)?;
        self.files.push(path);
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
        let path = self.path.join(name);
        make_folder(&path, FOLDER)?;
        self.folders.push(path);
        Ok(())
    }

    /// Adds a file that was written into it by SQLite, so that it is synced with the others.
    pub fn adopt(&mut self, name: impl AsRef<Path>) {
        self.files.push(self.path.join(name));
    }

    /// Gives the folder and everything in it to an owner and a group.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn give(&self, ownership: Ownership) -> Result<(), FileError> {
        self.files.iter().chain(&self.folders).chain([&self.path]).try_for_each(|path| ownership.give(path))
    }

    /// Makes everything in it durable: the files, the folders in it, then itself.
    ///
    /// # Errors
    /// When the system refuses; then nothing in it is known to be durable.
    pub fn sync(&self) -> Result<(), FileError> {
        super::sync_all(&self.files.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
        self.folders.iter().rev().try_for_each(|folder| sync_folder(folder))?;
        sync_folder(&self.path)
    }

    /// Publishes it as `target`, durably. Call [`sync`](Self::sync) before.
    ///
    /// # Errors
    /// When the name is taken ([`FileError::is_already_there`]), or the system refuses. Then it was not published, except
    /// when only the last sync failed: the action of that error is `sync`.
    pub fn publish_new(mut self, target: &Path) -> Result<(), FileError> {
        rename_new(&self.path, target)?;
        self.published = true;
        sync_folder(parent_of(target))
    }

    /// Replaces the folder `target`, which is kept as `kept`, durably: see [`replace_folder`]. Call [`sync`](Self::sync)
    /// before.
    ///
    /// # Errors
    /// As [`replace_folder`].
    pub fn publish_replacing(mut self, target: &Path, kept: &Path) -> Result<(), FileError> {
        replace_folder(&self.path, target, kept)?;
        self.published = true;
        Ok(())
    }
}

/// An unfinished folder is useless.
impl Drop for StagedFolder {
    fn drop(&mut self) {
        if !self.published {
            // If that fails, remove_stale finds it.
            drop(fs::remove_dir_all(&self.path));
        }
    }
}

/// Removes what killed processes left unfinished in a folder. What a living process works on is kept, since that process
/// holds a kernel lock on it. It reads the whole folder; call it where one process at a time works (under the CA lock).
///
/// # Errors
/// When the folder cannot be read. What cannot be removed is left, and does no harm.
pub fn remove_stale(parent: &Path) -> Result<(), FileError> {
    let entries = match fs::read_dir(parent) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(FileError::of("read", parent))?,
    };
    for entry in entries {
        let entry = entry.map_err(FileError::of("read", parent))?;
        if !is_unfinished_name(&entry.file_name()) {
            continue;
        }
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if (kind.is_dir() || kind.is_file()) && is_abandoned(&path) => {
                drop(if kind.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) });
            }
            // A link or a device with such a name was not made by this program.
            _ => {}
        }
    }
    Ok(())
}

/// Returns the folders in `parent` that killed processes left unfinished: those with a name of this program, of this user or
/// root, that no living process works on.
///
/// # Errors
/// When the folder cannot be read.
pub fn stale_folders(parent: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut folders: Vec<PathBuf> = names_in(parent)?
        .iter()
        .filter(|name| is_unfinished_name(name.as_ref()))
        .map(|name| parent.join(name))
        .filter(|path| fs::symlink_metadata(path).is_ok_and(|found| found.is_dir() && is_ours_or_roots(&found)))
        .filter(|path| is_abandoned(path))
        .collect();
    folders.sort();
    Ok(folders)
}

/// Removes a folder: first it is moved out of its place in one step, so that a process that is killed meanwhile never
/// leaves a part of it there. Durable when its place is synced.
///
/// # Errors
/// When it cannot be moved into `workshop`, a folder on the same file system that [`remove_stale`] cleans.
pub fn discard(folder: &Path, workshop: &Path, entropy: &dyn Entropy) -> Result<(), FileError> {
    let unfinished = workshop.join(unfinished_name(entropy).map_err(FileError::of("name a file in", workshop))?);
    rename_folder(folder, &unfinished)?;
    // If that fails, remove_stale finds it.
    drop(fs::remove_dir_all(&unfinished));
    Ok(())
}

/// Takes the lock that says that this process works on the folder. `None` when another process removed the folder as
/// abandoned.
fn mark_alive(path: &Path) -> io::Result<Option<File>> {
    let opened = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    // On a file system without locks, no process can lock it in order to remove it either.
    drop(opened.try_lock());
    let is_still_there =
        fs::symlink_metadata(path).is_ok_and(|there| opened.metadata().is_ok_and(|ours| is_same_file(&ours, &there)));
    Ok(is_still_there.then_some(opened))
}

fn is_abandoned(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::super::write::tests::{Umask, mode_of, planted};
    use super::*;
    use crate::system::entropy::SystemEntropy;

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names = super::names_in(folder).unwrap();
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
}
