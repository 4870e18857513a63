//! `key passphrase`: the key of an authority under another passphrase, or under none.
//!
//! The key stays the same. Its file is exchanged in one step, and what was written is opened once before that: a key that
//! nobody can open is worse than one under the old passphrase.

use std::path::PathBuf;

use crate::authority::error::AuthorityError;
use crate::authority::leaf::issue::key_text;
use crate::keys::key_file::KeyFile;
use crate::keys::{Passphrase, Signer};
use crate::store::ca_certificates::Authorities;
use crate::store::ca_certificates::{KeyOpener, open_key};
use crate::store::effects::Tools;
use crate::store::home::Home;
use crate::system::files::{self, Existing, FolderLock};
use crate::x509::PublicKey;

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    pub authority: String,
    pub path: PathBuf,
    pub public_key: PublicKey,
    pub was_encrypted: bool,
    pub is_encrypted: bool,
}

/// Where the next passphrase comes from; `None` removes it. Asked for when the present one was right.
pub type Chooser<'a> = dyn FnMut() -> Result<Option<Passphrase>, AuthorityError> + 'a;

const MOST_OCTETS: u64 = 1024 * 1024;

/// Changes, adds or removes the passphrase of an authority's key.
///
/// # Errors
/// When there is no such authority, its key is away or does not open, or the system refuses; the key file is what it was then.
pub fn change(
    home: &Home,
    authority: &str,
    ask: &mut KeyOpener<'_>,
    choose: &mut Chooser<'_>,
    tools: &Tools<'_>,
) -> Result<Outcome, AuthorityError> {
    let authorities = Authorities::of(home);
    if !authorities.exists(authority) && !authorities.is_pending(authority) {
        return Err(AuthorityError::UnknownAuthority { name: authority.to_owned(), known: authorities.names()? });
    }
    let path = home.key(authority);
    let away = || AuthorityError::KeyAway { authority: authority.to_owned(), path: path.clone() };
    let before = zeroize::Zeroizing::new(files::read_if_exists(&path, MOST_OCTETS)?.ok_or_else(away)?);
    if !files::is_secret_to_us(&path)? {
        return Err(AuthorityError::LooseKey(path));
    }
    files::check_place(&path, Existing::Replace)?;
    let (key, present) = open_key(&path, &before, ask, &format!("Present passphrase of '{authority}': "))?;
    if authorities.exists(authority) {
        let certificate = authorities.certificate(authority)?;
        if certificate.public_key != *key.public_key() {
            return Err(crate::issuance::IssuerError::KeyMismatch(authority.to_owned()).into());
        }
    }
    let next = choose()?;

    // Slow on purpose when there is a passphrase, hence before the lock.
    let text = key_text(&key, next.as_ref(), tools.entropy)?;
    let opened = KeyFile::parse(text.as_bytes()).and_then(|file| file.open(next.as_ref()));
    let opened = opened.map_err(|cause| AuthorityError::KeyFile { path: path.clone(), cause })?;
    if opened.public_key() != key.public_key() {
        return Err(crate::issuance::IssuerError::KeyMismatch(authority.to_owned()).into());
    }

    let _lock = FolderLock::acquire(home.folder(), tools.lock_timeout)?;
    files::remove_stale(&home.authority(authority))?;
    let now = zeroize::Zeroizing::new(files::read_if_exists(&path, MOST_OCTETS)?.ok_or_else(away)?);
    if now != before {
        return Err(AuthorityError::KeyChanged(path));
    }
    files::publish_file(&path, text.as_bytes(), files::SECRET, Existing::Replace, tools.entropy)?;
    Ok(Outcome {
        authority: authority.to_owned(),
        path,
        public_key: key.public_key().clone(),
        was_encrypted: present.is_some(),
        is_encrypted: next.is_some(),
    })
}
