//! `request`: makes a key and a CSR for a CA elsewhere. No CA is needed here.
//!
//! A key that is already in the folder is used and never overwritten: the same command completes a run that was killed
//! between its two files, and a certificate that is in use cannot lose its key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::authority::error::CertifyError;
use crate::authority::leaf::request_inputs::{self, RequestInputError};
use crate::issuance::{CertificateRequest, Expiry, GivenExtensions, RequestDraft, RequestError, sign_request};
use crate::keys::{Passphrase, PrivateKey, Signer, WeakKeyError, weakness};
use crate::store::Store;
use crate::store::approval::PlannedChange;
use crate::store::ca_certificates::open_key;
use crate::store::certificate_files::KEY;
use crate::store::config::Config;
use crate::store::delivery::KeyText;
use crate::store::effects::Effects;
use crate::store::entry_name::EntryName;
use crate::store::passphrase_prompt::{EncryptedKey, PassphrasePrompt};
use crate::system::files::{self, ExistingFile, FileError, Folder, NewFile, Ownership, StagedFolder};
use crate::text::{Diagnosis, Diagnostic, PathText};
use crate::x509::{AttributeType, GeneralName, KeyAlgorithm, KeyKind, SigningRequest, pem};

/// The options of `request`.
pub struct CsrOrder {
    pub template: String,
    pub name: EntryName,
    /// Subject alternative names in addition to NAME.
    pub names: Vec<GeneralName>,
    /// The key algorithm; `None` for that of the existing key, or else for the first algorithm of the template.
    pub key: Option<KeyAlgorithm>,
    pub subject: Vec<(AttributeType, String)>,
    /// Values for the placeholders of the template.
    pub set: BTreeMap<String, String>,
    /// The folder of the files.
    pub folder: PathBuf,
    /// True when an existing CSR is replaced.
    pub replace: bool,
    /// True when the key, new or existing, has to be encrypted.
    pub encrypted: bool,
    /// The passphrase that encrypts a new key; `None` for none.
    pub protection: Option<Passphrase>,
}

/// The result of `request`.
#[derive(Debug)]
pub struct CreatedCsr {
    pub name: EntryName,
    pub template: String,
    pub request: SigningRequest,
    pub request_path: PathBuf,
    pub key_path: PathBuf,
    /// True when the key already existed.
    pub key_was_there: bool,
}

const REQUEST: &str = "request.pem";

/// The reason why no CSR was made.
#[derive(Debug, thiserror::Error)]
pub enum MakeRequestError {
    #[error(transparent)]
    Certify(CertifyError),
    #[error(transparent)]
    Input(#[from] RequestInputError),
    #[error(transparent)]
    WeakKey(#[from] WeakKeyError),
    #[error("no request was made: {0}")]
    NotMade(RequestError),
    #[error("there is a request at {} already", .0.escaped())]
    Exists(PathBuf),
    #[error("the private key {} is used, and it is not encrypted", .0.escaped())]
    PlainKey(PathBuf),
    #[error("the private key {} is used, and it is of the kind {found}, not {wanted}", path.escaped())]
    OtherKind { path: PathBuf, found: KeyKind, wanted: KeyAlgorithm },
}

impl<E> From<E> for MakeRequestError
where
    CertifyError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Certify(error.into())
    }
}

impl Diagnostic for MakeRequestError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Certify(error) => error.diagnosis(),
            Self::Input(error) => error.diagnosis(),
            Self::WeakKey(error) => error.diagnosis(),
            Self::NotMade(_) => Diagnosis::refused("not-issued"),
            Self::Exists(_) => Diagnosis::refused("exists")
                .hint("to replace the request, with the same key: --force")
                .hint("for another key, choose another place with --out"),
            Self::PlainKey(_) => Diagnosis::refused("exists")
                .hint("leave --encrypt-key and --key-passphrase-file out, or choose another place with --out"),
            Self::OtherKind { .. } => {
                Diagnosis::refused("key-not-allowed").hint("leave --key out, or choose another place with --out")
            }
        }
    }
}

/// Makes a CSR, and a key for it unless the folder already has one. Without a CA, the built-in templates and the
/// default settings are used. `ask` returns the passphrase of an existing key.
///
/// # Errors
/// When the template does not allow it, a file is in the way, or the system reports an error; then nothing was written.
pub fn request(
    store: Option<&Store>,
    wanted: CsrOrder,
    ask: &mut PassphrasePrompt<'_>,
    effects: &Effects<'_>,
) -> Result<CreatedCsr, MakeRequestError> {
    let default_config = Config::default();
    let config = store.map_or(&default_config, Store::config);
    let profile = request_inputs::profile(store, &wanted.template)?;
    let name = request_inputs::plain_name(wanted.name.clone(), &profile)?;
    let (key_path, request_path) = (KEY.path_in(&wanted.folder), wanted.folder.join(REQUEST));
    if !wanted.replace && request_path.symlink_metadata().is_ok() {
        return Err(MakeRequestError::Exists(request_path));
    }
    let there = key_that_is_there(&key_path, &wanted, ask)?;
    let key_was_there = there.is_some();
    let key = match there {
        Some(key) => key,
        None => {
            let kind = wanted.key.or(profile.keys.first().copied()).unwrap_or(KeyAlgorithm::EcdsaP256);
            PrivateKey::generate(kind)?
        }
    };
    let draft = RequestDraft::new(
        &profile,
        &CertificateRequest {
            name: name.to_string(),
            names: request_inputs::names(&profile, &name, &wanted.names)?,
            public_key: key.public_key().clone(),
            expiry: Expiry::Default,
            clip: false,
            whole_subject: None,
            extensions: GivenExtensions::None,
            subject: wanted.subject.clone(),
            values: request_inputs::values(&profile, &name, &wanted.set, config, None)?,
        },
    )?;
    let request = sign_request(&draft, &key).map_err(MakeRequestError::NotMade)?;
    let text = pem::encode("CERTIFICATE REQUEST", request.as_der());
    let change = PlannedChange::new(format!("make a request for '{name}'")).fact("subject", &request.subject);
    let change = change.fact("request", request_path.escaped()).fact("key", key_path.escaped());
    let replaces = wanted.replace && request_path.symlink_metadata().is_ok();
    effects.approval.approve(if replaces { change.asks("the request that is there") } else { change })?;
    let key_text = if key_was_there {
        None
    } else {
        let mode = profile.files.mode.unwrap_or(files::SECRET);
        Some(KeyText::new(&key, wanted.protection.as_ref(), mode, effects.entropy)?)
    };
    deliver(&wanted, key_text.as_ref(), &text, effects)?;
    Ok(CreatedCsr { name, template: wanted.template, request, request_path, key_path, key_was_there })
}

fn key_that_is_there(
    path: &Path,
    wanted: &CsrOrder,
    ask: &mut PassphrasePrompt<'_>,
) -> Result<Option<PrivateKey>, MakeRequestError> {
    let Some(stored) = files::read_regular(path, files::MAX_SMALL_FILE_BYTES)? else { return Ok(None) };
    let content = zeroize::Zeroizing::new(stored.content);
    let (key, passphrase) = open_key(path, &content, ask, &EncryptedKey::File(path.to_owned()))?;
    if wanted.encrypted && passphrase.is_none() {
        return Err(MakeRequestError::PlainKey(path.to_owned()));
    }
    let weak = |cause| WeakKeyError { owner: path.escaped().to_string(), cause };
    weakness::check(key.public_key()).map_err(weak)?;
    match wanted.key.filter(|kind| key.algorithm() != Some(*kind)) {
        Some(kind) => {
            let (path, found) = (path.to_owned(), key.public_key().kind().clone());
            Err(MakeRequestError::OtherKind { path, found, wanted: kind })
        }
        None => Ok(Some(key)),
    }
}

/// Writes both files: a new folder appears with both, and in an existing folder they are written one by one, the key
/// first.
fn deliver(wanted: &CsrOrder, key: Option<&KeyText>, request: &str, effects: &Effects<'_>) -> Result<(), FileError> {
    let CsrOrder { folder: path, replace, .. } = wanted;
    let Some(folder) = Folder::open_if_exists(path)? else {
        let parent = path.parent().unwrap_or(Path::new(""));
        files::create_folders(parent, files::FOLDER)?;
        let parent = Folder::open(parent)?;
        parent.remove_stale()?;
        let mut staged = StagedFolder::create_in(&parent, effects.entropy)?;
        if let Some(key) = key {
            key.stage(&mut staged, Path::new(""))?;
        }
        staged.add(REQUEST, request.as_bytes(), files::PUBLIC)?;
        staged.sync()?;
        return staged.publish_new(path);
    };
    folder.remove_stale()?;
    let existing = if *replace { ExistingFile::Replace } else { ExistingFile::Keep };
    let ownership = Ownership::default();
    folder.check_place(REQUEST, existing)?;
    if let Some(key) = key {
        let file = NewFile { name: KEY.name, content: key.text.as_bytes(), mode: key.mode, ownership };
        folder.publish(file, ExistingFile::Keep, effects.entropy)?;
    }
    let file = NewFile { name: REQUEST, content: request.as_bytes(), mode: files::PUBLIC, ownership };
    let published = folder.publish(file, existing, effects.entropy);
    if published.is_err() && key.is_some() {
        folder.remove_file_quietly(KEY.name);
    }
    published
}
