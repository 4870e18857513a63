//! The table of clients beside the clients: everyday chains with one oddity or two are served on the loopback, every client that
//! is installed is asked over a real connection, and its answer has to be the predicted one. "No" must be a no, and "no reason
//! known" a yes; a chain with a fact that was never measured says nothing (`CA_TEST_SHOW=1` prints what clients say of it).
//!
//! A client that is not installed is printed and left out. `src/clients/everyday_tests.rs` makes the chains. A plain run asks the
//! clients that are programs for a terminal. The others with them, and every constraint of one CA, take some minutes; all pairs of
//! oddities too, with both kinds of keys, an hour:
//!
//! ```text
//! CA_TEST_EVERY_CLIENT=1 cargo test --test suite -- everyday:: --nocapture
//! CA_TEST_EVERY_PAIR=1 cargo test --test suite -- everyday:: --nocapture
//! ```

mod clients;
mod server;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use self::clients::{Asked, CLIENTS, Case, When};
use self::server::OtherKeys;
use crate::support::program::{Place, cargo, succeeded};
use crate::support::{repository, skip};

/// The most servers at a time: each has a socket.
const AT_ONCE: usize = 400;

/// What this version of a client does otherwise than the table says, with the reason.
const DIFFERENCES: [(&str, &str, &str); 0] = [];

#[test]
fn every_installed_client_says_of_everyday_chains_what_the_table_predicts() {
    let place = Place::new();
    let chains = made(&place, &[]);
    let is_long = is_long();
    let mut compared = Compared::default();
    let (keys, count) = (OtherKeys::new(), count(&chains));
    for first in (0..count).step_by(AT_ONCE) {
        let served = server::serve(&chains, first..count.min(first + AT_ONCE), &keys);
        for client in installed().iter().filter(|client| is_long || client.when == When::Always) {
            compared.ask(&place, client, true, &served.cases.iter().collect::<Vec<_>>());
        }
    }
    compared.print();
    let wrong = compared.wrong;
    assert!(wrong.is_empty(), "{} differences to the table:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared.right.values().sum::<usize>() > 200, "{:?}", compared.right);
}

/// The chains of another suite, as x509-limbo writes them: at least 95 of 100 answers about words that were measured are the
/// predicted ones. The servers do not have the keys, so clients that look at the chain first are asked.
///
/// ```text
/// CA_TEST_CHAINS=limbo.json cargo test --test suite -- everyday::clients_say_of_chains_of_another_suite --nocapture
/// ```
#[test]
fn clients_say_of_chains_of_another_suite_what_the_table_predicts() {
    let Some(file) = std::env::var_os("CA_TEST_CHAINS") else { return };
    let place = Place::new();
    let chains = made(&place, &[("CA_TEST_CHAINS", &std::path::absolute(file).unwrap())]);
    let served = server::serve(&chains, 0..count(&chains), &OtherKeys::new());
    let is_long = is_long();
    let mut compared = Compared::default();
    for client in installed().iter().filter(|client| is_long || client.when == When::Always) {
        // A browser has no clock of its own.
        let cases: Vec<&Case> =
            served.cases.iter().filter(|case| client.when == When::Always || case.at.is_none()).collect();
        compared.ask(&place, client, false, &cases);
    }
    compared.print();
    let (wrong, right) = (compared.wrong.len(), compared.right.values().sum::<usize>());
    eprintln!("{}", compared.wrong.join("\n"));
    assert!(right > 0 && right * 100 >= (right + wrong) * 95, "{right} of {} are as predicted", right + wrong);
}

/// Whether every client is asked.
fn is_long() -> bool {
    ["CA_TEST_EVERY_PAIR", "CA_TEST_EVERY_CLIENT"].iter().any(|name| std::env::var_os(name).is_some())
}

/// Lets this very build of the library's tests make the chains.
fn made(place: &Place, environment: &[(&str, &Path)]) -> PathBuf {
    let chains = place.path("chains");
    std::fs::create_dir(&chains).unwrap();
    let mut tests = cargo();
    tests.args(["test", "--lib", "--quiet", "clients::everyday_tests::"]);
    tests.env("CA_TEST_EVERYDAY", &chains).env_remove("CA_TEST_CHAINS").envs(environment.iter().copied());
    succeeded("the library's tests", &tests.output().unwrap());
    chains
}

/// Returns how many chains a folder has.
fn count(chains: &Path) -> usize {
    let files = std::fs::read_dir(chains).unwrap().map(|file| file.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "json")).count()
}

/// Returns the clients that are installed, and names the others.
fn installed() -> Vec<&'static Asked> {
    let is_there = |client: &&Asked| {
        client.programs.iter().all(|program| skip::is_installed(program))
            && (client.name != "pyca" || repository().join("target/venv/bin/python").is_file())
    };
    let (installed, missing): (Vec<_>, Vec<_>) = CLIENTS.iter().partition(is_there);
    for client in missing {
        eprintln!("{} is not installed, and was not asked", client.name);
    }
    installed
}

/// Answers beside predictions.
#[derive(Default)]
struct Compared {
    right: BTreeMap<&'static str, usize>,
    different: BTreeMap<&'static str, usize>,
    unmeasured: usize,
    wrong: Vec<String>,
}

impl Compared {
    fn ask(&mut self, place: &Place, client: &'static Asked, has_keys: bool, cases: &[&Case]) {
        let Some(ask) = (if has_keys { Some(client.ask) } else { client.without_key }) else { return };
        let version = (client.version)(place);
        let answers = ask(place, cases);
        let word = |accepts: bool| if accepts { "accepts" } else { "refuses" };
        for case in cases {
            let Some((accepts, words)) = answers.get(&case.id) else {
                panic!("{} gave no answer about {}", client.name, case.what)
            };
            let accepts = *accepts || !has_keys && server::is_about_the_key_alone(words);
            let (name, shown) = (client.name, version.as_deref().unwrap_or("in process"));
            let Some((predicted, because)) = prediction(case, name, version.as_deref()) else {
                self.unmeasured += 1;
                if std::env::var_os("CA_TEST_SHOW").is_some() {
                    let facts = case.facts.join(",");
                    eprintln!("unmeasured\t{name}\t{shown}\t{}\t{}\t{facts}\t{words}", word(accepts), case.what);
                }
                continue;
            };
            if predicted == accepts || is_known(name, case) {
                *self.right.entry(name).or_insert(0) += 1;
                continue;
            }
            *self.different.entry(name).or_insert(0) += 1;
            self.wrong.push(format!(
                "{name} {shown} {} {}: {words}\n    predicted: {}, because of {because}; facts: {}",
                word(accepts),
                case.what,
                word(predicted),
                case.facts.join(", ")
            ));
        }
    }

    fn print(&self) {
        eprintln!(
            "answers as predicted: {:?}; otherwise: {:?}; {} are about facts that were not measured, or that versions disagree about",
            self.right, self.different, self.unmeasured
        );
    }
}

fn is_known(client: &str, case: &Case) -> bool {
    DIFFERENCES.iter().any(|(of, fact, _)| *of == client && case.facts.iter().any(|found| found == fact))
}

/// Returns whether the client is predicted to accept the chain, and the facts that decide; `None` when that was not measured. A
/// version between two measured ones is predicted where both say the same.
fn prediction(case: &Case, client: &str, version: Option<&str>) -> Option<(bool, String)> {
    let versions = case.predictions[client].as_array().unwrap();
    let numbers = |text: &str| text.split('.').map_while(|part| part.parse::<u32>().ok()).collect::<Vec<_>>();
    let measured = |row: &Value| numbers(row["version"].as_str().unwrap());
    let rows: Vec<&Value> = match version.map(numbers) {
        None => versions.iter().collect(),
        Some(wanted) => {
            let is_same = |row: &&Value| wanted.starts_with(&measured(row));
            let exact: Vec<_> = versions.iter().filter(is_same).collect();
            let below = versions.iter().rfind(|row| measured(row) <= wanted);
            let above = versions.iter().find(|row| measured(row) > wanted);
            if exact.is_empty() { below.into_iter().chain(above).collect() } else { exact }
        }
    };
    let verdict = rows.first()?["verdict"].as_str()?;
    if verdict == "not-measured" || rows.iter().any(|row| row["verdict"] != verdict) {
        return None;
    }
    Some((verdict == "yes", rows[0]["facts"].to_string()))
}
