//! `key passphrase`: the key of an authority under another passphrase, or under none.
//!
//! The key stays the same. Its file is exchanged in one step, and what was written is opened once before that: a key that
//! cannot be opened is worse than one under the old passphrase.

use std::path::{Path, PathBuf};

use crate::authority::certify::commit_signed;
use crate::issuance::Issuer;
use crate::keys::key_file::KeyFile;
use crate::keys::{Passphrase, Signer};
use crate::store::approval::PlannedChange;
use crate::store::ca_certificates::open_key;
use crate::store::delivery::KeyText;
use crate::store::effects::Effects;
use crate::store::index::EventKind;
use crate::store::passphrase_prompt::{EncryptedKey, PassphrasePrompt, PassphraseUnavailable};
use crate::store::trusted_directory;
use crate::store::{Store, StoreError};
use crate::system::files::{self, ExistingFile, FileError};
use crate::text::{Diagnosis, Diagnostic, PathText};
use crate::x509::PublicKey;

/// Why the passphrase of a key was not changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyPassphraseError {
    #[error(transparent)]
    Store(StoreError),
    #[error("the private key {} was changed by another program at the same time", .0.escaped())]
    Changed(PathBuf),
    /// The change is in force, and a power cut may still take it back.
    #[error("{}, but a power cut may take that back: {cause}", in_force(path, *is_encrypted))]
    NotSynced { path: PathBuf, is_encrypted: bool, cause: FileError },
}

fn in_force(path: &Path, is_encrypted: bool) -> String {
    let state = if is_encrypted { "is encrypted with the new passphrase" } else { "has no passphrase" };
    format!("the private key {} {state} now", path.escaped())
}

impl<E> From<E> for KeyPassphraseError
where
    StoreError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

impl Diagnostic for KeyPassphraseError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Store(error) => error.diagnosis(),
            Self::Changed(_) => Diagnosis::refused("key-changed").hint("run the command again"),
            Self::NotSynced { cause, .. } => {
                let diagnosis = cause.diagnosis();
                Diagnosis::refused(diagnosis.code).hint("keep both passphrases until the disk is repaired")
            }
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct KeyPassphraseChange {
    pub authority: String,
    pub path: PathBuf,
    pub public_key: PublicKey,
    pub was_encrypted: bool,
    pub is_encrypted: bool,
}

/// Where the next passphrase comes from; `None` removes it. Asked for when the present one was right.
pub type NewPassphrasePrompt<'a> = dyn FnMut() -> Result<Option<Passphrase>, PassphraseUnavailable> + 'a;

/// Changes, adds or removes the passphrase of an authority's key.
///
/// # Errors
/// When there is no such authority, its key is away or does not open, or the system refuses; the key file is what it was then.
pub fn change(
    store: &Store,
    authority: &str,
    prompt: &mut PassphrasePrompt<'_>,
    prompt_new: &mut NewPassphrasePrompt<'_>,
    effects: &Effects<'_>,
) -> Result<KeyPassphraseChange, KeyPassphraseError> {
    let (home, authorities) = (store.home(), store.ca_certificates());
    if !authorities.exists(authority) && !authorities.is_pending(authority) {
        return Err(StoreError::UnknownAuthority { name: authority.to_owned(), known: authorities.names()? }.into());
    }
    let path = home.key(authority);
    let away = || StoreError::KeyAway { authority: authority.to_owned(), path: path.clone() };
    let before = zeroize::Zeroizing::new(files::read_if_exists(&path, files::MAX_SMALL_FILE_BYTES)?.ok_or_else(away)?);
    if !trusted_directory::is_secret(&path, home.owners())? {
        return Err(StoreError::LooseKey(path).into());
    }
    files::check_place(&path, ExistingFile::Replace)?;
    let (key, present) = open_key(&path, &before, prompt, &EncryptedKey::AuthorityBeforeChange(authority.to_owned()))?;
    if authorities.exists(authority) {
        let certificate = authorities.certificate(authority)?;
        if certificate.public_key != *key.public_key() {
            return Err(crate::issuance::IssuerError::KeyMismatch(authority.to_owned()).into());
        }
    }
    let change = PlannedChange::new(format!("change the passphrase of the key of '{authority}'"));
    effects.approval.approve(change.fact("key", path.escaped()))?;
    let next = prompt_new()?;

    // Slow on purpose when there is a passphrase, hence before the lock.
    let text = KeyText::new(&key, next.as_ref(), files::SECRET, effects.entropy)?.text;
    let opened = KeyFile::parse(text.as_bytes()).and_then(|file| file.open(next.as_ref()));
    let opened = opened.map_err(|cause| StoreError::KeyFile { path: path.clone(), cause })?;
    if opened.public_key() != key.public_key() {
        return Err(crate::issuance::IssuerError::KeyMismatch(authority.to_owned()).into());
    }

    let mut locked = store.lock(effects.lock_timeout)?;
    files::remove_stale(&home.authority(authority))?;
    let now = zeroize::Zeroizing::new(files::read_if_exists(&path, files::MAX_SMALL_FILE_BYTES)?.ok_or_else(away)?);
    if now != before {
        return Err(KeyPassphraseError::Changed(path));
    }
    // The event comes before the change, like every record: a run that is killed in between leaves the old passphrase.
    let mut transaction = locked.index()?.transaction(effects.event_context())?;
    let detail = if next.is_some() { "encrypted" } else { "not encrypted" };
    transaction.record_event(EventKind::KeyPassphrase, authority, Some(detail.to_owned()));
    if authorities.exists(authority) {
        commit_signed(transaction, &Issuer::new(authorities.ca_certificate(authority)?, &key)?)?;
    } else {
        transaction.commit()?;
    }
    let published = files::publish_file(&path, text.as_bytes(), files::SECRET, ExistingFile::Replace, effects.entropy);
    if let Err(cause) = published {
        // The file has its name before the last sync, so the change may be in force although its sync failed.
        let found =
            files::read_if_exists(&path, files::MAX_SMALL_FILE_BYTES).ok().flatten().map(zeroize::Zeroizing::new);
        return Err(match found.is_some_and(|found| **found == *text.as_bytes()) {
            true => KeyPassphraseError::NotSynced { path, is_encrypted: next.is_some(), cause },
            false => cause.into(),
        });
    }
    Ok(KeyPassphraseChange {
        authority: authority.to_owned(),
        path,
        public_key: key.public_key().clone(),
        was_encrypted: present.is_some(),
        is_encrypted: next.is_some(),
    })
}
