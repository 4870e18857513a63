//! `ca backup test`: restores a backup in private, and has the restored CA issue a certificate.

use std::path::Path;

use super::{RestoredAuthority, Unlock, authorities_of, failed, open, temporary_folder};
use crate::app::context::Context;
use crate::authority::audit::{AuditOptions, Finding, Severity, audit};
use crate::authority::leaf::issue;
use crate::authority::leaf::order::{CertificateFacts, IssueOrder};
use crate::keys::Passphrase;
use crate::report::failure::Failure;
use crate::store::backup::encryption::EncryptionError;
use crate::store::backup::error::BackupError;
use crate::store::backup::manifest::Manifest;
use crate::store::backup::restore::unpack;
use crate::store::passphrase_prompt::{EncryptedKey, PassphraseUnavailable};
use crate::store::{Home, Store, StoreError};
use crate::system::files::{self, FileError, StagedFolder};
use crate::text::PathText;

/// What was found out about a backup.
#[derive(Debug, Default)]
pub struct BackupCheck {
    /// `None` when the backup could not be unpacked.
    pub manifest: Option<Manifest>,
    pub files: u64,
    pub authorities: Vec<RestoredAuthority>,
    pub trial: Option<Trial>,
    /// The problems; the backup is good when none is more than a note.
    pub findings: Vec<BackupFinding>,
}

/// A problem of a backup.
#[derive(Debug)]
pub struct BackupFinding {
    pub code: &'static str,
    pub severity: Severity,
    /// The authority or file that it is about.
    pub object: String,
    pub message: String,
    pub fix: Option<String>,
}

/// The certificate that the restored CA issued in the private copy.
#[derive(Debug)]
pub struct Trial {
    pub authority: String,
    /// The serial number, or why none was issued.
    pub serial: Result<String, &'static str>,
}

/// Returns the passphrase of a CA key; `None` when the user gave none.
pub type KeyPassphrase<'a> = dyn Fn(&EncryptedKey, &Context<'_>) -> Result<Option<Passphrase>, Failure> + 'a;

/// Tests a backup. Neither the backup nor a CA of this system is changed, and the private copy is removed.
///
/// # Errors
/// When the backup cannot be read or opened, or a passphrase is wrong. A damaged backup is a finding.
pub fn check(
    file: &Path,
    unlock: &Unlock<'_>,
    key_passphrase: &KeyPassphrase<'_>,
    context: &mut Context<'_>,
) -> Result<BackupCheck, Failure> {
    let content = match open(file, unlock, context)? {
        Ok(content) => content,
        Err(error) => return damaged(file, error),
    };
    let folder = temporary_folder(context);
    let in_folder = |error: FileError| {
        Failure::from(error).hint("it needs room for a copy of the CA; another folder: TMPDIR=DIR ca backup test FILE")
    };
    files::remove_stale(&folder).map_err(in_folder)?;
    let entropy = context.effects().entropy;
    // Removed with everything in it when it is dropped.
    let private = StagedFolder::create(&folder, entropy).map_err(in_folder)?;
    let unpacked = match unpack(content, private.path(), context.effects().event_context(), entropy) {
        Ok(unpacked) => unpacked,
        Err(error) => return damaged(file, error),
    };
    let mut check =
        BackupCheck { manifest: Some(unpacked.manifest.clone()), files: unpacked.files, ..BackupCheck::default() };
    // A CA under its temporary name is locked by the run that makes it.
    let home = Home::at(unpacked.home().folder().with_file_name("ca"));
    unpacked.publish(home.folder())?;
    let store = Store::open(home)?;
    check.authorities = authorities_of(&store)?;
    check_chains(&store, &mut check);
    // The folders of --out are on the machine of the CA, which need not be this one.
    let options = AuditOptions { skip_other_folders: true, ..AuditOptions::default() };
    check.findings.extend(audit(&store, &options, &context.effects()).findings.into_iter().map(BackupFinding::from));
    try_to_issue(&store, key_passphrase, context, &mut check)?;
    Ok(check)
}

fn damaged(file: &Path, error: BackupError) -> Result<BackupCheck, Failure> {
    if !error.is_damage() {
        return Err(failed(file, error));
    }
    let mut check = BackupCheck::default();
    check.note(&file.escaped().to_string(), error.into());
    Ok(check)
}

/// Reads the certificate and the chain of each authority.
fn check_chains(store: &Store, check: &mut BackupCheck) {
    for authority in check.authorities.clone() {
        if let Err(error) = store.ca_certificates().ca_certificate(&authority.name) {
            check.note(&authority.name, error.into());
        }
    }
}

/// Has the issuing authority sign a certificate in memory, which is recorded in the copy alone.
fn try_to_issue(
    store: &Store,
    key_passphrase: &KeyPassphrase<'_>,
    context: &Context<'_>,
    check: &mut BackupCheck,
) -> Result<(), Failure> {
    let authorities = store.ca_certificates();
    let authority = match authorities.choose(None, store.config()) {
        Ok(authority) => authority,
        Err(error) => {
            check.note(&store.config().issue.issuer, error.into());
            return Ok(());
        }
    };
    let mut trial = |serial| check.trial = Some(Trial { authority: authority.clone(), serial });
    let key_file = match authorities.key_file(&authority) {
        Err(StoreError::KeyAway { .. }) => {
            trial(Err("its key is not in the backup"));
            return Ok(());
        }
        key_file => key_file?,
    };
    let key = EncryptedKey::Authority(authority.clone());
    let passphrase = if key_file.is_encrypted() { key_passphrase(&key, context)? } else { None };
    if key_file.is_encrypted() && passphrase.is_none() {
        trial(Err("the passphrase of its key was not given (--key-passphrase-file)"));
        return Ok(());
    }
    let mut current = passphrase;
    let mut prompt = |key: &EncryptedKey| {
        if current.as_ref().is_some_and(Passphrase::was_wrong) {
            // Without another one, the failure is that of the wrong one.
            current = key_passphrase(key, context).ok().flatten().or(current.take());
        }
        let given = current.as_ref().map(Passphrase::duplicate);
        given.ok_or_else(|| PassphraseUnavailable::new(EncryptionError::NeedsPassphrase))
    };
    let order = IssueOrder::in_memory("client", Vec::new())?;
    match issue::issue(store, order, &mut prompt, &context.effects()) {
        Ok(outcome) => match outcome.facts {
            CertificateFacts::Certificate(certificate) => trial(Ok(certificate.serial.to_string())),
            CertificateFacts::Draft(_) => trial(Err("it was only planned")),
        },
        Err(error) => {
            let failure = Failure::from(error);
            if failure.code == "wrong-passphrase" {
                return Err(failure);
            }
            check.note(&authority, failure);
        }
    }
    Ok(())
}

impl BackupCheck {
    fn note(&mut self, object: &str, failure: Failure) {
        let Failure { code, message, hints, .. } = failure;
        let (severity, object) = (Severity::Error, object.to_owned());
        self.findings.push(BackupFinding { code, severity, object, message, fix: hints.into_iter().next() });
    }

    /// Returns true when the backup can be relied on.
    pub fn is_good(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity == Severity::Note)
    }
}

impl From<Finding> for BackupFinding {
    fn from(finding: Finding) -> Self {
        let Finding { code, severity, object, message, fix, repair: _ } = finding;
        Self { code, severity, object, message, fix: Some(fix) }
    }
}
