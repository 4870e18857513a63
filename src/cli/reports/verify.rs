//! The results of `ca verify`.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::clients::client_json;
use crate::app::verify::clients;
use crate::app::verify::verified_file::{Connection, IndexLookup, KnownCertificate, VerifiedFile};
use crate::handshake::KeyProof;
use crate::lint::Severity;
use crate::report::output::{Answer, Report};
use crate::report::page::{Page, Tone};
use crate::text::{hex, humanize, rfc3339};
use crate::verify::{Candidate, Link, Problem, Role, Verdict, VerifyOptions};

/// The results for all files.
pub struct VerifyReport {
    pub options: VerifyOptions,
    pub results: Vec<VerifiedFile>,
    /// What was left out of the files.
    pub warnings: Vec<String>,
    /// One line a file, without advice.
    pub quiet: bool,
    /// Paths below it are shown relative to it in the text.
    pub working_folder: PathBuf,
}

impl VerifyReport {
    /// A text with the paths below the working folder as a person here would type them.
    fn near(&self, text: &str) -> String {
        match self.working_folder.to_str().filter(|folder| folder.len() > 1) {
            Some(folder) => text.replace(&format!("{folder}/"), ""),
            None => text.to_owned(),
        }
    }

    fn one(&self, verified: &VerifiedFile, page: &mut Page) {
        let (tone, word) = if verified.is_valid() { (Tone::Good, "valid") } else { (Tone::Bad, "not valid") };
        page.pieces(&[(tone, word), (Tone::Plain, "  "), (Tone::Strong, &verified.file)]);
        page.gap();
        for link in verified.chain() {
            let until = format!("expires {}, {}", rfc3339(link.not_after), self.near(&link.source.to_string()));
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
            let because = self.near(&until.what);
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
        let message = self.near(&problem.message);
        page.pieces(&[(tone, problem.severity.name()), (Tone::Plain, ": "), (Tone::Strong, &message)]);
        let place = self.near(&problem.certificate.to_string());
        let whose = problem.subject.as_ref().map_or(place.clone(), |subject| format!("{place}, {}", shown(subject)));
        page.field("  certificate", &whose);
        page.field("  rule", &format!("{} ({})", problem.code, problem.citation));
        page.field("  what to do", &self.near(&problem.hint));
    }

    /// One line for each file.
    fn lines(&self, page: &mut Page) {
        for verified in &self.results {
            let what = match (&verified.verdict, verified.problems().first()) {
                (Ok(Verdict { until: Some(until), .. }), _) => format!("expires {}", rfc3339(until.at)),
                (_, Some(problem)) => format!("{}: {}", problem.code, self.near(&problem.message)),
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
    let mut lines = vec![format!("{}, asked for {}", connection.address, connection.host_name)];
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

fn file_json(verified: &VerifiedFile, options: &VerifyOptions) -> Value {
    let verdict = verified.verdict.as_ref().ok();
    let until = verdict.and_then(|verdict| verdict.until.as_ref());
    let mut document = json!({
        "schema": "ca.verify/1",
        "file": verified.file,
        "valid": verified.is_valid(),
        "at": rfc3339(options.at),
        "purpose": options.purpose.name(),
        "names": options.names.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "chain": verified.chain().iter().map(link_json).collect::<Vec<_>>(),
        "problems": verified.problems().iter().map(problem_json).collect::<Vec<_>>(),
        "valid_until": until.map(|until| rfc3339(until.at)),
        "valid_until_because": until.map(|until| &until.what),
        "valid_until_ends": until.map(|until| json!({
            "what": until.cause.name(),
            "source": until.position.to_string(),
        })),
        "rustls_refuses": verdict.and_then(|verdict| verdict.rustls_refuses.as_ref()),
        "as_served": verified.as_served.then(|| json!({
            "certificates": verified.sent.iter().map(sent_json).collect::<Vec<_>>(),
        })),
        "connection": verified.connection.as_ref().map(connection_json),
        "in_file": verified.connection.as_ref().and_then(|connection| connection.file.as_ref()).map(|compared| json!({
            "file": compared.file,
            "same_certificate": compared.same_certificate,
            "same_chain": compared.same_chain,
        })),
        "in_index": verified.known.as_ref().map(lookup_json),
    });
    if !verified.clients.is_empty()
        && let Some(fields) = document.as_object_mut()
    {
        fields.insert("clients".to_owned(), verified.clients.iter().map(client_json).collect());
    }
    document
}

fn lookup_json(lookup: &IndexLookup) -> Value {
    match lookup {
        IndexLookup::Unknown => {
            json!({ "known": false, "name": null, "serial": null, "status": null, "superseded_by": null })
        }
        IndexLookup::Known(known) => json!({
            "known": true,
            "name": known.entry.name,
            "serial": known.entry.serial.to_string(),
            "status": known.status.name(),
            "superseded_by": known.newer.as_ref().map(|newer| newer.serial.to_string()),
        }),
    }
}

fn link_json(link: &Link) -> Value {
    json!({
        "subject": link.subject.to_string(),
        "issuer": link.issuer.to_string(),
        "serial": link.serial.to_string(),
        "not_after": rfc3339(link.not_after),
        "role": link.role.name(),
        "source": link.source.to_string(),
    })
}

fn problem_json(problem: &Problem) -> Value {
    json!({
        "code": problem.code,
        "severity": problem.severity.name(),
        "certificate": problem.certificate.to_string(),
        "subject": problem.subject,
        "message": problem.message,
        "hint": problem.hint,
        "citation": problem.citation,
    })
}

fn sent_json(candidate: &Candidate) -> Value {
    json!({
        "number": candidate.position.number,
        "subject": candidate.certificate.subject.to_string(),
        "serial": candidate.certificate.serial.to_string(),
        "fingerprint_sha256": hex(&candidate.certificate.fingerprint()),
    })
}

fn connection_json(connection: &Connection) -> Value {
    let served = &connection.served;
    json!({
        "address": connection.address,
        "hostname": connection.host_name,
        "tls": served.version.map(|version| version.number()),
        "cipher_suite": served.cipher_suite,
        "asks_for_client_certificate": served.requests_certificate,
        "holds_key": match served.proof {
            KeyProof::Given => Some(true),
            KeyProof::Wrong => Some(false),
            KeyProof::Unknown => None,
        },
        "broken_off": served.failure.as_ref().map(|cause| json!({ "error": cause.code, "message": cause.sentence })),
    })
}

impl Report for VerifyReport {
    fn text(&self, page: &mut Page) {
        match self.results.as_slice() {
            [verified] if !self.quiet => self.one(verified, page),
            _ => self.lines(page),
        }
    }

    fn json(&self) -> Value {
        let mut document = match self.results.as_slice() {
            [verified] => file_json(verified, &self.options),
            many => json!({
                "schema": "ca.verify-many/1",
                "results": many.iter().map(|verified| file_json(verified, &self.options)).collect::<Vec<_>>(),
            }),
        };
        if !self.warnings.is_empty()
            && let Some(fields) = document.as_object_mut()
        {
            fields.insert("warnings".to_owned(), json!(self.warnings));
        }
        document
    }

    fn answer(&self) -> Answer {
        if self.results.iter().all(VerifiedFile::is_valid) { Answer::Yes } else { Answer::No }
    }
}
