//! Signatures, checked by webpki over aws-lc-rs.

use rustls_pki_types::{SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer};

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

/// Whether `certificate` is signed with this key.
pub fn certificate(certificate: &Certificate, key: &PublicKey) -> Result<(), SignatureProblem> {
    signed(certificate.as_der(), certificate.tbs(), &certificate.signature_algorithm, &certificate.signature, key)
}

/// Whether `list` is signed with this key.
pub fn revocation_list(list: &RevocationList, key: &PublicKey) -> Result<(), SignatureProblem> {
    signed(list.as_der(), list.tbs(), &list.signature_algorithm, &list.signature, key)
}

fn signed(
    whole: &[u8],
    tbs: &[u8],
    algorithm: &SignatureAlgorithm,
    signature: &[u8],
    key: &PublicKey,
) -> Result<(), SignatureProblem> {
    if whole != der::sequence(&[tbs, &algorithm.der, &der::bit_string(signature)]) {
        return Err(SignatureProblem::Frame);
    }
    let spki = SubjectPublicKeyInfoDer::from(key.spki());
    let entity = webpki::RawPublicKeyEntity::try_from(&spki).map_err(|_| SignatureProblem::Unsupported)?;
    let (_, identifier, _) = der::split_first(&algorithm.der).ok_or(SignatureProblem::Unsupported)?;
    let mut found = SignatureProblem::Unsupported;
    for candidate in webpki::ALL_VERIFICATION_ALGS.iter().filter(|candidate| names(**candidate, identifier)) {
        match entity.verify_signature(*candidate, tbs, signature) {
            Ok(()) => return Ok(()),
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
