//! Forged peers: copies of the endpoints whose keys and CA belong to the test.

use std::cell::OnceCell;
use std::net::{IpAddr, Ipv4Addr};

use super::super::endpoint::Endpoint;
use super::super::error::CopyError;
use super::super::good_case::HandshakeTest;
use super::super::scenario::{self, Identity};
use super::lookalike_ca::{self, CopyChanges, HierarchyChanges, LookalikeCa};
use crate::keys::PrivateKey;
use crate::x509::name_constraints::Subtree;
use crate::x509::{
    AttributeType, Certificate, DistinguishedName, GeneralName, KeyAlgorithm, KeyKind, KeyUsage, NameConstraints,
};

/// The forged peers of all cases, created once.
pub(in super::super) struct ForgedPeers<'a> {
    pub test: &'a HandshakeTest<'a>,
    /// `None` in one-way TLS.
    client: Option<ForgedPeer<'a>>,
    pub server: ForgedPeer<'a>,
}

impl<'a> ForgedPeers<'a> {
    pub fn new(test: &'a HandshakeTest<'a>) -> Result<Self, CopyError> {
        let client = test.client.map(|client| ForgedPeer::new("client", client, Some(test.server), test.roots));
        Ok(Self {
            test,
            client: client.transpose()?,
            server: ForgedPeer::new("server", test.server, test.client, test.roots)?,
        })
    }

    /// Returns the forged client; in one-way TLS the case is not tried.
    pub fn client(&self) -> Result<&ForgedPeer<'a>, CaseNotPlayed> {
        self.client.as_ref().ok_or_else(|| CaseNotPlayed::Untried(ONE_WAY.to_owned()))
    }
}

/// The reason why cases about a client's certificate are not tried.
const ONE_WAY: &str = "the server does not request a certificate";

/// Why a case was not carried out.
pub(in super::super) enum CaseNotPlayed {
    /// The case is not possible with these certificates, for this reason.
    Untried(String),
    Failed(CopyError),
}

impl<E: Into<CopyError>> From<E> for CaseNotPlayed {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// An endpoint, and the look-alike CA with copies of its issuers.
pub(in super::super) struct ForgedPeer<'a> {
    whose: &'static str,
    pub endpoint: &'a Endpoint,
    other: Option<&'a Endpoint>,
    pub hierarchy: LookalikeCa,
    /// A key of the same algorithm that does not belong to the certificate. It is generated once, because RSA keys take
    /// long.
    wrong_key: OnceCell<PrivateKey>,
}

impl<'a> ForgedPeer<'a> {
    /// Creates a look-alike CA for the endpoint. The key of `other` is used as a wrong key, if it has the same
    /// algorithm.
    pub fn new(
        whose: &'static str,
        endpoint: &'a Endpoint,
        other: Option<&'a Endpoint>,
        roots: &[Certificate],
    ) -> Result<Self, CopyError> {
        let hierarchy = LookalikeCa::copy_above(endpoint.chain(), roots, HierarchyChanges::default())?;
        Ok(Self { whose, endpoint, other, hierarchy, wrong_key: OnceCell::new() })
    }

    pub fn copy(&self, changes: CopyChanges<'_>) -> Result<Identity, CopyError> {
        self.hierarchy.identity(self.whose, &self.hierarchy.leaf(self.endpoint.certificate(), changes)?)
    }

    pub fn revoked(&self, test: &HandshakeTest<'_>) -> Result<(Identity, Vec<u8>), CaseNotPlayed> {
        let issuer = &self.hierarchy.issuer().certificate;
        if issuer.key_usage.is_some_and(|usage| !usage.contains(KeyUsage::CRL_SIGN)) {
            return Err(CaseNotPlayed::Untried(format!("{} may not sign CRLs (key usage)", issuer.subject)));
        }
        let leaf = self.hierarchy.leaf(self.endpoint.certificate(), CopyChanges::default())?;
        let crl = self.hierarchy.crl_revoking(&leaf.certificate.serial, test.at)?;
        Ok((self.hierarchy.identity(self.whose, &leaf)?, crl))
    }

    pub fn issued_by_leaf(&self) -> Result<Identity, CopyError> {
        let leaf = self.hierarchy.leaf(self.endpoint.certificate(), CopyChanges::default())?;
        self.hierarchy.identity_issued_by_leaf(self.whose, &leaf, self.endpoint.certificate())
    }

    /// Returns a copy whose issuer is constrained to other names, and its root.
    pub fn outside_name_constraints(&self, roots: &[Certificate]) -> Result<(Identity, Certificate), CopyError> {
        // `.invalid` (RFC 6761 §6.4) and 192.0.2.0/24 (RFC 5737) are reserved: no endpoint has such a name.
        let constraints = NameConstraints {
            permitted: vec![
                Subtree::Dns("permitted.invalid".to_owned()),
                Subtree::Ip {
                    address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 0)),
                    mask: IpAddr::V4(Ipv4Addr::new(255, 255, 255, 0)),
                },
            ],
            excluded: Vec::new(),
        };
        let changes = HierarchyChanges { constraints: Some(&constraints), ..HierarchyChanges::default() };
        let hierarchy = LookalikeCa::copy_above(self.endpoint.chain(), roots, changes)?;
        // A client often has no name of a type that the constraints restrict; its copy gets one.
        let certificate = self.endpoint.certificate();
        let is_bound = certificate.names().iter().any(|name| constraints.check(name).is_err());
        let names = [GeneralName::Dns("outside.invalid".to_owned())];
        let changes = CopyChanges { names: (!is_bound).then_some(&names[..]), ..CopyChanges::default() };
        let leaf = hierarchy.leaf(certificate, changes)?;
        Ok((hierarchy.identity(self.whose, &leaf)?, hierarchy.root().clone()))
    }

    pub fn tampered(&self) -> Result<Identity, CopyError> {
        let tampered = lookalike_ca::tampered(self.endpoint.certificate())?;
        let chain: Vec<&Certificate> = [&tampered].into_iter().chain(self.endpoint.chain().iter().skip(1)).collect();
        Ok(scenario::identity(self.whose, &chain, self.endpoint.key())?)
    }

    pub fn with_wrong_key(&self) -> Result<Identity, CopyError> {
        let kind = &self.endpoint.certificate().public_key;
        let chain: Vec<&Certificate> = self.endpoint.chain().iter().collect();
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

/// Returns a copy of the endpoint whose root has another name and another key.
pub(in super::super) fn from_unknown_ca(
    whose: &'static str,
    endpoint: &Endpoint,
    roots: &[Certificate],
) -> Result<Identity, CopyError> {
    let name = "A CA that neither side trusts".to_owned();
    let name = DistinguishedName::build(&[(AttributeType::CommonName, name)])
        .map_err(|error| CopyError::Fields(error.to_string()))?;
    let changes = HierarchyChanges { root_name: Some(&name), ..HierarchyChanges::default() };
    let hierarchy = LookalikeCa::copy_above(endpoint.chain(), roots, changes)?;
    hierarchy.identity(whose, &hierarchy.leaf(endpoint.certificate(), CopyChanges::default())?)
}

/// Returns an algorithm whose keys are accepted in place of this kind until a signature is verified.
fn algorithm_like(kind: &KeyKind) -> KeyAlgorithm {
    match kind {
        KeyKind::EcdsaP256 | KeyKind::Other(_) => KeyAlgorithm::EcdsaP256,
        KeyKind::EcdsaP384 => KeyAlgorithm::EcdsaP384,
        KeyKind::EcdsaP521 => KeyAlgorithm::EcdsaP521,
        KeyKind::Ed25519 => KeyAlgorithm::Ed25519,
        KeyKind::Rsa { .. } => KeyAlgorithm::Rsa2048,
    }
}
