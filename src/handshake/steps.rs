//! The steps of a handshake as in a TLS primer, with the facts of the messages.

use super::report::Session;
use crate::tls::message::{KeyShare, ShownCertificate};
use crate::tls::{Alert, Body, CipherSuite, Message, NamedGroup, Side, SignatureScheme, TlsVersion, registry};

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The sender; `None` for a step of both endpoints.
    pub from: Option<Side>,
    pub name: &'static str,
    /// The facts of the step, one sentence each.
    pub says: Vec<String>,
    pub encrypted: bool,
}

/// Returns the steps of a session until it ended.
pub fn steps(session: &Session) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for message in &session.messages {
        let Some((name, says)) = step(session, message) else { continue };
        steps.push(Step { from: Some(message.from), name, says, encrypted: message.encrypted });
        steps.extend(agreement(session, message));
    }
    if session.to_server > 0 || session.to_client > 0 {
        let (there, back) = (session.to_server, session.to_client);
        let says = vec![format!("{there} bytes to the server, {back} bytes back, opened with the session keys")];
        steps.push(Step { from: None, name: "application data", says, encrypted: true });
    }
    steps
}

/// Returns the name and facts of the step; `None` for messages that are not a step.
fn step(session: &Session, message: &Message) -> Option<(&'static str, Vec<String>)> {
    let server_name = |name: &Option<String>| {
        name.as_ref().map_or("asks for an address, without a name".to_owned(), |name| format!("asks for {name}"))
    };
    Some(match (&message.body, message.from) {
        (Body::ClientHello { versions, cipher_suites, key_shares, server_name: name, protocols, resumes, .. }, _) => {
            let suites = count(cipher_suites.len(), "cipher suite");
            let mut says = vec![format!(
                "offers TLS {} and {suites}",
                versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            )];
            if !key_shares.is_empty() {
                let groups: Vec<String> = key_shares.iter().map(|share| share.group.to_string()).collect();
                says.push(format!("sends public values for {}", groups.join(" and ")));
            }
            if registry::all_static_rsa(cipher_suites) {
                says.push("with static RSA key exchange only: a stolen key would open every recording".to_owned());
            }
            says.push(server_name(name));
            if !protocols.is_empty() {
                says.push(format!("offers to speak {}", protocols.join(" or ")));
            }
            if *resumes {
                says.push("shows the ticket of an earlier session".to_owned());
            }
            ("client hello", says)
        }
        (Body::HelloRetryRequest { group, .. }, _) => {
            let group = group.map_or_else(|| "another group".to_owned(), |group| group.to_string());
            ("hello retry request", vec![format!("asks for a key share of {group}")])
        }
        (Body::ServerHello { version, cipher_suite, protocol, resumes, .. }, _) => {
            let mut says = vec![format!("chooses TLS {version} with {cipher_suite}")];
            says.extend(protocol.as_ref().map(|protocol| format!("chooses to speak {protocol}")));
            if *resumes {
                says.push("resumes the earlier session: no certificate is sent".to_owned());
            }
            ("server hello", says)
        }
        (Body::EncryptedExtensions { protocol: Some(protocol) }, _) => {
            ("encrypted extensions", vec![format!("chooses to speak {protocol}")])
        }
        (Body::Certificate { chain }, Side::Server) => ("server certificate", certificate(chain)),
        (Body::Certificate { chain }, Side::Client) => ("client certificate", certificate(chain)),
        (Body::CertificateRequest { authorities, .. }, _) => {
            let wanted = match authorities.as_slice() {
                [] => "asks the client for a certificate of any CA".to_owned(),
                authorities => format!("asks the client for a certificate below {}", authorities.join("; or ")),
            };
            ("certificate request", vec![wanted])
        }
        (Body::ServerKeyExchange { key_share: KeyShare { group, .. }, scheme }, _) => {
            ("server key exchange", vec![format!("a fresh public value for {group}"), proof(*scheme)])
        }
        (Body::ClientKeyExchange { .. }, _) => {
            let group = session.key_exchange.map(|group| group.to_string()).unwrap_or_default();
            ("client key exchange", vec![format!("a fresh public value for {group}")])
        }
        (Body::CertificateVerify { scheme }, _) => ("certificate verify", vec![proof(*scheme)]),
        (Body::Finished, _) => {
            ("finished", vec!["a checksum over all of the above: no message was changed".to_owned()])
        }
        (Body::Alert { description, .. }, _) if *description != Alert::CLOSE_NOTIFY => {
            ("alert", vec![description.to_string()])
        }
        _ => return None,
    })
}

/// Returns the steps that follow the second public value: with it both endpoints can compute the session keys.
fn agreement(session: &Session, message: &Message) -> Vec<Step> {
    let group = match (&message.body, session.version) {
        // In TLS 1.2 a resumed session derives its keys from the secret of the earlier one (RFC 5246 §7.3).
        (Body::ServerHello { resumes: true, .. }, TlsVersion::Tls12) => {
            let says = vec!["both sides compute new ones from the secret of the earlier session".to_owned()];
            return vec![Step { from: None, name: "session keys", says, encrypted: false }];
        }
        (Body::ServerHello { key_share: Some(share), .. }, TlsVersion::Tls13) => Some(share.group),
        (Body::ClientKeyExchange { .. }, TlsVersion::Tls12) => session.key_exchange,
        _ => return Vec::new(),
    };
    let exchange = vec![group.map(|group| group.to_string()).unwrap_or_default(), explained(group).to_owned()];
    let keys = match session.cipher_suite {
        Some(suite) => vec![format!("both sides compute them, neither sends them; for {}", cipher(suite))],
        None => Vec::new(),
    };
    vec![
        Step { from: None, name: "key exchange", says: exchange, encrypted: false },
        Step { from: None, name: "session keys", says: keys, encrypted: false },
    ]
}

fn explained(group: Option<NamedGroup>) -> &'static str {
    match group {
        Some(NamedGroup::X25519_MLKEM768) => "fresh Diffie-Hellman values, and ML-KEM against quantum computers",
        _ => "fresh Diffie-Hellman values: a stolen key opens no recording",
    }
}

/// Returns the cipher of a suite that the TLS library negotiates.
fn cipher(suite: CipherSuite) -> &'static str {
    match suite.0 {
        0x1303 | 0xcca8 | 0xcca9 => "ChaCha20-Poly1305",
        0x1302 | 0xc02c | 0xc030 => "AES-256-GCM",
        _ => "AES-128-GCM",
    }
}

fn proof(scheme: SignatureScheme) -> String {
    format!("signed with {scheme}, to prove that it has the key")
}

fn certificate(chain: &[ShownCertificate]) -> Vec<String> {
    let Some((leaf, above)) = chain.split_first() else { return vec!["none".to_owned()] };
    let mut says = vec![leaf.subject.clone()];
    if !leaf.names.is_empty() {
        says.push(format!("for {}", leaf.names.join(", ")));
    }
    says.push(format!("issued by {}", leaf.issuer));
    says.push(format!("serial {}", leaf.serial));
    for intermediate in above {
        says.push(format!("with {}, issued by {}", intermediate.subject, intermediate.issuer));
    }
    says
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::Hierarchy;
    use super::super::good_case::HandshakeTest;
    use super::super::session::run;
    use super::*;
    use crate::x509::KeyAlgorithm;

    fn names(version: TlsVersion) -> Vec<String> {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let report = run(&hierarchy.test(&[version])).unwrap();
        steps(&report.sessions[0])
            .into_iter()
            .map(|step| format!("{} {}", step.from.map_or("both", Side::name), step.name))
            .collect()
    }

    #[test]
    fn the_steps_of_a_primer_stand_in_the_order_of_tls_1_3() {
        let expected = [
            "client client hello",
            "server server hello",
            "both key exchange",
            "both session keys",
            "server certificate request",
            "server server certificate",
            "server certificate verify",
            "server finished",
            "client client certificate",
            "client certificate verify",
            "client finished",
            "both application data",
        ];
        assert_eq!(names(TlsVersion::Tls13), expected);
    }

    fn says(session: &Session) -> Vec<String> {
        steps(session).into_iter().flat_map(|step| step.says).collect()
    }

    #[test]
    fn the_steps_say_what_was_offered_chosen_and_taken_up_again_and_nothing_else() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let versions = [TlsVersion::Tls13, TlsVersion::Tls12];
        let protocols = ["h2".to_owned()];
        let report = run(&HandshakeTest { protocols: &protocols, resume: true, ..hierarchy.test(&versions) }).unwrap();
        let plain = run(&hierarchy.test(&versions)).unwrap();
        let [new, new_again, old, old_again] = report.sessions.as_slice() else { panic!("{report:?}") };
        let [plain_new, plain_old] = plain.sessions.as_slice() else { panic!("{plain:?}") };
        let all = [new, new_again, old, old_again, plain_new, plain_old];
        for (words, expected) in [
            ("sends public values for X25519MLKEM768 and x25519", [true, true, false, false, true, false]),
            ("ML-KEM against quantum computers", [true, true, false, false, true, false]),
            ("sends public values", [true, true, false, false, true, false]),
            ("static RSA", [false; 6]),
            ("offers to speak h2", [true, true, true, true, false, false]),
            ("offers to speak", [true, true, true, true, false, false]),
            ("chooses to speak h2", [true, true, true, true, false, false]),
            ("shows the ticket of an earlier session", [false, true, false, true, false, false]),
            ("resumes the earlier session", [false, true, false, true, false, false]),
            ("compute new ones from the secret", [false, false, false, true, false, false]),
            ("for dns:localhost", [true, false, true, false, true, true]),
            ("opened with the session keys", [true; 6]),
        ] {
            let found = all.map(|session| says(session).iter().any(|sentence| sentence.contains(words)));
            assert_eq!(found, expected, "{words}");
        }
        assert!(!says(new).iter().any(|sentence| sentence == "for "), "{:?}", says(new));
        // Data that arrived in one direction is reported, and data that never arrived is not.
        let data = |to_server, to_client| {
            let session = Session { to_server, to_client, ..new.clone() };
            says(&session).iter().any(|sentence| sentence.contains("opened with the session keys"))
        };
        assert_eq!([data(1, 0), data(0, 1), data(0, 0)], [true, true, false]);
    }

    #[test]
    fn ciphers_counts_and_missing_certificates_have_their_words() {
        assert_eq!(cipher(CipherSuite(0x1301)), "AES-128-GCM");
        assert_eq!(cipher(CipherSuite(0x1302)), "AES-256-GCM");
        assert_eq!(cipher(CipherSuite(0x1303)), "ChaCha20-Poly1305");
        assert_eq!(
            (count(1, "cipher suite"), count(2, "cipher suite")),
            ("1 cipher suite".into(), "2 cipher suites".into())
        );
        assert_eq!(certificate(&[]), ["none"]);
    }

    #[test]
    fn a_client_with_nothing_but_static_rsa_is_known_by_its_offer() {
        let offer =
            |suites: &[u16]| registry::all_static_rsa(&suites.iter().copied().map(CipherSuite).collect::<Vec<_>>());
        assert!(offer(&[0x002f, 0x00ff]));
        assert!(!offer(&[0x002f, 0xc02f]));
        assert!(!offer(&[0x00ff]) && !offer(&[]));
    }

    #[test]
    fn the_steps_of_a_primer_stand_in_the_order_of_tls_1_2() {
        let expected = [
            "client client hello",
            "server server hello",
            "server server certificate",
            "server server key exchange",
            "server certificate request",
            "client client certificate",
            "client client key exchange",
            "both key exchange",
            "both session keys",
            "client certificate verify",
            "client finished",
            "server finished",
            "both application data",
        ];
        assert_eq!(names(TlsVersion::Tls12), expected);
    }
}
