//! Revocation of certificates, and publication of CRLs.

pub mod publish_crl;
pub mod revoke;
