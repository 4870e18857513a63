//! The files of entries: `issued/`, the folders of `--out`, and the kept files of previous certificates.

use std::collections::BTreeMap;
use std::path::Path;

use crate::authority::audit::finding::{Findings, Repair, Severity};
use crate::authority::audit::scan::UNKNOWN_CERTIFICATE;
use crate::authority::audit::subject::{RESTORE_FILE, Subject, read_certificates};
use crate::authority::leaf::order::IN_MEMORY;
use crate::store::certificate_files::{CERTIFICATE, CHAIN, FULLCHAIN, KEY};
use crate::store::entry_name::EntryName;
use crate::store::index::{Entry, Origin};
use crate::store::previous_certificates::NameHistory;
use crate::store::progress::Step;
use crate::store::{Store, StoreError, templates};
use crate::system::files;
use crate::text::{self, PathText};
use crate::x509::{Certificate, pem};

/// Checks the files of every name.
///
/// # Errors
/// When the index cannot be read.
pub fn check(subject: &Subject<'_>, skip_other_folders: bool, findings: &mut Findings) -> Result<(), StoreError> {
    let mut modes = BTreeMap::new();
    let modes_of_names = subject.index.file_modes()?;
    let removed = subject.index.removed_names()?;
    let (mut done, names) = (0, subject.index.name_count(&[])?);
    subject.index.each_entry_name::<StoreError>(|name| {
        done += 1;
        subject.progress.report(Step::items("checking files", done, Some(names)));
        let history = NameHistory::latest(subject.index, name)?;
        let Some(recorded) = history.recorded() else { return Ok(()) };
        // The certificates of a handshake test stay in memory, and the files of what another tool issued are not here. CA
        // certificates have another place.
        let has_no_files = recorded.template == IN_MEMORY || recorded.origin == Origin::Imported;
        if has_no_files {
            return Ok(());
        }
        let certificate = subject.index.certificate(recorded)?;
        let Some(entry_name) = name.parse().ok().filter(|_| !certificate.is_ca()) else { return Ok(()) };
        // 'ca apply --prune' removed the files, and recorded that.
        if removed.contains(&name.to_ascii_lowercase()) || (recorded.place.is_some() && skip_other_folders) {
            return Ok(());
        }
        let folder = history.folder(subject.store.home(), &entry_name);
        if subject.store.index_location().is_shared() && is_of_another_machine(subject, recorded, &folder, &entry_name)?
        {
            return Ok(());
        }
        let of_template =
            *modes.entry(recorded.template.clone()).or_insert_with(|| key_mode(subject.store, &recorded.template));
        let mode = modes_of_names.get(&name.to_ascii_lowercase()).copied().unwrap_or(of_template);
        check_folder(subject, &history, (recorded, certificate), &folder, mode, findings)
    })?;
    let home = subject.store.home();
    let issued = home.issued();
    for name in files::names_in(&issued).unwrap_or_default() {
        if !name.starts_with('.') {
            check_known(subject, &issued.join(name), findings)?;
        }
    }
    let generations = issued.join(".generations");
    for name in files::names_in(&generations).unwrap_or_default() {
        for serial in files::names_in(&generations.join(&name)).unwrap_or_default() {
            if !serial.starts_with('.') {
                check_known(subject, &generations.join(&name).join(serial), findings)?;
            }
        }
    }
    Ok(())
}

/// Several machines share the index, and each name has its files on one of them. A folder of `--out` may have those of another name
/// here.
fn is_of_another_machine(
    subject: &Subject<'_>,
    recorded: &Entry,
    folder: &Path,
    name: &EntryName,
) -> Result<bool, StoreError> {
    if folder.symlink_metadata().is_err() {
        return Ok(true);
    }
    let is_known = || {
        let history = NameHistory::of(subject.index, name.as_str())?;
        Ok::<_, StoreError>(history.deployed(subject.store.home(), name).is_some())
    };
    Ok(recorded.place.is_some() && !is_known()?)
}

/// Returns the mode that the template gives key files.
pub fn key_mode(store: &Store, template: &str) -> u32 {
    let found = templates::find(&store.template_folder(), template).ok();
    let profile = found.and_then(|found| found.profile().ok());
    profile.and_then(|profile| profile.files.mode).unwrap_or(files::SECRET)
}

/// Checks the folder in which the files of a name are.
fn check_folder(
    subject: &Subject<'_>,
    history: &NameHistory,
    (recorded, certificate): (&Entry, Certificate),
    folder: &Path,
    mode: u32,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    // A run that was killed may have put its files in place without the mark, or the mark was lost by a power cut.
    let unfinished = history.unfinished().map(|rollback| rollback.certificate);
    let acceptable: Vec<&Entry> = history
        .certificates
        .iter()
        .filter(|entry| {
            let is_newer = entry.id > recorded.id && entry.delivered_at.is_none();
            entry.id == recorded.id || is_newer || Some(entry.id) == unfinished
        })
        .collect();
    let object = folder.escaped().to_string();
    if folder.symlink_metadata().is_err() {
        let message =
            format!("the files of '{}' (serial {}) are no longer there", text::escape(&recorded.name), recorded.serial);
        let fix = "restore the folder from a backup, or issue for a new key: ca rekey NAME";
        findings.add(Severity::Warning, "file-missing", object, message, fix);
        return Ok(());
    }
    let path = CERTIFICATE.path_in(folder);
    let repair = || write_certificate(&path, &certificate);
    let found = read_certificates(&path, "cert.pem", repair, findings).map(|found| found.into_iter().next());
    let in_place = match &found {
        None => certificate,
        Some(Some(found)) if acceptable.iter().any(|entry| entry.fingerprint == found.fingerprint()) => found.clone(),
        Some(other) => {
            let found = match other {
                Some(other) => subject.describe(other)?,
                None => "no certificate".to_owned(),
            };
            let message = format!(
                "the index says that the certificate of '{}' with serial number {} is here, but the file \
                     contains {found}",
                text::escape(&recorded.name),
                recorded.serial,
            );
            findings.error("file-differs", path.escaped().to_string(), message, RESTORE_FILE);
            certificate
        }
    };
    // In a folder of the user's, files are exchanged one by one: a run that was killed leaves a mixture.
    let may_be_mixed = recorded.place.is_some() && acceptable.len() > 1;
    if may_be_mixed {
        return Ok(());
    }
    let chain = subject.check_chain(&CHAIN.path_in(folder), &in_place, findings);
    check_fullchain(subject, folder, &in_place, &chain, findings)?;
    let entry =
        acceptable.iter().find(|entry| entry.fingerprint == in_place.fingerprint()).copied().unwrap_or(recorded);
    let key = KEY.path_in(folder);
    if !Subject::check_key(&key, &in_place, mode, findings) && !subject.facts.keyless.contains(entry.id.0) {
        let fix = "restore the key from a backup, or issue for a new key: ca rekey NAME";
        findings.add(Severity::Warning, "key-missing", key.escaped().to_string(), "the private key is missing", fix);
    }
    Ok(())
}

fn write_certificate(path: &Path, certificate: &Certificate) -> Option<Repair> {
    let content = pem::certificate(certificate.as_der()).into_bytes();
    Some(Repair::Write { path: path.to_owned(), content, mode: files::PUBLIC })
}

/// Checks that the full chain is the certificate and its chain.
fn check_fullchain(
    subject: &Subject<'_>,
    folder: &Path,
    certificate: &Certificate,
    chain: &[Certificate],
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let path = FULLCHAIN.path_in(folder);
    let repair = || {
        let above = subject.chain_of(certificate)?;
        let all = std::iter::once(certificate).chain(&above);
        let content: String = all.map(|certificate| pem::certificate(certificate.as_der())).collect();
        Some(Repair::Write { path: path.clone(), content: content.into_bytes(), mode: files::PUBLIC })
    };
    let Some(found) = read_certificates(&path, "fullchain.pem", repair, findings) else { return Ok(()) };
    let is_whole = found.split_first().is_some_and(|(first, rest)| first == certificate && rest == chain);
    if !is_whole {
        let message = match found.first().filter(|first| *first != certificate) {
            Some(other) => format!("it begins with {}", subject.describe(other)?),
            None => "it is not the certificate followed by its chain".to_owned(),
        };
        findings.error("file-differs", path.escaped().to_string(), message, RESTORE_FILE);
    }
    Ok(())
}

/// Checks that the index has the certificate of a folder, and that its key belongs to it.
fn check_known(subject: &Subject<'_>, folder: &Path, findings: &mut Findings) -> Result<(), StoreError> {
    let path = CERTIFICATE.path_in(folder);
    let Ok(certificates) = crate::store::ca_certificates::read_certificates(&path) else { return Ok(()) };
    let Some(certificate) = certificates.first() else { return Ok(()) };
    if subject.record_of(certificate)?.is_none() {
        let message = format!("it contains {}", subject.describe(certificate)?);
        let fix = format!(
            "if an older index was restored, restore the newer one; to revoke the certificate: ca revoke {}",
            path.in_shell()
        );
        findings.error(UNKNOWN_CERTIFICATE, path.escaped().to_string(), message, fix);
    }
    Ok(())
}
