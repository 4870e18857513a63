//! A certificate that a CA could issue, to verify whether the CA can issue anything.

use super::approval::{self, NotApproved};
use super::ca_certificate::CaCertificate;
use super::draft::Draft;
use super::encode::EncodeError;
use crate::x509::{
    AttributeType, BasicConstraints, Certificate, DistinguishedName, ExtendedKeyUsage, KeyUsage, SerialNumber,
};

/// Returns a leaf that the CA could issue, with a placeholder in place of the signature. It is valid for as long as the CA,
/// and has no alternative names. It cannot be signed.
///
/// # Errors
/// When it cannot be encoded.
pub fn hypothetical_leaf(ca: &CaCertificate) -> Result<Certificate, NotApproved> {
    let public_key = ca.certificate().public_key.clone();
    let common_name = [(AttributeType::CommonName, "hypothetical".to_owned())];
    let draft = Draft {
        serial: SerialNumber::from_der_content(&[1]),
        signature_algorithm: ca.signature_algorithm().clone(),
        issuer: ca.subject().clone(),
        validity: ca.certificate().validity,
        subject: DistinguishedName::build(&common_name).map_err(|error| EncodeError::Name(error.to_string()))?,
        subject_key_id: public_key.key_id().to_vec(),
        names: Vec::new(),
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        critical_purposes: false,
        extensions: Vec::new(),
        extended_key_usage: vec![ExtendedKeyUsage::ClientAuth],
        basic_constraints: BasicConstraints { ca: false, path_length: None },
        name_constraints: None,
        authority_key_id: ca.key_id(),
        crl_urls: Vec::new(),
        ca_issuer_urls: Vec::new(),
        ocsp_urls: Vec::new(),
        issuer_key: public_key.clone(),
        public_key,
    };
    Ok(approval::encode_unsigned(&draft)?.1)
}
