//! The CA/Browser Forum's Baseline Requirements for TLS servers, as far as they can be checked in a chain and a private
//! CA can follow them. They apply to `--purpose server` only. One file per rule.

pub mod ca_as_leaf;
pub mod common_name;
pub mod root_key_id;
pub mod root_with_purposes;
pub mod wildcard;
pub mod without_purpose;

use crate::verify::cert_path::CertPath;
use crate::verify::input::Purpose;
use crate::verify::rules::trusted_intermediate;
use crate::verify::verdict::Problem;

/// The codes of these rules.
pub const CODES: [&str; 6] = [
    ca_as_leaf::CA_AS_LEAF.code,
    common_name::COMMON_NAME_SPELLING.code,
    root_with_purposes::ROOT_WITH_PURPOSES.code,
    root_key_id::ROOT_KEY_ID.code,
    wildcard::PUBLIC_SUFFIX_WILDCARD.code,
    without_purpose::WITHOUT_PURPOSE.code,
];

/// Adds every rule of the Baseline Requirements that the chain breaks.
pub fn check(path: &CertPath<'_>, problems: &mut Vec<Problem>) {
    let (Purpose::Server, Some(leaf), Some(anchor)) = (path.options.purpose, path.leaf(), path.certificates.first())
    else {
        return;
    };
    problems.extend(ca_as_leaf::check(leaf));
    problems.extend(without_purpose::check(leaf));
    problems.extend(common_name::check(leaf));
    problems.extend(wildcard::check(leaf));
    // --roots may also trust certificates that are not roots.
    if anchor.is_self_issued() {
        problems.extend(root_with_purposes::check(anchor));
        // An old root's certificate for the next one has one name twice, and is not a root.
        problems.extend(root_key_id::check(anchor).filter(|_| trusted_intermediate::is_root(anchor, path.signatures)));
    }
}
