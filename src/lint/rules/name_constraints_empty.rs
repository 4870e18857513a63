//! Name constraints have at least one subtree.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::certificate::oid;
use crate::x509::der;

pub const RULE: Rule = Rule {
    code: "name-constraints-empty",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.10",
    requirement: "Name constraints contain at least one subtree, and no empty list",
    example: "the name constraints contain an empty list of subtrees",
    fix: "issue the CA certificate again with subtrees, or without the extension",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let extension = target.certificate.extension(oid::NAME_CONSTRAINTS)?;
    let (_, content, _) = der::split_first(&extension.value)?;
    let lists = der::children(content)?;
    let has_empty_list = lists.iter().any(|list| matches!(der::split_first(list), Some((_, [], _))));
    (lists.is_empty() || has_empty_list).then(|| "the name constraints contain an empty list of subtrees".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn empty_constraints_are_found() {
        let both_empty = der::sequence(&[&[0xa0, 0], &[0xa1, 0]]);
        for value in [der::sequence(&[]), both_empty] {
            assert!(finding(&RULE, TestCert::ca("A").extension(oid::NAME_CONSTRAINTS, true, value)).is_some());
        }
    }

    #[test]
    fn a_subtree_is_right() {
        assert_eq!(finding(&RULE, TestCert::ca("A").exclude(&["a.test"])), None);
    }
}
