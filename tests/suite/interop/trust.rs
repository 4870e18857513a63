//! `ca trust` in stores that are made for the test, read by the programs that own or use them.

use std::path::Path;
use std::process::Command;

use crate::support::hierarchy::Hierarchy;
use crate::support::program::{Place, succeeded};
use crate::support::skip;

fn run(command: &mut Command) -> String {
    succeeded(&format!("{command:?}"), &command.output().unwrap())
}

/// The exit status of a command, which must not fail.
fn status(place: &Place, words: &str) -> Option<i32> {
    let output = place.ca(words).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.code().is_some_and(|status| [0, 1, 10].contains(&status)), "{words}: {said}");
    output.status.code()
}

/// Installs the roots of two CAs of one name in a store, removes one of them, and asks `accepts` in between whether a program
/// accepts the server of the first CA.
fn check_store(hierarchy: &Hierarchy, store: &str, accepts: &dyn Fn() -> bool) {
    let place = &hierarchy.place;
    let trust = |dir: &str, words: &str| status(place, &format!("--dir {dir} trust {words} {store}"));
    assert_eq!(trust("ca", "check"), Some(1));
    assert!(!accepts());
    assert_eq!(trust("ca", "install --dry-run"), Some(0));
    assert_eq!(trust("ca", "check"), Some(1), "a dry run changes nothing");
    assert_eq!(trust("ca", "install --exit-changed"), Some(10));
    assert!(accepts());
    assert_eq!(trust("ca", "install --exit-changed"), Some(0), "it is there already");
    assert_eq!(
        (trust("ca", "check"), trust("other", "check")),
        (Some(0), Some(1)),
        "the names are the same, the keys not"
    );
    assert_eq!(trust("other", "uninstall --exit-changed"), Some(0));
    assert_eq!(trust("other", "install --exit-changed"), Some(10));
    assert_eq!((trust("ca", "check"), trust("other", "check")), (Some(0), Some(0)));
    assert_eq!(trust("ca", "uninstall --exit-changed"), Some(10));
    assert_eq!((trust("ca", "check"), trust("other", "check")), (Some(1), Some(0)));
    assert!(!accepts());
    assert_eq!(trust("ca", "uninstall --exit-changed"), Some(0));
}

/// The folders that update-ca-certificates reads.
fn system_store(folder: &Path) {
    for path in [
        "usr/local/share/ca-certificates",
        "usr/share/ca-certificates",
        "etc/ssl/certs",
        "etc/ca-certificates/update.d",
    ] {
        std::fs::create_dir_all(folder.join(path)).unwrap();
    }
    std::fs::write(folder.join("etc/ca-certificates.conf"), "# none\n").unwrap();
}

#[test]
fn openssl_accepts_by_the_bundle_and_the_links_that_update_ca_certificates_makes() {
    if !skip::unless_installed(&["update-ca-certificates", "openssl"]) {
        return;
    }
    let hierarchy = Hierarchy::of("ecdsa-p256");
    let system = hierarchy.place.path("system");
    system_store(&system);
    let certs = system.join("etc/ssl/certs");
    let verify = |flag: &str, path: &Path| {
        let mut openssl = hierarchy.place.command("openssl");
        openssl.args(["verify", "-no-CAfile", "-no-CApath", "-no-CAstore", flag]).arg(path);
        let output =
            openssl.arg("-untrusted").arg(&hierarchy.server.chain).arg(&hierarchy.server.cert).output().unwrap();
        output.status.success()
    };
    let accepts = || {
        let by_bundle =
            certs.join("ca-certificates.crt").exists() && verify("-CAfile", &certs.join("ca-certificates.crt"));
        assert_eq!(by_bundle, verify("-CApath", &certs));
        by_bundle
    };
    check_store(&hierarchy, "--system-dir system", &accepts);
    let left = std::fs::read_dir(system.join("usr/local/share/ca-certificates")).unwrap().count();
    let links = std::fs::read_dir(&certs).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_symlink()).count();
    assert_eq!((left, links), (1, 2), "the other CA's file, and its two links");
}

#[test]
fn nss_accepts_by_its_database() {
    if !skip::unless_installed(&["certutil"]) {
        return;
    }
    let hierarchy = Hierarchy::of("ecdsa-p256");
    let place = &hierarchy.place;
    std::fs::create_dir(place.path("nssdb")).unwrap();
    run(place.command("certutil").args(["-N", "--empty-password", "-d", "sql:nssdb"]));
    for (name, path) in [("issuing", &hierarchy.issuing()), ("server", &hierarchy.server.cert)] {
        run(place.command("certutil").args(["-A", "-a", "-d", "sql:nssdb", "-t", ",,", "-n", name, "-i"]).arg(path));
    }
    let accepts = || {
        let mut certutil = place.command("certutil");
        certutil.args(["-V", "-d", "sql:nssdb", "-n", "server", "-u", "V"]).output().unwrap().status.success()
    };
    check_store(&hierarchy, "--nss-db nssdb", &accepts);
    // A root that is there under another nickname and not trusted gets the trust, and no second entry.
    run(place
        .command("certutil")
        .args(["-A", "-a", "-d", "sql:nssdb", "-t", ",,", "-n", "by hand", "-i"])
        .arg(&hierarchy.root));
    assert!(!accepts());
    assert_eq!(status(place, "--dir ca trust install --nss-db nssdb --exit-changed"), Some(10));
    assert!(accepts());
    let listed = run(place.command("certutil").args(["-L", "-d", "sql:nssdb"]));
    assert_eq!(listed.matches("C,,").count(), 2, "{listed}");
}

#[test]
fn java_accepts_by_its_key_store() {
    if !skip::unless_installed(&["keytool", "java"]) {
        return;
    }
    let hierarchy = Hierarchy::of("ecdsa-p256");
    let place = &hierarchy.place;
    let program = "import java.io.*; import java.security.*; import java.security.cert.*; import java.util.*;
        public class Accepts { public static void main(String[] a) throws Exception {
            CertificateFactory f = CertificateFactory.getInstance(\"X.509\");
            KeyStore s = KeyStore.getInstance(new File(a[0]), \"changeit\".toCharArray());
            PKIXParameters p = new PKIXParameters(s); p.setRevocationEnabled(false);
            List<X509Certificate> c = new ArrayList<>();
            try (InputStream in = new FileInputStream(a[1])) {
                for (var x : f.generateCertificates(in)) c.add((X509Certificate) x); }
            CertPathValidator.getInstance(\"PKIX\").validate(f.generateCertPath(c), p); } }";
    std::fs::write(place.path("Accepts.java"), program).unwrap();
    let accepts = || {
        let mut java = place.command("java");
        place.path("store").exists()
            && java.args(["Accepts.java", "store"]).arg(&hierarchy.server.fullchain).output().unwrap().status.success()
    };
    check_store(&hierarchy, "--java-keystore store", &accepts);
}
