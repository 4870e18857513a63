//! The check before the signature: a draft is encoded, decoded by another parser, compared and linted.

use super::ca_certificate::CaCertificate;
use super::draft::Draft;
use super::encode::{self, EncodeError};
use super::extension_rules::is_of_program;
use crate::keys;
use crate::lint::{self, Finding, Severity};
use crate::x509::certificate::oid;
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
    #[error("the certificate would violate {} lint rule{}: {}", .0.len(), if .0.len() == 1 { "" } else { "s" }, sentences(.0))]
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
    let mut findings = lint::check(&unsigned, issuer.map(CaCertificate::certificate), lint::LintProfile::House);
    for finding in findings.iter_mut().filter(|finding| unsigned.is_ca() && CARRIED_OVER.contains(&finding.rule)) {
        finding.severity = Severity::Warning;
    }
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

/// Rules about names and constraints that the renewed certificate of a CA takes from the old one byte by byte: another name
/// would be another CA. For names of its own, this program keeps them before a draft is made.
const CARRIED_OVER: [&str; 6] = [
    lint::rules::printable_string::RULE.code,
    lint::rules::string_encoding::RULE.code,
    lint::rules::name_lengths::RULE.code,
    lint::rules::mailboxes::RULE.code,
    lint::rules::uris::RULE.code,
    lint::rules::name_constraints_mask::RULE.code,
];

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
        (
            "criticality of the extended key usage",
            written.extension(oid::EXTENDED_KEY_USAGE).is_some_and(|it| it.critical) == draft.critical_purposes,
        ),
        ("extensions of the template", written.extensions.iter().filter(|it| !is_of_program(it)).eq(&draft.extensions)),
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
    use crate::issuance::recertify::recertify;
    use crate::lint::testing::{TestCa, TestCert, name_of};
    use crate::x509::{ExtendedKeyUsage, Extension, KeyAlgorithm, Validity, der};

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
        let bent: [(Bend<'_>, &str); 18] = [
            (&|written| written.serial = serial(3), "serial number"),
            (&|written| written.tbs_signature_algorithm = other.signature_algorithm.clone(), "signature algorithm"),
            (&|written| written.issuer = other.subject.clone(), "issuer"),
            (&|written| written.validity.not_after += time::Duration::SECOND, "validity"),
            (&|written| written.subject = other.subject.clone(), "subject"),
            (&|written| written.public_key = root.ca_certificate().certificate().public_key.clone(), "public key"),
            (&|written| written.subject_alt_names = Some(vec!["a.test".parse().unwrap()]), "subject alternative names"),
            (&|written| written.key_usage = None, "key usage"),
            (&|written| written.extended_key_usage = Some(vec![ExtendedKeyUsage::ServerAuth]), "extended key usage"),
            (
                &|written| {
                    let (oid, value) = (oid::EXTENDED_KEY_USAGE.to_owned(), Vec::new());
                    written.extensions.push(Extension { oid, critical: true, value });
                },
                "criticality of the extended key usage",
            ),
            (
                &|written| {
                    written.extensions.push(Extension { oid: "1.2.3".to_owned(), critical: false, value: vec![5, 0] });
                },
                "extensions of the template",
            ),
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

    #[test]
    fn a_ca_keeps_a_name_that_breaks_a_rule_and_a_leaf_does_not() {
        let odd = name_of(&[("2.5.4.3", der::PRINTABLE_STRING, b"Corp_Root")]);
        let old = TestCa::self_signed(TestCert::ca("A").subject(&odd));
        let validity = Validity { not_before: NOW, not_after: NOW + time::Duration::days(300) };
        let draft = recertify(&old.certificate, SignedBy::Itself(&old.key), NOW, validity, serial(9)).unwrap();
        let codes = |findings: &[Finding]| findings.iter().map(|finding| finding.rule).collect::<Vec<_>>();
        let approved = approve(draft.clone(), None).unwrap();
        assert_eq!(codes(&approved.warnings), [lint::rules::printable_string::RULE.code]);
        let mut leaf = draft;
        leaf.basic_constraints.ca = false;
        let Err(NotApproved::Findings(errors)) = approve(leaf, None) else { panic!("it was approved") };
        assert!(codes(&errors).contains(&lint::rules::printable_string::RULE.code));
    }
}
