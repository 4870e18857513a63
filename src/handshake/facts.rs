//! The facts of a session, read from its messages: the endpoints, the negotiated parameters, and why it failed.

use super::cause::{self, Cause};
use super::exchange::Exchange;
use super::refused_certificate;
use super::report::{HandshakeFailure, ObservedPeer, Session};
use crate::tls::{Alert, Body, Message, Side, TlsVersion, trace};

/// Returns the facts of an exchange.
pub(super) fn session_from(version: TlsVersion, exchange: Exchange) -> Session {
    let messages = trace::read(&exchange.flights, &exchange.secrets);
    let passed = exchange.passed();
    let cipher_suite = messages.iter().find_map(|message| match &message.body {
        Body::ServerHello { cipher_suite, .. } => Some(*cipher_suite),
        _ => None,
    });
    // The group is in the server hello in TLS 1.3, and in the server key exchange in TLS 1.2.
    let key_exchange = messages.iter().find_map(|message| match &message.body {
        Body::ServerHello { key_share: Some(share), .. } | Body::ServerKeyExchange { key_share: share, .. } => {
            Some(share.group)
        }
        _ => None,
    });
    Session {
        version,
        failure: failure_of(&exchange, &messages),
        cipher_suite,
        key_exchange,
        server: peer(Side::Server, passed, &messages),
        client: peer(Side::Client, passed, &messages),
        resumed: exchange.resumed,
        closed_early: false,
        to_server: exchange.to_server,
        to_client: exchange.to_client,
        handshake: exchange.handshake,
        messages,
        recording: exchange.into_recording(),
    }
}

fn peer(side: Side, passed: bool, messages: &[Message]) -> ObservedPeer {
    let own = || messages.iter().filter(move |message| message.from == side);
    let shown = own().find_map(|message| match &message.body {
        Body::Certificate { chain } => chain.first(),
        _ => None,
    });
    let signature = own().find_map(|message| match &message.body {
        Body::CertificateVerify { scheme } | Body::ServerKeyExchange { scheme, .. } => Some(*scheme),
        _ => None,
    });
    ObservedPeer {
        authenticated: passed && shown.is_some(),
        subject: shown.map(|shown| shown.subject.clone()),
        serial: shown.map(|shown| shown.serial.clone()),
        signature,
    }
}

/// Returns which endpoint ended the exchange, with which alert, and why; `None` when the exchange passed.
pub(super) fn failure_of(exchange: &Exchange, messages: &[Message]) -> Option<HandshakeFailure> {
    if exchange.passed() {
        return None;
    }
    // An endpoint that only received an alert did not refuse: the other endpoint did, and its error is more exact.
    let heard = |error: &rustls::Error| matches!(error, rustls::Error::AlertReceived(_));
    let errors = [(Side::Server, &exchange.server_error), (Side::Client, &exchange.client_error)];
    let refused = errors.iter().filter_map(|(side, error)| Some((*side, error.as_ref()?)));
    let (by, cause) = match refused.clone().find(|(_, error)| !heard(error)).or_else(|| refused.clone().next()) {
        Some((side, error)) => (if heard(error) { side.other() } else { side }, cause::of(error)),
        None => (Side::Client, cause::Cause::unanswered()),
    };
    Some(describe_failure(by, cause, messages))
}

/// Returns the failure with the alert and the certificate from the messages.
pub(super) fn describe_failure(by: Side, cause: Cause, messages: &[Message]) -> HandshakeFailure {
    let alert = alert_of(by, messages);
    let offered = messages.iter().find_map(|message| match &message.body {
        Body::ClientHello { cipher_suites, versions, .. } => Some((cipher_suites.as_slice(), versions.as_slice())),
        _ => None,
    });
    let (cipher_suites, versions) = offered.unwrap_or_default();
    let cause = cause.with_offered_suites(cipher_suites).with_offered_versions(versions);
    let certificate = refused_certificate::find(by, alert, &cause, messages);
    HandshakeFailure { by, alert, cause, certificate, likely: None }
}

/// Returns the last alert of this endpoint other than close_notify.
pub(super) fn alert_of(by: Side, messages: &[Message]) -> Option<Alert> {
    messages.iter().rev().find_map(|message| match &message.body {
        Body::Alert { description, .. } if message.from == by && *description != Alert::CLOSE_NOTIFY => {
            Some(*description)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::exchange;
    use super::super::fixtures::Hierarchy;
    use super::super::good_case::good_case;
    use super::*;
    use crate::tls::{Alert, CipherSuite, ProtocolVersion};
    use crate::x509::KeyAlgorithm;

    #[test]
    fn who_broke_it_off_and_with_which_alert_is_read_from_the_side_that_did() {
        use rustls::{AlertDescription, Error};
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let version = TlsVersion::Tls13;
        let configs = good_case(&hierarchy.test(&[version]), version).unwrap().configs().unwrap();
        let mut exchange = exchange::play(&configs).unwrap();
        assert_eq!(failure_of(&exchange, &[]), None);
        exchange.to_client = 0;
        let found = failure_of(&exchange, &[]).unwrap();
        assert_eq!((found.by, found.cause.code), (Side::Client, "no-answer"));
        exchange.client_error = Some(Error::AlertReceived(AlertDescription::CertificateExpired));
        let found = failure_of(&exchange, &[]).unwrap();
        assert_eq!((found.by, found.cause.code), (Side::Server, cause::ALERT_RECEIVED));
        let alert = |from, description| Message {
            from,
            body: Body::Alert { fatal: true, description },
            bytes: 2,
            encrypted: true,
            at: Duration::ZERO,
        };
        let messages = [
            alert(Side::Server, Alert(90)),
            alert(Side::Server, Alert::CERTIFICATE_EXPIRED),
            alert(Side::Client, Alert::BAD_CERTIFICATE),
            alert(Side::Server, Alert::CLOSE_NOTIFY),
        ];
        assert_eq!(alert_of(Side::Server, &messages), Some(Alert::CERTIFICATE_EXPIRED));
        assert_eq!(alert_of(Side::Client, &messages), Some(Alert::BAD_CERTIFICATE));
    }

    #[test]
    fn a_breakdown_knows_what_the_client_had_offered() {
        let hello = |versions: &[u16], cipher_suite| Message {
            from: Side::Client,
            body: Body::ClientHello {
                random: String::new(),
                versions: versions.iter().copied().map(ProtocolVersion).collect(),
                cipher_suites: vec![CipherSuite(cipher_suite)],
                groups: Vec::new(),
                key_shares: Vec::new(),
                signature_schemes: Vec::new(),
                server_name: None,
                protocols: Vec::new(),
                resumes: false,
            },
            bytes: 100,
            encrypted: false,
            at: Duration::ZERO,
        };
        let cause = cause::of(&rustls::PeerIncompatible::NoKxGroupsInCommon.into());
        assert_eq!(describe_failure(Side::Server, cause.clone(), &[]).cause, cause);
        let code = |versions: &[u16], cipher_suite| {
            describe_failure(Side::Server, cause.clone(), &[hello(versions, cipher_suite)]).cause.code
        };
        assert_eq!(code(&[0x0303], 0x002f), cause::NO_COMMON_CIPHER_SUITE);
        // TLS 1.0 alone, both old ones, and an old one beside TLS 1.2 or a version that servers have to ignore.
        assert_eq!(code(&[0x0301], 0xc009), cause::NO_COMMON_VERSION);
        assert_eq!(code(&[0x0301, 0x0302], 0x002f), cause::NO_COMMON_VERSION);
        assert_eq!(code(&[0x0301, 0x0303], 0xc009), cause.code);
        assert_eq!(code(&[0x0301, 0x0a0a], 0xc009), cause.code);
    }
}
