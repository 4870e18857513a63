//! RFC 5280 §4.2.1.12: what the key may be used for. A CA's purposes limit those of everything below it, as every TLS
//! library reads them.

use crate::verify::question::{Exhibit, Purpose, Question};
use crate::verify::verdict::{Code, Problem, Role};
use crate::x509::ExtendedKeyUsage;

pub const WRONG_PURPOSE: Code = Code {
    code: "wrong-purpose",
    citation: "RFC 5280 §4.2.1.12",
    demand: "The extended key usage of the leaf, and of every CA that has one, names the purpose",
    example: "this is a client certificate: its extended key usage is client-auth, a server needs server-auth",
    cure: "issue a certificate for this purpose (ca issue server NAME, ca issue client NAME)",
};

/// Adds what is wrong with the purposes of one certificate.
pub fn check(exhibit: &Exhibit, role: Role, question: &Question, problems: &mut Vec<Problem>) {
    let Some(wanted) = question.purpose.extended_key_usage() else { return };
    // The anchor is trusted for whatever its owner chose it for.
    let (Role::Leaf | Role::Intermediate, Some(found)) = (role, &exhibit.certificate.extended_key_usage) else {
        return;
    };
    let any_is_enough = role == Role::Intermediate;
    if found.contains(&wanted) || any_is_enough && found.contains(&ExtendedKeyUsage::Any) {
        return;
    }
    let found_names: Vec<_> = found.iter().map(ToString::to_string).collect();
    let found_names = if found_names.is_empty() { "nothing".to_owned() } else { found_names.join(", ") };
    let other_side = |other: &ExtendedKeyUsage| role == Role::Leaf && found.contains(other);
    let message = match question.purpose {
        Purpose::Server if other_side(&ExtendedKeyUsage::ClientAuth) => {
            format!("this is a client certificate: its extended key usage is {found_names}, a server needs server-auth")
        }
        Purpose::Client if other_side(&ExtendedKeyUsage::ServerAuth) => {
            format!("this is a server certificate: its extended key usage is {found_names}, a client needs client-auth")
        }
        _ => format!("the extended key usage of the {role} is {found_names}, expected {wanted} among it"),
    };
    problems.push(Problem::error(&WRONG_PURPOSE, exhibit, message));
}
