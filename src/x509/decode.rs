//! The decoding of DER to the types of this room. With its folder, the only modules that use x509-parser.
//!
//! Decoding is strict where programs could read different things (trailing bytes, an extension that occurs twice), and
//! tolerant where the verifier or the user needs to see the error: see [`Certificate::malformed`].

mod crl;
mod elements;
mod extension_form;
mod names;
mod oid_text;
mod parser_error;
mod partial;
mod place;

use std::net::IpAddr;

use x509_parser::asn1_rs::Any;
use x509_parser::certificate::X509Certificate;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::extensions::{self as parsed, DistributionPointName, ParsedExtension, X509Extension};
use x509_parser::oid_registry::asn1_rs::Oid;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey as ParsedKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::certificate::UnreadablePart;
use super::key_names::EC_PUBLIC_KEY;
use super::name_constraints::Subtree;
use super::seen::Seen;
use super::{
    AuthorityKeyId, BasicConstraints, Certificate, DistinguishedName, ExtendedKeyUsage, Extension, GeneralName,
    KeyKind, KeyUsage, NameConstraints, PolicyConstraints, PublicKey, SerialNumber, SignatureAlgorithm, SigningRequest,
    Validity, der, distribution_point,
};
use oid_text::oid_text;
use parser_error::describe;

/// Why bytes cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("it is not the DER of {what}: {reason}")]
    Malformed { what: &'static str, reason: String },
    #[error("{what} of {bytes} bytes is longer than {MAX_DECODED_BYTES} bytes")]
    TooLong { what: &'static str, bytes: usize },
    #[error("{} the end of {what}", follow(*bytes))]
    TrailingBytes { what: &'static str, bytes: usize },
}

impl DecodeError {
    /// Returns the error with the field in which it is, where that can be found.
    fn located(self, structure: &place::Structure, input: &[u8]) -> Self {
        match self {
            Self::Malformed { what, reason } => {
                Self::Malformed { what, reason: place::find(structure, input).unwrap_or(reason) }
            }
            other => other,
        }
    }

    /// Returns how to fix it, where there is a way.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Malformed { what: SIGNING_REQUEST, .. } => {
                Some("make the request again: ca request NAME, or openssl req -new -key KEY -out NEW.csr")
            }
            _ => None,
        }
    }
}

fn follow(bytes: usize) -> String {
    if bytes == 1 { "1 byte follows".to_owned() } else { format!("{bytes} bytes follow") }
}

/// Returns an error with the field in which it is.
fn in_field(what: &'static str, field: &str, error: DecodeError) -> DecodeError {
    match error {
        DecodeError::Malformed { reason, .. } => DecodeError::Malformed { what, reason: format!("{field}, {reason}") },
        other => other,
    }
}

/// The longest certificate or request that is decoded, in bytes; for a CRL, each entry, and all of it but its entries. TLS
/// libraries take no chain longer than 64 KiB. While it is decoded, each byte takes up to thirty bytes of memory.
pub const MAX_DECODED_BYTES: usize = 1024 * 1024;

fn check_length(what: &'static str, input: &[u8]) -> Result<(), DecodeError> {
    if input.len() <= MAX_DECODED_BYTES {
        return Ok(());
    }
    Err(DecodeError::TooLong { what, bytes: input.len() })
}

const CERTIFICATE: &str = "a certificate";
const SIGNING_REQUEST: &str = "a certificate signing request";
const PUBLIC_KEY: &str = "a public key";
const NAME: &str = "a distinguished name";

impl Certificate {
    /// Decodes one certificate, which must fill `input`.
    pub fn from_der(input: &[u8]) -> Result<Self, DecodeError> {
        let certificate = Self::decode(input)?;
        match certificate.unreadable.first() {
            None => Ok(certificate),
            Some(UnreadablePart { place, reason }) => {
                Err(DecodeError::Malformed { what: CERTIFICATE, reason: format!("{place}: {reason}") })
            }
        }
    }

    /// Decodes a certificate in which relative names may be unreadable.
    fn decode(input: &[u8]) -> Result<Self, DecodeError> {
        check_length(CERTIFICATE, input)?;
        let parsed = whole(CERTIFICATE, X509Certificate::from_der(input))
            .map_err(|error| error.located(&place::OF_CERTIFICATE, input))?;
        let signed = Signed::split(CERTIFICATE, input).map_err(|error| error.located(&place::OF_CERTIFICATE, input))?;
        let tbs = &parsed.tbs_certificate;
        // serialNumber comes after the optional version, and the signature algorithm after that.
        let fields =
            der::split_first(signed.tbs).and_then(|(_, content, _)| der::children(content)).unwrap_or_default();
        let after_version = usize::from(fields.first().is_some_and(|field| field[0] == der::context_constructed(0)));
        let serial = SerialNumber::from_der_content(tbs.raw_serial());
        if serial.as_der_content().len() != tbs.raw_serial().len() {
            // As for lengths: this would be a second encoding of the same certificate, and x509-parser reads both.
            let reason = "serial number: it takes more bytes than it has to, as in BER".to_owned();
            return Err(DecodeError::Malformed { what: CERTIFICATE, reason });
        }
        let tbs_signature_algorithm = fields.get(after_version + 1).copied().unwrap_or_default();
        elements::check_certificate(&fields, signed.algorithm)
            .map_err(|reason| DecodeError::Malformed { what: CERTIFICATE, reason: reason.to_owned() })?;

        let mut unreadable = Vec::new();
        // x509-parser ends a name where it cannot read it.
        let mut name = |field: &'static str, at: usize| {
            let (name, faults) = names::readable(fields.get(after_version + at).copied().unwrap_or_default());
            unreadable.extend(faults.into_iter().map(|fault| UnreadablePart {
                place: format!("{field}{}", place::of_relative_name(fault.relative_name)),
                reason: fault.reason.to_owned(),
            }));
            name
        };
        let (issuer, subject) = (name("issuer", 2), name("subject", 4));
        let mut certificate = Self {
            der: input.to_vec(),
            tbs: signed.tbs_range(),
            version: tbs.version.0 + 1,
            serial,
            tbs_signature_algorithm: signature_algorithm(oid_text(&tbs.signature.algorithm), tbs_signature_algorithm),
            signature_algorithm: signature_algorithm(oid_text(&parsed.signature_algorithm.algorithm), signed.algorithm),
            issuer,
            validity: Validity {
                not_before: tbs.validity.not_before.to_datetime(),
                not_after: tbs.validity.not_after.to_datetime(),
            },
            subject,
            public_key: public_key(&tbs.subject_pki)?,
            extensions: Vec::new(),
            malformed: Vec::new(),
            unreadable,
            basic_constraints: None,
            key_usage: None,
            extended_key_usage: None,
            subject_alt_names: None,
            subject_key_id: None,
            authority_key_id: None,
            name_constraints: None,
            policies: Vec::new(),
            unknown_qualifiers: Vec::new(),
            policy_mappings: Vec::new(),
            policy_constraints: None,
            inhibit_any_policy: None,
            distribution_points: Vec::new(),
            crl_urls: Vec::new(),
            ocsp_urls: Vec::new(),
            ca_issuer_urls: Vec::new(),
            signature: parsed.signature_value.data.to_vec(),
        };
        let (mut seen, mut repeated) = (Seen::default(), Seen::default());
        for extension in tbs.extensions() {
            let raw = raw_extension(extension);
            if !seen.insert(extension.oid.as_bytes()) {
                // RFC 5280 §4.2: "MUST NOT include more than one instance of a particular extension".
                if repeated.insert(extension.oid.as_bytes()) {
                    certificate.malformed.push((raw.oid.clone(), "it stands twice".to_owned()));
                }
            } else if let Err(reason) = whole_value(extension)
                .and_then(|()| certificate.read_extension(extension.parsed_extension(), &raw.value))
            {
                certificate.malformed.push((raw.oid.clone(), reason));
            }
            certificate.extensions.push(raw);
        }
        Ok(certificate)
    }

    fn read_extension(&mut self, extension: &ParsedExtension<'_>, value: &[u8]) -> Result<(), String> {
        match extension {
            ParsedExtension::ParseError { error } => {
                return Err(format!("its content cannot be read: {}", describe(error)));
            }
            ParsedExtension::BasicConstraints(found) => {
                self.basic_constraints =
                    Some(BasicConstraints { ca: found.ca, path_length: found.path_len_constraint });
            }
            ParsedExtension::KeyUsage(found) => self.key_usage = Some(KeyUsage::from_bits(found.flags)),
            ParsedExtension::ExtendedKeyUsage(_) => self.extended_key_usage = Some(extended_key_usage(value)),
            ParsedExtension::SubjectAlternativeName(found) => {
                self.subject_alt_names = Some(general_names(&found.general_names)?);
            }
            ParsedExtension::SubjectKeyIdentifier(found) => self.subject_key_id = Some(found.0.to_vec()),
            ParsedExtension::AuthorityKeyIdentifier(found) => self.authority_key_id = Some(authority_key_id(found)),
            ParsedExtension::NameConstraints(found) => self.name_constraints = Some(name_constraints(found)?),
            ParsedExtension::CertificatePolicies(found) => {
                // id-qt-cps and id-qt-unotice.
                const KNOWN: [&str; 2] = ["1.3.6.1.5.5.7.2.1", "1.3.6.1.5.5.7.2.2"];
                self.policies = found.iter().map(|policy| oid_text(&policy.policy_id)).collect();
                let qualifiers = found.iter().flat_map(|policy| policy.policy_qualifiers.iter().flatten());
                let qualifiers = qualifiers.map(|qualifier| oid_text(&qualifier.policy_qualifier_id));
                self.unknown_qualifiers = qualifiers.filter(|oid| !KNOWN.contains(&oid.as_str())).collect();
            }
            ParsedExtension::PolicyMappings(found) => {
                let pair = |mapping: &parsed::PolicyMapping<'_>| {
                    (oid_text(&mapping.issuer_domain_policy), oid_text(&mapping.subject_domain_policy))
                };
                self.policy_mappings = found.mappings.iter().map(pair).collect();
            }
            ParsedExtension::PolicyConstraints(found) => {
                self.policy_constraints = Some(PolicyConstraints {
                    require_explicit_policy: found.require_explicit_policy,
                    inhibit_policy_mapping: found.inhibit_policy_mapping,
                });
            }
            ParsedExtension::InhibitAnyPolicy(found) => self.inhibit_any_policy = Some(found.skip_certs),
            ParsedExtension::CRLDistributionPoints(found) => {
                self.distribution_points = distribution_point::read_distribution_points(value)
                    .ok_or_else(|| "its distribution points cannot be read".to_owned())?;
                let full_names = found.points.iter().filter_map(|point| match &point.distribution_point {
                    Some(DistributionPointName::FullName(names)) => Some(names),
                    _ => None,
                });
                self.crl_urls = full_names.flatten().filter_map(url).collect();
            }
            ParsedExtension::AuthorityInfoAccess(found) => {
                for description in found.iter() {
                    match (oid_text(&description.access_method).as_str(), url(&description.access_location)) {
                        ("1.3.6.1.5.5.7.48.1", Some(url)) => self.ocsp_urls.push(url),
                        ("1.3.6.1.5.5.7.48.2", Some(url)) => self.ca_issuer_urls.push(url),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl SigningRequest {
    /// Decodes one request, which must fill `input`. Its signature, which proves possession of the key, is not verified
    /// here.
    pub fn from_der(input: &[u8]) -> Result<Self, DecodeError> {
        check_length(SIGNING_REQUEST, input)?;
        let parsed = whole(SIGNING_REQUEST, X509CertificationRequest::from_der(input))
            .map_err(|error| error.located(&place::OF_REQUEST, input))?;
        let signed = Signed::split(SIGNING_REQUEST, input).map_err(|error| error.located(&place::OF_REQUEST, input))?;
        let info = &parsed.certification_request_info;
        // The version comes before it. x509-parser ends a name where it cannot read it.
        let fields = der::split_first(signed.tbs).and_then(|(_, content, _)| der::children(content));
        let subject = fields.and_then(|fields| fields.get(1).copied()).unwrap_or_default();
        let mut request = Self {
            der: input.to_vec(),
            tbs: signed.tbs_range(),
            version: info.version.0.saturating_add(1),
            subject: name(subject).map_err(|error| in_field(SIGNING_REQUEST, "subject", error))?,
            public_key: public_key(&info.subject_pki)?,
            subject_alt_names: None,
            basic_constraints: None,
            key_usage: None,
            extended_key_usage: None,
            requested_extensions: Vec::new(),
            other_attributes: Vec::new(),
            malformed: Vec::new(),
            signature_algorithm: signature_algorithm(oid_text(&parsed.signature_algorithm.algorithm), signed.algorithm),
            signature: parsed.signature_value.data.to_vec(),
        };
        let (mut seen, mut repeated) = (Seen::default(), Seen::default());
        for attribute in info.attributes() {
            let ParsedCriAttribute::ExtensionRequest(requested) = attribute.parsed_attribute() else {
                request.other_attributes.push(oid_text(&attribute.oid));
                continue;
            };
            for extension in &requested.extensions {
                let raw = raw_extension(extension);
                if !seen.insert(extension.oid.as_bytes()) {
                    if repeated.insert(extension.oid.as_bytes()) {
                        request.malformed.push((raw.oid.clone(), "it stands twice".to_owned()));
                    }
                } else if let Err(reason) = whole_value(extension)
                    .and_then(|()| request.read_extension(extension.parsed_extension(), &raw.value))
                {
                    request.malformed.push((raw.oid.clone(), reason));
                }
                request.requested_extensions.push(raw);
            }
        }
        request.malformed.extend(request.attribute_problems());
        Ok(request)
    }

    fn read_extension(&mut self, extension: &ParsedExtension<'_>, value: &[u8]) -> Result<(), String> {
        match extension {
            ParsedExtension::ParseError { error } => {
                return Err(format!("its content cannot be read: {}", describe(error)));
            }
            ParsedExtension::BasicConstraints(found) => {
                self.basic_constraints =
                    Some(BasicConstraints { ca: found.ca, path_length: found.path_len_constraint });
            }
            ParsedExtension::KeyUsage(found) => self.key_usage = Some(KeyUsage::from_bits(found.flags)),
            ParsedExtension::ExtendedKeyUsage(_) => self.extended_key_usage = Some(extended_key_usage(value)),
            ParsedExtension::SubjectAlternativeName(found) => {
                self.subject_alt_names = Some(general_names(&found.general_names)?);
            }
            _ => {}
        }
        Ok(())
    }
}

impl PublicKey {
    /// Decodes a SubjectPublicKeyInfo, which must fill `input`.
    pub fn from_spki(input: &[u8]) -> Result<Self, DecodeError> {
        public_key(&whole(PUBLIC_KEY, SubjectPublicKeyInfo::from_der(input))?)
    }

    /// Decodes the public key of a certificate, and nothing else of it: a list of certificates needs only that from the DER.
    ///
    /// # Errors
    /// When the fields before the key, or the key, are malformed.
    pub fn of_certificate(input: &[u8]) -> Result<Self, DecodeError> {
        check_length(CERTIFICATE, input)?;
        let signed = Signed::split(CERTIFICATE, input)?;
        let fields =
            der::split_first(signed.tbs).and_then(|(_, content, _)| der::children(content)).unwrap_or_default();
        let has_version = fields.first().is_some_and(|field| field[0] == der::context_constructed(0));
        // subjectPublicKeyInfo comes after serialNumber, signature, issuer, validity and subject (RFC 5280 §4.1).
        Self::from_spki(fields.get(usize::from(has_version) + 5).copied().unwrap_or_default())
    }
}

impl DistinguishedName {
    /// Decodes a `Name`, which must fill `input`.
    pub fn from_der(input: &[u8]) -> Result<Self, DecodeError> {
        name(input)
    }
}

/// The outer structure that certificates, CRLs and requests share: SEQUENCE { to be signed, algorithm, signature }.
struct Signed<'a> {
    input: &'a [u8],
    tbs: &'a [u8],
    algorithm: &'a [u8],
}

impl<'a> Signed<'a> {
    fn split(what: &'static str, input: &'a [u8]) -> Result<Self, DecodeError> {
        if !der::has_shortest_lengths(input) {
            // x509-parser accepts them.
            let reason = "a length in it takes more bytes than it has to, as in BER".to_owned();
            return Err(DecodeError::Malformed { what, reason });
        }
        let parts = der::split_first(input).and_then(|(_, content, _)| der::children(content)).unwrap_or_default();
        match parts[..] {
            [tbs, algorithm, _signature] => Ok(Self { input, tbs, algorithm }),
            _ => Err(DecodeError::Malformed {
                what,
                reason: "it does not consist of content, algorithm and signature".to_owned(),
            }),
        }
    }

    fn tbs_range(&self) -> std::ops::Range<usize> {
        let start = self.tbs.as_ptr() as usize - self.input.as_ptr() as usize;
        start..start + self.tbs.len()
    }
}

fn whole<T, E: std::fmt::Display + std::fmt::Debug>(
    what: &'static str,
    parsed: Result<(&[u8], T), x509_parser::nom::Err<E>>,
) -> Result<T, DecodeError> {
    match parsed {
        Ok(([], value)) => Ok(value),
        Ok((rest, _)) => Err(DecodeError::TrailingBytes { what, bytes: rest.len() }),
        Err(x509_parser::nom::Err::Incomplete(_)) => {
            Err(DecodeError::Malformed { what, reason: "it ends too early".to_owned() })
        }
        Err(x509_parser::nom::Err::Error(error) | x509_parser::nom::Err::Failure(error)) => {
            Err(DecodeError::Malformed { what, reason: describe(&error).to_owned() })
        }
    }
}

fn signature_algorithm(oid: String, der: &[u8]) -> SignatureAlgorithm {
    SignatureAlgorithm { oid, der: der.to_vec() }
}

/// Refuses what x509-parser ignores: bytes after the first value of an extension, and what is not of its form.
fn whole_value(extension: &X509Extension<'_>) -> Result<(), String> {
    let trailing = match extension.parsed_extension() {
        // The reader of its content says why.
        ParsedExtension::ParseError { .. } => return Ok(()),
        ParsedExtension::UnsupportedExtension { .. } => 0,
        _ => der::split_first(extension.value).map_or(0, |(.., rest)| rest.len()),
    };
    if trailing > 0 {
        return Err(format!("{} the end of its content", follow(trailing)));
    }
    extension_form::check(extension.oid.as_bytes(), extension.value)
}

fn raw_extension(extension: &X509Extension<'_>) -> Extension {
    Extension { oid: oid_text(&extension.oid), critical: extension.critical, value: extension.value.to_vec() }
}

/// Decodes a `Name` of which every part has to be readable.
fn name(der: &[u8]) -> Result<DistinguishedName, DecodeError> {
    let (name, faults) = names::readable(der);
    match faults.first() {
        None => Ok(name),
        Some(names::NameFault { relative_name: 0, reason }) => {
            Err(DecodeError::Malformed { what: NAME, reason: (*reason).to_owned() })
        }
        Some(names::NameFault { relative_name, reason }) => {
            Err(DecodeError::Malformed { what: NAME, reason: format!("relative name {relative_name}: {reason}") })
        }
    }
}

fn public_key(parsed: &SubjectPublicKeyInfo<'_>) -> Result<PublicKey, DecodeError> {
    // The parser ignores bytes after the algorithm and the key.
    let Some((_, _, [])) = der::split_first(parsed.raw) else {
        let reason = "bytes follow its algorithm and its key".to_owned();
        return Err(DecodeError::Malformed { what: PUBLIC_KEY, reason });
    };
    Ok(PublicKey::from_parts(parsed.raw.to_vec(), key_kind(parsed), parsed.subject_public_key.data.to_vec()))
}

fn key_kind(parsed: &SubjectPublicKeyInfo<'_>) -> KeyKind {
    let algorithm = oid_text(&parsed.algorithm.algorithm);
    match (algorithm.as_str(), parsed.parsed()) {
        ("1.3.101.112", _) => KeyKind::Ed25519,
        (_, Ok(ParsedKey::RSA(key))) => {
            let exponent = without_leading_zeros(key.exponent);
            let modulus = without_leading_zeros(key.modulus);
            let bits = modulus.first().map_or(0, |first| modulus.len() as u32 * 8 - first.leading_zeros());
            KeyKind::Rsa { bits, exponent: exponent.to_vec() }
        }
        (EC_PUBLIC_KEY, _) => {
            // Parameters can be written out instead (RFC 5480 §2.1.1): a SEQUENCE, whose content is not the name of a curve.
            let is_name = |parameters: &&Any<'_>| {
                parameters.header.is_universal() && parameters.tag().0 == u32::from(der::OBJECT_IDENTIFIER)
            };
            let parameters = parsed.algorithm.parameters.as_ref().filter(is_name);
            let curve = parameters.and_then(|parameters| parameters.as_oid().ok());
            match curve.map(|curve| oid_text(&curve)).as_deref() {
                Some("1.2.840.10045.3.1.7") => KeyKind::EcdsaP256,
                Some("1.3.132.0.34") => KeyKind::EcdsaP384,
                Some("1.3.132.0.35") => KeyKind::EcdsaP521,
                Some(other) => KeyKind::Other(other.to_owned()),
                None => KeyKind::Other(algorithm),
            }
        }
        _ => KeyKind::Other(algorithm),
    }
}

fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len())..]
}

/// Returns the purposes in their order, which x509-parser does not keep; it has read the same value.
fn extended_key_usage(value: &[u8]) -> Vec<ExtendedKeyUsage> {
    let listed = der::split_first(value).and_then(|(_, content, _)| der::children(content)).unwrap_or_default();
    let mut purposes: Vec<ExtendedKeyUsage> = Vec::with_capacity(listed.len());
    for oid in listed.iter().filter_map(|oid| der::split_first(oid)) {
        let purpose = ExtendedKeyUsage::from_oid(&oid_text(&Oid::new(oid.1.into())));
        if matches!(purpose, ExtendedKeyUsage::Other(_)) || !purposes.contains(&purpose) {
            purposes.push(purpose);
        }
    }
    purposes
}

fn authority_key_id(parsed: &parsed::AuthorityKeyIdentifier<'_>) -> AuthorityKeyId {
    AuthorityKeyId {
        key_id: parsed.key_identifier.as_ref().map(|id| id.0.to_vec()),
        names_issuer_and_serial: parsed.authority_cert_issuer.is_some() || parsed.authority_cert_serial.is_some(),
        serial: parsed.authority_cert_serial.map(SerialNumber::from_der_content),
    }
}

fn general_names(parsed: &[parsed::GeneralName<'_>]) -> Result<Vec<GeneralName>, String> {
    parsed.iter().map(general_name).collect()
}

fn general_name(parsed: &parsed::GeneralName<'_>) -> Result<GeneralName, String> {
    use x509_parser::extensions::GeneralName as Parsed;
    let other =
        |tag: u8, content: &[u8]| GeneralName::Other { tag, der: der::value(der::context_constructed(tag), content) };
    Ok(match parsed {
        Parsed::DNSName(name) => GeneralName::Dns((*name).to_owned()),
        Parsed::RFC822Name(name) => GeneralName::Email((*name).to_owned()),
        Parsed::URI(name) => GeneralName::Uri((*name).to_owned()),
        Parsed::IPAddress(bytes) => {
            GeneralName::Ip(address(bytes).ok_or_else(|| format!("an IP address of {} bytes", bytes.len()))?)
        }
        Parsed::DirectoryName(parsed) => {
            GeneralName::Directory(name(parsed.as_raw()).map_err(|error| error.to_string())?)
        }
        Parsed::OtherName(oid, content) => {
            other(0, &[&der::value(der::OBJECT_IDENTIFIER, oid.as_bytes()), *content].concat())
        }
        Parsed::X400Address(any) => other(3, any.data),
        Parsed::EDIPartyName(any) => other(5, any.data),
        Parsed::RegisteredID(oid) => GeneralName::Other { tag: 8, der: der::value(der::context(8), oid.as_bytes()) },
        Parsed::Invalid(tag, _) => return Err(format!("a name of form [{}] cannot be read", tag.0)),
    })
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

fn name_constraints(parsed: &parsed::NameConstraints<'_>) -> Result<NameConstraints, String> {
    let subtrees = |subtrees: &Option<Vec<parsed::GeneralSubtree<'_>>>| {
        subtrees.iter().flatten().map(|found| subtree(&found.base)).collect::<Result<Vec<_>, _>>()
    };
    Ok(NameConstraints {
        permitted: subtrees(&parsed.permitted_subtrees)?,
        excluded: subtrees(&parsed.excluded_subtrees)?,
    })
}

fn subtree(base: &parsed::GeneralName<'_>) -> Result<Subtree, String> {
    if let parsed::GeneralName::IPAddress(bytes) = base {
        // An address and its mask (RFC 5280 §4.2.1.10).
        let (address_bytes, mask) = bytes.split_at(bytes.len() / 2);
        return match (address(address_bytes), address(mask)) {
            (Some(address), Some(mask)) => Ok(Subtree::Ip { address, mask }),
            _ => Err(format!("an address block of {} bytes", bytes.len())),
        };
    }
    Ok(match general_name(base)? {
        GeneralName::Dns(name) => Subtree::Dns(name),
        GeneralName::Email(name) => Subtree::Email(name),
        GeneralName::Uri(name) => Subtree::Uri(name),
        GeneralName::Directory(name) => Subtree::Directory(name),
        GeneralName::Other { tag, der } => Subtree::Other { tag, der },
        GeneralName::Ip(_) => return Err("an address without a mask".to_owned()),
    })
}

fn url(name: &parsed::GeneralName<'_>) -> Option<String> {
    match name {
        parsed::GeneralName::URI(url) => Some((*url).to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
