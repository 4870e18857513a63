//! What the acts on roots and intermediates refuse.

use super::Failure;
use crate::authority::rotation::RotationError;

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
