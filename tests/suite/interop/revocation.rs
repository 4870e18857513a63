//! Other libraries read the revocation lists, believe them, and refuse whom they name.

use super::exchange::{start, visit};
use super::peers::{self, Visit};
use crate::support::hierarchy::{Credential, Hierarchy};
use crate::support::program::succeeded;
use crate::support::skip;

/// A hierarchy of which `alice` is revoked and `bob` is not; the lists of both authorities are in `crls.pem`.
fn revoked() -> (Hierarchy, Credential) {
    let hierarchy = Hierarchy::of("ecdsa-p256");
    let place = &hierarchy.place;
    place.done("--dir ca issue client bob --key ecdsa-p256");
    place.done("--dir ca revoke alice --reason key-compromise --invalid-since 2020-01-01T00:00:00Z");
    place.done("--dir ca crl");
    place.done("--dir ca crl --authority root");
    let list = |authority: &str| std::fs::read(place.path(format!("ca/authorities/{authority}/crl.pem"))).unwrap();
    std::fs::write(place.path("crls.pem"), [list("issuing"), list("root")].concat()).unwrap();
    let bob = Credential::of(place, "ca/issued/bob");
    (hierarchy, bob)
}

#[test]
fn openssl_and_verify_refuse_the_revoked_and_no_other() {
    if !skip::unless_installed(&["openssl"]) {
        return;
    }
    let (hierarchy, bob) = revoked();
    for (credential, good) in [(&bob, true), (&hierarchy.client, false)] {
        let mut openssl = hierarchy.place.command("openssl");
        openssl.args(["verify", "-x509_strict", "-crl_check_all", "-CAfile"]).arg(&hierarchy.root);
        openssl.arg("-untrusted").arg(&credential.chain).arg("-CRLfile").arg(hierarchy.place.path("crls.pem"));
        let output = openssl.arg(&credential.cert).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.success(), good, "{said}");
        assert_eq!(said.contains("certificate revoked"), !good, "{said}");

        let mut own = hierarchy.place.ca("--dir ca verify --crl crls.pem");
        let output = own.arg(&credential.fullchain).output().unwrap();
        assert_eq!(output.status.code(), Some(if good { 0 } else { 1 }), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn gnutls_reads_the_list_and_believes_its_signature() {
    if !skip::unless_installed(&["certtool"]) {
        return;
    }
    let (hierarchy, _) = revoked();
    let list = hierarchy.place.path("ca/authorities/issuing/crl.pem");
    let mut info = hierarchy.place.command("certtool");
    let said = succeeded("certtool --crl-info", &info.args(["--crl-info", "--infile"]).arg(&list).output().unwrap());
    assert!(said.contains("Revoked certificates (1)"), "{said}");
    assert!(said.contains("CRL Number"), "{said}");
    let mut verify = hierarchy.place.command("certtool");
    verify.args(["--verify-crl", "--load-ca-certificate"]).arg(hierarchy.issuing()).arg("--infile").arg(&list);
    let said = succeeded("certtool --verify-crl", &verify.output().unwrap());
    assert!(said.contains("Verified") && !said.contains("Not verified"), "{said}");
}

#[test]
fn nginx_turns_the_revoked_away_and_no_other() {
    if !skip::unless_installed(&["nginx", "curl"]) {
        return;
    }
    let (hierarchy, bob) = revoked();
    let server = start(&peers::NGINX, &hierarchy);
    for tls in ["1.3", "1.2"] {
        for (credential, good) in [(&bob, true), (&hierarchy.client, false)] {
            let (port, root) = (server.port, &*hierarchy.root);
            let who = Visit { port, host: "localhost", tls, root, credential: Some(credential) };
            let said = visit(&peers::CURL, &hierarchy, &who);
            assert_eq!(said.contains(" 200"), good, "TLS {tls}: {said}\nserver:\n{}", server.log());
        }
    }
}

/// `ca revoke --crl` refreshes the remembered bundle: a server that reads it again refuses the revoked client.
#[test]
fn nginx_lets_in_by_a_bundle_and_refuses_after_the_next_revocation() {
    if !skip::unless_installed(&["nginx", "curl"]) {
        return;
    }
    let hierarchy = Hierarchy::of("ecdsa-p256");
    let place = &hierarchy.place;
    place.done("--dir ca issue client bob --key ecdsa-p256");
    let bob = Credential::of(place, "ca/issued/bob");
    place.done("--dir ca crl --all --bundle crls.pem");
    let lets_in = |alice_is_good: bool| {
        let server = start(&peers::NGINX, &hierarchy);
        for (credential, good) in [(&bob, true), (&hierarchy.client, alice_is_good)] {
            let (port, root) = (server.port, &*hierarchy.root);
            let who = Visit { port, host: "localhost", tls: "1.3", root, credential: Some(credential) };
            let said = visit(&peers::CURL, &hierarchy, &who);
            assert_eq!(said.contains(" 200"), good, "{said}\nserver:\n{}", server.log());
        }
    };
    lets_in(true);
    place.done("--dir ca revoke alice --reason key-compromise --crl");
    lets_in(false);
}
