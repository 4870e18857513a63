//! The errors of issuing a certificate.

use std::path::PathBuf;
use std::sync::Arc;

use time::OffsetDateTime;

use super::follow::FollowError;
use super::request_inputs::RequestInputError;
use super::subject_key_checks::SubjectKeyError;
use crate::authority::error::CertifyError;
use crate::issuance::Comparison;
use crate::system::files::{FileError, UnknownOwner};
use crate::text::{Diagnosis, Diagnostic, PathText, rfc3339, shell_word};

/// The reason why no certificate was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    #[error(transparent)]
    Certify(CertifyError),
    #[error(transparent)]
    Input(#[from] RequestInputError),
    #[error(transparent)]
    SubjectKey(#[from] SubjectKeyError),
    #[error(transparent)]
    Follow(#[from] FollowError),
    #[error(transparent)]
    Owner(#[from] UnknownOwner),
    #[error("the files cannot be given to {0}: only root can give files to other users and groups")]
    NotGiven(String),
    #[error("the files of the authority '{0}' belong to the owner of the CA directory")]
    AuthorityFiles(String),
    #[error("the certificate would not be exactly what the request asks for")]
    NotExact(Comparison),
    #[error("'{0}' is an authority already; clients would refuse what it has signed if another key took its name")]
    AuthorityKept(String),
    #[error("'{name}' is the name of a certificate already (template {template}, expires {})", rfc3339(*until))]
    NameTaken { name: String, template: String, until: OffsetDateTime, by_request: bool },
    #[error(
        "'{name}' is the name of a certificate of the template '{template}' already; a name belongs to one template"
    )]
    OtherTemplate {
        name: String,
        template: String,
        /// The command that gives a certificate with this name in it another NAME.
        command: String,
    },
    #[error("{} exists already, and is not in the index", .0.escaped())]
    PlaceTaken(PathBuf),
    /// The index records the folder as text, so that a renewal finds it again.
    #[error("the folder {} cannot be recorded: its name is not text in UTF-8", .0.escaped())]
    PlaceNotUtf8(PathBuf),
    #[error("{} is a private key to which this certificate would not belong", .0.escaped())]
    KeyOfAnother(PathBuf),
    #[error("{} is not a certificate of this name, so it is not replaced", .0.escaped())]
    OtherCertificate(PathBuf),
    /// Another process replaced the certificate that this order was made from.
    #[error("other processes kept replacing '{0}'; this process changed nothing")]
    Overtaken(String),
    #[error("the order was planned for another CA directory than the one that is locked")]
    OtherStore,
    /// The error of a step that several certificates share.
    #[error(transparent)]
    Shared(Arc<IssueError>),
    #[error("{serial} is recorded, but its files could not be written: {cause}")]
    NotDelivered { serial: String, cause: FileError },
}

impl<E> From<E> for IssueError
where
    CertifyError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Certify(error.into())
    }
}

impl Diagnostic for IssueError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Certify(error) => error.diagnosis(),
            Self::Input(error) => error.diagnosis(),
            Self::SubjectKey(error) => error.diagnosis(),
            Self::Follow(error) => error.diagnosis(),
            Self::Owner(error) => error.diagnosis(),
            Self::NotGiven(_) => Diagnosis::refused("permission-denied")
                .hint("run the same command as root: sudo ca …")
                .hint("to leave out what is remembered with the name: --owner '' --group ''"),
            Self::AuthorityFiles(_) => {
                Diagnosis::usage("bad-arguments").hint("leave out --owner, --group and --mode for an authority")
            }
            Self::NotExact(comparison) => Diagnosis::refused("not-exact").hints(comparison.differences()),
            Self::AuthorityKept(_) => Diagnosis::refused("exists")
                .hint("for its next certificate: ca renew NAME (same key), ca rekey NAME (new key)")
                .hint("make another authority under another name, and let it sign what is next: --issuer NAME"),
            Self::NameTaken { name, by_request: true, .. } => Diagnosis::refused("exists")
                .hint(format!("'ca show {}' shows it", shell_word(name)))
                .hint("to sign only when it is due: --if-due; to replace it now: --force")
                .hint("to have it beside this one, call it otherwise with --name"),
            Self::NameTaken { name, template, .. } => {
                let name = shell_word(name);
                Diagnosis::refused("exists")
                    .hint(format!("'ca show {name}' shows it"))
                    .hint(format!("for the next one: ca renew {name} (same key), ca rekey {name} (new key)"))
                    .hint(format!("only when it is due: ca issue {template} {name} --if-due"))
                    .hint("to replace it now, with a new key: --force")
            }
            Self::OtherTemplate { command, .. } => Diagnosis::refused("exists")
                .hint(format!("choose another name here; the certificate can still have this one: {command}")),
            Self::PlaceTaken(_) => Diagnosis::refused("exists")
                .hint("nothing existing is overwritten: move it away, or choose another place with --out"),
            Self::PlaceNotUtf8(_) => {
                Diagnosis::usage("bad-name").hint("choose a folder with another name: --out FOLDER")
            }
            Self::KeyOfAnother(_) => {
                Diagnosis::refused("key-of-another").hint("move it away, or choose another place with --out")
            }
            Self::OtherCertificate(_) => {
                Diagnosis::refused("exists").hint("move it away, and the key that belongs to it; then run it again")
            }
            Self::Shared(error) => error.diagnosis(),
            Self::OtherStore => Diagnosis::refused("not-issued"),
            Self::Overtaken(_) => Diagnosis::refused("locked").hint("run it again"),
            Self::NotDelivered { cause, .. } => Diagnosis::refused(cause.diagnosis().code)
                .hint("run the same command again; the recorded certificate was never in use, its key is gone"),
        }
    }
}
