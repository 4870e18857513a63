//! The files that a delivered certificate consists of.

use std::path::{Path, PathBuf};

use crate::system::files;

/// One of the files of a delivered certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificateFile {
    pub name: &'static str,
    /// The permissions; a template may set others for the key.
    pub mode: u32,
    /// True when only the owner may read it: its content is wiped from memory after use.
    pub is_secret: bool,
    /// True when the folder of a CA has it, too.
    pub is_of_authority: bool,
}

pub const KEY: CertificateFile =
    CertificateFile { name: "key.pem", mode: files::SECRET, is_secret: true, is_of_authority: true };

pub const CERTIFICATE: CertificateFile =
    CertificateFile { name: "cert.pem", mode: files::PUBLIC, is_secret: false, is_of_authority: true };

/// The certificates between the certificate and its root, the issuer first.
pub const CHAIN: CertificateFile =
    CertificateFile { name: "chain.pem", mode: files::PUBLIC, is_secret: false, is_of_authority: true };

/// The certificate and its chain in one file.
pub const FULLCHAIN: CertificateFile =
    CertificateFile { name: "fullchain.pem", mode: files::PUBLIC, is_secret: false, is_of_authority: false };

/// All of them, in the order in which a folder is copied: the key first.
pub const ALL: [CertificateFile; 4] = [KEY, CERTIFICATE, CHAIN, FULLCHAIN];

impl CertificateFile {
    /// The path of this file in a folder.
    pub fn path_in(&self, folder: &Path) -> PathBuf {
        folder.join(self.name)
    }
}
