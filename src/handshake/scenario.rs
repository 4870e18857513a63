//! The settings of one exchange: the identity, trust and time of each endpoint.

use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ClientConfig, Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs};
use rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime,
};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ServerConfig, VerifierBuilderError, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::{RootCertStore, SupportedProtocolVersion};
use time::OffsetDateTime;

use super::config_pair::ConfigPair;
use super::error::SetUpError;
use super::observer::{Observations, Observer};
use super::revocation::{RefusesRevoked, Revocations};
use super::secp521r1::Secp521r1;
use crate::keys::PrivateKey;
use crate::tls::{Group, Secrets, TlsVersion};
use crate::x509::Certificate;

/// The chain and key of an endpoint, as the TLS library uses them.
pub(super) type Identity = Arc<CertifiedKey>;

/// The settings of one exchange, which can be carried out any number of times.
#[derive(Clone)]
pub(super) struct Scenario {
    pub version: TlsVersion,
    pub server: Identity,
    /// `None`: the client has no certificate.
    pub client: Option<Identity>,
    pub client_authentication: ClientAuthentication,
    /// The groups that the client offers for the key exchange.
    pub client_groups: &'static [Group],
    pub server_groups: &'static [Group],
    /// The application protocols (RFC 7301) that both endpoints support, in order of preference; empty: no extension is
    /// sent.
    pub protocols: Vec<Vec<u8>>,
    /// The name that the client requests.
    pub host_name: ServerName<'static>,
    /// The server's settings to verify the client.
    pub server_trust: TrustSettings,
    /// The client's settings to verify the server.
    pub client_trust: TrustSettings,
}

/// Whether the server requests a certificate from the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// Mutual TLS: the server requests one, and refuses a client without a certificate.
    Required,
    /// One-way TLS: the server requests none.
    NotRequested,
}

/// The settings with which an endpoint verifies its peer.
#[derive(Clone)]
pub(super) struct TrustSettings {
    pub roots: Arc<RootCertStore>,
    /// The CRLs that the TLS library checks; they must cover the peer, unless there is none.
    pub crls: Vec<Vec<u8>>,
    /// Further revocations; `None` when no source of them is known.
    pub revocations: Option<Revocations>,
    pub at: OffsetDateTime,
}

/// Returns a chain and a key for the TLS library; that they belong together is not checked.
pub(super) fn identity(whose: &'static str, chain: &[&Certificate], key: &PrivateKey) -> Result<Identity, SetUpError> {
    // Borrowed: the bytes of the key are copied into the cryptographic library only.
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.as_pkcs8().as_slice()));
    let signing_key = aws_lc_rs::sign::any_supported_type(&der)
        .map_err(|error| SetUpError::Key { whose, reason: error.to_string() })?;
    let chain = chain.iter().map(|certificate| CertificateDer::from(certificate.as_der().to_vec())).collect();
    Ok(Arc::new(CertifiedKey::new(chain, signing_key)))
}

/// Returns the trust anchors of an endpoint.
pub(super) fn roots(certificates: &[&Certificate]) -> Result<Arc<RootCertStore>, SetUpError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates {
        store.add(CertificateDer::from(certificate.as_der().to_vec())).map_err(|error| SetUpError::Root {
            subject: certificate.subject.to_string(),
            reason: error.to_string(),
        })?;
    }
    if store.is_empty() { Err(SetUpError::NoRoots) } else { Ok(Arc::new(store)) }
}

impl Scenario {
    /// Returns a copy in which neither endpoint knows of revocations.
    pub fn without_revocations(&self) -> Self {
        let mut scenario = self.clone();
        for trust in [&mut scenario.server_trust, &mut scenario.client_trust] {
            trust.crls.clear();
            trust.revocations = None;
        }
        scenario
    }

    /// Returns the configurations of both endpoints, with all checks that the TLS library has.
    pub fn configs(&self) -> Result<ConfigPair, SetUpError> {
        let client_verifier = match self.client_authentication {
            ClientAuthentication::Required => self.server_trust.client_verifier()?,
            ClientAuthentication::NotRequested => WebPkiClientVerifier::no_client_auth(),
        };
        self.configs_with_verifiers(client_verifier, self.client_trust.server_verifier()?)
    }

    /// Returns the configurations with the given verifiers; besides [`Scenario::configs`] only tests call it.
    pub(super) fn configs_with_verifiers(
        &self,
        client_verifier: Arc<dyn ClientCertVerifier>,
        server_verifier: Arc<dyn ServerCertVerifier>,
    ) -> Result<ConfigPair, SetUpError> {
        let secrets = Arc::new(Secrets::default());
        let (versions, groups) = (&[self.version], self.server_groups);
        let trust = &self.server_trust;
        let mut server = server_config(versions, groups, &self.server, trust, client_verifier, &secrets)?;
        let (own, groups, trust) = (self.client.as_ref(), self.client_groups, &self.client_trust);
        let mut client = client_config(self.version, groups, own, trust, server_verifier, &secrets)?;
        server.alpn_protocols.clone_from(&self.protocols);
        client.alpn_protocols.clone_from(&self.protocols);

        Ok(ConfigPair { client: client.into(), server: server.into(), host_name: self.host_name.clone(), secrets })
    }
}

/// Returns the configuration of a server.
pub(super) fn server_config(
    versions: &[TlsVersion],
    groups: &[Group],
    identity: &Identity,
    trust: &TrustSettings,
    verifier: Arc<dyn ClientCertVerifier>,
    secrets: &Arc<Secrets>,
) -> Result<ServerConfig, SetUpError> {
    let one = if let [version] = versions { Some(*version) } else { None };
    let protocols: Vec<_> = versions.iter().flat_map(|version| protocol(*version)).collect();
    let mut server = ServerConfig::builder_with_details(provider(one, groups), trust.clock()?)
        .with_protocol_versions(&protocols)
        .map_err(|error| SetUpError::Library(error.to_string()))?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(identity.clone())));
    server.key_log = secrets.clone();
    Ok(server)
}

/// Returns the configuration of a client that also offers P-521 for the key exchange of TLS 1.2: a server of another program may
/// have a certificate with that curve.
pub(super) fn visiting_config(
    version: TlsVersion,
    identity: Option<&Identity>,
    trust: &TrustSettings,
    secrets: &Arc<Secrets>,
) -> Result<ClientConfig, SetUpError> {
    client_of(
        with_secp521r1(provider(Some(version), Group::ALL)),
        version,
        identity,
        trust,
        trust.server_verifier()?,
        secrets,
    )
}

/// Returns the configuration of a client.
pub(super) fn client_config(
    version: TlsVersion,
    groups: &[Group],
    identity: Option<&Identity>,
    trust: &TrustSettings,
    verifier: Arc<dyn ServerCertVerifier>,
    secrets: &Arc<Secrets>,
) -> Result<ClientConfig, SetUpError> {
    client_of(provider(Some(version), groups), version, identity, trust, verifier, secrets)
}

fn client_of(
    provider: Arc<CryptoProvider>,
    version: TlsVersion,
    identity: Option<&Identity>,
    trust: &TrustSettings,
    verifier: Arc<dyn ServerCertVerifier>,
    secrets: &Arc<Secrets>,
) -> Result<ClientConfig, SetUpError> {
    let client = ClientConfig::builder_with_details(provider, trust.clock()?)
        .with_protocol_versions(&protocol(version))
        .map_err(|error| SetUpError::Library(error.to_string()))?
        // The verifiers of this program ask the TLS library's own first (see [`TrustSettings`]).
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut client = match identity {
        Some(identity) => client.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.clone()))),
        None => client.with_no_client_auth(),
    };
    // A resumed session has no certificates, so it proves nothing about them.
    client.resumption = Resumption::disabled();
    client.key_log = secrets.clone();
    Ok(client)
}

/// Returns the configuration of a client that records certificates with an [`Observer`] instead of verifying them, and
/// has no certificate.
pub(super) fn fetching_config(
    at: OffsetDateTime,
    observations: &Arc<Observations>,
) -> Result<ClientConfig, SetUpError> {
    let provider = with_secp521r1(provider(None, Group::ALL));
    let algorithms = provider.signature_verification_algorithms;
    let mut client = ClientConfig::builder_with_details(provider, clock(at)?)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| SetUpError::Library(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Observer::new(observations.clone(), algorithms)))
        .with_client_cert_resolver(observations.clone());
    client.resumption = Resumption::disabled();
    Ok(client)
}

fn protocol(version: TlsVersion) -> [&'static SupportedProtocolVersion; 1] {
    match version {
        TlsVersion::Tls12 => [&rustls::version::TLS12],
        TlsVersion::Tls13 => [&rustls::version::TLS13],
    }
}

impl TrustSettings {
    pub fn client_verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, SetUpError> {
        let builder = WebPkiClientVerifier::builder_with_provider(self.roots.clone(), provider(None, Group::ALL));
        // Only the revocation of the leaf is tested; a test has no CRLs that cover the intermediates.
        let builder = builder.with_crls(self.crls()).only_check_end_entity_revocation();
        let verifier = builder.enforce_revocation_expiration().build().map_err(unusable)?;
        Ok(match self.revocations.clone() {
            Some(revocations) => Arc::new(RefusesRevoked { verifier, revocations }),
            None => verifier,
        })
    }

    pub fn server_verifier(&self) -> Result<Arc<dyn ServerCertVerifier>, SetUpError> {
        let builder = WebPkiServerVerifier::builder_with_provider(self.roots.clone(), provider(None, Group::ALL));
        let builder = builder.with_crls(self.crls()).only_check_end_entity_revocation();
        let verifier: Arc<dyn ServerCertVerifier> =
            builder.enforce_revocation_expiration().build().map_err(unusable)?;
        Ok(match self.revocations.clone() {
            Some(revocations) => Arc::new(RefusesRevoked { verifier, revocations }),
            None => verifier,
        })
    }

    fn crls(&self) -> impl Iterator<Item = CertificateRevocationListDer<'static>> {
        self.crls.clone().into_iter().map(CertificateRevocationListDer::from)
    }

    fn clock(&self) -> Result<Arc<dyn TimeProvider>, SetUpError> {
        clock(self.at)
    }
}

fn clock(at: OffsetDateTime) -> Result<Arc<dyn TimeProvider>, SetUpError> {
    let seconds = u64::try_from(at.unix_timestamp()).map_err(|_| SetUpError::Time)?;
    Ok(Arc::new(FixedClock(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)))))
}

fn unusable(error: VerifierBuilderError) -> SetUpError {
    match error {
        VerifierBuilderError::NoRootAnchors => SetUpError::NoRoots,
        VerifierBuilderError::InvalidCrl(error) => SetUpError::Crl(format!("{error:?}")),
        other => SetUpError::Library(other.to_string()),
    }
}

/// Returns rustls's defaults on aws-lc, post-quantum key exchange first; it is never installed for the process. It has
/// only the cipher suites of this version: rustls would also offer those of the other, which cannot be chosen.
fn provider(version: Option<TlsVersion>, groups: &[Group]) -> Arc<CryptoProvider> {
    let mut provider = aws_lc_rs::default_provider();
    let wanted = |tls13: bool| version.is_none_or(|version| (version == TlsVersion::Tls13) == tls13);
    provider.cipher_suites.retain(|suite| wanted(suite.tls13().is_some()));
    provider.kx_groups = groups.iter().map(|group| exchange_of(*group)).collect();
    Arc::new(provider)
}

fn with_secp521r1(provider: Arc<CryptoProvider>) -> Arc<CryptoProvider> {
    let mut provider = Arc::unwrap_or_clone(provider);
    provider.kx_groups.push(&Secp521r1);
    Arc::new(provider)
}

fn exchange_of(group: Group) -> &'static dyn SupportedKxGroup {
    match group {
        Group::X25519MlKem768 => aws_lc_rs::kx_group::X25519MLKEM768,
        Group::X25519 => aws_lc_rs::kx_group::X25519,
        Group::Secp256r1 => aws_lc_rs::kx_group::SECP256R1,
        Group::Secp384r1 => aws_lc_rs::kx_group::SECP384R1,
    }
}

/// The clock of an endpoint: always the time at which it verifies.
#[derive(Debug)]
struct FixedClock(UnixTime);

impl TimeProvider for FixedClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::Hierarchy;
    use super::*;
    use crate::x509::KeyAlgorithm;

    impl Scenario {
        /// Returns configurations whose client offers this cipher suite only, so that decryption is tested with each
        /// suite.
        pub fn configs_with_suite(&self, suite: rustls::CipherSuite) -> ConfigPair {
            let configs = self.configs().unwrap();
            let mut provider = aws_lc_rs::default_provider();
            provider.cipher_suites.retain(|one| one.suite() == suite);
            let mut client = ClientConfig::builder_with_details(provider.into(), self.client_trust.clock().unwrap())
                .with_protocol_versions(&protocol(self.version))
                .unwrap()
                .dangerous()
                .with_custom_certificate_verifier(self.client_trust.server_verifier().unwrap())
                .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(self.client.clone().unwrap())));
            client.key_log = configs.secrets.clone();
            ConfigPair { client: client.into(), ..configs }
        }
    }

    #[test]
    fn no_peer_is_verified_without_a_root() {
        assert!(matches!(roots(&[]), Err(SetUpError::NoRoots)));
        assert_eq!(unusable(VerifierBuilderError::NoRootAnchors), SetUpError::NoRoots);
    }

    #[test]
    fn an_invalid_crl_and_a_time_before_1970_are_errors() {
        let at = time::macros::datetime!(1969-12-31 23:59:59 UTC);
        assert!(matches!(clock(at), Err(SetUpError::Time)));
        assert!(clock(OffsetDateTime::UNIX_EPOCH).is_ok());
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let roots = roots(&[&hierarchy.root]).unwrap();
        let trust = TrustSettings { roots, crls: vec![vec![0x30, 0]], revocations: None, at };
        assert!(matches!(trust.client_verifier(), Err(SetUpError::Crl(_))));
        assert!(matches!(trust.server_verifier(), Err(SetUpError::Crl(_))));
    }

    /// Cipher suites of another version would be misleading in the trace.
    #[test]
    fn only_the_cipher_suites_of_the_version_are_offered() {
        let of = |version| provider(version, Group::ALL).cipher_suites.clone();
        let tls13 = |suites: &[rustls::SupportedCipherSuite]| suites.iter().filter(|it| it.tls13().is_some()).count();
        let (new, old, both) = (of(Some(TlsVersion::Tls13)), of(Some(TlsVersion::Tls12)), of(None));
        assert_eq!((tls13(&new), tls13(&old), tls13(&both)), (new.len(), 0, new.len()));
        assert_eq!(both.len(), new.len() + old.len());
    }
}
