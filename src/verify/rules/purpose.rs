//! RFC 5280 §4.2.1.12: extended key usage. The purposes of a CA limit those of all certificates below it, as TLS
//! libraries implement it.

use crate::verify::candidate::Candidate;
use crate::verify::code::{Code, Rank};
use crate::verify::input::{Purpose, VerifyOptions};
use crate::verify::verdict::{Problem, Role};
use crate::x509::ExtendedKeyUsage;
use crate::x509::certificate::oid;

pub const WRONG_PURPOSE: Code = Code {
    code: "wrong-purpose",
    rank: Rank::WrongPurpose,
    citation: "RFC 5280 §4.2.1.12",
    requirement: "The extended key usage of the leaf, and of every CA that has one, names the purpose",
    example: "this is a client certificate: its extended key usage is client-auth, a server needs server-auth",
    fix: "issue a certificate for this purpose (ca issue server NAME, ca issue client NAME)",
};

/// Adds the problem of one certificate's purposes.
pub fn check(candidate: &Candidate, role: Role, options: &VerifyOptions, problems: &mut Vec<Problem>) {
    let Some(wanted) = options.purpose.extended_key_usage() else { return };
    // RFC 6960 §4.2.2.2 is about the signer alone, and a CA signs responses itself.
    if options.purpose == Purpose::Ocsp && (role != Role::Leaf || candidate.certificate.is_ca()) {
        return;
    }
    if role == Role::Leaf {
        problems.extend(signer_of_others(candidate, options.purpose));
    }
    // An anchor without one is trusted for every purpose; OpenSSL and Go hold to the one that is there.
    let Some(found) = &candidate.certificate.extended_key_usage else { return };
    // TLS, time stamps and OCSP want their own purpose by name.
    let any_is_enough = role != Role::Leaf || matches!(options.purpose, Purpose::Email | Purpose::CodeSigning);
    if found.contains(&wanted) || any_is_enough && found.contains(&ExtendedKeyUsage::Any) {
        return;
    }
    let found_names: Vec<_> = found.iter().map(ToString::to_string).collect();
    let found_names = if found_names.is_empty() { "nothing".to_owned() } else { found_names.join(", ") };
    let other_side = |other: &ExtendedKeyUsage| role == Role::Leaf && found.contains(other);
    let message = match options.purpose {
        Purpose::Server if other_side(&ExtendedKeyUsage::ClientAuth) => {
            format!("this is a client certificate: its extended key usage is {found_names}, a server needs server-auth")
        }
        Purpose::Client if other_side(&ExtendedKeyUsage::ServerAuth) => {
            format!("this is a server certificate: its extended key usage is {found_names}, a client needs client-auth")
        }
        _ => format!("the extended key usage of the {role} is {found_names}, expected {wanted} among it"),
    };
    problems.push(Problem::error(&WRONG_PURPOSE, candidate, message).hint(fix(
        candidate,
        role,
        options.purpose,
        &wanted,
    )));
}

/// Returns the problem of a certificate that answers for others and does not have its purpose in the form that its document
/// requires: OCSP (RFC 6960 §4.2.2.2) by name, time stamps (RFC 3161 §2.3) as the only one and critical.
fn signer_of_others(leaf: &Candidate, purpose: Purpose) -> Option<Problem> {
    let found = leaf.certificate.extended_key_usage.as_deref();
    let (message, citation) = match (purpose, found) {
        (Purpose::Ocsp, None) => {
            ("the leaf has no extended key usage, expected ocsp-signing".to_owned(), "RFC 6960 §4.2.2.2")
        }
        (Purpose::TimeStamping, None) => {
            ("the leaf has no extended key usage, expected time-stamping alone, critical".to_owned(), "RFC 3161 §2.3")
        }
        (Purpose::TimeStamping, Some([ExtendedKeyUsage::TimeStamping])) => {
            let is_critical = leaf.certificate.extension(oid::EXTENDED_KEY_USAGE).is_some_and(|it| it.critical);
            if is_critical {
                return None;
            }
            ("the extended key usage time-stamping is not critical, expected critical".to_owned(), "RFC 3161 §2.3")
        }
        (Purpose::TimeStamping, Some(found)) if found.contains(&ExtendedKeyUsage::TimeStamping) => {
            let found: Vec<_> = found.iter().map(ToString::to_string).collect();
            let message =
                format!("the extended key usage of the leaf is {}, expected time-stamping alone", found.join(", "));
            (message, "RFC 3161 §2.3")
        }
        _ => return None,
    };
    Some(Problem::error(&WRONG_PURPOSE, leaf, message).citation(citation))
}

/// Returns what to do about a certificate of this role: only a leaf is replaced by `ca issue`.
fn fix(candidate: &Candidate, role: Role, purpose: Purpose, wanted: &ExtendedKeyUsage) -> String {
    let certificate = &candidate.certificate;
    let (subject, issuer) = (&certificate.subject, &certificate.issuer);
    match role {
        Role::Leaf if certificate.is_ca() => format!(
            "this is a CA certificate: verify a certificate that it issued; or have {issuer} issue it again without extended \
             key usage"
        ),
        Role::Leaf if matches!(purpose, Purpose::Server | Purpose::Client) => {
            format!("issue a certificate for this purpose: ca issue {} NAME", purpose.name())
        }
        Role::Leaf => format!(
            "issue a certificate for this purpose, from a template whose [usage] has extended = [\"{wanted}\"]: \
             docs/reference/templates.md"
        ),
        Role::Intermediate => format!(
            "have {issuer} issue the CA certificate {subject} again for the same key, without extended key usage or with \
             {wanted} in it too: what this CA issued stays as it is"
        ),
        Role::Root => format!(
            "make the CA certificate {subject} again for the same key, without extended key usage, and give it to those who \
             trust this one: what this CA issued stays as it is"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{TestCa, TestCert};
    use crate::verify::tests::{Case, TestPki, below, server};
    use crate::x509::certificate::oid;

    #[test]
    fn a_leaf_or_a_ca_for_another_purpose_is_found() {
        let pki = TestPki::new();
        let client = TestCert::client("web.corp.test").names(&["web.corp.test"]);
        assert_eq!(pki.case(client).server("web.corp.test").errors(), [WRONG_PURPOSE.code]);
        assert_eq!(pki.case(server()).client().errors(), [WRONG_PURPOSE.code]);
        let limited = TestPki::with(TestCert::ca("A").purposes(&[ExtendedKeyUsage::ClientAuth]));
        assert_eq!(limited.case(server()).server("web.corp.test").errors(), [WRONG_PURPOSE.code]);
        // anyExtendedKeyUsage is not enough in a leaf.
        let any = server().purposes(&[ExtendedKeyUsage::Any]);
        assert!(pki.case(any).client().errors().contains(&WRONG_PURPOSE.code));
    }

    #[test]
    fn an_anchor_for_another_purpose_is_found_whether_it_is_self_signed_or_not() {
        let own = TestCert::ca("Root").purposes(&[ExtendedKeyUsage::ClientAuth]);
        assert!(below(own).server("web.corp.test").errors().contains(&WRONG_PURPOSE.code));
        let errors = |purpose: ExtendedKeyUsage| {
            let anchor = TestCa::root().subordinate(TestCert::ca("A").purposes(&[purpose]));
            Case::new(anchor.issue(server()), &[], &[&anchor.certificate]).server("web.corp.test").errors()
        };
        assert_eq!(errors(ExtendedKeyUsage::ClientAuth), [WRONG_PURPOSE.code]);
        assert_eq!(errors(ExtendedKeyUsage::ServerAuth), [""; 0]);
        assert_eq!(errors(ExtendedKeyUsage::Any), [""; 0]);
    }

    #[test]
    fn a_certificate_of_the_other_side_is_called_so() {
        let pki = TestPki::new();
        let message = |case: Case| {
            let problems = case.verify().problems;
            problems.into_iter().find(|it| it.code == WRONG_PURPOSE.code).unwrap().message
        };
        let mail = || server().purposes(&[ExtendedKeyUsage::EmailProtection]);
        let client = || server().purposes(&[ExtendedKeyUsage::ClientAuth]);
        assert!(message(pki.case(client()).server("web.corp.test")).starts_with("this is a client certificate"));
        assert!(message(pki.case(server()).client()).starts_with("this is a server certificate"));
        for case in [pki.case(mail()).server("web.corp.test"), pki.case(mail()).client()] {
            assert!(message(case).starts_with("the extended key usage of the leaf is email"));
        }
        assert!(message(pki.case(server().purposes(&[])).client()).contains("is nothing, expected"));
        let limited = TestPki::with(TestCert::ca("A").purposes(&[ExtendedKeyUsage::ClientAuth]));
        let of_ca = message(limited.case(server()).server("web.corp.test"));
        assert!(of_ca.starts_with("the extended key usage of the intermediate is client-auth"), "{of_ca}");
    }

    /// Another leaf does not help where a CA is limited.
    #[test]
    fn the_fix_is_for_the_certificate_that_has_the_fault() {
        let hint = |case: Case| {
            let problems = case.client().verify().problems;
            problems.into_iter().find(|it| it.code == WRONG_PURPOSE.code).unwrap().hint
        };
        assert_eq!(hint(TestPki::new().case(server())), "issue a certificate for this purpose: ca issue client NAME");
        let server_only = |name: &str| TestCert::ca(name).purposes(&[ExtendedKeyUsage::ServerAuth]);
        let client = || TestCert::client("alice");
        let of_ca = hint(TestPki::with(server_only("A")).case(client()));
        assert!(of_ca.contains("have CN=Test Root issue the CA certificate CN=A again") && !of_ca.contains("ca issue"));
        assert!(of_ca.contains("or with client-auth in it too"), "{of_ca}");
        let root = TestCa::self_signed(server_only("Root"));
        let of_root = hint(Case::new(root.issue(client()), &[], &[&root.certificate]));
        assert!(
            of_root.starts_with("make the CA certificate CN=Root again") && !of_root.contains("ca issue"),
            "{of_root}"
        );
        let pki = TestPki::new();
        let of_sub_ca = hint(pki.case(server_only("Sub")));
        assert!(of_sub_ca.starts_with("this is a CA certificate"), "{of_sub_ca}");
    }

    #[test]
    fn mail_code_time_stamps_and_ocsp_each_want_their_own_purpose() {
        use ExtendedKeyUsage::{Any, CodeSigning, EmailProtection, OcspSigning, ServerAuth, TimeStamping};
        let leaf = |purposes: &[ExtendedKeyUsage]| TestCert::client("alice").purposes(purposes);
        let critical = |purposes| leaf(purposes).critical(oid::EXTENDED_KEY_USAGE, true);
        let without = || TestCert::client("alice").without(oid::EXTENDED_KEY_USAGE);
        let errors = |cert: TestCert, purpose| TestPki::new().case(cert).purpose(purpose).errors();
        for (cert, purpose, is_fit) in [
            (TestCert::client("alice"), Purpose::Email, false),
            (leaf(&[EmailProtection]), Purpose::Email, true),
            (leaf(&[Any]), Purpose::Email, true),
            (without(), Purpose::Email, true),
            (leaf(&[EmailProtection]), Purpose::CodeSigning, false),
            (leaf(&[CodeSigning]), Purpose::CodeSigning, true),
            (leaf(&[OcspSigning]), Purpose::Ocsp, true),
            (leaf(&[Any]), Purpose::Ocsp, false),
            (without(), Purpose::Ocsp, false),
            (TestCert::ca("Sub"), Purpose::Ocsp, true),
            (critical(&[TimeStamping]), Purpose::TimeStamping, true),
            (leaf(&[TimeStamping]), Purpose::TimeStamping, false),
            (critical(&[TimeStamping, ServerAuth]), Purpose::TimeStamping, false),
            (without(), Purpose::TimeStamping, false),
        ] {
            let expected = if is_fit { vec![] } else { vec![WRONG_PURPOSE.code] };
            assert_eq!(errors(cert, purpose), expected, "{}", purpose.name());
        }
        let limited = || TestPki::with(TestCert::ca("A").purposes(&[ServerAuth]));
        let below =
            |purposes: &[ExtendedKeyUsage], purpose| limited().case(critical_or(purposes)).purpose(purpose).errors();
        assert_eq!(below(&[EmailProtection], Purpose::Email), [WRONG_PURPOSE.code]);
        assert_eq!(below(&[OcspSigning], Purpose::Ocsp), [""; 0]);
        fn critical_or(purposes: &[ExtendedKeyUsage]) -> TestCert {
            TestCert::client("alice").purposes(purposes)
        }
    }

    #[test]
    fn the_purpose_itself_any_in_a_ca_and_none_are_right() {
        for ca in [TestCert::ca("A"), TestCert::ca("A").purposes(&[ExtendedKeyUsage::ServerAuth])] {
            assert_eq!(TestPki::with(ca).case(server()).server("web.corp.test").errors(), [""; 0]);
        }
        // This rule is content with any purpose in a CA; rustls is not.
        let any = TestPki::with(TestCert::ca("A").purposes(&[ExtendedKeyUsage::Any]));
        assert_eq!(any.case(server()).server("web.corp.test").errors(), ["rustls-refuses"]);
        let silent = server().without(oid::EXTENDED_KEY_USAGE);
        assert_eq!(TestPki::new().case(silent).server("web.corp.test").errors(), [""; 0]);
        assert_eq!(TestPki::new().case(TestCert::client("alice")).errors(), [""; 0]);
    }
}
