//! An authority key identifier with issuer and serial number becomes wrong when the issuer is renewed.

use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;

pub const RULE: Rule = Rule {
    code: "authority-key-id-names-serial",
    severity: Severity::Error,
    citation: "CA/Browser Forum BR §7.1.2.11.1",
    requirement: "The authority key identifier contains only the key identifier",
    example: "the authority key identifier names the issuer's issuer and serial number, expected the key identifier alone",
    fix: "issue the certificate again without issuer and serial number in the authority key identifier",
    profiles: &[],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let id = target.certificate.authority_key_id.as_ref()?;
    id.names_issuer_and_serial.then(|| {
        "the authority key identifier names the issuer's issuer and serial number, expected the key identifier alone"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::certificate::oid;
    use crate::x509::der;

    #[test]
    fn a_serial_number_in_it_is_found() {
        let value = der::sequence(&[&der::value(0x80, &[7; 20]), &der::value(0x82, &[1])]);
        assert!(finding(&RULE, TestCert::server("a.test").extension(oid::AUTHORITY_KEY_ID, false, value)).is_some());
    }

    #[test]
    fn the_key_identifier_alone_is_right() {
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
