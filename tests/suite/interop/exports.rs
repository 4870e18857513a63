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
