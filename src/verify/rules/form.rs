//! RFC 5280 §4: the rules of form that decide. The table is that of [`crate::lint`]; here stands which of its rules turn
//! a yes into a no, and for which purpose.

use super::Path;
use crate::lint::rules as lint;
use crate::lint::{Rule, Severity, Subject};
use crate::verify::question::Purpose;
use crate::verify::signature;
use crate::verify::verdict::{Problem, Role};

/// Rules without which a certificate means different things to different readers.
static ALWAYS: [&Rule; 7] = [
    &lint::extension_malformed::RULE,
    &lint::signature_algorithms::RULE,
    &lint::issuer_empty::RULE,
    &lint::ca_subject_empty::RULE,
    &lint::key_cert_sign_without_ca::RULE,
    &lint::subject_alt_name_critical::RULE,
    &lint::name_constraints_empty::RULE,
];

/// The profile of RFC 5280, which TLS asks for; path validation alone (§6) does not look at these.
static TLS: [&Rule; 15] = [
    &lint::version::RULE,
    &lint::serial_positive::RULE,
    &lint::serial_length::RULE,
    &lint::ca_basic_constraints_critical::RULE,
    &lint::path_length_without_ca::RULE,
    &lint::ca_subject_key_id::RULE,
    &lint::authority_key_id::RULE,
    &lint::key_ids_critical::RULE,
    &lint::subject_alt_name_empty::RULE,
    &lint::key_usage_empty::RULE,
    &lint::extended_key_usage_empty::RULE,
    &lint::name_constraints_in_leaf::RULE,
    &lint::name_constraints_critical::RULE,
    &lint::name_constraints_leading_dot::RULE,
    &lint::rsa_exponent::RULE,
];

/// The Baseline Requirements, for servers.
static SERVER: [&Rule; 4] = [
    &lint::rsa_size::RULE,
    &lint::authority_key_id_form::RULE,
    &lint::extended_key_usage_critical::RULE,
    &lint::extended_key_usage_any::RULE,
];

/// Adds every broken rule of form of one certificate: an error where it decides, a warning where it does not.
pub fn check(path: &Path<'_>, index: usize, problems: &mut Vec<Problem>) {
    let Some(exhibit) = path.exhibits.get(index) else { return };
    let issuer = index.checked_sub(1).and_then(|above| path.exhibits.get(above)).map(|above| &above.certificate);
    let subject = Subject { certificate: &exhibit.certificate, issuer };
    let purpose = path.question.purpose;
    let role = path.role(index);
    let mut apply = |rules: &[&Rule], severity: Severity| {
        for finding in rules.iter().filter_map(|rule| rule.apply(&subject)) {
            if !is_pointless(finding.rule, &subject, role) {
                let tolerated = is_tolerated(finding.rule, &subject, role, purpose);
                let severity = if tolerated { Severity::Warning } else { severity };
                problems.push(Problem::of_form(finding, severity, exhibit));
            }
        }
    };
    apply(&ALWAYS, Severity::Error);
    match purpose {
        Purpose::Any => apply(&TLS, Severity::Warning),
        Purpose::Client => apply(&TLS, Severity::Error),
        Purpose::Server => {
            apply(&TLS, Severity::Error);
            apply(&SERVER, Severity::Error);
        }
    }
}

/// RFC 5280 §4.2.1.1: what is signed with its own key needs no authority key identifier, whatever its issuer is called.
fn is_pointless(rule: &str, subject: &Subject<'_>, role: Role) -> bool {
    let certificate = subject.certificate;
    rule == lint::authority_key_id::RULE.code
        && role == Role::Root
        && certificate.authority_key_id.is_none()
        && signature::certificate(certificate, &certificate.public_key).is_ok()
}

fn is_tolerated(rule: &str, subject: &Subject<'_>, role: Role, purpose: Purpose) -> bool {
    match rule {
        // The serial of a root is looked up by nobody; several old roots have zero.
        "serial-not-positive" => role == Role::Root && subject.certificate.serial.is_zero(),
        // BR §7.1.2.5.2: "MAY be marked non-critical", an explicit exception from RFC 5280.
        "name-constraints-not-critical" => purpose == Purpose::Server,
        // A purpose of an intermediate limits it; only a leaf for any purpose is too much.
        "extended-key-usage-any" | "extended-key-usage-critical" => role != Role::Leaf,
        _ => false,
    }
}
