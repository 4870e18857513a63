//! Servers as people name them: `HOST:PORT`.

use super::Failure;

/// The host of `web.corp.test:443`, `127.0.0.1:8443` or `[::1]:8443`, without its brackets.
///
/// # Errors
/// Exit status 2: not a host and a port.
pub fn host_of(address: &str) -> Result<&str, Failure> {
    let parts = address.rsplit_once(':').filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    let Some((host, _)) = parts else {
        let sentence = format!("'{address}' is not a host and a port");
        return Err(Failure::usage("bad-address", sentence).hint("for example localhost:8443 or [::1]:8443"));
    };
    Ok(host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_a_port_are_both_needed() {
        for (address, host) in [("web.test:443", "web.test"), ("[::1]:8443", "::1"), ("10.0.0.1:1", "10.0.0.1")] {
            assert_eq!(host_of(address).unwrap(), host);
        }
        for address in ["web.test", "web.test:", ":443", "web.test:http", "web.test:70000", ""] {
            assert_eq!(host_of(address).unwrap_err().code, "bad-address", "{address}");
        }
    }
}
