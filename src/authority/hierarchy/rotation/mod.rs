//! A root follows another: `ca root rotate start`, `status`, `finish`. See docs/decisions/0010-rotation.md.
//!
//! The files of the CA directory show how far a rotation is, so that the same command completes a run that died:
//!
//! | on the disk | then |
//! | --- | --- |
//! | no folder with a `new-with-old.pem` by a root that is here | none is under way |
//! | such a folder, and authorities whose certificate the old root signed | `start` goes on with those |
//! | such a folder, and no such authority | both roots are trusted, everything new depends on the new one |
//! | the old root's folder in `retired/` | finished |

pub mod error;
mod finish;
pub(crate) mod recertify;
pub(crate) mod start;
mod status;

pub use error::RotationError;
pub use finish::{FinishedRotation, finish};
pub use recertify::Recertified;
pub use start::{RootRotationOrder, StartedRotation, start};
pub use status::{RotationStatus, status};

#[cfg(test)]
mod tests;
