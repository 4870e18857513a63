//! RFC 5280 §6.1.4 (l), (m): how many CAs may follow a CA; self-issued ones do not count. The anchor's limit counts too.

use super::Path;
use crate::verify::verdict::{Code, Problem, Role};

pub const PATH_TOO_LONG: Code = Code {
    code: "path-too-long",
    citation: "RFC 5280 §4.2.1.9, §6.1.4 (l)",
    demand: "No more CAs follow a CA than its path length allows",
    cure: "Issue from a CA nearer to the root, or give the CA a greater path length",
};

pub const TOO_MANY_INTERMEDIATES: Code = Code {
    code: "too-many-intermediates",
    citation: "RFC 5280 §6.1.1 (--max-path-len)",
    demand: "The chain has no more intermediates than were asked for",
    cure: "Allow more with --max-path-len, or issue from a CA nearer to the root",
};

/// Adds every CA whose path length is exceeded.
pub fn check(path: &Path<'_>, problems: &mut Vec<Problem>) {
    let counts = |index: usize| path.role(index) == Role::Intermediate && !path.is_exempt(index);
    for (index, exhibit) in path.exhibits.iter().enumerate().filter(|(index, _)| path.role(*index) != Role::Leaf) {
        let Some(most) = exhibit.certificate.basic_constraints.and_then(|constraints| constraints.path_length) else {
            continue;
        };
        let below = (index + 1..path.exhibits.len()).filter(|index| counts(*index)).count();
        if below as u64 > u64::from(most) {
            problems.push(Problem::error(
                &PATH_TOO_LONG,
                exhibit,
                format!(
                    "{} allows {most} CA certificates below itself, but {below} follow in this chain",
                    exhibit.certificate.subject
                ),
            ));
        }
    }
    let Some((most, leaf)) = path.question.max_path_length.zip(path.leaf()) else { return };
    let found = (0..path.exhibits.len()).filter(|index| counts(*index)).count();
    if found as u64 > u64::from(most) {
        let message = format!("the chain has {found} intermediates, at most {most} were asked for");
        problems.push(Problem::error(&TOO_MANY_INTERMEDIATES, leaf, message));
    }
}
