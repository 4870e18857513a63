//! Addresses of servers: `HOST:PORT`.

use crate::report::failure::Failure;

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
