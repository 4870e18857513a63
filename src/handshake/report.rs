//! What a handshake test found: plain facts, without a word of the TLS library.

use std::time::Duration;

use time::OffsetDateTime;

use super::cause::Cause;
use crate::tls::{Alert, Body, CipherSuite, Message, NamedGroup, Recording, Side, SignatureScheme, TlsVersion};

/// Everything that was found.
#[derive(Debug, Clone)]
pub struct HandshakeReport {
    /// The time that both sides judged by.
    pub at: OffsetDateTime,
    /// Whom the client asked for.
    pub host_name: String,
    /// The good case, once per TLS version.
    pub sessions: Vec<Session>,
    /// What had to be refused, in the versions whose session passed: elsewhere a refusal proves nothing.
    pub refusals: Vec<Refusal>,
}

impl HandshakeReport {
    /// The good case passes, and everything bad that could be tried was refused for its right reason.
    pub fn passed(&self) -> bool {
        !self.sessions.is_empty()
            && self.sessions.iter().all(Session::passed)
            && self.refusals.iter().all(Refusal::is_as_expected)
    }
}

/// One exchange that had to succeed.
#[derive(Debug, Clone)]
pub struct Session {
    pub version: TlsVersion,
    /// Why it did not succeed.
    pub failure: Option<HandshakeFailure>,
    pub cipher_suite: Option<CipherSuite>,
    /// The group of the Diffie-Hellman exchange.
    pub key_exchange: Option<NamedGroup>,
    pub server: ObservedPeer,
    pub client: ObservedPeer,
    /// Taken up from an earlier one, without certificates; both sides are who they were there.
    pub resumed: bool,
    /// Bytes of application data that arrived and were the right ones.
    pub to_server: usize,
    pub to_client: usize,
    /// From the client hello until both sides were done, computing time of both included.
    pub handshake: Option<Duration>,
    pub messages: Vec<Message>,
    pub recording: Recording,
}

impl Session {
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }

    /// The server asked for another key share (RFC 8446 §4.1.4).
    pub fn hello_retry(&self) -> bool {
        self.message(Side::Server, |body| matches!(body, Body::HelloRetryRequest { .. })).is_some()
    }

    /// The first message of this kind from this side.
    pub fn message(&self, from: Side, is: impl Fn(&Body) -> bool) -> Option<&Message> {
        self.messages.iter().find(|message| message.from == from && is(&message.body))
    }
}

/// Who was seen at one end, in the messages themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedPeer {
    /// The other side accepted the certificate and the proof that its key is held.
    pub authenticated: bool,
    pub subject: Option<String>,
    pub serial: Option<String>,
    /// The scheme with which it proved that it holds the key.
    pub signature: Option<SignatureScheme>,
}

/// How an exchange ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandshakeFailure {
    /// Who gave up.
    pub by: Side,
    /// The alert that really crossed the wire.
    pub alert: Option<Alert>,
    pub cause: Cause,
    /// The certificate that it is about, if it is about one that was shown.
    pub certificate: Option<RefusedCertificate>,
}

impl HandshakeFailure {
    /// The same ending, whichever certificates it befell.
    pub fn same_except_certificate(&self, other: &Self) -> bool {
        (self.by, &self.alert, &self.cause) == (other.by, &other.alert, &other.cause)
    }
}

/// Which certificate was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedCertificate {
    pub subject: String,
    pub serial: String,
}

/// The reason that is expected of a server that somebody else runs: its own, which it need not tell.
pub const OTHER_SERVER_REASON: &str = "refused-by-the-server";

/// What has to become of something bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpectedRefusal {
    /// Who has to refuse it.
    pub by: Side,
    /// The reason, as [`Cause::code`].
    pub error: &'static str,
    /// The alert on the wire; nothing: none is sent, or another server chooses its own.
    pub alert: Option<Alert>,
}

impl ExpectedRefusal {
    /// Of a server that somebody else runs.
    pub(super) const BY_OTHER_SERVER: Self = Self { by: Side::Server, error: OTHER_SERVER_REASON, alert: None };
}

/// One exchange that had to be refused.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// `expired-client`.
    pub case: &'static str,
    /// The case in words.
    pub title: &'static str,
    pub version: TlsVersion,
    pub outcome: RefusalOutcome,
    /// Who should have refused, how, and why.
    pub expected: ExpectedRefusal,
    /// What has to be known of how it was tried.
    pub caveat: Option<&'static str>,
    /// What crossed the wire, if anything was tried.
    pub recording: Option<Recording>,
}

/// What became of something that had to be refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusalOutcome {
    /// Refused; whether for the right reason is for [`Refusal::is_as_expected`] to say.
    Refused(HandshakeFailure),
    /// It was let through.
    Accepted,
    /// It could not be tried with these certificates, and why.
    Untried(String),
}

impl Refusal {
    /// Refused by the right side, with an alert, for the right reason; or not tried at all.
    pub fn is_as_expected(&self) -> bool {
        match &self.outcome {
            RefusalOutcome::Refused(_) => self.refused_as_expected(),
            RefusalOutcome::Accepted => false,
            RefusalOutcome::Untried(_) => true,
        }
    }

    /// Refused by the side that had to refuse it, with the alert that says so, for the reason that makes it bad.
    pub fn refused_as_expected(&self) -> bool {
        let RefusalOutcome::Refused(found) = &self.outcome else { return false };
        let expected = self.expected;
        found.by == expected.by
            && if expected.error == OTHER_SERVER_REASON {
                found.cause.may_come_from_other_server()
            } else {
                found.cause.code == expected.error && found.alert == expected.alert
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(by: Side, code: &'static str, alert: Option<Alert>) -> HandshakeFailure {
        let cause = Cause { code, sentence: "so it is".to_owned(), date: None };
        HandshakeFailure { by, alert, cause, certificate: None }
    }

    #[test]
    fn another_server_has_refused_in_whatever_way_servers_do_and_in_no_other() {
        let refusal = |by, code| Refusal {
            case: "expired-client",
            title: "client that has expired",
            version: TlsVersion::Tls13,
            outcome: RefusalOutcome::Refused(broken(by, code, None)),
            expected: ExpectedRefusal::BY_OTHER_SERVER,
            caveat: None,
            recording: None,
        };
        for code in ["alert-received", "closed", "http-400", "http-495", "http-496"] {
            assert!(refusal(Side::Server, code).is_as_expected(), "{code}");
            assert!(!refusal(Side::Client, code).is_as_expected(), "{code}");
        }
        for code in ["timed-out", "not-tls", "certificate-expired", "no-answer", "connection-failed"] {
            assert!(!refusal(Side::Server, code).is_as_expected(), "{code}");
        }
    }

    #[test]
    fn endings_are_alike_when_side_alert_and_cause_are() {
        let one = broken(Side::Server, "certificate-expired", Some(Alert::CERTIFICATE_EXPIRED));
        let certificate = Some(RefusedCertificate { subject: "CN=client".to_owned(), serial: "c1".to_owned() });
        assert!(one.same_except_certificate(&HandshakeFailure { certificate, ..one.clone() }));
        for other in [
            HandshakeFailure { by: Side::Client, ..one.clone() },
            HandshakeFailure { alert: None, ..one.clone() },
            HandshakeFailure { cause: Cause { code: "timed-out", ..one.cause.clone() }, ..one.clone() },
        ] {
            assert!(!one.same_except_certificate(&other), "{other:?}");
        }
    }
}
