//! What a rule is, and what it finds.

use super::crl::CrlTarget;
use super::profile::LintProfile;
use super::severity::Severity;
use super::target::LintTarget;
use crate::x509::Certificate;

/// Returns what was found and what was expected when a certificate breaks a rule, else `None`.
pub type CertificateCheck = fn(&LintTarget<'_>) -> Option<String>;

/// The same for a CRL.
pub type CrlCheck = fn(&CrlTarget) -> Option<String>;

/// One rule about certificates, or with [`CrlCheck`] about CRLs.
#[derive(Debug)]
pub struct Rule<C = CertificateCheck> {
    /// A stable word, kebab-case.
    pub code: &'static str,
    pub severity: Severity,
    /// Document and section.
    pub citation: &'static str,
    /// What the rule requires, as one sentence.
    pub requirement: &'static str,
    /// The message for a certificate that breaks it.
    pub example: &'static str,
    /// What to do when it is broken.
    pub fix: &'static str,
    /// The profiles that the rule belongs to; [`LintProfile::House`] has every rule and is not listed.
    pub profiles: &'static [LintProfile],
    pub check: C,
}

impl<C> Rule<C> {
    /// Returns whether the rule belongs to this profile.
    pub fn belongs_to(&self, profile: LintProfile) -> bool {
        profile == LintProfile::House || self.profiles.contains(&profile)
    }

    fn finding(&self, message: String, fix: String) -> Finding {
        Finding { rule: self.code, severity: self.severity, citation: self.citation, message, hint: Some(fix) }
    }
}

impl Rule {
    /// Applies the rule; returns `None` when the certificate does not break it.
    pub fn apply(&self, target: &LintTarget<'_>) -> Option<Finding> {
        (self.check)(target).map(|message| self.finding(message, fix_for(self.fix, target.certificate)))
    }
}

impl Rule<CrlCheck> {
    /// Applies the rule; returns `None` when the CRL does not break it.
    pub fn apply(&self, target: &CrlTarget) -> Option<Finding> {
        (self.check)(target).map(|message| self.finding(message, self.fix.to_owned()))
    }
}

/// Returns a fix in the words for this certificate: a CA certificate is issued again for the same key, so that what it issued
/// stays valid, and a root makes its own.
pub fn fix_for(fix: &str, certificate: &Certificate) -> String {
    let again = ["issue the certificate again", "issue the certificate again"].into_iter();
    match again.filter_map(|prefix| fix.strip_prefix(prefix)).next() {
        Some(rest) if certificate.is_ca() && certificate.is_self_issued() => {
            format!("make the root certificate again (same key){rest}")
        }
        Some(rest) if certificate.is_ca() => format!("have the CA certificate issued again (same key){rest}"),
        _ => fix.to_owned(),
    }
}

/// A rule that a certificate or CRL breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The code of the rule.
    pub rule: &'static str,
    pub severity: Severity,
    pub citation: &'static str,
    /// What was found, and what was expected.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{Certificate, fix_for};
    use crate::lint::testing::{TestCa, TestCert};

    #[test]
    fn the_fix_follows_from_the_role_of_the_certificate() {
        let root = TestCa::root();
        let fix = |certificate: &Certificate| {
            fix_for("issue the certificate again with a shorter serial number", certificate)
        };
        assert_eq!(
            fix(&root.issue(TestCert::server("a.test"))),
            "issue the certificate again with a shorter serial number"
        );
        assert!(
            fix(&root.issue(TestCert::ca("A"))).starts_with("have the CA certificate issued again (same key) with")
        );
        assert!(fix(&root.certificate).starts_with("make the root certificate again (same key) with a shorter"));
        assert_eq!(fix_for("make a new key", &root.certificate), "make a new key");
    }
}
