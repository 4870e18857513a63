//! Revocation of certificates, and CRLs.

pub mod publish_crl;
pub mod revoke;
