//! The checks of a certification request from a third party, before it is considered.

use crate::keys::{self, Weakness, weakness};
use crate::text;
use crate::x509::general_name::{self, GeneralNameError};
use crate::x509::name::NameError;
use crate::x509::{AttributeType, DecodeError, DistinguishedName, GeneralName, PublicKey, SigningRequest};

/// The limits on a certification request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CsrLimits {
    /// The most bytes of its DER.
    pub bytes: u64,
    /// The most subject alternative names.
    pub names: u64,
}

/// A certification request whose signature proves possession of the key, and whose names can be in a certificate. Only
/// [`verify_csr`] makes one.
#[derive(Debug, Clone)]
pub struct VerifiedCsr {
    request: SigningRequest,
    public_key: PublicKey,
    names: Vec<GeneralName>,
}

/// Why a certification request is not considered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsrError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("it has {found} bytes, and at most {most} are read")]
    TooLarge { found: u64, most: u64 },
    #[error("it asks for {found} names, but one request gets at most {most}")]
    TooManyNames { found: u64, most: u64 },
    #[error("it says that it is of version {0}, and there is only version 1 (RFC 2986 §4.1)")]
    Version(u32),
    #[error("its part {oid} is damaged: {reason}")]
    Malformed { oid: String, reason: String },
    #[error("it is signed with {0}, which can be forged")]
    WeakSignature(String),
    #[error(transparent)]
    WeakKey(#[from] Weakness),
    #[error("its signature cannot be checked: {0}")]
    Unsupported(String),
    #[error("its signature was not made with its own key, so its sender has not proven to have that key")]
    WrongSignature,
    #[error("its subject is not allowed in a certificate: {0}")]
    Subject(NameError),
    #[error("its subject has an attribute {kind} that cannot be read as plain text: '{}'", text::escape(value))]
    Attribute { kind: String, value: String },
    #[error("a name that it asks for is not allowed in a certificate: {0}")]
    Name(#[from] GeneralNameError),
    #[error("the list of names that it asks for is empty (RFC 5280 §4.2.1.6)")]
    NoNames,
}

/// Decodes a certification request, and checks that it is undamaged, that its sender has the key, that the key is strong,
/// and that its names have no hidden characters.
///
/// # Errors
/// When one of these checks fails.
pub fn verify_csr(der: &[u8], limits: CsrLimits) -> Result<VerifiedCsr, CsrError> {
    let bytes = der.len() as u64;
    if bytes > limits.bytes {
        return Err(CsrError::TooLarge { found: bytes, most: limits.bytes });
    }
    let request = SigningRequest::from_der(der)?;
    let asked = request.subject_alt_names.as_ref().map_or(0, Vec::len) as u64;
    if asked > limits.names {
        return Err(CsrError::TooManyNames { found: asked, most: limits.names });
    }
    if request.version != 1 {
        return Err(CsrError::Version(request.version));
    }
    if let Some((oid, reason)) = request.malformed.first().cloned() {
        return Err(CsrError::Malformed { oid, reason });
    }
    if request.signature_algorithm.is_weak() {
        return Err(CsrError::WeakSignature(request.signature_algorithm.to_string()));
    }
    weakness::check(&request.public_key)?;
    prove_possession(&request)?;
    check_subject(&request.subject)?;
    let names = names(&request)?;
    Ok(VerifiedCsr { public_key: weakness::plain(&request.public_key)?, names, request })
}

fn prove_possession(request: &SigningRequest) -> Result<(), CsrError> {
    use keys::verification::VerificationError;
    let verified = keys::verify(&request.public_key, &request.signature_algorithm, request.tbs(), &request.signature);
    verified.map_err(|error| match error {
        VerificationError::Wrong => CsrError::WrongSignature,
        unsupported => CsrError::Unsupported(unsupported.to_string()),
    })
}

/// Checks the subject. The common name may become that of the certificate; all other attributes are shown to users.
fn check_subject(subject: &DistinguishedName) -> Result<(), CsrError> {
    for attribute in subject.attributes() {
        // What is not text is shown as `#` and its DER, and no template takes it; as a common name it would become text.
        if attribute.kind == AttributeType::CommonName && attribute.is_text {
            let built = DistinguishedName::build(&[(attribute.kind.clone(), attribute.value.clone())]);
            built.map_err(CsrError::Subject)?;
        } else if attribute.kind == AttributeType::CommonName || !attribute.value.chars().all(text::is_plainly_visible)
        {
            let (kind, value) = (attribute.kind.to_string(), attribute.value.clone());
            return Err(CsrError::Attribute { kind, value });
        }
    }
    Ok(())
}

/// Returns the names in the form that flags give them: host names in lower-case A-labels, without duplicates. Kinds of
/// names that have no flag stay as they are; no template allows them.
fn names(request: &SigningRequest) -> Result<Vec<GeneralName>, CsrError> {
    let Some(asked) = &request.subject_alt_names else { return Ok(Vec::new()) };
    if asked.is_empty() {
        return Err(CsrError::NoNames);
    }
    let mut names: Vec<GeneralName> = Vec::with_capacity(asked.len());
    for name in asked {
        let name = plain_name(name)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn plain_name(name: &GeneralName) -> Result<GeneralName, GeneralNameError> {
    match name {
        // A dNSName is an IA5String; the sender has to encode a name with other characters as an xn-- label.
        GeneralName::Dns(name) if !name.is_ascii() => {
            Err(GeneralNameError::Dns { name: name.clone(), reason: "only letters, digits, '-' and '.' are allowed" })
        }
        GeneralName::Dns(name) => general_name::dns(name).map(GeneralName::Dns),
        GeneralName::Email(name) => format!("email:{name}").parse(),
        GeneralName::Uri(name) => format!("uri:{name}").parse(),
        other => Ok(other.clone()),
    }
}

impl VerifiedCsr {
    /// Returns the request as it was sent.
    pub fn request(&self) -> &SigningRequest {
        &self.request
    }

    /// Returns its key, in the only form in which certificates have it.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Returns the subject alternative names that it asks for, without duplicates. A request without the extension asks for
    /// its common name where that is a host name, an address or the like, as requests did before alternative names existed.
    pub fn names(&self) -> Vec<GeneralName> {
        if self.request.subject_alt_names.is_some() {
            return self.names.clone();
        }
        let common_name = self.request.subject.common_name().unwrap_or_default();
        common_name.parse().into_iter().collect()
    }

    /// Returns the common name of the subject.
    pub fn common_name(&self) -> Option<&str> {
        self.request.subject.common_name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{PrivateKey, Signer};
    use crate::x509::{KeyAlgorithm, der, tbs};

    const LIMITS: CsrLimits = CsrLimits { bytes: 1_000, names: 2 };

    /// Returns a request for these names, signed by its key, with this version and algorithm.
    fn request(version: u8, names: &[&str], algorithm: Option<&[u8]>) -> Vec<u8> {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let oid = |content: &[u8]| der::value(der::OBJECT_IDENTIFIER, content);
        let names: Vec<Vec<u8>> = names.iter().map(|name| name.parse::<GeneralName>().unwrap().to_der()).collect();
        let names = der::sequence(&names.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let extension = der::sequence(&[&oid(&[0x55, 0x1d, 17]), &der::value(der::OCTET_STRING, &names)]);
        let values = der::value(der::SET, &der::sequence(&[&extension]));
        let input = der::sequence(&[&oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14]), &values]);
        let subject = DistinguishedName::build(&[(AttributeType::CommonName, "web.test".to_owned())]).unwrap();
        let to_be_signed = der::sequence(&[
            &der::value(der::INTEGER, &[version]),
            subject.as_der(),
            key.public_key().spki(),
            &der::value(der::context_constructed(0), &input),
        ]);
        let mut named = key.signature_algorithm();
        if let Some(content) = algorithm {
            named.der = der::sequence(&[&oid(content)]);
        }
        tbs::assemble(&to_be_signed, &named, &key.sign(&to_be_signed).unwrap())
    }

    #[test]
    fn a_request_is_of_version_1_names_something_and_stays_within_its_limits() {
        let verified = |der: &[u8]| verify_csr(der, LIMITS).map(|verified| verified.names().len());
        let sound = request(0, &["web.test", "10.0.0.1"], None);
        assert_eq!(verified(&sound), Ok(2));
        assert_eq!(verified(&request(1, &["web.test"], None)), Err(CsrError::Version(2)));
        assert_eq!(verified(&request(0, &[], None)), Err(CsrError::NoNames));
        let three = request(0, &["a.test", "b.test", "c.test"], None);
        assert_eq!(verified(&three), Err(CsrError::TooManyNames { found: 3, most: 2 }));
        let found = sound.len() as u64;
        assert!(verify_csr(&sound, CsrLimits { bytes: found, ..LIMITS }).is_ok());
        let refused = verify_csr(&sound, CsrLimits { bytes: found - 1, ..LIMITS }).map(|_| ());
        assert_eq!(refused, Err(CsrError::TooLarge { found, most: found - 1 }));
    }

    #[test]
    fn a_common_name_that_is_not_text_never_becomes_text() {
        let name = |kind: &[u8], tag: u8, value: &[u8]| {
            let attribute = der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, kind), &der::value(tag, value)]);
            DistinguishedName::from_der(&der::sequence(&[&der::value(der::SET, &attribute)])).unwrap()
        };
        let refused = check_subject(&name(&[0x55, 4, 3], der::BIT_STRING, b"\0abc"));
        assert!(matches!(refused, Err(CsrError::Attribute { .. })), "{refused:?}");
        assert_eq!(check_subject(&name(&[0x55, 4, 3], der::UTF8_STRING, b"abc")), Ok(()));
        // The unique identifier is dropped anyway.
        assert_eq!(check_subject(&name(&[0x55, 4, 45], der::BIT_STRING, b"\0abc")), Ok(()));
    }

    #[test]
    fn a_signature_that_can_be_forged_proves_nothing() {
        // ecdsa-with-SHA1.
        let refused = verify_csr(&request(0, &["web.test"], Some(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1])), LIMITS);
        assert!(matches!(refused, Err(CsrError::WeakSignature(_))), "{refused:?}");
    }
}
