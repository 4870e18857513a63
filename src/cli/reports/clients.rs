//! What TLS clients say of a chain, as every command shows it.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::clients::predict::Outcome;
use crate::clients::{Fact, Prediction, refusals};
use crate::report::json::{self, Shown};
use crate::store::config::VerifySettings;

/// What clients refuse because of a CA certificate.
pub const WHAT_CAS_ISSUE: &str = "what this CA issues";

/// What a client says of the chain.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Client")]
pub struct ClientJson<'a> {
    client: &'a str,
    /// The measured version that stands for the one that was named.
    version: &'a str,
    #[schemars(extend("enum" = ["no", "no-reason-known", "not-measured"]))]
    verdict: &'static str,
    /// What it refuses, or what was not measured.
    facts: Vec<Shown<Fact>>,
    #[serde(rename = "evidence")]
    #[schemars(extend("enum" = ["measured", "documented"]))]
    basis: &'static str,
}

impl<'a> ClientJson<'a> {
    pub fn new(prediction: &'a Prediction<'a>) -> Self {
        let (verdict, facts) = match &prediction.outcome {
            Outcome::No(refusals) => ("no", refusals.iter().map(|refusal| Shown(refusal.fact)).collect()),
            Outcome::NoReasonKnown => ("no-reason-known", Vec::new()),
            Outcome::NotMeasured(facts) => ("not-measured", facts.iter().copied().map(Shown).collect()),
        };
        Self {
            client: &prediction.client.name,
            version: prediction.version,
            verdict,
            facts,
            basis: prediction.client.basis.name(),
        }
    }
}

/// A prediction in JSON.
pub fn client_json(prediction: &Prediction<'_>) -> Value {
    json::value(&ClientJson::new(prediction))
}

/// The clients that refuse the chain of something new.
#[derive(Debug, Default)]
pub struct RefusedBy(Vec<Prediction<'static>>);

impl RefusedBy {
    /// Finds the clients of `[verify] clients` that refuse a chain with these facts; without that setting, the mainstream ones in
    /// their newest measured version.
    pub fn of(facts: &[Fact], settings: &VerifySettings) -> Self {
        // The names of clients are not read for a chain without facts.
        let choices = if facts.is_empty() { Vec::new() } else { settings.choices() };
        Self(refusals(facts, &choices))
    }

    /// Writes one line on standard error when there are any; `what` is what they refuse.
    pub fn note(&self, what: &str, context: &mut Context<'_>) {
        if let Some(sentence) = self.sentence(what) {
            context.note(&sentence);
        }
    }

    /// Returns the clients in groups, each with the first fact that all of them refuse; `None` without a client.
    pub fn sentence(&self, what: &str) -> Option<String> {
        let mut groups: Vec<(Fact, Vec<String>)> = Vec::new();
        for prediction in &self.0 {
            let Outcome::No(refusals) = &prediction.outcome else { continue };
            let Some(first) = refusals.first() else { continue };
            match groups.iter_mut().find(|(fact, _)| *fact == first.fact) {
                Some((_, clients)) => clients.push(prediction.label()),
                None => groups.push((first.fact, vec![prediction.label()])),
            }
        }
        let clause = |(number, (fact, clients)): (usize, &(Fact, Vec<String>))| {
            let verb = if clients.len() == 1 { "refuses" } else { "refuse" };
            let what = if number == 0 { what } else { "it" };
            format!("{} {verb} {what}: {}", clients.join(", "), fact.sentence())
        };
        let clauses: Vec<_> = groups.iter().enumerate().map(clause).collect();
        (!clauses.is_empty()).then(|| clauses.join("; "))
    }

    pub fn json(&self) -> Vec<ClientJson<'_>> {
        self.0.iter().map(ClientJson::new).collect()
    }
}
