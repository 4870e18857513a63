//! Servers of other programs that refuse the client: `ca handshake-test --connect` names the likely cause, which their alerts do not say.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::hierarchy::Hierarchy;
use crate::support::process::Server;
use crate::support::skip;

/// A server that requires a certificate of the CAs in this file.
type Serve = fn(&Hierarchy, u16, &Path) -> Command;

fn openssl(hierarchy: &Hierarchy, port: u16, cas: &Path) -> Command {
    let mut command = hierarchy.place.command("openssl");
    command.args(["s_server", "-www", "-accept", &format!("127.0.0.1:{port}"), "-Verify", "3"]);
    command.args(["-verify_return_error", "-no-CApath", "-CAfile"]).arg(cas);
    command.arg("-cert").arg(&hierarchy.server.cert).arg("-key").arg(&hierarchy.server.key);
    command.arg("-cert_chain").arg(&hierarchy.server.chain);
    command
}

fn gnutls(hierarchy: &Hierarchy, port: u16, cas: &Path) -> Command {
    let mut command = hierarchy.place.command("gnutls-serv");
    command.args(["--http", "--port", &port.to_string(), "--require-client-cert", "--verify-client-cert"]);
    command.arg("--x509cafile").arg(cas);
    command.arg("--x509certfile").arg(&hierarchy.server.fullchain).arg("--x509keyfile").arg(&hierarchy.server.key);
    command
}

/// Returns the exit status and the report of a handshake with the good client.
fn connect(hierarchy: &Hierarchy, port: u16, client: &str) -> (Option<i32>, Value) {
    let words = format!(
        "--dir ca --json handshake-test --connect 127.0.0.1:{port} --hostname localhost --client {client} --no-refusals"
    );
    let output = hierarchy.place.ca(&words).output().unwrap();
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), report)
}

#[test]
fn the_likely_cause_of_a_refusal_follows_from_the_certificate_and_the_cas_that_the_server_requests() {
    let servers: [(&str, &[&str], Serve); 2] =
        [("openssl", &["openssl"], openssl), ("gnutls", &["gnutls-serv"], gnutls)];
    for (name, programs, serve) in servers {
        if !skip::unless_installed(programs) {
            continue;
        }
        let hierarchy = Hierarchy::of("ecdsa-p256");
        hierarchy.place.done("--dir third init --name Third-Root --no-passphrase");
        let other = hierarchy.place.path("third/authorities/root/cert.pem");
        let cert_alone = "ca/issued/alice/cert.pem,ca/issued/alice/key.pem";
        let server_as_client = "localhost";
        for (cas, client, expected, fix) in [
            (&other, "alice", "the server requests certificates of another CA: CN=Third-Root", "let the server trust"),
            (
                &hierarchy.root,
                cert_alone,
                "the client did not send the certificate of CN=Interop-Root",
                "fullchain.pem",
            ),
            (&hierarchy.root, server_as_client, "the client's certificate is not for clients", "template client"),
        ] {
            if name == "gnutls" && client == server_as_client {
                // GnuTLS does not check the purpose.
                continue;
            }
            let server = Server::start(name, &hierarchy.place, |port| serve(&hierarchy, port, cas));
            let (status, report) = connect(&hierarchy, server.port, client);
            let what = format!("{name}, {client}: {report:#}\n{}", server.log());
            assert_eq!(status, Some(1), "{what}");
            for session in report["sessions"].as_array().unwrap() {
                let failure = &session["broken_off"];
                let likely = failure["likely_cause"].as_str().unwrap_or_default();
                assert!(likely.starts_with(expected), "{what}");
                assert!(failure["hint"].as_str().unwrap().contains(fix), "{what}");
            }
        }
        // The good case, with the same server.
        let server = Server::start(name, &hierarchy.place, |port| serve(&hierarchy, port, &hierarchy.root));
        let (status, report) = connect(&hierarchy, server.port, "alice");
        assert_eq!(status, Some(0), "{name}: {report:#}\n{}", server.log());
    }
}

/// In TLS 1.2 the curve of the server's certificate has to be among the groups that the client offers.
#[test]
fn a_server_with_a_certificate_on_p521_is_visited_in_both_versions() {
    if !skip::unless_installed(&["openssl"]) {
        return;
    }
    let hierarchy = Hierarchy::of("ecdsa-p521");
    let server = Server::start("openssl", &hierarchy.place, |port| openssl(&hierarchy, port, &hierarchy.root));
    let (status, report) = connect(&hierarchy, server.port, "alice");
    assert_eq!(status, Some(0), "{report:#}\n{}", server.log());
    assert_eq!(report["sessions"].as_array().unwrap().len(), 2, "{report:#}");
    let server = Server::start("openssl", &hierarchy.place, |port| {
        let mut command = openssl(&hierarchy, port, &hierarchy.root);
        command.arg("-tls1_2");
        command
    });
    let words = format!("--dir ca verify --connect 127.0.0.1:{} --hostname localhost --purpose server", server.port);
    let output = hierarchy.place.ca(&words).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}
