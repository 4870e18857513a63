//! An opened CA: its directory, settings, index and CA certificates, each of which is read once.
//!
//! [`Store::open`] reads the settings; the index is opened on first use. Only [`Store::lock`] returns a [`Locked`], and
//! only a [`Locked`] returns an index that can be written, so that every process that changes the CA has the lock.

use std::cell::{Cell, OnceCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use time::OffsetDateTime;

use super::ca_certificates::CaCertificates;
use super::config::Config;
use super::error::StoreError;
use super::home::Home;
use super::index::credentials::ServerVariables;
use super::index::location::{IndexLocation, WriterLock, WriterLockError};
use super::index::{Index, IndexError};
use super::trusted_directory;

/// The time of the newest event of the index, once the index was opened: see [`Store::watched_by`].
pub type NewestEvent = Rc<Cell<Option<OffsetDateTime>>>;

/// A CA that is open for reading.
pub struct Store {
    home: Home,
    config: Config,
    location: IndexLocation,
    reader: OnceCell<Index>,
    ca_certificates: CaCertificates,
    newest_event: Option<NewestEvent>,
}

impl Store {
    /// Opens the CA in a directory and reads its settings. Its index is in a file, or in a server that needs no password and
    /// whose URL names the user.
    ///
    /// # Errors
    /// As [`open_with`](Self::open_with).
    pub fn open(home: Home) -> Result<Self, StoreError> {
        Self::open_with(home, &ServerVariables::default())
    }

    /// Opens the CA in a directory and reads its settings.
    ///
    /// # Errors
    /// When `ca.toml` cannot be read or is invalid, or names an index or a template folder that other users can change.
    pub fn open_with(home: Home, variables: &ServerVariables) -> Result<Self, StoreError> {
        let config = Config::load(&home)?;
        let location = IndexLocation::parse(&config.index.location, &home, variables)
            .map_err(|reason| StoreError::IndexLocation { path: home.config(), reason })?;
        // What is in its usual place was examined before the settings were read.
        let (usual, trust) = (Config::default(), home.trust());
        if let Some(index) = location.path().filter(|_| config.index.location != usual.index.location) {
            trusted_directory::check_index_elsewhere(index, trust)?;
        }
        if config.issue.template_dir != usual.issue.template_dir {
            trusted_directory::check_templates(&home.resolve(&config.issue.template_dir), trust)?;
        }
        let ca_certificates = CaCertificates::of(&home);
        Ok(Self { home, config, location, reader: OnceCell::new(), ca_certificates, newest_event: None })
    }

    /// Notes the time of the newest event in `newest` when the index is opened: no other connection is needed for it.
    #[must_use]
    pub fn watched_by(self, newest: Option<NewestEvent>) -> Self {
        Self { newest_event: newest, ..self }
    }

    fn note_newest_event(&self, index: &Index) -> Result<(), IndexError> {
        if let Some(newest) = self.newest_event.as_ref().filter(|newest| newest.get().is_none()) {
            newest.set(index.newest_event()?);
        }
        Ok(())
    }

    /// Returns the CA directory.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Returns the settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Returns the folder of the site's own templates.
    pub fn template_folder(&self) -> PathBuf {
        self.home.resolve(&self.config.issue.template_dir)
    }

    /// Returns the location of the index.
    pub fn index_location(&self) -> &IndexLocation {
        &self.location
    }

    /// Returns the certificates and key files of the authorities. Each of their methods reads the files at the time of
    /// the call.
    pub fn ca_certificates(&self) -> &CaCertificates {
        &self.ca_certificates
    }

    /// Returns the index for reading and opens it at the first call. The index shows what other processes commit.
    ///
    /// # Errors
    /// When the index is missing, damaged, or of a later version.
    pub fn index(&self) -> Result<&Index, IndexError> {
        if let Some(index) = self.reader.get() {
            return Ok(index);
        }
        let index = self.location.open_to_read()?;
        self.note_newest_event(&index)?;
        Ok(self.reader.get_or_init(|| index))
    }

    /// Keeps a connection to the index for later reads of this process, so that none of them opens another one: the
    /// first connection of all processes reads the whole write-ahead log.
    pub fn keep(&self, index: Index) {
        // When the store has a connection, this one is closed.
        drop(self.reader.set(index));
    }

    /// Waits for the lock of the CA, at most `timeout`.
    ///
    /// # Errors
    /// When another process or machine has the lock for longer, the server of the index cannot be reached, or the system
    /// reports an error.
    pub fn lock(&self, timeout: Duration) -> Result<Locked<'_>, WriterLockError> {
        Ok(Locked { store: self, index: None, lock: self.location.lock(timeout)?, timeout, is_delivering: false })
    }
}

/// A CA that no other process changes while this value lives. The lock is the kernel's, and that of a server ends with its
/// connection: both are released when the process exits.
pub struct Locked<'s> {
    store: &'s Store,
    index: Option<Index>,
    lock: WriterLock,
    timeout: Duration,
    /// True after [`begin_delivery`](Locked::begin_delivery): other machines may write.
    is_delivering: bool,
}

impl<'s> Locked<'s> {
    /// Returns the locked CA.
    pub fn store(&self) -> &'s Store {
        self.store
    }

    /// Lets other machines write from here on, while this process delivers what it has recorded; processes on this machine wait.
    /// [`index`](Self::index) waits for the right to write again.
    ///
    /// # Errors
    /// When the server cannot be reached any longer.
    pub fn begin_delivery(&mut self) -> Result<(), IndexError> {
        if let Some(index) = &self.index {
            index.begin_delivery()?;
            self.is_delivering = true;
        }
        Ok(())
    }

    /// Returns the index for writing and opens it at the first call.
    ///
    /// # Errors
    /// When the index is missing, damaged, of a later version, or may not be written.
    pub fn index(&mut self) -> Result<&mut Index, IndexError> {
        if self.is_delivering
            && let Some(index) = &self.index
        {
            index.lock_again(self.timeout)?;
            self.is_delivering = false;
        }
        self.index_to_mark()
    }

    /// Returns the index for the marks of delivered files, which every machine may set at any time.
    ///
    /// # Errors
    /// As [`index`](Self::index).
    pub fn index_to_mark(&mut self) -> Result<&mut Index, IndexError> {
        match &mut self.index {
            Some(index) => Ok(index),
            none => {
                let index = self.lock.open(&self.store.location)?;
                self.store.note_newest_event(&index)?;
                Ok(none.insert(index))
            }
        }
    }
}

/// The lock ends here, and its connection stays for what this process reads later.
impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // A connection that cannot release the lock of the server is closed, which ends the lock.
        if let Some(index) = self.index.take().filter(|index| index.release_writers().is_ok()) {
            self.store.keep(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    use super::*;
    use crate::store::trusted_directory::DistrustReason;

    fn with_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// A CA directory with these settings, and what other users can change beside it.
    fn directory(settings: &str) -> tempfile::TempDir {
        let top = tempfile::tempdir().unwrap();
        for folder in ["ca", "elsewhere", "elsewhere/templates"] {
            fs::create_dir(top.path().join(folder)).unwrap();
            with_mode(&top.path().join(folder), 0o755);
        }
        for (file, content) in
            [("ca/ca.toml", settings), ("elsewhere/index.db", ""), ("elsewhere/templates/server.toml", "")]
        {
            fs::write(top.path().join(file), content).unwrap();
            with_mode(&top.path().join(file), 0o644);
        }
        top
    }

    #[test]
    fn an_index_and_templates_elsewhere_are_examined_too() {
        let index = ("[index]\nlocation = \"../elsewhere/index.db\"\n", ["elsewhere", "elsewhere/index.db"]);
        let templates = (
            "[issue]\ntemplate-dir = \"../elsewhere/templates\"\n",
            ["elsewhere/templates", "elsewhere/templates/server.toml"],
        );
        for (settings, paths) in [index, templates] {
            let top = directory(settings);
            let folder = top.path().join("ca");
            let open = || Store::open(Home::find(Some(&folder), top.path()).unwrap()).map(drop);
            let audit = || Store::open(Home::find_to_audit(Some(&folder), top.path()).unwrap()).map(drop);
            open().unwrap();
            for path in paths {
                let path = top.path().join(path);
                let mode = path.metadata().unwrap().permissions().mode() & 0o777;
                with_mode(&path, mode | 0o020);
                let refused = open();
                assert!(matches!(&refused, Err(StoreError::NotTrusted(DistrustReason::Mode { .. }))), "{refused:?}");
                audit().unwrap();
                with_mode(&path, mode);
            }
            let path = top.path().join(paths[1]);
            fs::rename(&path, top.path().join("moved-away")).unwrap();
            symlink(top.path().join("moved-away"), &path).unwrap();
            for refused in [open(), audit()] {
                assert!(matches!(&refused, Err(StoreError::NotTrusted(DistrustReason::Link(_)))), "{refused:?}");
            }
        }
    }

    #[test]
    fn what_is_read_after_a_change_needs_no_other_connection() {
        let ca = crate::authority::testing::Ca::new();
        let store = ca.store();
        let mut locked = store.lock(Duration::from_secs(60)).unwrap();
        locked.index().unwrap();
        drop(locked);
        fs::rename(ca.path("index.db"), ca.path("moved-away")).unwrap();
        store.index().unwrap();
        assert!(matches!(ca.store().index(), Err(IndexError::Missing { .. })));
    }
}
