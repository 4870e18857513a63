//! The report of `ca handshake-test`.

use serde_json::Value;

use super::handshake_json::HandshakeTestJson;
use crate::app::handshake::request::{HandshakeResult, VisitedServer};
use crate::handshake::Session;
use crate::report::handshake as shown;
use crate::report::json;
use crate::report::ladder::ladder;
use crate::report::output::{Answer, Report};
use crate::report::page::{Page, Tone};
use crate::report::refusals::refusals;
use crate::tls::{Body, Side};

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
        if let Some(VisitedServer { starttls, protocol }) = &self.result.server {
            let after = if starttls.is_some() { ", after STARTTLS" } else { "" };
            page.field("protocol", &format!("{}{after}", protocol.name()));
        }
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
        json::document("ca.handshake-test/1", &HandshakeTestJson::new(&self.result, self.trace))
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
        let closed_early = found.sessions.iter().filter(|session| session.closed_early).count();
        if closed_early > 0 {
            let connections = if closed_early == 1 { "connection" } else { "connections" };
            sentence = format!(
                "{sentence}; {closed_early} {connections} of the same client closed before a certificate was sent"
            );
        }
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
        let is_request = |body: &Body| matches!(body, Body::CertificateRequest { .. });
        let is_asked = |session: &Session| session.message(Side::Server, is_request).is_some();
        if self.visits && sessions > 0 && !found.sessions.iter().any(is_asked) {
            page.line("The server requests no certificate from its clients, so it lets every client in.");
            page.line("  what to do  turn that on in the server (nginx: ssl_verify_client on)");
        }
        let (tone, word) = if found.passed() { (Tone::Good, "passed") } else { (Tone::Bad, "FAILED") };
        page.pieces(&[(tone, word), (Tone::Plain, ": "), (Tone::Plain, &sentence)]);
    }
}
