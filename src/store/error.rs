//! The errors of reading and using the CA on disk.

use std::path::PathBuf;

use super::approval::Declined;
use super::entry_name::{AuthorityNameError, EntryNameError};
use super::home::HomeError;
use super::index::IndexError;
use super::index::location::WriterLockError;
use super::index::postgres_location::PostgresLocationError;
use super::passphrase_prompt::PassphraseUnavailable;
use super::toml_file::NotToml;
use super::trusted_directory::DistrustReason;
use crate::issuance::IssuerError;
use crate::keys::key_file::KeyFileError;
use crate::system::files::{self, FileError, LockError};
use crate::text::toml_document::DocumentError;
use crate::text::{self, Diagnosis, Diagnostic, PathText, escape, nearest};
use crate::x509::certificate_file::CertificateFileError;

/// The reason why the CA on disk could not be read or used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Home(#[from] HomeError),
    #[error(transparent)]
    NotTrusted(#[from] DistrustReason),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Name(#[from] EntryNameError),
    #[error(transparent)]
    AuthorityName(#[from] AuthorityNameError),
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("[index] location in {} is not the place of an index: {reason}", path.escaped())]
    IndexLocation { path: PathBuf, reason: PostgresLocationError },
    #[error(transparent)]
    Declined(#[from] Declined),
    #[error(transparent)]
    NoPassphrase(#[from] PassphraseUnavailable),
    #[error(transparent)]
    NotToml(#[from] NotToml),
    #[error("{} cannot be used as a private key: {cause}", path.escaped())]
    KeyFile { path: PathBuf, cause: KeyFileError },
    #[error("the wrong passphrase for the private key {}", .0.escaped())]
    WrongPassphrase(PathBuf),
    #[error("the private key of '{authority}' is not here: {} does not exist", path.escaped())]
    KeyAway { authority: String, path: PathBuf },
    #[error("the private key {} can be read or changed by other users", .0.escaped())]
    LooseKey(PathBuf),
    #[error("{} cannot be used as a certificate: {cause}", path.escaped())]
    Certificate { path: PathBuf, cause: CertificateFileError },
    #[error("the authority '{0}' has no certificate yet: it was only requested")]
    Pending(String),
    #[error("{} is not the certificate of a root: '{subject}' was issued by '{issuer}', not by itself", path.escaped())]
    NotARoot { path: PathBuf, subject: String, issuer: String },
    #[error("there is no authority '{}'", text::escape(name))]
    UnknownAuthority { name: String, known: Vec<String> },
    #[error("there is no authority '{}', which ca.toml names under [issue]", text::escape(name))]
    UnknownIssuer { name: String, known: Vec<String> },
}

impl From<WriterLockError> for StoreError {
    fn from(error: WriterLockError) -> Self {
        match error {
            WriterLockError::Folder(error) => Self::Lock(error),
            WriterLockError::Index(error) => Self::Index(error),
        }
    }
}

impl Diagnostic for StoreError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Home(error) => error.diagnosis(),
            Self::NotTrusted(reason) => reason.diagnosis(),
            Self::Document(error) => error.diagnosis(),
            Self::Template(error) => error.diagnosis(),
            Self::Name(error) => error.diagnosis(),
            Self::AuthorityName(error) => error.diagnosis(),
            Self::Issuer(error) => error.diagnosis(),
            Self::Index(error) => error.diagnosis(),
            Self::File(error) => error.diagnosis(),
            Self::Lock(error) => error.diagnosis(),
            Self::IndexLocation { reason, .. } => reason.diagnosis(),
            Self::Declined(error) => error.diagnosis(),
            Self::NoPassphrase(error) => error.diagnosis(),
            Self::NotToml(error) => error.diagnosis(),
            Self::KeyFile { cause, .. } => {
                let diagnosis = match cause {
                    KeyFileError::PassphraseNeeded => Diagnosis::usage("passphrase-needed"),
                    _ => Diagnosis::usage("bad-key"),
                };
                diagnosis.hints(cause.hint())
            }
            Self::WrongPassphrase(_) => Diagnosis::refused("wrong-passphrase"),
            Self::KeyAway { path, .. } => Diagnosis::refused("key-away").hint(format!(
                "copy it back to {} while it is needed, or issue with another authority: --issuer",
                path.escaped()
            )),
            Self::LooseKey(path) => Diagnosis::refused("loose-key").hint(format!("chmod 600 {}", path.in_shell())),
            Self::Certificate { .. } => Diagnosis::usage("bad-certificate"),
            Self::Pending(name) => Diagnosis::refused("pending")
                .hint(format!("when its certificate is here: ca intermediate install {name} CERT")),
            Self::NotARoot { .. } => Diagnosis::refused("unusable-ca").hint(
                "the certificate of the root was exchanged: restore it from a backup; 'ca list --template \
                     root' shows which it was",
            ),
            Self::UnknownAuthority { name, known } | Self::UnknownIssuer { name, known } => {
                let near = nearest(name, known.iter().map(String::as_str));
                Diagnosis::usage("unknown-authority")
                    .hints(near.map(|near| format!("did you mean '{near}'?")))
                    .hint(format!("there are: {}", list(known)))
            }
        }
    }
}

impl Diagnostic for HomeError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::NotOne(folder) => {
                Diagnosis::usage("no-ca").hint(format!("to make one there: ca init --dir {}", folder.in_shell()))
            }
            Self::Above(folder) => {
                Diagnosis::usage("no-ca").hint(format!("name it: --dir {}", folder.join("ca").in_shell()))
            }
            Self::Closed(folder) => Diagnosis::refused("permission-denied").hint(format!(
                "you are user {}; the owner of {} can let your group read it",
                files::our_user(),
                folder.escaped()
            )),
            Self::NoneFound(_) => Diagnosis::usage("no-ca")
                .hint("to make one in ./ca: ca init")
                .hint("to use one elsewhere: --dir DIR, or the variable CA_DIR"),
            Self::OtherOwner { folder, .. } => Diagnosis::refused("foreign-ca")
                .hint(format!("if you trust that user: --dir {}", folder.in_shell()))
                .hint(format!("if it is yours, run as root: chown {} {}", files::our_user(), folder.in_shell())),
            Self::Linked(folder) => {
                Diagnosis::refused("foreign-ca").hint(format!("name it: --dir {}", folder.in_shell()))
            }
            Self::NotTrusted(reason) => reason.diagnosis(),
        }
    }
}

/// The reason why a template is missing or cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("there is no template '{}'", text::escape(name))]
    Unknown { name: String, nearest: Option<String>, known: Vec<String> },
    #[error(transparent)]
    NotToml(#[from] NotToml),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl Diagnostic for TemplateError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Unknown { nearest: Some(near), .. } => {
                Diagnosis::usage("unknown-template").hint(format!("did you mean '{near}'?"))
            }
            Self::Unknown { known, .. } => {
                Diagnosis::usage("unknown-template").hint(format!("there are: {}", list(known)))
            }
            Self::NotToml(error) => error.diagnosis(),
            Self::File(_) => Diagnosis::usage("unreadable-input"),
            Self::Document(error) => error.diagnosis(),
        }
    }
}

impl Diagnostic for AuthorityNameError {
    fn diagnosis(&self) -> Diagnosis {
        Diagnosis::usage("bad-name")
    }
}

impl Diagnostic for EntryNameError {
    fn diagnosis(&self) -> Diagnosis {
        Diagnosis::usage("bad-name")
    }
}

/// Formats names in one line, escaped; `none` for an empty list.
pub(crate) fn list(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.iter().map(|name| escape(name)).collect::<Vec<_>>().join(", ")
    }
}
