//! What a rule is, and what it finds.

use super::profile::LintProfile;
use super::severity::Severity;
use super::target::LintTarget;

/// One rule.
#[derive(Debug)]
pub struct Rule {
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
    /// Returns what was found and what was expected when the certificate breaks the rule, else `None`.
    pub check: fn(&LintTarget<'_>) -> Option<String>,
}

impl Rule {
    /// Returns whether the rule belongs to this profile.
    pub fn belongs_to(&self, profile: LintProfile) -> bool {
        profile == LintProfile::House || self.profiles.contains(&profile)
    }

    /// Applies the rule; returns `None` when the certificate does not break it.
    pub fn apply(&self, target: &LintTarget<'_>) -> Option<Finding> {
        (self.check)(target).map(|message| Finding {
            rule: self.code,
            severity: self.severity,
            citation: self.citation,
            message,
            hint: Some(self.fix.to_owned()),
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
    /// What was found, and what was expected.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}
