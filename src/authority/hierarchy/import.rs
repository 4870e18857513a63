//! Bringing a CA of another tool: what must be true of its certificate, key and chain.

use time::OffsetDateTime;

use crate::authority::certify::{UnsoundAuthority, verify_authority};
use crate::authority::hierarchy::ca_profile::INTERMEDIATE;
use crate::authority::hierarchy::earlier_certificates::EarlierCertificate;
use crate::authority::hierarchy::earlier_revocations::{EarlierError, EarlierFiles};
use crate::authority::hierarchy::new_authority::NewAuthority;
use crate::authority::signed_by::{Signature, is_root, relation};
use crate::issuance::{CaCertificate, IssuerError};
use crate::keys::{PrivateKey, Signer, WeakKeyError, weakness};
use crate::lint::{self, Finding, Severity};
use crate::store::ca_certificates::ROOT;
use crate::store::index::Origin;
use crate::text::{self, Diagnosis, Diagnostic, rfc3339};
use crate::x509::{Certificate, DistinguishedName, Validity};

/// Why a CA of another tool is not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    #[error(transparent)]
    WeakKey(#[from] WeakKeyError),
    #[error("the certificate of '{subject}' is valid from {} to {}, not now", rfc3339(validity.not_before), rfc3339(validity.not_after))]
    NotNow { subject: String, validity: Validity },
    #[error(transparent)]
    NoPath(#[from] NoPathToRoot),
    #[error(transparent)]
    Unsound(#[from] UnsoundAuthority),
    #[error(transparent)]
    Earlier(#[from] EarlierError),
}

/// A certificate of a path was issued by none of those that were given.
#[derive(Debug, thiserror::Error)]
#[error("'{subject}' was issued by '{issuer}'{why}")]
pub struct NoPathToRoot {
    pub subject: DistinguishedName,
    pub issuer: DistinguishedName,
    /// ` with the key identifier …`, when the certificate names one, and what is wrong.
    pub why: String,
}

impl Diagnostic for ImportError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Issuer(error) => error.diagnosis(),
            Self::WeakKey(error) => error.diagnosis(),
            Self::Unsound(error) => error.diagnosis(),
            Self::Earlier(error) => error.diagnosis(),
            Self::NotNow { .. } | Self::NoPath(_) => Diagnosis::refused("not-adopted"),
        }
    }
}

/// A CA that another tool made.
pub struct ImportedCa {
    pub certificate: Certificate,
    pub key: PrivateKey,
    /// For an intermediate, the certificates above it up to the root, in any order.
    pub chain: Vec<Certificate>,
    /// The files that say what it revoked before.
    pub earlier: EarlierFiles,
    /// The key of the root above it; `None` when it is kept elsewhere.
    pub root_key: Option<PrivateKey>,
    /// The certificates that it issued before, in the order in which they are recorded.
    pub certificates: Vec<EarlierCertificate>,
}

impl ImportedCa {
    /// Describes a CA of which nothing is known beside its chain.
    pub fn new(certificate: Certificate, key: PrivateKey, chain: Vec<Certificate>) -> Self {
        Self { certificate, key, chain, earlier: EarlierFiles::default(), root_key: None, certificates: Vec::new() }
    }
}

/// Checks a CA of another tool. Returns the authorities to write, the root first and the one with the key last, and what the
/// lint rules report about the imported certificate, as warnings.
pub(crate) fn import(
    imported: ImportedCa,
    now: OffsetDateTime,
) -> Result<(Vec<NewAuthority>, Vec<Finding>), ImportError> {
    let ImportedCa { certificate, key, chain, root_key, .. } = imported;
    let subject = certificate.subject.to_string();
    if !certificate.is_ca() {
        // Before its chain is asked for: no chain would make a leaf a CA.
        return Err(IssuerError::NotAnAuthority(subject).into());
    }
    if !certificate.validity.contains(now) {
        return Err(ImportError::NotNow { subject, validity: certificate.validity });
    }
    let above = path_to_root(&certificate, chain)?;
    for each in above.iter().chain([&certificate]) {
        let weak = |cause| WeakKeyError { owner: format!("'{}'", each.subject), cause };
        weakness::check(&each.public_key).map_err(weak)?;
    }

    // The certificate must be a CA's, and the key its own.
    let name = if above.is_empty() { ROOT } else { "issuing" };
    let ca = CaCertificate::new(&subject, certificate.clone(), above.clone())?;
    ca.check_key(key.public_key())?;
    verify_authority(&ca, now)?;
    if let (Some(root_key), Some(root)) = (&root_key, above.last()) {
        CaCertificate::new(&root.subject.to_string(), root.clone(), Vec::new())?.check_key(root_key.public_key())?;
    }
    let findings = lint::check(&certificate, above.first(), lint::LintProfile::Rfc5280)
        .into_iter()
        .chain(unverified_signature(above.last().unwrap_or(&certificate)))
        .map(|finding| Finding { severity: Severity::Warning, ..finding })
        .collect();

    let below_root = above.iter().filter(|certificate| !certificate.is_self_issued()).cloned().collect();
    let root = above.last().cloned().map(|root| NewAuthority {
        name: ROOT.to_owned(),
        template: ROOT.to_owned(),
        issued_by: ROOT.to_owned(),
        certificate: root,
        chain: Vec::new(),
        key: root_key,
        origin: Origin::Adopted,
    });
    let imported = NewAuthority {
        name: name.to_owned(),
        template: if above.is_empty() { ROOT } else { INTERMEDIATE }.to_owned(),
        issued_by: ROOT.to_owned(),
        certificate,
        chain: below_root,
        key: Some(key),
        origin: Origin::Adopted,
    };
    Ok((root.into_iter().chain([imported]).collect(), findings))
}

/// Returns the certificates above a certificate, the next first, up to a root. Each signature is verified on the way, but not
/// that of a root over itself when its algorithm is out of use: it proves nothing (RFC 5280 §6.1), since an
/// attacker who can exchange the certificate can make it too. There subject, issuer and key identifiers are compared.
pub(crate) fn path_to_root(
    certificate: &Certificate,
    mut chain: Vec<Certificate>,
) -> Result<Vec<Certificate>, NoPathToRoot> {
    let mut path: Vec<Certificate> = Vec::new();
    loop {
        let last = path.last().unwrap_or(certificate);
        if is_root(last) {
            return Ok(path);
        }
        let Some(position) = chain.iter().position(|issuer| relation(issuer, last) == Signature::Verified) else {
            let (subject, issuer) = (last.subject.clone(), last.issuer.clone());
            let wanted = last.authority_key_id.as_ref().and_then(|id| id.key_id.as_ref());
            let key_id = wanted.map(|id| format!(" with the key identifier {}", text::hex(id))).unwrap_or_default();
            let is_out_of_use = chain.iter().any(|issuer| relation(issuer, last) == Signature::Unverifiable);
            let what = match is_out_of_use {
                true => format!(
                    "; it is signed with {}, which is not verified here: its issuer has to sign it with SHA-256 or better",
                    last.signature_algorithm
                ),
                false => ", which is not among the certificates of --chain".to_owned(),
            };
            return Err(NoPathToRoot { subject, issuer, why: format!("{key_id}{what}") });
        };
        path.push(chain.swap_remove(position));
    }
}

/// Returns what is to be said of a root whose signature over itself was not verified.
fn unverified_signature(root: &Certificate) -> Option<Finding> {
    (relation(root, root) == Signature::Unverifiable).then(|| Finding {
        rule: lint::rules::weak_signature::RULE.code,
        severity: Severity::Warning,
        citation: "RFC 5280 §6.1",
        message: format!(
            "the root signed itself with {}; this signature was not verified, and proves nothing: compare the fingerprint",
            root.signature_algorithm
        ),
        hint: Some(match root.names_its_serial() {
            false => "ca root renew makes a new certificate for the same key, signed with SHA-256 or better".to_owned(),
            true => "ca root renew makes a new certificate for the same key, signed with SHA-256 or better, and with another \
                     serial number: first issue again what names the old one (ca lint FILE: authority-key-id-names-serial)"
                .to_owned(),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::{path_to_root, unverified_signature};
    use crate::authority::testing::Ca;
    use crate::lint::testing::{TestCa, TestCert};
    use crate::store::ca_certificates::read_certificate;
    use crate::x509::certificate::oid;
    use crate::x509::der;

    #[test]
    fn above_a_certificate_stands_who_bears_the_name_of_its_issuer_and_made_its_signature() {
        let (ca, stranger) = (Ca::new(), Ca::new());
        let of = |ca: &Ca, name: &str| read_certificate(&ca.path(&format!("authorities/{name}/cert.pem"))).unwrap();
        let (issuing, root, namesake) = (of(&ca, "issuing"), of(&ca, "root"), of(&stranger, "root"));
        assert_eq!(namesake.subject, root.subject);
        let mut renamed = root.clone();
        renamed.subject = issuing.subject.clone();
        for not_above in [&namesake, &renamed] {
            assert!(path_to_root(&issuing, vec![not_above.clone()]).is_err());
            assert_eq!(
                path_to_root(&issuing, vec![not_above.clone(), root.clone()]).unwrap(),
                std::slice::from_ref(&root)
            );
        }
        // The name alone makes no root, while the algorithm of its signature is in use.
        let mut forged = root.clone();
        forged.public_key = namesake.public_key;
        assert!(path_to_root(&forged, Vec::new()).is_err());
        assert_eq!(path_to_root(&root, Vec::new()).unwrap(), []);
    }

    /// RFC 5280 §6.1: the signature of a trust anchor over itself is not part of a path.
    #[test]
    fn a_root_that_signed_itself_with_sha1_is_recognised_by_its_names_and_key_identifiers() {
        const SHA1: [u8; 15] = [0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5, 5, 0];
        let over_sha1 = |cert: TestCert| cert.inner_algorithm(&SHA1).outer_algorithm(&SHA1);
        let root = TestCa::self_signed(over_sha1(TestCert::ca("Old")));
        assert_eq!(path_to_root(&root.certificate, Vec::new()).unwrap(), []);
        assert!(unverified_signature(&root.certificate).is_some());
        let issuing = root.subordinate(TestCert::ca("Issuing")).certificate;
        let above = path_to_root(&issuing, vec![root.certificate.clone()]).unwrap();
        assert_eq!(above, std::slice::from_ref(&root.certificate));
        // A name of its own makes no root of what another key issued.
        let identifier = der::sequence(&[&der::value(der::context(0), &[7; 20])]);
        let of_another = over_sha1(TestCert::ca("Old").extension(oid::AUTHORITY_KEY_ID, false, identifier));
        assert!(path_to_root(&TestCa::self_signed(of_another).certificate, Vec::new()).is_err());
        let below = root.subordinate(over_sha1(TestCert::ca("Below"))).certificate;
        let refused = path_to_root(&below, vec![root.certificate.clone()]).unwrap_err().to_string();
        assert!(refused.contains("signed with sha1WithRSAEncryption, which is not verified here"), "{refused}");
        // An algorithm that is verified is verified in a root too.
        let badly_signed = TestCa::self_signed(TestCert::ca("Old").badly_signed());
        assert!(path_to_root(&badly_signed.certificate, Vec::new()).is_err());
        assert!(unverified_signature(&TestCa::root().certificate).is_none());
    }
}
