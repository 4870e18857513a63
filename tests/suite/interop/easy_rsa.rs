//! A CA of easy-rsa is taken over: its keys and requests are read, it issues, and openssl knows the root as before.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::program::{Place, succeeded};
use crate::support::skip;

/// How the site runs easy-rsa.
struct Site {
    place: Place,
    algorithm: &'static str,
    is_encrypted: bool,
}

#[test]
fn an_easy_rsa_ca_of_rsa_is_taken_over() {
    taken_over("rsa", "rsa-2048", false);
}

#[test]
fn an_easy_rsa_ca_of_rsa_with_passphrases_is_taken_over() {
    taken_over("rsa", "rsa-2048", true);
}

#[test]
fn an_easy_rsa_ca_on_a_curve_is_taken_over() {
    taken_over("ec", "ecdsa-p384", false);
}

#[test]
fn an_easy_rsa_ca_on_a_curve_with_passphrases_is_taken_over() {
    taken_over("ec", "ecdsa-p384", true);
}

fn taken_over(algorithm: &'static str, kind: &str, is_encrypted: bool) {
    if !skip::unless_installed(&["easyrsa", "openssl"]) {
        return;
    }
    let site = Site::new(algorithm, is_encrypted);
    let place = &site.place;
    let key_passphrase = if is_encrypted { "--key-passphrase-file secret" } else { "" };

    // Keys and a request, as they are read.
    for key in ["pki/private/ca.key", "pki/private/old.test.key"] {
        let passphrase = if is_encrypted { "--passphrase-file secret" } else { "" };
        let said = place.done(&format!("inspect {key} {passphrase}"));
        assert!(said.contains(kind) && said.contains("not encrypted") != is_encrypted, "{said}");
    }
    assert!(place.done("inspect pki/reqs/old.test.req").contains("old.test"));

    // The CA, with its own root, issues.
    place.done(&format!(
        "--dir ca init --cert pki/ca.crt --key-file pki/private/ca.key {key_passphrase} --no-passphrase"
    ));
    assert_eq!(certificate(place, "ca/authorities/root/cert.pem"), certificate(place, "pki/ca.crt"));
    place.done("--dir ca issue server new.test");
    let mut openssl = place.command("openssl");
    openssl.args(["verify", "-purpose", "sslserver", "-verify_hostname", "new.test", "-CAfile", "pki/ca.crt"]);
    run(openssl.arg("ca/issued/new.test/cert.pem"));

    // The chain is valid, with warnings about the form of the root, which fewer than half of the mainstream clients refuse. With
    // --strict the form counts, except for a root of the CA directory.
    let verdict = |words: &str| -> (i32, Value) {
        let output = place.ca(&format!("--dir ca verify {words} --json")).output().unwrap();
        (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap())
    };
    let (status, said) = verdict("ca/issued/new.test/fullchain.pem --hostname new.test");
    let codes = |said: &Value| -> Vec<String> {
        let problems = said["problems"].as_array().unwrap().iter();
        problems.map(|problem| format!("{}: {}", problem["severity"], problem["code"]).replace('"', "")).collect()
    };
    let odd = ["ca-basic-constraints-not-critical", "authority-key-id-names-serial"];
    assert_eq!((status, codes(&said)), (0, odd.map(|code| format!("warning: {code}")).to_vec()));
    let roots = "ca/issued/new.test/fullchain.pem --hostname new.test --roots pki/ca.crt";
    assert_eq!((verdict(roots).0, codes(&verdict(roots).1)), (0, odd.map(|code| format!("warning: {code}")).to_vec()));
    let (status, said) = verdict(&format!("{roots} --strict"));
    assert_eq!((status, codes(&said)), (1, odd.map(|code| format!("error: {code}")).to_vec()));

    // What easy-rsa issued before is still judged, with its key.
    let key = format!("--key pki/private/old.test.key {key_passphrase}");
    assert_eq!(verdict(&format!("pki/issued/old.test.crt --purpose any {key}")).0, 0);
    assert_eq!(verdict(&format!("ca/issued/new.test/cert.pem --purpose any {key}")).0, 1, "another's key is no match");
}

impl Site {
    /// A CA, and a server certificate of it.
    fn new(algorithm: &'static str, is_encrypted: bool) -> Self {
        let site = Self { place: Place::new(), algorithm, is_encrypted };
        // openssl takes the second line of a file for what it writes, when it reads from the same file.
        fs::write(site.place.path("secret"), "open sesame\nopen sesame\n").unwrap();
        site.run("Site CA", &["init-pki"]);
        site.run("Site CA", &["build-ca"]);
        site.run("old.test", &["gen-req", "old.test"]);
        site.run("old.test", &["sign-req", "server", "old.test"]);
        site
    }

    fn run(&self, common_name: &str, words: &[&str]) {
        let mut command = self.place.command("easyrsa");
        let pki: PathBuf = self.place.path("pki");
        command
            .arg(format!("--pki-dir={}", pki.display()))
            .arg(format!("--use-algo={}", self.algorithm))
            .arg("--batch");
        command.env("EASYRSA_REQ_CN", common_name).arg("--subject-alt-name=DNS:old.test");
        if self.is_encrypted {
            command.args(["--passin=file:secret", "--passout=file:secret"]);
        }
        command.args(words);
        if !self.is_encrypted && words[0] != "init-pki" && words[0] != "sign-req" {
            command.arg("nopass");
        }
        run(&mut command);
    }
}

/// The PEM of the first certificate of a file, without what is around it.
fn certificate(place: &Place, file: &str) -> String {
    run(place.command("openssl").args(["x509", "-in", file]))
}

fn run(command: &mut Command) -> String {
    succeeded(&format!("{command:?}"), &command.output().unwrap())
}
