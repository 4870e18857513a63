//! A CRL names the key that signed it.

use crate::lint::crl::CrlTarget;
use crate::lint::profile::LintProfile;
use crate::lint::rule::{CrlCheck, Rule};
use crate::lint::severity::Severity;

pub const RULE: Rule<CrlCheck> = Rule {
    code: "crl-authority-key-id-missing",
    severity: Severity::Error,
    citation: "RFC 5280 §5.2.1",
    requirement: "A CRL has an authority key identifier with the identifier of the key that signed it",
    example: "the CRL has no authority key identifier",
    fix: "sign the CRL again with the extension: authorityKeyIdentifier = keyid:always in crl_extensions of openssl-ca",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &CrlTarget) -> Option<String> {
    match &target.crl.authority_key_id {
        Some(id) if id.key_id.is_some() => None,
        Some(_) => Some("the authority key identifier has no key identifier".to_owned()),
        None => Some("the CRL has no authority key identifier".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::crl::testing::*;
    use crate::x509::certificate::oid;

    #[test]
    fn a_crl_that_names_no_key_is_found() {
        assert!(finding(&RULE, TestCrl::new().without(oid::AUTHORITY_KEY_ID)).unwrap().contains("has no authority"));
        assert!(finding(&RULE, TestCrl::new().extension(oid::AUTHORITY_KEY_ID, None, &[0x30, 0])).is_some());
    }

    #[test]
    fn a_key_identifier_is_right() {
        assert_eq!(finding(&RULE, TestCrl::new()), None);
    }
}
