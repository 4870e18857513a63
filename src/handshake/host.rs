//! The addresses of a host that the user named.
//!
//! Names are looked up with `getent` where it is installed: see [`crate::system::getent`].

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use crate::system::getent;

/// Returns the addresses of `host:port`.
///
/// # Errors
/// When the text is not a host and a port, or the lookup fails.
pub(super) fn look_up(address: &str) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = address.parse() {
        return Ok(vec![address]);
    }
    let Some((host, port)) = address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?))) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a host and port"));
    };
    let name = host.to_ascii_lowercase();
    let found: Vec<IpAddr> = if name == "localhost" || name.ends_with(".localhost") {
        // Always the loopback addresses (RFC 6761 §6.3).
        vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
    } else {
        match getent::ask("ahosts", host) {
            Ok(output) => addresses_in(&output),
            Err(_) => return Ok(address.to_socket_addrs()?.collect()),
        }
    };
    Ok(found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
}

/// Returns the first field of each line of `getent ahosts`, without duplicates: there is a line for each type of
/// socket.
fn addresses_in(output: &str) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for ip in output.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()) {
        if !found.contains(&ip) {
            found.push(ip);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_found_by_its_address_its_name_or_not_at_all() {
        let found = |address: &str| look_up(address).unwrap_or_default();
        let all = |addresses: &[&str]| addresses.iter().map(|it| it.parse().unwrap()).collect::<Vec<SocketAddr>>();
        assert_eq!(found("127.0.0.1:1"), all(&["127.0.0.1:1"]));
        assert_eq!(found("[::1]:1"), all(&["[::1]:1"]));
        assert_eq!(found("localhost:1"), all(&["127.0.0.1:1", "[::1]:1"]));
        assert_eq!(found("web.LOCALHOST:1"), all(&["127.0.0.1:1", "[::1]:1"]));
        for nowhere in ["--help:1", "nowhere.invalid:1", "nowhere", ":1"] {
            assert_eq!(found(nowhere), all(&[]), "{nowhere}");
        }
    }

    #[test]
    fn every_address_of_a_host_is_tried_once() {
        let output = "192.0.2.1      STREAM web.test\n192.0.2.1      DGRAM  \n2001:db8::1     STREAM \n";
        assert_eq!(addresses_in(output), ["192.0.2.1".parse::<IpAddr>().unwrap(), "2001:db8::1".parse().unwrap()]);
    }
}
