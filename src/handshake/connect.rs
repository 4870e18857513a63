//! The test against a running server: this program is the client.
//!
//! After the handshake the client asks a question and waits for the answer ([`super::application`]). Each case has its own
//! connection without resumption, so that a server that does not request certificates is detected.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use time::OffsetDateTime;

use super::application::{ApplicationProtocol, Question};
use super::cause::Cause;
use super::dial::{open, resolve};
use super::endpoint::Endpoint;
use super::error::{CopyError, ExchangeError, HandshakeError};
use super::facts;
use super::known_bad_clients::KnownBadClients;
use super::likely_cause;
use super::peer_connection::PeerConnection;
use super::refusals::cases::allows_purpose;
use super::refusals::forged_peer::{ForgedPeer, from_unknown_ca};
use super::refusals::lookalike_ca::{CopyChanges, Purpose};
use super::report::{ExpectedRefusal, HandshakeReport, Refusal, RefusalOutcome, Session};
use super::revocation::Revocations;
use super::scenario::{self, Identity, TrustSettings};
use super::starttls::StartTls;
use crate::tls::{Secrets, Side, TlsVersion};
use crate::verify::RevocationSource;
use crate::x509::{Certificate, ExtendedKeyUsage, Validity};

/// The input of a test against a running server.
#[derive(Debug)]
pub struct ConnectTest<'a> {
    /// `host:port`.
    pub address: &'a str,
    pub host_name: &'a str,
    pub client: &'a Endpoint,
    /// Certificates of the same CA that the server must refuse.
    pub known_bad: KnownBadClients<'a>,
    /// `true` when the server has a CRL, so that it must refuse the revoked client.
    pub expect_revocation: bool,
    /// The roots that the client trusts.
    pub roots: &'a [Certificate],
    /// The revocations that the client knows; `None` when there is no source of them.
    pub revocations: Option<Arc<dyn RevocationSource>>,
    pub at: OffsetDateTime,
    pub versions: &'a [TlsVersion],
    pub refusals: bool,
    pub conversation: Conversation<'a>,
    /// The longest duration of a connection.
    pub timeout: Duration,
}

/// What is said before and after the handshake.
#[derive(Debug, Clone, Copy)]
pub struct Conversation<'a> {
    /// The protocol that begins in the clear; `None` when TLS begins with the first byte.
    pub starttls: Option<StartTls>,
    pub protocol: ApplicationProtocol,
    /// The path that is requested with HTTP.
    pub path: &'a str,
    /// The application protocols that the client offers (ALPN), in its order of preference.
    pub alpn: &'a [String],
}

impl Conversation<'_> {
    /// A request for the first page, with TLS from the first byte.
    pub const OF_HTTP: Self = Self { starttls: None, protocol: ApplicationProtocol::Http, path: "/", alpn: &[] };
}

/// Tests the server: the good case in each version, then the cases that it must refuse. At the end the good case must
/// pass once more; if it fails, it is reported as another session.
///
/// # Errors
/// When the server cannot be reached, or the client cannot be set up.
pub fn test_server(test: &ConnectTest<'_>) -> Result<HandshakeReport, HandshakeError> {
    let addresses = resolve(test.address, test.timeout)?;
    let mut report = HandshakeReport {
        at: test.at,
        host_name: test.host_name.to_owned(),
        sessions: Vec::new(),
        refusals: Vec::new(),
        not_kept: 0,
    };
    let chain: Vec<&Certificate> = test.client.chain().iter().collect();
    let identity = scenario::identity("client", &chain, test.client.key())?;
    let mut passed = Vec::new();
    for version in test.versions {
        let mut visit = connect_once(test, &addresses, *version, Some(&identity))?;
        add_likely_cause(&mut visit.session, test);
        // Where the good case fails, refusals prove nothing.
        if visit.session.passed() {
            passed.push((*version, visit.denial()));
        }
        report.sessions.push(visit.session);
    }
    if test.refusals && !passed.is_empty() {
        let cases = cases(test)?;
        for (version, of_good_client) in &passed {
            for RemoteCase { name, title, client_shows, caveat } in &cases {
                let (outcome, recording) = match client_shows {
                    Err(reason) => (RefusalOutcome::Untried(reason.clone()), None),
                    Ok(identity) => {
                        let visit = connect_once(test, &addresses, *version, identity.as_ref())?;
                        // What the good client got as well is no refusal of this one.
                        let denied = visit.denial().filter(|_| of_good_client.is_none());
                        let session = visit.session;
                        let denied =
                            denied.map(|cause| facts::describe_failure(Side::Server, cause, &session.messages));
                        let refused = session.failure.or(denied);
                        (refused.map_or(RefusalOutcome::Accepted, RefusalOutcome::Refused), Some(session.recording))
                    }
                };
                report.refusals.push(Refusal {
                    case: name,
                    title,
                    version: *version,
                    outcome,
                    expected: ExpectedRefusal::BY_OTHER_SERVER,
                    caveat: *caveat,
                    recording,
                });
            }
            // A server that blocks this client or has crashed refuses every connection: then the refusals prove
            // nothing.
            let repeated = connect_once(test, &addresses, *version, Some(&identity))?;
            if !repeated.session.passed() {
                report.sessions.push(repeated.session);
            }
        }
    }
    Ok(report)
}

/// Adds to the refusal of the good client what its certificate and the server's request explain.
fn add_likely_cause(session: &mut Session, test: &ConnectTest<'_>) {
    let Session { failure: Some(failure), messages, .. } = session else { return };
    if failure.by == Side::Server && failure.cause.may_come_from_other_server() {
        failure.likely = likely_cause::find(test.client.chain(), test.roots, test.at, messages);
    }
}

/// A case: its code and title, and the identity that the client shows, or why the case cannot be tried.
struct RemoteCase {
    name: &'static str,
    title: &'static str,
    client_shows: Result<Option<Identity>, String>,
    caveat: Option<&'static str>,
}

/// The caveat for a case that shows a copy.
const COPY: &str = "shown under a throw-away CA, because no such certificate with its key is in the CA directory: the server may have refused the issuer";

/// Returns the cases that need neither the CA's key nor the server's clock.
fn cases(test: &ConnectTest<'_>) -> Result<Vec<RemoteCase>, CopyError> {
    let copies = ForgedPeer::new("client", test.client, test.known_bad.server, test.roots);
    // Without the root that issued the client, no CA can be copied.
    let copied = |make: &dyn Fn(&ForgedPeer<'_>) -> Result<Identity, CopyError>| match &copies {
        Ok(forged) => make(forged).map(|identity| Ok(Some(identity))),
        Err(error) => Ok(Err(error.to_string())),
    };
    let known_bad_or_copy = |endpoint: Option<&Endpoint>, otherwise: CopyChanges<'_>| match endpoint {
        Some(endpoint) => {
            let chain: Vec<&Certificate> = endpoint.chain().iter().collect();
            Ok::<_, CopyError>((Ok(Some(scenario::identity("client", &chain, endpoint.key())?)), None))
        }
        None => Ok((copied(&|forged| forged.copy(otherwise))?, Some(COPY))),
    };
    let plain = |name, title, client_shows| RemoteCase { name, title, client_shows, caveat: None };
    let with = |name, title, (client_shows, caveat)| RemoteCase { name, title, client_shows, caveat };
    let server = test.known_bad.server.filter(|server| {
        // A certificate that is also valid for clients proves nothing.
        !allows_purpose(server.certificate(), &ExtendedKeyUsage::ClientAuth)
    });
    let with_validity = |ended: time::Duration, long: time::Duration| {
        let not_after = test.at.checked_sub(ended).unwrap_or(test.at);
        CopyChanges {
            validity: Some(Validity { not_before: not_after.checked_sub(long).unwrap_or(not_after), not_after }),
            ..CopyChanges::default()
        }
    };
    let (day, year) = (time::Duration::DAY, time::Duration::days(365));
    let as_server = CopyChanges { purpose: Some(Purpose::Server), ..CopyChanges::default() };
    let mut cases = vec![
        plain("no-client-certificate", "client without certificate", Ok(None)),
        plain(
            "client-of-another-ca",
            "client of another CA",
            copied(&|forged| from_unknown_ca("client", forged.endpoint, test.roots))?,
        ),
        plain(
            "client-of-namesake-ca",
            "client of a CA of the same name",
            copied(&|forged| forged.copy(CopyChanges::default()))?,
        ),
        with(
            "expired-client",
            "client that has expired",
            known_bad_or_copy(test.known_bad.expired, with_validity(day, year))?,
        ),
        with(
            "not-yet-valid-client",
            "client not valid yet",
            known_bad_or_copy(test.known_bad.not_yet_valid, with_validity(-(day + year), year))?,
        ),
        with("server-certificate-as-client", "client with server certificate", known_bad_or_copy(server, as_server)?),
        plain("client-with-wrong-key", "client with another's key", copied(&|forged| forged.with_wrong_key())?),
        plain("tampered-client", "client with altered certificate", copied(&|forged| forged.tampered())?),
    ];
    cases.push(match (test.expect_revocation, test.known_bad.revoked) {
        (true, Some(revoked)) => {
            with("revoked-client", "client that was revoked", known_bad_or_copy(Some(revoked), CopyChanges::default())?)
        }
        (true, None) => plain(
            "revoked-client",
            "client that was revoked",
            Err("no revoked client certificate with its key was found".to_owned()),
        ),
        (false, _) => plain(
            "revoked-client",
            "client that was revoked",
            Err("a server may run without a CRL: give --expect-revocation if this one checks a CRL".to_owned()),
        ),
    });
    Ok(cases)
}

/// One connection.
struct Visit {
    session: Session,
    /// The HTTP status of the answer; empty without one.
    http_status: String,
    /// `true` when the server closed the connection after the handshake without an answer.
    is_closed_unanswered: bool,
}

impl Visit {
    /// What is a refusal when the good client did not get it: HTTP status 401 or 403, and no answer at all, as of servers that
    /// verify a certificate after the handshake.
    fn denial(&self) -> Option<Cause> {
        let closed = self.is_closed_unanswered.then(|| Cause::closed(Side::Server));
        Cause::http_denied(&self.http_status).or(closed)
    }
}

/// Makes one connection, from the handshake to the answer.
fn connect_once(
    test: &ConnectTest<'_>,
    addresses: &[SocketAddr],
    version: TlsVersion,
    identity: Option<&Identity>,
) -> Result<Visit, HandshakeError> {
    let host_name = ServerName::try_from(test.host_name.to_owned())
        .map_err(|_| HandshakeError::HostName(test.host_name.to_owned()))?;
    let roots = scenario::roots(&test.roots.iter().collect::<Vec<_>>())?;
    let revocations = test.revocations.as_ref().map(|source| Revocations::new(source, test.roots, test.at));
    let trust = TrustSettings { roots, crls: Vec::new(), revocations, at: test.at };
    let secrets = Arc::new(Secrets::default());
    let mut config = scenario::visiting_config(version, identity, &trust, &secrets)?;
    let Conversation { starttls, protocol, path, alpn } = test.conversation;
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.clone().into_bytes()).collect();
    let tls_connection = ClientConnection::new(Arc::new(config), host_name)
        .map_err(|error| ExchangeError::Library(error.to_string()))?;
    // Databases that take the user from the certificate compare it with the common name.
    let user = test.client.certificate().subject.common_name().unwrap_or("postgres").to_owned();
    let question = Question::new(protocol, test.host_name, path, &user);
    let socket = open(test.address, addresses, starttls, test.host_name, test.timeout)?;
    let mut connection = PeerConnection::new(Side::Client, tls_connection.into(), socket, test.timeout);
    let ended = connection.ask(&question);
    let http_status = connection.answer_status();
    let is_closed_unanswered = connection.is_closed_unanswered(&ended);
    connection.close();
    Ok(Visit { session: connection.into_session(version, secrets, ended), http_status, is_closed_unanswered })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use rustls::server::WebPkiClientVerifier;
    use rustls::{ServerConfig, ServerConnection, Stream};

    use super::super::fixtures::{Hierarchy, NOW, TIMEOUT};
    use super::super::good_case::good_case;
    use super::*;
    use crate::tls::Alert;
    use crate::x509::KeyAlgorithm;

    const BOTH: [TlsVersion; 2] = [TlsVersion::Tls13, TlsVersion::Tls12];

    /// In place of a status: the server closes without an answer.
    const CLOSE: &str = "";

    /// Starts a server that answers each request with this status, until the test ends.
    fn serve(config: Arc<ServerConfig>, status: &'static str) -> String {
        serve_by(config, move |_| status)
    }

    /// Starts a server whose status depends on whether the client showed a certificate.
    fn serve_by(config: Arc<ServerConfig>, status: impl Fn(bool) -> &'static str + Send + 'static) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let (mut socket, config) = (socket.unwrap(), config.clone());
                let mut connection = ServerConnection::new(config).unwrap();
                let mut request = [0; 512];
                let mut stream = Stream::new(&mut connection, &mut socket);
                if stream.read(&mut request).is_ok() {
                    let status = status(stream.conn.peer_certificates().is_some());
                    if status == CLOSE {
                        continue;
                    }
                    stream.write_all(format!("HTTP/1.1 {status} X\r\n\r\n").as_bytes()).ok();
                    stream.conn.send_close_notify();
                    stream.flush().ok();
                }
            }
        });
        address
    }

    fn strict_config(hierarchy: &Hierarchy) -> Arc<ServerConfig> {
        good_case(&hierarchy.test(&BOTH), TlsVersion::Tls13).unwrap().configs().unwrap().server
    }

    fn report_of(hierarchy: &Hierarchy, address: &str, versions: &[TlsVersion]) -> HandshakeReport {
        test_server(&ConnectTest {
            address,
            host_name: "localhost",
            client: &hierarchy.client,
            known_bad: KnownBadClients { server: Some(&hierarchy.server), ..KnownBadClients::default() },
            expect_revocation: false,
            roots: std::slice::from_ref(&hierarchy.root),
            revocations: None,
            at: NOW,
            versions,
            refusals: true,
            conversation: Conversation::OF_HTTP,
            timeout: TIMEOUT,
        })
        .unwrap()
    }

    #[test]
    fn a_server_that_checks_its_clients_passes_with_every_case_that_can_be_tried() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let report = report_of(&hierarchy, &serve(strict_config(&hierarchy), "200"), &[TlsVersion::Tls13]);
        assert!(report.passed(), "{report:?}");
        assert_eq!(report.refusals.iter().filter(|refusal| refusal.refused_as_expected()).count(), 8);
        assert!(report.sessions[0].client.authenticated);
    }

    /// Some servers block a client after too many failures.
    #[test]
    fn a_server_that_accepts_no_more_clients_has_refused_nothing() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        for locked_after in [1, 4, 9, 10] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap().to_string();
            let server = serve(strict_config(&hierarchy), "200");
            std::thread::spawn(move || {
                for socket in listener.incoming().take(locked_after) {
                    forward(socket.unwrap(), TcpStream::connect(&server).unwrap());
                }
                // From now on each connection is closed at once.
                listener.incoming().for_each(drop);
            });
            let report = report_of(&hierarchy, &address, &[TlsVersion::Tls13]);
            assert!(report.refusals.iter().all(Refusal::is_as_expected), "{report:?}");
            let sessions: Vec<bool> = report.sessions.iter().map(Session::passed).collect();
            let expected: &[bool] = if locked_after < 10 { &[true, false] } else { &[true] };
            assert_eq!((sessions.as_slice(), report.passed()), (expected, locked_after == 10), "{locked_after}");
        }
    }

    /// Forwards bytes in both directions until both connections have ended.
    fn forward(one: TcpStream, other: TcpStream) {
        let carry = |mut from: TcpStream, mut to: TcpStream| {
            std::io::copy(&mut from, &mut to).ok();
            to.shutdown(std::net::Shutdown::Write).ok();
        };
        let (back_from, back_to) = (other.try_clone().unwrap(), one.try_clone().unwrap());
        std::thread::spawn(move || carry(back_from, back_to));
        std::thread::spawn(move || carry(one, other));
    }

    /// As servers of HTTP/2 do.
    #[test]
    fn a_server_that_speaks_in_the_packet_that_ends_its_handshake_has_accepted_the_client() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        for version in BOTH {
            let config = good_case(&hierarchy.test(&[version]), version).unwrap().configs().unwrap().server;
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap().to_string();
            std::thread::spawn(move || {
                for socket in listener.incoming() {
                    let (mut socket, mut connection) =
                        (socket.unwrap(), ServerConnection::new(config.clone()).unwrap());
                    // It is kept until the handshake ends.
                    connection.writer().write_all(b"hello\n").unwrap();
                    drop(connection.complete_io(&mut socket));
                    while connection.wants_write() && connection.write_tls(&mut socket).is_ok() {}
                    std::io::copy(&mut socket, &mut std::io::sink()).ok();
                }
            });
            let report = report_of(&hierarchy, &address, &[version]);
            assert!(report.sessions.iter().all(Session::passed), "{version}: {report:?}");
        }
    }

    #[test]
    fn an_unsupported_version_is_distinguished_from_a_refused_certificate() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let report = report_of(&hierarchy, &serve(strict_config(&hierarchy), "200"), &BOTH);
        let broken = report.sessions[1].failure.as_ref().unwrap();
        assert_eq!((broken.by, broken.alert), (Side::Server, Some(Alert::PROTOCOL_VERSION)));
        assert!(broken.fix().contains("--tls"), "{}", broken.fix());
        assert!(!report.passed());
        assert!(report.refusals.iter().all(|refusal| refusal.version == TlsVersion::Tls13));
    }

    #[test]
    fn a_server_that_does_not_request_certificates_is_detected() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let strict_config = strict_config(&hierarchy);
        let chain: Vec<&Certificate> = hierarchy.server.chain().iter().collect();
        let identity = scenario::identity("server", &chain, hierarchy.server.key()).unwrap();
        let forgetful = ServerConfig::builder_with_details(
            strict_config.crypto_provider().clone(),
            strict_config.time_provider.clone(),
        )
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(WebPkiClientVerifier::no_client_auth())
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(identity)));
        let report = report_of(&hierarchy, &serve(Arc::new(forgetful), "200"), &[TlsVersion::Tls13]);
        let tried = report.refusals.iter().filter(|refusal| !matches!(refusal.outcome, RefusalOutcome::Untried(_)));
        assert!(tried.clone().count() == 8 && tried.clone().all(|refusal| refusal.outcome == RefusalOutcome::Accepted));
        assert!(!report.passed());
    }

    #[test]
    fn an_http_status_after_the_handshake_is_a_refusal() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        for (status, code) in [("400", "http-400"), ("495", "http-495"), ("496", "http-496")] {
            let report = report_of(&hierarchy, &serve(strict_config(&hierarchy), status), &[TlsVersion::Tls13]);
            let broken = report.sessions[0].failure.as_ref().unwrap();
            assert_eq!((broken.by, broken.cause.code, &broken.alert), (Side::Server, code, &None));
            assert!(!report.sessions[0].client.authenticated && !report.passed());
        }
    }

    /// The server verifies a certificate in the handshake, and refuses a client without one over HTTP.
    fn asking(hierarchy: &Hierarchy, status_for_nobody: &'static str) -> HandshakeReport {
        let status = move |has_certificate| if has_certificate { "200" } else { status_for_nobody };
        report_of(hierarchy, &serve_by(optional_config(hierarchy), status), &[TlsVersion::Tls13])
    }

    /// A server that verifies a certificate, and goes on without one.
    fn optional_config(hierarchy: &Hierarchy) -> Arc<ServerConfig> {
        let strict_config = strict_config(hierarchy);
        let chain: Vec<&Certificate> = hierarchy.server.chain().iter().collect();
        let identity = scenario::identity("server", &chain, hierarchy.server.key()).unwrap();
        let roots = scenario::roots(&[&hierarchy.root]).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, strict_config.crypto_provider().clone());
        let server = ServerConfig::builder_with_details(
            strict_config.crypto_provider().clone(),
            strict_config.time_provider.clone(),
        )
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(verifier.allow_unauthenticated().build().unwrap())
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(identity)));
        Arc::new(server)
    }

    #[test]
    fn a_status_and_an_alert_are_distinguished_and_each_is_a_refusal() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        for (status, code) in [("400", "http-400"), ("495", "http-495"), ("496", "http-496")] {
            let report = asking(&hierarchy, status);
            assert!(report.passed(), "{report:?}");
            for refusal in &report.refusals {
                let RefusalOutcome::Refused(found) = &refusal.outcome else { continue };
                assert!(refusal.refused_as_expected(), "{refusal:?}");
                let over_http = refusal.case == "no-client-certificate";
                assert_eq!(found.cause.code, if over_http { code } else { "alert-received" }, "{refusal:?}");
                assert_eq!(found.alert.is_none(), over_http, "{refusal:?}");
            }
        }
    }

    /// A server may answer an unknown client with 401 or 403; one that answers everybody so refuses nobody.
    #[test]
    fn a_status_that_the_good_client_did_not_get_is_a_refusal() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        for (status, code) in [("401", "http-401"), ("403", "http-403")] {
            let report = asking(&hierarchy, status);
            assert!(report.passed(), "{report:?}");
            let without = report.refusals.iter().find(|refusal| refusal.case == "no-client-certificate").unwrap();
            let RefusalOutcome::Refused(found) = &without.outcome else { panic!("{without:?}") };
            assert_eq!((found.by, found.cause.code), (Side::Server, code));
            assert!(without.refused_as_expected(), "{without:?}");
        }
        let forbidden_to_all = serve_by(optional_config(&hierarchy), |_| "403");
        let report = report_of(&hierarchy, &forbidden_to_all, &[TlsVersion::Tls13]);
        let without = report.refusals.iter().find(|refusal| refusal.case == "no-client-certificate").unwrap();
        assert_eq!(without.outcome, RefusalOutcome::Accepted);
        assert!(report.sessions[0].passed());
    }

    /// Servers of other protocols hang up at a request for a page, or say nothing.
    #[test]
    fn a_server_that_does_not_answer_http_has_refused_no_client() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        for version in BOTH {
            let config = good_case(&hierarchy.test(&[version]), version).unwrap().configs().unwrap().server;
            let report = report_of(&hierarchy, &serve_by(config, |_| CLOSE), &[version]);
            assert!(report.passed(), "{version} {report:?}");
            assert!(report.sessions[0].client.authenticated);
        }
        // A server that answers only clients with a certificate.
        let report = asking(&hierarchy, CLOSE);
        let without = report.refusals.iter().find(|refusal| refusal.case == "no-client-certificate").unwrap();
        let RefusalOutcome::Refused(found) = &without.outcome else { panic!("{without:?}") };
        assert_eq!(found.cause.code, "closed");
    }

    /// A response with another status is a response: the server accepted the client.
    #[test]
    fn any_other_status_is_a_response_to_an_accepted_client() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        for status in ["200", "404", "500", "4951", "40"] {
            let report = asking(&hierarchy, status);
            assert!(!report.passed(), "{status}");
            let without_certificate =
                report.refusals.iter().find(|refusal| refusal.case == "no-client-certificate").unwrap();
            assert_eq!(without_certificate.outcome, RefusalOutcome::Accepted, "{status}");
        }
    }
}
