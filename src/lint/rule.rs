//! What a rule is, and what it finds.

use super::profile::LintProfile;
use super::severity::Severity;
use super::target::LintTarget;

/// One rule of form.
#[derive(Debug)]
pub struct Rule {
    /// A stable word, kebab-case.
    pub code: &'static str,
    pub severity: Severity,
    /// Document and section.
    pub citation: &'static str,
    /// What the rule asks for, as one sentence.
    pub requirement: &'static str,
    /// What is said of a certificate that breaks it.
    pub example: &'static str,
    /// What to do when it is broken.
    pub fix: &'static str,
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
    /// What was seen, and what was expected.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}
