//! What a certificate, a request, a revocation list or a key says: every fact as text for a person, and as JSON.

pub mod certificate;
pub mod comparison;
mod fields;
pub mod key;
pub mod object;
pub mod reach;
pub mod revocation_list;
pub mod signing_request;
