//! Texts that programs read as a name although they are not alternative names: common names and names of entries.

use std::net::IpAddr;

use super::{GeneralName, general_name};

/// Returns what programs read in a text: a host name, an address, a mailbox or a URI; nothing for other texts.
///
/// OpenSSL compares a common name with the name constraints on DNS names when it has the form of a host name of two or
/// more labels and the certificate has no DNS name. Other programs read it whether there is a DNS name or not. A single
/// label is a host name only when it is `localhost`: most of them are names of users and services.
pub fn names_in(text: &str) -> Vec<GeneralName> {
    let text = text.trim_matches(|character: char| character.is_whitespace() || character == '\0');
    let mut names = Vec::new();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        names.push(GeneralName::Ip(address));
    }
    let host = text.strip_suffix('.').unwrap_or(text);
    match general_name::dns(host) {
        Ok(host) if host.contains('.') || host == "localhost" => names.push(GeneralName::Dns(host)),
        _ if is_host_to_openssl(text) => names.push(GeneralName::Dns(text.to_ascii_lowercase())),
        _ => {}
    }
    if names.is_empty()
        && let Ok(name @ (GeneralName::Email(_) | GeneralName::Uri(_))) = text.parse()
    {
        names.push(name);
    }
    names
}

/// Returns whether OpenSSL takes a common name for a host name (`cn2dnsid` in crypto/x509/v3_ncons.c): letters, digits,
/// `_` and `-`, and at least one dot, with a dot or a hyphen neither first nor last nor beside another dot.
fn is_host_to_openssl(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_label = |label: &str| {
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(is_plain)
    };
    text.contains('.') && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        names_in(text).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn hosts_addresses_mailboxes_and_uris_are_read_in_every_spelling() {
        for (text, expected) in [
            ("web.evil.test", "dns:web.evil.test"),
            ("WEB.Evil.TEST", "dns:web.evil.test"),
            (" web.evil.test ", "dns:web.evil.test"),
            ("web.evil.test.", "dns:web.evil.test"),
            ("*.evil.test", "dns:*.evil.test"),
            ("a_b.evil.test", "dns:a_b.evil.test"),
            ("web。evil。test", "dns:web.evil.test"),
            ("münchen.example", "dns:xn--mnchen-3ya.example"),
            ("localhost", "dns:localhost"),
            ("LocalHost", "dns:localhost"),
            // OpenSSL takes these for host names.
            ("app.v1.2", "dns:app.v1.2"),
            ("::1", "ip:::1"),
            ("[::1]", "ip:::1"),
            ("boss@evil.test", "email:boss@evil.test"),
            ("spiffe://evil.test/x", "uri:spiffe://evil.test/x"),
        ] {
            assert_eq!(read(text), [expected], "{text}");
        }
        assert_eq!(read("10.0.0.1"), ["ip:10.0.0.1", "dns:10.0.0.1"]);
    }

    #[test]
    fn names_of_people_and_services_are_not_hosts() {
        for text in
            ["", "alice", "postgres-admin", "Acme Root CA", "Acme Root CA 1.2", "a..b", "-a.b", "J. Doe", "x@y z"]
        {
            assert_eq!(read(text), [""; 0], "{text}");
        }
    }
}
