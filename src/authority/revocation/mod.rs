//! Revocation of certificates, and publication of CRLs.

pub mod bundle;
pub mod carry_over;
mod crl_error;
pub mod publish_crl;
pub mod revoke;
mod unrecorded;
