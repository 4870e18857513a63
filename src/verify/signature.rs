//! Signatures, verified by webpki over aws-lc-rs. Results are cached: the path search and webpki check the same
//! signatures, and so do the chains of a thousand files under one CA.
//!
//! `keys/verification.rs` is a second verifier, over aws-lc-rs directly, which the issuing side uses: what this program
//! issues is checked by two implementations.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use rustls_pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer,
};

use crate::x509::{Certificate, Crl, KeyKind, PublicKey, SignatureAlgorithm, der, digest};

/// The most results that are kept: some megabytes.
const MOST_KNOWN: usize = 50_000;

/// The results of signature checks. A result depends on nothing else, so verifications of several threads can share one
/// cache.
#[derive(Default)]
pub struct SignatureCache {
    /// Whether the signature verifies, by the SHA-256 of all inputs of the check.
    known: Mutex<HashMap<[u8; 32], bool>>,
}

/// Writes the number of entries: hashes are of no use to a reader.
impl fmt::Debug for SignatureCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureCache").field("known", &self.known().len()).finish()
    }
}

/// One of webpki's algorithms that looks into the cache first.
#[derive(Debug)]
pub(super) struct CachingAlgorithm<'a> {
    algorithm: &'static dyn SignatureVerificationAlgorithm,
    signatures: &'a SignatureCache,
}

/// Why a signature is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureProblem {
    /// The algorithm, or its use with this kind of key, is not supported here.
    Unsupported,
    /// The signature does not verify with the key.
    Wrong,
    /// The bytes around the signed part are not the DER of a SEQUENCE of three parts: they were altered.
    Frame,
}

impl SignatureProblem {
    /// Returns `Wrong` in place of `Unsupported` when a key of this kind makes no signature of this algorithm: only of a
    /// signature that the key may have made it is not known whether it is right.
    pub fn for_key(self, algorithm: &SignatureAlgorithm, key: &KeyKind) -> Self {
        match self {
            Self::Unsupported if !can_belong_together(algorithm, key) => Self::Wrong,
            problem => problem,
        }
    }
}

impl SignatureCache {
    /// Verifies that `certificate` is signed with this key.
    pub fn certificate(&self, certificate: &Certificate, key: &PublicKey) -> Result<(), SignatureProblem> {
        let (algorithm, signature) = (&certificate.signature_algorithm, &certificate.signature);
        self.signed(certificate.as_der(), certificate.tbs(), algorithm, signature, key)
    }

    /// Verifies that `crl` is signed with this key.
    pub fn crl(&self, crl: &Crl, key: &PublicKey) -> Result<(), SignatureProblem> {
        self.signed(crl.as_der(), crl.tbs(), &crl.signature_algorithm, &crl.signature, key)
    }

    /// Takes the signature of a certificate as verified with this key, without a look at it. For a certificate that is
    /// verified before it is signed, with a placeholder in place of the signature.
    pub(super) fn assume(&self, unsigned: &Certificate, key: &PublicKey) {
        let content = |der| der::split_first(der).map(|(_, content, _)| content);
        let kind = content(key.spki()).and_then(content);
        for algorithm in self.algorithms() {
            let fits = kind == Some(algorithm.public_key_alg_id().as_ref())
                && content(&unsigned.signature_algorithm.der) == Some(algorithm.signature_alg_id().as_ref());
            if fits {
                let question = algorithm.question(key.bits(), unsigned.tbs(), &unsigned.signature);
                self.known().insert(question, true);
            }
        }
    }

    /// Returns webpki's algorithms, with this cache in front of them.
    pub(super) fn algorithms(&self) -> Vec<CachingAlgorithm<'_>> {
        webpki::ALL_VERIFICATION_ALGS
            .iter()
            .map(|algorithm| CachingAlgorithm { algorithm: *algorithm, signatures: self })
            .collect()
    }

    fn signed(
        &self,
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
        let identifier = with_null_in_pss(&algorithm.der);
        let (_, identifier, _) = der::split_first(&identifier).ok_or(SignatureProblem::Unsupported)?;
        let mut found = SignatureProblem::Unsupported;
        let algorithms = self.algorithms();
        for candidate in algorithms.iter().filter(|candidate| candidate.signature_alg_id().as_ref() == identifier) {
            match entity.verify_signature(candidate, tbs, signature) {
                Ok(()) => return Ok(()),
                // Outside of these lengths the library refuses without a look at the signature.
                Err(webpki::Error::InvalidSignatureForPublicKey) if has_length_relied_on(key.kind()) => {
                    found = SignatureProblem::Wrong;
                }
                // One algorithm identifier belongs to several kinds of key: another algorithm may fit this key.
                Err(_) => {}
            }
        }
        Err(found)
    }

    /// A thread that panicked left complete entries only: each is one insertion.
    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], bool>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lengths of moduli in the names of webpki's algorithms (`RSA_PKCS1_2048_8192_SHA256`).
pub(super) const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

fn has_length_relied_on(kind: &KeyKind) -> bool {
    !matches!(kind, KeyKind::Rsa { bits, .. } if !RSA_BITS.contains(bits))
}

/// Returns the identifier of RSASSA-PSS with the parameters of its digests as NULL: RFC 4055 §2.1 lets a writer leave them
/// out, as GnuTLS does, and says that readers MUST accept both. webpki knows the form with NULL. Any other identifier is
/// returned as it is.
fn with_null_in_pss(identifier: &[u8]) -> Cow<'_, [u8]> {
    rebuilt_pss(identifier).map_or(Cow::Borrowed(identifier), Cow::Owned)
}

/// Returns whether the parameters of a digest are absent, in an identifier that is sound otherwise.
pub(super) fn is_pss_without_null(algorithm: &SignatureAlgorithm) -> bool {
    *with_null_in_pss(&algorithm.der) != algorithm.der[..]
}

fn rebuilt_pss(identifier: &[u8]) -> Option<Vec<u8>> {
    // 1.2.840.113549.1.1.10 and id-mgf1, 1.2.840.113549.1.1.8.
    const PSS: &[u8] = &[der::OBJECT_IDENTIFIER, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
    const MGF1: &[u8] = &[der::OBJECT_IDENTIFIER, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8];
    const DIGEST: u8 = der::context_constructed(0);
    const MASK: u8 = der::context_constructed(1);
    let [oid, parameters] = elements(identifier, der::SEQUENCE)?[..] else { return None };
    let [digest, mask, rest @ ..] = &elements(parameters, der::SEQUENCE)?[..] else { return None };
    let [digest] = elements(digest, DIGEST)?[..] else { return None };
    let [mask] = elements(mask, MASK)?[..] else { return None };
    let [mgf1, mask_digest] = elements(mask, der::SEQUENCE)?[..] else { return None };
    if oid != PSS || mgf1 != MGF1 {
        return None;
    }
    let with_null = |digest| match elements(digest, der::SEQUENCE)?[..] {
        [oid] | [oid, [der::NULL, 0]] => Some(der::sequence(&[oid, &[der::NULL, 0]])),
        _ => None,
    };
    let mask = der::sequence(&[mgf1, &with_null(mask_digest)?]);
    let fields = [der::value(DIGEST, &with_null(digest)?), der::value(MASK, &mask), rest.concat()].concat();
    Some(der::sequence(&[oid, &der::value(der::SEQUENCE, &fields)]))
}

fn elements(value: &[u8], expected: u8) -> Option<Vec<&[u8]>> {
    match der::split_first(value)? {
        (tag, content, []) if tag == expected => der::children(content),
        _ => None,
    }
}

/// Returns whether a key of this kind could make signatures of this algorithm, if both were supported. What is unknown
/// could.
pub(super) fn can_belong_together(algorithm: &SignatureAlgorithm, key: &KeyKind) -> bool {
    match key {
        KeyKind::Rsa { .. } => !algorithm.oid.starts_with("1.2.840.10045.") && !algorithm.oid.starts_with("1.3.101."),
        KeyKind::Ed25519 => algorithm.oid == "1.3.101.112",
        KeyKind::EcdsaP256 | KeyKind::EcdsaP384 | KeyKind::EcdsaP521 => {
            !algorithm.oid.starts_with("1.2.840.113549.") && !algorithm.oid.starts_with("1.3.101.")
        }
        KeyKind::Other(_) => true,
    }
}

/// Calls [`SignatureCache::certificate`] with an empty cache.
pub fn certificate(certificate: &Certificate, key: &PublicKey) -> Result<(), SignatureProblem> {
    SignatureCache::default().certificate(certificate, key)
}

/// Calls [`SignatureCache::crl`] with an empty cache.
pub fn crl(crl: &Crl, key: &PublicKey) -> Result<(), SignatureProblem> {
    SignatureCache::default().crl(crl, key)
}

impl CachingAlgorithm<'_> {
    /// Returns the SHA-256 of all inputs of a check.
    fn question(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> [u8; 32] {
        let (kind, by) = (self.public_key_alg_id(), self.signature_alg_id());
        let parts = [kind.as_ref(), by.as_ref(), public_key, message, signature];
        let mut question = Vec::with_capacity(parts.iter().map(|part| part.len() + size_of::<usize>()).sum());
        for part in parts {
            // Each part with its length, so that different inputs have different hashes.
            question.extend(part.len().to_be_bytes());
            question.extend(part);
        }
        digest::sha256(&question)
    }
}

impl SignatureVerificationAlgorithm for CachingAlgorithm<'_> {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let question = self.question(public_key, message, signature);
        if let Some(holds) = self.signatures.known().get(&question) {
            return if *holds { Ok(()) } else { Err(InvalidSignature) };
        }
        let answer = self.algorithm.verify_signature(public_key, message, signature);
        let mut known = self.signatures.known();
        if known.len() < MOST_KNOWN {
            known.insert(question, answer.is_ok());
        }
        answer
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.signature_alg_id()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{EVERY_KIND_OF_KEY, TestCa, TestCert};

    #[test]
    fn every_kind_of_key_is_verified_and_a_wrong_signature_is_not() {
        for algorithm in EVERY_KIND_OF_KEY {
            let root = TestCa::self_signed(TestCert::ca("Root").algorithm(algorithm));
            let key = root.certificate.public_key.clone();
            assert_eq!(certificate(&root.certificate, &key), Ok(()), "{algorithm}");
            let wrong = root.issue(TestCert::server("a.test").badly_signed());
            assert_eq!(certificate(&wrong, &key), Err(SignatureProblem::Wrong), "{algorithm}");
        }
    }

    #[test]
    fn what_is_known_of_one_signature_says_nothing_of_another() {
        let (root, other) = (TestCa::root(), TestCa::root());
        let (leaf, wrong) =
            (root.issue(TestCert::server("a.test")), root.issue(TestCert::server("a.test").badly_signed()));
        let signatures = SignatureCache::default();
        for _ in 0..2 {
            assert_eq!(signatures.certificate(&leaf, &root.certificate.public_key), Ok(()));
            let wrong_signature = signatures.certificate(&wrong, &root.certificate.public_key);
            assert_eq!(wrong_signature, Err(SignatureProblem::Wrong));
            let wrong_key = signatures.certificate(&leaf, &other.certificate.public_key);
            assert_eq!(wrong_key, Err(SignatureProblem::Wrong));
            assert_eq!(signatures.known().len(), 3, "each was checked once");
        }
    }

    #[test]
    fn an_algorithm_says_yes_to_nothing_but_what_it_has_checked() {
        let root = TestCa::root();
        let (leaf, wrong) =
            (root.issue(TestCert::server("a.test")), root.issue(TestCert::server("b.test").badly_signed()));
        let key = &root.certificate.public_key;
        let (asked, fresh) = (SignatureCache::default(), SignatureCache::default());
        assert_eq!(asked.certificate(&leaf, key), Ok(()));
        let identifier = der::split_first(&leaf.signature_algorithm.der).unwrap().1.to_vec();
        for signatures in [&asked, &fresh] {
            let algorithms = signatures.algorithms();
            let says_yes = |key: &[u8], message: &[u8], signature: &[u8]| {
                let its_own = algorithms.iter().filter(|it| it.signature_alg_id().as_ref() == identifier);
                its_own.into_iter().any(|it| it.verify_signature(key, message, signature).is_ok())
            };
            assert!(says_yes(key.bits(), leaf.tbs(), &leaf.signature));
            assert!(!says_yes(key.bits(), wrong.tbs(), &leaf.signature));
            assert!(!says_yes(key.bits(), leaf.tbs(), &wrong.signature));
            assert!(!says_yes(TestCa::root().certificate.public_key.bits(), leaf.tbs(), &leaf.signature));
            assert!(!says_yes(key.bits(), wrong.tbs(), &wrong.signature));
        }
    }

    #[test]
    fn another_key_and_an_altered_frame_are_refused() {
        let (root, other) = (TestCa::root(), TestCa::root());
        let leaf = root.issue(TestCert::server("a.test"));
        assert_eq!(certificate(&leaf, &other.certificate.public_key), Err(SignatureProblem::Wrong));
        let mut bytes = leaf.as_der().to_vec();
        let at = bytes.len() - leaf.signature.len() - 1;
        bytes[at] = 1;
        if let Ok(altered) = Certificate::from_der(&bytes) {
            assert_eq!(certificate(&altered, &root.certificate.public_key), Err(SignatureProblem::Frame));
        }
    }
}
