//! Mutual TLS between other libraries with what the program issued: every server is visited by every client, with its
//! certificate, without one, and with one of another CA.

use std::fs::File;
use std::process::Stdio;

use super::peers::{self, Peer, Visit};
use crate::support::hierarchy::Hierarchy;
use crate::support::process::{self, Server, talk};
use crate::support::program::succeeded;
use crate::support::skip;

#[test]
fn nginx_serves_whoever_has_a_certificate() {
    serves(&peers::NGINX);
}

#[test]
fn openssl_serves_whoever_has_a_certificate() {
    serves(&peers::OPENSSL);
}

#[test]
fn gnutls_serves_whoever_has_a_certificate() {
    serves(&peers::GNUTLS);
}

#[test]
fn node_serves_whoever_has_a_certificate() {
    serves(&peers::NODE);
}

#[test]
fn java_serves_whoever_has_a_certificate() {
    serves(&peers::JAVA);
}

#[test]
fn python_serves_whoever_has_a_certificate() {
    serves(&peers::PYTHON);
}

#[test]
fn every_kind_of_key_serves() {
    if !skip::unless_installed(peers::OPENSSL.programs) {
        return;
    }
    for algorithm in ["ecdsa-p384", "ecdsa-p521", "ed25519", "rsa-2048"] {
        let hierarchy = Hierarchy::of(algorithm);
        let server = start(&peers::OPENSSL, &hierarchy);
        for tls in ["1.3", "1.2"] {
            assert_page(
                &visit(&peers::OPENSSL, &hierarchy, &with_certificate(&hierarchy, &server, tls)),
                algorithm,
                &server,
            );
        }
    }
}

/// Every client sees the name and the root, not just any certificate.
#[test]
fn every_client_refuses_another_name_and_another_root() {
    if !skip::unless_installed(peers::OPENSSL.programs) {
        return;
    }
    let hierarchy = Hierarchy::of("ecdsa-p256");
    let server = start(&peers::OPENSSL, &hierarchy);
    for client in clients() {
        for tls in ["1.3", "1.2"] {
            let good = with_certificate(&hierarchy, &server, tls);
            let other_name = Visit { host: "other.example", ..good };
            assert_no_page(&visit(client, &hierarchy, &other_name), &format!("{} {tls} other name", client.name));
            let good = with_certificate(&hierarchy, &server, tls);
            let other_root = Visit { root: &hierarchy.other_root, ..good };
            assert_no_page(&visit(client, &hierarchy, &other_root), &format!("{} {tls} other root", client.name));
        }
    }
}

/// The program itself as a server: each client is received once per version, and both sides say yes.
#[test]
fn handshake_test_receives_every_client() {
    let hierarchy = Hierarchy::of("ecdsa-p256");
    for client in clients() {
        for tls in ["1.3", "1.2"] {
            let what = format!("{} visits handshake-test over TLS {tls}", client.name);
            let said = hierarchy.place.path("listening");
            let mut host =
                hierarchy.place.ca("--dir ca handshake-test --listen 127.0.0.1:0 --server localhost --wait 1m --json");
            host.stdout(Stdio::piped()).stderr(File::create(&said).unwrap());
            let host = host.spawn().unwrap();
            let port = process::wait_for(&what, || {
                let said = std::fs::read_to_string(&said).unwrap();
                said.split_once("127.0.0.1:")?.1.split_once(' ')?.0.parse().ok()
            });
            let (root, credential) = (&*hierarchy.root, Some(&hierarchy.client));
            let page = visit(client, &hierarchy, &Visit { port, host: "localhost", tls, root, credential });
            assert!(page.contains(" 200"), "{what}: no page\n{page}");
            let report = succeeded(&what, &host.wait_with_output().unwrap());
            let report: serde_json::Value = serde_json::from_str(&report).unwrap();
            assert_eq!(report["sessions"][0]["tls"], tls, "{what}");
            assert_eq!(report["sessions"][0]["client"]["subject"], "CN=alice", "{what}");
        }
    }
}

fn serves(peer: &Peer) {
    if !skip::unless_installed(peer.programs) {
        return;
    }
    let hierarchy = Hierarchy::of("ecdsa-p256");
    let server = start(peer, &hierarchy);
    assert_handshake_test_passes(&hierarchy, &server, peer.name);
    for client in clients() {
        for tls in ["1.3", "1.2"] {
            let what = format!("{} visits {} over TLS {tls}", client.name, peer.name);
            let good = with_certificate(&hierarchy, &server, tls);
            assert_page(&visit(client, &hierarchy, &good), &what, &server);
            let nobody = Visit { credential: None, ..good };
            assert_no_page(&visit(client, &hierarchy, &nobody), &format!("{what} without a certificate"));
            let stranger = Visit { credential: Some(&hierarchy.stranger), ..nobody };
            assert_no_page(&visit(client, &hierarchy, &stranger), &format!("{what} with another CA's certificate"));
            // The refusals have not worn the server out.
            let good = with_certificate(&hierarchy, &server, tls);
            assert_page(&visit(client, &hierarchy, &good), &what, &server);
        }
    }
}

/// The program itself as a client: both versions of TLS, and everything that this server must refuse.
fn assert_handshake_test_passes(hierarchy: &Hierarchy, server: &Server, what: &str) {
    let port = server.port;
    let words =
        format!("--dir ca handshake-test --connect 127.0.0.1:{port} --hostname localhost --client alice --json");
    let output = hierarchy.place.ca(&words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let report: serde_json::Value =
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{what}: {error}: {said}"));
    // gnutls-serv verifies a client's chain without asking what the certificate is for, and is found out.
    let lets_in: &[&str] = if what == "gnutls" { &["server-certificate-as-client"] } else { &[] };
    assert_eq!(output.status.code(), Some(i32::from(!lets_in.is_empty())), "{what}: {said}");
    assert_eq!(report["passed"], lets_in.is_empty(), "{what}: {said}");
    assert_eq!(report["sessions"].as_array().map(Vec::len), Some(2), "{what}: {said}");
    let refusals = report["refusals"].as_array().unwrap();
    let of = |refused: bool| refusals.iter().filter(move |refusal| refusal["refused"] == refused);
    assert_eq!(of(true).count(), 2 * (8 - lets_in.len()), "{what}: {said}");
    assert!(of(false).all(|refusal| lets_in.contains(&refusal["case"].as_str().unwrap())), "{what}: {said}");
}

/// Those that are installed; the others are named.
fn clients() -> Vec<&'static Peer> {
    peers::ALL.iter().copied().filter(|peer| peer.client.is_some() && skip::unless_installed(peer.programs)).collect()
}

pub(super) fn start(peer: &Peer, hierarchy: &Hierarchy) -> Server {
    let command = peer.server.expect("a peer that can serve");
    Server::start(peer.name, &hierarchy.place, |port| command(hierarchy, port))
}

fn with_certificate<'a>(hierarchy: &'a Hierarchy, server: &Server, tls: &'a str) -> Visit<'a> {
    Visit { port: server.port, host: "localhost", tls, root: &hierarchy.root, credential: Some(&hierarchy.client) }
}

pub(super) fn visit(client: &Peer, hierarchy: &Hierarchy, visit: &Visit<'_>) -> String {
    let command = client.client.expect("a peer that can visit")(hierarchy, visit);
    talk(&hierarchy.place, command, "GET / HTTP/1.0\r\n\r\n")
}

/// The page came, and the server knew who asked.
fn assert_page(said: &str, what: &str, server: &Server) {
    assert!(said.contains(" 200") && said.contains("alice"), "{what}: no page\n{said}\nserver:\n{}", server.log());
}

fn assert_no_page(said: &str, what: &str) {
    assert!(!said.contains(" 200"), "{what}: got a page\n{}", said);
}
