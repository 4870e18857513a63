//! A small hierarchy for the tests of this room.

use time::OffsetDateTime;
use time::macros::datetime;

use super::{
    CaCertificate, CertificateRequest, Draft, DraftRefusal, Expiry, GivenExtensions, Issuer, Profile, SignedBy,
    TemplateValues, approve, sign,
};
use crate::keys::{PrivateKey, Signer, SigningError};
use crate::x509::{Certificate, KeyAlgorithm, PublicKey, SerialNumber, SignatureAlgorithm};

pub const NOW: OffsetDateTime = datetime!(2026-06-01 12:00 UTC);

pub const ROOT: &str = include_str!("../../templates/root.toml");
pub const INTERMEDIATE: &str = include_str!("../../templates/intermediate.toml");
pub const SERVER: &str = include_str!("../../templates/server.toml");
pub const CLIENT: &str = include_str!("../../templates/client.toml");
pub const PEER: &str = include_str!("../../templates/peer.toml");

pub fn profile(toml: &str) -> Profile {
    Profile::read("test", "test.toml", toml).unwrap()
}

pub fn serial(byte: u8) -> SerialNumber {
    SerialNumber::from_random(&[byte; 16]).unwrap()
}

pub fn request(name: &str, names: &[&str], public_key: &PublicKey) -> CertificateRequest {
    CertificateRequest {
        name: name.to_owned(),
        names: names.iter().map(|name| name.parse().unwrap()).collect(),
        public_key: public_key.clone(),
        expiry: Expiry::Default,
        clip: false,
        whole_subject: None,
        extensions: GivenExtensions::None,
        subject: Vec::new(),
        values: TemplateValues(
            [("name", name), ("organization", "Acme")].map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        ),
    }
}

pub fn root(algorithm: KeyAlgorithm, toml: &str) -> Issuer<'static> {
    let key = PrivateKey::generate(algorithm).unwrap();
    let draft = Draft::new(
        &profile(toml),
        &request("Test Root", &[], key.public_key()),
        SignedBy::Itself(&key),
        NOW,
        serial(1),
    )
    .unwrap();
    let root = sign(approve(draft, None).unwrap().unverified(), &key).unwrap();
    Issuer::new(CaCertificate::new("root", root, Vec::new()).unwrap(), key).unwrap()
}

pub fn below(issuer: &Issuer<'_>, toml: &str) -> Result<Issuer<'static>, DraftRefusal> {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let certificate = issue(issuer, toml, &request("Test Issuing", &[], key.public_key()))?;
    let above = [&[issuer.ca_certificate().certificate().clone()], issuer.ca_certificate().above()].concat();
    Ok(Issuer::new(CaCertificate::new("issuing", certificate, above).unwrap(), key).unwrap())
}

/// A signer that signs other bytes than those it was given.
pub struct WrongSigner<'a> {
    pub key: &'a dyn Signer,
    /// The algorithm that it says it uses.
    pub algorithm: SignatureAlgorithm,
}

impl Signer for WrongSigner<'_> {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.algorithm.clone()
    }

    fn sign(&self, _message: &[u8]) -> Result<Vec<u8>, SigningError> {
        self.key.sign(b"something else")
    }
}

pub fn issue(issuer: &Issuer<'_>, toml: &str, request: &CertificateRequest) -> Result<Certificate, DraftRefusal> {
    let draft = Draft::new(&profile(toml), request, SignedBy::Issuer(issuer.ca_certificate()), NOW, serial(2))?;
    Ok(issuer.sign(approve(draft, Some(issuer.ca_certificate())).unwrap().unverified()).unwrap())
}
