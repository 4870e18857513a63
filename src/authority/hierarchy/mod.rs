//! Acts on the CAs themselves: a new CA, an imported one, intermediates, and the root's renewal and rotation.

pub mod ca_profile;
pub mod earlier_certificates;
pub mod earlier_revocations;
pub mod import;
pub mod init;
pub mod intermediate;
pub mod key_passphrase;
pub(crate) mod new_authority;
pub mod openssl_index;
pub mod renew_root;
pub mod renewal;
pub mod rotation;
