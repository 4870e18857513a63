//! Checks whether a certificate may be replaced by a new one: a revoked certificate or one on hold is not simply issued
//! again.

use crate::store::index::Entry;
use crate::text::{Diagnosis, Diagnostic, shell_word};
use crate::x509::crl::RevocationReason;

/// The reason why the certificate may not be replaced.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    #[error("'{0}' is revoked; its key does not get another certificate")]
    Revoked(String),
    #[error("'{0}' is on hold; release it before the next certificate is issued")]
    OnHold(String),
}

/// Checks that a certificate may be replaced: a revoked one only with a new key, and one on hold not at all.
///
/// # Errors
/// When the certificate is on hold, or it is revoked and `keeps_key` is true.
pub fn check_may_be_followed(entry: &Entry, keeps_key: bool) -> Result<(), FollowError> {
    match &entry.revocation {
        Some(held) if held.reason == RevocationReason::CertificateHold => Err(FollowError::OnHold(entry.name.clone())),
        Some(_) if keeps_key => Err(FollowError::Revoked(entry.name.clone())),
        _ => Ok(()),
    }
}

impl Diagnostic for FollowError {
    fn diagnosis(&self) -> Diagnosis {
        let refused = Diagnosis::refused("revoked");
        match self {
            Self::Revoked(name) => refused.hint(format!("for a new key: ca rekey {}", shell_word(name))),
            Self::OnHold(name) => {
                refused.hint(format!("to release it: ca revoke {} --reason release", shell_word(name)))
            }
        }
    }
}
