//! `ca explain CODE`: the rule behind a code of `ca verify` or `ca lint`, or what a code of a failure means.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::clients::table::VersionRange;
use crate::clients::{Basis, Client, Fact, table, words};
use crate::report::failure::Failure;
use crate::report::failure_codes::{self, FailureCode};
use crate::report::json::{self, Shown};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::report::warning_codes::{self, WarningCode};
use crate::{lint, verify};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The code to explain; without one, all are listed
    #[arg(value_name = "CODE")]
    code: Option<String>,
    /// List the codes that have this text in their name or in what is said of them
    #[arg(long, value_name = "TEXT", conflicts_with = "code")]
    search: Option<String>,
}

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Subject {
    /// A chain, as a server or a client sends it.
    Chain,
    Certificate,
    Crl,
}

impl Subject {
    /// Each with the head of its table.
    const ALL: [(Self, &'static str); 3] = [
        (Self::Chain, "code about a chain"),
        (Self::Certificate, "code about a certificate"),
        (Self::Crl, "code about a CRL"),
    ];
}

/// What there is to say of a code.
struct Explanation {
    about: Subject,
    code: &'static str,
    citation: &'static str,
    requirement: &'static str,
    example: &'static str,
    fix: &'static str,
    /// The profiles of `ca lint` that ask for it.
    profiles: Vec<&'static str>,
}

struct Explanations {
    rules: Vec<Explanation>,
    failures: Vec<FailureCode>,
    warnings: Vec<WarningCode>,
    asked_for_one: bool,
}

pub fn run(arguments: &Arguments, _context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let mut found = Explanations {
        rules: explanations(),
        failures: failure_codes::all(),
        warnings: warning_codes::ALL.to_vec(),
        asked_for_one: arguments.code.is_some(),
    };
    if let Some(code) = &arguments.code {
        let known = found.rules.iter().map(|rule| rule.code).chain(found.failures.iter().map(|it| it.code.as_str()));
        let known = known.chain(found.warnings.iter().map(|it| it.code));
        let nearest = known.min_by_key(|known| strsim::damerau_levenshtein(known, code)).map(str::to_owned);
        found.rules.retain(|rule| rule.code == code);
        found.failures.retain(|failure| failure.code == *code);
        found.warnings.retain(|warning| warning.code == code);
        if found.is_empty() {
            return Err(unknown(code, nearest));
        }
    }
    if let Some(text) = &arguments.search {
        let text = text.to_lowercase();
        let has = |fields: &[&str]| fields.iter().any(|field| field.to_lowercase().contains(&text));
        found.rules.retain(|it| has(&[it.code, it.requirement, it.example, it.fix, it.citation]));
        found.failures.retain(|it| has(&[&it.code, &it.means, &it.fix]));
        found.warnings.retain(|it| has(&[it.code, it.means, it.fix]));
        if found.is_empty() {
            let message = format!("no code has '{text}' in its name or in what is said of it");
            return Err(Failure::usage("unknown-code", message).hint("list all codes with: ca explain"));
        }
    }
    Ok(Box::new(found))
}

fn unknown(code: &str, nearest: Option<String>) -> Failure {
    let failure = Failure::usage("unknown-code", format!("'{code}' is not a code of this program"));
    let failure = match nearest {
        Some(nearest) => failure.hint(format!("did you mean '{nearest}'?")),
        None => failure,
    };
    failure.hint("list all codes with: ca explain")
}

impl Explanations {
    fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.failures.is_empty() && self.warnings.is_empty()
    }
}

/// All codes of verify and lint, each in the order of the alphabet.
fn explanations() -> Vec<Explanation> {
    let of_crls = lint::CRL_RULES.iter().map(|rule| of_rule(rule, Subject::Crl));
    let of_lint = lint::RULES.iter().map(|rule| of_rule(rule, Subject::Certificate)).chain(of_crls);
    let of_verify = verify::codes().map(|code| Explanation {
        about: Subject::Chain,
        code: code.code,
        citation: code.citation,
        requirement: code.requirement,
        example: code.example,
        fix: code.fix,
        profiles: Vec::new(),
    });
    let mut all: Vec<_> = of_lint.chain(of_verify).collect();
    // Stable: a rule of lint stands before the code of verify that is the same rule.
    all.sort_by_key(|explanation| explanation.code);
    all.dedup_by_key(|explanation| explanation.code);
    all
}

fn of_rule<C>(rule: &lint::Rule<C>, about: Subject) -> Explanation {
    let profiles = lint::LintProfile::ALL.into_iter().filter(|it| rule.belongs_to(*it));
    Explanation {
        about,
        code: rule.code,
        citation: rule.citation,
        requirement: rule.requirement,
        example: rule.example,
        fix: rule.fix,
        profiles: profiles.map(lint::LintProfile::name).collect(),
    }
}

/// A fact that a rule is about, and the clients that refuse it.
struct RefusedFact {
    fact: Fact,
    clients: Vec<(&'static Client, VersionRange<'static>)>,
}

/// Returns the facts of the table of clients that a rule is about and that a client refuses.
fn refused_facts(code: &str) -> Vec<RefusedFact> {
    let facts = words().flat_map(|word| word.subjects.iter().map(move |subject| Fact { subject: *subject, word }));
    let of_rule = facts.filter(|fact| [table().rule(fact), table().lint_rule(fact)].contains(&Some(code)));
    let refused = of_rule.map(|fact| RefusedFact { fact, clients: table().refusing_clients(&fact) });
    refused.filter(|refused| !refused.clients.is_empty()).collect()
}

impl RefusedFact {
    fn line(&self) -> String {
        let label = |(client, (since, until)): &(&Client, VersionRange<'_>)| client.label(*since, *until);
        let is_measured = |client: &Client| client.basis == Basis::Measured;
        let in_all_versions = |client: &Client| {
            self.clients.iter().any(|(known, range)| known.name == client.name && *range == (None, None))
        };
        let clients = match table().clients().iter().filter(|client| is_measured(client)).all(in_all_versions) {
            true => {
                let documented = self.clients.iter().filter(|(client, _)| !is_measured(client)).map(label);
                std::iter::once("every measured client".to_owned()).chain(documented).collect()
            }
            false => self.clients.iter().map(label).collect::<Vec<_>>(),
        };
        format!("{}: {}", self.fact.sentence(), clients.join(", "))
    }

    fn json(&self) -> RefusedJson {
        let client = |(client, (since, until)): &(&'static Client, VersionRange<'static>)| RefusingJson {
            client: &client.name,
            since: *since,
            until: *until,
            basis: client.basis.name(),
        };
        RefusedJson {
            fact: Shown(self.fact),
            sentence: self.fact.sentence(),
            clients: self.clients.iter().map(client).collect(),
        }
    }
}

/// `ca.explain/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Explain")]
pub struct ExplainJson<'a> {
    /// The codes of `ca verify` and `ca lint`.
    codes: Vec<RuleJson<'a>>,
    /// The codes of `ca.error/1`.
    failures: Vec<FailureCodeJson<'a>>,
    /// The codes of other warnings.
    warning_codes: Vec<WarningCodeJson>,
}

/// A code of a warning.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WarningCode")]
struct WarningCodeJson {
    code: &'static str,
    means: &'static str,
    fix: &'static str,
}

/// A rule.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Rule")]
struct RuleJson<'a> {
    rule_about: Subject,
    code: &'a str,
    citation: &'a str,
    rule: &'a str,
    example: &'a str,
    /// As `fix`.
    #[serde(rename = "cure")]
    #[schemars(extend("deprecated" = true))]
    old_fix: &'a str,
    fix: &'a str,
    /// The profiles of `ca lint` that have it.
    profiles: &'a Vec<&'static str>,
    /// As `refused_facts`.
    #[schemars(extend("deprecated" = true))]
    refused: Vec<RefusedJson>,
    refused_facts: Vec<RefusedJson>,
}

/// A fact that the rule is about, and the clients that refuse it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Refused")]
struct RefusedJson {
    fact: Shown<Fact>,
    sentence: String,
    clients: Vec<RefusingJson>,
}

/// A client that refuses it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RefusingClient")]
struct RefusingJson {
    client: &'static str,
    /// The first measured version.
    since: Option<&'static str>,
    /// The last measured version.
    until: Option<&'static str>,
    #[serde(rename = "evidence")]
    #[schemars(extend("enum" = ["measured", "documented"]))]
    basis: &'static str,
}

/// A code of `ca.error/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FailureCode")]
struct FailureCodeJson<'a> {
    code: &'a str,
    /// The exit status of the command.
    exit: u8,
    means: &'a str,
    fix: &'a str,
}

impl<'a> RuleJson<'a> {
    fn new(it: &'a Explanation) -> Self {
        Self {
            rule_about: it.about,
            code: it.code,
            citation: it.citation,
            rule: it.requirement,
            example: it.example,
            old_fix: it.fix,
            fix: it.fix,
            profiles: &it.profiles,
            refused: refused_facts(it.code).iter().map(RefusedFact::json).collect(),
            refused_facts: refused_facts(it.code).iter().map(RefusedFact::json).collect(),
        }
    }
}

impl<'a> FailureCodeJson<'a> {
    fn new(it: &'a FailureCode) -> Self {
        Self { code: &it.code, exit: it.exit, means: &it.means, fix: &it.fix }
    }
}

impl Report for Explanations {
    fn text(&self, page: &mut Page) {
        if !self.asked_for_one {
            let rules = |about: Subject| -> Vec<Vec<String>> {
                let rules = self.rules.iter().filter(|it| it.about == about);
                rules.map(|it| vec![it.code.to_owned(), it.requirement.to_owned()]).collect()
            };
            let failures: Vec<_> = self.failures.iter().map(|it| vec![it.code.clone(), it.means.clone()]).collect();
            let warnings: Vec<_> =
                self.warnings.iter().map(|it| vec![it.code.to_owned(), it.means.to_owned()]).collect();
            let of_rules = Subject::ALL.map(|(about, head)| ([head, "the rule"], rules(about)));
            let others = [(["code of a failure", "means"], failures), (["code of a warning", "means"], warnings)];
            for (head, rows) in of_rules.into_iter().chain(others) {
                if !rows.is_empty() {
                    page.gap();
                    page.table(&head, &rows);
                }
            }
            return;
        }
        for explanation in &self.rules {
            page.toned(Tone::Strong, explanation.code);
            page.field("the rule", explanation.requirement);
            page.field("source", explanation.citation);
            page.field("for example", explanation.example);
            page.field("what to do", explanation.fix);
            if !explanation.profiles.is_empty() {
                page.field("profiles", &explanation.profiles.join(", "));
            }
            let refused: Vec<_> = refused_facts(explanation.code).iter().map(RefusedFact::line).collect();
            if !refused.is_empty() {
                page.rows("refused by", &refused);
            }
        }
        for failure in &self.failures {
            page.gap();
            page.toned(Tone::Strong, &failure.code);
            page.field("means", &failure.means);
            page.field("exit status", &failure.exit.to_string());
            page.field("what to do", &failure.fix);
        }
        for warning in &self.warnings {
            page.gap();
            page.toned(Tone::Strong, warning.code);
            page.field("means", warning.means);
            page.field("what to do", warning.fix);
        }
    }

    fn json(&self) -> Value {
        let content = ExplainJson {
            codes: self.rules.iter().map(RuleJson::new).collect(),
            failures: self.failures.iter().map(FailureCodeJson::new).collect(),
            warning_codes: self
                .warnings
                .iter()
                .map(|it| WarningCodeJson { code: it.code, means: it.means, fix: it.fix })
                .collect(),
        };
        json::document("ca.explain/1", &content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What verify and lint both report is one rule with one source.
    #[test]
    fn no_code_means_two_things() {
        let of_lint = lint::RULES.iter().map(|rule| (rule.code, rule.citation));
        let of_lint: Vec<_> = of_lint.chain(lint::CRL_RULES.iter().map(|rule| (rule.code, rule.citation))).collect();
        for code in verify::codes() {
            for (known, citation) in &of_lint {
                assert!(*known != code.code || *citation == code.citation, "{known}");
            }
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
