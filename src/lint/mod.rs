//! FORM: the rules that a certificate has to keep to, one file per rule, each with its citation and its test. Pure;
//! imports x509.
//!
//! One table, [`RULES`], serves the check before every signature, `ca lint`, the judge and `ca explain`.

pub mod rules;
mod target;
#[cfg(test)]
pub(crate) mod testing;

use std::fmt;

pub use rules::RULES;
pub use target::LintTarget;

use crate::x509::Certificate;

/// How bad it is that a rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Allowed, but it will trouble somebody.
    Warning,
    /// The rule's source forbids it.
    Error,
}

impl Severity {
    /// The word for it in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whose rules to apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LintProfile {
    /// The Internet's profile of X.509.
    Rfc5280,
    /// What OpenSSL's `-x509_strict` refuses, and with it Python since 3.13.
    Strict,
    /// What Apple's platforms ask of server certificates.
    Apple,
    /// What rustls (webpki) refuses.
    Rustls,
    /// Every rule of the table: what this program keeps to in its own certificates.
    House,
}

impl LintProfile {
    /// All of them, in the order in which they are listed to people.
    pub const ALL: [Self; 5] = [Self::Rfc5280, Self::Strict, Self::Apple, Self::Rustls, Self::House];

    /// The word for it in flags and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rfc5280 => "rfc5280",
            Self::Strict => "strict",
            Self::Apple => "apple",
            Self::Rustls => "rustls",
            Self::House => "house",
        }
    }
}

impl fmt::Display for LintProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One rule of form.
#[derive(Debug)]
pub struct Rule {
    /// A stable word, kebab-case.
    pub code: &'static str,
    pub severity: Severity,
    /// Document and section.
    pub citation: &'static str,
    /// What the rule asks for, as one sentence.
    pub demand: &'static str,
    /// What is said of a certificate that breaks it.
    pub example: &'static str,
    /// What to do when it is broken.
    pub cure: &'static str,
    /// The profiles that ask for it; [`LintProfile::House`] asks for every rule.
    pub profiles: &'static [LintProfile],
    /// What was seen that breaks the rule, and what was expected; nothing when the rule is kept.
    pub check: fn(&LintTarget<'_>) -> Option<String>,
}

impl Rule {
    /// Whether this profile asks for the rule.
    pub fn belongs_to(&self, profile: LintProfile) -> bool {
        profile == LintProfile::House || self.profiles.contains(&profile)
    }

    /// Applies the rule.
    pub fn apply(&self, target: &LintTarget<'_>) -> Option<Finding> {
        (self.check)(target).map(|message| Finding {
            rule: self.code,
            severity: self.severity,
            citation: self.citation,
            message,
            hint: Some(self.cure.to_owned()),
        })
    }
}

/// A rule that a certificate breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The code of the rule.
    pub rule: &'static str,
    pub severity: Severity,
    pub citation: &'static str,
    /// What was seen, and what was expected.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Applies all rules of a profile, in the order of the table; `issuer` is the certificate of whoever signs, where it is known.
pub fn check(certificate: &Certificate, issuer: Option<&Certificate>, profile: LintProfile) -> Vec<Finding> {
    let target = LintTarget { certificate, issuer };
    RULES.iter().filter(|rule| rule.belongs_to(profile)).filter_map(|rule| rule.apply(&target)).collect()
}

#[cfg(test)]
mod tests {
    use super::testing::{TestCa, TestCert};
    use super::*;

    #[test]
    fn every_code_stands_once_and_is_kebab_case() {
        let mut codes: Vec<_> = RULES.iter().map(|rule| rule.code).collect();
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
        // Apple alone speaks of 825 days, and the table alone of a purpose that is critical.
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
