//! What a client will say of a chain with these facts.

use super::client_name::ClientChoice;
use super::fact::Fact;
use super::table::{Answer, Client, Table, names_mainstream, table};

/// The prediction for one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prediction<'t> {
    pub client: &'t Client,
    /// The measured version that stands for the one that was asked for.
    pub version: &'t str,
    pub outcome: Outcome<'t>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<'t> {
    /// It refuses the chain.
    No(Vec<Refusal<'t>>),
    /// Each fact was measured, and the client accepts it.
    NoReasonKnown,
    /// It refuses none of the measured facts, but these were never measured.
    NotMeasured(Vec<Fact>),
}

/// A fact that a client refuses, and the measured versions from which and until which it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal<'t> {
    pub fact: Fact,
    /// `None` when every older version refuses it too.
    pub since: Option<&'t str>,
    /// `None` when every newer version refuses it too.
    pub until: Option<&'t str>,
}

/// Predicts what a client says of a chain with these facts.
pub fn predict<'t>(table: &'t Table, facts: &[Fact], choice: &ClientChoice<'t>) -> Prediction<'t> {
    let client = choice.client;
    let index = client.nearest(choice.version.as_deref());
    let version = client.versions.get(index).map(String::as_str).unwrap_or_default();
    let refusals: Vec<_> = facts
        .iter()
        .filter_map(|fact| {
            let (since, until) = table.refusing_range(fact, client, index)?;
            Some(Refusal { fact: *fact, since, until })
        })
        .collect();
    let unmeasured = || facts.iter().filter(|fact| table.answer(fact, client, index) == Answer::NotMeasured);
    let outcome = if !refusals.is_empty() {
        Outcome::No(refusals)
    } else if unmeasured().next().is_some() || client.basis == super::Basis::Documented {
        // A document names what is refused; what it does not name may be refused too.
        Outcome::NotMeasured(unmeasured().copied().collect())
    } else {
        Outcome::NoReasonKnown
    };
    Prediction { client, version, outcome }
}

/// Returns the predictions of the clients that refuse a chain with these facts, in the order of `choices`; without a choice, of
/// the newest measured version of each mainstream client. The table is read only when one of them can refuse a fact: that takes
/// longer than the facts.
pub fn refusals(facts: &[Fact], choices: &[ClientChoice<'static>]) -> Vec<Prediction<'static>> {
    if facts.is_empty() || choices.is_empty() && !facts.iter().any(names_mainstream) {
        return Vec::new();
    }
    let refused = |choice: &ClientChoice<'static>| {
        let prediction = predict(table(), facts, choice);
        matches!(prediction.outcome, Outcome::No(_)).then_some(prediction)
    };
    if !choices.is_empty() {
        return choices.iter().filter_map(refused).collect();
    }
    let mainstream = table().clients().iter().filter(|client| client.mainstream);
    mainstream.filter_map(|client| refused(&ClientChoice { client, version: None })).collect()
}

impl Prediction<'_> {
    /// Returns the client with the versions that share its refusal, as `python >= 3.13`.
    pub fn label(&self) -> String {
        match &self.outcome {
            Outcome::No(refusals) => match refusals.first() {
                Some(refusal) => self.client.label(refusal.since, refusal.until),
                None => self.client.name.clone(),
            },
            _ => self.client.name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::fact::Subject;
    use crate::clients::{facts, words};

    fn fact(code: &str) -> Fact {
        let subjects = [Subject::Leaf, Subject::Intermediate, Subject::Root, Subject::Chain];
        let all = words().flat_map(|word| subjects.map(|subject| Fact { subject, word }));
        all.into_iter().find(|fact| fact.word.subjects.contains(&fact.subject) && fact.is(code)).unwrap()
    }

    fn outcome(client: &str, codes: &[&str]) -> (String, Outcome<'static>) {
        let facts: Vec<_> = codes.iter().map(|code| fact(code)).collect();
        let choices = ClientChoice::parse_list(table(), client).unwrap();
        let prediction = predict(table(), &facts, &choices[0]);
        (prediction.label(), prediction.outcome)
    }

    #[test]
    fn a_refusal_names_the_versions_that_share_it() {
        let (label, found) = outcome("python", &["leaf:ku:not-critical", "root:ku:missing"]);
        assert_eq!(label, "python >= 3.13");
        let Outcome::No(refusals) = found else { panic!("{found:?}") };
        assert_eq!(refusals.iter().map(|refusal| refusal.fact.to_string()).collect::<Vec<_>>(), ["root:ku:missing"]);
        assert_eq!(refusals[0].fact.sentence(), "root has no key usage");
        assert_eq!(outcome("python@3.12", &["root:ku:missing"]).1, Outcome::NoReasonKnown);
        assert_eq!(outcome("go@1.22", &["inter:iap:critical"]).0, "go <= 1.23");
        assert_eq!(outcome("go", &["inter:iap:critical"]).1, Outcome::NoReasonKnown);
    }

    #[test]
    fn what_was_never_measured_is_not_a_yes() {
        let unmeasured = ["leaf:ku:not-critical", "leaf:key:mldsa44"];
        assert_eq!(outcome("go", &unmeasured).1, Outcome::NotMeasured(vec![fact("leaf:key:mldsa44")]));
        assert!(matches!(outcome("go", &["leaf:expired", "leaf:key:mldsa44"]).1, Outcome::No(_)));
    }

    #[test]
    fn refusals_are_of_the_chosen_clients_else_of_the_mainstream_ones() {
        let labels = |codes: &[&str], clients: &str| {
            let facts: Vec<_> = codes.iter().map(|code| fact(code)).collect();
            let choices = match clients {
                "" => Vec::new(),
                clients => ClientChoice::parse_list(table(), clients).unwrap(),
            };
            refusals(&facts, &choices).iter().map(Prediction::label).collect::<Vec<_>>()
        };
        assert_eq!(labels(&["leaf:key:ed25519"], ""), ["firefox", "chrome"]);
        assert_eq!(labels(&["leaf:key:ed25519"], "mbedtls,go,chrome"), ["mbedtls", "chrome"]);
        // An older version alone.
        assert!(!labels(&["inter:iap:critical"], "").iter().any(|label| label.starts_with("go")));
        assert_eq!(labels(&["inter:iap:critical"], "go@1.22"), ["go <= 1.23"]);
        assert_eq!(labels(&["leaf:key:mldsa44"], "go"), [""; 0], "what was not measured is not a refusal");
        assert_eq!(labels(&[], ""), [""; 0]);
    }

    #[test]
    fn a_documented_client_never_says_yes() {
        assert_eq!(outcome("dotnet", &[]).1, Outcome::NotMeasured(Vec::new()));
        let (label, found) = outcome("apple", &["leaf:life-over-825"]);
        assert!(label == "apple" && matches!(found, Outcome::No(_)));
    }

    #[test]
    fn a_chain_without_facts_gives_no_reason() {
        assert_eq!(outcome("chrome", &[]).1, Outcome::NoReasonKnown);
        let situation = crate::clients::Situation {
            sent: &[],
            anchors: &[],
            path: None,
            hosts: &[],
            at: time::OffsetDateTime::UNIX_EPOCH,
            is_signed_by: &|_, _| crate::clients::Signed::Unknown,
        };
        assert_eq!(facts(&situation), []);
    }
}
