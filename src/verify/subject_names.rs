//! Names that RFC 5280 does not count and a part of all programs does: certificates that this program signs have them within
//! the name constraints too. Not a rule of path validation: [`crate::verify::verify_unsigned`] checks it before a signature.

use super::rules::name_constraints::{Constraints, NAME_CONSTRAINT_UNPROCESSABLE, Name};
use crate::text;
use crate::verify::candidate::Candidate;
use crate::verify::verdict::Problem;
use crate::x509::host_like::names_in;
use crate::x509::name_constraints::Subtree;
use crate::x509::uri_host::has_one_host;
use crate::x509::{AttributeType, GeneralName};

/// Returns the first such name that is outside of the constraints of a CA above the leaf. `path` is the chain, the root
/// first.
///
/// - Mailboxes in the subject, also beside a mailbox among the alternative names.
/// - Common names of a leaf that look like a host name, an address, a mailbox or a URI. OpenSSL compares them with
///   constraints on DNS names when there is no DNS name, others always.
/// - Under constraints on URIs, URIs about whose host programs disagree.
pub fn check(path: &[&Candidate]) -> Option<Problem> {
    let (leaf, above) = path.split_last()?;
    let names = names_of_subject(leaf);
    for ca in above {
        let Some(constraints) = Constraints::of(ca) else { continue };
        for (what, name) in &names {
            let name = Name { name: name.clone(), directory: None };
            if let Some(problem) = constraints.check_name(&name, leaf, ca) {
                let message = format!("{what}: {}", problem.message);
                let hint = "choose another value with --subject, for example one without dots; or another issuer with --issuer";
                return Some(Problem { message, ..problem }.hint(hint));
            }
        }
        let Some(on_uris) = constraints.all().find(|it| matches!(it.subtree, Subtree::Uri(_))) else { continue };
        let is_ambiguous = |name: &&GeneralName| matches!(name, GeneralName::Uri(uri) if !has_one_host(uri));
        if let Some(name) = leaf.certificate.names().iter().find(is_ambiguous) {
            let message = format!(
                "{name} cannot be compared with the constraint {} of {} ({}): they disagree about its host",
                on_uris.subtree, ca.certificate.subject, ca.position
            );
            let hint = "write the URI without a user before the host, and without a colon but for the port";
            return Some(Problem::error(&NAME_CONSTRAINT_UNPROCESSABLE, leaf, message).hint(hint));
        }
    }
    None
}

/// Returns the names in the subject, each with the beginning of a sentence about it.
fn names_of_subject(leaf: &Candidate) -> Vec<(String, GeneralName)> {
    let mut names = Vec::new();
    for attribute in leaf.certificate.subject.attributes() {
        match attribute.kind {
            AttributeType::EmailAddress => {
                let name = GeneralName::Email(attribute.value.clone());
                names.push(("they read the e-mail address of the subject".to_owned(), name));
            }
            // A server or client is not a CA.
            AttributeType::CommonName if !leaf.certificate.is_ca() => {
                let what = format!("they read the common name '{}' as a name", text::escape(&attribute.value));
                names.extend(names_in(&attribute.value).into_iter().map(|name| (what.clone(), name)));
            }
            _ => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{TestCa, TestCert};
    use crate::verify::InputPosition;
    use crate::x509::DistinguishedName;

    /// Returns whether a certificate with this subject and these names may be signed below the CAs, the root first.
    fn is_refused(above: Vec<TestCert>, subject: &[(AttributeType, &str)], leaf: TestCert) -> bool {
        let subject: Vec<_> = subject.iter().map(|(kind, text)| (kind.clone(), (*text).to_owned())).collect();
        let subject = DistinguishedName::build(&subject).unwrap();
        let leaf = TestCa::root().issue(leaf.subject(subject.as_der()));
        let candidate = |certificate| Candidate::new(certificate, InputPosition::new("a", 1));
        let mut path: Vec<_> = above.into_iter().map(|cert| candidate(TestCa::root().issue(cert))).collect();
        path.push(candidate(leaf));
        check(&path.iter().collect::<Vec<_>>()).is_some()
    }

    fn permit(subtrees: &[&str]) -> Vec<TestCert> {
        vec![TestCert::ca("Root").permit(subtrees), TestCert::ca("Issuing")]
    }

    fn exclude(subtrees: &[&str]) -> Vec<TestCert> {
        vec![TestCert::ca("Root"), TestCert::ca("Issuing").exclude(subtrees)]
    }

    #[test]
    fn a_common_name_that_looks_like_a_host_is_within_the_constraints_of_every_ca_above() {
        let is_refused = |above: Vec<TestCert>, common_name: &str| {
            is_refused(above, &[(AttributeType::CommonName, common_name)], TestCert::client("x"))
        };
        for (above, common_name) in [
            (permit(&["corp.test"]), "laptop.example"),
            (permit(&["corp.test"]), "LAPTOP.Example."),
            (permit(&["corp.test"]), "*.example.test"),
            (permit(&["corp.test"]), "10.0.0.1"),
            (permit(&["corp.test"]), "localhost"),
            (permit(&["10.0.0.0/8"]), "11.0.0.1"),
            (permit(&["email:corp.test"]), "boss@evil.test"),
            (exclude(&["secret.corp.test"]), "a.secret.corp.test"),
            (exclude(&["secret.corp.test"]), "*.corp.test"),
            (exclude(&["10.0.0.0/8"]), "::ffff:10.0.0.1"),
        ] {
            assert!(is_refused(above, common_name), "{common_name}");
        }
        for (above, common_name) in [
            (permit(&["corp.test"]), "laptop.corp.test"),
            (permit(&["corp.test"]), "alice"),
            (permit(&["corp.test"]), "J. Doe"),
            (permit(&["email:corp.test"]), "laptop.example"),
            (exclude(&["secret.corp.test"]), "web.corp.test"),
        ] {
            assert!(!is_refused(above, common_name), "{common_name}");
        }
    }

    /// Also beside a DNS name, and in one of several common names.
    #[test]
    fn names_beside_it_do_not_excuse_a_common_name() {
        let (good, evil) = ((AttributeType::CommonName, "web.corp.test"), (AttributeType::CommonName, "web.evil.test"));
        let server = || TestCert::server("web.corp.test");
        assert!(!is_refused(permit(&["corp.test"]), std::slice::from_ref(&good), server()));
        assert!(is_refused(permit(&["corp.test"]), std::slice::from_ref(&evil), server()));
        assert!(is_refused(permit(&["corp.test"]), &[good, evil], server()));
    }

    #[test]
    fn a_common_name_of_a_ca_is_not_a_host() {
        let name = [(AttributeType::CommonName, "pki.evil.test")];
        assert!(!is_refused(permit(&["corp.test"]), &name, TestCert::ca("x")));
    }

    #[test]
    fn a_mailbox_in_the_subject_counts_beside_one_among_the_alternative_names() {
        let mailbox = |address| [(AttributeType::CommonName, "carol"), (AttributeType::EmailAddress, address)];
        let leaf = || TestCert::client("carol").names(&["carol@corp.test"]);
        assert!(is_refused(permit(&["email:corp.test"]), &mailbox("boss@evil.test"), leaf()));
        assert!(is_refused(exclude(&["email:evil.test"]), &mailbox("boss@evil.test"), leaf()));
        assert!(!is_refused(permit(&["email:corp.test"]), &mailbox("carol@corp.test"), leaf()));
        assert!(is_refused(permit(&["email:corp.test"]), &mailbox("boss@evil.test"), TestCert::ca("x")));
    }

    #[test]
    fn under_constraints_on_uris_programs_agree_about_the_host_of_a_uri() {
        let is_refused = |above: Vec<TestCert>, uri: &str| {
            let leaf = TestCert::client("x").general_names(&[GeneralName::Uri(uri.to_owned())]);
            is_refused(above, &[(AttributeType::CommonName, "x")], leaf)
        };
        for uri in ["https://evil.test:80@good.test/", "https://user@good.test/", "https://good.test?.evil.test"] {
            assert!(is_refused(exclude(&["uri:evil.test"]), uri), "{uri}");
            assert!(is_refused(permit(&["uri:good.test"]), uri), "{uri}");
            assert!(!is_refused(permit(&["corp.test"]), uri), "{uri}");
        }
        assert!(!is_refused(permit(&["uri:good.test"]), "https://good.test:8443/x"));
    }
}
