//! `ca trust` in stores that are made for the test, read by the programs that own or use them.

use std::path::Path;
use std::process::Command;

use super::programs::namespace;
use crate::support::hierarchy::Hierarchy;
use crate::support::program::{binary, succeeded};
use crate::support::skip;

fn run(command: &mut Command) -> String {
    succeeded(&format!("{command:?}"), &command.output().unwrap())
}

/// The exit status of a command, which must not fail.
fn status(words: &str, mut command: Command) -> Option<i32> {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.code().is_some_and(|status| [0, 1, 10].contains(&status)), "{words}: {said}");
    output.status.code()
}

/// Installs the roots of two CAs of one name in a store, removes one of them, and asks `accepts` in between whether a program
/// accepts the server of the first CA.
fn check_store(hierarchy: &Hierarchy, store: &str, accepts: &dyn Fn() -> bool) {
    check_store_of(&|words| hierarchy.place.ca(words), store, accepts);
}

/// The same; `ca` makes a command from words.
fn check_store_of(ca: &dyn Fn(&str) -> Command, store: &str, accepts: &dyn Fn() -> bool) {
    let trust = |dir: &str, words: &str| {
        let words = format!("--dir {dir} trust {words} {store}");
        status(&words, ca(&words))
    };
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
    let words = "--dir ca trust install --nss-db nssdb --exit-changed";
    assert_eq!(status(words, place.ca(words)), Some(10));
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

#[test]
fn every_profile_of_firefox_and_the_database_of_chromium_are_found_in_the_home_folder() {
    if !skip::unless_installed(&["certutil"]) {
        return;
    }
    let profiles = [".mozilla/firefox/one.default", "snap/firefox/common/.mozilla/firefox/two.esr"];
    for (store, databases) in [("firefox", &profiles[..]), ("nss", &[".pki/nssdb"])] {
        let hierarchy = Hierarchy::of("ecdsa-p256");
        let place = &hierarchy.place;
        for database in databases {
            std::fs::create_dir_all(place.path(database)).unwrap();
            let database = format!("sql:{database}");
            run(place.command("certutil").args(["-N", "--empty-password", "-d", &database]));
            for (name, path) in [("issuing", &hierarchy.issuing()), ("server", &hierarchy.server.cert)] {
                let words = ["-A", "-a", "-d", &database, "-t", ",,", "-n", name, "-i"];
                run(place.command("certutil").args(words).arg(path));
            }
        }
        let accepts = || {
            let by_one = |database: &&str| {
                let words = ["-V", "-d", &format!("sql:{database}"), "-n", "server", "-u", "V"];
                place.command("certutil").args(words).output().unwrap().status.success()
            };
            let accepted = databases.iter().filter(|database| by_one(database)).count();
            assert!([0, databases.len()].contains(&accepted), "{accepted} of {databases:?}");
            accepted > 0
        };
        check_store(&hierarchy, &format!("--store {store}"), &accepts);
    }
}

/// A system whose store p11-kit makes.
struct P11Kit {
    /// The folder that the module of p11-kit reads.
    source: &'static str,
    anchors: &'static str,
    bundle: &'static str,
    /// The script of the distribution that calls `trust extract`, and its only argument.
    script: &'static str,
    argument: &'static str,
}

/// The folders are those of the packages ca-certificates of Fedora and ca-certificates-utils of Arch Linux.
const P11_KIT: [P11Kit; 2] = [
    P11Kit {
        source: "/etc/pki/ca-trust/source",
        anchors: "/etc/pki/ca-trust/source/anchors",
        bundle: "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        script: "bin/update-ca-trust",
        argument: "extract",
    },
    P11Kit {
        source: "/etc/ca-certificates/trust-source",
        anchors: "/etc/ca-certificates/trust-source/anchors",
        bundle: "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
        script: "libexec/trust-extract-compat",
        argument: "",
    },
];

/// The program `trust` is the real one. What the distributions add, a module's configuration and a script that calls `trust extract`, is
/// made here, in a mount namespace with an own `/etc`.
#[test]
fn openssl_accepts_by_the_bundles_that_p11_kit_makes_on_fedora_and_arch() {
    if !skip::unless_installed(&["trust", "openssl", "unshare"]) || !skip::unless_root() {
        return;
    }
    for system in P11_KIT {
        let hierarchy = Hierarchy::of("ecdsa-p256");
        let place = &hierarchy.place;
        if !namespace::unless_permitted(place) {
            return;
        }
        let P11Kit { source, anchors, bundle, script, argument } = system;
        let prepare = format!(
            "cp -a /etc etc; mkdir -p .{anchors} .$(dirname {bundle}) bin libexec
             sed 's#^x-init-reserved:.*#x-init-reserved: paths={source}#' /usr/share/p11-kit/modules/p11-kit-trust.module > module
             cat > {script} && chmod +x {script}"
        );
        let text = format!(
            "#!/bin/sh\n[ \"$*\" = '{argument}' ] || exit 1\nexec trust extract --format=pem-bundle \
             --filter=ca-anchors --overwrite --comment --purpose=server-auth {bundle}\n"
        );
        std::fs::write(place.path("script"), text).unwrap();
        let input = std::fs::File::open(place.path("script")).unwrap();
        run(place.command("sh").args(["-ec", &prepare]).stdin(input));
        let inside = |program: &Path, words: &[&str]| {
            let mut command = place.command("unshare");
            let mounts = "mount --bind etc /etc; mount --bind module /usr/share/p11-kit/modules/p11-kit-trust.module
                          mount --bind libexec /usr/libexec/p11-kit; PATH=$PWD/bin:$PATH; exec \"$@\"";
            command.args(["--mount", "sh", "-ec", mounts, "sh"]).arg(program).args(words);
            command
        };
        let accepts = || {
            let words = ["verify", "-no-CAfile", "-no-CApath", "-no-CAstore", "-CAfile", bundle, "-untrusted"];
            let mut openssl = inside(Path::new("openssl"), &words);
            openssl.arg(&hierarchy.server.chain).arg(&hierarchy.server.cert).output().unwrap().status.success()
        };
        let ca = |words: &str| inside(binary(), &words.split_whitespace().collect::<Vec<_>>());
        check_store_of(&ca, "--store system", &accepts);
        let left = run(&mut inside(Path::new("trust"), &["list", "--filter=ca-anchors"]));
        assert_eq!(left.matches("label: Interop-Root").count(), 1, "only the other CA is left: {left}");
    }
}
