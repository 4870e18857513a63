//! Before, during and after a rotation of the root: other libraries accept exactly the chains that were promised, whether they
//! trust the old root, the new one, or both.

use std::path::PathBuf;

use super::exchange::{start, visit};
use super::peers::{self, Visit};
use crate::support::hierarchy::{Credential, Hierarchy};
use crate::support::program::succeeded;
use crate::support::skip;

const EPOCHS: [&str; 3] = ["before", "during", "after"];
const TRUSTED: [&str; 3] = ["old", "new", "both"];

/// What was delivered before the rotation leads to the old root, during it to either, after it to the new one.
fn is_accepted(epoch: &str, trusted: &str) -> bool {
    match epoch {
        "before" => trusted != "new",
        "during" => true,
        _ => trusted != "old",
    }
}

/// A server and a client of each epoch in `<epoch>/`, and what is trusted in `<trusted>.pem`.
fn rotated() -> Hierarchy {
    let hierarchy = Hierarchy::of("ecdsa-p256");
    let place = &hierarchy.place;
    let copy = |from: &str, to: String| {
        succeeded("cp", &place.command("cp").arg("-r").arg(place.path(from)).arg(place.path(to)).output().unwrap());
    };
    let keep = |epoch: &str| {
        std::fs::create_dir(place.path(epoch)).unwrap();
        for name in ["localhost", "alice"] {
            copy(&format!("ca/issued/{name}"), format!("{epoch}/{name}"));
        }
    };
    keep("before");
    copy("ca/authorities/root/cert.pem", "old.pem".to_owned());
    place.done("--dir ca root rotate start");
    copy("ca/authorities/root-g2/cert.pem", "new.pem".to_owned());
    copy("ca/authorities/root-g2/old-with-new.pem", "old-with-new.pem".to_owned());
    place.done("--dir ca roots --out both.pem");
    for epoch in ["during", "after"] {
        place.done("--dir ca renew localhost");
        place.done("--dir ca rekey alice");
        keep(epoch);
        if epoch == "during" {
            // Whoever is not told otherwise trusts both while both are trusted.
            for file in ["before/localhost", "during/localhost"] {
                place.done(&format!("--dir ca verify {file}/fullchain.pem --hostname localhost"));
            }
            let words = "--dir ca handshake-test --server before/localhost --client during/alice --hostname localhost";
            place.done(words);
            place.done("--dir ca root rotate finish");
        }
    }
    hierarchy
}

fn credential(hierarchy: &Hierarchy, epoch: &str, name: &str) -> Credential {
    Credential::of(&hierarchy.place, &format!("{epoch}/{name}"))
}

fn roots(hierarchy: &Hierarchy, trusted: &str) -> PathBuf {
    hierarchy.place.path(format!("{trusted}.pem"))
}

#[test]
fn openssl_gnutls_and_verify_accept_the_chains_of_a_rotation_as_promised() {
    if !skip::unless_installed(&["openssl", "certtool"]) {
        return;
    }
    let hierarchy = rotated();
    for epoch in EPOCHS {
        for trusted in TRUSTED {
            for (name, purpose) in [("localhost", "sslserver"), ("alice", "sslclient")] {
                let (own, roots) = (credential(&hierarchy, epoch, name), roots(&hierarchy, trusted));
                let what = format!("{name} of {epoch}, {trusted} trusted");
                let mut openssl = hierarchy.place.command("openssl");
                openssl.args(["verify", "-x509_strict", "-purpose", purpose, "-CAfile"]).arg(&roots);
                let output = openssl.arg("-untrusted").arg(&own.chain).arg(&own.cert).output().unwrap();
                assert_eq!(output.status.success(), is_accepted(epoch, trusted), "openssl: {what}");

                let mut certtool = hierarchy.place.command("certtool");
                certtool.args(["--verify", "--load-ca-certificate"]).arg(&roots).arg("--infile").arg(&own.fullchain);
                let said = String::from_utf8_lossy(&certtool.output().unwrap().stdout).into_owned();
                assert_eq!(said.contains("output: Verified"), is_accepted(epoch, trusted), "certtool: {what}: {said}");

                let mut verify = hierarchy.place.ca("verify");
                verify.arg("--purpose").arg(purpose.trim_start_matches("ssl")).arg("--roots").arg(&roots);
                let code = verify.arg(&own.fullchain).output().unwrap().status.code();
                assert_eq!(code, Some(i32::from(!is_accepted(epoch, trusted))), "ca verify: {what}");
            }
        }
    }
    // With the certificate of the old root by the new one, those who trust only the new root accept what is older, too.
    let own = credential(&hierarchy, "before", "localhost");
    let mut openssl = hierarchy.place.command("openssl");
    openssl.args(["verify", "-x509_strict", "-CAfile"]).arg(roots(&hierarchy, "new")).arg("-untrusted").arg(&own.chain);
    openssl.arg("-untrusted").arg(hierarchy.place.path("old-with-new.pem")).arg(&own.cert);
    succeeded("openssl with old-with-new.pem", &openssl.output().unwrap());
}

#[test]
fn nginx_and_curl_meet_through_a_rotation_as_promised() {
    if !skip::unless_installed(&["nginx", "curl"]) {
        return;
    }
    let mut hierarchy = rotated();
    for served in EPOCHS {
        for by_server in TRUSTED {
            hierarchy.server = credential(&hierarchy, served, "localhost");
            hierarchy.root = roots(&hierarchy, by_server);
            let server = start(&peers::NGINX, &hierarchy);
            for sent in EPOCHS {
                for by_client in TRUSTED {
                    let (own, root) = (credential(&hierarchy, sent, "alice"), roots(&hierarchy, by_client));
                    let port = server.port;
                    let who = Visit { port, host: "localhost", tls: "1.3", root: &root, credential: Some(&own) };
                    let said = visit(&peers::CURL, &hierarchy, &who);
                    let expected = is_accepted(served, by_client) && is_accepted(sent, by_server);
                    let what = format!("server of {served} trusts {by_server}, client of {sent} trusts {by_client}");
                    assert_eq!(said.contains(" 200"), expected, "{what}: {said}\nserver:\n{}", server.log());
                }
            }
        }
    }
}
