//! The result of a command with several arguments: the report of each, and what failed.

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::summary::{advice, listed};
use crate::report::document_schema::DocumentOrFailure;
use crate::report::failure::Failure;
use crate::report::json;
use crate::report::output::{Answer, Report};
use crate::report::page::{Page, Tone};
use crate::store::approval::Declined;

/// The results for all arguments, in their order.
pub struct Many {
    /// `ca.<command>-many/1`.
    pub schema: &'static str,
    pub results: Vec<Part>,
}

/// The result for one argument.
pub struct Part {
    /// The argument, or the name that it selected.
    pub name: String,
    pub result: Result<Box<dyn Report>, Failure>,
}

/// Carries out a command for each of several arguments. A failure does not stop the rest. One argument gives its own report.
///
/// # Errors
/// That of the only argument.
pub fn for_each<T>(
    schema: &'static str,
    arguments: Vec<(String, T)>,
    mut run: impl FnMut(T) -> Result<Box<dyn Report>, Failure>,
) -> Result<Box<dyn Report>, Failure> {
    let is_one = arguments.len() == 1;
    let mut results = Vec::with_capacity(arguments.len());
    for (name, argument) in arguments {
        let result = run(argument);
        if is_one {
            return result;
        }
        results.push(Part { name, result });
    }
    // A dry run has one report of all changes; what it would fail at comes first.
    let failures = || results.iter().filter_map(|part| Some((&part.name, part.result.as_ref().err()?)));
    if let Some((_, dry_run)) = failures().find(|(_, failure)| failure.code == Declined::DRY_RUN) {
        return Err(match failures().find(|(_, failure)| failure.code != Declined::DRY_RUN) {
            Some((name, failure)) => Failure { message: format!("{name}: {}", failure.message), ..failure.clone() },
            None => dry_run.clone(),
        });
    }
    Ok(Box::new(Many { schema, results }))
}

/// Returns the failure of a check of one of several arguments, before anything was done.
pub fn nothing_done(name: &str, failure: Failure) -> Failure {
    Failure { message: format!("{name}: {}", failure.message), ..failure }
        .hint("nothing was done for the others either")
}

impl Part {
    fn failure(&self) -> Option<Failure> {
        match &self.result {
            Ok(report) => report.failure(),
            Err(failure) => Some(failure.clone()),
        }
    }
}

/// `ca.show-many/1`, and the same of other commands. `D` is the document of the command.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Many")]
pub struct ManyJson<D> {
    /// For each argument the document of the command, or `ca.error/1` with the argument as `name`.
    #[schemars(with = "Vec<DocumentOrFailure<D>>")]
    results: Vec<Value>,
    #[serde(skip)]
    form: PhantomData<D>,
}

impl Report for Many {
    fn text(&self, page: &mut Page) {
        for part in &self.results {
            page.gap();
            match &part.result {
                Ok(report) => report.text(page),
                Err(failure) => {
                    page.pieces(&[
                        (Tone::Bad, "✗ "),
                        (Tone::Strong, &part.name),
                        (Tone::Plain, ": "),
                        (Tone::Plain, &page.sentence(&failure.message)),
                    ]);
                }
            }
        }
    }

    fn json(&self) -> Value {
        let result = |part: &Part| match &part.result {
            Ok(report) => report.json(),
            Err(failure) => failure.json_of(&part.name),
        };
        json::document(
            self.schema,
            &ManyJson::<()> { results: self.results.iter().map(result).collect(), form: PhantomData },
        )
    }

    fn answer(&self) -> Answer {
        let is_no = |part: &Part| part.result.as_ref().is_ok_and(|report| report.answer() == Answer::No);
        if self.results.iter().any(is_no) { Answer::No } else { Answer::Yes }
    }

    fn failure(&self) -> Option<Failure> {
        let failed: Vec<(&str, Failure)> =
            self.results.iter().filter_map(|part| Some((part.name.as_str(), part.failure()?))).collect();
        if failed.is_empty() {
            return None;
        }
        let names: Vec<&str> = failed.iter().map(|(name, _)| *name).collect();
        let sentence = format!("{} of {} failed: {}", failed.len(), self.results.len(), listed(&names));
        let lines =
            failed.iter().flat_map(|(name, failure)| failure.lines().map(|line| ((*name).to_owned(), line.clone())));
        Some(advice(lines, failed.len()).into_iter().fold(Failure::refused("not-all-done", sentence), Failure::hint))
    }

    fn has_changed(&self) -> bool {
        self.results.iter().any(|part| part.result.as_ref().is_ok_and(|report| report.has_changed()))
    }

    fn only_confirms(&self) -> bool {
        self.results.iter().all(|part| part.result.as_ref().map_or(true, |report| report.only_confirms()))
    }
}
