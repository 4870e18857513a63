//! The parameters of an algorithm are those that its standard fixes: rustls and Chrome compare them.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::x509::der;

pub const RULE: Rule = Rule {
    code: "algorithm-parameters",
    severity: Severity::Error,
    citation: "RFC 3279 §2.3.1; RFC 4055 §5; RFC 5758 §3.2; RFC 8410 §3",
    requirement: "RSA keys and RSA signatures have NULL parameters, ECDSA and Ed25519 signatures have none",
    example: "the RSA key has no parameters, expected NULL",
    fix: "issue the certificate again with a tool that writes the parameters as the standard says",
    profiles: &[LintProfile::Rfc5280],
    check,
};

/// Object identifiers, by their beginning or whole.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
const RSA_PSS: u8 = 10;
const RSA_OAEP: u8 = 7;
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4];
const EDWARDS: [&[u8]; 2] = [&[0x2b, 0x65, 0x70], &[0x2b, 0x65, 0x71]];

fn check(target: &LintTarget<'_>) -> Option<String> {
    let certificate = target.certificate;
    let spki = der::split_first(certificate.public_key.spki()).map_or(&[][..], |(_, content, _)| content);
    let signature = &certificate.signature_algorithm.der;
    problem(signature, "signature").or_else(|| problem(spki, "key"))
}

/// Returns what is wrong with an algorithm identifier of a signature or a key.
pub(in crate::lint) fn problem(identifier: &[u8], what: &str) -> Option<String> {
    let (_, fields, _) = der::split_first(identifier)?;
    let (_, oid, parameters) = der::split_first(fields)?;
    let shown = if parameters.is_empty() { "no parameters" } else { "other parameters" };
    let rsa = oid.strip_prefix(RSA);
    if matches!(rsa, Some([kind]) if ![RSA_PSS, RSA_OAEP].contains(kind)) && parameters != [der::NULL, 0] {
        return Some(format!("the RSA {what} has {shown}, expected NULL"));
    }
    let takes_none = oid.starts_with(ECDSA) || EDWARDS.contains(&oid);
    (takes_none && !parameters.is_empty()).then(|| format!("the {what} has parameters, expected none"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    fn rsa(parameters: &[u8]) -> TestCert {
        let algorithm = der::sequence(&[&object_identifier("1.2.840.113549.1.1.1"), parameters]);
        let key = der::sequence(&[&der::unsigned_integer(&[0xff; 256]), &der::unsigned_integer(&[1, 0, 1])]);
        TestCert::server("a.test").spki(der::sequence(&[&algorithm, &der::bit_string(&key)]))
    }

    fn signed(oid: &str, parameters: &[u8]) -> TestCert {
        TestCert::server("a.test").outer_algorithm(&der::sequence(&[&object_identifier(oid), parameters]))
    }

    #[test]
    fn an_rsa_algorithm_without_null_and_another_one_with_it_are_found() {
        assert!(finding(&RULE, rsa(&[])).unwrap().contains("RSA key has no parameters"));
        assert!(finding(&RULE, signed("1.2.840.113549.1.1.11", &[])).unwrap().contains("RSA signature"));
        assert!(finding(&RULE, signed("1.2.840.10045.4.3.2", &[5, 0])).unwrap().contains("expected none"));
        assert!(finding(&RULE, signed("1.3.101.112", &[5, 0])).is_some());
    }

    #[test]
    fn what_the_standards_say_is_right() {
        assert_eq!(finding(&RULE, rsa(&[5, 0])), None);
        assert_eq!(finding(&RULE, signed("1.2.840.113549.1.1.11", &[5, 0])), None);
        // RSASSA-PSS has parameters of its own.
        assert_eq!(finding(&RULE, signed("1.2.840.113549.1.1.10", &[0x30, 0])), None);
        assert_eq!(finding(&RULE, TestCert::server("a.test")), None);
    }
}
