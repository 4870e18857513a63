//! `renew` and `rekey`: issue a certificate that replaces another one of the same name, from the same template, with
//! the same subject alternative names, in the same folder.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::follow::check_may_be_followed;
use crate::authority::leaf::issue;
use crate::authority::leaf::order::{DueRule, IfNameExists, IssueOrder, IssueOutcome, SubjectKey};
use crate::store::ca_certificates::open_key;
use crate::store::delivery::Destination;
use crate::store::effects::Effects;
use crate::store::entry_name::EntryName;
use crate::store::home::Home;
use crate::store::index::{Entry, Index, Origin, Reference};
use crate::store::passphrase_prompt::{EncryptedKey, PassphraseCache, PassphrasePrompt};
use crate::store::previous_certificates::{self, NameHistory};
use crate::store::{Store, certificate_folder};
use zeroize::Zeroizing;

use crate::issuance::{Expiry, FileRulesChange, GivenExtensions};
use crate::keys::key_file::KeyFile;
use crate::keys::{Passphrase, PrivateKey, Signer};
use crate::system::files;
use crate::system::threads::in_threads;
use crate::text::{Diagnosis, Diagnostic, Lifetime, PathText};
use crate::x509::{AttributeType, Certificate, KeyAlgorithm};

/// The number of attempts. Each attempt but the last failed because another process replaced the certificate first.
const MOST_ATTEMPTS: usize = 100;

/// The options of `renew` and `rekey`.
pub struct RenewOrder {
    pub reference: Reference,
    pub key: NextKey,
    /// The expiry; `None` for the lifetime of the previous certificate.
    pub expiry: Option<Expiry>,
    pub clip: bool,
    /// Values for the placeholders of the template outside the subject.
    pub set: BTreeMap<String, String>,
    /// The owner, group and mode of the files, where they change.
    pub files: FileRulesChange,
    /// True when the caller gave a passphrase for the current key, which then has to be encrypted.
    pub encrypted: bool,
    /// The rule that decides whether the certificate is due, because another process may have renewed it; `None` to
    /// renew in any case.
    pub only_if: Option<DueRule>,
    /// True when everything is decided and nothing is signed or written.
    pub dry_run: bool,
}

/// The key that the next certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextKey {
    /// The key in the current key file.
    Same,
    /// A new key; `None` for the algorithm of the current key.
    New(Option<KeyAlgorithm>),
}

/// The reason why the certificate cannot be renewed.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    #[error(transparent)]
    Issue(IssueError),
    #[error("'{0}' is an authority; its certificate is not renewed by this command")]
    Authority(String),
    #[error("the files of '{0}' were never written; there is nothing to renew")]
    NoFiles(String),
    #[error("there is no private key at {}", .0.escaped())]
    NoKey(PathBuf),
    #[error("a passphrase was given for the private key {}, which is not encrypted", .0.escaped())]
    PlainKey(PathBuf),
    #[error("the private key {} is not that of the certificate with the serial number {serial}", path.escaped())]
    OtherKey { path: PathBuf, serial: String },
}

impl<E> From<E> for RenewError
where
    IssueError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Issue(error.into())
    }
}

impl Diagnostic for RenewError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Issue(error) => error.diagnosis(),
            Self::Authority(_) => Diagnosis::refused("is-authority"),
            Self::NoFiles(_) => Diagnosis::refused("no-files").hint("issue it again with 'ca issue'"),
            Self::NoKey(_) => Diagnosis::refused("key-mismatch")
                .hint("for a new key: 'ca rekey'; for a key on another machine: 'ca sign' with a request and --force"),
            Self::PlainKey(_) => Diagnosis::usage("passphrase-unused").hint("leave --key-passphrase-file out"),
            Self::OtherKey { .. } => Diagnosis::refused("key-mismatch").hint("for a new key: 'ca rekey'"),
        }
    }
}

/// Issues the next certificate of a name. `ask` returns the passphrase of the issuer's key, `ask_for_kept_key` that of
/// the current key: the current key is kept, or its passphrase is used for the new key.
///
/// # Errors
/// As [`issue::issue`]; and when there is no certificate to renew, or its key is missing.
pub fn renew(
    store: &Store,
    renewal: &RenewOrder,
    ask: &mut PassphrasePrompt<'_>,
    ask_for_kept_key: &mut PassphrasePrompt<'_>,
    effects: &Effects<'_>,
) -> Result<IssueOutcome, RenewError> {
    // An attempt that another process overtook is repeated, but the caller is asked for each passphrase only once.
    let (mut of_issuer, mut of_key) = (PassphraseCache::default(), PassphraseCache::default());
    let mut attempt = || -> Result<IssueOutcome, RenewError> {
        let order = order(store, renewal, &mut |key| of_key.get(key, ask_for_kept_key), effects)?;
        Ok(issue::issue(store, order, &mut |key| of_issuer.get(key, ask), effects)?)
    };
    for _ in 1..MOST_ATTEMPTS {
        match attempt() {
            Err(RenewError::Issue(IssueError::Overtaken(_))) => {}
            done => return done,
        }
    }
    attempt()
}

/// Returns the orders for the certificates that replace the current ones, which are read under one lock. An order that another
/// process overtakes has to be made again ([`IssueError::Overtaken`]): [`renew`] does that. `jobs` threads read keys.
///
/// # Errors
/// When the CA cannot be locked, or its index cannot be read. What is wrong with one of them is in its place.
pub fn orders(
    store: &Store,
    renewals: &[RenewOrder],
    jobs: NonZeroUsize,
    ask_for_kept_key: &mut PassphrasePrompt<'_>,
    effects: &Effects<'_>,
) -> Result<Vec<Result<IssueOrder, RenewError>>, RenewError> {
    let mut locked = store.lock(effects.lock_timeout)?;
    let index = locked.index()?;
    let mut present = Vec::with_capacity(renewals.len());
    for renewal in renewals {
        present.push(present_of(store, index, renewal, effects));
    }
    drop(locked);
    let is_kept = |renewal: &RenewOrder| renewal.key == NextKey::Same;
    let contents = present.iter_mut().zip(renewals).map(|(present, renewal)| match present {
        Ok(present) if is_kept(renewal) => present.key_file.take(),
        _ => None,
    });
    let keys = in_threads(contents.collect(), jobs, |content: Option<Zeroizing<Vec<u8>>>| {
        (content.as_ref().and_then(|content| open_plain(content)), content)
    });
    let mut ordered = Vec::with_capacity(renewals.len());
    for ((present, (key, content)), renewal) in present.into_iter().zip(keys).zip(renewals) {
        ordered.push(present.and_then(|present: CurrentCertificate| {
            let key_file = content.or(present.key_file);
            order_of(CurrentCertificate { key_file, ..present }, key, renewal, ask_for_kept_key)
        }));
    }
    Ok(ordered)
}

fn present_of(
    store: &Store,
    index: &mut Index,
    renewal: &RenewOrder,
    effects: &Effects<'_>,
) -> Result<CurrentCertificate, RenewError> {
    let name: EntryName = index.find(&renewal.reference)?.name.parse()?;
    let name_history = previous_certificates::recover(store.home(), index, &name, effects)?;
    current(store, index, name, &name_history)
}

/// Returns the order for the certificate that replaces the current one.
fn order(
    store: &Store,
    renewal: &RenewOrder,
    ask_for_kept_key: &mut PassphrasePrompt<'_>,
    effects: &Effects<'_>,
) -> Result<IssueOrder, RenewError> {
    order_of(present(store, renewal, effects)?, None, renewal, ask_for_kept_key)
}

/// `opened` is the key in the file, when it was opened without a passphrase before.
fn order_of(
    present: CurrentCertificate,
    opened: Option<PrivateKey>,
    renewal: &RenewOrder,
    ask_for_kept_key: &mut PassphrasePrompt<'_>,
) -> Result<IssueOrder, RenewError> {
    let CurrentCertificate { entry, certificate, key_path, key_file } = present;
    check_may_be_followed(&entry, renewal.key == NextKey::Same)?;
    let place = entry.place.clone().map_or(Destination::Issued, Destination::Folder);
    let (key, protection) = match renewal.key {
        NextKey::Same => open_kept(&key_path, key_file, opened, &certificate, ask_for_kept_key)
            .map(|(key, secret)| (SubjectKey::Kept(Box::new(key)), secret))?,
        NextKey::New(named) => {
            let kind = certificate.public_key.kind().to_string();
            let same_kind = KeyAlgorithm::ALL.into_iter().find(|algorithm| algorithm.name() == kind);
            let secret = passphrase_of(&key_path, &key_file.unwrap_or_default(), ask_for_kept_key)?;
            (SubjectKey::Generate(named.or(same_kind)), secret)
        }
    };
    if renewal.encrypted && protection.is_none() {
        return Err(RenewError::PlainKey(key_path));
    }
    Ok(IssueOrder {
        template: entry.template.clone(),
        name: entry.name.parse()?,
        names: certificate.names().to_vec(),
        // Another tool may give lifetimes that no template allows.
        expiry: renewal.expiry.unwrap_or_else(|| match entry.origin {
            Origin::Imported => Expiry::Default,
            Origin::Issued | Origin::Adopted => length_of(&certificate),
        }),
        clip: renewal.clip,
        key,
        subject: subject_of(&certificate),
        whole_subject: Some(certificate.subject.clone()),
        extensions: GivenExtensions::Replaced(certificate.extensions.clone()),
        set: renewal.set.clone(),
        issuer: Some(entry.authority.clone()),
        place: Some(place),
        files: renewal.files.clone(),
        existing: renewal.only_if.map_or(IfNameExists::Replace, IfNameExists::KeepUnlessDue),
        follows: Some(entry),
        declaration: None,
        new_key: None,
        dry_run: renewal.dry_run,
        protection,
    })
}

/// The current certificate of a name, and the content of the key file in the same folder.
struct CurrentCertificate {
    entry: Entry,
    certificate: Certificate,
    key_path: PathBuf,
    key_file: Option<Zeroizing<Vec<u8>>>,
}

/// Reads the current certificate and key under the lock, because a certificate and a key that are read while another
/// process exchanges them may not match. The files that a killed process left are removed first.
fn present(store: &Store, renewal: &RenewOrder, effects: &Effects<'_>) -> Result<CurrentCertificate, RenewError> {
    // The error for an unknown name comes before the wait for the lock.
    let name: EntryName = store.index()?.find(&renewal.reference)?.name.parse()?;
    if renewal.dry_run {
        let index = store.index()?;
        return current(store, index, name.clone(), &NameHistory::of(index, name.as_str())?);
    }
    let mut locked = store.lock(effects.lock_timeout)?;
    let index = locked.index()?;
    let name_history = previous_certificates::recover(store.home(), index, &name, effects)?;
    current(store, index, name, &name_history)
}

fn current(
    store: &Store,
    index: &Index,
    entry_name: EntryName,
    name_history: &NameHistory,
) -> Result<CurrentCertificate, RenewError> {
    let (home, name) = (store.home(), entry_name.to_string());
    let entry = in_place(home, index, &entry_name, name_history)?;
    let certificate = index.certificate(&entry)?;
    if certificate.is_ca() {
        return Err(RenewError::Authority(name));
    }
    let place = entry.place.clone().map_or(Destination::Issued, Destination::Folder);
    let paths = place.paths(home, &entry_name, true);
    let key_path = paths.and_then(|paths| paths.key).ok_or(RenewError::NoFiles(name))?;
    let stored = files::read_regular(&key_path, files::MAX_SMALL_FILE_BYTES)?;
    let key_file = stored.map(|file| Zeroizing::new(file.content));
    Ok(CurrentCertificate { entry, certificate, key_path, key_file })
}

fn in_place(home: &Home, index: &Index, name: &EntryName, name_history: &NameHistory) -> Result<Entry, RenewError> {
    // The delivery mark is written last and is not durable at once, so the files in the folder count as well.
    for entry in name_history.certificates.iter().rev().filter(|entry| entry.delivered_at.is_none()) {
        let folder = entry.place.clone().unwrap_or_else(|| home.entry(name));
        if certificate_folder::holds_public(&folder, &index.certificate(entry)?)? {
            return Ok(entry.clone());
        }
    }
    name_history.in_place(home, name).cloned().ok_or_else(|| RenewError::NoFiles(name.to_string()))
}

/// Returns the passphrase for the new key: if the current key is encrypted, the new one is encrypted with the same
/// passphrase. The passphrase has to open the current key first, so that a typing error does not make the new key
/// unusable. A key file that is invalid is simply replaced.
fn passphrase_of(
    path: &Path,
    content: &[u8],
    ask: &mut PassphrasePrompt<'_>,
) -> Result<Option<Passphrase>, RenewError> {
    if !KeyFile::parse(content).is_ok_and(|file| file.is_encrypted()) {
        return Ok(None);
    }
    Ok(open_key(path, content, ask, &EncryptedKey::File(path.to_owned()))?.1)
}

fn open_kept(
    path: &Path,
    content: Option<Zeroizing<Vec<u8>>>,
    opened: Option<PrivateKey>,
    certificate: &Certificate,
    ask: &mut PassphrasePrompt<'_>,
) -> Result<(PrivateKey, Option<Passphrase>), RenewError> {
    let Some(content) = content else {
        return Err(RenewError::NoKey(path.to_owned()));
    };
    let (key, passphrase) = match opened {
        Some(key) => (key, None),
        None => open_key(path, &content, ask, &EncryptedKey::File(path.to_owned()))?,
    };
    if *key.public_key() != certificate.public_key {
        return Err(RenewError::OtherKey { path: path.to_owned(), serial: certificate.serial.to_string() });
    }
    Ok((key, passphrase))
}

/// Opens a key that is not encrypted; `None` for another one, and for a file that is not a key.
fn open_plain(content: &[u8]) -> Option<PrivateKey> {
    KeyFile::parse(content).ok().filter(|file| !file.is_encrypted())?.open(None).ok()
}

fn length_of(certificate: &Certificate) -> Expiry {
    let seconds = u64::try_from(certificate.validity.length().whole_seconds()).unwrap_or_default();
    Lifetime::from_seconds(seconds).map_or(Expiry::Default, Expiry::For)
}

/// Returns the subject of the certificate, including the attributes that came from flags.
fn subject_of(certificate: &Certificate) -> Vec<(AttributeType, String)> {
    certificate.subject.attributes().map(|attribute| (attribute.kind.clone(), attribute.value.clone())).collect()
}
