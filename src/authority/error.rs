//! The errors that every act can return that signs a certificate.

use crate::issuance::{DraftRefusal, IssuerError, NotApproved, NotVerified};
use crate::keys::private_key::PrivateKeyError;
use crate::store::StoreError;
use crate::store::index::Revocation;
use crate::text::{Diagnosis, Diagnostic, rfc3339, shell_word};
use crate::verify::{Problem, Unsound};
use crate::x509::crl::RevocationReason;

/// The reason why a certificate was not made.
#[derive(Debug, thiserror::Error)]
pub enum CertifyError {
    #[error(transparent)]
    Store(StoreError),
    #[error(transparent)]
    Refusal(#[from] DraftRefusal),
    #[error(transparent)]
    NotApproved(#[from] NotApproved),
    #[error(transparent)]
    KeyGeneration(#[from] PrivateKeyError),
    #[error("{}", revoked_issuer(authority, revoked, revocation))]
    RevokedIssuer { authority: String, revoked: String, revocation: Revocation },
    #[error("could not draw a serial number that is not used yet")]
    NoFreeSerial,
    #[error("the root above '{authority}' is not here: no authority of this CA has the subject '{root}'")]
    NoRoot { authority: String, root: String },
    #[error("the new certificate does not verify: {}", .0.message)]
    DoesNotVerify(Box<Problem>),
    #[error("some clients would refuse the new certificate: {}", .0.message)]
    RefusedByClients(Box<Problem>),
}

impl<E> From<E> for CertifyError
where
    StoreError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

impl From<NotVerified> for CertifyError {
    fn from(reason: NotVerified) -> Self {
        match reason {
            NotVerified::OtherIssuer => IssuerError::OtherKey.into(),
            NotVerified::NoRoot { authority, root } => Self::NoRoot { authority, root },
            NotVerified::Unsound(Unsound::Chain(problem)) => Self::DoesNotVerify(problem),
            NotVerified::Unsound(Unsound::Name(problem)) => Self::RefusedByClients(problem),
        }
    }
}

impl Diagnostic for CertifyError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Store(error) => error.diagnosis(),
            Self::Refusal(error) => error.diagnosis(),
            Self::NotApproved(error) => error.diagnosis(),
            Self::KeyGeneration(error) => error.diagnosis(),
            Self::RevokedIssuer { revoked, revocation, .. } => {
                let refused = Diagnosis::refused("revoked-issuer");
                match revocation.reason {
                    RevocationReason::CertificateHold => refused
                        .hint(format!("to release it: ca revoke {} --reason release", shell_word(revoked))),
                    _ => refused.hint(
                        "choose another authority with --issuer; for a new one: ca issue intermediate NAME --issuer root",
                    ),
                }
            }
            Self::NoRoot { .. } => Diagnosis::refused("no-path-to-root")
                .hint("the certificate of the root was exchanged or removed: restore it from a backup"),
            Self::NoFreeSerial => Diagnosis::refused("not-issued"),
            Self::DoesNotVerify(problem) => Diagnosis::refused("not-issued").hint(problem.hint.clone()),
            Self::RefusedByClients(problem) => Diagnosis::refused("name-constrained").hint(problem.hint.clone()),
        }
    }
}

fn revoked_issuer(authority: &str, revoked: &str, revocation: &Revocation) -> String {
    let since = rfc3339(revocation.at);
    let how = match revocation.reason {
        RevocationReason::CertificateHold => format!("is on hold, since {since}"),
        reason => format!("is revoked, since {since} ({})", reason.name()),
    };
    if authority.eq_ignore_ascii_case(revoked) {
        format!("'{authority}' {how}; clients that know this refuse everything that it signs")
    } else {
        format!(
            "'{authority}' is below '{revoked}', which {how}; clients that know this refuse everything that \
             it signs"
        )
    }
}
