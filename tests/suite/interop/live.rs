//! `ca verify --connect` against the servers of others: each shows its chain, whether or not it asks for a client
//! certificate, and what it sends is judged as it was sent.

use std::path::PathBuf;

use super::peers;
use crate::support::hierarchy::Hierarchy;
use crate::support::process::Server;
use crate::support::skip;

/// Both versions of TLS end differently when a server misses a client certificate; the chain is seen all the same.
#[test]
fn the_chain_of_every_server_that_insists_on_client_certificates_is_seen() {
    let hierarchy = Hierarchy::of("ecdsa-p256");
    for peer in peers::ALL.iter().filter(|peer| skip::unless_installed(peer.programs)) {
        let Some(command) = peer.server else { continue };
        let server = Server::start(peer.name, &hierarchy.place, |port| command(&hierarchy, port));
        let (status, report) = connect(&hierarchy, server.port, "ca/issued/localhost/fullchain.pem");
        let what = format!("{}: {report:#}\n{}", peer.name, server.log());
        assert_eq!(status, Some(0), "{what}");
        assert_eq!(report["connection"]["asks_for_client_certificate"], true, "{what}");
        assert_eq!(report["connection"]["holds_key"], true, "{what}");
        assert_eq!(report["in_file"]["same_chain"], true, "{what}");
        assert_eq!(report["in_index"]["name"], "localhost", "{what}");
        assert_eq!(report["in_index"]["superseded_by"], serde_json::Value::Null, "{what}");
    }
}

#[test]
fn what_openssl_sends_is_judged_as_it_was_sent() {
    if !skip::unless_installed(peers::OPENSSL.programs) {
        return;
    }
    let hierarchy = Hierarchy::of("ecdsa-p256");
    let issuing = hierarchy.issuing();
    let stranger = hierarchy.place.path("other/authorities/issuing/cert.pem");
    let root = hierarchy.root.clone();
    let cases: [(&str, &[&PathBuf], &[&str]); 5] = [
        ("whole", &[&issuing], &[]),
        ("without its intermediate", &[], &["issuer-not-found"]),
        ("with the root", &[&issuing, &root], &["root-sent"]),
        ("in the wrong order", &[&root, &issuing], &["root-sent"]),
        ("with a stranger, twice", &[&stranger, &issuing, &issuing], &["stranger-sent", "duplicate-sent"]),
    ];
    for tls in ["1.3", "1.2"] {
        for client_certificates in [false, true] {
            for (case, chain, expected) in cases {
                let server = serve(&hierarchy, chain, tls, client_certificates);
                let (status, report) = connect(&hierarchy, server.port, "ca/issued/localhost/fullchain.pem");
                let what = format!("{case}, TLS {tls}: {report:#}\n{}", server.log());
                assert_eq!(codes(&report), expected, "{what}");
                assert_eq!(status, Some(i32::from(!expected.is_empty())), "{what}");
                assert_eq!(report["connection"]["tls"], tls, "{what}");
                assert_eq!(report["connection"]["asks_for_client_certificate"], client_certificates, "{what}");
                assert_eq!(report["in_file"]["same_certificate"], true, "{what}");
                assert_eq!(report["in_file"]["same_chain"], case == "whole", "{what}");
            }
        }
    }
}

/// A server keeps what it has loaded: the renewed certificate is in its place and not yet in use.
#[test]
fn a_server_that_was_not_reloaded_is_found_out() {
    if !skip::unless_installed(peers::NGINX.programs) {
        return;
    }
    let hierarchy = Hierarchy::of("ecdsa-p256");
    let command = peers::NGINX.server.unwrap();
    let server = Server::start("nginx", &hierarchy.place, |port| command(&hierarchy, port));
    hierarchy.place.done("--dir ca renew localhost");
    let (status, report) = connect(&hierarchy, server.port, "ca/issued/localhost/fullchain.pem");
    assert_eq!((status, codes(&report)), (Some(1), vec!["other-certificate-served", "superseded"]), "{report:#}");
    assert_eq!(report["in_file"]["same_certificate"], false);
    assert!(report["in_index"]["superseded_by"].is_string(), "{report:#}");
}

/// The exit status and the report of `ca verify --connect`.
fn connect(hierarchy: &Hierarchy, port: u16, file: &str) -> (Option<i32>, serde_json::Value) {
    let words = format!("--dir ca --json verify --connect 127.0.0.1:{port} --hostname localhost {file}");
    let output = hierarchy.place.ca(&words).output().unwrap();
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), report)
}

fn codes(report: &serde_json::Value) -> Vec<&str> {
    report["problems"].as_array().unwrap().iter().map(|problem| problem["code"].as_str().unwrap()).collect()
}

/// `openssl s_server` with the certificate of `localhost` and these behind it, as they stand.
fn serve(hierarchy: &Hierarchy, chain: &[&PathBuf], tls: &str, client_certificates: bool) -> Server {
    let file = hierarchy.place.path("sent.pem");
    let content: Vec<String> = chain.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    std::fs::write(&file, content.concat()).unwrap();
    Server::start("openssl", &hierarchy.place, |port| {
        let mut command = hierarchy.place.command("openssl");
        command.args(["s_server", "-www", "-accept", &format!("127.0.0.1:{port}")]);
        command.arg(if tls == "1.2" { "-tls1_2" } else { "-tls1_3" });
        command.arg("-cert").arg(&hierarchy.server.cert).arg("-key").arg(&hierarchy.server.key);
        if !chain.is_empty() {
            command.arg("-cert_chain").arg(&file);
        }
        if client_certificates {
            command.args(["-Verify", "2", "-verify_return_error", "-no-CAfile", "-no-CApath"]);
        }
        command
    })
}
