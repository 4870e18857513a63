//! One file per rule about CRLs.

pub mod authority_key_id;
pub mod criticality;
pub mod default_encoded;
pub mod entries_empty;
pub mod entry_criticality;
pub mod extension_malformed;
pub mod issuer_empty;
pub mod next_update;
pub mod number;
pub mod number_length;
pub mod reasons;
pub mod repeated;
pub mod revoked_later;
pub mod signature_algorithms;
pub mod times;
pub mod version;
pub mod weak_signature;

use crate::lint::rule::{CrlCheck, Rule};

/// Every rule about CRLs, from their fields to their entries.
pub static CRL_RULES: &[&Rule<CrlCheck>] = &[
    &version::RULE,
    &signature_algorithms::RULE,
    &weak_signature::RULE,
    &issuer_empty::RULE,
    &next_update::RULE,
    &times::RULE,
    &number::RULE,
    &number_length::RULE,
    &authority_key_id::RULE,
    &criticality::RULE,
    &extension_malformed::RULE,
    &default_encoded::RULE,
    &entries_empty::RULE,
    &entry_criticality::RULE,
    &reasons::RULE,
    &revoked_later::RULE,
    &repeated::RULE,
];
