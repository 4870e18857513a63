//! The last lines of a long report: how many entries had which result, and what is to be said of those that failed.

use crate::report::page::Page;

/// The most entries that a person counts at a glance, and the most names in a sentence.
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

/// Returns the names with commas between them: the first ten, and how many more there are.
pub fn listed(names: &[&str]) -> String {
    match names.len().checked_sub(FEW) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..FEW].join(", ")),
    }
}

/// Returns the lines about entries that failed, of which each is a name and what is said of it, for a failure of all of them. What
/// is said of several entries is one line, without their names when it is said of all `failed` ones. What is said only of entries
/// behind the first ten is left out.
pub fn advice(lines: impl Iterator<Item = (String, String)>, failed: usize) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut found: Vec<(String, Vec<usize>)> = Vec::new();
    for (name, line) in lines {
        if names.last() != Some(&name) {
            names.push(name);
        }
        let at = names.len() - 1;
        match found.iter_mut().find(|(known, _)| *known == line) {
            Some((_, of)) if of.last() == Some(&at) => {}
            Some((_, of)) => of.push(at),
            None if at < FEW => found.push((line, vec![at])),
            None => {}
        }
    }
    let advice = |(line, of): (String, Vec<usize>)| match of.len() == failed && failed > 1 {
        true => line,
        false => {
            let of: Vec<&str> = of.iter().map(|at| names[*at].as_str()).collect();
            format!("{}: {line}", listed(&of))
        }
    };
    found.into_iter().map(advice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice_of(lines: &[(&str, &str)], failed: usize) -> Vec<String> {
        advice(lines.iter().map(|(name, line)| ((*name).to_owned(), (*line).to_owned())), failed)
    }

    #[test]
    fn what_is_said_of_several_entries_is_one_line() {
        let lines = [("a", "no key"), ("a", "copy it"), ("b", "no key"), ("b", "expired"), ("c", "no key")];
        assert_eq!(advice_of(&lines, 3), ["no key", "a: copy it", "b: expired"]);
        assert_eq!(advice_of(&lines, 4), ["a, b, c: no key", "a: copy it", "b: expired"]);
        assert_eq!(advice_of(&lines[..2], 1), ["a: no key", "a: copy it"]);
    }

    #[test]
    fn of_many_entries_the_first_ten_are_named() {
        let names: Vec<String> = (1..=30).map(|number| format!("n{number}")).collect();
        let same = names.iter().map(|name| (name.clone(), "no key".to_owned()));
        assert_eq!(advice(same.clone(), 31), ["n1, n2, n3, n4, n5, n6, n7, n8, n9, n10 and 20 more: no key"]);
        assert_eq!(advice(same, 30), ["no key"]);
        let own = names.iter().map(|name| (name.clone(), format!("{name} is missing")));
        assert_eq!(advice(own, 30).len(), 10);
    }
}
