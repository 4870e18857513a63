//! The report of `ca handshake-test`.

use serde_json::{Value, json};

use crate::app::handshake::request::HandshakeResult;
use crate::handshake::measure::{self, Rate};
use crate::handshake::report::{RefusalOutcome, RefusedCertificate};
use crate::handshake::{ObservedPeer, Refusal, Session};
use crate::report::handshake as shown;
use crate::report::ladder::{ladder, messages_json};
use crate::report::output::{Answer, Report};
use crate::report::page::{Page, Tone};
use crate::report::refusals::refusals;

/// The result of a handshake test, and how much of it is shown.
pub struct HandshakeTestReport {
    pub result: HandshakeResult,
    /// True when every message is shown.
    pub trace: bool,
    /// True when refusals were tried.
    pub refusals: bool,
    /// True when the server is another program's.
    pub visits: bool,
}

impl Report for HandshakeTestReport {
    fn text(&self, page: &mut Page) {
        let found = &self.result.found;
        page.field("asked for", &found.host_name);
        page.field("time", &crate::text::rfc3339(found.at));
        for session in &found.sessions {
            shown::session(page, session);
            if self.trace {
                ladder(page, &session.version.to_string(), &session.messages);
            }
        }
        if !found.refusals.is_empty() {
            refusals(page, &found.refusals);
        }
        // Refusals that are right are shown in one line already.
        for refusal in found.refusals.iter().filter(|refusal| self.trace && !refusal.is_as_expected()) {
            if let Some(recording) = &refusal.recording {
                ladder(page, &format!("{}, {}", refusal.version, refusal.title), &recording.messages());
            }
        }
        if !self.result.rates.is_empty() {
            shown::rates(page, "How fast", &self.result.rates);
        }
        if !self.result.matrix.is_empty() {
            shown::rates(page, "How fast, copies with other keys and key exchanges", &self.result.matrix);
        }
        page.gap();
        self.verdict(page);
    }

    fn json(&self) -> Value {
        let mut document = json!({
            "schema": "ca.handshake-test/1",
            "passed": self.result.found.passed(),
            "at": crate::text::rfc3339(self.result.found.at),
            "hostname": self.result.found.host_name,
            "sessions": self.result.found.sessions.iter().map(session_json).collect::<Vec<_>>(),
            "refusals": self.result.found.refusals.iter().map(|refusal| refusal_json(refusal, self.trace)).collect::<Vec<_>>(),
            "key_mismatch": self.result.mismatches,
        });
        if !self.result.rates.is_empty() {
            let count = self.result.rates.iter().filter(|rate| !rate.resumed).map(|rate| rate.count).sum();
            let total = self.result.rates.iter().filter(|rate| !rate.resumed).map(|rate| rate.total).sum();
            document["handshakes_per_second"] = json!(measure::per_second(count, total));
            document["repeat"] = self.result.rates.iter().map(rate_json).collect();
        }
        if !self.result.matrix.is_empty() {
            document["matrix"] = self.result.matrix.iter().map(rate_json).collect();
        }
        document
    }

    fn answer(&self) -> Answer {
        if self.result.found.passed() { Answer::Yes } else { Answer::No }
    }
}

impl HandshakeTestReport {
    fn verdict(&self, page: &mut Page) {
        let found = &self.result.found;
        for whose in &self.result.mismatches {
            page.toned(Tone::Bad, &format!("The {whose}'s key is not the key of its certificate."));
        }
        let sessions = found.sessions.iter().filter(|session| session.passed()).count();
        let good = found.refusals.iter().filter(|refusal| refusal.refused_as_expected()).count();
        let wrong = found.refusals.iter().filter(|refusal| !refusal.is_as_expected()).count();
        let untried = found.refusals.len() - good - wrong;
        let mut sentence = format!("{sessions} of {} handshakes passed", found.sessions.len());
        if !found.refusals.is_empty() {
            sentence = format!("{sentence}, {good} refusals right, {wrong} wrong, {untried} not tried");
        }
        let was_tried = |version| found.refusals.iter().any(|refusal| refusal.version == version);
        let (late, early): (Vec<&Session>, Vec<&Session>) =
            found.sessions.iter().filter(|session| !session.passed()).partition(|session| was_tried(session.version));
        let versions = |sessions: &[&Session]| {
            sessions.iter().map(|session| session.version.to_string()).collect::<Vec<_>>().join(" and ")
        };
        if self.refusals && !early.is_empty() {
            page.line(&format!("In {} a refusal would prove nothing, so none was tried.", versions(&early)));
        }
        if self.visits && !late.is_empty() {
            page.line(&format!("In {} the good case failed after the refusals: they prove nothing.", versions(&late)));
        }
        let (tone, word) = if found.passed() { (Tone::Good, "passed") } else { (Tone::Bad, "FAILED") };
        page.pieces(&[(tone, word), (Tone::Plain, ": "), (Tone::Plain, &sentence)]);
    }
}

fn session_json(session: &Session) -> Value {
    json!({
        "tls": session.version.number(),
        "passed": session.passed(),
        "cipher_suite": session.cipher_suite,
        "key_exchange": session.key_exchange,
        "signature": session.server.signature,
        "server": peer_json(&session.server),
        "client": peer_json(&session.client),
        "resumed": session.resumed,
        "hello_retry": session.hello_retry(),
        "application_bytes": { "to_server": session.to_server, "to_client": session.to_client },
        "handshake_us": session.handshake.map(microseconds),
        "messages": messages_json(&session.messages),
        "broken_off": session.failure.as_ref().map(|found| json!({
            "by": found.by.name(),
            "alert": found.alert,
            "error": found.cause.code,
            "message": found.cause.sentence,
            "hint": found.cause.fix(),
            "certificate": found.certificate.as_ref().map(refused_certificate_json),
        })),
    })
}

fn refused_certificate_json(certificate: &RefusedCertificate) -> Value {
    json!({ "subject": certificate.subject, "serial": certificate.serial })
}

fn peer_json(peer: &ObservedPeer) -> Value {
    json!({
        "authenticated": peer.authenticated,
        "subject": peer.subject,
        "serial": peer.serial,
        "signature": peer.signature,
    })
}

fn refusal_json(refusal: &Refusal, trace: bool) -> Value {
    let expected = refusal.expected;
    let mut value = json!({
        "case": refusal.case,
        "tls": refusal.version.number(),
        "refused": null,
        "by": null,
        "alert": null,
        "error": null,
        "message": null,
        "right": refusal.is_as_expected(),
        "caveat": refusal.caveat,
        "expected": { "by": expected.by.name(), "alert": expected.alert, "error": expected.error },
    });
    match &refusal.outcome {
        RefusalOutcome::Refused(found) => {
            value["refused"] = json!(true);
            value["by"] = json!(found.by.name());
            value["alert"] = json!(found.alert);
            value["error"] = json!(found.cause.code);
            value["message"] = json!(found.cause.sentence);
        }
        RefusalOutcome::Accepted => value["refused"] = json!(false),
        RefusalOutcome::Untried(reason) => {
            value["error"] = json!("not-tried");
            value["message"] = json!(reason);
        }
    }
    if trace && let Some(recording) = &refusal.recording {
        value["messages"] = messages_json(&recording.messages());
    }
    value
}

fn rate_json(rate: &Rate) -> Value {
    json!({
        "tls": rate.version.number(),
        "key": rate.key,
        "group": rate.group,
        "resumed": rate.resumed,
        "count": rate.count,
        "jobs": rate.jobs,
        "handshakes_per_second": rate.per_second(),
        "median_us": microseconds(rate.median),
        "p95_us": microseconds(rate.p95),
        "p99_us": microseconds(rate.p99),
        "bytes": rate.bytes,
    })
}

fn microseconds(length: std::time::Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}
