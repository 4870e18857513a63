//! `docs/reference/clients.md` is what the table of clients says. `CA_TEST_UPDATE=1` rewrites it.

use std::fmt::Write;

use ca::clients::table::Answer;
use ca::clients::{Basis, Client, Fact, Subject, Table, table, words};

use crate::support::repository;

const HEAD: &str = "\
# Clients

Which TLS clients refuse which chains of servers. `ca verify --client NAME` and the severity of every rule that is not path
validation come from this table ([decision 18](../decisions/0018-what-clients-refuse.md)). This page is made from
`src/clients/table.toml`; a test compares them.

A fact is a word for something unusual about a chain, which is read from the certificates alone. A client refuses a chain when it
refuses one of its facts. \"Refused by\" names the measured versions that never accepted a chain with the fact. \"Not measured\" names
clients that were not asked, or only together with another fact that they refuse. All other measured clients accept it.
A fact that is not on this page was never measured: `ca verify --client` says so.
";

/// The clients of which a version gives this answer, with the versions that do.
fn named(table: &Table, fact: &Fact, wanted: Answer) -> String {
    let mut names = Vec::new();
    for client in table.clients() {
        let is_documented = client.basis == Basis::Documented;
        let of_answer = |version: &usize| table.answer(fact, client, *version) == wanted;
        let versions: Vec<usize> = (0..client.versions.len()).filter(of_answer).collect();
        if is_documented && wanted == Answer::NotMeasured || versions.is_empty() {
            continue;
        }
        let mark = if is_documented { " (documented)" } else { "" };
        names.push(format!("{}{mark}", range(client, &versions)));
    }
    names.join(", ")
}

/// `go`, `go >= 1.23`, `go <= 1.23`, or the versions one by one.
fn range(client: &Client, versions: &[usize]) -> String {
    let most = client.versions.len();
    let name = |index: usize| Some(client.versions[index].as_str());
    match versions {
        all if all.len() == most => client.label(None, None),
        [first, .., last] if last - first + 1 == versions.len() && last + 1 == most => client.label(name(*first), None),
        [0, .., last] if last + 1 == versions.len() => client.label(None, name(*last)),
        [one] if one + 1 == most => client.label(name(*one), None),
        [0] => client.label(None, name(0)),
        some => {
            let some: Vec<_> = some.iter().map(|version| client.versions[*version].as_str()).collect();
            format!("{} {}", client.name, some.join(", "))
        }
    }
}

fn page() -> String {
    let table = table();
    let mut page = HEAD.to_owned();
    page.push_str(
        "\n## The clients\n\n| name | client | verifier | versions | basis |\n| --- | --- | --- | --- | --- |\n",
    );
    for client in table.clients() {
        let mainstream = if client.mainstream { ", mainstream" } else { "" };
        writeln!(
            page,
            "| `{}` | {}{mainstream} | {} | {} | {}: {} |",
            client.name,
            client.title,
            client.engine,
            client.versions.join(", "),
            client.basis.name(),
            client.source
        )
        .unwrap();
    }
    page.push_str("\n`all` is every client, `browsers` are `chrome`, `firefox` and `apple`. A version that was not measured is taken for the nearest\none below it.\n");
    for (title, subject) in [
        ("Facts about the chain", Subject::Chain),
        ("Facts about the leaf", Subject::Leaf),
        ("Facts about an intermediate", Subject::Intermediate),
        ("Facts about the root", Subject::Root),
    ] {
        writeln!(
            page,
            "\n## {title}\n\n| fact | meaning | refused by | not measured | rule |\n| --- | --- | --- | --- | --- |"
        )
        .unwrap();
        let mut facts: Vec<Fact> = words()
            .filter(|word| word.subjects.contains(&subject))
            .map(|word| Fact { subject, word })
            .filter(|fact| table.codes().contains(&fact.to_string().as_str()))
            .collect();
        facts.sort_by_key(ToString::to_string);
        for fact in facts {
            let (refused, unmeasured) =
                (named(table, &fact, Answer::Refuses), named(table, &fact, Answer::NotMeasured));
            let rules: Vec<_> = [table.rule(&fact), table.lint_rule(&fact)].into_iter().flatten().collect();
            let rule = rules.iter().map(|rule| format!("`{rule}`")).collect::<Vec<_>>().join(", ");
            let sentence = fact.sentence().replace('|', "\\|").replace('*', "\\*");
            writeln!(page, "| `{fact}` | {sentence} ({}) | {refused} | {unmeasured} | {rule} |", fact.word.citation)
                .unwrap();
        }
    }
    page
}

#[test]
fn the_reference_is_what_the_table_says() {
    let page = page();
    let file = repository().join("docs/reference/clients.md");
    if std::env::var_os("CA_TEST_UPDATE").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == page, "docs/reference/clients.md is not what the table says; CA_TEST_UPDATE=1 rewrites it");
}

/// A rule that the table names and nothing reports would be reported by nothing.
#[test]
fn every_rule_of_the_table_is_a_rule() {
    let codes: Vec<_> =
        ca::verify::codes().map(|code| code.code).chain(ca::lint::RULES.iter().map(|rule| rule.code)).collect();
    for word in words() {
        for subject in word.subjects {
            let fact = Fact { subject: *subject, word };
            for rule in [table().rule(&fact), table().lint_rule(&fact)].into_iter().flatten() {
                assert!(codes.contains(&rule), "{fact}: {rule:?}");
            }
        }
    }
}
