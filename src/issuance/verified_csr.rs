//! The checks of a certification request from a third party, before it is considered.

use crate::keys::{self, Weakness, weakness};
use crate::text;
use crate::x509::general_name::{self, GeneralNameError};
use crate::x509::name::NameError;
use crate::x509::{Attribute, AttributeType, DecodeError, GeneralName, PublicKey, SigningRequest};

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
    #[error("the template '{template}' allows for its {kind} only values like {}, but not '{}'", allowed.join(", "), text::escape(value))]
    ValueNotAllowed { template: String, kind: String, value: String, allowed: Vec<String> },
    #[error("its subject has the attribute {kind}, which the template '{template}' does not take")]
    AttributeNotTaken { template: String, kind: String },
    #[error("a name that it asks for is not allowed in a certificate: {0}")]
    Name(#[from] GeneralNameError),
    #[error("the list of names that it asks for is empty (RFC 5280 §4.2.1.6)")]
    NoNames,
}

/// What happens to alternative names that cannot be in a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnusableNames {
    /// The request is refused.
    Refuse,
    /// They are left out: the caller gives names in their place.
    LeaveOut,
}

/// Decodes a certification request, and checks that it is undamaged, that its sender has the key, that the key is strong, and
/// that its alternative names can be in a certificate. The subject is checked where a template takes it
/// ([`Profile::take_subject`](super::Profile::take_subject)).
///
/// # Errors
/// When one of these checks fails.
pub fn verify_csr(der: &[u8], limits: CsrLimits, unusable: UnusableNames) -> Result<VerifiedCsr, CsrError> {
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
    let names = names(&request, unusable)?;
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

/// Returns the names in the form that flags give them: host names in lower-case A-labels, without duplicates. Kinds of
/// names that have no flag stay as they are; no template allows them.
fn names(request: &SigningRequest, unusable: UnusableNames) -> Result<Vec<GeneralName>, CsrError> {
    let Some(asked) = &request.subject_alt_names else { return Ok(Vec::new()) };
    if asked.is_empty() && unusable == UnusableNames::Refuse {
        return Err(CsrError::NoNames);
    }
    let mut names: Vec<GeneralName> = Vec::with_capacity(asked.len());
    for name in asked {
        let name = match (plain_name(name), unusable) {
            (Ok(name), _) => name,
            (Err(_), UnusableNames::LeaveOut) => continue,
            (Err(error), UnusableNames::Refuse) => return Err(error.into()),
        };
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
        let common_name = self.common_name().unwrap_or_default();
        common_name.parse().into_iter().collect()
    }

    /// Returns the common name of the subject when it is text; the last one of several.
    pub fn common_name(&self) -> Option<&str> {
        let common_names = self.attributes().filter(|attribute| attribute.kind == AttributeType::CommonName);
        common_names.last().filter(|attribute| attribute.is_text).map(|attribute| attribute.value.as_str())
    }

    /// Returns the attributes of the subject in their order. They were not checked.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.request.subject.attributes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{PrivateKey, Signer};
    use crate::x509::{DistinguishedName, KeyAlgorithm, der, tbs};

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
        let verified =
            |der: &[u8]| verify_csr(der, LIMITS, UnusableNames::Refuse).map(|verified| verified.names().len());
        let sound = request(0, &["web.test", "10.0.0.1"], None);
        assert_eq!(verified(&sound), Ok(2));
        assert_eq!(verified(&request(1, &["web.test"], None)), Err(CsrError::Version(2)));
        assert_eq!(verified(&request(0, &[], None)), Err(CsrError::NoNames));
        let three = request(0, &["a.test", "b.test", "c.test"], None);
        assert_eq!(verified(&three), Err(CsrError::TooManyNames { found: 3, most: 2 }));
        let found = sound.len() as u64;
        assert!(verify_csr(&sound, CsrLimits { bytes: found, ..LIMITS }, UnusableNames::Refuse).is_ok());
        let refused = verify_csr(&sound, CsrLimits { bytes: found - 1, ..LIMITS }, UnusableNames::Refuse).map(|_| ());
        assert_eq!(refused, Err(CsrError::TooLarge { found, most: found - 1 }));
    }

    #[test]
    fn a_common_name_that_is_not_text_is_not_a_name() {
        let named = |tag, value| testing::csr(&[(&[0x55, 4, 3], tag, value)]);
        assert_eq!(named(der::BIT_STRING, "\0abc").common_name(), None);
        assert_eq!(named(der::UTF8_STRING, "abc").common_name(), Some("abc"));
    }

    #[test]
    fn names_that_cannot_be_in_a_certificate_are_left_out_when_others_are_given() {
        let der = testing::signed(0, &[], &[b"router 1", b"web.test"]);
        assert!(matches!(verify_csr(&der, LIMITS, UnusableNames::Refuse), Err(CsrError::Name(_))));
        let left = verify_csr(&der, LIMITS, UnusableNames::LeaveOut).unwrap().names();
        assert_eq!(left, ["web.test".parse().unwrap()]);
        let none = testing::signed(0, &[], &[]);
        assert_eq!(verify_csr(&none, LIMITS, UnusableNames::LeaveOut).unwrap().names(), []);
    }

    #[test]
    fn a_signature_that_can_be_forged_proves_nothing() {
        // ecdsa-with-SHA1.
        let refused = verify_csr(
            &request(0, &["web.test"], Some(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1])),
            LIMITS,
            UnusableNames::Refuse,
        );
        assert!(matches!(refused, Err(CsrError::WeakSignature(_))), "{refused:?}");
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::{CsrLimits, UnusableNames, VerifiedCsr, verify_csr};
    use crate::keys::{PrivateKey, Signer};
    use crate::x509::{KeyAlgorithm, der, tbs};

    /// Returns a request with these attributes in its subject, each its type, its tag and its value.
    pub fn csr(subject: &[(&[u8], u8, &str)]) -> VerifiedCsr {
        let limits = CsrLimits { bytes: 10_000, names: 10 };
        verify_csr(&signed(0, subject, &[b"web.test"]), limits, UnusableNames::Refuse).unwrap()
    }

    /// Returns a signed request, with DNS names that need not be valid.
    pub fn signed(version: u8, subject: &[(&[u8], u8, &str)], names: &[&[u8]]) -> Vec<u8> {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let oid = |content: &[u8]| der::value(der::OBJECT_IDENTIFIER, content);
        let names: Vec<u8> = names.iter().flat_map(|name| der::value(der::context(2), name)).collect();
        let extension = der::sequence(&[
            &oid(&[0x55, 0x1d, 17]),
            &der::value(der::OCTET_STRING, &der::value(der::SEQUENCE, &names)),
        ]);
        let values = der::value(der::SET, &der::sequence(&[&extension]));
        let input = der::sequence(&[&oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14]), &values]);
        let attribute = |(kind, tag, value): &(&[u8], u8, &str)| {
            der::value(der::SET, &der::sequence(&[&oid(kind), &der::value(*tag, value.as_bytes())]))
        };
        let subject: Vec<u8> = subject.iter().flat_map(attribute).collect();
        let to_be_signed = der::sequence(&[
            &der::value(der::INTEGER, &[version]),
            &der::value(der::SEQUENCE, &subject),
            key.public_key().spki(),
            &der::value(der::context_constructed(0), &input),
        ]);
        tbs::assemble(&to_be_signed, &key.signature_algorithm(), &key.sign(&to_be_signed).unwrap())
    }
}
