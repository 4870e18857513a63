//! One file per rule.

pub mod algorithm_parameters;
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
pub mod critical_extension_unknown;
pub mod default_encoded;
pub mod digital_signature;
pub mod distribution_points;
pub mod dns_names;
pub mod extended_key_usage_any;
pub mod extended_key_usage_critical;
pub mod extended_key_usage_empty;
pub mod extension_lists;
pub mod extension_malformed;
pub mod extensions_not_critical;
pub mod extensions_rather_not_critical;
pub mod issuer_empty;
pub mod issuer_name;
pub mod issuer_strings;
pub mod key_cert_sign_without_ca;
pub mod key_encipherment;
pub mod key_ids_critical;
pub mod key_kind;
pub mod key_usage_empty;
pub mod leaf_named_as_issuer;
pub mod leaf_subject_key_id;
pub mod mailboxes;
pub mod name_constraints_bounds;
pub mod name_constraints_critical;
pub mod name_constraints_empty;
pub mod name_constraints_in_leaf;
pub mod name_constraints_leading_dot;
pub mod name_constraints_mask;
pub mod name_lengths;
pub mod name_string_types;
pub mod named_bits;
pub mod outlives_issuer;
pub mod path_length_without_ca;
pub mod policy_constraints_critical;
pub mod policy_mappings;
pub mod policy_mappings_asserted;
pub mod policy_text;
pub mod printable_string;
pub mod rsa_exponent;
pub mod rsa_size;
pub mod serial_length;
pub mod serial_positive;
pub mod signature_algorithms;
pub mod string_encoding;
pub mod subject_alt_name_critical;
pub mod subject_alt_name_empty;
pub mod subject_alt_name_missing;
pub mod subject_alt_name_plain;
pub mod subject_email;
pub mod unique_ids;
pub mod uris;
pub mod validity_encoding;
pub mod validity_reversed;
pub mod version;
pub mod weak_signature;

use super::rule::Rule;

/// Every rule, from the fields of the certificate to its relation with the issuer.
pub static RULES: &[&Rule] = &[
    &version::RULE,
    &unique_ids::RULE,
    &default_encoded::RULE,
    &serial_positive::RULE,
    &serial_length::RULE,
    &signature_algorithms::RULE,
    &algorithm_parameters::RULE,
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
    &printable_string::RULE,
    &string_encoding::RULE,
    &name_lengths::RULE,
    &name_string_types::RULE,
    &subject_email::RULE,
    &issuer_strings::RULE,
    &leaf_named_as_issuer::RULE,
    &key_usage_empty::RULE,
    &key_encipherment::RULE,
    &digital_signature::RULE,
    &extended_key_usage_empty::RULE,
    &extended_key_usage_critical::RULE,
    &extended_key_usage_any::RULE,
    &dns_names::RULE,
    &uris::RULE,
    &mailboxes::RULE,
    &validity_reversed::RULE,
    &validity_encoding::RULE,
    &name_constraints_in_leaf::RULE,
    &name_constraints_critical::RULE,
    &name_constraints_empty::RULE,
    &name_constraints_leading_dot::RULE,
    &name_constraints_mask::RULE,
    &name_constraints_bounds::RULE,
    &policy_constraints_critical::RULE,
    &certificate_policies::RULE,
    &policy_text::RULE,
    &policy_mappings::RULE,
    &policy_mappings_asserted::RULE,
    &key_kind::RULE,
    &rsa_size::RULE,
    &rsa_exponent::RULE,
    &extension_malformed::RULE,
    &named_bits::RULE,
    &extension_lists::RULE,
    &extensions_not_critical::RULE,
    &extensions_rather_not_critical::RULE,
    &critical_extension_unknown::RULE,
    &distribution_points::RULE,
    &apple_lifetime::RULE,
    &issuer_name::RULE,
    &authority_key_id_matches::RULE,
    &outlives_issuer::RULE,
];
