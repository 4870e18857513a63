//! `--scan DIR`: certificates that an authority of this CA signed, and that the index does not have.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::authority::audit::finding::Findings;
use crate::authority::audit::subject::{Subject, unreadable};
use crate::store::StoreError;
use crate::store::ca_certificates::read_certificates;
use crate::system::files::{self, PathKind};
use crate::text::{PathText, escape};

/// The code of a certificate that the index does not have.
pub const UNKNOWN_CERTIFICATE: &str = "certificate-unknown";

/// Reads every certificate below a folder; links are not followed. What cannot be read is a finding: the scan is not complete
/// then. A file of more than [`files::MAX_SMALL_FILE_BYTES`] is taken for something else than certificates.
///
/// # Errors
/// When the folder or the index cannot be read.
pub fn check(subject: &Subject<'_>, top: &Path, findings: &mut Findings) -> Result<(), StoreError> {
    let mut folders: Vec<PathBuf> = vec![top.to_owned()];
    let mut seen: BTreeSet<[u8; 32]> = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        let mut names = match files::names_in(&folder) {
            Ok(names) => names,
            Err(error) if folder == top => return Err(error.into()),
            Err(error) => {
                unreadable(&folder, &error, findings);
                continue;
            }
        };
        names.sort();
        for path in names.into_iter().map(|name| folder.join(name)) {
            match files::examine(&path).ok().flatten().map(|found| found.kind) {
                Some(PathKind::Folder) => folders.push(path),
                Some(PathKind::File) => check_file(subject, &path, &mut seen, findings)?,
                _ => {}
            }
        }
    }
    Ok(())
}

fn check_file(
    subject: &Subject<'_>,
    path: &Path,
    seen: &mut BTreeSet<[u8; 32]>,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let certificates = match read_certificates(path) {
        Ok(certificates) => certificates,
        Err(StoreError::File(error)) if error.cause.kind() != io::ErrorKind::FileTooLarge => {
            unreadable(path, &error, findings);
            return Ok(());
        }
        // Most files are not certificates.
        Err(_) => return Ok(()),
    };
    for certificate in certificates {
        let Some(authority) = subject.signer_of(&certificate) else { continue };
        if subject.record_of(&certificate)?.is_none() && seen.insert(certificate.fingerprint()) {
            let message = format!(
                "'{}' signed the certificate with serial number {} for '{}', but the index does not have it",
                escape(authority),
                certificate.serial,
                certificate.subject
            );
            let fix = format!("to revoke it: ca revoke {}", path.in_shell());
            findings.error(UNKNOWN_CERTIFICATE, path.escaped().to_string(), message, fix);
        }
    }
    Ok(())
}
