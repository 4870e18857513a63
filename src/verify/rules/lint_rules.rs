//! RFC 5280 §4: the rules of [`crate::lint`] that make a chain invalid, for each purpose.

use crate::clients::table;
use crate::lint::{Finding, LintTarget, Rule, Severity, rules as lint};
use crate::verify::cert_path::CertPath;
use crate::verify::code::Rank;
use crate::verify::input::{Purpose, VerifyOptions};
use crate::verify::verdict::{Problem, Role};
use crate::x509::{Certificate, KeyKind};

/// Rules for every purpose: implementations read a certificate that breaks them differently.
static ALWAYS: [&Rule; 8] = [
    &lint::extension_malformed::RULE,
    &lint::signature_algorithms::RULE,
    &lint::issuer_empty::RULE,
    &lint::ca_subject_empty::RULE,
    &lint::key_cert_sign_without_ca::RULE,
    &lint::subject_alt_name_critical::RULE,
    &lint::name_constraints_empty::RULE,
    &lint::validity_encoding::RULE,
];

/// The certificate profile of RFC 5280, for TLS; path validation (§6) does not require it. The last rule is what a
/// handshake requires.
static TLS: [&Rule; 17] = [
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
    &lint::policy_constraints_critical::RULE,
    &lint::rsa_exponent::RULE,
    &lint::key_kind::RULE,
];

/// The Baseline Requirements, for servers.
static SERVER: [&Rule; 5] = [
    &lint::rsa_size::RULE,
    &lint::authority_key_id_form::RULE,
    &lint::extended_key_usage_critical::RULE,
    &lint::extended_key_usage_any::RULE,
    &lint::subject_alt_name_plain::RULE,
];

/// Rules that are a warning where [`SERVER`] does not apply.
static WEAK: [&Rule; 1] = [&lint::rsa_size::RULE];

/// Rules of form that are a warning for every purpose, unless half of the TLS clients hold to them.
static FORM: [&Rule; 10] = [
    &lint::certificate_policies::RULE,
    &lint::printable_string::RULE,
    &lint::string_encoding::RULE,
    &lint::algorithm_parameters::RULE,
    &lint::unique_ids::RULE,
    &lint::extensions_not_critical::RULE,
    &lint::extensions_rather_not_critical::RULE,
    &lint::uris::RULE,
    &lint::issuer_name::RULE,
    &lint::leaf_named_as_issuer::RULE,
];

/// Returns whether a code is of one of these rules.
pub fn is_lint_rule(code: &str) -> bool {
    ALWAYS.iter().chain(&TLS).chain(&SERVER).chain(&WEAK).chain(&FORM).any(|rule| rule.code == code)
}

/// Adds every lint rule that one certificate breaks: an error where it makes the chain invalid, else a warning.
pub fn check(path: &CertPath<'_>, index: usize, problems: &mut Vec<Problem>) {
    let Some(candidate) = path.certificates.get(index) else { return };
    let issuer = index.checked_sub(1).and_then(|above| path.certificates.get(above)).map(|above| &above.certificate);
    let target = LintTarget { certificate: &candidate.certificate, issuer };
    let purpose = path.options.purpose;
    let role = path.role(index);
    // For servers the table of clients decides.
    let unsound = if purpose == Purpose::Server { Vec::new() } else { unsound(&target, role) };
    let alone = issuer.is_none().then(|| candidate.findings_alone(find_alone));
    let find = |rule: &&Rule| match alone {
        Some(found) => found.iter().find(|finding| finding.rule == rule.code).cloned(),
        None => rule.apply(&target),
    };
    let mut apply = |rules: &[&Rule], severity: Severity| {
        for finding in rules.iter().filter_map(find) {
            if !is_pointless(finding.rule, path, index) {
                let tolerated = is_tolerated(finding.rule, &target, role, path.options);
                let severity = match (unsound.contains(&finding.rule), tolerated) {
                    (true, _) => Severity::Error,
                    (false, true) => Severity::Warning,
                    (false, false) => severity,
                };
                let is_of_own_root = is_fault_of_own_root(finding.rule, role, path.options);
                let rank = rank(finding.rule);
                let problem = Problem::of_finding(finding, severity, rank, candidate);
                problems.push(if is_of_own_root { problem.hint(fix_of_own_root(path)) } else { problem });
            }
        }
    };
    apply(&ALWAYS, Severity::Error);
    apply(&FORM, Severity::Warning);
    match purpose {
        Purpose::Any | Purpose::Email | Purpose::CodeSigning | Purpose::TimeStamping | Purpose::Ocsp => {
            apply(&TLS, Severity::Warning);
            apply(&WEAK, Severity::Warning);
        }
        Purpose::Client => {
            apply(&TLS, Severity::Error);
            apply(&WEAK, Severity::Warning);
        }
        Purpose::Server => {
            apply(&TLS, Severity::Error);
            apply(&SERVER, Severity::Error);
        }
    }
}

/// Returns the findings of every rule here about a certificate whose issuer is not in the path.
fn find_alone(certificate: &Certificate) -> Vec<Finding> {
    let target = LintTarget::alone(certificate);
    let rules = ALWAYS.iter().chain(&TLS).chain(&SERVER).chain(&WEAK).chain(&FORM);
    rules.filter_map(|rule| rule.apply(&target)).collect()
}

/// Returns the codes of the rules for TLS that a certificate breaks in a way that no purpose can bear: a version that does not
/// exist; extensions in a version that has none, since one implementation reads them and another does not; RSA keys that can be
/// factored; curves that have no name (RFC 5480 §2.1.1). Of an anchor, the name and the key count (RFC 5280 §6.1.1 (d)).
fn unsound(target: &LintTarget<'_>, role: Role) -> Vec<&'static str> {
    let certificate = target.certificate;
    let is_of_unsound_version = match certificate.version {
        3 => false,
        1 | 2 => !certificate.extensions.is_empty(),
        _ => true,
    };
    let key = certificate.public_key.kind();
    let rules = [
        (is_of_unsound_version && role != Role::Root, &lint::version::RULE),
        (matches!(key, KeyKind::Rsa { bits, .. } if *bits < FACTORED_BITS), &lint::rsa_size::RULE),
        (key.is_without_named_curve(), &lint::key_kind::RULE),
    ];
    rules.into_iter().filter_map(|(is_broken, rule)| is_broken.then_some(rule.code)).collect()
}

/// RSA moduli of fewer bits can be factored: 829 bits were in 2020.
const FACTORED_BITS: u32 = 1024;

/// Other problems often follow from an extension that cannot be read; no other rule has a rank.
fn rank(rule: &str) -> Rank {
    if rule == lint::extension_malformed::RULE.code { Rank::ExtensionMalformed } else { Rank::Unranked }
}

/// RFC 5280 §4.2.1.1: a root that is signed with its own key needs no authority key identifier, whatever its issuer
/// name is. The names of a leaf are compared in leaves below a CA alone.
fn is_pointless(rule: &str, path: &CertPath<'_>, index: usize) -> bool {
    let signs_itself = || {
        path.certificates.get(index).map(|candidate| &candidate.certificate).is_some_and(|root| {
            root.authority_key_id.is_none() && path.signatures.certificate(root, &root.public_key).is_ok()
        })
    };
    // A self-signed certificate that is trusted itself has one name, as a root has.
    let is_trusted_leaf = || match path.certificates {
        [anchor, leaf] => anchor.certificate.as_der() == leaf.certificate.as_der(),
        _ => false,
    };
    match path.role(index) {
        Role::Root => rule == lint::authority_key_id::RULE.code && signs_itself() || is_leaf_rule(rule),
        Role::Intermediate => is_leaf_rule(rule),
        Role::Leaf => is_leaf_rule(rule) && is_trusted_leaf(),
    }
}

fn is_leaf_rule(rule: &str) -> bool {
    rule == lint::leaf_named_as_issuer::RULE.code
}

fn is_tolerated(rule: &str, target: &LintTarget<'_>, role: Role, options: &VerifyOptions) -> bool {
    match rule {
        // The serial number of a root is never looked up; several old roots have zero.
        "serial-not-positive" => role == Role::Root && target.certificate.serial.is_zero(),
        // RFC 5280 §4.1.2.5: "applications MUST be able to process validity dates that are encoded in either" form.
        "validity-encoding" => !lint::validity_encoding::is_not_der(target.certificate),
        // BR §7.1.2.5.2: "MAY be marked non-critical", an explicit exception from RFC 5280.
        "name-constraints-not-critical" => options.purpose == Purpose::Server,
        rule if is_fault_of_own_root(rule, role, options) => true,
        // In an intermediate the extended key usage is a limit; only a leaf must not have any purpose.
        "extended-key-usage-any" | "extended-key-usage-critical" => role != Role::Leaf,
        // BR §7.1.2.7.12 applies to server certificates.
        "subject-alt-name-needlessly-critical" => role != Role::Leaf,
        _ => false,
    }
}

/// Roots made by easy-rsa, and by openssl with its old default configuration, break these two rules, which do not
/// matter for a trusted root: docs/decisions/0011-form-of-own-roots.md.
fn is_fault_of_own_root(rule: &str, role: Role, options: &VerifyOptions) -> bool {
    matches!(rule, "ca-basic-constraints-not-critical" | "authority-key-id-names-serial")
        && role == Role::Root
        && options.own_roots
}

/// Returns what to do about the form of a root of this CA. Another certificate of it has another serial number, and clients
/// refuse what names the serial number of this one.
fn fix_of_own_root(path: &CertPath<'_>) -> String {
    let names_serial = |index: usize| {
        let certificate = path.certificates.get(index).map(|candidate| &candidate.certificate);
        let id = certificate.and_then(|certificate| certificate.authority_key_id.as_ref());
        id.is_some_and(|id| id.names_issuer_and_serial)
    };
    if !names_serial(0) && !names_serial(1) {
        return "ca root renew makes the certificate of the root again, with the same key".to_owned();
    }
    let clients = table().refused_by("leaf:aki:serial-wrong").join(", ");
    format!(
        "leave this root as it is until what another tool issued below it was issued again with this program: that names the \
         serial number of this root certificate, and under another one {clients} would refuse it; then ca root renew"
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::lint::testing::{TestCa, TestCert, empty_name, object_identifier, rsa_spki};
    use crate::verify::tests::{Case, TestPki, below, server};
    use crate::x509::certificate::oid;
    use crate::x509::name_constraints::Subtree;
    use crate::x509::{ExtendedKeyUsage, KeyUsage, NameConstraints, der};

    /// A certificate that breaks a rule, as a leaf or as the CA above it.
    enum Broken {
        Leaf(&'static Rule, fn() -> TestCert),
        Ca(&'static Rule, fn() -> TestCert),
    }

    impl Broken {
        fn rule(&self) -> &'static Rule {
            match self {
                Self::Leaf(rule, _) | Self::Ca(rule, _) => rule,
            }
        }

        fn case(&self) -> Case {
            match self {
                Self::Leaf(_, cert) => TestPki::new().case(cert()),
                Self::Ca(_, cert) => TestPki::with(cert()).case(server()),
            }
        }

        /// The purposes (any, client, server) for which the chain is invalid because of the rule.
        fn refused(&self) -> [bool; 3] {
            let code = self.rule().code;
            let verdicts =
                [self.case().verify(), self.case().client().verify(), self.case().server("web.corp.test").verify()];
            // The rule is at least a warning, for every purpose that it applies to.
            assert!(verdicts[2].problems.iter().any(|it| it.code == code), "{code}: not reported");
            let is_error = |problem: &Problem| problem.code == code && problem.severity == Severity::Error;
            verdicts.map(|verdict| verdict.problems.iter().any(is_error))
        }
    }

    use Broken::{Ca, Leaf};

    /// One certificate for each rule of [`ALWAYS`].
    fn ambiguous() -> Vec<Broken> {
        const OTHER: [u8; 12] = [0x30, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3];
        vec![
            Leaf(&lint::validity_encoding::RULE, || {
                server().validity_der(der::sequence(&[b"\x17\x0d250101000000Z", b"\x18\x1120300101000000.5Z"]))
            }),
            Leaf(&lint::extension_malformed::RULE, || server().again(oid::KEY_USAGE, true, vec![3, 2, 7, 0x80])),
            Leaf(&lint::signature_algorithms::RULE, || server().inner_algorithm(&OTHER)),
            // Without an issuer's name no issuer is found, but a CA without a name.
            Ca(&lint::issuer_empty::RULE, || TestCert::ca("A").subject(&empty_name())),
            Ca(&lint::ca_subject_empty::RULE, || TestCert::ca("A").subject(&empty_name())),
            Leaf(&lint::key_cert_sign_without_ca::RULE, || {
                server().key_usage(KeyUsage::KEY_CERT_SIGN.union(KeyUsage::DIGITAL_SIGNATURE))
            }),
            Leaf(&lint::subject_alt_name_critical::RULE, || server().subject(&empty_name())),
            Ca(&lint::name_constraints_empty::RULE, || {
                TestCert::ca("A").extension(oid::NAME_CONSTRAINTS, true, der::sequence(&[]))
            }),
        ]
    }

    /// One certificate for each rule of [`TLS`].
    fn outside_of_rfc_5280() -> Vec<Broken> {
        vec![
            Leaf(&lint::version::RULE, || server().version(2)),
            Leaf(&lint::serial_positive::RULE, || server().serial(&[0])),
            Leaf(&lint::serial_length::RULE, || server().serial(&[1; 21])),
            Leaf(&lint::path_length_without_ca::RULE, || server().basic_constraints(false, Some(0))),
            Leaf(&lint::authority_key_id::RULE, || server().without(oid::AUTHORITY_KEY_ID)),
            Leaf(&lint::key_ids_critical::RULE, || server().critical(oid::SUBJECT_KEY_ID, true)),
            Leaf(&lint::subject_alt_name_empty::RULE, || server().general_names(&[])),
            Leaf(&lint::key_usage_empty::RULE, || server().key_usage(KeyUsage::default())),
            Leaf(&lint::extended_key_usage_empty::RULE, || server().purposes(&[])),
            Leaf(&lint::name_constraints_in_leaf::RULE, || server().permit(&["corp.test"])),
            Leaf(&lint::rsa_exponent::RULE, || server().spki(rsa_spki(&[0xff; 256], &[2]))),
            Leaf(&lint::key_kind::RULE, || {
                let ed448 = der::sequence(&[&object_identifier("1.3.101.113")]);
                server().spki(der::sequence(&[&ed448, &der::bit_string(&[4; 57])]))
            }),
            Ca(&lint::ca_basic_constraints_critical::RULE, || {
                TestCert::ca("A").critical(oid::BASIC_CONSTRAINTS, false)
            }),
            Ca(&lint::ca_subject_key_id::RULE, || TestCert::ca("A").without(oid::SUBJECT_KEY_ID)),
            Ca(&lint::name_constraints_leading_dot::RULE, leading_dot),
            Ca(&lint::policy_constraints_critical::RULE, || {
                TestCert::ca("A").extension(oid::POLICY_CONSTRAINTS, false, der::sequence(&[&[0x80, 1, 5]]))
            }),
            // The Baseline Requirements allow it, RFC 5280 does not.
            Ca(&lint::name_constraints_critical::RULE, || {
                TestCert::ca("A").permit(&["corp.test"]).critical(oid::NAME_CONSTRAINTS, false)
            }),
        ]
    }

    /// One certificate for each rule of [`SERVER`].
    fn outside_of_the_baseline_requirements() -> Vec<Broken> {
        vec![
            Leaf(&lint::subject_alt_name_plain::RULE, || server().critical(oid::SUBJECT_ALT_NAME, true)),
            Leaf(&lint::rsa_size::RULE, || server().spki(rsa_spki(&[0xff; 128], &[1, 0, 1]))),
            Leaf(&lint::authority_key_id_form::RULE, || {
                let value = der::sequence(&[&der::value(0x80, &[7; 20]), &der::value(0x82, &[1])]);
                server().extension(oid::AUTHORITY_KEY_ID, false, value)
            }),
            Leaf(&lint::extended_key_usage_critical::RULE, || server().critical(oid::EXTENDED_KEY_USAGE, true)),
            Leaf(&lint::extended_key_usage_any::RULE, || {
                server().purposes(&[ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::Any])
            }),
        ]
    }

    fn leading_dot() -> TestCert {
        let constraints =
            NameConstraints { permitted: vec![Subtree::Dns(".corp.test".to_owned())], excluded: Vec::new() };
        TestCert::ca("A").name_constraints(&constraints)
    }

    #[test]
    fn what_makes_a_certificate_ambiguous_is_refused_for_every_purpose() {
        for broken in ambiguous() {
            assert_eq!(broken.refused(), [true; 3], "{}", broken.rule().code);
        }
        let without_name = TestPki::with(TestCert::ca("A").subject(&empty_name()));
        let errors = without_name.case(server().issuer(&empty_name())).errors();
        assert_eq!(errors, [lint::ca_subject_empty::RULE.code, lint::issuer_empty::RULE.code]);
    }

    #[test]
    fn what_rfc_5280_asks_for_is_refused_for_tls_and_told_otherwise() {
        for broken in outside_of_rfc_5280() {
            let for_servers = broken.rule().code != lint::name_constraints_critical::RULE.code;
            // Extensions in version 1 are read by one implementation and not by another, whatever the purpose is.
            let for_any = broken.rule().code == lint::version::RULE.code;
            assert_eq!(broken.refused(), [for_any, true, for_servers], "{}", broken.rule().code);
        }
    }

    #[test]
    fn what_the_baseline_requirements_ask_for_is_refused_for_servers_alone() {
        for broken in outside_of_the_baseline_requirements() {
            assert_eq!(broken.refused(), [false, false, true], "{}", broken.rule().code);
        }
    }

    #[test]
    fn policies_that_are_none_or_repeated_are_a_warning_for_every_purpose() {
        let case = || {
            let empty = server().extension(oid::CERTIFICATE_POLICIES, false, der::sequence(&[]));
            TestPki::new().case(empty)
        };
        for case in [case(), case().server("web.corp.test")] {
            let verdict = case.verify();
            assert!(verdict.valid, "{:?}", verdict.problems);
            assert!(verdict.problems.iter().any(|it| it.code == lint::certificate_policies::RULE.code));
        }
    }

    #[test]
    fn a_key_or_version_that_no_purpose_can_bear_is_refused_for_each_of_them() {
        use crate::lint::testing::object_identifier;
        let bits = |bits: usize| rsa_spki(&vec![0xff; bits / 8], &[1, 0, 1]);
        let without_curve = || {
            let algorithm = der::sequence(&[&object_identifier("1.2.840.10045.2.1"), &der::sequence(&[])]);
            der::sequence(&[&algorithm, &der::bit_string(&[4; 65])])
        };
        let client = || TestCert::client("alice");
        for (cert, rule) in [
            (client().spki(bits(512)), &lint::rsa_size::RULE),
            (client().spki(bits(768)), &lint::rsa_size::RULE),
            (client().spki(without_curve()), &lint::key_kind::RULE),
            (client().version(1), &lint::version::RULE),
            (client().version(2), &lint::version::RULE),
            (client().version(6), &lint::version::RULE),
        ] {
            let root = TestCa::root();
            let leaf = root.issue(cert);
            let case = |purpose| Case::new(leaf.clone(), &[], &[&root.certificate]).purpose(purpose).errors();
            assert_eq!(case(Purpose::Any), [rule.code]);
            assert!(case(Purpose::Client).contains(&rule.code));
        }
        // Of a root, only its key counts; that only version 3 makes a CA is another rule.
        let root = TestCa::self_signed(TestCert::ca("Root").version(6));
        let below_root = Case::new(root.issue(client()), &[], &[&root.certificate]).by_clients();
        assert_eq!(below_root.errors(), ["not-a-ca"]);
        let server_of_6 = TestPki::new().case(server().serial(&[1]).version(6)).server("web.corp.test").by_clients();
        assert!(server_of_6.errors().contains(&lint::version::RULE.code));
    }

    #[test]
    fn names_that_some_clients_do_not_recognise_are_a_warning_for_every_purpose() {
        let found = |case: Case| -> Vec<_> {
            let verdict = case.verify();
            assert!(verdict.valid, "{:?}", verdict.problems);
            verdict.problems.into_iter().map(|it| (it.severity, it.code, it.hint)).collect()
        };
        let pki = TestPki::new();
        let other_case = || server().serial(&[1]).issuer(&crate::lint::testing::name("ISSUING CA"));
        for case in [pki.case(other_case()), pki.case(other_case()).server("web.corp.test").by_clients()] {
            let found = found(case);
            let about = found.iter().find(|(_, code, _)| *code == lint::issuer_name::RULE.code);
            assert!(matches!(about, Some((Severity::Warning, ..))), "{found:?}");
            assert!(found.iter().all(|(_, code, _)| *code != "client-refuses"), "{found:?}");
        }
        let by_clients = found(pki.case(other_case()).server("web.corp.test").by_clients());
        assert!(by_clients[0].2.ends_with("refused by go, rustls, gnutls, firefox"), "{by_clients:?}");
        let named_as_ca = found(pki.case(TestCert::client("Issuing CA")));
        assert!(
            matches!(&named_as_ca[..], [(Severity::Warning, code, _)] if *code == lint::leaf_named_as_issuer::RULE.code),
            "{named_as_ca:?}"
        );
        // A self-signed leaf that is trusted itself.
        let own = TestCa::self_signed(TestCert::client("alice")).certificate;
        let trusted = Case::new(own.clone(), &[], &[&own]).by_clients().verify().problems;
        assert!(trusted.iter().all(|it| it.code != lint::leaf_named_as_issuer::RULE.code), "{trusted:?}");
    }

    #[test]
    fn every_rule_that_decides_is_in_one_of_these_tests() {
        for (table, tested) in [
            (&ALWAYS[..], ambiguous()),
            (&TLS, outside_of_rfc_5280()),
            (&SERVER, outside_of_the_baseline_requirements()),
        ] {
            let expected: BTreeSet<_> = table.iter().map(|rule| rule.code).collect();
            let tested: BTreeSet<_> = tested.iter().map(|broken| broken.rule().code).collect();
            assert_eq!(tested, expected);
        }
    }

    #[test]
    fn a_short_rsa_key_is_told_for_every_purpose() {
        let pki = TestPki::new();
        let client = || pki.case(TestCert::client("alice").spki(rsa_spki(&[0xff; 128], &[1, 0, 1])));
        for verdict in [client().verify(), client().client().verify()] {
            assert!(verdict.valid);
            assert_eq!(verdict.problems.iter().map(|it| it.code).collect::<Vec<_>>(), [lint::rsa_size::RULE.code]);
        }
    }

    #[test]
    fn what_is_tolerated_is_told() {
        let zero = below(TestCert::ca("Root").serial(&[0])).server("web.corp.test").verify();
        assert!(zero.valid);
        assert_eq!(zero.problems.iter().map(|it| it.code).collect::<Vec<_>>(), [lint::serial_positive::RULE.code]);
        assert_eq!(
            below(TestCert::ca("Root").without(oid::AUTHORITY_KEY_ID)).server("web.corp.test").verify().problems,
            []
        );
        // Every reader takes the form of another year.
        let early = der::sequence(&[b"\x18\x0f20250101000000Z", b"\x17\x0d270101000000Z"]);
        let early = TestPki::new().case(server().validity_der(early)).server("web.corp.test").verify();
        assert!(early.valid);
        assert_eq!(early.problems.iter().map(|it| it.code).collect::<Vec<_>>(), [lint::validity_encoding::RULE.code]);
        // What a CA is limited to may be critical.
        let limited =
            TestCert::ca("A").purposes(&[ExtendedKeyUsage::ServerAuth]).critical(oid::EXTENDED_KEY_USAGE, true);
        let limited = TestPki::with(limited).case(server()).server("web.corp.test").verify();
        assert!(limited.valid);
        let found: Vec<_> = limited.problems.iter().map(|it| it.code).collect();
        assert_eq!(found, [lint::extended_key_usage_critical::RULE.code]);
    }

    /// Each exception for roots covers one rule of one root, and no other rule.
    #[test]
    fn what_is_tolerated_of_a_root_excuses_nothing_else() {
        let errors = |root: TestCert| below(root).server("web.corp.test").errors();
        assert_eq!(errors(TestCert::ca("Root").serial(&[0xff])), [lint::serial_positive::RULE.code]);
        let silent = |cert: TestCert| cert.without(oid::AUTHORITY_KEY_ID);
        assert_eq!(
            errors(silent(TestCert::ca("Root").without(oid::SUBJECT_KEY_ID))),
            [lint::ca_subject_key_id::RULE.code]
        );
        let own = below(TestCert::ca("Root").without(oid::SUBJECT_KEY_ID)).of_own_roots();
        assert_eq!(own.server("web.corp.test").errors(), [lint::ca_subject_key_id::RULE.code]);
    }

    /// RFC 5280 §4.2.1.1: only what is signed with its own key, at the end of the path, needs no authority key identifier.
    #[test]
    fn only_an_anchor_that_signs_itself_may_leave_the_authority_key_id_out() {
        let missing = [lint::authority_key_id::RULE.code];
        let root = TestCa::root();
        // Signed with its own key under the name of another: as an anchor it is right, within a path it is not.
        let renamed = || TestCert::ca("Renamed").with_key(&root.key);
        let anchor = root.subordinate(renamed().without(oid::AUTHORITY_KEY_ID));
        let as_anchor = Case::new(anchor.issue(server()), &[], &[&anchor.certificate]);
        assert_eq!(as_anchor.server("web.corp.test").errors(), [""; 0]);
        let within = Case::new(anchor.issue(server()), &[&anchor.certificate], &[&root.certificate]);
        assert_eq!(within.server("web.corp.test").errors(), missing);
        // An empty identifier is not a missing one.
        let empty = root.subordinate(renamed().extension(oid::AUTHORITY_KEY_ID, false, der::sequence(&[])));
        let case = Case::new(empty.issue(server()), &[], &[&empty.certificate]);
        assert_eq!(case.server("web.corp.test").errors(), missing);
    }
}
