//! Signatures, checked by webpki over aws-lc-rs.

use rustls_pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer,
};

use crate::x509::{Certificate, PublicKey, RevocationList, SignatureAlgorithm, der};

/// Why a signature does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureProblem {
    /// The algorithm, or its use with this kind of key, is not one that is relied on here.
    Unsupported,
    /// It does not verify with the key.
    Wrong,
    /// The octets around what is signed are not the DER of three parts: somebody touched them.
    Frame,
}

/// A signature that was checked and holds.
#[derive(Debug, Clone, Copy)]
struct Holding<'a> {
    algorithm: &'static dyn SignatureVerificationAlgorithm,
    /// subjectPublicKey, as the algorithm takes it.
    key: &'a [u8],
    message: &'a [u8],
    signature: &'a [u8],
}

/// The signatures that hold of those that were checked for one leaf: so that webpki, which is asked about a path whose
/// signatures were all checked when it was found, does not check each of them a second time.
#[derive(Debug, Default)]
pub struct Held<'a>(Vec<Holding<'a>>);

impl<'a> Held<'a> {
    /// As [`certificate`], and remembers a yes.
    pub fn certificate(&mut self, certificate: &'a Certificate, key: &'a PublicKey) -> Result<(), SignatureProblem> {
        let (message, signature) = (certificate.tbs(), &certificate.signature[..]);
        let algorithm = signed(certificate.as_der(), message, &certificate.signature_algorithm, signature, key)?;
        self.0.push(Holding { algorithm, key: key.bits(), message, signature });
        Ok(())
    }

    /// The algorithms of webpki, each of which knows what it has said yes to before.
    pub fn algorithms(&self) -> Vec<Remembering<'a>> {
        let remembering = |algorithm: &&'static dyn SignatureVerificationAlgorithm| {
            let is_its_own = |holding: &&Holding<'a>| is_same(holding.algorithm, *algorithm);
            Remembering { algorithm: *algorithm, held: self.0.iter().filter(is_its_own).copied().collect() }
        };
        webpki::ALL_VERIFICATION_ALGS.iter().map(remembering).collect()
    }
}

/// An algorithm that says yes at once to exactly the key, octets and signature that it has said yes to before.
#[derive(Debug)]
pub struct Remembering<'a> {
    algorithm: &'static dyn SignatureVerificationAlgorithm,
    held: Vec<Holding<'a>>,
}

impl SignatureVerificationAlgorithm for Remembering<'_> {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let asked = (key, message, signature);
        if self.held.iter().any(|holding| (holding.key, holding.message, holding.signature) == asked) {
            return Ok(());
        }
        self.algorithm.verify_signature(key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.signature_alg_id()
    }
}

fn is_same(one: &dyn SignatureVerificationAlgorithm, other: &dyn SignatureVerificationAlgorithm) -> bool {
    (one.public_key_alg_id(), one.signature_alg_id()) == (other.public_key_alg_id(), other.signature_alg_id())
}

/// Whether `certificate` is signed with this key.
pub fn certificate(certificate: &Certificate, key: &PublicKey) -> Result<(), SignatureProblem> {
    let (message, signature) = (certificate.tbs(), &certificate.signature);
    signed(certificate.as_der(), message, &certificate.signature_algorithm, signature, key).map(drop)
}

/// Whether `list` is signed with this key.
pub fn revocation_list(list: &RevocationList, key: &PublicKey) -> Result<(), SignatureProblem> {
    signed(list.as_der(), list.tbs(), &list.signature_algorithm, &list.signature, key).map(drop)
}

/// The algorithm by which the signature holds.
fn signed(
    whole: &[u8],
    tbs: &[u8],
    algorithm: &SignatureAlgorithm,
    signature: &[u8],
    key: &PublicKey,
) -> Result<&'static dyn SignatureVerificationAlgorithm, SignatureProblem> {
    if whole != der::sequence(&[tbs, &algorithm.der, &der::bit_string(signature)]) {
        return Err(SignatureProblem::Frame);
    }
    let spki = SubjectPublicKeyInfoDer::from(key.spki());
    let entity = webpki::RawPublicKeyEntity::try_from(&spki).map_err(|_| SignatureProblem::Unsupported)?;
    let (_, identifier, _) = der::split_first(&algorithm.der).ok_or(SignatureProblem::Unsupported)?;
    let mut found = SignatureProblem::Unsupported;
    for candidate in webpki::ALL_VERIFICATION_ALGS.iter().filter(|candidate| names(**candidate, identifier)) {
        match entity.verify_signature(*candidate, tbs, signature) {
            Ok(()) => return Ok(*candidate),
            Err(webpki::Error::InvalidSignatureForPublicKey) => found = SignatureProblem::Wrong,
            // The same identifier stands for several kinds of key; another candidate may fit this one.
            Err(_) => {}
        }
    }
    Err(found)
}

fn names(candidate: &dyn SignatureVerificationAlgorithm, identifier: &[u8]) -> bool {
    candidate.signature_alg_id().as_ref() == identifier
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{Authority, Bent};
    use crate::x509::KeyAlgorithm;

    #[test]
    fn every_kind_of_key_is_verified_and_a_wrong_signature_is_not() {
        for algorithm in [
            KeyAlgorithm::EcdsaP256,
            KeyAlgorithm::EcdsaP384,
            KeyAlgorithm::EcdsaP521,
            KeyAlgorithm::Ed25519,
            KeyAlgorithm::Rsa2048,
        ] {
            let root = Authority::self_signed(Bent::ca("Root").algorithm(algorithm));
            let key = root.certificate.public_key.clone();
            assert_eq!(certificate(&root.certificate, &key), Ok(()), "{algorithm}");
            let wrong = root.issue(Bent::server("a.test").badly_signed());
            assert_eq!(certificate(&wrong, &key), Err(SignatureProblem::Wrong), "{algorithm}");
        }
    }

    #[test]
    fn only_what_was_checked_and_held_is_remembered() {
        let root = Authority::root();
        let (leaf, wrong) = (root.issue(Bent::server("a.test")), root.issue(Bent::server("b.test").badly_signed()));
        let key = &root.certificate.public_key;
        let mut held = Held::default();
        assert_eq!(held.certificate(&leaf, key), Ok(()));
        assert_eq!(held.certificate(&wrong, key), Err(SignatureProblem::Wrong));
        let algorithms = held.algorithms();
        let [remembering] = &algorithms.iter().filter(|each| !each.held.is_empty()).collect::<Vec<_>>()[..] else {
            panic!("not one algorithm")
        };
        assert_eq!(remembering.held.len(), 1);
        let says_yes = |key: &[u8], message: &[u8], signature: &[u8]| {
            remembering.verify_signature(key, message, signature).is_ok()
        };
        assert!(says_yes(key.bits(), leaf.tbs(), &leaf.signature));
        assert!(!says_yes(key.bits(), wrong.tbs(), &leaf.signature));
        assert!(!says_yes(key.bits(), leaf.tbs(), &wrong.signature));
        assert!(!says_yes(Authority::root().certificate.public_key.bits(), leaf.tbs(), &leaf.signature));
        // What is not remembered is checked.
        let fresh = Held::default().algorithms();
        let fresh = fresh.iter().find(|each| is_same(each.algorithm, remembering.algorithm)).unwrap();
        assert!(fresh.verify_signature(key.bits(), leaf.tbs(), &leaf.signature).is_ok());
        assert!(fresh.verify_signature(key.bits(), wrong.tbs(), &wrong.signature).is_err());
    }

    #[test]
    fn another_key_and_an_altered_frame_are_refused() {
        let (root, other) = (Authority::root(), Authority::root());
        let leaf = root.issue(Bent::server("a.test"));
        assert_eq!(certificate(&leaf, &other.certificate.public_key), Err(SignatureProblem::Wrong));
        let mut octets = leaf.as_der().to_vec();
        let at = octets.len() - leaf.signature.len() - 1;
        octets[at] = 1;
        if let Ok(altered) = Certificate::from_der(&octets) {
            assert_eq!(certificate(&altered, &root.certificate.public_key), Err(SignatureProblem::Frame));
        }
    }
}
