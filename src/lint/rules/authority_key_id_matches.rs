//! The authority key identifier is that of the issuer's key.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::text::hex;

pub const RULE: Rule = Rule {
    code: "authority-key-id-differs",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.1",
    requirement: "The authority key identifier equals the CA's subject key identifier",
    example: "the authority key identifier is 0707070707070707070707070707070707070707, expected \
        82bd909677a1085ceed7aa38e4a461f7f7228ace of the CA",
    fix: "issue the certificate again with the key identifier of its CA",
    profiles: &[LintProfile::Rfc5280, LintProfile::Strict],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let found = target.certificate.authority_key_id.as_ref()?.key_id.as_ref()?;
    let expected = target.issuer?.subject_key_id.as_ref()?;
    (found != expected)
        .then(|| format!("the authority key identifier is {}, expected {} of the CA", hex(found), hex(expected)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::certificate::oid;
    use crate::x509::der;

    #[test]
    fn another_key_identifier_is_found() {
        let value = der::sequence(&[&der::value(der::context(0), &[7; 20])]);
        assert!(finding(&RULE, TestCert::server("a.test").extension(oid::AUTHORITY_KEY_ID, false, value)).is_some());
    }

    #[test]
    fn the_key_identifier_of_the_ca_is_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
