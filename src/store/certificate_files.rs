//! The files of a delivered certificate.

use std::path::{Path, PathBuf};

use crate::system::files;

/// One of the files of a delivered certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificateFile {
    pub name: &'static str,
    /// The permissions of the file; a template may set others for the key.
    pub mode: u32,
    /// True when only the owner may read the file, and its content is wiped from memory after use.
    pub is_secret: bool,
    /// True when the folder of an authority has the file, too.
    pub is_of_authority: bool,
}

pub const KEY: CertificateFile =
    CertificateFile { name: "key.pem", mode: files::SECRET, is_secret: true, is_of_authority: true };

pub const CERTIFICATE: CertificateFile =
    CertificateFile { name: "cert.pem", mode: files::PUBLIC, is_secret: false, is_of_authority: true };

/// The certificates between the leaf certificate and its root, the issuer first.
pub const CHAIN: CertificateFile =
    CertificateFile { name: "chain.pem", mode: files::PUBLIC, is_secret: false, is_of_authority: true };

/// The certificate and its chain in one file.
pub const FULLCHAIN: CertificateFile =
    CertificateFile { name: "fullchain.pem", mode: files::PUBLIC, is_secret: false, is_of_authority: false };

/// All files, in the order in which they are copied into a folder: the key first.
pub const ALL: [CertificateFile; 4] = [KEY, CERTIFICATE, CHAIN, FULLCHAIN];

impl CertificateFile {
    /// Returns the path of this file in a folder.
    pub fn path_in(&self, folder: &Path) -> PathBuf {
        folder.join(self.name)
    }
}
