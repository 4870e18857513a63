//! `ca explain CODE`: the rule behind a code of `ca verify` or `ca lint`.

use clap::Args;
use serde_json::{Value, json};

use crate::app::context::Context;
use crate::report::failure::Failure;
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::{lint, verify};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The code to explain; without one, all are listed
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

/// What there is to say of a code.
struct Explanation {
    code: &'static str,
    citation: &'static str,
    requirement: &'static str,
    example: &'static str,
    fix: &'static str,
    /// The profiles of `ca lint` that ask for it.
    profiles: Vec<&'static str>,
}

struct Explanations {
    all: Vec<Explanation>,
    asked_for_one: bool,
}

pub fn run(arguments: &Arguments, _context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let mut all = explanations();
    if let Some(code) = &arguments.code {
        let nearest = all.iter().min_by_key(|it| strsim::damerau_levenshtein(it.code, code)).map(|it| it.code);
        all.retain(|explanation| explanation.code == code);
        if all.is_empty() {
            let failure = Failure::usage("unknown-code", format!("'{code}' is not a code of ca verify or ca lint"));
            let failure = match nearest {
                Some(nearest) => failure.hint(format!("did you mean '{nearest}'?")),
                None => failure,
            };
            return Err(failure.hint("list all codes with: ca explain"));
        }
    }
    Ok(Box::new(Explanations { all, asked_for_one: arguments.code.is_some() }))
}

/// All codes in the order of the alphabet.
fn explanations() -> Vec<Explanation> {
    let of_lint = lint::RULES.iter().map(|rule| Explanation {
        code: rule.code,
        citation: rule.citation,
        requirement: rule.requirement,
        example: rule.example,
        fix: rule.fix,
        profiles: lint::LintProfile::ALL
            .into_iter()
            .filter(|it| rule.belongs_to(*it))
            .map(lint::LintProfile::name)
            .collect(),
    });
    let of_verify = verify::codes().map(|code| Explanation {
        code: code.code,
        citation: code.citation,
        requirement: code.requirement,
        example: code.example,
        fix: code.fix,
        profiles: Vec::new(),
    });
    let mut all: Vec<_> = of_lint.chain(of_verify).collect();
    all.sort_by_key(|explanation| explanation.code);
    all
}

impl Report for Explanations {
    fn text(&self, page: &mut Page) {
        if !self.asked_for_one {
            let rows: Vec<_> = self.all.iter().map(|it| vec![it.code.to_owned(), it.requirement.to_owned()]).collect();
            return page.table(&["code", "the rule"], &rows);
        }
        for explanation in &self.all {
            page.toned(Tone::Strong, explanation.code);
            page.field("the rule", explanation.requirement);
            page.field("source", explanation.citation);
            page.field("for example", explanation.example);
            page.field("what to do", explanation.fix);
            if !explanation.profiles.is_empty() {
                page.field("profiles", &explanation.profiles.join(", "));
            }
        }
    }

    fn json(&self) -> Value {
        let explain = |it: &Explanation| {
            json!({
                "code": it.code,
                "citation": it.citation,
                "rule": it.requirement,
                "example": it.example,
                "cure": it.fix,
                "profiles": it.profiles,
            })
        };
        json!({ "schema": "ca.explain/1", "codes": self.all.iter().map(explain).collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_means_two_things() {
        let all = explanations();
        for pair in all.windows(2) {
            assert_ne!(pair[0].code, pair[1].code);
        }
    }

    #[test]
    fn every_code_has_a_rule_a_source_an_example_and_a_fix_in_words() {
        for it in explanations() {
            let is_sentence = |text: &str| text.split_whitespace().count() >= 3 && !text.ends_with('.');
            for text in [it.requirement, it.example, it.fix] {
                assert!(is_sentence(text), "{}: '{text}'", it.code);
            }
            assert!(!it.citation.is_empty(), "{}", it.code);
            // Problems and fixes have the same style everywhere in this program.
            for text in [it.example, it.fix] {
                let begins_as_sentence = text.starts_with(|c: char| c.is_uppercase()) && !text.starts_with("CN=");
                assert!(!begins_as_sentence, "{}: '{text}' begins with a capital letter", it.code);
            }
        }
    }
}
