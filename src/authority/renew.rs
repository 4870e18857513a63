//! `renew` and `rekey`: a certificate follows another of the same name, from the same template, with the same names, in
//! the same place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::authorities::{KeyOpener, open_key};
use super::deliver::{self, Place};
use super::generations::{self, Standing};
use super::index::{Entry, Index, Reference};
use super::issue::{self, Due, Existing, Order, Outcome, SubjectKey, Tools};
use super::{AuthorityError, Config, EntryName, Home};
use time::OffsetDateTime;

use crate::issuance::End;
use crate::keys::key_file::KeyFile;
use crate::keys::{Passphrase, PrivateKey, Signer};
use crate::system::files::{self, FolderLock};
use crate::x509::revocation_list::RevocationReason;
use crate::x509::{AttributeType, Certificate, KeyAlgorithm, Lifetime, validity};

/// No key file is longer.
const MOST_OCTETS: u64 = 1024 * 1024;

/// What is ordered.
pub struct Renewal {
    pub reference: Reference,
    pub key: NextKey,
    /// `None`: as long as the one before.
    pub end: Option<End>,
    pub clip: bool,
    /// Values for the placeholders of the template outside the subject.
    pub set: BTreeMap<String, String>,
    /// A passphrase was given for the key that is there, so that it has to be encrypted.
    pub encrypted: bool,
    /// Only when it is due: another process may have renewed it meanwhile.
    pub only_if: Option<Due>,
}

/// Which key the next certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextKey {
    /// The one in its key file.
    Same,
    /// A new one; of the same kind when none is named.
    New(Option<KeyAlgorithm>),
}

/// Why there is nothing that could be renewed.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    #[error("'{0}' is an authority; its certificate is not renewed by this command")]
    Authority(String),
    #[error("the files of '{0}' were never written; there is nothing to renew")]
    NoFiles(String),
    #[error("'{0}' is revoked; a key that may not be used any more gets no other certificate")]
    Revoked(String),
    #[error("'{0}' is on hold; until that is ended, no other certificate follows it")]
    OnHold(String),
    #[error("there is no private key at {}", .0.display())]
    NoKey(PathBuf),
    #[error("a passphrase was given for the private key {}, which is not encrypted", .0.display())]
    PlainKey(PathBuf),
    #[error("the private key {} is not that of the certificate with the serial number {serial}", path.display())]
    OtherKey { path: PathBuf, serial: String },
}

/// Issues the next certificate of a name. `ask` is asked for the passphrase of the issuer, `ask_for_kept_key` for that of
/// the key that is there: it is kept, or its passphrase is.
///
/// # Errors
/// As [`issue::issue`]; and when there is nothing to renew, or the key is not there any more.
pub fn renew(
    home: &Home,
    renewal: Renewal,
    ask: &mut KeyOpener<'_>,
    ask_for_kept_key: &mut KeyOpener<'_>,
    tools: &Tools<'_>,
) -> Result<Outcome, AuthorityError> {
    let now = validity::whole_second(tools.clock.now());
    let config = Config::load(home)?;
    let index = Index::open_to_read(&home.resolve(&config.index.location))?;
    let entry = present(home, &index, &renewal.reference, now, tools)?;
    let certificate = index.certificate(&entry)?;
    drop(index);
    if certificate.is_ca() {
        return Err(RenewError::Authority(entry.name).into());
    }
    match entry.revocation.as_ref().filter(|revocation| revocation.released_at.is_none()) {
        Some(held) if held.reason == RevocationReason::CertificateHold => {
            return Err(RenewError::OnHold(entry.name).into());
        }
        // A new key is what one needs after a revocation.
        Some(_) if renewal.key == NextKey::Same => return Err(RenewError::Revoked(entry.name).into()),
        _ => {}
    }
    let name = entry.name.parse()?;
    let place = entry.place.clone().map_or(Place::Issued, Place::Folder);
    let paths = place.paths(home, &name, true);
    let key_path = paths.and_then(|paths| paths.key).ok_or_else(|| RenewError::NoFiles(entry.name.clone()))?;
    let (key, protection) = match renewal.key {
        NextKey::Same => read_key(&key_path, &certificate, ask_for_kept_key)
            .map(|(key, secret)| (SubjectKey::Kept(Box::new(key)), secret))?,
        NextKey::New(named) => {
            let kind = certificate.public_key.kind().to_string();
            let same_kind = KeyAlgorithm::ALL.into_iter().find(|algorithm| algorithm.name() == kind);
            (SubjectKey::Generate(named.or(same_kind)), passphrase_of(&key_path, ask_for_kept_key)?)
        }
    };
    if renewal.encrypted && protection.is_none() {
        return Err(RenewError::PlainKey(key_path).into());
    }
    let order = Order {
        template: entry.template,
        name,
        names: certificate.names().to_vec(),
        end: renewal.end.unwrap_or_else(|| length_of(&certificate)),
        clip: renewal.clip,
        key,
        subject: subject_of(&certificate),
        set: renewal.set,
        issuer: Some(entry.authority),
        place: Some(place),
        existing: renewal.only_if.map_or(Existing::Replace, Existing::KeepUnlessDue),
        dry_run: false,
        protection,
    };
    issue::issue(home, order, ask, tools)
}

/// The certificate of the name that is in place. If a run died while it exchanged the files, that is cleared away first.
fn present(
    home: &Home,
    index: &Index,
    reference: &Reference,
    now: OffsetDateTime,
    tools: &Tools<'_>,
) -> Result<Entry, AuthorityError> {
    let name = index.find(reference, now)?.name;
    let entry_name: EntryName = name.parse()?;
    let mut standing = Standing::of(index, &name, now)?;
    let folder = standing.folder(home, &entry_name);
    let is_interrupted =
        standing.history.last().is_some_and(|newest| newest.delivered_at.is_none()) || standing.unfinished().is_some();
    if is_interrupted || !folder.exists() {
        let _lock = FolderLock::acquire(home.folder(), tools.lock_timeout)?;
        let mut index = Index::open(index.path())?;
        generations::recover(home, &mut index, &entry_name, now, tools.entropy)?;
        standing = Standing::of(&index, &name, now)?;
    }
    // The mark is written last, and not durable at once: what stands in its place counts too.
    for entry in standing.history.iter().rev().filter(|entry| entry.delivered_at.is_none()) {
        let folder = entry.place.clone().unwrap_or_else(|| home.entry(&entry_name));
        if deliver::holds_public(&folder, &index.certificate(entry)?)? {
            return Ok(entry.clone());
        }
    }
    standing.in_place(home, &entry_name).cloned().ok_or_else(|| RenewError::NoFiles(name).into())
}

/// A key that was encrypted is followed by one that is, under the same passphrase; which opens it first, so that a slip of the
/// finger does not lock the new one. What is no key any more is simply replaced.
fn passphrase_of(path: &Path, ask: &mut KeyOpener<'_>) -> Result<Option<Passphrase>, AuthorityError> {
    let content = zeroize::Zeroizing::new(files::read_if_exists(path, MOST_OCTETS)?.unwrap_or_default());
    if !KeyFile::parse(&content).is_ok_and(|file| file.is_encrypted()) {
        return Ok(None);
    }
    Ok(open_key(path, &content, ask, &format!("Passphrase of {}: ", path.display()))?.1)
}

fn read_key(
    path: &Path,
    certificate: &Certificate,
    ask: &mut KeyOpener<'_>,
) -> Result<(PrivateKey, Option<Passphrase>), AuthorityError> {
    let Some(content) = files::read_if_exists(path, MOST_OCTETS)? else {
        return Err(RenewError::NoKey(path.to_owned()).into());
    };
    let content = zeroize::Zeroizing::new(content);
    let (key, passphrase) = open_key(path, &content, ask, &format!("Passphrase of {}: ", path.display()))?;
    if *key.public_key() != certificate.public_key {
        return Err(RenewError::OtherKey { path: path.to_owned(), serial: certificate.serial.to_string() }.into());
    }
    Ok((key, passphrase))
}

fn length_of(certificate: &Certificate) -> End {
    let seconds = u64::try_from(certificate.validity.length().whole_seconds()).unwrap_or_default();
    Lifetime::from_seconds(seconds).map_or(End::Default, End::For)
}

/// The subject as it was, whatever flags made it so.
fn subject_of(certificate: &Certificate) -> Vec<(AttributeType, String)> {
    certificate.subject.attributes().map(|attribute| (attribute.kind.clone(), attribute.value.clone())).collect()
}
