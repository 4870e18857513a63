//! The folders of authorities: certificates, chains and keys.

use std::path::Path;

use crate::authority::audit::finding::{Findings, Repair, Severity};
use crate::authority::audit::scan::UNKNOWN_CERTIFICATE;
use crate::authority::audit::subject::{RESTORE_FILE, Subject, read_certificates};
use crate::authority::hierarchy::rotation::start::CROSS;
use crate::store::certificate_files::{CERTIFICATE, CHAIN, KEY};
use crate::store::index::{Entry, Origin};
use crate::store::previous_certificates::NameHistory;
use crate::store::{StoreError, ca_certificates};
use crate::system::files;
use crate::text::{self, PathText};
use crate::x509::{Certificate, pem};

/// Files with certificates that an authority may have beside its own.
const OTHER_FILES: [&str; 3] = ["new-with-old.pem", "old-with-new.pem", "bundle.pem"];

/// Checks every authority, also those that were retired.
///
/// # Errors
/// When the index cannot be read.
pub fn check(subject: &Subject<'_>, findings: &mut Findings) -> Result<(), StoreError> {
    let home = subject.store.home();
    for (folder, is_retired) in [(home.authorities(), false), (home.retired(), true)] {
        for name in files::names_in(&folder).unwrap_or_default() {
            if !name.starts_with('.') {
                check_authority(subject, &name, &folder.join(&name), is_retired, findings)?;
            }
        }
    }
    for authority in subject.authorities {
        let name = &authority.name;
        let is_there = [home.authority(name), home.retired().join(name)].iter().any(|folder| folder.is_dir());
        let Some(record) = subject.record_of(&authority.certificate)? else { continue };
        // An authority that another tool made below an imported CA has no folder here.
        let has_folder = record.template != CROSS && record.origin != Origin::Imported;
        let is_expected = has_folder && record.delivered_at.is_some();
        if is_expected
            && !is_there
            && !subject.facts.retired.contains(name)
            && !subject.facts.keyless.contains(record.id.0)
        {
            let message = format!("the index has the authority '{}', but its folder is gone", text::escape(name));
            let object = home.authority(name).escaped().to_string();
            findings.add(Severity::Error, "file-missing", object, message, "restore the folder from a backup");
        }
    }
    Ok(())
}

fn check_authority(
    subject: &Subject<'_>,
    name: &str,
    folder: &Path,
    is_retired: bool,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let path = CERTIFICATE.path_in(folder);
    let history = NameHistory::of(subject.index, name)?;
    // A run that died before it could mark the delivery left the certificate in its place.
    let there = ca_certificates::read_certificates(&path).unwrap_or_default().into_iter().next();
    let is_there = |row: &&Entry| there.as_ref().is_some_and(|there| there.fingerprint() == row.fingerprint);
    let Some(recorded) = history.recorded().or_else(|| history.certificates.iter().find(is_there)) else {
        // It waits for its certificate, or was never recorded.
        if path.symlink_metadata().is_ok() {
            let message = "the index has no certificate of an authority with this name";
            findings.error(UNKNOWN_CERTIFICATE, path.escaped().to_string(), message, RESTORE_FILE);
        }
        return Ok(());
    };
    let expected = subject.index.certificate(recorded)?;
    let repair = || {
        let content = pem::certificate(expected.as_der()).into_bytes();
        Some(Repair::Write { path: path.clone(), content, mode: files::PUBLIC })
    };
    let found = read_certificates(&path, "cert.pem", repair, findings).map(|found| found.into_iter().next());
    let certificate = match found {
        None => expected,
        Some(found) => match found {
            Some(found) if is_acceptable(&history, &found, recorded.id.0) => found,
            other => {
                let held = match &other {
                    Some(other) => subject.describe(other)?,
                    None => "no certificate".to_owned(),
                };
                let message = format!(
                    "the index says that the certificate of '{}' with serial number {} is here, but the file \
                         contains {held}",
                    text::escape(name),
                    recorded.serial
                );
                findings.error("file-differs", path.escaped().to_string(), message, RESTORE_FILE);
                expected
            }
        },
    };
    if !is_retired || CHAIN.path_in(folder).symlink_metadata().is_ok() {
        subject.check_chain(&CHAIN.path_in(folder), &certificate, findings);
    }
    // The key may be kept in another place.
    Subject::check_key(&KEY.path_in(folder), &certificate, files::SECRET, findings);
    for file in OTHER_FILES {
        let path = folder.join(file);
        if path.symlink_metadata().is_err() {
            continue;
        }
        for certificate in read_certificates(&path, file, || None, findings).unwrap_or_default() {
            if subject.record_of(&certificate)?.is_none() {
                let message = format!("it contains {}", subject.describe(&certificate)?);
                findings.error("file-differs", path.escaped().to_string(), message, RESTORE_FILE);
            }
        }
    }
    Ok(())
}

/// Returns true for the certificate that is recorded as deployed, and for a newer one that a killed run deployed without the
/// mark.
fn is_acceptable(history: &NameHistory, found: &Certificate, recorded: i64) -> bool {
    let fingerprint = found.fingerprint();
    history.certificates.iter().any(|entry| {
        let may_be_deployed = entry.id.0 == recorded || (entry.id.0 > recorded && entry.delivered_at.is_none());
        entry.fingerprint == fingerprint && may_be_deployed
    })
}
