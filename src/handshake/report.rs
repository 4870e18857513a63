//! The results of a handshake test, without types of the TLS library.

use std::time::Duration;

use time::OffsetDateTime;

use super::cause::{ALERT_RECEIVED, CLOSED, Cause, TIMED_OUT};
use super::likely_cause::LikelyCause;
use crate::tls::{Alert, Body, CipherSuite, Message, NamedGroup, Recording, Side, SignatureScheme, TlsVersion};

/// All results of a test.
#[derive(Debug, Clone)]
pub struct HandshakeReport {
    /// The time at which both endpoints verified.
    pub at: OffsetDateTime,
    /// The name that the client requested.
    pub host_name: String,
    /// The good case, once for each TLS version.
    pub sessions: Vec<Session>,
    /// The cases that had to be refused, in the versions whose session passed: in others a refusal proves nothing.
    pub refusals: Vec<Refusal>,
    /// The number of sessions whose messages or recording were not kept, since all sessions together have a limit.
    pub not_kept: usize,
}

impl HandshakeReport {
    /// Returns whether the good case passed, and each case that could be tried was refused as expected.
    pub fn passed(&self) -> bool {
        self.sessions.iter().any(Session::passed)
            && self.sessions.iter().all(|session| session.passed() || session.closed_early)
            && self.refusals.iter().all(Refusal::is_as_expected)
    }
}

/// An exchange that had to succeed.
#[derive(Debug, Clone)]
pub struct Session {
    pub version: TlsVersion,
    /// Why it failed; `None` when it passed.
    pub failure: Option<HandshakeFailure>,
    pub cipher_suite: Option<CipherSuite>,
    /// The group of the Diffie-Hellman exchange.
    pub key_exchange: Option<NamedGroup>,
    pub server: ObservedPeer,
    pub client: ObservedPeer,
    /// `true` when it resumed an earlier session, without certificates; both endpoints are those of that session.
    pub resumed: bool,
    /// `true` when a client of another program closed the connection before it sent a certificate, and came back with a session that passed.
    pub closed_early: bool,
    /// The number of bytes of application data that arrived unchanged.
    pub to_server: usize,
    pub to_client: usize,
    /// The time from the client hello until both endpoints had finished, including the computing time of both.
    pub handshake: Option<Duration>,
    pub messages: Vec<Message>,
    pub recording: Recording,
}

impl Session {
    /// Returns whether the client sent nothing, or closed the connection without an alert before it showed a certificate.
    pub fn is_closed_early(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| match failure.cause.code {
            CLOSED => failure.by == Side::Client && self.client.subject.is_none(),
            TIMED_OUT => self.messages.is_empty() && self.recording.bytes() == 0,
            _ => false,
        })
    }

    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }

    /// Returns whether the server requested another key share (RFC 8446 §4.1.4).
    pub fn hello_retry(&self) -> bool {
        self.message(Side::Server, |body| matches!(body, Body::HelloRetryRequest { .. })).is_some()
    }

    /// Returns the first message of this type from this endpoint.
    pub fn message(&self, from: Side, is: impl Fn(&Body) -> bool) -> Option<&Message> {
        self.messages.iter().find(|message| message.from == from && is(&message.body))
    }
}

/// The identity of an endpoint, as observed in the messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedPeer {
    /// `true` when the other endpoint accepted the certificate and the proof of possession of its key.
    pub authenticated: bool,
    pub subject: Option<String>,
    pub serial: Option<String>,
    /// The signature scheme of the proof of possession.
    pub signature: Option<SignatureScheme>,
}

/// How an exchange failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandshakeFailure {
    /// The endpoint that ended it.
    pub by: Side,
    /// The alert that crossed the wire.
    pub alert: Option<Alert>,
    pub cause: Cause,
    /// The certificate that was refused; `None` when the failure is not about a certificate.
    pub certificate: Option<RefusedCertificate>,
    /// What the client's certificate and the server's request explain, when a server of another program refused; `None` for nothing.
    pub likely: Option<LikelyCause>,
}

impl HandshakeFailure {
    /// Returns what the user can do, for a handshake that should succeed. Of another program's refusal only the alert is known:
    /// then it is the likely cause (RFC 8446 §6.2).
    pub fn fix(&self) -> &'static str {
        if let Some(likely) = &self.likely {
            return likely.fix();
        }
        let Some(alert) = self.alert.filter(|_| self.cause.code == ALERT_RECEIVED) else { return self.cause.fix() };
        match (alert, self.by) {
            (Alert::PROTOCOL_VERSION, _) => {
                "the other side does not speak this version of TLS: try the other one with --tls"
            }
            (Alert::UNKNOWN_CA, Side::Server) => {
                "check the CAs that the server trusts: it needs the root, every intermediate that clients do not send, and a \
                 CRL of each if it checks CRLs"
            }
            (Alert::CERTIFICATE_REQUIRED, _) => "give the client a certificate and its key: --client",
            (Alert::UNSUPPORTED_CERTIFICATE, Side::Server) => {
                "issue the client's certificate from the template client or peer: it may have another purpose"
            }
            (Alert::CERTIFICATE_EXPIRED, _) => {
                "check the validity of the certificates, and the clock of the other side"
            }
            (Alert::CERTIFICATE_REVOKED, _) => {
                "issue a new certificate: this one, or a CA in its chain, has been revoked"
            }
            _ => self.cause.fix(),
        }
    }

    /// Returns whether the failures are equal, apart from the certificate.
    pub fn same_except_certificate(&self, other: &Self) -> bool {
        (self.by, &self.alert, &self.cause) == (other.by, &other.alert, &other.cause)
    }
}

/// The certificate that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedCertificate {
    pub subject: String,
    pub serial: String,
}

/// The expected reason of a server that is not part of this program: its own, which it need not report.
pub const OTHER_SERVER_REASON: &str = "refused-by-the-server";

/// The refusal that a case expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpectedRefusal {
    /// The endpoint that has to refuse.
    pub by: Side,
    /// The reason, as in [`Cause::code`].
    pub error: &'static str,
    /// The alert on the wire; `None`: none is sent, or a server that is not part of this program chooses it.
    pub alert: Option<Alert>,
}

impl ExpectedRefusal {
    /// The refusal by a server that is not part of this program.
    pub(super) const BY_OTHER_SERVER: Self = Self { by: Side::Server, error: OTHER_SERVER_REASON, alert: None };
}

/// An exchange that had to be refused.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The code of the case, such as `expired-client`.
    pub case: &'static str,
    /// The case as text.
    pub title: &'static str,
    pub version: TlsVersion,
    pub outcome: RefusalOutcome,
    /// The refusal that the case expects.
    pub expected: ExpectedRefusal,
    /// A limitation of how the case was tried.
    pub caveat: Option<&'static str>,
    /// The recording; `None` when the case was not tried.
    pub recording: Option<Recording>,
}

/// The outcome of an exchange that had to be refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusalOutcome {
    /// Refused; [`Refusal::is_as_expected`] compares it with the expected refusal.
    Refused(HandshakeFailure),
    /// It was accepted.
    Accepted,
    /// It could not be tried with these certificates, for this reason.
    Untried(String),
}

impl Refusal {
    /// Returns whether it was refused as expected, or not tried.
    pub fn is_as_expected(&self) -> bool {
        match &self.outcome {
            RefusalOutcome::Refused(_) => self.refused_as_expected(),
            RefusalOutcome::Accepted => false,
            RefusalOutcome::Untried(_) => true,
        }
    }

    /// Returns whether it was refused by the expected endpoint, with the expected alert, for the expected reason.
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
        HandshakeFailure { by, alert, cause, certificate: None, likely: None }
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
