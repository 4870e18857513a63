//! AUTHORITY: the acts that change a CA: acts on leaf certificates, acts on CA certificates and keys, and revocation.
//! Each file has one act.

pub mod apply;
pub mod audit;
pub mod certify;
pub mod error;
pub mod hierarchy;
pub mod index_migration;
pub mod index_move;
pub mod issuer_chain;
pub mod leaf;
pub mod other_tool;
pub mod revocation;
pub(crate) mod serial;
pub(crate) mod signed_by;

pub use error::CertifyError;

#[cfg(test)]
mod beside_others_tests;
#[cfg(test)]
mod clock_tests;
#[cfg(test)]
mod deliver_tests;
#[cfg(test)]
mod found_crls_tests;
#[cfg(test)]
mod init_tests;
#[cfg(test)]
mod lost_revocation_tests;
#[cfg(test)]
mod old_signature_tests;
#[cfg(test)]
mod renew_tests;
#[cfg(test)]
mod request_tests;
#[cfg(test)]
mod restored_tests;
#[cfg(test)]
mod revocation_tests;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
