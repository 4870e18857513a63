//! A DNS subtree has no leading dot: it contains the names below it anyway.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::name_constraints::Subtree;

pub const RULE: Rule = Rule {
    code: "name-constraints-leading-dot",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.10",
    requirement: "DNS subtrees are written without a leading dot",
    example: "the DNS subtree '.a.test' begins with a dot, expected 'a.test'",
    fix: "issue the CA certificate again with the subtree without its leading dot",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let constraints = target.certificate.name_constraints.as_ref()?;
    constraints.permitted.iter().chain(&constraints.excluded).find_map(|subtree| match subtree {
        Subtree::Dns(base) if base.starts_with('.') => {
            Some(format!("the DNS subtree '{base}' begins with a dot, expected '{}'", base.trim_start_matches('.')))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::NameConstraints;

    #[test]
    fn a_leading_dot_is_found() {
        let constraints = NameConstraints { permitted: vec![Subtree::Dns(".a.test".to_owned())], excluded: Vec::new() };
        assert!(
            finding(&RULE, TestCert::ca("A").name_constraints(&constraints)).unwrap().contains("expected 'a.test'")
        );
    }

    #[test]
    fn a_bare_name_is_right() {
        assert_eq!(finding(&RULE, TestCert::ca("A").permit(&["a.test", "email:.a.test"])), None);
    }
}
