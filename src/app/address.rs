//! Addresses of servers: `HOST:PORT`, and how TLS begins there.

use std::str::FromStr;

use crate::handshake::starttls::StartTls;
use crate::report::failure::Failure;

/// With what a connection to a server begins, as it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsStart {
    FirstByte,
    StartTls(StartTls),
}

impl TlsStart {
    /// The words of [`from_str`](Self::from_str).
    pub fn names() -> impl Iterator<Item = &'static str> {
        StartTls::ALL.into_iter().map(StartTls::name).chain(["none"])
    }
}

impl FromStr for TlsStart {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let protocol = StartTls::ALL.into_iter().find(|protocol| protocol.name() == word);
        match (word, protocol) {
            ("none", _) => Ok(Self::FirstByte),
            (_, Some(protocol)) => Ok(Self::StartTls(protocol)),
            _ => Err(format!("the protocols are {}", Self::names().collect::<Vec<_>>().join(", "))),
        }
    }
}

/// Returns the protocol in which a server at `HOST:PORT` is asked for TLS: the given one, else that of the port.
pub fn starttls_of(address: &str, given: Option<TlsStart>) -> Option<StartTls> {
    match given {
        Some(TlsStart::FirstByte) => None,
        Some(TlsStart::StartTls(protocol)) => Some(protocol),
        None => StartTls::of_port(port_of(address)?),
    }
}

/// Returns the port of `HOST:PORT`.
pub fn port_of(address: &str) -> Option<u16> {
    address.rsplit_once(':')?.1.parse().ok()
}

/// The host of `web.corp.test:443`, `127.0.0.1:8443` or `[::1]:8443`, without its brackets.
///
/// # Errors
/// Exit status 2: not a host and a port.
pub fn host_of(address: &str) -> Result<&str, Failure> {
    let parts = address.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
    let host = parts.map(|(host, _)| host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host));
    host.filter(|host| !host.is_empty()).ok_or_else(|| {
        let sentence = format!("'{address}' is not a host and a port");
        Failure::usage("bad-address", sentence).hint("for example localhost:8443 or [::1]:8443")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_a_port_are_both_needed() {
        for (address, host) in [("web.test:443", "web.test"), ("[::1]:8443", "::1"), ("10.0.0.1:1", "10.0.0.1")] {
            assert_eq!(host_of(address).unwrap(), host);
        }
        for address in ["web.test", "web.test:", ":443", "web.test:http", "web.test:70000", "[]:443", ""] {
            assert_eq!(host_of(address).unwrap_err().code, "bad-address", "{address}");
        }
    }

    #[test]
    fn tls_begins_as_it_is_given_and_else_as_the_port_says() {
        let smtp = Some(StartTls::Smtp);
        for (address, given, expected) in [
            ("mail.test:587", None, smtp),
            ("mail.test:587", Some("none"), None),
            ("mail.test:465", None, None),
            ("mail.test:2525", Some("smtp"), smtp),
            ("[::1]:5432", None, Some(StartTls::Postgres)),
            ("db.test:5432", Some("mysql"), Some(StartTls::Mysql)),
        ] {
            let given = given.map(|word| word.parse().unwrap());
            assert_eq!(starttls_of(address, given), expected, "{address} {given:?}");
        }
        let error = "gopher".parse::<TlsStart>().unwrap_err();
        assert!(error.contains("postgres, mysql, smtp") && error.ends_with("none"), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn an_address_that_is_accepted_has_a_host_and_a_port(address in "\\PC{0,20}|[a-z.:\\[\\]0-9]{0,20}") {
            if let Ok(host) = host_of(&address) {
                proptest::prop_assert!(!host.is_empty() && address.contains(host));
                proptest::prop_assert!(address.rsplit_once(':').unwrap().1.parse::<u16>().is_ok());
            }
        }
    }
}
