//! The host of a URI (RFC 3986 §3.2), as name constraints compare it (RFC 5280 §4.2.1.10).

use std::net::IpAddr;

/// Returns the host name of a URI. `None` when it has no authority, when its host is an address, and when programs could
/// disagree about its host.
pub fn uri_host(uri: &str) -> Option<&str> {
    let authority = authority(uri)?;
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host_and_port.split_once(':').map_or(host_and_port, |(host, _)| host);
    // Browsers read a backslash as a slash.
    (is_plain_host(host) && host.parse::<IpAddr>().is_err() && !authority.contains('\\')).then_some(host)
}

/// Returns whether programs agree about the host of a URI: a part of them, OpenSSL among them, takes for the host whatever
/// stands between `//` and the first colon, or else the first slash. User information, a question mark or a number sign
/// right behind the host, and a colon in the path make a difference.
pub fn has_one_host(uri: &str) -> bool {
    let Some((_, rest)) = uri.split_once("://") else { return false };
    let until = rest.find(':').or_else(|| rest.find('/')).unwrap_or(rest.len());
    uri_host(uri).is_some_and(|host| host == &rest[..until])
}

/// Returns whether a host name is in the form that is compared: no dot at the end, no percent-encoding, A-labels.
pub fn is_plain_host(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.split('.').all(|label| !label.is_empty() && label.bytes().all(plain))
}

/// Returns the authority of a URI: user, host and port.
pub(super) fn authority(uri: &str) -> Option<&str> {
    uri.split_once("://")?.1.split(['/', '?', '#']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_stands_between_the_user_and_the_port() {
        for (uri, host) in [
            ("https://corp.test", "corp.test"),
            ("https://user:word@a.corp.test:8443/x?y@z.test#w", "a.corp.test"),
            ("spiffe://corp.test/web", "corp.test"),
            ("https://evil.test@corp.test/", "corp.test"),
            ("https://corp.test?@evil.test/", "corp.test"),
        ] {
            assert_eq!(uri_host(uri), Some(host), "{uri}");
        }
    }

    #[test]
    fn programs_agree_about_a_host_without_user_that_a_port_a_slash_or_nothing_follows() {
        for uri in
            ["https://corp.test", "https://corp.test/", "https://corp.test:8443/x", "spiffe://corp.test/ns/a?b#c"]
        {
            assert!(has_one_host(uri), "{uri}");
        }
        for uri in [
            "https://evil.test:80@corp.test/",
            "https://user@corp.test/",
            "https://corp.test?.evil.test/",
            "https://corp.test#.evil.test/",
            "https://corp.test/a:b",
            "https://10.0.0.1/",
            "urn:corp:web",
        ] {
            assert!(!has_one_host(uri), "{uri}");
        }
    }

    #[test]
    fn an_address_is_not_a_host_name_and_neither_is_what_programs_read_differently() {
        for uri in [
            "urn:corp:web",
            "mailto:a@corp.test",
            "https://10.0.0.1/",
            "https://[::1]:8443/",
            "https:///path",
            "https://user@/",
            "https://corp.test./",
            "https://corp%2etest/",
            "https://evil.test\\@corp.test/",
            "https://corp.test\\evil.test/",
            "https://größe.test/",
        ] {
            assert_eq!(uri_host(uri), None, "{uri}");
        }
    }
}
