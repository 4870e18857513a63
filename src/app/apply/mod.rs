//! `ca apply`: makes the CA as manifests declare it. `read` reads and decides, `execute` changes.

mod execute;
mod exports;
mod hooks;
mod issue;
mod read;
mod request;

pub use execute::{Applied, AppliedEntry, Done, PrunedName, execute};
pub use read::{ManifestFile, PlannedApply, read_and_decide};
pub use request::ApplyRequest;
