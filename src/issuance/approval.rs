//! The check before the signature: a draft is encoded, decoded by another parser, compared and linted.

use super::ca_certificate::CaCertificate;
use super::draft::Draft;
use super::encode::{self, EncodeError};
use crate::keys;
use crate::lint::{self, Finding, Severity};
use crate::x509::{Certificate, DecodeError, tbs};

/// A draft without errors, and the exact bytes to be signed. Only [`approve`] makes one, and [`ApprovedDraft::verified`]
/// consumes it.
pub struct ApprovedDraft<'i> {
    pub(super) draft: Draft,
    pub(super) to_be_signed: Vec<u8>,
    /// The certificate with a placeholder in place of its signature.
    pub(super) unsigned: Certificate,
    /// The CA that is to sign; `None` for a root, which signs itself.
    pub(super) issuer: Option<&'i CaCertificate>,
    /// What the lint rules found that does not forbid the certificate.
    pub(super) warnings: Vec<Finding>,
}

/// Why a draft must not be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotApproved {
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error("what was written cannot be read back: {0}")]
    Decode(#[from] DecodeError),
    #[error("what was written is not what was decided: the {0} differs")]
    Differs(&'static str),
    #[error("the certificate would break {} rule{} of form: {}", .0.len(), if .0.len() == 1 { "" } else { "s" }, sentences(.0))]
    Findings(Vec<Finding>),
}

fn sentences(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{} ({})", finding.message, finding.citation)).collect::<Vec<_>>().join("; ")
}

impl ApprovedDraft<'_> {
    /// Returns the certificate as it will be, with a placeholder in place of its signature.
    pub fn unsigned(&self) -> &Certificate {
        &self.unsigned
    }
}

/// Encodes a draft, decodes it with another parser, compares both, and checks the certificate with the lint rules of this
/// program. `issuer` is the CA that is to sign; `None` for a root, which signs itself.
///
/// # Errors
/// When it cannot be encoded, the encoded certificate differs from the draft, or it breaks a rule.
pub fn approve(draft: Draft, issuer: Option<&CaCertificate>) -> Result<ApprovedDraft<'_>, NotApproved> {
    let (to_be_signed, unsigned) = encode_unsigned(&draft)?;
    if let Some(field) = first_difference(&draft, &unsigned) {
        return Err(NotApproved::Differs(field));
    }
    let findings = lint::check(&unsigned, issuer.map(CaCertificate::certificate), lint::LintProfile::House);
    let (errors, warnings): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|finding| finding.severity == Severity::Error);
    if errors.is_empty() {
        Ok(ApprovedDraft { draft, to_be_signed, unsigned, issuer, warnings })
    } else {
        Err(NotApproved::Findings(errors))
    }
}

/// Returns the bytes to be signed, and the certificate with a placeholder in place of the signature.
pub(super) fn encode_unsigned(draft: &Draft) -> Result<(Vec<u8>, Certificate), NotApproved> {
    let to_be_signed = encode::to_be_signed(draft)?;
    let placeholder = keys::placeholder_signature(draft.issuer_key.kind());
    let unsigned = Certificate::from_der(&tbs::assemble(&to_be_signed, &draft.signature_algorithm, &placeholder))?;
    Ok((to_be_signed, unsigned))
}

fn first_difference(draft: &Draft, written: &Certificate) -> Option<&'static str> {
    let fields = [
        ("serial number", written.serial == draft.serial),
        ("signature algorithm", written.tbs_signature_algorithm == draft.signature_algorithm),
        ("issuer", written.issuer.as_der() == draft.issuer.as_der()),
        ("validity", written.validity == draft.validity),
        ("subject", written.subject.as_der() == draft.subject.as_der()),
        ("public key", written.public_key == draft.public_key),
        ("subject alternative names", written.names() == draft.names),
        ("key usage", written.key_usage == Some(draft.key_usage)),
        ("extended key usage", written.extended_key_usage.as_deref().unwrap_or_default() == draft.extended_key_usage),
        ("basic constraints", written.basic_constraints == Some(draft.basic_constraints)),
        ("name constraints", written.name_constraints == draft.name_constraints),
        ("subject key identifier", written.subject_key_id.as_ref() == Some(&draft.subject_key_id)),
        (
            "authority key identifier",
            written.authority_key_id.as_ref().and_then(|id| id.key_id.as_ref()) == Some(&draft.authority_key_id),
        ),
        ("CRL addresses", written.crl_urls == draft.crl_urls),
        ("issuer addresses", written.ca_issuer_urls == draft.ca_issuer_urls),
        ("OCSP addresses", written.ocsp_urls == draft.ocsp_urls),
    ];
    fields.into_iter().find(|(_, same)| !same).map(|(field, _)| field)
}

#[cfg(test)]
mod tests {
    use super::super::SignedBy;
    use super::super::testing::{INTERMEDIATE, NOW, ROOT, profile, request, root, serial};
    use super::*;
    use crate::x509::{ExtendedKeyUsage, KeyAlgorithm};

    #[test]
    fn each_field_of_a_certificate_is_compared_with_the_draft() {
        let other = root(KeyAlgorithm::Ed25519, &ROOT.replace("\"name\"", "\"Other\""));
        let other = other.ca_certificate().certificate();
        let root = root(KeyAlgorithm::EcdsaP256, &ROOT.replace("permit  = []", "permit  = [\"corp.test\"]"));
        let input = request("Test Issuing", &[], &other.public_key);
        let by = SignedBy::Issuer(root.ca_certificate());
        let draft = Draft::new(&profile(INTERMEDIATE), &input, by, NOW, serial(2)).unwrap();
        let written = approve(draft.clone(), Some(root.ca_certificate())).unwrap().unsigned;
        assert_eq!(first_difference(&draft, &written), None);
        let url = || vec!["http://corp.test".to_owned()];
        type Bend<'a> = &'a dyn Fn(&mut Certificate);
        let bent: [(Bend<'_>, &str); 16] = [
            (&|written| written.serial = serial(3), "serial number"),
            (&|written| written.tbs_signature_algorithm = other.signature_algorithm.clone(), "signature algorithm"),
            (&|written| written.issuer = other.subject.clone(), "issuer"),
            (&|written| written.validity.not_after += time::Duration::SECOND, "validity"),
            (&|written| written.subject = other.subject.clone(), "subject"),
            (&|written| written.public_key = root.ca_certificate().certificate().public_key.clone(), "public key"),
            (&|written| written.subject_alt_names = Some(vec!["a.test".parse().unwrap()]), "subject alternative names"),
            (&|written| written.key_usage = None, "key usage"),
            (&|written| written.extended_key_usage = Some(vec![ExtendedKeyUsage::ServerAuth]), "extended key usage"),
            (&|written| written.basic_constraints = None, "basic constraints"),
            (
                &|written| written.name_constraints = root.ca_certificate().certificate().name_constraints.clone(),
                "name constraints",
            ),
            (&|written| written.subject_key_id = None, "subject key identifier"),
            (&|written| written.authority_key_id = other.authority_key_id.clone(), "authority key identifier"),
            (&|written| written.crl_urls = url(), "CRL addresses"),
            (&|written| written.ca_issuer_urls = url(), "issuer addresses"),
            (&|written| written.ocsp_urls = url(), "OCSP addresses"),
        ];
        for (bend, field) in bent {
            let mut altered = written.clone();
            bend(&mut altered);
            assert_eq!(first_difference(&draft, &altered), Some(field));
        }
    }
}
