//! The rules of path validation (RFC 5280 §6.1) and of the TLS documents, one file each.
//!
//! Each checks one certificate of a path, or the whole path, and adds its problems.

pub mod baseline;
pub mod critical_extensions;
pub mod intermediate_named_as_issuer;
pub mod issuer;
pub mod key_usage;
pub mod lint_rules;
pub mod name_constraints;
pub mod names;
pub mod path_length;
pub mod policy;
pub mod purpose;
pub mod trusted_intermediate;
pub mod validity;

use super::budget::Budget;
use super::cert_path::CertPath;
use super::code::Code;
use super::verdict::{Problem, Role};

/// Adds every problem of a path.
pub fn check(path: &CertPath<'_>, budget: &Budget, problems: &mut Vec<Problem>) {
    for (index, candidate) in path.certificates.iter().enumerate() {
        let role = path.role(index);
        validity::check(candidate, role, path.options, problems);
        lint_rules::check(path, index, problems);
        critical_extensions::check(candidate, problems);
        if role != Role::Leaf {
            issuer::check(candidate, role, problems);
        }
        purpose::check(candidate, role, path.options, problems);
    }
    path_length::check(path, problems);
    name_constraints::check(path, budget, problems);
    policy::check(path, budget, problems);
    key_usage::check(path, problems);
    names::check(path, problems);
    baseline::check(path, problems);
}

/// The codes of all rules, for `ca explain`.
pub static CODES: &[&Code] = &[
    &validity::EXPIRED,
    &validity::NOT_YET_VALID,
    &critical_extensions::UNKNOWN_CRITICAL_EXTENSION,
    &issuer::NOT_A_CA,
    &issuer::ISSUER_WITHOUT_KEY_CERT_SIGN,
    &path_length::PATH_TOO_LONG,
    &path_length::TOO_MANY_INTERMEDIATES,
    &name_constraints::NAME_CONSTRAINT_VIOLATED,
    &name_constraints::NAME_CONSTRAINT_UNPROCESSABLE,
    &policy::POLICY_NOT_SATISFIED,
    &purpose::WRONG_PURPOSE,
    &key_usage::KEY_USAGE_UNFIT,
    &names::NAME_MISMATCH,
    &names::NO_SUBJECT_ALT_NAME,
    &baseline::ca_as_leaf::CA_AS_LEAF,
    &baseline::common_name::COMMON_NAME_SPELLING,
    &trusted_intermediate::TRUSTED_INTERMEDIATE,
    &intermediate_named_as_issuer::INTERMEDIATE_NAMED_AS_ISSUER,
    &baseline::root_with_purposes::ROOT_WITH_PURPOSES,
    &baseline::root_key_id::ROOT_KEY_ID,
    &baseline::wildcard::PUBLIC_SUFFIX_WILDCARD,
    &baseline::without_purpose::WITHOUT_PURPOSE,
];
