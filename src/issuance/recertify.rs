//! A new certificate for a CA that already has one, with another issuer or other dates: a renewed root, a cross-certificate
//! (RFC 5280 §3.2), an intermediate below a new root.

use time::OffsetDateTime;

use super::ca_certificate::CaCertificate;
use super::draft::{Draft, SignedBy};
use super::refusal::DraftRefusal;
use crate::x509::certificate::oid;
use crate::x509::{BasicConstraints, Certificate, KeyUsage, SerialNumber, Validity};

/// The extensions that a draft has a field for. Those about the issuer are not copied.
const CARRIED: [&str; 9] = [
    oid::SUBJECT_KEY_ID,
    oid::AUTHORITY_KEY_ID,
    oid::KEY_USAGE,
    oid::EXTENDED_KEY_USAGE,
    oid::BASIC_CONSTRAINTS,
    oid::NAME_CONSTRAINTS,
    oid::SUBJECT_ALT_NAME,
    oid::CRL_DISTRIBUTION_POINTS,
    oid::AUTHORITY_INFO_ACCESS,
];

/// Without these, the new certificate would allow more than the present one.
const LIMITING: [&str; 3] = [oid::POLICY_CONSTRAINTS, oid::INHIBIT_ANY_POLICY, oid::CERTIFICATE_POLICIES];

/// Returns a draft with the subject, the key and its identifier, the rights and the limits of `certificate`, byte for byte
/// where clients compare them: what was issued with the key keeps its chain. The rights come from a certificate that this
/// CA has for the authority, instead of from a profile.
///
/// # Errors
/// When it is not the certificate of a CA, has a value that cannot be encoded here, or the issuer may not sign it.
pub fn recertify(
    certificate: &Certificate,
    by: SignedBy<'_>,
    now: OffsetDateTime,
    validity: Validity,
    serial: SerialNumber,
) -> Result<Draft, DraftRefusal> {
    if !certificate.is_ca() {
        return Err(DraftRefusal::NotAnAuthority(certificate.subject.to_string()));
    }
    let is_lost = |extension: &&crate::x509::Extension| {
        let is_limit = !certificate.is_self_issued() && LIMITING.contains(&extension.oid.as_str());
        (extension.critical || is_limit) && !CARRIED.contains(&extension.oid.as_str())
    };
    if let Some(lost) = certificate.extensions.iter().find(is_lost) {
        return Err(DraftRefusal::CannotCarry { subject: certificate.subject.to_string(), oid: lost.oid.clone() });
    }
    if validity.not_after <= now {
        return Err(DraftRefusal::EndsInThePast(validity.not_after));
    }
    let key_id = key_id(certificate);
    let (issuer, signature_algorithm, authority_key_id, issuer_key) = match by {
        SignedBy::Issuer(issuer) => {
            issuer.check_authority(now)?;
            if *issuer.subject() == certificate.subject {
                return Err(DraftRefusal::SubjectOfIssuer(certificate.subject.clone()));
            }
            outlives(issuer, validity.not_after)?;
            let key = issuer.certificate().public_key.clone();
            (issuer.subject().clone(), issuer.signature_algorithm().clone(), issuer.key_id(), key)
        }
        SignedBy::Itself(signer) => {
            let key = certificate.public_key.clone();
            (certificate.subject.clone(), signer.signature_algorithm(), key_id.clone(), key)
        }
    };
    let is_root = matches!(by, SignedBy::Itself(_));
    let urls = |urls: &[String]| if is_root { Vec::new() } else { urls.to_vec() };
    Ok(Draft {
        serial,
        signature_algorithm,
        issuer,
        validity,
        subject: certificate.subject.clone(),
        subject_key_id: key_id,
        public_key: certificate.public_key.clone(),
        names: certificate.names().to_vec(),
        key_usage: certificate.key_usage.unwrap_or(KeyUsage::KEY_CERT_SIGN.union(KeyUsage::CRL_SIGN)),
        extended_key_usage: certificate.extended_key_usage.clone().unwrap_or_default(),
        critical_purposes: false,
        extensions: Vec::new(),
        basic_constraints: BasicConstraints {
            ca: true,
            path_length: certificate.basic_constraints.and_then(|constraints| constraints.path_length),
        },
        name_constraints: certificate.name_constraints.clone(),
        authority_key_id,
        crl_urls: urls(&certificate.crl_urls),
        // They lead to the certificate of the previous issuer.
        ca_issuer_urls: Vec::new(),
        ocsp_urls: urls(&certificate.ocsp_urls),
        issuer_key,
    })
}

/// Returns the object identifiers of the extensions that [`recertify`] does not copy; none of them is a limit or critical.
pub fn left_out(certificate: &Certificate) -> Vec<String> {
    let is_left_out = |oid: &&String| !CARRIED.contains(&oid.as_str());
    certificate.extensions.iter().map(|extension| &extension.oid).filter(is_left_out).cloned().collect()
}

/// Returns the key identifier of a certificate: the certificates below it refer to it.
fn key_id(certificate: &Certificate) -> Vec<u8> {
    certificate.subject_key_id.clone().unwrap_or_else(|| certificate.public_key.key_id().to_vec())
}

fn outlives(issuer: &CaCertificate, end: OffsetDateTime) -> Result<(), DraftRefusal> {
    let (authority, issuer_end) = issuer.end();
    if end > issuer_end { Err(DraftRefusal::OutlivesIssuer { authority, end, issuer_end }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::super::testing::{INTERMEDIATE, NOW, ROOT, below, root, serial};
    use super::super::{approve, sign};
    use super::*;
    use crate::keys::{PrivateKey, Signer};
    use crate::x509::KeyAlgorithm;

    fn years(years: i64) -> Validity {
        Validity { not_before: NOW, not_after: NOW + Duration::days(365 * years) }
    }

    #[test]
    fn a_renewed_root_says_the_same_with_other_dates() {
        let toml = ROOT.replace("permit  = []", "permit  = [\"corp.test\"]\npath-length = 2");
        let root = root(KeyAlgorithm::EcdsaP256, &toml);
        let old = root.ca_certificate().certificate().clone();
        let key = root.signer();
        let draft = recertify(&old, SignedBy::Itself(key), NOW, years(12), serial(9)).unwrap();
        let new = sign(approve(draft, None).unwrap().unverified(), key).unwrap();
        assert_eq!(
            (&new.subject, &new.public_key, &new.subject_key_id),
            (&old.subject, &old.public_key, &old.subject_key_id)
        );
        assert_eq!((new.key_usage, new.basic_constraints), (old.key_usage, old.basic_constraints));
        assert_eq!(new.name_constraints, old.name_constraints);
        assert!(new.serial != old.serial && new.validity == years(12));
    }

    #[test]
    fn an_intermediate_below_another_root_keeps_its_key_and_gets_the_issuer_of_the_new_one() {
        let old_root = root(KeyAlgorithm::EcdsaP256, ROOT);
        let issuing = below(&old_root, INTERMEDIATE).unwrap().ca_certificate().certificate().clone();
        let new_root = root(KeyAlgorithm::Ed25519, &ROOT.replace("\"name\"", "\"New Root\""));
        let draft = recertify(&issuing, SignedBy::Issuer(new_root.ca_certificate()), NOW, years(4), serial(9)).unwrap();
        let new = new_root.sign(approve(draft, Some(new_root.ca_certificate())).unwrap().unverified()).unwrap();
        assert_eq!((&new.subject, &new.public_key), (&issuing.subject, &issuing.public_key));
        assert_eq!(new.issuer, *new_root.ca_certificate().subject());
        assert_eq!(new.authority_key_id.unwrap().key_id, Some(new_root.ca_certificate().key_id()));
        assert_eq!(new.basic_constraints.unwrap().path_length, Some(0));
    }

    #[test]
    fn a_renewed_root_drops_limits_that_do_not_apply_to_trust_anchors_and_no_critical_ones() {
        let root = root(KeyAlgorithm::EcdsaP256, ROOT);
        let mut old = root.ca_certificate().certificate().clone();
        let key = root.signer();
        let mut again = |critical| {
            let policies = oid::CERTIFICATE_POLICIES.to_owned();
            old.extensions.push(crate::x509::Extension { oid: policies, critical, value: Vec::new() });
            recertify(&old, SignedBy::Itself(key), NOW, years(1), serial(9))
        };
        assert!(again(false).is_ok());
        assert!(matches!(again(true).unwrap_err(), DraftRefusal::CannotCarry { .. }));
    }

    #[test]
    fn what_the_issuer_may_not_sign_or_the_encoder_cannot_write_is_refused() {
        let old_root = root(KeyAlgorithm::EcdsaP256, ROOT);
        let issuing = below(&old_root, INTERMEDIATE).unwrap();
        let other = root(KeyAlgorithm::EcdsaP256, &ROOT.replace("\"name\"", "\"Other\""));
        let other = other.ca_certificate().certificate();
        let by = |issuer, validity| recertify(other, SignedBy::Issuer(issuer), NOW, validity, serial(9)).unwrap_err();
        assert!(matches!(by(issuing.ca_certificate(), years(1)), DraftRefusal::PathLength { .. }));
        assert!(matches!(by(old_root.ca_certificate(), years(11)), DraftRefusal::OutlivesIssuer { .. }));
        assert_eq!(by(old_root.ca_certificate(), years(0)), DraftRefusal::EndsInThePast(NOW));
        let itself = recertify(
            old_root.ca_certificate().certificate(),
            SignedBy::Issuer(old_root.ca_certificate()),
            NOW,
            years(1),
            serial(9),
        );
        assert!(matches!(itself.unwrap_err(), DraftRefusal::SubjectOfIssuer(_)));

        let mut limited = issuing.ca_certificate().certificate().clone();
        let limit = |oid: &str, critical| crate::x509::Extension { oid: oid.to_owned(), critical, value: Vec::new() };
        limited.extensions.push(limit(oid::CERTIFICATE_POLICIES, false));
        let again = |certificate: &Certificate| {
            recertify(certificate, SignedBy::Issuer(old_root.ca_certificate()), NOW, years(1), serial(9))
        };
        assert!(matches!(again(&limited).unwrap_err(), DraftRefusal::CannotCarry { .. }));
        limited.extensions.pop();
        limited.extensions.push(limit("1.2.3.4", true));
        assert!(matches!(again(&limited).unwrap_err(), DraftRefusal::CannotCarry { .. }));
        limited.extensions.pop();
        limited.extensions.push(limit("2.16.840.1.113730.1.13", false));
        assert!(again(&limited).is_ok());
        assert_eq!(left_out(&limited), ["2.16.840.1.113730.1.13"]);
        limited.basic_constraints = None;
        assert!(matches!(again(&limited).unwrap_err(), DraftRefusal::NotAnAuthority(_)));
    }

    #[test]
    fn another_key_than_that_of_the_certificate_does_not_sign_its_renewal() {
        let root = root(KeyAlgorithm::EcdsaP256, ROOT);
        let other = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        assert_ne!(other.public_key(), &root.ca_certificate().certificate().public_key);
        let draft =
            recertify(root.ca_certificate().certificate(), SignedBy::Itself(&other), NOW, years(1), serial(9)).unwrap();
        assert!(matches!(
            sign(approve(draft, None).unwrap().unverified(), &other),
            Err(super::super::IssuerError::OtherKey)
        ));
    }
}
