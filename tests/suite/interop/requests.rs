//! Requests of other tools are signed, and ours are read and signed by theirs.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::safety::INIT;
use crate::support::program::{Place, succeeded};
use crate::support::skip;

fn run(what: &str, command: &mut Command) -> String {
    succeeded(what, &command.output().unwrap())
}

/// `ca sign` of a request that asks for one host name, and whether the certificate is for its key.
fn sign(place: &Place, file: &str, words: &str) -> Value {
    let report: Value =
        serde_json::from_str(&place.done(&format!("--dir ca sign {file} --json --force {words}"))).unwrap();
    assert_eq!(report["status"], "issued", "{file}");
    assert_eq!(report["files"]["key"], Value::Null, "{file}");
    assert_eq!(report["sans"][0]["value"], "web.example", "{file}: {report}");
    report
}

fn public_key(place: &Place, words: &[&str], file: &str) -> String {
    run(file, place.command("openssl").args(words).args(["-noout", "-pubkey", "-in", file]))
}

#[test]
fn every_key_and_digest_that_openssl_writes_is_signed() {
    if !skip::unless_installed(&["openssl"]) {
        return;
    }
    let place = Place::new();
    place.done(INIT);
    let ec = |curve: &str| format!("-algorithm EC -pkeyopt ec_paramgen_curve:{curve}");
    let rsa = |bits: u32| format!("-algorithm RSA -pkeyopt rsa_keygen_bits:{bits}");
    let digests = ["-sha256", "-sha384", "-sha512"];
    let pss = |salt: &str| format!("-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:{salt}");
    let mut kinds = vec![("ed25519".to_owned(), "-algorithm ED25519".to_owned(), vec![String::new()])];
    for curve in ["P-256", "P-384", "P-521"] {
        kinds.push((curve.to_lowercase(), ec(curve), digests.map(str::to_owned).to_vec()));
    }
    for bits in [2048, 3072, 4096] {
        let plain = digests.map(str::to_owned).to_vec();
        // Without a length, openssl takes as long a salt as the key allows.
        let padded = digests.iter().map(|digest| format!("{digest} -sigopt rsa_padding_mode:pss"));
        let exact = digests.iter().map(|digest| format!("{digest} {}", pss("digest")));
        kinds.push((format!("rsa-{bits}"), rsa(bits), plain.into_iter().chain(padded).chain(exact).collect()));
    }
    for (name, algorithm, ways) in kinds {
        run(
            "genpkey",
            place.command("openssl").arg("genpkey").args(algorithm.split(' ')).args(["-quiet", "-out", "key"]),
        );
        for (number, way) in ways.iter().enumerate() {
            let mut request = place.command("openssl");
            request
                .args(["req", "-new", "-key", "key", "-subj", "/CN=web.example", "-out", "csr"])
                .args(way.split_whitespace());
            run("req", request.args(["-addext", "subjectAltName=DNS:web.example"]));
            sign(&place, "csr", &format!("--name {name}-{number} --out out --require-exact"));
            assert_eq!(
                public_key(&place, &["x509"], "out/cert.pem"),
                public_key(&place, &["req"], "csr"),
                "{name} {way}"
            );
            run(
                "verify",
                place.command("openssl").args(["verify", "-CAfile", "ca/authorities/root/cert.pem", "out/cert.pem"]),
            );
        }
    }
    // A compressed point is the same key; the certificate says it in the way that everybody reads.
    run(
        "genpkey",
        place.command("openssl").args([
            "ecparam",
            "-genkey",
            "-name",
            "prime256v1",
            "-noout",
            "-conv_form",
            "compressed",
            "-out",
            "key",
        ]),
    );
    run(
        "req",
        place.command("openssl").args(["req", "-new", "-key", "key", "-subj", "/CN=web.example", "-out", "csr"]),
    );
    sign(&place, "csr", "--name compressed --out out");
    assert_eq!(fs::read_dir(place.path("ca/issued")).map_or(0, Iterator::count), 0);
}

#[test]
fn pss_parameters_that_cannot_be_checked_are_refused_by_name() {
    if !skip::unless_installed(&["openssl"]) {
        return;
    }
    let place = Place::new();
    place.done(INIT);
    run("genpkey", place.command("openssl").args(["genpkey", "-quiet", "-algorithm", "RSA", "-out", "key"]));
    for (way, told) in [
        ("-sha256 -sigopt rsa_pss_saltlen:7", "a salt of 7 bytes"),
        ("-sha256 -sigopt rsa_mgf1_md:sha512", "another for the mask"),
        ("-sha224", "another digest than"),
    ] {
        let mut request = place.command("openssl");
        request.args([
            "req",
            "-new",
            "-key",
            "key",
            "-subj",
            "/CN=web.example",
            "-out",
            "csr",
            "-sigopt",
            "rsa_padding_mode:pss",
        ]);
        run("req", request.args(way.split(' ')));
        let refused = place.ca("--dir ca sign csr --json").output().unwrap();
        let error: Value = serde_json::from_slice(&refused.stderr).unwrap();
        assert_eq!(
            (refused.status.code(), &error["error"]["code"]),
            (Some(3), &"unsupported-signature".into()),
            "{way}"
        );
        assert!(error["error"]["message"].as_str().unwrap().contains(told), "{way}: {error}");
    }
}

#[test]
fn requests_of_gnutls_are_signed_and_ours_are_read_by_it() {
    if !skip::unless_installed(&["certtool", "openssl"]) {
        return;
    }
    let place = Place::new();
    place.done(INIT);
    fs::write(place.path("template"), "cn = \"web.example\"\ndns_name = \"web.example\"\ntls_www_server\n").unwrap();
    for kind in ["rsa", "ecdsa", "ed25519"] {
        let mut key = place.command("certtool");
        run("key", key.args(["--generate-privkey", "--key-type", kind, "--outfile", "key"]));
        for form in ["", "--outder"] {
            let mut request = place.command("certtool");
            request.args(["--generate-request", "--load-privkey", "key", "--template", "template", "--outfile", "csr"]);
            run("request", request.args(form.split_whitespace()));
            let report = sign(&place, "csr", &format!("--name {kind}{form} --out out"));
            assert_eq!(report["dropped"].as_array().map(Vec::len), Some(0), "{report}");
        }
    }
    for kind in ["ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519", "rsa-2048"] {
        place.done(&format!("request web.example --san 10.0.0.7 --key {kind} --out {kind}"));
        let mut certtool = place.command("certtool");
        let said = run("certtool", certtool.args(["--crq-info", "--infile"]).arg(place.path(kind).join("request.pem")));
        assert!(said.contains("DNSname: web.example") && said.contains("Self signature: verified"), "{said}");
    }
}

#[test]
fn our_requests_are_signed_by_openssl() {
    if !skip::unless_installed(&["openssl"]) {
        return;
    }
    let place = Place::new();
    let mut root = place.command("openssl");
    root.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        "root.key",
    ]);
    run("root", root.args(["-subj", "/CN=Other Root", "-days", "30", "-out", "root.pem"]));
    let settings = "[ca]\ndefault_ca = it\n[it]\ndatabase = index\nserial = serial\nnew_certs_dir = .\ndefault_md = sha256\n\
                    default_days = 10\npolicy = any\ncopy_extensions = copy\n[any]\ncommonName = supplied\n";
    fs::write(place.path("openssl.cnf"), settings).unwrap();
    fs::write(place.path("index"), "").unwrap();
    fs::write(place.path("serial"), "01\n").unwrap();
    for kind in ["ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519", "rsa-2048"] {
        place.done(&format!("request {kind}.example --key {kind} --out {kind}"));
        let request = format!("{kind}/request.pem");
        run("req -verify", place.command("openssl").args(["req", "-verify", "-noout", "-in", &request]));
        let mut x509 = place.command("openssl");
        x509.args(["x509", "-req", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-out", "one.pem"]);
        run("x509", x509.args(["-copy_extensions", "copy", "-in", &request]));
        let mut ca = place.command("openssl");
        ca.args(["ca", "-config", "openssl.cnf", "-cert", "root.pem", "-keyfile", "root.key", "-batch", "-notext"]);
        run("ca", ca.args(["-in", &request, "-out", "two.pem"]));
        for certificate in ["one.pem", "two.pem"] {
            let mut verify = place.command("openssl");
            verify.args(["verify", "-CAfile", "root.pem", "-verify_hostname"]);
            run("verify", verify.arg(format!("{kind}.example")).arg(certificate));
            let key = format!("{kind}/key.pem");
            let public = run("pkey", place.command("openssl").args(["pkey", "-pubout", "-in", &key]));
            assert_eq!(public_key(&place, &["x509"], certificate), public, "{kind}");
        }
    }
}

#[test]
fn requests_of_java_are_signed() {
    if !skip::unless_installed(&["keytool"]) {
        return;
    }
    let place = Place::new();
    place.done(INIT);
    let store = ["-keystore", "store", "-storepass", "secret", "-alias", "web"];
    for (kind, size) in [("RSA", "2048"), ("EC", "256")] {
        fs::remove_file(place.path("store")).ok();
        let mut key = place.command("keytool");
        key.args(["-genkeypair", "-keyalg", kind, "-keysize", size, "-dname", "CN=web.example, O=Acme"]).args(store);
        run("keytool", &mut key);
        let mut request = place.command("keytool");
        run("keytool", request.args(["-certreq", "-ext", "SAN=dns:web.example", "-file", "csr"]).args(store));
        sign(&place, "csr", &format!("--name {kind} --out out"));
    }
}
