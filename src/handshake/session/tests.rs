//! Sessions that pass, and sessions that fail.

use std::sync::Arc;

use super::super::endpoint::Endpoint;
use super::super::fixtures::{Hierarchy, Kind, NOW, certificate};
use super::super::good_case::{HandshakeTest, good_case};
use super::super::refusals::handwritten_peers::HANDWRITTEN_PEERS;
use super::super::refusals::lookalike_ca::{CopiedCertificate, CopyChanges, HierarchyChanges, LookalikeCa};
use super::super::report::{Refusal, RefusalOutcome};
use super::super::{cause, facts};
use super::*;
use crate::keys::PrivateKey;
use crate::lint::testing::EVERY_KIND_OF_KEY;
use crate::tls::{Alert, Body, Message, Secrets, TlsVersion, trace};
use crate::verify::{Candidate, KnownRevocation, RevocationSource};
use crate::x509::crl::RevokedEntry;
use crate::x509::{Crl, KeyAlgorithm, SerialNumber};

const BOTH: [TlsVersion; 2] = [TlsVersion::Tls13, TlsVersion::Tls12];

fn test(hierarchy: &Hierarchy, refusals: bool) -> HandshakeReport {
    run(&HandshakeTest { refusals, ..hierarchy.test(&BOTH) }).unwrap()
}

fn names(session: &Session) -> Vec<String> {
    session.messages.iter().map(|message| format!("{} {}", message.from, message.name())).collect()
}

#[test]
fn both_endpoints_authenticate_and_exchange_data_with_every_kind_of_key() {
    for algorithm in EVERY_KIND_OF_KEY {
        let report = test(&Hierarchy::new(algorithm), false);
        assert_eq!(report.sessions.len(), 2);
        for session in &report.sessions {
            assert_eq!(session.failure, None, "{algorithm} {}", session.version);
            assert!(session.server.authenticated && session.client.authenticated);
            assert_eq!(session.server.subject.as_deref(), Some("CN=localhost"));
            assert_eq!(session.client.serial.as_deref(), Some("c1"));
            assert!(session.to_server > 0 && session.to_client > 0 && !session.resumed);
            assert!(session.cipher_suite.is_some() && session.key_exchange.is_some());
            assert!(session.server.signature.is_some() && session.client.signature.is_some());
            let unread = |message: &&Message| matches!(message.body, Body::Unreadable | Body::Other { .. });
            assert_eq!(session.messages.iter().find(unread), None, "{algorithm} {}", session.version);
        }
    }
}

#[test]
fn the_messages_of_tls_1_3_are_read_from_the_wire_in_their_order() {
    let report = test(&Hierarchy::new(KeyAlgorithm::EcdsaP256), false);
    assert_eq!(
        names(&report.sessions[0]),
        [
            "client ClientHello",
            "server ServerHello",
            "server ChangeCipherSpec",
            "server EncryptedExtensions",
            "server CertificateRequest",
            "server Certificate",
            "server CertificateVerify",
            "server Finished",
            "client ChangeCipherSpec",
            "client Certificate",
            "client CertificateVerify",
            "client Finished",
            "server NewSessionTicket",
            "server NewSessionTicket",
            "client ApplicationData",
            "server ApplicationData",
            "client Alert",
            "server Alert",
        ]
    );
    let clear: Vec<_> =
        report.sessions[0].messages.iter().filter(|message| !message.encrypted).map(Message::name).collect();
    assert_eq!(clear, ["ClientHello", "ServerHello", "ChangeCipherSpec", "ChangeCipherSpec"]);
}

#[test]
fn the_messages_of_tls_1_2_are_read_from_the_wire_in_their_order() {
    let report = test(&Hierarchy::new(KeyAlgorithm::EcdsaP256), false);
    assert_eq!(
        names(&report.sessions[1]),
        [
            "client ClientHello",
            "server ServerHello",
            "server Certificate",
            "server ServerKeyExchange",
            "server CertificateRequest",
            "server ServerHelloDone",
            "client Certificate",
            "client ClientKeyExchange",
            "client CertificateVerify",
            "client ChangeCipherSpec",
            "client Finished",
            "server ChangeCipherSpec",
            "server Finished",
            "client ApplicationData",
            "server ApplicationData",
            "client Alert",
            "server Alert",
        ]
    );
}

#[test]
fn sessions_with_every_cipher_suite_are_opened_to_the_last_message() {
    let (ecdsa, rsa) = (Hierarchy::new(KeyAlgorithm::EcdsaP256), Hierarchy::new(KeyAlgorithm::Rsa2048));
    use rustls::CipherSuite as Suite;
    let (new, old) = (TlsVersion::Tls13, TlsVersion::Tls12);
    for (version, hierarchy, suite, name) in [
        (new, &ecdsa, Suite::TLS13_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256"),
        (new, &ecdsa, Suite::TLS13_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384"),
        (new, &ecdsa, Suite::TLS13_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256"),
        (old, &ecdsa, Suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
        (old, &ecdsa, Suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
        (
            old,
            &ecdsa,
            Suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        ),
        (old, &rsa, Suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        (old, &rsa, Suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        (old, &rsa, Suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    ] {
        let scenario = good_case(&hierarchy.test(&[version]), version).unwrap();
        let session = facts::session_from(version, exchange::play(&scenario.configs_with_suite(suite)).unwrap());
        assert_eq!(
            (session.failure.as_ref(), session.cipher_suite.map(|suite| suite.to_string())),
            (None, Some(name.to_owned()))
        );
        let unread = |message: &&Message| matches!(message.body, Body::Unreadable | Body::Other { .. });
        assert_eq!(session.messages.iter().find(unread), None, "{name}");
        let data = session.messages.iter().filter(|message| message.body == Body::ApplicationData);
        // The plaintext, without record framing and tag.
        assert_eq!(data.map(|message| message.bytes).collect::<Vec<_>>(), [session.to_server, session.to_client]);
    }
}

/// As when an endpoint fails before it has the secrets: encrypted records must not be taken for other messages.
#[test]
fn without_its_secrets_a_session_is_read_as_far_as_it_is_in_the_clear() {
    let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    for version in BOTH {
        let configs = good_case(&hierarchy.test(&[version]), version).unwrap().configs().unwrap();
        let exchange = exchange::play(&configs).unwrap();
        let seen = trace::read(&exchange.flights, &Secrets::default());
        let opened = trace::read(&exchange.flights, &exchange.secrets);
        let clear = |messages: &[Message]| -> Vec<Message> {
            messages.iter().filter(|message| !message.encrypted).cloned().collect()
        };
        assert_eq!(clear(&seen), clear(&opened), "{version}");
        let sealed: Vec<&Message> = seen.iter().filter(|message| message.encrypted).collect();
        assert!(sealed.len() >= 6 && sealed.iter().all(|message| message.body == Body::Unreadable), "{sealed:?}");
    }
}

#[test]
fn everything_bad_is_refused_for_its_right_reason_in_both_versions() {
    for hierarchy in [Hierarchy::new(KeyAlgorithm::EcdsaP256), Hierarchy::flat(KeyAlgorithm::Ed25519)] {
        let report = test(&hierarchy, true);
        assert_eq!(
            report.refusals.len(),
            2 * (refusals::cases::CASES.len() + refusals::handwritten_peers::HANDWRITTEN_PEERS.len())
        );
        for refusal in &report.refusals {
            assert!(refusal.is_as_expected(), "{refusal:?}");
        }
        assert!(report.passed());
    }
}

#[test]
fn with_an_intermediate_every_case_can_be_tried() {
    let report = test(&Hierarchy::new(KeyAlgorithm::EcdsaP256), true);
    let untried = report.refusals.iter().filter(|refusal| !refusal.refused_as_expected()).count();
    assert_eq!(untried, 0);
}

#[test]
fn one_way_tls_passes_without_a_word_of_a_client_certificate() {
    let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    let report = run(&HandshakeTest { client: None, refusals: true, ..hierarchy.test(&BOTH) }).unwrap();
    assert!(report.passed(), "{report:?}");
    for session in &report.sessions {
        assert!(session.server.authenticated && !session.client.authenticated);
        assert!(session.to_server > 0 && session.to_client > 0);
        let asked = |body: &Body| matches!(body, Body::CertificateRequest { .. });
        assert_eq!(session.message(Side::Server, asked), None);
        assert_eq!(session.message(Side::Client, |body| matches!(body, Body::Certificate { .. })), None);
    }
    for refusal in &report.refusals {
        let untried = matches!(refusal.outcome, RefusalOutcome::Untried(_));
        let is_of_a_client =
            refusal.expected.by == Side::Server && !HANDWRITTEN_PEERS.iter().any(|peer| peer.name == refusal.case);
        assert_eq!(untried, is_of_a_client, "{refusal:?}");
    }
}

#[test]
fn a_server_that_takes_none_of_the_key_shares_asks_for_another_and_gets_it() {
    let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    let report = run(&HandshakeTest { hello_retry: true, refusals: true, ..hierarchy.test(&BOTH) }).unwrap();
    assert!(report.passed(), "{report:?}");
    let [new, old] = report.sessions.as_slice() else { panic!("{report:?}") };
    assert!(new.hello_retry() && !old.hello_retry());
    assert_eq!(
        names(new)[..5],
        [
            "client ClientHello",
            "server HelloRetryRequest",
            "server ChangeCipherSpec",
            "client ChangeCipherSpec",
            "client ClientHello",
        ]
    );
    let offered = |message: &Message| match &message.body {
        Body::ClientHello { key_shares, .. } => {
            key_shares.iter().map(|share| share.group.to_string()).collect::<Vec<_>>()
        }
        _ => Vec::new(),
    };
    assert_eq!(offered(&new.messages[0]), ["X25519MLKEM768", "x25519"]);
    assert_eq!(offered(&new.messages[4]), ["secp256r1"]);
    assert_eq!(new.key_exchange.map(|group| group.to_string()).as_deref(), Some("secp256r1"));
}

#[test]
fn a_server_that_takes_a_key_share_of_the_first_hello_is_found_out() {
    let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    let version = TlsVersion::Tls13;
    let configs = good_case(&hierarchy.test(&[version]), version).unwrap().configs().unwrap();
    let session = facts::session_from(version, exchange::play(&configs).unwrap());
    assert!(session.passed());
    let wanted = HandshakeTest { hello_retry: true, ..hierarchy.test(&BOTH) };
    let broken = play_good_case(&good_case(&wanted, version).unwrap(), &configs).unwrap().failure.unwrap();
    assert_eq!((broken.by, broken.cause.code), (Side::Server, "not-retried"));
    // A session that failed for another reason keeps it.
    let broken = Session { failure: Some(decrypt_failure()), ..session };
    assert_eq!(with_retry_checked(broken).failure, Some(decrypt_failure()));
}

fn decrypt_failure() -> HandshakeFailure {
    facts::describe_failure(Side::Client, cause::of(&rustls::Error::DecryptError), &[])
}

#[test]
fn a_session_is_resumed_with_its_ticket_and_the_endpoints_are_the_same() {
    let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    let report = run(&HandshakeTest { resume: true, ..hierarchy.test(&BOTH) }).unwrap();
    assert!(report.passed(), "{report:?}");
    let kinds: Vec<_> = report.sessions.iter().map(|session| (session.version, session.resumed)).collect();
    let (new, old) = (TlsVersion::Tls13, TlsVersion::Tls12);
    assert_eq!(kinds, [(new, false), (new, true), (old, false), (old, true)]);
    for pair in report.sessions.chunks(2) {
        let [full, resumed] = pair else { panic!("{pair:?}") };
        let ticket = |body: &Body| matches!(body, Body::NewSessionTicket { ticket_bytes: 1.., .. });
        assert!(full.message(Side::Server, ticket).is_some(), "{}", full.version);
        assert!(
            resumed.message(Side::Client, |body| matches!(body, Body::ClientHello { resumes: true, .. })).is_some()
        );
        assert!(
            resumed.message(Side::Server, |body| matches!(body, Body::ServerHello { resumes: true, .. })).is_some()
        );
        assert!(full.message(Side::Server, |body| matches!(body, Body::ServerHello { resumes: false, .. })).is_some());
        assert!(!names(resumed).iter().any(|name| name.contains("Certificate")), "{:?}", names(resumed));
        let unread = |message: &&Message| matches!(message.body, Body::Unreadable | Body::Other { .. });
        assert_eq!(resumed.messages.iter().find(unread), None);
        assert_eq!((&resumed.client.serial, resumed.client.authenticated), (&full.client.serial, true));
        assert_eq!((&resumed.server.subject, resumed.server.authenticated), (&full.server.subject, true));
        assert_eq!((&resumed.server.signature, &resumed.client.signature), (&None, &None));
        // Each recording decrypts its own session and no other.
        assert_ne!(full.recording.key_log(), resumed.recording.key_log());
        assert_eq!(resumed.recording.messages(), resumed.messages);
    }
}

#[test]
fn a_server_that_forgets_the_session_is_found_out() {
    let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    for version in BOTH {
        let configs = good_case(&hierarchy.test(&[version]), version).unwrap().configs().unwrap();
        let full = facts::session_from(version, exchange::play(&configs).unwrap());
        // Without tickets, the second session is a full one like the first.
        let again = resume(&configs, &full).unwrap();
        assert!(again.server.signature.is_some() && again.client.signature.is_some(), "they are seen again");
        let broken = again.failure.unwrap();
        assert_eq!((broken.by, broken.cause.code), (Side::Server, "not-resumed"));
        // A session that failed for another reason keeps it, and its endpoints are not taken from the earlier session.
        let other_ca = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let result = HandshakeTest { roots: std::slice::from_ref(&other_ca.root), ..hierarchy.test(&BOTH) };
        let again = resume(&good_case(&result, version).unwrap().configs().unwrap(), &full).unwrap();
        assert_eq!(again.failure.unwrap().cause.code, cause::BAD_SIGNATURE);
        assert!(!again.server.authenticated && !again.client.authenticated);
    }
}

#[test]
fn a_session_that_broke_is_not_taken_up_again_and_nothing_bad_is_tried_in_its_place() {
    let mut hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    // It issued no endpoint, so no CA can be copied.
    hierarchy.root = certificate("Another Root", "Another Root", 1, &key, &key, &Kind::Authority);
    let report = run(&HandshakeTest { resume: true, refusals: true, ..hierarchy.test(&BOTH) }).unwrap();
    let codes: Vec<_> =
        report.sessions.iter().map(|session| session.failure.as_ref().map(|found| found.cause.code)).collect();
    assert_eq!(codes, [Some(cause::UNKNOWN_ISSUER); 2]);
    assert!(report.refusals.is_empty());
}

#[test]
fn nothing_bad_is_tried_unless_it_is_asked_for() {
    assert!(test(&Hierarchy::new(KeyAlgorithm::EcdsaP256), false).refusals.is_empty());
}

/// Server and client of an issuer that can sign CRLs, and its CRL with the serial number of one of them or of no certificate.
fn with_crl(revoked: Option<Side>) -> (Hierarchy, Crl) {
    let Hierarchy { root, server, client } = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    let copies = LookalikeCa::copy_above(server.chain(), &[root], HierarchyChanges::default()).unwrap();
    let endpoint = |original: &Endpoint| {
        let CopiedCertificate { certificate, key } =
            copies.leaf(original.certificate(), CopyChanges::default()).unwrap();
        Endpoint::new(vec![certificate, copies.issuer().certificate.clone()], key).unwrap()
    };
    let (server, client) = (endpoint(&server), endpoint(&client));
    let serial = match revoked {
        Some(Side::Server) => server.certificate().serial.clone(),
        Some(Side::Client) => client.certificate().serial.clone(),
        None => SerialNumber::from_der_content(&[1]),
    };
    let crl = copies.crl_revoking(&serial, NOW).unwrap();
    let crl = Crl::from_der(&crl).unwrap();
    (Hierarchy { root: copies.root().clone(), server, client }, crl)
}

/// Knows what a CRL has.
#[derive(Debug)]
struct ListedSource(Crl);

impl RevocationSource for ListedSource {
    fn revocation_of(&self, candidate: &Candidate) -> Result<Option<KnownRevocation>, String> {
        let certificate = &candidate.certificate;
        let mut entries = self.0.entries_of(&certificate.serial).filter(|_| self.0.issuer == certificate.issuer);
        let known = |entry: &RevokedEntry| KnownRevocation {
            at: entry.revoked_at,
            reason: entry.reason,
            source: "the CRL".to_owned(),
        };
        Ok(entries.next().map(known))
    }
}

#[test]
fn endpoints_are_checked_against_the_revocations_of_their_own_issuer_and_of_no_other() {
    let flat = Hierarchy::flat(KeyAlgorithm::EcdsaP256);
    for revoked in [Side::Client, Side::Server] {
        let (hierarchy, crl) = with_crl(Some(revoked));
        let revocations: Option<Arc<dyn RevocationSource>> = Some(Arc::new(ListedSource(crl)));
        let report = run(&HandshakeTest { revocations: revocations.clone(), ..hierarchy.test(&BOTH) }).unwrap();
        for session in &report.sessions {
            let found = session.failure.as_ref().unwrap();
            assert_eq!((found.by, found.cause.code), (revoked.other(), cause::REVOKED), "{}", session.version);
        }
        // The CRL of another issuer does not concern them.
        let report = run(&HandshakeTest { revocations, ..flat.test(&BOTH) }).unwrap();
        assert!(report.passed(), "{report:?}");
    }
}

#[test]
fn the_cases_are_tried_without_the_given_revocations() {
    let (hierarchy, crl) = with_crl(None);
    let revocations: Option<Arc<dyn RevocationSource>> = Some(Arc::new(ListedSource(crl)));
    let report = run(&HandshakeTest { revocations, refusals: true, ..hierarchy.test(&BOTH) }).unwrap();
    assert!(report.passed(), "{report:?}");
    assert!(report.refusals.iter().all(Refusal::refused_as_expected));
}

#[test]
fn the_first_protocol_that_both_sides_speak_is_chosen_in_either_version() {
    let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    let protocols = ["h2".to_owned(), "http/1.1".to_owned()];
    let report = run(&HandshakeTest { protocols: &protocols, ..hierarchy.test(&BOTH) }).unwrap();
    for session in &report.sessions {
        assert!(session.passed());
        let facts = |from| session.messages.iter().filter(move |one| one.from == from).flat_map(Message::facts);
        assert!(facts(Side::Client).any(|fact| fact == ("protocols", "h2, http/1.1".to_owned())));
        assert!(facts(Side::Server).any(|fact| fact == ("protocol", "h2".to_owned())), "{}", session.version);
    }
}

#[test]
fn a_root_that_did_not_issue_them_breaks_the_session_and_is_named_as_the_cause() {
    let mut hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    hierarchy.root = Hierarchy::new(KeyAlgorithm::EcdsaP256).root;
    let report = test(&hierarchy, true);
    assert!(!report.passed());
    assert!(report.refusals.is_empty());
    for session in &report.sessions {
        let failure = session.failure.as_ref().unwrap();
        assert_eq!((failure.by, failure.cause.code), (Side::Client, cause::BAD_SIGNATURE));
        assert_eq!(failure.alert, Some(Alert::DECRYPT_ERROR));
        let refused_certificate = failure.certificate.as_ref().map(|one| (one.subject.as_str(), one.serial.as_str()));
        assert_eq!(refused_certificate, Some(("CN=localhost", "51")));
        assert!(!session.server.authenticated && !session.client.authenticated);
    }
}

#[test]
fn a_key_that_is_not_the_certificates_breaks_the_session() {
    let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    let other = Hierarchy::new(KeyAlgorithm::EcdsaP256);
    let Hierarchy { root, server, client } = hierarchy;
    let (_, key) = other.server.into_parts();
    let server = Endpoint::new(server.chain().to_vec(), key).unwrap();
    let report = test(&Hierarchy { root, server, client }, false);
    let failure = report.sessions[0].failure.as_ref().unwrap();
    assert_eq!((failure.by, failure.cause.code), (Side::Client, cause::BAD_SIGNATURE));
}
