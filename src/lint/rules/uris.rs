//! A URI is absolute, and its authority has a host: Go and Java refuse others.

use crate::lint::names;
use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::text;

pub const RULE: Rule = Rule {
    code: "uri-malformed",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.6, §4.2.1.13, §4.2.2.1; RFC 3986 §3",
    requirement: "A URI has a scheme, ASCII characters that a URI allows, and a host where it has an authority",
    example: "the URI '/users/alice' is relative",
    fix: "issue the certificate again with an absolute URI, as https://corp.test/users/alice",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let mut names = names::alternative_names(target.certificate);
    let of_names = names.find_map(|(tag, name)| {
        let problem = (tag == names::URI).then(|| problem(name)).flatten()?;
        Some(format!("the URI '{}' {problem}", text::escape(&String::from_utf8_lossy(name))))
    });
    of_names.or_else(|| {
        names::places(target.certificate).find_map(|(place, uri)| {
            Some(format!("the URI '{}' of {place} {}", text::escape(uri), problem(uri.as_bytes())?))
        })
    })
}

fn problem(uri: &[u8]) -> Option<&'static str> {
    let is_allowed = |byte: &u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(byte);
    let Some(uri) = std::str::from_utf8(uri).ok().filter(|uri| uri.bytes().all(|byte| is_allowed(&byte))) else {
        return Some("has a character that a URI does not allow");
    };
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    let Some((_, specific)) = uri.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
        return Some("is relative");
    };
    if specific.is_empty() {
        return Some("has nothing but a scheme");
    }
    let authority = specific.strip_prefix("//")?.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    (host.is_empty() || host.starts_with(':')).then_some("has no host")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::certificate::oid;
    use crate::x509::{GeneralName, der};

    fn uri(uri: &str) -> TestCert {
        TestCert::client("alice").general_names(&[GeneralName::Uri(uri.to_owned())])
    }

    #[test]
    fn what_is_not_an_absolute_uri_with_its_host_is_found() {
        for (given, problem) in [
            ("/users/alice", "is relative"),
            ("users/alice", "is relative"),
            ("", "is relative"),
            ("1:x", "is relative"),
            ("urn:", "nothing but a scheme"),
            ("https:///x", "no host"),
            ("https://alice@:80/", "no host"),
            ("https://a.test/a b", "does not allow"),
            ("https://{a}.test/", "does not allow"),
        ] {
            assert!(finding(&RULE, uri(given)).unwrap().contains(problem), "{given}");
        }
        let address = der::value(0x86, b"crl.corp.test/ca.crl");
        let point = der::value(0xa0, &der::value(0xa0, &address));
        let points = der::sequence(&[&der::sequence(&[&point])]);
        let of_crl = TestCert::server("a.test").extension(oid::CRL_DISTRIBUTION_POINTS, false, points);
        assert!(finding(&RULE, of_crl).unwrap().contains("of a CRL distribution point is relative"));
        let access = der::sequence(&[&object_identifier("1.3.6.1.5.5.7.48.1"), &address]);
        let of_access = TestCert::server("a.test").extension("1.3.6.1.5.5.7.1.1", false, der::sequence(&[&access]));
        assert!(finding(&RULE, of_access).unwrap().contains("of authority information access is relative"));
        let other = der::sequence(&[&der::value(0x86, b"x")]);
        let issuer = TestCert::server("a.test").extension(oid::ISSUER_ALT_NAME, false, other);
        assert!(finding(&RULE, issuer).is_some());
    }

    #[test]
    fn absolute_uris_are_right() {
        for given in
            ["spiffe://corp.test/web", "urn:uuid:1", "https://[::1]:8443/x?y#z", "https://u@corp/", "mailto:a@b"]
        {
            assert_eq!(finding(&RULE, uri(given)), None, "{given}");
        }
    }
}
