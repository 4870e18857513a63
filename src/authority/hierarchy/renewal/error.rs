//! Why an intermediate gets no next certificate.

use std::path::PathBuf;

use time::OffsetDateTime;

use crate::authority::error::CertifyError;
use crate::authority::hierarchy::rotation::RotationError;
use crate::authority::leaf::follow::FollowError;
use crate::authority::leaf::request_inputs::RequestInputError;
use crate::authority::leaf::subject_key_checks::SubjectKeyError;
use crate::store::ca_certificates::ROOT;
use crate::system::files::FileError;
use crate::text::{Diagnosis, Diagnostic, PathText, rfc3339};

/// Why an intermediate gets no next certificate.
#[derive(Debug, thiserror::Error)]
pub enum NextAuthorityError {
    #[error(transparent)]
    Certify(CertifyError),
    #[error(transparent)]
    Input(#[from] RequestInputError),
    #[error(transparent)]
    SubjectKey(#[from] SubjectKeyError),
    #[error(transparent)]
    Follow(#[from] FollowError),
    #[error(transparent)]
    Rotation(#[from] RotationError),
    #[error("'{0}' is a root: clients trust its certificate, so this command does not replace it")]
    Root(String),
    #[error("'{name}' was replaced by '{by}', which issues now")]
    Replaced { name: String, by: String },
    #[error("the issuer of '{name}' is not an authority of this CA: {issuer}")]
    IssuerElsewhere { name: String, issuer: String, request: Option<PathBuf> },
    #[error(
        "the next certificate of '{name}' would not expire later than this one, at {}: '{limit}' expires then",
        rfc3339(*end)
    )]
    NotLonger { name: String, limit: String, is_root: bool, end: OffsetDateTime },
    #[error("no name is left for the authority that replaces '{0}'")]
    NoFreeName(String),
    #[error("{serial} is recorded, but did not replace the previous certificate: {cause}")]
    NotReplaced { serial: String, cause: FileError },
    #[error("{serial} is recorded, but its files could not be written: {cause}")]
    NotDelivered { serial: String, cause: FileError },
}

impl<E> From<E> for NextAuthorityError
where
    CertifyError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Certify(error.into())
    }
}

impl Diagnostic for NextAuthorityError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Certify(error) => error.diagnosis(),
            Self::Input(error) => error.diagnosis(),
            Self::SubjectKey(error) => error.diagnosis(),
            Self::Follow(error) => error.diagnosis(),
            Self::Rotation(error) => error.diagnosis(),
            Self::Root(name) => Diagnosis::refused("is-authority")
                .hint(format!("for the same key: {}", root_renew(name)))
                .hint("for a new root with a new key: ca root rotate start"),
            Self::Replaced { by, .. } => Diagnosis::refused("authority-replaced")
                .hint(format!("for the next certificate of the one that issues: ca renew {by}")),
            Self::IssuerElsewhere { name, request, .. } => {
                let refused = Diagnosis::refused("issuer-elsewhere");
                let refused = match request {
                    Some(request) => {
                        refused.hint(format!("let the issuer sign its request again: {}", request.escaped()))
                    }
                    None => refused.hint("let the issuer sign a certificate for the same key again"),
                };
                refused
                    .hint(format!("when the certificate is here: ca intermediate install {name} CERT"))
                    .hint(format!("for another authority with a new key: ca intermediate request {name}-2"))
            }
            Self::NotLonger { limit, is_root, .. } => Diagnosis::refused("issuer-expires")
                .hint(match is_root {
                    true => format!("renew the root first: {}", root_renew(limit)),
                    false => format!("renew its issuer first: ca renew {limit}"),
                })
                .hint("to sign it anyway, give its lifetime: --for D --clip"),
            Self::NoFreeName(_) => Diagnosis::usage("bad-name"),
            Self::NotReplaced { cause, .. } => Diagnosis::refused(cause.diagnosis().code)
                .hint("run the same command again: it signs another one for the same key"),
            Self::NotDelivered { cause, .. } => Diagnosis::refused(cause.diagnosis().code)
                .hint("run the same command again; the recorded certificate was never in use, its key is gone"),
        }
    }
}

/// The command that renews a root.
pub fn root_renew(name: &str) -> String {
    if name == ROOT { "ca root renew".to_owned() } else { format!("ca root renew {name}") }
}
