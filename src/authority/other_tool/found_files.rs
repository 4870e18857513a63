//! The certificates, CRLs and private keys in the files of a folder, whatever their names are.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::authority::other_tool::error::SourceError;
use crate::authority::other_tool::finding::ImportFindings;
use crate::authority::other_tool::source_folder::{FoundFile, NotRead, SourceFolder};
use crate::keys::key_file;
use crate::system::files::{self, FileError};
use crate::text::io_reason;
use crate::x509::certificate_file::der_of;
use crate::x509::file_kind::{self, Expected};
use crate::x509::{digest, pem, text_encoding};

/// The most bytes that are read from all files together.
pub const MOST_BYTES: u64 = 512 * 1024 * 1024;
/// The most bytes of certificates and keys that are kept.
pub const MOST_KEPT_BYTES: usize = 64 * 1024 * 1024;
/// The most CRLs that are kept.
pub const MOST_CRLS: usize = 100;

/// A certificate of a file.
#[derive(Debug, Clone)]
pub struct FoundCertificate {
    /// Relative to the folder of the tool.
    pub path: PathBuf,
    pub der: Vec<u8>,
}

/// A file with a private key.
pub struct FoundKey {
    /// Relative to the folder of the tool.
    pub path: PathBuf,
    pub content: Zeroizing<Vec<u8>>,
}

/// What the files of a folder have.
#[derive(Default)]
pub struct FoundFiles {
    /// Each certificate once, from the first file that has it.
    pub certificates: Vec<FoundCertificate>,
    pub crls: Vec<(PathBuf, Vec<u8>)>,
    pub keys: Vec<FoundKey>,
    /// SHA-256 of the certificates in the folder of revoked ones.
    pub revoked: HashSet<[u8; 32]>,
    /// The files that begin like `index.txt` of `openssl ca`, whatever their names are.
    pub indexes: Vec<PathBuf>,
    seen: HashSet<[u8; 32]>,
    kept: usize,
    read: u64,
}

impl FoundFiles {
    /// Reads every file of a folder. `revoked` is the folder of revoked certificates, `skipped` one that is not read.
    ///
    /// # Errors
    /// When the folder is larger than the limits.
    pub fn read(
        source: &SourceFolder,
        revoked: Option<&Path>,
        skipped: Option<&Path>,
        findings: &mut ImportFindings,
    ) -> Result<Self, SourceError> {
        let mut found = Self::default();
        let not_read = source.each_file(skipped, &mut |file| found.add(file, revoked, findings))?;
        note_not_read(not_read, findings);
        Ok(found)
    }

    fn add(
        &mut self,
        file: &FoundFile<'_>,
        revoked: Option<&Path>,
        findings: &mut ImportFindings,
    ) -> Result<(), SourceError> {
        let most = if may_be_crl(&file.path) { files::MAX_FILE_BYTES } else { files::MAX_SMALL_FILE_BYTES };
        let length = match file.folder.open_to_copy(file.name) {
            Ok(opened) => opened.bytes,
            Err(error) => {
                unreadable(&file.path, &error, findings);
                return Ok(());
            }
        };
        if length > most {
            if looks_relevant(&file.path) {
                let message = format!("it has {length} bytes, more than the {most} that are read");
                findings.warn("file-too-large", &file.path, message);
            }
            return Ok(());
        }
        self.read += length;
        if self.read > MOST_BYTES {
            return Err(SourceError::TooLarge(format!("its files have more than {MOST_BYTES} bytes together")));
        }
        let content = match file.folder.read(file.name, most) {
            Ok(Some(stored)) => Zeroizing::new(stored.content),
            Ok(None) => return Ok(()),
            Err(error) => {
                unreadable(&file.path, &error, findings);
                return Ok(());
            }
        };
        let is_revoked = revoked.is_some_and(|folder| file.path.starts_with(folder));
        self.add_content(&file.path, content, is_revoked, findings);
        match self.kept > MOST_KEPT_BYTES {
            true => Err(SourceError::TooLarge(format!("its certificates have more than {MOST_KEPT_BYTES} bytes"))),
            false => Ok(()),
        }
    }

    /// Adds what a file has. Blocks of other kinds, and files that are neither PEM nor DER, are left out.
    fn add_content(
        &mut self,
        path: &Path,
        mut content: Zeroizing<Vec<u8>>,
        is_revoked: bool,
        findings: &mut ImportFindings,
    ) {
        let content = Zeroizing::new(text_encoding::decoded(std::mem::take(&mut *content)));
        // The certificates of a database are rows of it.
        if content.starts_with(b"SQLite format 3\0") {
            return;
        }
        if is_index(&content) {
            self.indexes.push(path.to_owned());
            return;
        }
        if !pem::is_pem(&content) {
            let Some(kind) = file_kind::what_is_der(&content) else { return };
            if Expected::Certificate.accepts(kind) {
                self.add_certificate(path, content.to_vec(), is_revoked);
            } else if Expected::Crl.accepts(kind) {
                self.add_crl(path, content.to_vec(), findings);
            } else if Expected::PrivateKey.accepts(kind) {
                self.add_key(path, content);
            }
            return;
        }
        let mut has_key = false;
        for block in pem::parse_each(&content) {
            match block {
                Err(error) => findings.warn("file-damaged", path, error.to_string()),
                Ok(block) if key_file::is_private_key(&block) => has_key = true,
                Ok(block) if pem::is_crl(&block.label) => self.add_crl(path, block.content.to_vec(), findings),
                Ok(block) => {
                    if let Some(der) = der_of(&block) {
                        self.add_certificate(path, der.to_vec(), is_revoked);
                    }
                }
            }
        }
        if has_key {
            self.add_key(path, content);
        }
    }

    /// Adds a certificate that a database of the tool has.
    pub fn add_certificate(&mut self, path: &Path, der: Vec<u8>, is_revoked: bool) {
        let fingerprint = digest::sha256(&der);
        if is_revoked {
            self.revoked.insert(fingerprint);
        }
        if self.seen.insert(fingerprint) {
            self.kept += der.len();
            self.certificates.push(FoundCertificate { path: path.to_owned(), der });
        }
    }

    fn add_crl(&mut self, path: &Path, der: Vec<u8>, findings: &mut ImportFindings) {
        if self.crls.iter().any(|(_, known)| *known == der) {
            return;
        }
        if self.crls.len() == MOST_CRLS {
            findings.warn("crl-not-read", path, format!("the folder has more than {MOST_CRLS} CRLs"));
            return;
        }
        self.kept += der.len();
        self.crls.push((path.to_owned(), der));
    }

    fn add_key(&mut self, path: &Path, content: Zeroizing<Vec<u8>>) {
        self.kept += content.len();
        self.keys.push(FoundKey { path: path.to_owned(), content });
    }
}

fn unreadable(path: &Path, error: &FileError, findings: &mut ImportFindings) {
    findings.warn("not-read", path, format!("it cannot be read: {}", io_reason(&error.cause)));
}

fn note_not_read(not_read: NotRead, findings: &mut ImportFindings) {
    for path in not_read.links {
        if looks_relevant(&path) {
            findings.warn("link-not-followed", path, "it is a symbolic link, which is not followed");
        }
    }
    for path in not_read.too_deep {
        findings.warn("not-read", path, "the folder is too deep, and was not read");
    }
    for (path, error) in not_read.failed {
        unreadable(&path, &error, findings);
    }
}

fn extension(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// Returns whether a file begins with a line of `index.txt`: a status, the expiry, the time of the revocation, the serial number, a
/// file name and the subject.
fn is_index(content: &[u8]) -> bool {
    let line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
    fields.len() == 6 && matches!(fields[0], b"V" | b"R" | b"E")
}

/// Returns whether the name is one that tools give to CRLs, which can be long.
fn may_be_crl(path: &Path) -> bool {
    extension(path) == "crl"
        || path.file_stem().is_some_and(|stem| stem.to_string_lossy().to_lowercase().contains("crl"))
}

/// Returns whether the name is one of a certificate, key or CRL. Links to such files matter, and other links do not.
fn looks_relevant(path: &Path) -> bool {
    matches!(extension(path).as_str(), "" | "pem" | "crt" | "cer" | "cert" | "der" | "key" | "crl")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{TestCa, TestCert};

    #[test]
    fn certificates_keys_and_crls_are_found_by_their_content() {
        let root = TestCa::root();
        let leaf = root.issue_der(&TestCert::server("a.test"));
        let text = format!("Certificate:\n  Data:\n{}", pem::certificate(&leaf));
        let key = key_file::write(&root.key, None).unwrap();
        let (mut found, mut findings) = (FoundFiles::default(), ImportFindings::default());
        let mut add = |path: &str, content: &[u8], is_revoked| {
            found.add_content(Path::new(path), Zeroizing::new(content.to_vec()), is_revoked, &mut findings);
        };
        add("newcerts/01.pem", text.as_bytes(), false);
        add("revoked/01.der", &leaf, true);
        add("both.pem", format!("{}{}", *key, pem::certificate(root.certificate.as_der())).as_bytes(), false);
        add("README", b"no certificate", false);
        add("garbage", &[0xff; 999], false);
        add("cut.pem", &text.as_bytes()[..text.len() - 40], false);
        let paths: Vec<_> = found.certificates.iter().map(|found| found.path.to_string_lossy().into_owned()).collect();
        assert_eq!(paths, ["newcerts/01.pem", "both.pem"]);
        assert_eq!((found.keys.len(), found.revoked.len()), (1, 1));
        assert_eq!((findings.count("file-damaged"), findings.total()), (1, 1));
    }

    proptest::proptest! {
        #[test]
        fn no_content_breaks_it(content in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let (mut found, mut findings) = (FoundFiles::default(), ImportFindings::default());
            found.add_content(Path::new("x"), Zeroizing::new(content), false, &mut findings);
        }
    }
}
