//! The last line of a long report: how many entries had which result.

use crate::report::page::Page;

/// The most entries that a person counts at a glance.
const FEW: usize = 10;

/// Writes the number of entries with each result, in the order in which the results appear; nothing for few entries.
pub fn summary_line<'a>(outcomes: impl Iterator<Item = &'a str>, page: &mut Page) {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for outcome in outcomes {
        match counts.iter_mut().find(|(known, _)| *known == outcome) {
            Some((_, count)) => *count += 1,
            None => counts.push((outcome, 1)),
        }
    }
    let total: usize = counts.iter().map(|(_, count)| count).sum();
    if total > FEW {
        let parts: Vec<String> = counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        page.gap();
        page.line(&format!("{total} in all: {}", parts.join(", ")));
    }
}
