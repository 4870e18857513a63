//! `ca handshake-test` against the programs of others: a server that lets in whom it should not is found out, and a client
//! that should not come in is told from one that may.

use std::fs::File;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::exchange::{start, visit};
use super::peers::{self, Peer, Visit};
use crate::support::hierarchy::{Credential, Hierarchy};
use crate::support::process::{self, Server};
use crate::support::skip;

/// What an engineer would have at hand: an expired client, and one that is revoked, with the lists for the server.
fn with_specimens() -> Hierarchy {
    let hierarchy = Hierarchy::of("ecdsa-p256");
    let place = &hierarchy.place;
    place.done("--dir ca issue client old --for 2s");
    place.done("--dir ca issue client gone");
    place.done("--dir ca revoke gone");
    place.done("--dir ca crl");
    place.done("--dir ca crl --authority root");
    let list = |authority: &str| std::fs::read(place.path(format!("ca/authorities/{authority}/crl.pem"))).unwrap();
    std::fs::write(place.path("all-lists.pem"), [list("issuing"), list("root")].concat()).unwrap();
    process::wait_for("the end of 'old'", || {
        place.done("--dir ca list --status expired").contains("old").then_some(())
    });
    hierarchy
}

fn handshake_test(hierarchy: &Hierarchy, port: u16, more: &str) -> (Option<i32>, Value) {
    let words =
        format!("--dir ca handshake-test --connect 127.0.0.1:{port} --hostname localhost --client alice --json");
    let output = hierarchy.place.ca(&format!("{words} {more}")).output().unwrap();
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), report)
}

/// The refusals of this case, one for each version of TLS.
fn of_case<'a>(report: &'a Value, case: &str) -> Vec<&'a Value> {
    let found: Vec<_> = report["refusals"].as_array().unwrap().iter().filter(|one| one["case"] == case).collect();
    assert_eq!(found.len(), 2, "{case}: {report:#}");
    found
}

/// nginx with another line where it says whether it asks for certificates.
fn nginx_that_verifies(hierarchy: &Hierarchy, how: &str) -> Server {
    let command = peers::NGINX.server.unwrap();
    Server::start("nginx", &hierarchy.place, |port| {
        let command: Command = command(hierarchy, port);
        let file = hierarchy.place.path(format!("nginx-{port}/nginx.conf"));
        let written = std::fs::read_to_string(&file).unwrap();
        assert!(written.contains("ssl_verify_client on;"));
        std::fs::write(&file, written.replace("ssl_verify_client on;", how)).unwrap();
        command
    })
}

/// A status over HTTP and an alert are told apart, and each is a refusal.
#[test]
fn expired_and_revoked_clients_of_the_ca_itself_are_refused_by_others() {
    let hierarchy = with_specimens();
    for (peer, error) in [(&peers::NGINX, "http-400"), (&peers::OPENSSL, "alert-received")] {
        if !skip::unless_installed(peer.programs) {
            continue;
        }
        std::fs::copy(hierarchy.place.path("all-lists.pem"), hierarchy.place.path("crls.pem")).unwrap();
        let server = start(peer, &hierarchy);
        let more = if peer.name == "nginx" { "--expect-revocation" } else { "" };
        let (status, report) = handshake_test(&hierarchy, server.port, more);
        assert_eq!((status, &report["passed"]), (Some(0), &Value::Bool(true)), "{}: {report:#}", peer.name);
        for case in ["no-client-certificate", "expired-client", "client-with-wrong-key"] {
            for refusal in of_case(&report, case) {
                assert_eq!((&refusal["refused"], &refusal["by"]), (&true.into(), &"server".into()), "{refusal:#}");
                if case != "client-with-wrong-key" {
                    assert_eq!(refusal["error"], error, "{}: {refusal:#}", peer.name);
                }
            }
        }
        for refusal in of_case(&report, "expired-client") {
            assert_eq!(refusal["caveat"], Value::Null, "a real one was at hand: {refusal:#}");
            if peer.name == "openssl" {
                assert_eq!(refusal["alert"], "certificate_expired");
            }
        }
        for refusal in of_case(&report, "revoked-client") {
            let refused = if peer.name == "nginx" { Value::Bool(true) } else { Value::Null };
            assert_eq!(refusal["refused"], refused, "{}: {refusal:#}", peer.name);
        }
    }
}

/// nginx keeps two statuses of its own for a client's certificate that is wrong, 495, and for none at all, 496. It answers
/// both with 400, unless its configuration says otherwise.
#[test]
fn the_statuses_of_nginx_for_a_wrong_and_for_a_missing_certificate_are_refusals_and_told_apart() {
    if !skip::unless_installed(peers::NGINX.programs) {
        return;
    }
    let hierarchy = Hierarchy::of("ecdsa-p256");
    let how = r#"ssl_verify_client on;
        error_page 495 =495 @wrong;
        error_page 496 =496 @none;
        location @wrong { return 495 "wrong\n"; }
        location @none { return 496 "none\n"; }"#;
    let server = nginx_that_verifies(&hierarchy, how);
    let (status, report) = handshake_test(&hierarchy, server.port, "");
    assert_eq!((status, &report["passed"]), (Some(0), &Value::Bool(true)), "{report:#}");
    for (case, error) in [
        ("no-client-certificate", "http-496"),
        ("client-of-another-ca", "http-495"),
        ("expired-client", "http-495"),
        ("server-certificate-as-client", "http-495"),
        // Whether the key is held is a matter of the handshake itself: it does not come to HTTP.
        ("client-with-wrong-key", "alert-received"),
    ] {
        for refusal in of_case(&report, case) {
            assert_eq!((&refusal["refused"], &refusal["by"]), (&true.into(), &"server".into()), "{refusal:#}");
            assert_eq!(refusal["error"], error, "{refusal:#}");
            assert_eq!(refusal["alert"].is_null(), error != "alert-received", "{refusal:#}");
        }
    }
}

#[test]
fn nginx_without_the_list_lets_the_revoked_in_and_is_found_out() {
    if !skip::unless_installed(peers::NGINX.programs) {
        return;
    }
    let hierarchy = with_specimens();
    let server = start(&peers::NGINX, &hierarchy);
    let (status, report) = handshake_test(&hierarchy, server.port, "--expect-revocation");
    assert_eq!((status, &report["passed"]), (Some(1), &Value::Bool(false)), "{report:#}");
    for refusal in report["refusals"].as_array().unwrap() {
        assert_eq!(refusal["refused"], refusal["case"] != "revoked-client", "{refusal:#}");
    }
}

#[test]
fn nginx_that_forgets_to_ask_for_certificates_or_to_check_them_is_found_out() {
    if !skip::unless_installed(peers::NGINX.programs) {
        return;
    }
    let hierarchy = Hierarchy::of("ecdsa-p256");
    for (how, lets_in) in [
        (
            "",
            &[
                "no-client-certificate",
                "client-of-another-ca",
                "client-of-namesake-ca",
                "expired-client",
                "not-yet-valid-client",
                "server-certificate-as-client",
                "client-with-wrong-key",
                "tampered-client",
            ][..],
        ),
        ("ssl_verify_client optional;", &["no-client-certificate"]),
        ("ssl_verify_client optional_no_ca;", &["no-client-certificate", "client-of-another-ca"]),
    ] {
        let server = nginx_that_verifies(&hierarchy, how);
        let (status, report) = handshake_test(&hierarchy, server.port, "");
        assert_eq!((status, &report["passed"]), (Some(1), &Value::Bool(false)), "'{how}': {report:#}");
        assert!(report["sessions"].as_array().unwrap().iter().all(|session| session["passed"] == true));
        for case in lets_in {
            for refusal in of_case(&report, case) {
                assert_eq!(refusal["refused"], false, "'{how}': {refusal:#}");
            }
        }
    }
}

/// Each client comes without a certificate and with that of another CA; both are refused, and it is said why.
#[test]
fn clients_of_others_that_may_not_come_in_are_refused_and_named() {
    let hierarchy = Hierarchy::of("ecdsa-p256");
    for client in [&peers::CURL, &peers::OPENSSL, &peers::GNUTLS, &peers::NODE, &peers::PYTHON, &peers::JAVA] {
        if !skip::unless_installed(client.programs) {
            continue;
        }
        for tls in ["1.3", "1.2"] {
            for (credential, code) in [(None, "no-certificate"), (Some(&hierarchy.stranger), "bad-signature")] {
                let (status, report) = received(&hierarchy, client, tls, credential, "");
                let what = format!("{} over TLS {tls}: {report:#}", client.name);
                assert_eq!((status, &report["passed"]), (Some(1), &Value::Bool(false)), "{what}");
                let session = &report["sessions"][0];
                assert_eq!(session["tls"], tls, "{what}");
                assert_eq!(session["client"]["authenticated"], false, "{what}");
                assert_eq!(session["broken_off"]["by"], "server", "{what}");
                // Some show no certificate rather than one that the server did not ask for.
                let found = session["broken_off"]["error"].as_str().unwrap();
                assert!(found == code || found == "no-certificate", "{what}");
            }
        }
    }
}

/// What `handshake-test --listen --once` says of one client.
pub(super) fn received(
    hierarchy: &Hierarchy,
    client: &Peer,
    tls: &str,
    credential: Option<&Credential>,
    more: &str,
) -> (Option<i32>, Value) {
    let said = hierarchy.place.path("listening");
    let words = "--dir ca handshake-test --listen 127.0.0.1:0 --once --server localhost --wait 1m --json";
    let mut host = hierarchy.place.ca(&format!("{words} {more}"));
    host.stdout(Stdio::piped()).stderr(File::create(&said).unwrap());
    let host = host.spawn().unwrap();
    let port = process::wait_for(client.name, || {
        let said = std::fs::read_to_string(&said).unwrap();
        said.split_once("127.0.0.1:")?.1.split_once(' ')?.0.parse().ok()
    });
    visit(client, hierarchy, &Visit { port, host: "localhost", tls, root: &hierarchy.root, credential });
    let output = host.wait_with_output().unwrap();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}
