//! MEMORY: the CA on disk, and the acts that change it. One act per file. Imports everything above and system.

pub mod adopt;
pub mod authorities;
mod brought_key;
pub mod chain;
pub mod config;
pub mod deliver;
pub mod due;
pub mod entry_name;
pub mod error;
pub mod generations;
pub mod home;
pub mod hook;
pub mod index;
pub mod init;
pub mod intermediate;
pub mod issue;
pub mod key_passphrase;
pub mod locate;
pub mod order;
pub mod publish_crl;
pub mod renew;
pub mod renew_root;
pub mod request;
pub mod revoke;
pub mod rollback;
pub mod rotation;
pub mod sign;
pub mod templates;
mod wish;

pub use authorities::{Authorities, KeyOpener};
pub use config::Config;
pub use entry_name::EntryName;
pub use error::AuthorityError;
pub use home::Home;
pub use index::Index;

#[cfg(test)]
mod beside_others_tests;
#[cfg(test)]
mod deliver_tests;
#[cfg(test)]
mod init_tests;
#[cfg(test)]
mod renew_tests;
#[cfg(test)]
mod revocation_tests;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
