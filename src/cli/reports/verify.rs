//! The results of `ca verify`.

use std::mem::ManuallyDrop;

use serde_json::Value;

use super::verify_json::{VerifyJson, VerifyManyJson, WarningsJson};
use crate::app::verify::clients;
use crate::app::verify::verified_file::{Connection, IndexLookup, KnownCertificate, VerifiedFile, VerifiedFiles};
use crate::lint::Severity;
use crate::report::json;
use crate::report::output::{Answer, Report};
use crate::report::page::{Page, Tone};
use crate::text::{Warning, humanize, rfc3339};
use crate::verify::{Candidate, Problem, Role, Verdict, VerifyOptions};

/// The results for all files.
pub struct VerifyReport {
    pub options: VerifyOptions,
    /// Not freed: the process ends when they are shown, and to free thousands of them takes a fiftieth of its time.
    pub results: ManuallyDrop<VerifiedFiles>,
    /// What was left out of the files.
    pub warnings: Vec<Warning>,
    /// One line a file, without advice.
    pub quiet: bool,
}

impl VerifyReport {
    fn one(&self, verified: &VerifiedFile, page: &mut Page) {
        let (tone, word) = if verified.is_valid() { (Tone::Good, "valid") } else { (Tone::Bad, "not valid") };
        page.pieces(&[(tone, word), (Tone::Plain, "  "), (Tone::Strong, &verified.file)]);
        page.gap();
        for link in verified.chain() {
            let until = format!("expires {}, {}", rfc3339(link.not_after), page.sentence(&link.source.to_string()));
            // A trusted intermediate is not called a root.
            let is_intermediate = link.role == Role::Root && link.subject != link.issuer;
            let label = if is_intermediate { "anchor" } else { link.role.name() };
            page.rows(label, &[shown(&link.subject.to_string()), &until]);
        }
        let names: Vec<_> = self.options.names.iter().map(ToString::to_string).collect();
        if !names.is_empty() {
            page.field("names", &names.join(", "));
        }
        page.field("purpose", self.options.purpose.name());
        page.field("verified at", &rfc3339(self.options.at));
        if let Some(connection) = &verified.connection {
            of_server(connection, page);
        }
        if verified.as_served {
            page.field("sent", &sent(&verified.sent));
        }
        if let Some(connection) = &verified.connection
            && let Some(compared) = &connection.file
        {
            page.field(
                "in the file",
                &format!(
                    "{}: {}",
                    compared.file,
                    match (compared.same_certificate, compared.same_chain) {
                        (true, true) => "the same",
                        (true, false) => "the same certificate, with another chain",
                        (false, _) => "another certificate",
                    }
                ),
            );
        }
        match &verified.known {
            Some(IndexLookup::Known(known)) => page.field("in the index", &in_index(known)),
            Some(IndexLookup::Unknown) => page.field("in the index", "no such certificate"),
            None => {}
        }
        if let Ok(Verdict { until: Some(until), .. }) = &verified.verdict {
            let left = humanize(until.at - self.options.at);
            let because = page.sentence(&until.what);
            page.field("expires", &format!("{} (in {left}; then {because} expires)", rfc3339(until.at)));
        }
        if !verified.clients.is_empty() {
            let lines: Vec<_> = verified.clients.iter().map(clients::line).collect();
            page.rows("clients", &lines);
        }
        for problem in verified.problems() {
            self.problem(problem, page);
        }
    }

    fn problem(&self, problem: &Problem, page: &mut Page) {
        page.gap();
        let tone = if problem.severity == Severity::Error { Tone::Bad } else { Tone::Warning };
        let message = page.sentence(&problem.message);
        page.pieces(&[(tone, problem.severity.name()), (Tone::Plain, ": "), (Tone::Strong, &message)]);
        let place = page.sentence(&problem.certificate.to_string());
        let whose = problem.subject.as_ref().map_or(place.clone(), |subject| format!("{place}, {}", shown(subject)));
        page.field("  certificate", &whose);
        page.field("  rule", &format!("{} ({})", problem.code, problem.citation));
        page.field("  what to do", &page.sentence(&problem.hint));
    }

    /// One line for each file.
    fn lines(&self, page: &mut Page) {
        for verified in self.results.iter() {
            let what = match (&verified.verdict, verified.problems().first()) {
                (Ok(Verdict { until: Some(until), .. }), _) => format!("expires {}", rfc3339(until.at)),
                (_, Some(problem)) => format!("{}: {}", problem.code, page.sentence(&problem.message)),
                _ => String::new(),
            };
            let (tone, word) = if verified.is_valid() { (Tone::Good, "valid    ") } else { (Tone::Bad, "not valid") };
            page.pieces(&[
                (tone, word),
                (Tone::Plain, "  "),
                (Tone::Strong, &verified.file),
                (Tone::Plain, "  "),
                (Tone::Plain, &what),
            ]);
        }
    }
}

fn shown(subject: &str) -> &str {
    if subject.is_empty() { "(no subject)" } else { subject }
}

fn of_server(connection: &Connection, page: &mut Page) {
    let how = connection.starttls.map_or_else(String::new, |protocol| format!(", STARTTLS of {}", protocol.name()));
    let mut lines = vec![format!("{}, asked for {}{how}", connection.address, connection.host_name)];
    let served = &connection.served;
    let negotiated: Vec<_> = served
        .version
        .map(|version| version.to_string())
        .into_iter()
        .chain(served.cipher_suite.map(|suite| suite.to_string()))
        .collect();
    if !negotiated.is_empty() {
        lines.push(negotiated.join(", "));
    }
    if served.requests_certificate {
        lines.push("asks clients for a certificate; none was shown".to_owned());
    }
    if let Some(cause) = &served.failure {
        lines.push(format!("the handshake went no further: {}", cause.sentence));
    }
    page.rows("server", &lines);
}

/// `2 certificates: CN=web.corp.test; CN=Corp Root CA issuing`.
fn sent(sent: &[Candidate]) -> String {
    let subjects: Vec<_> =
        sent.iter().map(|candidate| shown(&candidate.certificate.subject.to_string()).to_owned()).collect();
    format!("{} certificate{}: {}", sent.len(), if sent.len() == 1 { "" } else { "s" }, subjects.join("; "))
}

fn in_index(known: &KnownCertificate) -> String {
    let KnownCertificate { entry, newer, status } = known;
    match newer {
        Some(newer) => format!("{}, {status}, superseded by {}", entry.name, newer.serial),
        None => format!("{}, {status}, the latest of its name", entry.name),
    }
}

impl Report for VerifyReport {
    fn text(&self, page: &mut Page) {
        match self.results.as_slice() {
            [verified] if !self.quiet => self.one(verified, page),
            _ => self.lines(page),
        }
    }

    fn json(&self) -> Value {
        let warnings = WarningsJson::new(&self.warnings);
        match self.results.as_slice() {
            [verified] => {
                let mut content = VerifyJson::new(verified, &self.options);
                content.warnings = warnings;
                json::document("ca.verify/1", &content)
            }
            many => {
                let result =
                    |verified: &VerifiedFile| json::document("ca.verify/1", &VerifyJson::new(verified, &self.options));
                let results = many.iter().map(|verified| result(verified)).collect();
                let content = VerifyManyJson { results, warnings };
                json::document("ca.verify-many/1", &content)
            }
        }
    }

    fn answer(&self) -> Answer {
        if self.results.iter().all(|verified| verified.is_valid()) { Answer::Yes } else { Answer::No }
    }
}
