//! A CA that looks like the original: copies of its certificates with keys of the test, for cases that must be refused.
//!
//! A copy has all fields of the original except those that depend on keys: public key, serial number, key identifiers,
//! signature. Neither the CA's key nor its index is used: the copies are in memory only.

use time::{Duration, OffsetDateTime};

use super::super::error::CopyError;
use super::super::scenario::{self, Identity};
use crate::keys::{PrivateKey, Signer, SigningError};
use crate::x509::{
    Certificate, DistinguishedName, GeneralName, KeyAlgorithm, NameConstraints, SerialNumber, TbsFields, Validity, der,
    digest, tbs, validity,
};

/// A copied certificate and its new key.
pub(in super::super) struct CopiedCertificate {
    pub certificate: Certificate,
    pub key: PrivateKey,
}

/// Copies of a root and its intermediates, with their keys.
pub(in super::super) struct LookalikeCa {
    /// The root first, the issuer of leaves last.
    authorities: Vec<CopiedCertificate>,
}

/// The differences of a copy from its original; `None` keeps a field.
#[derive(Default, Clone, Copy)]
pub(in super::super) struct CopyChanges<'a> {
    pub subject: Option<&'a DistinguishedName>,
    /// The only purpose of the copy.
    pub purpose: Option<Purpose>,
    /// The subject alternative names.
    pub names: Option<&'a [GeneralName]>,
    /// The name constraints of a CA.
    pub constraints: Option<&'a NameConstraints>,
    pub validity: Option<Validity>,
    /// The algorithm of the key; `None` means P-256, which is generated fastest.
    pub algorithm: Option<KeyAlgorithm>,
}

/// The differences of a copied hierarchy from its original.
#[derive(Default, Clone, Copy)]
pub(in super::super) struct HierarchyChanges<'a> {
    /// The name of its root.
    pub root_name: Option<&'a DistinguishedName>,
    /// The name constraints of the issuer of leaves.
    pub constraints: Option<&'a NameConstraints>,
    /// The algorithm of all keys.
    pub algorithm: Option<KeyAlgorithm>,
}

/// The two purposes of TLS (RFC 5280 §4.2.1.12), by the last byte of their object identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Purpose {
    Server = 1,
    Client = 2,
}

impl LookalikeCa {
    /// Copies the issuers of the leaf of `chain`, up to one of the `roots`.
    pub fn copy_above(
        chain: &[Certificate],
        roots: &[Certificate],
        wanted: HierarchyChanges<'_>,
    ) -> Result<Self, CopyError> {
        let path = path_above(chain, roots)?;
        let mut authorities: Vec<CopiedCertificate> = Vec::new();
        for (index, original) in path.iter().rev().enumerate() {
            let changes = CopyChanges {
                subject: wanted.root_name.filter(|_| index == 0),
                constraints: wanted.constraints.filter(|_| index + 1 == path.len()),
                algorithm: wanted.algorithm,
                ..CopyChanges::default()
            };
            let copied = copy(original, changes, authorities.last())?;
            authorities.push(copied);
        }
        Ok(Self { authorities })
    }

    pub fn root(&self) -> &Certificate {
        &self.authorities[0].certificate
    }

    /// Returns the copy of the issuer of the leaf.
    pub fn issuer(&self) -> &CopiedCertificate {
        &self.authorities[self.authorities.len() - 1]
    }

    /// Returns a copy of a leaf.
    pub fn leaf(&self, original: &Certificate, changes: CopyChanges<'_>) -> Result<CopiedCertificate, CopyError> {
        copy(original, changes, Some(self.issuer()))
    }

    /// Returns the identity of an endpoint with this copy.
    pub fn identity(&self, whose: &'static str, leaf: &CopiedCertificate) -> Result<Identity, CopyError> {
        Ok(scenario::identity(whose, &self.chain(&[&leaf.certificate]), &leaf.key)?)
    }

    /// Returns a leaf that another leaf issued, with the chain that would be valid if leaves were allowed to issue.
    pub fn identity_issued_by_leaf(
        &self,
        whose: &'static str,
        leaf: &CopiedCertificate,
        original: &Certificate,
    ) -> Result<Identity, CopyError> {
        let below = copy(original, CopyChanges::default(), Some(leaf))?;
        Ok(scenario::identity(whose, &self.chain(&[&below.certificate, &leaf.certificate]), &below.key)?)
    }

    /// Returns `below`, then the intermediates.
    fn chain<'a>(&'a self, below: &[&'a Certificate]) -> Vec<&'a Certificate> {
        let intermediates = self.authorities.iter().skip(1).rev().map(|authority| &authority.certificate);
        below.iter().copied().chain(intermediates).collect()
    }

    /// Returns a CRL of the copied issuer that revokes this serial number (RFC 5280 §5.1).
    pub fn crl_revoking(&self, serial: &SerialNumber, at: OffsetDateTime) -> Result<Vec<u8>, CopyError> {
        let issuer = self.issuer();
        let algorithm = issuer.key.signature_algorithm().der;
        let hour_ago = at.checked_sub(Duration::HOUR).unwrap_or(at);
        let in_a_day = at.checked_add(Duration::DAY).unwrap_or(at);
        let revoked =
            der::sequence(&[&der::value(der::INTEGER, serial.as_der_content()), &validity::time_to_der(hour_ago)]);
        let extensions = der::sequence(&[
            &extension(oid::AUTHORITY_KEY_ID, &authority_key_id(&issuer.key)),
            &extension(oid::CRL_NUMBER, &der::unsigned_integer(&[1])),
        ]);
        let tbs = der::sequence(&[
            &der::unsigned_integer(&[1]), // version 2
            &algorithm,
            issuer.certificate.subject.as_der(),
            &validity::time_to_der(hour_ago),
            &validity::time_to_der(in_a_day),
            &der::sequence(&[&revoked]),
            &der::value(der::context_constructed(0), &extensions),
        ]);
        Ok(signed(&tbs, &issuer.key)?)
    }
}

/// Returns the certificate with one bit of its serial number changed and its original signature.
pub(in super::super) fn tampered(original: &Certificate) -> Result<Certificate, CopyError> {
    let mut fields = fields(original)?;
    if let Some(last) = fields.serial.last_mut() {
        *last ^= 1;
    }
    let signed = tbs::assemble(&fields.join(), &original.signature_algorithm, &original.signature);
    Ok(Certificate::from_der(&signed)?)
}

/// Returns the path from the issuer of the leaf to a root, both included.
fn path_above<'a>(chain: &'a [Certificate], roots: &'a [Certificate]) -> Result<Vec<&'a Certificate>, CopyError> {
    let mut path: Vec<&Certificate> = Vec::new();
    let mut below = &chain[0];
    // Each step uses another certificate of the chain; the length of the chain ends a loop of names.
    for _ in 0..=chain.len() {
        if let Some(root) = roots.iter().find(|root| root.subject == below.issuer) {
            path.push(root);
            return Ok(path);
        }
        let Some(issuer) = chain.iter().skip(1).find(|candidate| candidate.subject == below.issuer) else { break };
        path.push(issuer);
        below = issuer;
    }
    Err(CopyError::NoIssuer(below.subject.to_string()))
}

/// Object identifiers of extensions, as the content bytes of their DER.
mod oid {
    pub const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1d, 14];
    pub const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 17];
    pub const CRL_NUMBER: &[u8] = &[0x55, 0x1d, 20];
    pub const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 30];
    pub const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1d, 35];
    pub const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];
}

fn fields(certificate: &Certificate) -> Result<TbsFields, CopyError> {
    TbsFields::split(certificate.tbs()).ok_or_else(|| CopyError::Fields(certificate.subject.to_string()))
}

/// Copies a certificate with a new key, signed by `issuer`, or self-signed when that is `None`.
fn copy(
    original: &Certificate,
    changes: CopyChanges<'_>,
    issuer: Option<&CopiedCertificate>,
) -> Result<CopiedCertificate, CopyError> {
    let key = PrivateKey::generate(changes.algorithm.unwrap_or(KeyAlgorithm::EcdsaP256))?;
    let signer = issuer.map_or(&key, |issuer| &issuer.key);
    let subject = changes.subject.unwrap_or(&original.subject);
    // A root that is copied with another name stays self-issued.
    let issuer_name = issuer.map_or(if original.is_self_issued() { subject } else { &original.issuer }, |issuer| {
        &issuer.certificate.subject
    });
    let digest = digest::sha256(key.public_key().spki());
    let serial = SerialNumber::from_random(&digest[..16]).unwrap_or_else(|| original.serial.clone());

    let mut fields = fields(original)?;
    fields.serial = der::value(der::INTEGER, serial.as_der_content());
    fields.signature_algorithm = signer.signature_algorithm().der;
    fields.issuer = issuer_name.as_der().to_vec();
    fields.subject = subject.as_der().to_vec();
    if let Some(validity) = changes.validity {
        fields.validity = validity.to_der();
    }
    fields.public_key = key.public_key().spki().to_vec();
    fields.rest = copy_rest(original, &fields.rest, changes, &key, signer)?;
    let certificate = Certificate::from_der(&signed(&fields.join(), signer)?)?;
    Ok(CopiedCertificate { certificate, key })
}

/// Returns the fields after the public key, with changed extensions.
fn copy_rest(
    original: &Certificate,
    rest: &[u8],
    changes: CopyChanges<'_>,
    key: &PrivateKey,
    signer: &PrivateKey,
) -> Result<Vec<u8>, CopyError> {
    let mut copied = Vec::new();
    for field in der::children(rest).ok_or_else(|| CopyError::Fields(original.subject.to_string()))? {
        if field.first() == Some(&der::context_constructed(3)) {
            copied.extend(copy_extensions(original, field, changes, key, signer)?);
        } else {
            copied.extend_from_slice(field);
        }
    }
    Ok(copied)
}

/// Returns `[3] Extensions` with the key identifiers of the new keys, and the wanted changes.
fn copy_extensions(
    original: &Certificate,
    field: &[u8],
    changes: CopyChanges<'_>,
    key: &PrivateKey,
    signer: &PrivateKey,
) -> Result<Vec<u8>, CopyError> {
    let strange = || CopyError::Fields(original.subject.to_string());
    let content = |value: &[u8]| der::split_first(value).map(|(_, content, _)| content.to_vec());
    let list = content(field).and_then(|list| content(&list)).ok_or_else(strange)?;
    let mut copied = Vec::new();
    let mut wanted = wanted_extensions(changes);
    for old in der::children(&list).ok_or_else(strange)? {
        let inside = content(old).ok_or_else(strange)?;
        let (_, oid, _) = der::split_first(&inside).ok_or_else(strange)?;
        let replaced = wanted.iter().position(|(wanted, _)| *wanted == oid).map(|index| wanted.remove(index).1);
        copied.push(match oid {
            oid::SUBJECT_KEY_ID => extension(oid, &der::value(der::OCTET_STRING, &key.public_key().key_id())),
            oid::AUTHORITY_KEY_ID => extension(oid, &authority_key_id(signer)),
            _ => replaced.unwrap_or_else(|| old.to_vec()),
        });
    }
    copied.extend(wanted.into_iter().map(|(_, added)| added));
    let list = der::sequence(&copied.iter().map(Vec::as_slice).collect::<Vec<_>>());
    Ok(der::value(der::context_constructed(3), &list))
}

/// Returns the extensions that replace those of the original or are added to them, with their object identifiers.
fn wanted_extensions(changes: CopyChanges<'_>) -> Vec<(&'static [u8], Vec<u8>)> {
    let purpose = changes.purpose.map(|purpose| {
        let purpose = der::value(der::OBJECT_IDENTIFIER, &[0x2b, 6, 1, 5, 5, 7, 3, purpose as u8]);
        (oid::EXTENDED_KEY_USAGE, extension(oid::EXTENDED_KEY_USAGE, &der::sequence(&[&purpose])))
    });
    let names = changes.names.map(|names| {
        let names: Vec<Vec<u8>> = names.iter().map(GeneralName::to_der).collect();
        let names = der::sequence(&names.iter().map(Vec::as_slice).collect::<Vec<_>>());
        (oid::SUBJECT_ALT_NAME, extension(oid::SUBJECT_ALT_NAME, &names))
    });
    let constraints = changes
        .constraints
        .map(|constraints| (oid::NAME_CONSTRAINTS, critical_extension(oid::NAME_CONSTRAINTS, &constraints.to_der())));
    [purpose, names, constraints].into_iter().flatten().collect()
}

fn authority_key_id(key: &PrivateKey) -> Vec<u8> {
    der::sequence(&[&der::value(der::context(0), &key.public_key().key_id())])
}

/// Returns an `Extension` (RFC 5280 §4.1) that is not critical: DER omits the default value.
fn extension(oid: &[u8], value: &[u8]) -> Vec<u8> {
    let oid = der::value(der::OBJECT_IDENTIFIER, oid);
    der::sequence(&[&oid, &der::value(der::OCTET_STRING, value)])
}

/// Returns a critical `Extension`, as RFC 5280 §4.2.1.10 requires for name constraints.
fn critical_extension(oid: &[u8], value: &[u8]) -> Vec<u8> {
    let oid = der::value(der::OBJECT_IDENTIFIER, oid);
    let critical = der::value(der::BOOLEAN, &[0xff]);
    der::sequence(&[&oid, &critical, &der::value(der::OCTET_STRING, value)])
}

fn signed(to_be_signed: &[u8], key: &PrivateKey) -> Result<Vec<u8>, SigningError> {
    Ok(tbs::assemble(to_be_signed, &key.signature_algorithm(), &key.sign(to_be_signed)?))
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures::{Hierarchy, Kind, certificate};
    use super::*;

    #[test]
    fn the_path_above_a_leaf_goes_by_names_whatever_else_and_in_whatever_order_is_shown() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let issued = |subject, issuer| certificate(subject, issuer, 1, &key, &key, &Kind::Authority);
        let chain =
            [issued("leaf", "Lower"), issued("Astray", "Root"), issued("Upper", "Root"), issued("Lower", "Upper")];
        let roots = [issued("Another", "Another"), issued("Root", "Root")];
        let path = path_above(&chain, &roots).unwrap();
        let names: Vec<_> = path.iter().map(|one| one.subject.to_string()).collect();
        assert_eq!(names, ["CN=Lower", "CN=Upper", "CN=Root"]);
        let alone = [issued("leaf", "leaf")];
        // A loop of names ends, and so does a leaf that names itself as its issuer.
        let circle = [issued("leaf", "One"), issued("One", "Two"), issued("Two", "One")];
        assert!(matches!(path_above(&circle, &roots), Err(CopyError::NoIssuer(_))));
        assert!(matches!(path_above(&alone, &roots), Err(CopyError::NoIssuer(_))));
    }

    #[test]
    fn a_copy_has_key_identifiers_of_its_own_and_only_the_root_another_name() {
        let Hierarchy { root, server, .. } = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let name = certificate("Stranger", "Stranger", 1, server.key(), server.key(), &Kind::Authority).subject;
        let changes = HierarchyChanges { root_name: Some(&name), ..HierarchyChanges::default() };
        let copies = LookalikeCa::copy_above(server.chain(), std::slice::from_ref(&root), changes).unwrap();
        let (copied_root, issuer) = (copies.root(), &copies.issuer().certificate);
        assert_eq!((&copied_root.subject, &copied_root.issuer), (&name, &name));
        assert_eq!((&issuer.subject, &issuer.issuer), (&server.chain()[1].subject, &name));
        let leaf = copies.leaf(server.certificate(), CopyChanges::default()).unwrap().certificate;
        assert!(leaf.subject_key_id.is_some() && leaf.subject_key_id != server.certificate().subject_key_id);
        assert_eq!(leaf.authority_key_id.and_then(|id| id.key_id), issuer.subject_key_id);
        assert_eq!(issuer.authority_key_id.clone().and_then(|id| id.key_id), copied_root.subject_key_id);
    }
}
