//! What the acts on roots and intermediates refuse.

use super::Failure;
use crate::authority::hierarchy::intermediate::IntermediateError;
use crate::authority::hierarchy::rotation::RotationError;

impl From<IntermediateError> for Failure {
    fn from(error: IntermediateError) -> Self {
        let sentence = error.to_string();
        match error {
            IntermediateError::Taken(_) | IntermediateError::NameOfCertificate(_) => {
                Self::refused("exists", sentence).hint("choose another name")
            }
            IntermediateError::Requested { name, path } => Self::refused("exists", sentence)
                .hint(format!("let another CA sign {}", path.display()))
                .hint(format!("when its certificate is here: ca intermediate install {name} CERT")),
            IntermediateError::NotRequested(name) => {
                Self::usage("unknown-authority", sentence).hint(format!("to ask: ca intermediate request {name}"))
            }
            IntermediateError::OtherKey { .. } => Self::refused("key-mismatch", sentence),
            IntermediateError::SelfIssued(_) => Self::refused("not-an-intermediate", sentence),
            IntermediateError::NotNow { .. } => Self::refused("not-valid-now", sentence),
            IntermediateError::NoPath(_) => {
                Self::refused("no-path-to-root", sentence).hint("give the certificates above it with --chain FILE")
            }
            IntermediateError::UnknownRoot { .. } => Self::refused("unknown-root", sentence)
                .hint("if clients of this CA shall trust it, name it: --add-root AUTHORITY"),
            IntermediateError::KnownRoot { .. } => Self::refused("exists", sentence).hint("leave out --add-root"),
        }
    }
}

impl From<RotationError> for Failure {
    fn from(error: RotationError) -> Self {
        let sentence = error.to_string();
        match error {
            RotationError::UnderWay { .. } => Self::refused("rotation-under-way", sentence)
                .hint("'ca root rotate status' shows what still hangs on the old root")
                .hint("'ca root rotate finish' ends it"),
            RotationError::None => Self::refused("no-rotation", sentence).hint("to begin one: ca root rotate start"),
            RotationError::NotARoot(_) | RotationError::NoRoot => Self::refused("not-a-root", sentence),
            RotationError::SameSubject(_) => {
                Self::usage("bad-subject", sentence).hint("choose another common name with --name")
            }
            RotationError::NoBridge(_) => Self::refused("no-bridge", sentence)
                .hint("give every client both roots before anything is issued ('ca roots'), and then begin with --force"),
            RotationError::Left { .. } => Self::refused("still-hanging", sentence)
                .hint("'ca root rotate status' lists them; 'ca renew NAME' moves a certificate, 'ca root rotate start' an authority")
                .hint("to end the rotation all the same: --force; whoever trusts only the new root then refuses them"),
            RotationError::Issues(old) => Self::refused("old-root-issues", sentence)
                .hint(format!("name another one instead of \"{old}\" at issuer in [issue] of ca.toml")),
            RotationError::InTheWay(_) => Self::refused("exists", sentence).hint("move it away"),
        }
    }
}
