//! Lint: the rules for certificates and CRLs, one file per rule, each with its citation and its tests. Pure.
//!
//! The check before every signature, `ca lint`, [`crate::verify`] and `ca explain` use the same table, [`RULES`].

pub mod crl;
mod fields;
mod names;
mod profile;
mod rule;
pub mod rules;
mod severity;
mod target;
#[cfg(test)]
pub(crate) mod testing;

pub use crl::{CRL_RULES, CrlTarget};
pub use profile::LintProfile;
pub use rule::{CrlCheck, Finding, Rule, fix_for};
pub use rules::RULES;
pub use severity::Severity;
pub use target::LintTarget;

use crate::x509::Certificate;

/// Applies all rules of a profile, in the order of the table. `issuer` is the certificate of the signer, or `None` when
/// it is not known.
pub fn check(certificate: &Certificate, issuer: Option<&Certificate>, profile: LintProfile) -> Vec<Finding> {
    let target = LintTarget { certificate, issuer };
    RULES.iter().filter(|rule| rule.belongs_to(profile)).filter_map(|rule| rule.apply(&target)).collect()
}

/// Applies all rules of a profile to a CRL, in the order of the table.
pub fn check_crl(target: &CrlTarget, profile: LintProfile) -> Vec<Finding> {
    CRL_RULES.iter().filter(|rule| rule.belongs_to(profile)).filter_map(|rule| rule.apply(target)).collect()
}

#[cfg(test)]
mod tests {
    use super::testing::{TestCa, TestCert};
    use super::*;

    #[test]
    fn every_code_stands_once_and_is_kebab_case() {
        let of_crls = CRL_RULES.iter().map(|rule| rule.code);
        let mut codes: Vec<_> = RULES.iter().map(|rule| rule.code).chain(of_crls).collect();
        assert!(
            codes.iter().all(|code| code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'))
        );
        codes.sort_unstable();
        let total = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), total);
    }

    #[test]
    fn a_profile_asks_for_its_own_rules_and_house_for_every_rule() {
        let root = TestCa::root();
        let begin = time::macros::datetime!(2026-01-01 0:00 UTC);
        // Only Apple limits the lifetime to 825 days, and only the house profile forbids a critical extended key usage.
        let cert = TestCert::server("a.test").validity(begin, begin + time::Duration::days(900));
        let leaf = root.issue(cert.critical(crate::x509::certificate::oid::EXTENDED_KEY_USAGE, true));
        for (profile, expected) in [
            (LintProfile::Rfc5280, &[][..]),
            (LintProfile::Strict, &[]),
            (LintProfile::Apple, &["apple-lifetime"]),
            (LintProfile::Rustls, &[]),
            (LintProfile::House, &["apple-lifetime", "extended-key-usage-critical"]),
        ] {
            let found = check(&leaf, Some(&root.certificate), profile);
            let mut codes: Vec<_> = found.iter().map(|finding| finding.rule).collect();
            codes.sort_unstable();
            assert_eq!(codes, expected, "{profile}");
        }
    }

    #[test]
    fn a_sound_hierarchy_breaks_no_rule_of_any_profile() {
        let root = TestCa::root();
        let issuing = root.subordinate(TestCert::ca("Issuing CA").path_length(0));
        let leaf = issuing.issue(TestCert::server("web.corp.test"));
        for profile in LintProfile::ALL {
            assert_eq!(check(&root.certificate, None, profile), [], "{profile}");
            assert_eq!(check(&issuing.certificate, Some(&root.certificate), profile), [], "{profile}");
            assert_eq!(check(&leaf, Some(&issuing.certificate), profile), [], "{profile}");
        }
    }
}
