//! A CRL that revokes nothing leaves the list of entries out.

use crate::lint::crl::CrlTarget;
use crate::lint::profile::LintProfile;
use crate::lint::rule::{CrlCheck, Rule};
use crate::lint::severity::Severity;

pub const RULE: Rule<CrlCheck> = Rule {
    code: "crl-entries-empty",
    severity: Severity::Error,
    citation: "RFC 5280 §5.1.2.6",
    requirement: "The list of revoked certificates is left out when it is empty",
    example: "the list of revoked certificates is present, but empty",
    fix: "sign the CRL again with a tool that leaves the empty list out",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &CrlTarget) -> Option<String> {
    if target.entries.count == Some(0) {
        return Some("the list of revoked certificates is present, but empty".to_owned());
    }
    let serial = target.entries.empty_extensions.as_ref()?;
    Some(format!("the list of extensions of the entry {serial} is present, but empty"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::crl::testing::*;

    #[test]
    fn an_empty_list_is_found() {
        assert!(finding(&RULE, TestCrl::new().entries(&[])).unwrap().contains("present, but empty"));
    }

    #[test]
    fn no_list_and_entries_are_right() {
        assert_eq!(finding(&RULE, TestCrl::new()), None);
        assert_eq!(finding(&RULE, TestCrl::new().entries(&[entry(9, &[])])), None);
    }
}
