//! The kinds of trust stores and their places.

use std::path::PathBuf;

use super::anchors::{self, Layout};
use super::plan::Plan;
use super::presence::{Presence, Wanted};
use super::programs::Programs;
use super::roots::TrustRoot;
use super::{java, keychain, nss};
use crate::report::failure::Failure;
use crate::text::PathText;

/// The stores, as `--store` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreName {
    System,
    /// The NSS database of a user, which Chromium reads.
    Nss,
    Firefox,
    Java,
}

impl StoreName {
    pub const ALL: [Self; 4] = [Self::System, Self::Nss, Self::Firefox, Self::Java];

    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Nss => "nss",
            Self::Firefox => "firefox",
            Self::Java => "java",
        }
    }
}

/// A trust store of this machine.
#[derive(Debug, Clone)]
pub struct TrustStore {
    pub name: StoreName,
    pub place: StorePlace,
}

/// Where a store is, and so how it is read and changed.
#[derive(Debug, Clone)]
pub enum StorePlace {
    /// A folder of certificates, of which a program makes a bundle. The folder is below another one than `/` in tests.
    Anchors { layout: &'static Layout, below: PathBuf },
    /// A keychain of macOS.
    Keychain(PathBuf),
    /// A folder with `cert9.db`.
    Nss(PathBuf),
    /// A Java key store; `None` for that of the JDK.
    Java(Option<PathBuf>),
}

impl TrustStore {
    /// Returns what the store has of each root.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn find(&self, roots: &[TrustRoot], programs: &Programs<'_>) -> Result<Vec<Presence>, Failure> {
        match &self.place {
            StorePlace::Anchors { layout, below } => anchors::find(layout, below, roots),
            StorePlace::Keychain(path) => keychain::find(path, roots, programs),
            StorePlace::Nss(folder) => nss::find(folder, roots, programs),
            StorePlace::Java(path) => java::find(path.as_deref(), roots, programs),
        }
    }

    pub(super) fn install(&self, wanted: &Wanted<'_>) -> Plan {
        let steps = match &self.place {
            _ if wanted.is_empty() => Vec::new(),
            StorePlace::Anchors { layout, below } => anchors::install(layout, below, wanted),
            StorePlace::Keychain(path) => keychain::install(path, wanted),
            StorePlace::Nss(folder) => nss::install(folder, wanted),
            StorePlace::Java(path) => java::install(path.as_deref(), wanted),
        };
        Plan { roots: wanted.iter().map(|(at, ..)| *at).collect(), steps }
    }

    pub(super) fn uninstall(&self, wanted: &Wanted<'_>) -> Plan {
        let steps = match &self.place {
            _ if wanted.is_empty() => Vec::new(),
            StorePlace::Anchors { layout, below } => anchors::uninstall(layout, below, wanted),
            StorePlace::Keychain(path) => keychain::uninstall(path, wanted),
            StorePlace::Nss(folder) => nss::uninstall(folder, wanted),
            StorePlace::Java(path) => java::uninstall(path.as_deref(), wanted),
        };
        Plan { roots: wanted.iter().map(|(at, ..)| *at).collect(), steps }
    }

    /// Returns whether usually only root may change it.
    pub fn needs_root(&self) -> bool {
        matches!(self.place, StorePlace::Anchors { .. } | StorePlace::Keychain(_) | StorePlace::Java(None))
    }

    /// Returns its place as text.
    pub fn place_text(&self) -> String {
        match &self.place {
            StorePlace::Anchors { layout, below } => below.join(layout.bundle).escaped().to_string(),
            StorePlace::Keychain(path) | StorePlace::Nss(path) | StorePlace::Java(Some(path)) => {
                path.escaped().to_string()
            }
            StorePlace::Java(None) => "the key store of the JDK".to_owned(),
        }
    }

    /// Returns the kind of the store: how it is built.
    pub fn kind(&self) -> &'static str {
        match &self.place {
            StorePlace::Anchors { layout, .. } => layout.name,
            StorePlace::Keychain(_) => "keychain",
            StorePlace::Nss(_) => "nss",
            StorePlace::Java(_) => "java",
        }
    }
}
