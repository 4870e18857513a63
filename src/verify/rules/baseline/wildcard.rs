//! A wildcard below a public suffix matches domains of other owners.

use crate::verify::candidate::Candidate;
use crate::verify::code::{Code, Rank};
use crate::verify::verdict::Problem;
use crate::x509::GeneralName;

pub const PUBLIC_SUFFIX_WILDCARD: Code = Code {
    code: "public-suffix-wildcard",
    rank: Rank::Unranked,
    citation: "CA/Browser Forum BR §3.2.2.6",
    requirement: "A wildcard does not stand directly below a public suffix",
    example: "the wildcard *.co.uk stands directly below the public suffix co.uk",
    fix: "issue the certificate for names below a domain of your own",
};

/// Returns the problem of a leaf's wildcards.
pub fn check(leaf: &Candidate) -> Option<Problem> {
    leaf.certificate.names().iter().find_map(|name| match name {
        GeneralName::Dns(name) => {
            let parent = name.strip_prefix("*.")?;
            is_public_suffix(parent).then(|| {
                let message = format!("the wildcard {name} stands directly below the public suffix {parent}");
                Problem::error(&PUBLIC_SUFFIX_WILDCARD, leaf, message)
            })
        }
        _ => None,
    })
}

/// Returns whether the name is a top-level domain, or a second level under which a country registers names. This is a
/// short form of the ICANN section of the public suffix list, by the labels that registries use; the full list would be
/// too large for this program.
fn is_public_suffix(name: &str) -> bool {
    const REGISTRY_LABELS: [&str; 19] = [
        "ac", "co", "com", "ed", "edu", "go", "gob", "gouv", "gov", "govt", "gv", "ltd", "mil", "ne", "net", "or",
        "org", "plc", "sch",
    ];
    let lower = name.to_ascii_lowercase();
    match lower.split_once('.') {
        None => true,
        Some((label, country)) => {
            country.len() == 2
                && country.bytes().all(|byte| byte.is_ascii_lowercase())
                && REGISTRY_LABELS.contains(&label)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::TestCert;
    use crate::verify::tests::TestPki;

    fn errors(wildcard: &str) -> Vec<&'static str> {
        TestPki::new().case(TestCert::server("a.test").names(&["a.test", wildcard])).server("a.test").errors()
    }

    #[test]
    fn a_wildcard_below_a_public_suffix_is_found() {
        assert_eq!(errors("*.co.uk"), [PUBLIC_SUFFIX_WILDCARD.code]);
    }

    #[test]
    fn a_wildcard_below_a_domain_is_right() {
        assert_eq!(errors("*.example.co.uk"), [""; 0]);
    }

    #[test]
    fn registries_are_told_from_domains() {
        for suffix in ["com", "test", "co.uk", "com.au", "gov.br"] {
            assert!(is_public_suffix(suffix), "{suffix}");
        }
        for domain in ["example.com", "corp.test", "s3.amazonaws.com", "a.co.uk", "corp.de", "co.test", "com.12"] {
            assert!(!is_public_suffix(domain), "{domain}");
        }
    }
}
