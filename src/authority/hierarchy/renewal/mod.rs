//! The next certificate of an intermediate: `ca renew AUTHORITY` for the same key, `ca rekey AUTHORITY` for a new one. See
//! docs/decisions/0020-next-intermediate.md.
//!
//! The files of the CA directory show how far a run came, so that the same command completes one that died:
//!
//! | command | on the disk | then |
//! | --- | --- | --- |
//! | `renew` | the old certificate | the recorded one was never in use; the command signs another |
//! | | the new certificate, an old chain of an authority further below | the command signs another, and updates the chains |
//! | `rekey` | no folder with the name of the new authority | the recorded certificate was never in use, its key is gone |
//! | | the folder, with a file `replaces` | the new authority issues in the place of the old one |

pub mod error;
mod order;
mod present;
mod rekey;
mod renew;

pub use error::{NextAuthorityError, root_renew};
pub use order::NextAuthorityOrder;
pub use present::limit_of;
pub use rekey::{RekeyedAuthority, rekey};
pub use renew::{RenewedAuthority, planned, renew};

#[cfg(test)]
mod tests;
