//! The folders that other CA tools wrote themselves are imported: each certificate, revocation and CRL number is the one that the
//! tool recorded, and OpenSSL agrees with the first CRL.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::process::wait_for;
use crate::support::program::{Place, succeeded};
use crate::support::skip;

fn run(command: &mut Command) -> String {
    succeeded(&format!("{command:?}"), &command.output().unwrap())
}

/// Runs a script of a shell.
fn shell(place: &Place, script: &str) -> String {
    run(place.command("sh").args(["-ec", script]))
}

fn imported(place: &Place, words: &str) -> Value {
    serde_json::from_str(&place.done(&format!("--dir ca import {words} --no-passphrase --json"))).unwrap()
}

/// The codes of the findings and of what is not known, each once.
fn codes(report: &Value, list: &str) -> Vec<String> {
    let mut codes: Vec<_> =
        report[list].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect();
    codes.dedup();
    codes
}

/// The serial numbers of a CRL, as OpenSSL reads them.
fn revoked(place: &Place, crl: &str) -> Vec<String> {
    let text = run(place.command("openssl").args(["crl", "-in", crl, "-noout", "-text"]));
    let serials = text.lines().filter_map(|line| line.trim().strip_prefix("Serial Number: "));
    let mut serials: Vec<String> = serials.map(str::to_lowercase).collect();
    serials.sort_unstable();
    serials
}

fn serial(place: &Place, file: &str) -> String {
    run(place.command("openssl").args(["x509", "-in", file, "-noout", "-serial"]))
}

#[test]
fn a_pki_of_easy_rsa_is_imported_with_its_revocations_and_keys() {
    if !skip::unless_installed(&["easyrsa", "openssl"]) {
        return;
    }
    let place = Place::new();
    let easyrsa = format!("easyrsa --batch --pki-dir='{}'", place.path("pki").display());
    shell(
        &place,
        &format!(
            "{easyrsa} init-pki; EASYRSA_REQ_CN='Site CA' {easyrsa} --use-algo=ec build-ca nopass
             for name in a.test b.test; do
                 {easyrsa} --use-algo=ec --subject-alt-name=DNS:$name build-server-full $name nopass
             done
             for name in laptop phone; do {easyrsa} --use-algo=ec build-client-full $name nopass; done
             {easyrsa} revoke phone keyCompromise; {easyrsa} gen-crl; {easyrsa} revoke b.test superseded"
        ),
    );
    let before = shell(&place, "find pki -type f | sort | xargs sha256sum");
    let planned = serde_json::from_str::<Value>(&place.done("--dir ca import --dry-run --json .")).unwrap();
    assert_eq!((planned["outcome"].as_str(), planned["tool"].as_str()), (Some("planned"), Some("easy-rsa")));
    assert!(!place.path("ca").exists());
    let report = imported(&place, ".");
    for key in ["certificate_counts", "import_findings", "not_known", "crl_number"] {
        assert_eq!(report[key], planned[key], "{key}");
    }
    let counts = &report["certificate_counts"];
    let expected = [("valid_count", 2), ("revoked_count", 2), ("only_serial_count", 0), ("with_key_count", 2)];
    for (key, count) in expected {
        assert_eq!(counts[key], count, "{key}");
    }
    assert_eq!(codes(&report, "import_findings"), ["ca-basic-constraints-not-critical", "names-ca-serial"]);
    assert_eq!(before, shell(&place, "find pki -type f | sort | xargs sha256sum"), "the source is not changed");

    // The first CRL names both, with the reasons of easy-rsa; OpenSSL verifies what is not revoked.
    place.done("--dir ca crl");
    let crl = "ca/authorities/root/crl.pem";
    let index = fs::read_to_string(place.path("pki/index.txt")).unwrap();
    let mut expected: Vec<String> = index
        .lines()
        .filter(|line| line.starts_with("R\t"))
        .map(|line| line.split('\t').nth(3).unwrap().to_lowercase())
        .collect();
    expected.sort_unstable();
    assert_eq!(revoked(&place, crl), expected);
    let text = run(place.command("openssl").args(["crl", "-in", crl, "-noout", "-text"]));
    assert!(text.contains("Key Compromise") && text.contains("Superseded"), "{text}");
    let verify = ["verify", "-crl_check", "-CAfile", "pki/ca.crt", "-CRLfile", crl];
    run(place.command("openssl").args(verify).arg("pki/issued/a.test.crt"));

    // OpenSSL refuses what names the root by its serial number below a renewed root, and not where clients have both.
    let refused = place.ca("--dir ca root renew --no-input").output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(3) && said.contains("2 certificates in use name the root"), "{said}");
    assert_eq!(serial(&place, "ca/authorities/root/cert.pem"), serial(&place, "pki/ca.crt"));
    place.done("--dir ca root renew --keep-previous");
    place.done("--dir ca roots --out roots.pem");
    let verify = |roots: &str| {
        place.command("openssl").args(["verify", "-CAfile", roots, "pki/issued/a.test.crt"]).output().unwrap().status
    };
    assert!(!verify("ca/authorities/root/cert.pem").success() && verify("roots.pem").success());
    place.done("--dir ca crl");

    // What was imported is shown, verified, renewed and revoked like any other certificate.
    assert!(place.done("--dir ca list").contains("laptop  client"));
    place.done("--dir ca verify pki/issued/a.test.crt --hostname a.test");
    place.done("--dir ca renew a.test");
    let key = run(place.command("openssl").args(["pkey", "-in", "ca/issued/a.test/key.pem", "-pubout"]));
    assert_eq!(key, run(place.command("openssl").args(["pkey", "-in", "pki/private/a.test.key", "-pubout"])));
    place.done("--dir ca revoke ./pki/issued/laptop.crt --crl");
    assert_eq!(revoked(&place, crl).len(), 3);
    assert!(place.done("--dir ca audit").contains("nothing was found"));
}

#[test]
fn a_ca_root_of_mkcert_is_imported() {
    if !skip::unless_installed(&["mkcert", "openssl"]) {
        return;
    }
    let place = Place::new();
    shell(&place, "mkdir root; CAROOT=$PWD/root mkcert -ecdsa x.test >/dev/null 2>&1");
    let report = imported(&place, "root");
    assert_eq!((report["tool"].as_str(), report["recognised"].as_bool()), (Some("mkcert"), Some(true)));
    assert_eq!(codes(&report, "not_known"), ["no-record", "revocations", "crl-number"]);
    // The key of mkcert's CA may not sign CRLs. A certificate that mkcert did not record is revoked by its file.
    assert_eq!(codes(&report, "import_findings"), ["no-crl-sign"]);
    assert!(place.done("--dir ca revoke ./x.test.pem").contains("Revoked imported-"));
    assert!(place.done("--dir ca issue server y.test").contains("Issued"));
}

/// Debian has another program of this name than the one that writes minica.pem.
#[test]
fn a_folder_of_the_minica_of_debian_is_imported() {
    if !skip::unless_installed(&["minica"]) {
        return;
    }
    let place = Place::new();
    shell(
        &place,
        "mkdir folder; cd folder; for name in a.test b.test; do minica $name >/dev/null; done; rm b.test.key",
    );
    let report = imported(&place, "folder");
    assert_eq!((report["tool"].as_str(), report["recognised"].as_bool()), (Some("minica"), Some(true)));
    let counts = &report["certificate_counts"];
    assert_eq!((&counts["valid_count"], &counts["with_key_count"]), (&2.into(), &1.into()), "{report:#}");
    // The key of its CA may not sign CRLs.
    assert!(codes(&report, "import_findings").contains(&"no-crl-sign".to_owned()), "{report:#}");
    place.done("--dir ca renew a.test");
    assert!(place.done("--dir ca issue server c.test").contains("Issued"));
}

#[test]
fn a_folder_of_cfssl_is_imported_with_its_database() {
    if !skip::unless_installed(&["cfssl", "cfssljson", "sqlite3", "openssl"]) {
        return;
    }
    let place = Place::new();
    // cfssl 1.2 needs the table, and the key identifier that it did not write.
    let table =
        "CREATE TABLE certificates (serial_number blob NOT NULL, authority_key_identifier blob NOT NULL, ca_label blob,
        status blob NOT NULL, reason int, expiry timestamp, revoked_at timestamp, pem blob NOT NULL,
        PRIMARY KEY(serial_number, authority_key_identifier));";
    shell(
        &place,
        &format!(
            r#"mkdir cf; cd cf; sqlite3 certs.db "{table}"; echo '{{"driver":"sqlite3","data_source":"certs.db"}}' > db.json
            echo '{{"CN":"CF Root","key":{{"algo":"ecdsa","size":256}}}}' | cfssl gencert -initca - 2>log | cfssljson -bare ca
            for name in w1 w2; do
                echo "{{\"CN\":\"$name.test\",\"hosts\":[\"$name.test\"],\"key\":{{\"algo\":\"ecdsa\",\"size\":256}}}}" |
                    cfssl gencert -ca ca.pem -ca-key ca-key.pem -db-config db.json - 2>>log | cfssljson -bare $name
            done
            aki=$(openssl x509 -in ca.pem -noout -ext subjectKeyIdentifier | tail -1 | tr -d ': ' | tr A-F a-f)
            sqlite3 certs.db "UPDATE certificates SET authority_key_identifier = '$aki'"
            serial=$(sqlite3 certs.db "SELECT serial_number FROM certificates ORDER BY rowid LIMIT 1")
            cfssl revoke -db-config db.json -serial $serial -aki $aki -reason keycompromise 2>>log
            rm w1.pem w1.csr w1-key.pem"#
        ),
    );
    let report = imported(&place, "cf");
    let counts = &report["certificate_counts"];
    assert_eq!(
        (&counts["valid_count"], &counts["revoked_count"], &counts["with_key_count"]),
        (&1.into(), &1.into(), &1.into())
    );
    assert_eq!(codes(&report, "import_findings"), Vec::<String>::new());
    place.done("--dir ca crl");
    let wanted = shell(&place, r#"printf '%x\n' 0; sqlite3 cf/certs.db "SELECT status, reason FROM certificates""#);
    assert!(wanted.contains("revoked|1"), "{wanted}");
    let text = run(place.command("openssl").args(["crl", "-in", "ca/authorities/root/crl.pem", "-noout", "-text"]));
    assert!(text.contains("Key Compromise"), "{text}");
    assert!(place.done("--dir ca audit").contains("nothing was found"));
}

/// XCA keeps the revocations of a CRL that is imported, and writes them into its index. It asks for the passphrase of a new database at a
/// terminal.
#[test]
fn an_export_of_xca_is_imported_with_the_index_that_it_wrote() {
    if !skip::unless_installed(&["xca", "openssl", "script"]) {
        return;
    }
    let place = Place::new();
    shell(
        &place,
        r#"mkdir export; cd export
        key() { name=$1; shift; openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $name.key -subj "/CN=$name" "$@" 2>>../log; }
        key root -x509 -out root.pem -days 3000 -addext keyUsage=critical,keyCertSign,cRLSign
        for name in a.test b.test; do
            key $name -out $name.csr
            printf "subjectAltName=DNS:$name\nextendedKeyUsage=serverAuth\n" > ext
            openssl x509 -req -in $name.csr -CA root.pem -CAkey root.key -days 300 -out $name.pem -extfile ext 2>>../log
        done
        printf '[ca]\ndefault_ca=d\n[d]\ndatabase=../index\ncrlnumber=../number\ndefault_md=sha256\ndefault_crl_days=5\n' > ../ca.cnf
        : > ../index; echo 01 > ../number; signer='-config ../ca.cnf -keyfile root.key -cert root.pem'
        openssl ca $signer -revoke a.test.pem -crl_reason keyCompromise 2>>../log
        openssl ca $signer -gencrl -out ../crl.pem 2>>../log
        rm *.csr ext a.test.key"#,
    );
    let mut make = place.command("script");
    let files = "root.key root.pem a.test.pem b.test.pem";
    let xca = format!("cd export; xca --no-gui --database=../x.xdb --import {files} --exit");
    make.args(["-qefc", &xca, "screen"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut make = make.spawn().unwrap();
    let screen = || fs::read_to_string(place.path("screen")).unwrap_or_default();
    wait_for("the question", || screen().contains("Password:").then_some(()));
    make.stdin.as_mut().unwrap().write_all(b"secret\n").unwrap();
    assert!(make.wait().unwrap().success(), "{}", screen());
    let xca = "xca --no-gui --database=x.xdb --password=pass:secret";
    shell(&place, &format!("{xca} --import crl.pem --exit; {xca} --index=export/index.txt --exit"));
    let index = fs::read_to_string(place.path("export/index.txt")).unwrap();
    assert!(
        index.contains("\nR\t") && index.matches("\nV\t").count() + usize::from(index.starts_with("V\t")) == 2,
        "{index}"
    );

    let report = imported(&place, "--from xca-pem export");
    let counts = &report["certificate_counts"];
    for (key, count) in [("valid_count", 1), ("revoked_count", 1), ("with_key_count", 1)] {
        assert_eq!(counts[key], count, "{key}: {report:#}");
    }
    assert_eq!(codes(&report, "not_known"), ["no-record", "crl-number"]);
    assert_eq!(codes(&report, "import_findings"), Vec::<String>::new());
    place.done("--dir ca crl");
    assert_eq!(
        revoked(&place, "ca/authorities/root/crl.pem"),
        [serial(&place, "export/a.test.pem").trim().trim_start_matches("serial=").to_lowercase()]
    );
    place.done("--dir ca verify export/b.test.pem --hostname b.test");
}
