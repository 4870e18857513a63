//! One file per rule.

pub mod apple_lifetime;
pub mod authority_key_id;
pub mod authority_key_id_form;
pub mod authority_key_id_matches;
pub mod ca_basic_constraints_critical;
pub mod ca_key_usage;
pub mod ca_key_usage_critical;
pub mod ca_subject_empty;
pub mod ca_subject_key_id;
pub mod certificate_policies;
pub mod digital_signature;
pub mod dns_names;
pub mod extended_key_usage_any;
pub mod extended_key_usage_critical;
pub mod extended_key_usage_empty;
pub mod extension_malformed;
pub mod issuer_empty;
pub mod issuer_name;
pub mod key_cert_sign_without_ca;
pub mod key_encipherment;
pub mod key_ids_critical;
pub mod key_kind;
pub mod key_usage_empty;
pub mod leaf_named_as_issuer;
pub mod leaf_subject_key_id;
pub mod name_constraints_critical;
pub mod name_constraints_empty;
pub mod name_constraints_in_leaf;
pub mod name_constraints_leading_dot;
pub mod outlives_issuer;
pub mod path_length_without_ca;
pub mod policy_constraints_critical;
pub mod rsa_exponent;
pub mod rsa_size;
pub mod serial_length;
pub mod serial_positive;
pub mod signature_algorithms;
pub mod subject_alt_name_critical;
pub mod subject_alt_name_empty;
pub mod subject_alt_name_missing;
pub mod subject_alt_name_plain;
pub mod validity_encoding;
pub mod validity_reversed;
pub mod version;
pub mod weak_signature;

use super::rule::Rule;

/// Every rule, from the fields of the certificate to its relation with the issuer.
pub static RULES: &[&Rule] = &[
    &version::RULE,
    &serial_positive::RULE,
    &serial_length::RULE,
    &signature_algorithms::RULE,
    &weak_signature::RULE,
    &ca_basic_constraints_critical::RULE,
    &ca_key_usage::RULE,
    &ca_key_usage_critical::RULE,
    &key_cert_sign_without_ca::RULE,
    &path_length_without_ca::RULE,
    &ca_subject_key_id::RULE,
    &leaf_subject_key_id::RULE,
    &authority_key_id::RULE,
    &authority_key_id_form::RULE,
    &key_ids_critical::RULE,
    &subject_alt_name_missing::RULE,
    &subject_alt_name_empty::RULE,
    &subject_alt_name_critical::RULE,
    &subject_alt_name_plain::RULE,
    &issuer_empty::RULE,
    &ca_subject_empty::RULE,
    &leaf_named_as_issuer::RULE,
    &key_usage_empty::RULE,
    &key_encipherment::RULE,
    &digital_signature::RULE,
    &extended_key_usage_empty::RULE,
    &extended_key_usage_critical::RULE,
    &extended_key_usage_any::RULE,
    &dns_names::RULE,
    &validity_reversed::RULE,
    &validity_encoding::RULE,
    &name_constraints_in_leaf::RULE,
    &name_constraints_critical::RULE,
    &name_constraints_empty::RULE,
    &name_constraints_leading_dot::RULE,
    &policy_constraints_critical::RULE,
    &certificate_policies::RULE,
    &key_kind::RULE,
    &rsa_size::RULE,
    &rsa_exponent::RULE,
    &extension_malformed::RULE,
    &apple_lifetime::RULE,
    &issuer_name::RULE,
    &authority_key_id_matches::RULE,
    &outlives_issuer::RULE,
];
