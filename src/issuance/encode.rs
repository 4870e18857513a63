//! The encoding of a draft as the DER to be signed, for certificates and requests. The only module that uses rcgen.
//!
//! rcgen encodes the extensions and the serial. It cannot encode every name (its names are maps by type: a second unit
//! overwrites the first), nor a date after 2049 without care. Those fields are replaced by DER of our own, so that the
//! issuer in a certificate is the CA's subject byte for byte, whatever tool made the CA.

use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData,
    SanType, SerialNumber, SigningKey,
};

use super::draft::Draft;
use super::request_draft::RequestDraft;
use crate::x509::certificate::oid;
use crate::x509::{
    BasicConstraints as PathRules, ExtendedKeyUsage, Extension, GeneralName, KeyUsage, PublicKey, TbsFields, der,
    der_form,
};

/// Why a draft cannot be encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    #[error("the encoder refused: {0}")]
    Encoder(String),
    #[error("'{0}' is not supported in a certificate")]
    Name(String),
    #[error("the path length {0} is more than can be written")]
    PathLength(u32),
    #[error("'{0}' is not an object identifier")]
    ObjectIdentifier(String),
}

/// Returns the DER of the `TBSCertificate`.
///
/// # Errors
/// When the encoder does not support the value of a field.
pub fn to_be_signed(draft: &Draft) -> Result<Vec<u8>, EncodeError> {
    let encoder = |error: rcgen::Error| EncodeError::Encoder(error.to_string());
    let mut issuer = CertificateParams::default();
    issuer.key_identifier_method = KeyIdMethod::PreSpecified(draft.authority_key_id.clone());
    let signed = parameters(draft)?.signed_by(&Placeholder, &Issuer::new(issuer, Placeholder)).map_err(encoder)?;

    let malformed = || EncodeError::Encoder("what it wrote cannot be taken apart".to_owned());
    let (_, content, _) = der::split_first(signed.der()).ok_or_else(malformed)?;
    let children = der::children(content).ok_or_else(malformed)?;
    let mut fields = TbsFields::split(children.first().ok_or_else(malformed)?).ok_or_else(malformed)?;
    fields.signature_algorithm.clone_from(&draft.signature_algorithm.der);
    fields.issuer = draft.issuer.as_der().to_vec();
    fields.validity = draft.validity.to_der();
    fields.subject = draft.subject.as_der().to_vec();
    fields.public_key = draft.public_key.spki().to_vec();
    Ok(fields.join())
}

/// Returns the DER of the `CertificationRequestInfo` (RFC 2986 §4.1).
///
/// # Errors
/// When the encoder does not support the value of a field.
pub fn request_to_be_signed(draft: &RequestDraft, key: &PublicKey) -> Result<Vec<u8>, EncodeError> {
    let mut parameters = CertificateParams::default();
    // Replaced afterwards; beside an empty subject the alternative names are critical.
    parameters.distinguished_name = DistinguishedName::new();
    if !draft.subject.is_empty() {
        parameters.distinguished_name.push(DnType::CommonName, "replaced");
    }
    add_names(&mut parameters, &draft.names, draft.subject.is_empty())?;
    parameters.key_usages = key_usages(draft.key_usage());
    parameters.is_ca = draft.authority.map_or(Ok(IsCa::NoCa), is_ca)?;
    parameters.key_identifier_method = KeyIdMethod::PreSpecified(key.key_id().to_vec());
    let signed = parameters.serialize_request(&Placeholder);
    let signed = signed.map_err(|error| EncodeError::Encoder(error.to_string()))?;

    let fields = |der: &[u8]| -> Option<Vec<Vec<u8>>> {
        let (_, content, _) = der::split_first(der)?;
        Some(der::children(content)?.into_iter().map(<[u8]>::to_vec).collect())
    };
    let info = fields(signed.der()).and_then(|parts| fields(parts.first()?));
    let Some([version, _, _, attributes]) = info.as_deref() else {
        return Err(EncodeError::Encoder("what it wrote cannot be taken apart".to_owned()));
    };
    Ok(der::sequence(&[version, draft.subject.as_der(), key.spki(), attributes]))
}

fn parameters(draft: &Draft) -> Result<CertificateParams, EncodeError> {
    let mut parameters = CertificateParams::default();
    parameters.serial_number = Some(SerialNumber::from_slice(draft.serial.as_der_content()));
    // Replaced afterwards; the alternative names are critical when the subject is empty (RFC 5280 §4.2.1.6).
    parameters.distinguished_name = DistinguishedName::new();
    if !draft.subject.is_empty() {
        parameters.distinguished_name.push(DnType::CommonName, "replaced");
    }
    add_names(&mut parameters, &draft.names, draft.subject.is_empty())?;
    parameters.is_ca = is_ca(draft.basic_constraints)?;
    parameters.key_usages = key_usages(draft.key_usage);
    let purposes = draft.extended_key_usage.iter().map(extended_key_usage).collect::<Result<_, _>>()?;
    if draft.critical_purposes {
        parameters.custom_extensions.push(critical_purposes(draft)?);
    } else {
        parameters.extended_key_usages = purposes;
    }
    parameters.use_authority_key_identifier_extension = true;
    parameters.key_identifier_method = KeyIdMethod::PreSpecified(draft.subject_key_id.clone());
    if !draft.crl_urls.is_empty() {
        parameters.crl_distribution_points = vec![CrlDistributionPoint { uris: draft.crl_urls.clone() }];
    }
    parameters.custom_extensions.extend(name_constraints(draft));
    parameters.custom_extensions.extend(authority_info_access(draft));
    for Extension { oid, critical, value } in &draft.extensions {
        let mut extension = CustomExtension::from_oid_content(&object_identifier(oid)?, value.clone());
        extension.set_criticality(*critical);
        parameters.custom_extensions.push(extension);
    }
    Ok(parameters)
}

fn is_ca(rules: PathRules) -> Result<IsCa, EncodeError> {
    Ok(match (rules.ca, rules.path_length) {
        (false, _) => IsCa::ExplicitNoCa,
        (true, None) => IsCa::Ca(BasicConstraints::Unconstrained),
        (true, Some(length)) => {
            IsCa::Ca(BasicConstraints::Constrained(u8::try_from(length).map_err(|_| EncodeError::PathLength(length))?))
        }
    })
}

/// Adds the alternative names. The encoder does not write principals: with one of them, all names are DER of our own.
fn add_names(parameters: &mut CertificateParams, names: &[GeneralName], is_critical: bool) -> Result<(), EncodeError> {
    if names.iter().all(|name| name.principal().is_none()) {
        parameters.subject_alt_names = names.iter().map(subject_alt_name).collect::<Result<_, _>>()?;
        return Ok(());
    }
    for name in names.iter().filter(|name| name.principal().is_none()) {
        subject_alt_name(name)?;
    }
    let encoded: Vec<Vec<u8>> = names.iter().map(GeneralName::to_der).collect();
    let content = der::sequence(&encoded.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let mut extension = CustomExtension::from_oid_content(&object_identifier(oid::SUBJECT_ALT_NAME)?, content);
    // RFC 5280 §4.2.1.6: critical when the subject is empty.
    extension.set_criticality(is_critical);
    parameters.custom_extensions.push(extension);
    Ok(())
}

fn subject_alt_name(name: &GeneralName) -> Result<SanType, EncodeError> {
    let refused = |_| EncodeError::Name(name.to_string());
    Ok(match name {
        GeneralName::Dns(value) => SanType::DnsName(value.as_str().try_into().map_err(refused)?),
        GeneralName::Email(value) => SanType::Rfc822Name(value.as_str().try_into().map_err(refused)?),
        GeneralName::Uri(value) => SanType::URI(value.as_str().try_into().map_err(refused)?),
        GeneralName::Ip(address) => SanType::IpAddress(*address),
        GeneralName::Directory(_) | GeneralName::Other { .. } => return Err(EncodeError::Name(name.to_string())),
    })
}

fn key_usages(usage: KeyUsage) -> Vec<KeyUsagePurpose> {
    [
        (KeyUsage::DIGITAL_SIGNATURE, KeyUsagePurpose::DigitalSignature),
        (KeyUsage::CONTENT_COMMITMENT, KeyUsagePurpose::ContentCommitment),
        (KeyUsage::KEY_ENCIPHERMENT, KeyUsagePurpose::KeyEncipherment),
        (KeyUsage::DATA_ENCIPHERMENT, KeyUsagePurpose::DataEncipherment),
        (KeyUsage::KEY_AGREEMENT, KeyUsagePurpose::KeyAgreement),
        (KeyUsage::KEY_CERT_SIGN, KeyUsagePurpose::KeyCertSign),
        (KeyUsage::CRL_SIGN, KeyUsagePurpose::CrlSign),
        (KeyUsage::ENCIPHER_ONLY, KeyUsagePurpose::EncipherOnly),
        (KeyUsage::DECIPHER_ONLY, KeyUsagePurpose::DecipherOnly),
    ]
    .into_iter()
    .filter(|(bit, _)| usage.contains(*bit))
    .map(|(_, purpose)| purpose)
    .collect()
}

fn extended_key_usage(purpose: &ExtendedKeyUsage) -> Result<ExtendedKeyUsagePurpose, EncodeError> {
    object_identifier(purpose.oid()).map(ExtendedKeyUsagePurpose::Other)
}

fn object_identifier(dotted: &str) -> Result<Vec<u64>, EncodeError> {
    let arcs = dotted.split('.').map(str::parse).collect::<Result<_, _>>();
    arcs.map_err(|_| EncodeError::ObjectIdentifier(dotted.to_owned()))
}

/// DER of our own: the encoder does not write a critical extended key usage (RFC 5280 §4.2.1.12 allows it).
fn critical_purposes(draft: &Draft) -> Result<CustomExtension, EncodeError> {
    let encode = |purpose: &ExtendedKeyUsage| {
        let oid = purpose.oid();
        der_form::object_identifier(oid).ok_or_else(|| EncodeError::ObjectIdentifier(oid.to_owned()))
    };
    let purposes: Vec<Vec<u8>> = draft.extended_key_usage.iter().map(encode).collect::<Result<_, _>>()?;
    let content = der::sequence(&purposes.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let mut extension = CustomExtension::from_oid_content(&object_identifier(oid::EXTENDED_KEY_USAGE)?, content);
    extension.set_criticality(true);
    Ok(extension)
}

/// DER of our own: the encoder does not support constraints on URIs. Critical, as RFC 5280 §4.2.1.10 requires.
fn name_constraints(draft: &Draft) -> Option<CustomExtension> {
    let constraints = draft.name_constraints.as_ref()?;
    let mut extension =
        CustomExtension::from_oid_content(&object_identifier(oid::NAME_CONSTRAINTS).ok()?, constraints.to_der());
    extension.set_criticality(true);
    Some(extension)
}

/// Returns the extension with the addresses of the issuer's certificate and its OCSP responder (RFC 5280 §4.2.2.1).
fn authority_info_access(draft: &Draft) -> Option<CustomExtension> {
    const OCSP: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1];
    const CA_ISSUERS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 2];
    let describe = |method: &[u8], url: &String| {
        der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, method), &GeneralName::Uri(url.clone()).to_der()])
    };
    let ocsp = draft.ocsp_urls.iter().map(|url| describe(OCSP, url));
    let descriptions: Vec<_> = ocsp.chain(draft.ca_issuer_urls.iter().map(|url| describe(CA_ISSUERS, url))).collect();
    if descriptions.is_empty() {
        return None;
    }
    let content = der::sequence(&descriptions.iter().map(Vec::as_slice).collect::<Vec<_>>());
    Some(CustomExtension::from_oid_content(&object_identifier(oid::AUTHORITY_INFO_ACCESS).ok()?, content))
}

/// Takes the place of both keys in the encoder: their fields are replaced afterwards, and nothing is signed here.
struct Placeholder;

impl PublicKeyData for Placeholder {
    fn der_bytes(&self) -> &[u8] {
        &[]
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl SigningKey for Placeholder {
    fn sign(&self, _message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(Vec::new())
    }
}
