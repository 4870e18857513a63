//! What each case proves: each check is switched off in turn, and the case that depends on it must fail.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName as Hint, Error, SignatureScheme};
use time::macros::datetime;

use super::super::config_pair::ConfigPair;
use super::super::endpoint::Endpoint;
use super::super::error::SetUpError;
use super::super::exchange::Exchange;
use super::super::fixtures::{Hierarchy, Kind, TIMEOUT, certificate};
use super::super::good_case::good_case;
use super::super::report::{HandshakeFailure, RefusalOutcome, Session};
use super::super::scenario::Identity;
use super::super::{cause, facts};
use super::case::Case;
use super::cases::CASES;
use super::forged_peer::ForgedPeer;
use super::handwritten_peers::{
    HANDWRITTEN_PEERS, HandwrittenPeer, client_hello, real_side, record, server_hello, vector,
};
use super::lookalike_ca::{CopiedCertificate, CopyChanges, HierarchyChanges, LookalikeCa};
use super::*;
use crate::keys::{PrivateKey, Signer};
use crate::lint::testing::EVERY_KIND_OF_KEY;
use crate::tls::{Alert, Flight, Secrets, Side, TlsVersion};
use crate::x509::{Certificate, ExtendedKeyUsage, KeyAlgorithm, PublicKey, Validity};

const BOTH: [TlsVersion; 2] = [TlsVersion::Tls13, TlsVersion::Tls12];

const INTERNAL_ERROR: Alert = Alert(80);

/// A verifier with exactly one check switched off: it accepts what it would refuse with this code.
#[derive(Debug)]
struct SkippingCheck<J> {
    verifier: J,
    code: &'static str,
}

impl<J> SkippingCheck<J> {
    fn unless_skipped<T>(&self, result: Result<T, Error>, passed: T) -> Result<T, Error> {
        match result {
            Err(error) if cause::of(&error).code == self.code => Ok(passed),
            other => other,
        }
    }
}

impl ServerCertVerifier for SkippingCheck<Arc<dyn ServerCertVerifier>> {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let result = self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        self.unless_skipped(result, ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let result = self.verifier.verify_tls12_signature(message, cert, dss);
        self.unless_skipped(result, HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let result = self.verifier.verify_tls13_signature(message, cert, dss);
        self.unless_skipped(result, HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

impl ClientCertVerifier for SkippingCheck<Arc<dyn ClientCertVerifier>> {
    fn root_hint_subjects(&self) -> &[Hint] {
        self.verifier.root_hint_subjects()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.code != cause::NO_CERTIFICATE && self.verifier.client_auth_mandatory()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let result = self.verifier.verify_client_cert(end_entity, intermediates, now);
        self.unless_skipped(result, ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let result = self.verifier.verify_tls12_signature(message, cert, dss);
        self.unless_skipped(result, HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let result = self.verifier.verify_tls13_signature(message, cert, dss);
        self.unless_skipped(result, HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// The configurations of a scenario, with one check of this endpoint switched off.
fn skipping(scenario: &Scenario, side: Side, code: &'static str) -> Result<ConfigPair, SetUpError> {
    let client_verifier = scenario.server_trust.client_verifier()?;
    let server_verifier = scenario.client_trust.server_verifier()?;
    match side {
        Side::Server => scenario
            .configs_with_verifiers(Arc::new(SkippingCheck { verifier: client_verifier, code }), server_verifier),
        Side::Client => {
            let mut configs = scenario.configs_with_verifiers(client_verifier, server_verifier.clone())?;
            let mut client = (*configs.client).clone();
            client.dangerous().set_certificate_verifier(Arc::new(SkippingCheck { verifier: server_verifier, code }));
            configs.client = Arc::new(client);
            Ok(configs)
        }
    }
}

/// A case that is refused although its check is switched off proves nothing, and neither does one that another check
/// refuses.
#[test]
fn every_case_depends_on_exactly_the_check_that_it_is_named_after() {
    let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    let test = hierarchy.test(&BOTH);
    let forged = ForgedPeers::new(&test).unwrap();
    let mut checks: Vec<&'static str> = CASES.iter().map(|case| case.error).collect();
    checks.sort_unstable();
    checks.dedup();
    for version in BOTH {
        let good = good_case(&test, version).unwrap();
        for case in &CASES {
            for check in &checks {
                let refusal = case.attempt(&forged, &good, |scenario| skipping(scenario, case.by, check)).unwrap();
                let what = format!("{} in {version} without the check for {check}: {:?}", case.name, refusal.outcome);
                if *check == case.error {
                    assert_eq!(refusal.outcome, RefusalOutcome::Accepted, "{what}");
                    assert!(!refusal.is_as_expected(), "{what}");
                } else {
                    assert!(refusal.refused_as_expected(), "{what}");
                }
            }
        }
    }
}

/// A CRL that its issuer may not sign would be refused for that, and not for its entries.
#[test]
fn below_an_issuer_that_may_not_sign_crls_revocation_is_not_tried() {
    let hierarchy = Hierarchy::with_issuing(KeyAlgorithm::EcdsaP256, &Kind::WithoutLists);
    let test = hierarchy.test(&BOTH);
    let forged = ForgedPeers::new(&test).unwrap();
    let good = good_case(&test, TlsVersion::Tls13).unwrap();
    for name in ["revoked-client", "revoked-server"] {
        let refusal = case(name).attempt(&forged, &good, Scenario::configs).unwrap();
        let why = "CN=Test Issuing may not sign CRLs (key usage)";
        assert_eq!(refusal.outcome, RefusalOutcome::Untried(why.to_owned()), "{name}");
    }
}

fn case(name: &str) -> &'static Case {
    CASES.iter().find(|case| case.name == name).unwrap()
}

/// The endpoints of a hierarchy, copied with this validity below a copied root.
fn valid(validity: Validity) -> Hierarchy {
    let Hierarchy { root, server, client } = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    let copies = LookalikeCa::copy_above(server.chain(), &[root], HierarchyChanges::default()).unwrap();
    let endpoint = |original: &Endpoint| {
        let changes = CopyChanges { validity: Some(validity), ..CopyChanges::default() };
        let CopiedCertificate { certificate, key } = copies.leaf(original.certificate(), changes).unwrap();
        Endpoint::new(vec![certificate, copies.issuer().certificate.clone()], key).unwrap()
    };
    let (server, client) = (endpoint(&server), endpoint(&client));
    Hierarchy { root: copies.root().clone(), server, client }
}

/// RFC 5280 §4.1.2.5: 99991231235959Z means no expiration date. The TLS library's time starts in 1970.
#[test]
fn a_certificate_without_expiration_is_not_tested_outside_its_validity() {
    let hierarchy = valid(Validity { not_before: datetime!(1970-01-01 00:00 UTC), not_after: Validity::LATEST });
    let test = hierarchy.test(&BOTH);
    let forged = ForgedPeers::new(&test).unwrap();
    let good = good_case(&test, TlsVersion::Tls13).unwrap();
    for (name, why) in [
        ("expired-client", "the certificate never expires"),
        ("expired-server", "the certificate never expires"),
        ("not-yet-valid-client", "the certificate is older than the time the TLS library knows"),
        ("not-yet-valid-server", "the certificate is older than the time the TLS library knows"),
    ] {
        let refusal = case(name).attempt(&forged, &good, Scenario::configs).unwrap();
        assert_eq!(refusal.outcome, RefusalOutcome::Untried(why.to_owned()), "{name}");
    }
}

#[test]
fn the_server_plays_the_client_itself_where_its_own_certificate_is_no_clients() {
    for (hierarchy, is_itself) in
        [(Hierarchy::new(KeyAlgorithm::EcdsaP256), true), (Hierarchy::flat(KeyAlgorithm::EcdsaP256), false)]
    {
        let test = hierarchy.test(&BOTH);
        let forged = ForgedPeers::new(&test).unwrap();
        let good = good_case(&test, TlsVersion::Tls13).unwrap();
        let refusal = case("server-certificate-as-client").attempt(&forged, &good, Scenario::configs).unwrap();
        let RefusalOutcome::Refused(found) = refusal.outcome else { panic!("{refusal:?}") };
        let shown = found.certificate.unwrap();
        assert_eq!((shown.subject.as_str(), shown.serial == "51"), ("CN=localhost", is_itself));
    }
}

#[test]
fn a_certificate_serves_a_purpose_that_it_names_and_one_that_names_none_serves_every_purpose() {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let allows_purpose = |kind| {
        let certificate = certificate("it", "it", 1, &key, &key, &kind);
        [ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth]
            .map(|purpose| cases::allows_purpose(&certificate, &purpose))
    };
    assert_eq!(allows_purpose(Kind::Server), [true, false]);
    assert_eq!(allows_purpose(Kind::Client), [false, true]);
    assert_eq!(allows_purpose(Kind::Peer), [true, true]);
    assert_eq!(allows_purpose(Kind::Authority), [true, true]);
}

/// The public key with which an identity signs, and the certificate that it shows.
fn held_and_shown(identity: &Identity) -> (Vec<u8>, Certificate) {
    (identity.key.public_key().unwrap().to_vec(), Certificate::from_der(&identity.cert[0]).unwrap())
}

#[test]
fn a_wrong_key_has_the_same_algorithm_and_is_generated_once_without_another_endpoint() {
    for algorithm in EVERY_KIND_OF_KEY {
        let Hierarchy { root, server, client } = Hierarchy::new(algorithm);
        let roots = [root];
        let own = server.certificate().public_key.clone();
        let wrong = |forged: &ForgedPeer<'_>| held_and_shown(&forged.with_wrong_key().unwrap());
        let lent = wrong(&ForgedPeer::new("server", &server, Some(&client), &roots).unwrap());
        assert_eq!(lent, (client.key().public_key().spki().to_vec(), server.certificate().clone()), "{algorithm}");
        // There is no other endpoint, or its key is the same or has another algorithm.
        let another = if algorithm == KeyAlgorithm::Ed25519 { KeyAlgorithm::EcdsaP256 } else { KeyAlgorithm::Ed25519 };
        let another = Hierarchy::new(another);
        for other in [None, Some(&server), Some(&another.server)] {
            let forged = ForgedPeer::new("server", &server, other, &roots).unwrap();
            let (made, _) = wrong(&forged);
            let made_key = PublicKey::from_spki(&made).unwrap();
            assert_eq!(made_key.kind(), own.kind(), "{algorithm}");
            assert_ne!(made_key, own, "{algorithm}");
            assert_eq!(wrong(&forged).0, made, "{algorithm}");
        }
    }
}

#[test]
fn an_endpoint_with_names_keeps_them_outside_name_constraints_and_one_without_gets_one() {
    let Hierarchy { root, server, client } = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    let roots = [root];
    for (endpoint, name) in [(&server, "dns:localhost"), (&client, "dns:outside.invalid")] {
        let forged = ForgedPeer::new("endpoint", endpoint, None, &roots).unwrap();
        let (identity, _) = forged.outside_name_constraints(&roots).unwrap();
        let (_, shown) = held_and_shown(&identity);
        let names: Vec<_> = shown.names().iter().map(ToString::to_string).collect();
        assert_eq!(names, [name]);
    }
}

#[test]
fn a_refusal_for_another_reason_is_not_as_it_should_be() {
    let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    let test = hierarchy.test(&BOTH);
    let forged = ForgedPeers::new(&test).unwrap();
    let mut good = good_case(&test, TlsVersion::Tls13).unwrap();
    good.client = None;
    let refusal = case("expired-client").attempt(&forged, &good, Scenario::configs).unwrap();
    assert!(matches!(&refusal.outcome, RefusalOutcome::Refused(found) if found.cause.code == cause::NO_CERTIFICATE));
    assert!(!refusal.is_as_expected());
}

#[test]
fn a_refusal_with_another_alert_is_not_as_it_should_be() {
    let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    let test = hierarchy.test(&BOTH);
    let forged = ForgedPeers::new(&test).unwrap();
    let good = good_case(&test, TlsVersion::Tls13).unwrap();
    for case in &CASES {
        let refusal = case.attempt(&forged, &good, Scenario::configs).unwrap();
        assert!(refusal.is_as_expected(), "{refusal:?}");
        let RefusalOutcome::Refused(found) = &refusal.outcome else { panic!("{refusal:?}") };
        for alert in [None, Some(INTERNAL_ERROR)] {
            let outcome = RefusalOutcome::Refused(HandshakeFailure { alert, ..found.clone() });
            assert!(!Refusal { outcome, ..refusal.clone() }.is_as_expected(), "{}", case.name);
        }
    }
}

/// An endpoint that accepts a peer that it should refuse: it sends `hello` first, if that is not empty, and responds to
/// all bytes.
fn accepting(side: Side, hello: Vec<u8>, answer: impl Fn(&[u8]) -> Vec<u8>) -> impl FnOnce(TcpStream) -> Session {
    move |mut socket| {
        let mut flights = Vec::new();
        let mut record_flight = |from: Side, bytes: &[u8]| {
            flights.push(Flight { from, at: Duration::ZERO, bytes: bytes.to_vec() });
        };
        if !hello.is_empty() {
            socket.write_all(&hello).unwrap();
            record_flight(side, &hello);
        }
        let mut piece = [0; 4096];
        let mut received = socket.read(&mut piece).unwrap();
        record_flight(side.other(), &piece[..received]);
        let answer = answer(&piece[..received]);
        if !answer.is_empty() {
            socket.write_all(&answer).unwrap();
            record_flight(side, &answer);
        }
        // It ends when the peer closes.
        while received > 0 {
            received = socket.read(&mut piece).unwrap_or(0);
        }
        let exchange = Exchange {
            flights,
            secrets: Arc::new(Secrets::default()),
            client_error: None,
            server_error: None,
            handshake: None,
            resumed: false,
            group: None,
            to_server: 0,
            to_client: 0,
        };
        facts::session_from(TlsVersion::Tls12, exchange)
    }
}

fn peer(name: &str) -> &'static HandwrittenPeer {
    HANDWRITTEN_PEERS.iter().find(|peer| peer.name == name).unwrap()
}

#[test]
fn client_peers_that_are_taken_as_they_come_are_not_refused() {
    let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    let good = good_case(&hierarchy.test(&BOTH), TlsVersion::Tls12).unwrap();
    let briefly = Duration::from_millis(100);
    let choose = |version: u16, suite: u16| move |hello: &[u8]| server_hello(version, suite, hello, &[]);
    for (name, version, suite) in [("tls-1-1-client", 0x0302, 0xc009), ("static-rsa-client", 0x0303, 0x009d)] {
        let server = accepting(Side::Server, Vec::new(), choose(version, suite));
        let refusal = peer(name).attempt_with(&good, briefly, |socket| Ok(server(socket))).unwrap();
        assert_eq!(refusal.outcome, RefusalOutcome::Accepted, "{name}");
        assert!(!refusal.is_as_expected());
    }
    let web_server = accepting(Side::Server, Vec::new(), |_| b"HTTP/1.1 200 OK\r\n\r\n".to_vec());
    let plain = peer("plain-http-client").attempt_with(&good, briefly, |socket| Ok(web_server(socket))).unwrap();
    assert!(!plain.is_as_expected(), "{plain:?}");
}

#[test]
fn server_peers_that_are_taken_as_they_come_are_not_refused() {
    let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    let briefly = Duration::from_millis(100);
    // A ClientKeyExchange, which a client sends when it accepts the server's hello and certificate.
    let goes_on = || record(16, &vector(2, &[0x5a; 256]));
    let in_the_clear = || b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec();
    for version in BOTH {
        let good = good_case(&hierarchy.test(&BOTH), version).unwrap();
        for (name, hello, answer) in [
            ("tls-1-1-server", client_hello(0x0302, &[0xc009, 0xc013, 0x002f], &[]), goes_on()),
            ("static-rsa-server", client_hello(0x0303, &[0x009d, 0x009c], &[]), goes_on()),
            ("plain-http-server", client_hello(0x0303, &[0xc02f], &[]), in_the_clear()),
        ] {
            let client = accepting(Side::Client, hello.clone(), |_| answer.clone());
            let refusal = peer(name).attempt_with(&good, briefly, |socket| Ok(client(socket))).unwrap();
            assert_eq!(refusal.outcome, RefusalOutcome::Accepted, "{name} in {version}");
            assert!(!refusal.is_as_expected());
            // A client that waits for more bytes until the server closes.
            let client = accepting(Side::Client, hello, |_| Vec::new());
            let refusal = peer(name).attempt_with(&good, briefly, |socket| Ok(client(socket))).unwrap();
            assert!(!refusal.is_as_expected(), "{name} in {version}: {refusal:?}");
            // The real client with the same server.
            let refusal = peer(name).attempt(&good, TIMEOUT).unwrap();
            assert!(refusal.refused_as_expected(), "{name} in {version}: {refusal:?}");
        }
    }
}

/// A refusal by the wrong endpoint, with another alert or for another reason, proves nothing.
#[test]
fn a_peer_that_is_refused_otherwise_is_not_as_it_should_be() {
    let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    for version in BOTH {
        let good = good_case(&hierarchy.test(&BOTH), version).unwrap();
        for peer in &HANDWRITTEN_PEERS {
            let refusal = peer.attempt(&good, TIMEOUT).unwrap();
            assert!(refusal.refused_as_expected(), "{refusal:?}");
            let RefusalOutcome::Refused(found) = &refusal.outcome else { panic!("{refusal:?}") };
            for otherwise in [
                HandshakeFailure { by: found.by.other(), ..found.clone() },
                HandshakeFailure { alert: Some(INTERNAL_ERROR), ..found.clone() },
                HandshakeFailure { cause: cause::of(&Error::NoCertificatesPresented), ..found.clone() },
            ] {
                let refusal = Refusal { outcome: RefusalOutcome::Refused(otherwise.clone()), ..refusal.clone() };
                assert!(!refusal.is_as_expected(), "{}: {otherwise:?}", peer.name);
            }
        }
    }
}

/// An endpoint without a time limit is detected: then the peer closes the connection.
#[test]
fn a_peer_that_stalls_is_refused_only_by_an_endpoint_with_a_limit() {
    let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    let good = good_case(&hierarchy.test(&BOTH), TlsVersion::Tls13).unwrap();
    let briefly = Duration::from_millis(100);
    for (name, side) in [("stalling-client", Side::Server), ("stalling-server", Side::Client)] {
        let no_limit = Duration::from_secs(3600);
        let refusal =
            peer(name).attempt_with(&good, briefly, |socket| real_side(side, &good, socket, no_limit)).unwrap();
        assert!(!refusal.is_as_expected(), "{refusal:?}");
        assert!(peer(name).attempt(&good, TIMEOUT).unwrap().refused_as_expected());
    }
}

#[test]
fn a_peer_that_stalls_is_waited_for_no_longer_than_was_asked_for_and_never_for_long() {
    let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    let good = good_case(&hierarchy.test(&BOTH), TlsVersion::Tls13).unwrap();
    for name in ["stalling-client", "stalling-server"] {
        for (limit, sentence_end) in
            [(Duration::from_millis(1), "within 0.001 seconds"), (TIMEOUT, "within 0.025 seconds")]
        {
            let refusal = peer(name).attempt(&good, limit).unwrap();
            let RefusalOutcome::Refused(found) = refusal.outcome else { panic!("{refusal:?}") };
            assert!(found.cause.sentence.ends_with(sentence_end), "{name}: {}", found.cause.sentence);
        }
    }
}

#[test]
fn names_of_cases_are_different_words() {
    let mut names: Vec<_> =
        CASES.iter().map(|case| case.name).chain(HANDWRITTEN_PEERS.iter().map(|peer| peer.name)).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CASES.len() + HANDWRITTEN_PEERS.len());
}
