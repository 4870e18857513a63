//! Other libraries judge the chains, as strictly as they can.

use std::path::Path;
use std::process::Command;

use super::peers::java_classes;
use crate::support::hierarchy::{Credential, Hierarchy};
use crate::support::program::{Place, succeeded};
use crate::support::{repository, skip};

/// Every kind of key; the longer RSA keys take seconds to make and add nothing for a judge.
const ALGORITHMS: &[&str] = &["ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519", "rsa-2048"];

#[test]
fn openssl_accepts_every_chain_at_its_strictest() {
    each("openssl", &["openssl"], &[], |hierarchy, algorithm| {
        for (credential, purpose, host) in ends(hierarchy) {
            let mut command = hierarchy.place.command("openssl");
            command.args(["verify", "-x509_strict", "-check_ss_sig", "-policy_check", "-purpose", purpose]);
            command.arg("-CAfile").arg(&hierarchy.root).arg("-untrusted").arg(&credential.chain);
            command.args(host.iter().flat_map(|host| ["-verify_hostname", host])).arg(&credential.cert);
            run(algorithm, &mut command);
        }
        let mut root = hierarchy.place.command("openssl");
        root.args(["verify", "-x509_strict", "-check_ss_sig", "-CAfile"]).arg(&hierarchy.root).arg(&hierarchy.root);
        run(algorithm, &mut root);
    });
}

/// The program's own judge agrees with the others.
#[test]
fn verify_accepts_every_chain() {
    each("ca verify", &[], &[], |hierarchy, algorithm| {
        for (credential, purpose, host) in ends(hierarchy) {
            let mut command = hierarchy.place.ca("verify --purpose");
            command.arg(purpose.trim_start_matches("ssl")).arg("--roots").arg(&hierarchy.root);
            command.args(host.iter().flat_map(|host| ["--hostname", host])).arg("--key").arg(&credential.key);
            run(algorithm, command.args([&credential.fullchain]));
        }
    });
}

#[test]
fn gnutls_accepts_every_chain() {
    each("certtool", &["certtool"], &[], |hierarchy, algorithm| {
        for (credential, purpose, host) in ends(hierarchy) {
            let oid = if purpose == "sslserver" { "1.3.6.1.5.5.7.3.1" } else { "1.3.6.1.5.5.7.3.2" };
            let mut command = hierarchy.place.command("certtool");
            command.args(["--verify", "--verify-profile", "medium", "--verify-purpose", oid]);
            command.args(host.iter().flat_map(|host| ["--verify-hostname", host]));
            command.arg("--load-ca-certificate").arg(&hierarchy.root).arg("--infile").arg(&credential.fullchain);
            let said = run(algorithm, &mut command);
            assert!(said.contains("Chain verification output: Verified. The certificate is trusted."), "{said}");
        }
    });
}

#[test]
fn python_accepts_every_server_at_its_strictest() {
    each("python", &["python3"], &[], |hierarchy, algorithm| {
        let mut command = hierarchy.place.command("python3");
        command.arg(peer("peer.py")).args(["judge", "localhost"]).arg(&hierarchy.root);
        command.arg(&hierarchy.server.fullchain).arg(&hierarchy.server.key);
        run(algorithm, &mut command);
    });
}

#[test]
fn node_accepts_every_chain() {
    each("node", &["node"], &[], |hierarchy, algorithm| {
        for (credential, _, host) in ends(hierarchy) {
            let mut command = hierarchy.place.command("node");
            command.arg(peer("peer.js")).args(["judge", host.unwrap_or("-")]).arg(&hierarchy.root);
            command.arg(&credential.cert).arg(hierarchy.issuing());
            run(algorithm, &mut command);
        }
    });
}

#[test]
fn java_accepts_every_chain_and_keytool_reads_it() {
    each("java", &["java", "javac", "keytool"], &[], |hierarchy, algorithm| {
        for (credential, _, _) in ends(hierarchy) {
            let mut command = hierarchy.place.command("java");
            command
                .arg("-cp")
                .arg(java_classes())
                .args(["Peer", "judge"])
                .arg(&hierarchy.root)
                .arg(&credential.fullchain);
            run(algorithm, &mut command);
        }
        let mut print = hierarchy.place.command("keytool");
        print.args(["-printcert", "-file"]).arg(&hierarchy.server.cert);
        assert!(run(algorithm, &mut print).contains("DNSName: localhost"));
        let mut import = hierarchy.place.command("keytool");
        import.args(["-importcert", "-noprompt", "-storepass", "changeit", "-keystore", "trusted.p12", "-file"]);
        import.arg(&hierarchy.root);
        run(algorithm, &mut import);
    });
}

#[test]
fn nss_accepts_every_chain() {
    // NSS knows no Ed25519 certificates: https://bugzilla.mozilla.org/show_bug.cgi?id=1325335
    each("nss", &["certutil", "vfychain"], &["ed25519"], |hierarchy, algorithm| {
        let place = &hierarchy.place;
        let certutil = |words: &[&str], file: &Path| {
            let mut command = place.command("certutil");
            command.args(words).args(["-d", "sql:nss"]).arg("-i").arg(file);
            run(algorithm, &mut command);
        };
        std::fs::create_dir(place.path("nss")).unwrap();
        run(algorithm, &mut words(place, "certutil -N -d sql:nss --empty-password"));
        certutil(&["-A", "-n", "root", "-t", "CT,C,C"], &hierarchy.root);
        certutil(&["-A", "-n", "issuing", "-t", ",,"], &hierarchy.issuing());
        for (credential, purpose, _) in ends(hierarchy) {
            certutil(&["-A", "-n", purpose, "-t", ",,"], &credential.cert);
            let (usage, number) = if purpose == "sslserver" { ("V", "1") } else { ("C", "0") };
            let said = run(algorithm, &mut words(place, &format!("certutil -V -e -d sql:nss -u {usage} -n {purpose}")));
            assert!(said.contains("certificate is valid"), "{said}");
            let mut command = words(place, &format!("vfychain -pp -d sql:nss -u {number} -a"));
            command.arg(&credential.cert).arg("-a").arg(hierarchy.issuing());
            run(algorithm, &mut command);
        }
    });
}

/// Lets a judge see a chain of each algorithm, but for those it does not know.
fn each(judge: &str, programs: &[&str], unknown: &[&str], judges: impl Fn(&Hierarchy, &str)) {
    if !skip::unless_installed(programs) {
        return;
    }
    for algorithm in ALGORITHMS.iter().filter(|algorithm| !unknown.contains(algorithm)) {
        judges(&Hierarchy::of(algorithm), &format!("{judge}, {algorithm}"));
    }
}

fn ends(hierarchy: &Hierarchy) -> [(&Credential, &'static str, Option<&'static str>); 2] {
    [(&hierarchy.server, "sslserver", Some("localhost")), (&hierarchy.client, "sslclient", None)]
}

fn words(place: &Place, line: &str) -> Command {
    let mut words = line.split(' ');
    let mut command = place.command(words.next().unwrap());
    command.args(words);
    command
}

fn run(what: &str, command: &mut Command) -> String {
    succeeded(&format!("{what}: {command:?}"), &command.output().unwrap())
}

fn peer(file: &str) -> std::path::PathBuf {
    repository().join("tests/interop").join(file)
}
