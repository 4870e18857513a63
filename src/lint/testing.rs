//! Certificates for tests, in which any field can be wrong.
#![allow(dead_code, reason = "a kit: not every room bends every field")]

use time::OffsetDateTime;
use time::macros::datetime;

use super::{LintTarget, Rule};
use crate::keys::{PrivateKey, Signer};
use crate::x509::certificate::oid;
use crate::x509::{
    AttributeType, Certificate, DistinguishedName, ExtendedKeyUsage, GeneralName, KeyAlgorithm, KeyUsage,
    NameConstraints, Validity, der,
};

/// A time at which all certificates of this file are valid.
pub const NOW: OffsetDateTime = datetime!(2026-02-01 0:00 UTC);

/// One algorithm of each kind; of RSA the one that is generated fastest.
pub const EVERY_KIND_OF_KEY: [KeyAlgorithm; 5] = [
    KeyAlgorithm::EcdsaP256,
    KeyAlgorithm::EcdsaP384,
    KeyAlgorithm::EcdsaP521,
    KeyAlgorithm::Ed25519,
    KeyAlgorithm::Rsa2048,
];

/// A certificate and its key.
pub struct TestCa {
    pub certificate: Certificate,
    pub key: PrivateKey,
}

impl TestCa {
    /// A self-signed root.
    pub fn root() -> Self {
        Self::self_signed(TestCert::ca("Test Root"))
    }

    /// A self-signed certificate with any fields.
    pub fn self_signed(cert: TestCert) -> Self {
        let key = cert.key();
        let der = cert.assemble(cert.subject.clone(), None, &key, &key);
        Self { certificate: Certificate::from_der(&der).unwrap(), key }
    }

    /// Returns the DER of a certificate signed by this CA.
    pub fn issue_der(&self, cert: &TestCert) -> Vec<u8> {
        cert.assemble(
            self.certificate.subject.as_der().to_vec(),
            self.certificate.subject_key_id.clone(),
            &cert.key(),
            &self.key,
        )
    }

    pub fn issue(&self, cert: TestCert) -> Certificate {
        Certificate::from_der(&self.issue_der(&cert)).unwrap()
    }

    /// A CA whose certificate is signed by this one.
    pub fn subordinate(&self, cert: TestCert) -> Self {
        let key = cert.key();
        let der = cert.assemble(
            self.certificate.subject.as_der().to_vec(),
            self.certificate.subject_key_id.clone(),
            &key,
            &self.key,
        );
        Self { certificate: Certificate::from_der(&der).unwrap(), key }
    }
}

/// Applies a rule to a leaf or CA that is signed by a valid root.
pub fn finding(rule: &Rule, cert: TestCert) -> Option<String> {
    let root = TestCa::root();
    let certificate = root.issue(cert);
    (rule.check)(&LintTarget { certificate: &certificate, issuer: Some(&root.certificate) })
}

/// Applies a rule to a self-signed certificate.
pub fn finding_in_root(rule: &Rule, cert: TestCert) -> Option<String> {
    (rule.check)(&LintTarget::alone(&TestCa::self_signed(cert).certificate))
}

/// A certificate to be issued: valid until a field is changed.
pub struct TestCert {
    version: u8,
    serial: Vec<u8>,
    inner_algorithm: Option<Vec<u8>>,
    outer_algorithm: Option<Vec<u8>>,
    issuer: Option<Vec<u8>>,
    validity: Vec<u8>,
    subject: Vec<u8>,
    algorithm: KeyAlgorithm,
    key: std::cell::RefCell<Option<PrivateKey>>,
    spki: Option<Vec<u8>>,
    unique_ids: Vec<u8>,
    extensions: Vec<(String, bool, Value)>,
    unsigned: bool,
    written_critical: Option<(String, u8)>,
}

enum Value {
    Given(Vec<u8>),
    /// The key identifier of the certificate's own key.
    OwnKeyId,
    /// The key identifier of the signer.
    SignersKeyId,
}

impl TestCert {
    fn new(subject: Vec<u8>, validity: Validity) -> Self {
        Self {
            version: 3,
            serial: vec![0x11, 0x22, 0x33, 0x44],
            inner_algorithm: None,
            outer_algorithm: None,
            issuer: None,
            validity: validity.to_der(),
            subject,
            algorithm: KeyAlgorithm::EcdsaP256,
            key: None.into(),
            spki: None,
            unique_ids: Vec::new(),
            extensions: Vec::new(),
            unsigned: false,
            written_critical: None,
        }
    }

    pub fn ca(common_name: &str) -> Self {
        let validity =
            Validity { not_before: datetime!(2025-01-01 0:00 UTC), not_after: datetime!(2035-01-01 0:00 UTC) };
        let mut cert = Self::new(name(common_name), validity)
            .basic_constraints(true, None)
            .key_usage(KeyUsage::KEY_CERT_SIGN.union(KeyUsage::CRL_SIGN));
        cert.extensions.push((oid::SUBJECT_KEY_ID.to_owned(), false, Value::OwnKeyId));
        cert.extensions.push((oid::AUTHORITY_KEY_ID.to_owned(), false, Value::SignersKeyId));
        cert
    }

    pub fn leaf(common_name: &str) -> Self {
        let validity =
            Validity { not_before: datetime!(2026-01-01 0:00 UTC), not_after: datetime!(2026-03-31 23:59:59 UTC) };
        let mut cert = Self::new(name(common_name), validity).key_usage(KeyUsage::DIGITAL_SIGNATURE);
        cert.extensions.push((oid::SUBJECT_KEY_ID.to_owned(), false, Value::OwnKeyId));
        cert.extensions.push((oid::AUTHORITY_KEY_ID.to_owned(), false, Value::SignersKeyId));
        cert
    }

    pub fn server(host: &str) -> Self {
        Self::leaf(host).purposes(&[ExtendedKeyUsage::ServerAuth]).names(&[host])
    }

    pub fn client(common_name: &str) -> Self {
        Self::leaf(common_name).purposes(&[ExtendedKeyUsage::ClientAuth])
    }

    pub fn version(mut self, version: u8) -> Self {
        self.version = version;
        self
    }

    /// Sets the content of the serial number's INTEGER.
    pub fn serial(mut self, content: &[u8]) -> Self {
        self.serial = content.to_vec();
        self
    }

    pub fn inner_algorithm(mut self, der: &[u8]) -> Self {
        self.inner_algorithm = Some(der.to_vec());
        self
    }

    pub fn outer_algorithm(mut self, der: &[u8]) -> Self {
        self.outer_algorithm = Some(der.to_vec());
        self
    }

    pub fn issuer(mut self, name: &[u8]) -> Self {
        self.issuer = Some(name.to_vec());
        self
    }

    pub fn subject(mut self, name: &[u8]) -> Self {
        self.subject = name.to_vec();
        self
    }

    pub fn validity(self, not_before: OffsetDateTime, not_after: OffsetDateTime) -> Self {
        self.validity_der(Validity { not_before, not_after }.to_der())
    }

    pub fn validity_der(mut self, der: Vec<u8>) -> Self {
        self.validity = der;
        self
    }

    pub fn algorithm(mut self, algorithm: KeyAlgorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Uses this SubjectPublicKeyInfo, whose private key does not exist.
    pub fn spki(mut self, der: Vec<u8>) -> Self {
        self.spki = Some(der);
        self
    }

    /// The identifiers of X.509 version 2, of issuer and subject (RFC 5280 §4.1.2.8).
    pub fn unique_ids(mut self, issuer: u8, subject: u8) -> Self {
        self.unique_ids = [der::value(0x81, &[0, issuer]), der::value(0x82, &[0, subject])].concat();
        self
    }

    /// Makes the last byte of the signature wrong.
    pub fn badly_signed(mut self) -> Self {
        self.unsigned = true;
        self
    }

    pub fn without(mut self, oid: &str) -> Self {
        self.extensions.retain(|(known, ..)| known != oid);
        self
    }

    /// Replaces an extension, or adds it.
    pub fn extension(self, oid: &str, critical: bool, value: Vec<u8>) -> Self {
        self.without(oid).again(oid, critical, value)
    }

    /// Adds an extension even if it is there.
    pub fn again(mut self, oid: &str, critical: bool, value: Vec<u8>) -> Self {
        self.extensions.push((oid.to_owned(), critical, Value::Given(value)));
        self
    }

    pub fn critical(mut self, oid: &str, critical: bool) -> Self {
        for extension in self.extensions.iter_mut().filter(|(known, ..)| known == oid) {
            extension.1 = critical;
        }
        self
    }

    pub fn basic_constraints(self, ca: bool, path_length: Option<u8>) -> Self {
        let ca = if ca { der::value(der::BOOLEAN, &[0xff]) } else { Vec::new() };
        let path_length = path_length.map(|length| der::value(der::INTEGER, &[length])).unwrap_or_default();
        self.extension(oid::BASIC_CONSTRAINTS, true, der::sequence(&[&ca, &path_length]))
    }

    pub fn path_length(self, length: u8) -> Self {
        self.basic_constraints(true, Some(length))
    }

    /// Writes the BOOLEAN of an extension, with this content, where DER would leave it out.
    pub fn written_critical(mut self, oid: &str, content: u8) -> Self {
        self.written_critical = Some((oid.to_owned(), content));
        self
    }

    pub fn key_usage(self, usage: KeyUsage) -> Self {
        let bits = usage.bits();
        let bytes = [(bits as u8).reverse_bits(), ((bits >> 8) as u8).reverse_bits()];
        let bytes: &[u8] = match bytes {
            [0, 0] => &[],
            [first, 0] => &[first],
            _ => &bytes,
        };
        let unused = bytes.last().map_or(0, |last| last.trailing_zeros() as u8);
        self.extension(oid::KEY_USAGE, true, der::constructed(der::BIT_STRING, &[&[unused], bytes]))
    }

    pub fn purposes(self, purposes: &[ExtendedKeyUsage]) -> Self {
        let encoded: Vec<_> = purposes.iter().map(|purpose| object_identifier(purpose.oid())).collect();
        self.extension(
            oid::EXTENDED_KEY_USAGE,
            false,
            der::sequence(&encoded.iter().map(Vec::as_slice).collect::<Vec<_>>()),
        )
    }

    pub fn names(self, names: &[&str]) -> Self {
        self.general_names(&names.iter().map(|name| name.parse().unwrap()).collect::<Vec<_>>())
    }

    pub fn general_names(self, names: &[GeneralName]) -> Self {
        let encoded: Vec<_> = names.iter().map(GeneralName::to_der).collect();
        self.extension(
            oid::SUBJECT_ALT_NAME,
            false,
            der::sequence(&encoded.iter().map(Vec::as_slice).collect::<Vec<_>>()),
        )
    }

    pub fn name_constraints(self, constraints: &NameConstraints) -> Self {
        self.extension(oid::NAME_CONSTRAINTS, true, constraints.to_der())
    }

    pub fn permit(self, subtrees: &[&str]) -> Self {
        let permitted = subtrees.iter().map(|subtree| subtree.parse().unwrap()).collect();
        self.name_constraints(&NameConstraints { permitted, excluded: Vec::new() })
    }

    pub fn exclude(self, subtrees: &[&str]) -> Self {
        let excluded = subtrees.iter().map(|subtree| subtree.parse().unwrap()).collect();
        self.name_constraints(&NameConstraints { permitted: Vec::new(), excluded })
    }

    /// Uses an existing key.
    pub fn with_key(self, key: &PrivateKey) -> Self {
        let copy = PrivateKey::from_pkcs8(key.algorithm().unwrap(), key.as_pkcs8().clone()).unwrap();
        *self.key.borrow_mut() = Some(copy);
        self
    }

    fn key(&self) -> PrivateKey {
        self.key.borrow_mut().take().unwrap_or_else(|| PrivateKey::generate(self.algorithm).unwrap())
    }

    fn assemble(
        &self,
        issuer: Vec<u8>,
        issuer_key_id: Option<Vec<u8>>,
        key: &PrivateKey,
        signer: &PrivateKey,
    ) -> Vec<u8> {
        let own_key_id = key.public_key().key_id();
        let signers_key_id = issuer_key_id.unwrap_or_else(|| signer.public_key().key_id().to_vec());
        let extensions: Vec<_> = self
            .extensions
            .iter()
            .map(|(oid, critical, value)| {
                let value = match value {
                    Value::Given(value) => value.clone(),
                    Value::OwnKeyId => der::value(der::OCTET_STRING, &own_key_id),
                    Value::SignersKeyId => der::sequence(&[&der::value(der::context(0), &signers_key_id)]),
                };
                let critical = match &self.written_critical {
                    Some((written, content)) if written == oid => der::value(der::BOOLEAN, &[*content]),
                    _ if *critical => der::value(der::BOOLEAN, &[0xff]),
                    _ => Vec::new(),
                };
                der::sequence(&[&object_identifier(oid), &critical, &der::value(der::OCTET_STRING, &value)])
            })
            .collect();
        let extensions = match extensions.as_slice() {
            [] => Vec::new(),
            some => der::value(
                der::context_constructed(3),
                &der::sequence(&some.iter().map(Vec::as_slice).collect::<Vec<_>>()),
            ),
        };
        let version = match self.version {
            1 => Vec::new(),
            version => der::value(der::context_constructed(0), &der::value(der::INTEGER, &[version - 1])),
        };
        let algorithm = signer.signature_algorithm().der;
        let inner = self.inner_algorithm.as_ref().unwrap_or(&algorithm);
        let outer = self.outer_algorithm.as_ref().unwrap_or(&algorithm);
        let tbs = der::sequence(&[
            &version,
            &der::value(der::INTEGER, &self.serial),
            inner,
            self.issuer.as_ref().unwrap_or(&issuer),
            &self.validity,
            &self.subject,
            self.spki.as_deref().unwrap_or_else(|| key.public_key().spki()),
            &self.unique_ids,
            &extensions,
        ]);
        let mut signature = signer.sign(&tbs).unwrap();
        if self.unsigned {
            *signature.last_mut().unwrap() ^= 1;
        }
        der::sequence(&[&tbs, outer, &der::bit_string(&signature)])
    }
}

/// The DER of a name with one common name.
pub fn name(common_name: &str) -> Vec<u8> {
    DistinguishedName::build(&[(AttributeType::CommonName, common_name.to_owned())]).unwrap().as_der().to_vec()
}

/// The DER of a name without attributes.
pub fn empty_name() -> Vec<u8> {
    der::sequence(&[])
}

/// The DER of a name whose attributes have these types, tags and contents.
pub fn name_of(attributes: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let set = |(oid, tag, content): &(&str, u8, &[u8])| {
        der::value(der::SET, &der::sequence(&[&object_identifier(oid), &der::value(*tag, content)]))
    };
    der::value(der::SEQUENCE, &attributes.iter().flat_map(set).collect::<Vec<_>>())
}

/// The DER of a dotted object identifier.
pub fn object_identifier(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().unwrap()).collect();
    let mut content = Vec::new();
    for arc in [arcs[0] * 40 + arcs[1]].iter().chain(&arcs[2..]) {
        let mut bytes = vec![(arc & 0x7f) as u8];
        let mut rest = arc >> 7;
        while rest > 0 {
            bytes.insert(0, 0x80 | (rest & 0x7f) as u8);
            rest >>= 7;
        }
        content.extend(bytes);
    }
    der::value(der::OBJECT_IDENTIFIER, &content)
}

/// Returns an RSA SubjectPublicKeyInfo with any modulus and exponent.
pub fn rsa_spki(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let algorithm = der::sequence(&[&object_identifier("1.2.840.113549.1.1.1"), &der::value(der::NULL, &[])]);
    let key = der::sequence(&[&der::unsigned_integer(modulus), &der::unsigned_integer(exponent)]);
    der::sequence(&[&algorithm, &der::bit_string(&key)])
}
