//! The signing of certification requests (PKCS #10, RFC 2986), with which this CA asks another CA for a certificate.

use super::encode::{self, EncodeError};
use super::request_draft::RequestDraft;
use crate::keys::{self, Signer, SigningError};
use crate::x509::{DecodeError, PublicKey, SigningRequest, tbs};

/// Why a request was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error(transparent)]
    Signing(#[from] SigningError),
    #[error("the request that was written cannot be read back: {0}")]
    Decode(#[from] DecodeError),
    #[error("the request that was signed is not the one that was decided")]
    Altered,
}

/// Signs a request with its own key, which proves possession of the key. The result can never be taken for a certificate:
/// the signed bytes start with a version, where those of a certificate have `[0]` or a serial number, and a name follows.
///
/// # Errors
/// When it cannot be encoded, the key does not sign, or another parser decodes something else.
pub fn sign_request(draft: &RequestDraft, signer: &dyn Signer) -> Result<SigningRequest, RequestError> {
    let to_be_signed = encode::request_to_be_signed(draft, signer.public_key())?;
    let algorithm = signer.signature_algorithm();
    let signature = signer.sign(&to_be_signed)?;
    let request = SigningRequest::from_der(&tbs::assemble(&to_be_signed, &algorithm, &signature))?;
    // The signature was made over the encoded bytes, so it is valid only if the decoded bytes are the same.
    let is_sound = says(&request, draft, signer.public_key())
        && keys::verify(&request.public_key, &request.signature_algorithm, request.tbs(), &request.signature).is_ok();
    if is_sound { Ok(request) } else { Err(RequestError::Altered) }
}

fn says(request: &SigningRequest, draft: &RequestDraft, key: &PublicKey) -> bool {
    request.subject.as_der() == draft.subject.as_der()
        && request.public_key == *key
        && request.subject_alt_names.as_deref().unwrap_or_default() == draft.names
        && request.other_attributes.is_empty()
}

#[cfg(test)]
mod tests {
    use super::super::testing::WrongSigner;
    use super::*;
    use crate::keys::PrivateKey;
    use crate::x509::{AttributeType, BasicConstraints, DistinguishedName, KeyAlgorithm};

    fn draft(names: &[&str], authority: Option<BasicConstraints>) -> RequestDraft {
        let attributes = [
            (AttributeType::OrganizationalUnit, "One".to_owned()),
            (AttributeType::OrganizationalUnit, "Two".to_owned()),
            (AttributeType::CommonName, "Größe".to_owned()),
        ];
        RequestDraft {
            subject: DistinguishedName::build(&attributes).unwrap(),
            names: names.iter().map(|name| name.parse().unwrap()).collect(),
            authority,
        }
    }

    #[test]
    fn a_request_is_signed_with_every_kind_of_key_and_equals_its_draft() {
        let kinds = KeyAlgorithm::ALL.into_iter();
        for algorithm in kinds.filter(|kind| !matches!(kind, KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096)) {
            let key = PrivateKey::generate(algorithm).unwrap();
            let draft = draft(&["web.test", "10.0.0.1", "email:a@web.test", "uri:spiffe://web.test/a"], None);
            let request = sign_request(&draft, &key).unwrap();
            assert_eq!(request.subject.to_string(), "OU=One, OU=Two, CN=Größe", "{algorithm}");
            assert_eq!(request.subject_alt_names.unwrap(), draft.names, "{algorithm}");
            assert_eq!(request.public_key, *key.public_key(), "{algorithm}");
        }
    }

    #[test]
    fn a_request_that_differs_from_its_draft_or_is_not_signed_by_its_key_is_not_returned() {
        let [key, other] = [(); 2].map(|()| PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap());
        let draft = draft(&["web.test"], None);
        let request = sign_request(&draft, &key).unwrap();
        assert!(says(&request, &draft, key.public_key()));
        assert!(!says(&request, &draft, other.public_key()));
        let subject = DistinguishedName::build(&[(AttributeType::CommonName, "web.test".to_owned())]).unwrap();
        let bent: [&dyn Fn(&mut SigningRequest); 3] =
            [&|request| request.subject = subject.clone(), &|request| request.subject_alt_names = None, &|request| {
                request.other_attributes.push("1.2.3.4".to_owned())
            }];
        for bend in bent {
            let mut altered = request.clone();
            bend(&mut altered);
            assert!(!says(&altered, &draft, key.public_key()), "{altered:?}");
        }
        let forger = WrongSigner { key: &key, algorithm: key.signature_algorithm() };
        assert!(matches!(sign_request(&draft, &forger), Err(RequestError::Altered)));
    }

    #[test]
    fn a_request_without_names_asks_for_no_extension_and_that_of_a_ca_for_its_powers() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        assert_eq!(sign_request(&draft(&[], None), &key).unwrap().requested_extensions, []);
        let authority = Some(BasicConstraints { ca: true, path_length: Some(1) });
        let request = sign_request(&draft(&[], authority), &key).unwrap();
        let extension = |oid: &str| request.requested_extensions.iter().find(|found| found.oid == oid).unwrap();
        let constraints = extension("2.5.29.19");
        assert!(constraints.critical);
        assert_eq!(constraints.value, [0x30, 6, 1, 1, 0xff, 2, 1, 1]);
        assert_eq!(extension("2.5.29.15").value, [3, 2, 1, 6]);
    }
}
