//! An opened CA: where its files are, its settings, its index and its CA certificates, each found once.
//!
//! [`Store::open`] reads the settings; the index is opened when it is first asked for. [`Store::lock`] is the only way to
//! a [`Locked`], and a [`Locked`] the only way to an index that can be written: whoever changes the CA has the lock.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::time::Duration;

use super::ca_certificates::CaCertificates;
use super::config::Config;
use super::error::StoreError;
use super::home::Home;
use super::index::location::{IndexLocation, WriterLock};
use super::index::{Index, IndexError};
use crate::system::files::LockError;

/// A CA that is open for reading.
pub struct Store {
    home: Home,
    config: Config,
    location: IndexLocation,
    reader: OnceCell<Index>,
    ca_certificates: CaCertificates,
}

impl Store {
    /// Opens the CA in a directory: reads its settings.
    ///
    /// # Errors
    /// When `ca.toml` cannot be read.
    pub fn open(home: Home) -> Result<Self, StoreError> {
        let config = Config::load(&home)?;
        let location = IndexLocation::parse(&config.index.location, &home);
        let ca_certificates = CaCertificates::of(&home);
        Ok(Self { home, config, location, reader: OnceCell::new(), ca_certificates })
    }

    /// The CA directory.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The folder of the site's own templates.
    pub fn template_folder(&self) -> PathBuf {
        self.home.resolve(&self.config.issue.template_dir)
    }

    /// Where the index is.
    pub fn index_location(&self) -> &IndexLocation {
        &self.location
    }

    /// The certificates and key files of the authorities. Each call of theirs reads the files as they are at that moment.
    pub fn ca_certificates(&self) -> &CaCertificates {
        &self.ca_certificates
    }

    /// The index, for reading; opened at the first call. It sees what other processes commit.
    ///
    /// # Errors
    /// When it is not there, damaged, or of a later version.
    pub fn index(&self) -> Result<&Index, IndexError> {
        if let Some(index) = self.reader.get() {
            return Ok(index);
        }
        let index = self.location.open_to_read()?;
        Ok(self.reader.get_or_init(|| index))
    }

    /// Waits for the lock of the CA, at most `timeout`.
    ///
    /// # Errors
    /// When another process has it for longer, or the system refuses.
    pub fn lock(&self, timeout: Duration) -> Result<Locked<'_>, LockError> {
        Ok(Locked { store: self, index: None, _lock: self.location.lock(timeout)? })
    }
}

/// A CA that no other process changes while this value lives. The lock is the kernel's and ends with the process.
pub struct Locked<'s> {
    store: &'s Store,
    index: Option<Index>,
    _lock: WriterLock,
}

impl<'s> Locked<'s> {
    /// The CA that is locked.
    pub fn store(&self) -> &'s Store {
        self.store
    }

    /// The index, for writing; opened at the first call.
    ///
    /// # Errors
    /// When it is not there, damaged, of a later version, or may not be written.
    pub fn index(&mut self) -> Result<&mut Index, IndexError> {
        match &mut self.index {
            Some(index) => Ok(index),
            none => Ok(none.insert(self.store.location.open()?)),
        }
    }
}
