//! RFC 9525 §6: the wanted names are among the subject alternative names; the common name is ignored.

use crate::verify::candidate::Candidate;
use crate::verify::cert_path::CertPath;
use crate::verify::code::{Code, Rank};
use crate::verify::input::Purpose;
use crate::verify::verdict::Problem;
use crate::x509::{GeneralName, general_name};

pub const NAME_MISMATCH: Code = Code {
    code: "name-mismatch",
    rank: Rank::NameMismatch,
    citation: "RFC 9525 §6.3; RFC 5280 §4.2.1.6",
    requirement: "Every required name is among the subject alternative names",
    example: "the certificate is not for dns:www.corp.test, but for dns:web.corp.test",
    fix: "require a name of the certificate, or issue it again with this name (ca issue server NAME --san NAME)",
};

pub const NO_SUBJECT_ALT_NAME: Code = Code {
    code: "no-subject-alt-name",
    rank: Rank::NoSubjectAltName,
    citation: "RFC 9525 §2, §6.1",
    requirement: "A certificate of which a name is required has subject alternative names",
    example: "dns:web.corp.test is required, but the certificate has no subject alternative name (SAN); clients \
         ignore its common name web.corp.test",
    fix: "issue the certificate again: names belong in the subject alternative name, clients ignore the common name",
};

/// Adds every wanted name that the leaf does not have.
pub fn check(path: &CertPath<'_>, problems: &mut Vec<Problem>) {
    let Some(leaf) = path.leaf() else { return };
    for wanted in &path.options.names {
        if !leaf.certificate.names().iter().any(|presented| matches(presented, wanted)) {
            problems.push(explain(leaf, wanted, path.options.purpose));
        }
    }
}

/// Returns whether a name in a certificate matches a wanted name.
pub fn matches(presented: &GeneralName, wanted: &GeneralName) -> bool {
    match (presented, wanted) {
        (GeneralName::Dns(presented), GeneralName::Dns(wanted)) => dns_matches(presented, wanted),
        (GeneralName::Ip(presented), GeneralName::Ip(wanted)) => presented == wanted,
        (GeneralName::Email(presented), GeneralName::Email(wanted)) => {
            // RFC 5280 §7.5: the local part is compared exactly, the host without regard to case.
            match (presented.rsplit_once('@'), wanted.rsplit_once('@')) {
                (Some((p, presented_host)), Some((w, wanted_host))) => {
                    p == w && presented_host.eq_ignore_ascii_case(wanted_host)
                }
                _ => false,
            }
        }
        (GeneralName::Uri(presented), GeneralName::Uri(wanted)) => general_name::is_same_uri(presented, wanted),
        (presented, wanted) => presented == wanted,
    }
}

/// RFC 9525 §6.3: equal without regard to case, or a wildcard as the whole first label, which matches one label.
fn dns_matches(presented: &str, wanted: &str) -> bool {
    let is_same_name = match presented.strip_prefix("*.") {
        Some(parent) => {
            wanted.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(parent))
        }
        None => presented.eq_ignore_ascii_case(wanted),
    };
    is_same_name && general_name::dns(presented).is_ok()
}

fn explain(leaf: &Candidate, wanted: &GeneralName, purpose: Purpose) -> Problem {
    let certificate = &leaf.certificate;
    let names = certificate.names();
    // The built-in template for names of this kind; none of them is for mail.
    let template = match wanted {
        GeneralName::Dns(_) | GeneralName::Ip(_) => "server",
        GeneralName::Email(_) if purpose == Purpose::Email => "TEMPLATE",
        _ => "client",
    };
    if names.is_empty() {
        let message = match certificate.subject.common_name() {
            Some(name) => format!(
                "{wanted} is required, but the certificate has no subject alternative name (SAN); clients \
                     ignore its common name {name}"
            ),
            None => format!("{wanted} is required, but the certificate has no subject alternative name (SAN)"),
        };
        let hint =
            format!("issue it again with the name as subject alternative name: ca issue {template} {}", wanted.value());
        return Problem::error(&NO_SUBJECT_ALT_NAME, leaf, message).hint(hint);
    }
    let same_text = names.iter().find(|name| name.kind() != wanted.kind() && name.value() == wanted.value());
    let of_its_kind: Vec<_> = names.iter().filter(|name| name.kind() == wanted.kind()).collect();
    let message = if let Some(other_kind) = same_text {
        format!("{wanted} is required, but the certificate has it only as {other_kind}")
    } else if let Some(nearest) = of_its_kind.iter().min_by_key(|name| distance(&name.value(), &wanted.value())) {
        let others = match names.len() - 1 {
            0 => String::new(),
            others => format!(" (and {others} more{})", if others == 1 { "" } else { "s" }),
        };
        let why = wildcard_reason(nearest, wanted);
        format!("the certificate is not for {wanted}, but for {nearest}{others}{why}")
    } else {
        let shown: Vec<_> = names.iter().take(3).map(ToString::to_string).collect();
        format!("{wanted} is required, but the certificate has no name of that kind, only {}", shown.join(", "))
    };
    let hint = format!(
        "require a name of the certificate, or issue it again with this name too: ca issue {template} \
             NAME --san {}",
        wanted.value()
    );
    Problem::error(&NAME_MISMATCH, leaf, message).hint(hint)
}

fn distance(found: &str, wanted: &str) -> usize {
    strsim::damerau_levenshtein(found.trim_start_matches("*."), wanted)
}

fn wildcard_reason(nearest: &GeneralName, wanted: &GeneralName) -> &'static str {
    match (nearest, wanted) {
        (GeneralName::Dns(nearest), GeneralName::Dns(wanted)) => match nearest.strip_prefix("*.") {
            Some(parent) if wanted.eq_ignore_ascii_case(parent) => "; a wildcard does not cover its parent",
            Some(parent) if wanted.to_ascii_lowercase().ends_with(&format!(".{}", parent.to_ascii_lowercase())) => {
                "; a wildcard covers one label only"
            }
            _ => "",
        },
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::TestCert;
    use crate::verify::tests::{TestPki, server};
    use crate::x509::certificate::oid;

    #[test]
    fn a_name_that_is_not_there_is_found_and_a_certificate_without_names() {
        let case = |cert, name| TestPki::new().case(cert).name(name).errors();
        assert_eq!(case(server(), "other.corp.test"), [NAME_MISMATCH.code]);
        assert_eq!(case(server(), "10.0.0.1"), [NAME_MISMATCH.code]);
        assert_eq!(case(server().without(oid::SUBJECT_ALT_NAME), "web.corp.test"), [NO_SUBJECT_ALT_NAME.code]);
    }

    #[test]
    fn a_name_that_is_there_is_right() {
        assert_eq!(TestPki::new().case(server()).name("WEB.corp.test").errors(), [""; 0]);
    }

    #[test]
    fn a_wildcard_stands_for_exactly_one_label() {
        for (presented, wanted, expected) in [
            ("*.corp.test", "web.corp.test", true),
            ("*.corp.test", "WEB.Corp.Test", true),
            ("*.corp.test", "a.web.corp.test", false),
            ("*.corp.test", "corp.test", false),
            ("w*.corp.test", "web.corp.test", false),
            ("*.test", "corp.test", false),
            ("corp.test", "corp.test", true),
            ("corp.test.", "corp.test", false),
            ("*.corp.test", ".corp.test", false),
        ] {
            assert_eq!(dns_matches(presented, wanted), expected, "{presented} {wanted}");
        }
    }

    #[test]
    fn a_uri_is_found_in_its_own_characters_and_the_nearest_one_is_named() {
        let client = || TestCert::client("plc").names(&["uri:urn:plant.test:client", "uri:spiffe://corp.test/db"]);
        let case = |name: &str| TestPki::new().case(client()).name(name);
        assert_eq!(case("uri:urn:plant.test:client").errors(), [""; 0]);
        assert_eq!(case("uri:spiffe://CORP.test/db").errors(), [""; 0]);
        assert_eq!(case("uri:spiffe://corp.test/DB").errors(), [NAME_MISMATCH.code]);
        let problem = case("uri:urn:wrong").verify().problems.remove(0);
        assert_eq!(problem.code, NAME_MISMATCH.code);
        assert!(problem.message.contains("but for uri:urn:plant.test:client"));
        assert!(problem.hint.contains("ca issue client NAME --san urn:wrong"), "{}", problem.hint);
    }

    #[test]
    fn mailboxes_keep_their_case_and_hosts_do_not() {
        let email = |name: &str| GeneralName::Email(name.to_owned());
        assert!(matches(&email("Alice@corp.test"), &email("Alice@CORP.test")));
        assert!(!matches(&email("Alice@corp.test"), &email("alice@corp.test")));
        assert!(!matches(&email("alice@corp.test"), &email("alice@other.test")));
    }

    #[test]
    fn what_comes_nearest_is_of_the_kind_that_was_asked_for_and_a_wildcard_says_why_not() {
        let message = |names: &[&str], wanted: &str| {
            TestPki::new().case(server().names(names)).name(wanted).verify().problems[0].message.clone()
        };
        let nearest = message(&["10.0.0.2.test", "10.9.9.9"], "10.0.0.2");
        assert!(nearest.contains("but for ip:10.9.9.9"), "{nearest}");
        let parent = message(&["*.corp.test"], "corp.test");
        assert!(parent.ends_with("does not cover its parent"), "{parent}");
        let deeper = message(&["*.corp.test"], "a.b.corp.test");
        assert!(deeper.ends_with("covers one label only"), "{deeper}");
        let else_where = message(&["*.corp.test"], "web.other.test");
        assert!(else_where.ends_with("but for dns:*.corp.test"), "{else_where}");
    }
}
