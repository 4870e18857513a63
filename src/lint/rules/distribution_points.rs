//! A distribution point names a place or an issuer: reasons alone lead nowhere.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;

pub const RULE: Rule = Rule {
    code: "distribution-point-incomplete",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.13",
    requirement: "A CRL distribution point has a name or the issuer of the CRL",
    example: "a CRL distribution point has reasons alone, expected a name or the issuer of the CRL",
    fix: "issue the certificate again with the URL of the CRL in the distribution point",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let points = &target.certificate.distribution_points;
    let incomplete = points.iter().find(|point| point.name.is_none() && point.crl_issuer.is_none())?;
    let has = if incomplete.reasons.is_some() { "reasons alone" } else { "nothing in it" };
    Some(format!("a CRL distribution point has {has}, expected a name or the issuer of the CRL"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::certificate::oid;
    use crate::x509::der;

    fn point(fields: &[&[u8]]) -> TestCert {
        let points = der::sequence(&[&der::sequence(fields)]);
        TestCert::server("a.test").extension(oid::CRL_DISTRIBUTION_POINTS, false, points)
    }

    #[test]
    fn a_point_that_leads_nowhere_is_found() {
        assert!(finding(&RULE, point(&[&[0x81, 2, 6, 0x40]])).unwrap().contains("reasons alone"));
        assert!(finding(&RULE, point(&[])).unwrap().contains("nothing in it"));
    }

    #[test]
    fn a_point_with_a_name_is_right() {
        let name = der::value(0xa0, &der::value(0xa0, &der::value(0x86, b"http://a.test/crl")));
        assert_eq!(finding(&RULE, point(&[&name])), None);
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
