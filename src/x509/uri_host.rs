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
