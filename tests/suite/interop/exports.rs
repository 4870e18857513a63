//! The files of `ca export`, read by the programs that they are for.

use std::process::Command;

use crate::support::hierarchy::Hierarchy;
use crate::support::program::succeeded;
use crate::support::skip;

fn run(command: &mut Command) -> String {
    succeeded(&format!("{command:?}"), &command.output().unwrap())
}

/// A CA with an intermediate, and the file of its server in a format.
fn exported(format: &str, file: &str) -> Hierarchy {
    let hierarchy = Hierarchy::of("ecdsa-p256");
    hierarchy.place.done(&format!("--dir ca export localhost --as {format} --out {file}"));
    hierarchy
}

#[test]
fn python_and_node_load_key_and_chain_from_one_combined_file() {
    if !skip::unless_installed(&["python3", "node", "openssl"]) {
        return;
    }
    let hierarchy = exported("combined", "web.pem");
    let load = "import ssl; ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain('web.pem')";
    run(hierarchy.place.command("python3").args(["-c", load]));
    let load = "const pem = require('fs').readFileSync('web.pem'); require('tls').createSecureContext({ key: pem, cert: pem })";
    run(hierarchy.place.command("node").args(["-e", load]));
    let mut verify = hierarchy.place.command("openssl");
    verify.arg("verify").arg("-CAfile").arg(&hierarchy.root);
    run(verify.args(["-untrusted", "web.pem", "web.pem"]));
}

#[test]
fn openssl_certtool_and_keytool_list_the_chain_of_a_p7b_file() {
    if !skip::unless_installed(&["openssl", "certtool", "keytool"]) {
        return;
    }
    let hierarchy = exported("pkcs7", "web.p7b");
    let listed = |program: &str, words: &str, each: &str| {
        let said = run(hierarchy.place.command(program).args(words.split(' ')));
        assert_eq!(said.matches(each).count(), 2, "{program}: {said}");
    };
    listed("openssl", "pkcs7 -in web.p7b -print_certs -noout", "subject=");
    listed("certtool", "--p7-info --infile web.p7b", "BEGIN CERTIFICATE");
    listed("keytool", "-printcert -file web.p7b", "Owner:");
}

#[test]
fn kubectl_makes_the_same_secret_of_the_files() {
    if !skip::unless_installed(&["kubectl"]) {
        return;
    }
    let hierarchy = exported("k8s-secret", "secret.yaml");
    let mut kubectl = hierarchy.place.command("kubectl");
    kubectl.args("create secret generic localhost --type=kubernetes.io/tls --dry-run=client -o yaml".split(' '));
    let from = |key: &str, path: &std::path::Path| format!("--from-file={key}={}", path.display());
    kubectl.arg(from("ca.crt", &hierarchy.root)).arg(from("tls.crt", &hierarchy.server.fullchain));
    let theirs = run(kubectl.arg(from("tls.key", &hierarchy.server.key)));
    let ours = std::fs::read_to_string(hierarchy.place.path("secret.yaml")).unwrap();
    let sorted = |text: &str| {
        let lines = text.lines().filter(|line| !line.contains("creationTimestamp"));
        let mut lines: Vec<_> = lines.map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&ours), sorted(&theirs));
}

/// What each program says of a PKCS#12 file of `localhost` with an intermediate.
fn read_by_everyone(hierarchy: &Hierarchy, file: &str) {
    let place = &hierarchy.place;
    let passphrase = std::fs::read_to_string(place.path(format!("{file}.passphrase"))).unwrap();
    let passphrase = passphrase.trim_end();
    let source = format!("pass:{passphrase}");

    let mut openssl = place.command("openssl");
    let opened = run(openssl.args(["pkcs12", "-in", file, "-nodes", "-passin", &source]));
    assert_eq!(opened.matches("friendlyName: localhost").count(), 2, "the key and its certificate: {opened}");
    assert_eq!(opened.matches("localKeyID").count(), 2, "{opened}");
    assert_eq!(opened.matches("BEGIN CERTIFICATE").count(), 2, "{opened}");
    std::fs::write(place.path("opened.pem"), &opened).unwrap();
    let mut verify = place.command("openssl");
    verify.arg("verify").arg("-CAfile").arg(&hierarchy.root);
    run(verify.args(["-untrusted", "opened.pem", "opened.pem"]));
    let public = |file: &str| run(place.command("openssl").args(["pkey", "-pubout", "-in", file]));
    assert_eq!(public("opened.pem"), public(hierarchy.server.key.to_str().unwrap()));

    let mut keytool = place.command("keytool");
    keytool.args(["-list", "-v", "-storetype", "PKCS12", "-keystore", file, "-storepass", passphrase]);
    let listed = run(&mut keytool);
    for each in ["Alias name: localhost", "Entry type: PrivateKeyEntry", "Certificate chain length: 2"] {
        assert!(listed.contains(each), "keytool: {each}: {listed}");
    }

    let mut certtool = place.command("certtool");
    let listed = run(certtool.args(["--p12-info", "--inder", "--infile", file, "--password", passphrase]));
    assert_eq!(listed.matches("BEGIN CERTIFICATE").count(), 2, "{listed}");

    let load = format!(
        "require('tls').createSecureContext({{ pfx: require('fs').readFileSync('{file}'), passphrase: '{passphrase}' }})"
    );
    run(place.command("node").args(["-e", &load]));
}

#[test]
fn every_program_reads_the_key_and_the_chain_of_a_pkcs12_file() {
    if !skip::unless_installed(&["openssl", "keytool", "certtool", "node"]) {
        return;
    }
    for algorithm in ["ecdsa-p256", "rsa-2048"] {
        let hierarchy = Hierarchy::of(algorithm);
        for target in ["", "--target apple", "--target java"] {
            let file = format!("web{}.p12", target.replace(' ', ""));
            hierarchy.place.done(&format!("--dir ca export localhost --as p12 {target} --out {file}"));
            read_by_everyone(&hierarchy, &file);
        }
    }
}

#[test]
fn the_encryption_of_a_pkcs12_file_is_the_one_of_its_target() {
    if !skip::unless_installed(&["openssl"]) {
        return;
    }
    let hierarchy = Hierarchy::of("ed25519");
    for (target, bags, mac) in [
        ("nss", "PBES2, PBKDF2, AES-256-CBC, Iteration 100000, PRF hmacWithSHA256", "MAC: sha256, Iteration 100000"),
        ("apple", "pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2048", "MAC: sha1, Iteration 2048"),
    ] {
        hierarchy.place.done(&format!("--dir ca export localhost --as p12 --target {target} --out {target}.p12"));
        let mut openssl = hierarchy.place.command("openssl");
        openssl.args(["pkcs12", "-info", "-noout", "-in", &format!("{target}.p12")]);
        let output = openssl.args(["-passin", &format!("file:{target}.p12.passphrase")]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains(mac), "{said}");
        assert_eq!(said.matches(bags).count(), 2, "the certificates and the key: {said}");
    }
}

#[test]
fn nss_imports_a_pkcs12_file_with_its_nickname() {
    if !skip::unless_installed(&["pk12util", "certutil"]) {
        return;
    }
    let hierarchy = exported("p12", "web.p12");
    let place = &hierarchy.place;
    std::fs::create_dir(place.path("nss")).unwrap();
    run(place.command("certutil").args("-N -d sql:nss --empty-password".split(' ')));
    run(place.command("pk12util").args("-i web.p12 -d sql:nss -w web.p12.passphrase".split(' ')));
    let certificates = run(place.command("certutil").args("-L -d sql:nss".split(' ')));
    assert!(certificates.contains("localhost  ") && certificates.contains("Interop-Root issuing"), "{certificates}");
    assert!(run(place.command("certutil").args("-K -d sql:nss".split(' '))).contains("localhost"));
}

#[test]
fn java_trusts_every_certificate_of_a_trust_store() {
    if !skip::unless_installed(&["keytool", "openssl"]) {
        return;
    }
    let hierarchy = Hierarchy::of("ecdsa-p256");
    let place = &hierarchy.place;
    place.done("--dir ca root rotate start");
    place.done("--dir ca roots --as truststore --out trust.p12");
    let passphrase = std::fs::read_to_string(place.path("trust.p12.passphrase")).unwrap();
    let mut keytool = place.command("keytool");
    keytool.args(["-list", "-storetype", "PKCS12", "-keystore", "trust.p12", "-storepass", passphrase.trim_end()]);
    let listed = run(&mut keytool);
    assert_eq!(listed.matches("trustedCertEntry").count(), 2, "{listed}");
    assert!(listed.contains("Your keystore contains 2 entries"), "{listed}");
    let mut openssl = place.command("openssl");
    run(openssl.args("pkcs12 -in trust.p12 -nokeys -passin file:trust.p12.passphrase".split(' ')));
}

#[test]
fn python_reads_a_configuration_profile_and_kubectl_makes_the_same_config_map() {
    if !skip::unless_installed(&["python3", "kubectl"]) {
        return;
    }
    let hierarchy = Hierarchy::of("ecdsa-p256");
    let place = &hierarchy.place;
    place.done("--dir ca roots --as mobileconfig --out roots.mobileconfig");
    let read = "import plistlib, ssl; p = plistlib.load(open('roots.mobileconfig', 'rb')); r = p['PayloadContent'][0]; \
                assert p['PayloadType'] == 'Configuration' and r['PayloadType'] == 'com.apple.security.root'; \
                print(ssl.DER_cert_to_PEM_cert(r['PayloadContent']), end='')";
    let printed = run(place.command("python3").args(["-c", read]));
    assert_eq!(printed, std::fs::read_to_string(&hierarchy.root).unwrap());

    place.done("--dir ca roots --as k8s-configmap --out map.yaml");
    let mut kubectl = place.command("kubectl");
    kubectl.args("create configmap interop-root --dry-run=client -o yaml".split(' '));
    let theirs = run(kubectl.arg(format!("--from-file=ca.crt={}", hierarchy.root.display())));
    let ours = std::fs::read_to_string(place.path("map.yaml")).unwrap();
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().filter(|line| !line.contains("creationTimestamp")).collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    assert_eq!(sorted(&ours), sorted(&theirs));
}
