//! Handshakes per second with each key algorithm and key exchange: the good case with copies of its certificates.

use super::endpoint::Endpoint;
use super::error::{CopyError, HandshakeError};
use super::good_case::{HandshakeTest, good_case};
use super::measure::{MeasurePlan, Progress, Rate, Workload};
use super::refusals::lookalike_ca::{CopyChanges, HierarchyChanges, LookalikeCa};
use super::scenario::{self, Identity};
use crate::tls::{Group, TlsVersion};
use crate::x509::{Certificate, KeyAlgorithm};

/// The key algorithms that are used with TLS.
const KEYS: [KeyAlgorithm; 5] = [
    KeyAlgorithm::Rsa2048,
    KeyAlgorithm::Rsa4096,
    KeyAlgorithm::EcdsaP256,
    KeyAlgorithm::EcdsaP384,
    KeyAlgorithm::Ed25519,
];

/// The key exchanges that are compared: without and with post-quantum protection.
const X25519: &[Group] = &[Group::X25519];
const HYBRID: &[Group] = &[Group::X25519MlKem768];

/// Measures the good case of `test` with copies of its certificates, for each key algorithm; full and resumed
/// handshakes.
///
/// # Errors
/// As for [`super::measure::measure`], and when a certificate cannot be copied.
pub fn matrix(
    test: &HandshakeTest<'_>,
    workload: Workload,
    on_progress: &mut dyn FnMut(&Progress<'_>),
) -> Result<Vec<Rate>, HandshakeError> {
    let mut plan = MeasurePlan::new(workload);
    for (index, algorithm) in KEYS.iter().enumerate() {
        on_progress(&Progress { done: index, of: KEYS.len(), what: &format!("making keys, {algorithm}") });
        let copies = Copies::of(test, *algorithm)?;
        for version in test.versions {
            for groups in [X25519, HYBRID] {
                // The hybrid key exchange is defined for TLS 1.3 only (draft-ietf-tls-ecdhe-mlkem).
                if *version == TlsVersion::Tls12 && groups == HYBRID {
                    continue;
                }
                let mut scenario = good_case(test, *version)?.without_revocations();
                let roots = scenario::roots(&copies.roots.iter().collect::<Vec<_>>())?;
                scenario.server = copies.server.clone();
                scenario.client.clone_from(&copies.client);
                scenario.server_trust.roots = roots.clone();
                scenario.client_trust.roots = roots;
                (scenario.client_groups, scenario.server_groups) = (groups, groups);
                plan.add(&scenario, &algorithm.to_string())?;
            }
        }
    }
    plan.play(on_progress)
}

/// Copies of both endpoints with keys of one algorithm.
struct Copies {
    server: Identity,
    /// `None` in one-way TLS.
    client: Option<Identity>,
    roots: Vec<Certificate>,
}

impl Copies {
    fn of(test: &HandshakeTest<'_>, algorithm: KeyAlgorithm) -> Result<Self, CopyError> {
        let changes = CopyChanges { algorithm: Some(algorithm), ..CopyChanges::default() };
        let above = |endpoint: &Endpoint| {
            let changes = HierarchyChanges { algorithm: Some(algorithm), ..HierarchyChanges::default() };
            LookalikeCa::copy_above(endpoint.chain(), test.roots, changes)
        };
        let hierarchy = above(test.server)?;
        let server = hierarchy.identity("server", &hierarchy.leaf(test.server.certificate(), changes)?)?;
        let mut roots = vec![hierarchy.root().clone()];
        let Some(endpoint) = test.client else { return Ok(Self { server, client: None, roots }) };
        // Large RSA keys take long to generate: endpoints of the same issuer share a hierarchy.
        let is_shared = endpoint.certificate().issuer == test.server.certificate().issuer;
        let other = if is_shared { None } else { Some(above(endpoint)?) };
        roots.extend(other.as_ref().map(|other| other.root().clone()));
        let hierarchy = other.as_ref().unwrap_or(&hierarchy);
        let client = hierarchy.identity("client", &hierarchy.leaf(endpoint.certificate(), changes)?)?;
        Ok(Self { server, client: Some(client), roots })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::Hierarchy;
    use super::*;

    #[test]
    fn every_kind_of_key_meets_every_key_exchange_that_its_version_knows() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let test = hierarchy.test(&[TlsVersion::Tls13, TlsVersion::Tls12]);
        let rates = matrix(&test, Workload { count: 1, jobs: 1 }, &mut |_| ()).unwrap();
        assert_eq!(rates.len(), KEYS.len() * 3 * 2);
        for algorithm in KEYS {
            let of_key: Vec<_> = rates.iter().filter(|rate| rate.key == algorithm.to_string()).collect();
            let groups: Vec<_> = of_key
                .iter()
                .filter(|rate| !rate.resumed)
                .map(|rate| (rate.version, rate.group.unwrap().to_string()))
                .collect();
            let (new, old) = (TlsVersion::Tls13, TlsVersion::Tls12);
            let expected = [(new, "x25519"), (new, "X25519MLKEM768"), (old, "x25519")];
            assert_eq!(groups, expected.map(|(version, group)| (version, group.to_owned())), "{algorithm}");
        }
        // Longer keys make longer certificates, so the copies have the intended keys.
        let bytes = |algorithm: KeyAlgorithm| {
            rates.iter().find(|rate| rate.key == algorithm.to_string() && !rate.resumed).unwrap().bytes
        };
        assert!(bytes(KeyAlgorithm::Rsa4096) > bytes(KeyAlgorithm::Rsa2048) + 1000);
        assert!(bytes(KeyAlgorithm::Rsa2048) > bytes(KeyAlgorithm::EcdsaP384));
        assert!(bytes(KeyAlgorithm::EcdsaP384) > bytes(KeyAlgorithm::EcdsaP256));
    }
}
