//! The content of certificates, requests, CRLs and keys: every field as text for a person, and as JSON.

pub mod certificate;
pub mod comparison;
pub mod crl;
mod fields;
pub mod json;
pub mod key;
pub mod object;
pub mod scope;
pub mod signing_request;
