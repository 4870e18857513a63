//! RFC 5280 §6.1.4 (l), (m): how many CAs may follow a CA, without self-issued ones. The limit of the anchor applies
//! too (RFC 5937 §3.2).

use crate::verify::cert_path::CertPath;
use crate::verify::code::{Code, Rank};
use crate::verify::verdict::{Problem, Role};

pub const PATH_TOO_LONG: Code = Code {
    code: "path-too-long",
    rank: Rank::PathTooLong,
    citation: "RFC 5280 §4.2.1.9, §6.1.4 (l)",
    requirement: "The number of CAs below a CA is within its path length",
    example: "CN=Corp Root CA issuing has the path length 0: no CA may be below it, but in this chain 1 does: \
         CN=Sub CA",
    fix: "issue from a CA nearer to the root, or give the CA a greater path length",
};

pub const TOO_MANY_INTERMEDIATES: Code = Code {
    code: "too-many-intermediates",
    rank: Rank::Unranked,
    citation: "RFC 5280 §6.1.1 (--max-path-len)",
    requirement: "The number of intermediates is within --max-path-length",
    example: "the chain has 1 intermediate, expected at most 0",
    fix: "allow more with --max-path-len, or issue from a CA nearer to the root",
};

/// Adds every CA whose path length is exceeded.
pub fn check(path: &CertPath<'_>, problems: &mut Vec<Problem>) {
    let counts = |index: usize| path.role(index) == Role::Intermediate && !path.is_exempt(index);
    for (index, candidate) in path.certificates.iter().enumerate() {
        let Some(most) = candidate.certificate.basic_constraints.and_then(|constraints| constraints.path_length) else {
            continue;
        };
        let below: Vec<_> = (index + 1..path.certificates.len()).filter(|index| counts(*index)).collect();
        if below.len() as u64 > u64::from(most) {
            let subject = |index: &usize| {
                path.certificates.get(*index).map(|candidate| candidate.certificate.subject.to_string())
            };
            let shown: Vec<_> = below.iter().rev().filter_map(subject).collect();
            problems.push(Problem::error(
                &PATH_TOO_LONG,
                candidate,
                format!(
                    "{} has the path length {most}: {}, but in this chain {}: {}",
                    candidate.certificate.subject,
                    match most {
                        0 => "no CA may be below it".to_owned(),
                        1 => "at most 1 CA may be below it".to_owned(),
                        most => format!("at most {most} CAs may be below it"),
                    },
                    if below.len() == 1 { "1 does".to_owned() } else { format!("{} do", below.len()) },
                    shown.join(", ")
                ),
            ));
        }
    }
    let Some((most, leaf)) = path.options.max_path_length.zip(path.leaf()) else { return };
    let found = (0..path.certificates.len()).filter(|index| counts(*index)).count();
    if found as u64 > u64::from(most) {
        let plural = if found == 1 { "" } else { "s" };
        let message = format!("the chain has {found} intermediate{plural}, expected at most {most}");
        problems.push(Problem::error(&TOO_MANY_INTERMEDIATES, leaf, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{TestCa, TestCert};
    use crate::verify::tests::{Case, server};

    /// Two CAs, the first of which allows so many below itself.
    fn case(length: u8) -> Case {
        let root = TestCa::root();
        let one = root.subordinate(TestCert::ca("One").path_length(length));
        let two = one.subordinate(TestCert::ca("Two"));
        Case::new(two.issue(server()), &[&one.certificate, &two.certificate], &[&root.certificate])
    }

    #[test]
    fn more_cas_than_allowed_are_found() {
        assert_eq!(case(0).errors(), [PATH_TOO_LONG.code]);
        assert_eq!(case(1).most(1).errors(), [TOO_MANY_INTERMEDIATES.code]);
    }

    #[test]
    fn as_many_as_allowed_are_right() {
        assert_eq!(case(1).errors(), [""; 0]);
        assert_eq!(case(1).most(2).errors(), [""; 0]);
    }

    #[test]
    fn path_lengths_count_cas_that_are_not_self_issued() {
        let root = TestCa::self_signed(TestCert::ca("Root").path_length(1));
        let one = root.subordinate(TestCert::ca("One").path_length(0));
        let renewed = one.subordinate(TestCert::ca("One").path_length(0));
        let two = renewed.subordinate(TestCert::ca("Two"));
        let chain = [&one.certificate, &renewed.certificate, &two.certificate];
        let anchors = [&root.certificate];
        assert_eq!(Case::new(renewed.issue(server()), &chain, &anchors).errors(), [""; 0]);
        assert_eq!(Case::new(renewed.issue(server()), &chain, &anchors).most(0).errors(), ["too-many-intermediates"]);
        assert_eq!(Case::new(renewed.issue(server()), &chain, &anchors).most(1).errors(), [""; 0]);
        let errors = Case::new(two.issue(server()), &chain, &anchors).errors();
        assert!(errors.iter().all(|code| *code == "path-too-long") && errors.len() == 3, "{errors:?}");
    }
}
