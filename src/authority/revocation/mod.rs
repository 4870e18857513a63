//! Revocation of certificates, and publication of CRLs.

pub mod bundle;
pub mod carry_over;
pub mod collected_crls;
mod crl_error;
pub mod publish_crl;
pub mod revoke;
mod unrecorded;
