//! PKCS#12 (RFC 7292), written only: a private key with its chain, or certificates that Java trusts. The only folder that uses
//! the libraries `pkcs12`, `cms` and `x509-cert`, which have the structures and the key derivation of appendix B.

mod bags;
mod protection;
mod seal;
mod write;

pub use protection::{RANDOM_BYTES, StoreProtection, Strength};
pub use write::{key_store, trust_store};

#[cfg(test)]
mod tests;
