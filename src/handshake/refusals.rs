//! What must be refused: one line per case, each tried in every TLS version.
//!
//! A case changes one thing in the good case. Where that takes another certificate, it is a copy from a throw-away
//! hierarchy; where it takes another time, the clock of the side that judges is moved.

use std::cell::OnceCell;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use time::Duration;

use super::cause;
use super::exchange;
use super::party::Party;
use super::report::{Outcome, Refusal};
use super::scenario::{self, Ends, Identity, Scenario, SetUpError};
use super::session::{self, HandshakeError, HandshakeTest};
use super::throw_away::{self, Changes, CopyError, Purpose, ThrowAway};
use super::trace;
use super::wire::Side;
use crate::keys::PrivateKey;
use crate::x509::{
    AttributeType, Certificate, DistinguishedName, ExtendedKeyUsage, KeyAlgorithm, KeyKind, KeyUsage, Validity,
};

/// A case: its word, its words, who must refuse it and why, and what it changes.
pub(super) struct Case {
    pub name: &'static str,
    title: &'static str,
    by: Side,
    cause: &'static str,
    change: fn(&Material<'_>, &mut Scenario) -> Result<(), Obstacle>,
}

/// Why a case was not played.
pub(super) enum Obstacle {
    /// These certificates leave nothing to try.
    Untried(String),
    Failed(CopyError),
}

impl<E: Into<CopyError>> From<E> for Obstacle {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

const fn by_server(
    name: &'static str,
    title: &'static str,
    cause: &'static str,
    change: fn(&Material<'_>, &mut Scenario) -> Result<(), Obstacle>,
) -> Case {
    Case { name, title, by: Side::Server, cause, change }
}

const fn by_client(
    name: &'static str,
    title: &'static str,
    cause: &'static str,
    change: fn(&Material<'_>, &mut Scenario) -> Result<(), Obstacle>,
) -> Case {
    Case { name, title, by: Side::Client, cause, change }
}

/// All cases, those that a server must refuse first.
pub(super) const CASES: [Case; 21] = [
    by_server("no-client-certificate", "no client certificate", cause::NO_CERTIFICATE, |material, scenario| {
        material.client()?;
        scenario.client = None;
        Ok(())
    }),
    by_server("client-of-another-ca", "client of another CA", cause::UNKNOWN_ISSUER, |material, scenario| {
        scenario.client = Some(stranger("client", material.client()?.party, material.test.roots)?);
        Ok(())
    }),
    by_server(
        "client-of-namesake-ca",
        "client of a CA of the same name",
        cause::BAD_SIGNATURE,
        |material, scenario| {
            scenario.client = Some(material.client()?.copy(Changes::default())?);
            Ok(())
        },
    ),
    by_server("expired-client", "expired client", cause::EXPIRED, |material, scenario| {
        scenario.server_judges_by.at = after(material.client()?.party.certificate())?;
        Ok(())
    }),
    by_server("not-yet-valid-client", "client not valid yet", cause::NOT_YET_VALID, |material, scenario| {
        scenario.server_judges_by.at = before(material.client()?.party.certificate())?;
        Ok(())
    }),
    by_server("revoked-client", "revoked client", cause::REVOKED, |material, scenario| {
        let (identity, list) = material.client()?.revoked(material.test)?;
        scenario.client = Some(identity);
        scenario.server_judges_by.roots = scenario::roots(&[material.client()?.hierarchy.root()])?;
        scenario.server_judges_by.revocation_lists = vec![list];
        Ok(())
    }),
    by_server(
        "server-certificate-as-client",
        "server certificate used as client",
        cause::WRONG_PURPOSE,
        |material, scenario| {
            material.client()?;
            let server = material.test.server;
            if !serves(server.certificate(), &ExtendedKeyUsage::ClientAuth) {
                scenario.client = Some(scenario.server.clone());
            } else {
                // It may serve both: a copy that is a server's alone takes its place.
                let changes = Changes { purpose: Some(Purpose::Server), ..Changes::default() };
                scenario.client = Some(material.server.copy(changes)?);
                scenario.server_judges_by.roots = scenario::roots(&[material.server.hierarchy.root()])?;
            }
            Ok(())
        },
    ),
    by_server(
        "client-without-intermediate",
        "client without its intermediate",
        cause::UNKNOWN_ISSUER,
        |material, scenario| {
            material.client()?;
            scenario.client = scenario.client.as_ref().map(without_intermediate).transpose()?;
            Ok(())
        },
    ),
    by_server("client-with-wrong-key", "client with another's key", cause::BAD_SIGNATURE, |material, scenario| {
        scenario.client = Some(material.client()?.with_wrong_key()?);
        Ok(())
    }),
    by_server("tampered-client", "tampered client certificate", cause::BAD_SIGNATURE, |material, scenario| {
        scenario.client = Some(material.client()?.tampered()?);
        Ok(())
    }),
    by_server("client-issued-by-leaf", "client issued by a leaf", cause::NOT_A_CA, |material, scenario| {
        scenario.client = Some(material.client()?.issued_by_leaf()?);
        scenario.server_judges_by.roots = scenario::roots(&[material.client()?.hierarchy.root()])?;
        Ok(())
    }),
    by_client("wrong-host-name", "wrong host name", cause::WRONG_NAME, |_, scenario| {
        // `.invalid` is reserved (RFC 6761 §6.4): no certificate vouches for it.
        scenario.host_name = ServerName::try_from("wrong-host.invalid")
            .map_err(|_| SetUpError::Library("it does not know host names".to_owned()))?;
        Ok(())
    }),
    by_client("server-of-another-ca", "server of another CA", cause::UNKNOWN_ISSUER, |material, scenario| {
        scenario.server = stranger("server", material.test.server, material.test.roots)?;
        Ok(())
    }),
    by_client("expired-server", "expired server", cause::EXPIRED, |material, scenario| {
        scenario.client_judges_by.at = after(material.test.server.certificate())?;
        Ok(())
    }),
    by_client("not-yet-valid-server", "server not valid yet", cause::NOT_YET_VALID, |material, scenario| {
        scenario.client_judges_by.at = before(material.test.server.certificate())?;
        Ok(())
    }),
    by_client("revoked-server", "revoked server", cause::REVOKED, |material, scenario| {
        let (identity, list) = material.server.revoked(material.test)?;
        scenario.server = identity;
        scenario.client_judges_by.roots = scenario::roots(&[material.server.hierarchy.root()])?;
        scenario.client_judges_by.revocation_lists = vec![list];
        Ok(())
    }),
    by_client(
        "client-certificate-as-server",
        "client certificate used as server",
        cause::WRONG_PURPOSE,
        |material, scenario| {
            // A copy with the server's names: a name that does not fit would be refused for another reason.
            let changes = Changes { purpose: Some(Purpose::Client), ..Changes::default() };
            scenario.server = material.server.copy(changes)?;
            scenario.client_judges_by.roots = scenario::roots(&[material.server.hierarchy.root()])?;
            Ok(())
        },
    ),
    by_client(
        "server-without-intermediate",
        "server without its intermediate",
        cause::UNKNOWN_ISSUER,
        |_, scenario| {
            scenario.server = without_intermediate(&scenario.server)?;
            Ok(())
        },
    ),
    by_client("server-with-wrong-key", "server with another's key", cause::BAD_SIGNATURE, |material, scenario| {
        scenario.server = material.server.with_wrong_key()?;
        Ok(())
    }),
    by_client("tampered-server", "tampered server certificate", cause::BAD_SIGNATURE, |material, scenario| {
        scenario.server = material.server.tampered()?;
        Ok(())
    }),
    by_client("server-issued-by-leaf", "server issued by a leaf", cause::NOT_A_CA, |material, scenario| {
        scenario.server = material.server.issued_by_leaf()?;
        scenario.client_judges_by.roots = scenario::roots(&[material.server.hierarchy.root()])?;
        Ok(())
    }),
];

/// Tries every case as a change of this good case.
pub(super) fn try_all(material: &Material<'_>, good: &Scenario) -> Result<Vec<Refusal>, HandshakeError> {
    CASES.iter().map(|case| case.attempt(material, good, Scenario::ends)).collect()
}

impl Case {
    /// Plays the case with the ends that `ends` makes of it; only the tests make them of softer stuff.
    pub fn attempt(
        &self,
        material: &Material<'_>,
        good: &Scenario,
        ends: impl Fn(&Scenario) -> Result<Ends, SetUpError>,
    ) -> Result<Refusal, HandshakeError> {
        let mut scenario = good.clone();
        let mut recording = None;
        let outcome = match (self.change)(material, &mut scenario) {
            Err(Obstacle::Untried(reason)) => Outcome::Untried(reason),
            Err(Obstacle::Failed(error)) => return Err(error.into()),
            Ok(()) => {
                let exchange = exchange::play(&ends(&scenario)?)?;
                let messages = trace::read(&exchange.flights, &exchange.secrets);
                let breakdown = session::breakdown(&exchange, &messages);
                recording = Some(exchange.into_recording());
                breakdown.map_or(Outcome::Accepted, Outcome::Refused)
            }
        };
        Ok(Refusal {
            case: self.name,
            title: self.title,
            version: good.version,
            outcome,
            expected: (self.by, self.cause),
            recording,
        })
    }
}

/// What the cases are made of, made once for all of them.
pub(super) struct Material<'a> {
    pub test: &'a HandshakeTest<'a>,
    /// Nothing in one-way TLS.
    client: Option<Double<'a>>,
    server: Double<'a>,
}

impl<'a> Material<'a> {
    pub fn new(test: &'a HandshakeTest<'a>) -> Result<Self, CopyError> {
        Ok(Self {
            test,
            client: test
                .client
                .map(|client| Double::new("client", client, Some(test.server), test.roots))
                .transpose()?,
            server: Double::new("server", test.server, test.client, test.roots)?,
        })
    }

    /// The client, without whom there is no case about one.
    fn client(&self) -> Result<&Double<'a>, Obstacle> {
        self.client.as_ref().ok_or_else(|| Obstacle::Untried(ONE_WAY.to_owned()))
    }
}

/// Why there is no case about a client's certificate.
const ONE_WAY: &str = "the server asks for no certificate (one-way TLS)";

/// A party, and the throw-away hierarchy that copies what stands above it.
pub(super) struct Double<'a> {
    whose: &'static str,
    party: &'a Party,
    other: Option<&'a Party>,
    hierarchy: ThrowAway,
    /// A key of the same kind that is not the certificate's: RSA keys take their time, so it is made once.
    wrong_key: OnceCell<PrivateKey>,
}

impl<'a> Double<'a> {
    /// `other` lends its key where a wrong one of the same kind is wanted.
    pub fn new(
        whose: &'static str,
        party: &'a Party,
        other: Option<&'a Party>,
        roots: &[Certificate],
    ) -> Result<Self, CopyError> {
        let hierarchy = ThrowAway::above(party.chain(), roots, None)?;
        Ok(Self { whose, party, other, hierarchy, wrong_key: OnceCell::new() })
    }

    pub fn copy(&self, changes: Changes<'_>) -> Result<Identity, CopyError> {
        self.hierarchy.identity(self.whose, &self.hierarchy.leaf(self.party.certificate(), changes)?)
    }

    fn revoked(&self, test: &HandshakeTest<'_>) -> Result<(Identity, Vec<u8>), Obstacle> {
        let issuer = &self.hierarchy.issuer().certificate;
        if issuer.key_usage.is_some_and(|usage| !usage.contains(KeyUsage::CRL_SIGN)) {
            return Err(Obstacle::Untried(format!("{} may not sign revocation lists (key usage)", issuer.subject)));
        }
        let leaf = self.hierarchy.leaf(self.party.certificate(), Changes::default())?;
        let list = self.hierarchy.revocation_list(&leaf.certificate.serial, test.at)?;
        Ok((self.hierarchy.identity(self.whose, &leaf)?, list))
    }

    fn issued_by_leaf(&self) -> Result<Identity, CopyError> {
        let leaf = self.hierarchy.leaf(self.party.certificate(), Changes::default())?;
        self.hierarchy.identity_issued_by_leaf(self.whose, &leaf, self.party.certificate())
    }

    pub fn tampered(&self) -> Result<Identity, CopyError> {
        let tampered = throw_away::tampered(self.party.certificate())?;
        let chain: Vec<&Certificate> = [&tampered].into_iter().chain(self.party.chain().iter().skip(1)).collect();
        Ok(scenario::identity(self.whose, &chain, self.party.key())?)
    }

    pub fn with_wrong_key(&self) -> Result<Identity, CopyError> {
        let kind = &self.party.certificate().public_key;
        let chain: Vec<&Certificate> = self.party.chain().iter().collect();
        let lent = self.other.filter(|other| {
            let lent = &other.certificate().public_key;
            lent.kind() == kind.kind() && lent != kind
        });
        if let Some(other) = lent {
            return Ok(scenario::identity(self.whose, &chain, other.key())?);
        }
        let key = match self.wrong_key.get() {
            Some(key) => key,
            None => {
                let made = PrivateKey::generate(algorithm_like(kind.kind()))?;
                self.wrong_key.get_or_init(|| made)
            }
        };
        Ok(scenario::identity(self.whose, &chain, key)?)
    }
}

/// A copy of the party whose root has another name and another key.
pub(super) fn stranger(whose: &'static str, party: &Party, roots: &[Certificate]) -> Result<Identity, CopyError> {
    let name = "A CA that nobody here trusts".to_owned();
    let name = DistinguishedName::build(&[(AttributeType::CommonName, name)])
        .map_err(|error| CopyError::Fields(error.to_string()))?;
    let hierarchy = ThrowAway::above(party.chain(), roots, Some(&name))?;
    hierarchy.identity(whose, &hierarchy.leaf(party.certificate(), Changes::default())?)
}

fn without_intermediate(identity: &Identity) -> Result<Identity, Obstacle> {
    match identity.cert.as_slice() {
        [leaf, _, ..] => Ok(Arc::new(CertifiedKey::new(vec![leaf.clone()], identity.key.clone()))),
        _ => Err(Obstacle::Untried("a root issued it directly, there is no intermediate to leave out".to_owned())),
    }
}

/// Whether the TLS library would take the certificate for this purpose: without the extension, for any.
pub(super) fn serves(certificate: &Certificate, purpose: &ExtendedKeyUsage) -> bool {
    certificate.extended_key_usage.as_ref().is_none_or(|purposes| purposes.contains(purpose))
}

/// One second after the certificate's last.
fn after(certificate: &Certificate) -> Result<time::OffsetDateTime, Obstacle> {
    certificate
        .validity
        .not_after
        .checked_add(Duration::SECOND)
        .filter(|at| *at <= Validity::LATEST)
        .ok_or_else(|| Obstacle::Untried("the certificate never expires".to_owned()))
}

/// One second before the certificate's first.
fn before(certificate: &Certificate) -> Result<time::OffsetDateTime, Obstacle> {
    certificate
        .validity
        .not_before
        .checked_sub(Duration::SECOND)
        .filter(|at| *at >= time::OffsetDateTime::UNIX_EPOCH)
        .ok_or_else(|| Obstacle::Untried("the certificate is older than the time the TLS library knows".to_owned()))
}

/// The algorithm of a key that could pass for one of this kind until a signature is checked.
fn algorithm_like(kind: &KeyKind) -> KeyAlgorithm {
    match kind {
        KeyKind::EcdsaP256 | KeyKind::Other(_) => KeyAlgorithm::EcdsaP256,
        KeyKind::EcdsaP384 => KeyAlgorithm::EcdsaP384,
        KeyKind::EcdsaP521 => KeyAlgorithm::EcdsaP521,
        KeyKind::Ed25519 => KeyAlgorithm::Ed25519,
        KeyKind::Rsa { .. } => KeyAlgorithm::Rsa2048,
    }
}

#[cfg(test)]
mod tests {
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::pki_types::{CertificateDer, UnixTime};
    use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
    use rustls::{DigitallySignedStruct, DistinguishedName as Hint, Error, SignatureScheme};

    use super::super::fixtures::Hierarchy;
    use super::super::registry::TlsVersion;
    use super::*;

    /// A judge that lets everything through: what a check is worth shows when it is taken away.
    #[derive(Debug)]
    struct Credulous;

    fn all_schemes() -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }

    impl ServerCertVerifier for Credulous {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            all_schemes()
        }
    }

    impl ClientCertVerifier for Credulous {
        fn root_hint_subjects(&self) -> &[Hint] {
            &[]
        }

        fn client_auth_mandatory(&self) -> bool {
            false
        }

        fn verify_client_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: UnixTime,
        ) -> Result<ClientCertVerified, Error> {
            Ok(ClientCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            all_schemes()
        }
    }

    /// Every case of one judge, with that judge asleep and the other awake.
    fn attempt_with_a_credulous(judge: Side) {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let versions = [TlsVersion::Tls13, TlsVersion::Tls12];
        let test = hierarchy.test(&versions);
        let material = Material::new(&test).unwrap();
        for version in versions {
            let good = session::good_case(&test, version).unwrap();
            for case in CASES.iter().filter(|case| case.by == judge) {
                let refusal = case
                    .attempt(&material, &good, |scenario| {
                        let servers_judge = scenario.client_judges_by.server_verifier()?;
                        if judge == Side::Server {
                            return scenario.ends_judged_by(Arc::new(Credulous), servers_judge);
                        }
                        let mut ends =
                            scenario.ends_judged_by(scenario.server_judges_by.client_verifier()?, servers_judge)?;
                        let mut client = (*ends.client).clone();
                        client.dangerous().set_certificate_verifier(Arc::new(Credulous));
                        ends.client = Arc::new(client);
                        Ok(ends)
                    })
                    .unwrap();
                assert_eq!(refusal.outcome, Outcome::Accepted, "{} in {version}", case.name);
                assert!(!refusal.as_it_should_be());
            }
        }
    }

    #[test]
    fn every_case_that_a_server_refuses_gets_through_when_the_server_does_not_check() {
        attempt_with_a_credulous(Side::Server);
    }

    #[test]
    fn every_case_that_a_client_refuses_gets_through_when_the_client_does_not_check() {
        attempt_with_a_credulous(Side::Client);
    }

    #[test]
    fn a_refusal_for_another_reason_is_not_as_it_should_be() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let test = hierarchy.test(&[TlsVersion::Tls13]);
        let material = Material::new(&test).unwrap();
        let mut good = session::good_case(&test, TlsVersion::Tls13).unwrap();
        good.client = None;
        let expired = CASES.iter().find(|case| case.name == "expired-client").unwrap();
        let refusal = expired.attempt(&material, &good, Scenario::ends).unwrap();
        assert!(matches!(&refusal.outcome, Outcome::Refused(found) if found.cause.code == cause::NO_CERTIFICATE));
        assert!(!refusal.as_it_should_be());
    }

    #[test]
    fn names_of_cases_are_different_words() {
        let mut names: Vec<_> = CASES.iter().map(|case| case.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CASES.len());
    }
}
