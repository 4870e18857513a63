//! The rules for CRLs.

mod entries;
pub mod rules;
mod target;
#[cfg(test)]
pub(crate) mod testing;

pub use entries::CrlEntries;
pub use rules::CRL_RULES;
pub use target::CrlTarget;
