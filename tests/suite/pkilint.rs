//! pkilint, a linter that is not ours, over every kind of certificate and revocation list that the program makes. What it
//! finds is sorted in `pkilint.md`, with reasons; a new finding fails, and so does a reason that nothing needs any more.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::support::program::{Place, succeeded};
use crate::support::{repository, skip, table};

const ALGORITHMS: &[&str] = &["ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519", "rsa-2048"];

/// A template with everything that the built-in ones leave out.
const PUBLISHED: &str = r#"
summary  = "a server whose lists and issuer are published"
key      = ["ecdsa-p256"]
lifetime = "90d"
longest  = "825d"

[subject]
common-name  = "first"
organization = "{{ organization }}"
country      = "{{ country }}"

[names]
kinds    = ["dns", "ip", "email", "uri"]
at-least = 1

[usage]
key      = ["digital-signature"]
extended = ["server-auth", "client-auth"]

[distribution]
crl        = ["http://pki.corp.example/issuing.crl"]
ca-issuers = ["http://pki.corp.example/issuing.cer"]
ocsp       = ["http://ocsp.corp.example/"]
"#;

#[test]
fn pkilint_finds_nothing_but_what_is_not_meant_for_a_private_ca() {
    if !skip::unless_installed(&["openssl"]) {
        return;
    }
    let Some(python) = skip::unless_python() else { return };
    let place = Place::new();
    let mut files = Vec::new();
    for algorithm in ALGORITHMS {
        let ca = |words: &str| place.done(&format!("--dir {algorithm} {words}"));
        ca(&format!(
            "init --name Corp-Root --organization Acme --country DE --intermediate --no-passphrase --key {algorithm}"
        ));
        ca(&format!(
            "issue server web.corp.example --san *.apps.corp.example --san 10.0.0.1 --san 2001:db8::1 --key {algorithm}"
        ));
        ca(&format!("issue client alice@corp.example --key {algorithm}"));
        ca(&format!("issue client bob --san spiffe://corp.example/bob --key {algorithm}"));
        ca(&format!("issue peer peer.corp.example --key {algorithm}"));
        ca(&format!("issue intermediate second --issuer root --key {algorithm}"));
        fs::create_dir_all(place.path(format!("{algorithm}/templates"))).unwrap();
        fs::write(place.path(format!("{algorithm}/templates/published.toml")), PUBLISHED).unwrap();
        ca("issue published pki.corp.example --san ops@corp.example --san https://corp.example/x --san 192.0.2.1");
        ca("revoke alice@corp.example --reason key-compromise");
        ca("revoke bob --reason hold");
        ca("revoke second --reason superseded");
        for authority in ["root", "issuing"] {
            ca(&format!("crl --authority {authority}"));
            files.push(format!("{algorithm}/authorities/{authority}/crl.pem"));
            files.push(format!("{algorithm}/authorities/{authority}/cert.pem"));
        }
        for issued in fs::read_dir(place.path(format!("{algorithm}/issued"))).unwrap() {
            files.push(format!("{algorithm}/issued/{}/cert.pem", issued.unwrap().file_name().to_string_lossy()));
        }
    }
    place.done(
        "--dir constrained init --name Corp-Root --intermediate --no-passphrase --permit corp.example --permit 10.0.0.0/8 \
         --permit email:corp.example --exclude secret.corp.example",
    );
    files.extend(["root", "issuing"].map(|authority| format!("constrained/authorities/{authority}/cert.pem")));
    // The next root, both certificates across, and what each root has issued last for itself and for the authority below.
    place.done("--dir rotated init --name Corp-Root --intermediate --no-passphrase --permit corp.example");
    place.done("--dir rotated root renew root");
    place.done("--dir rotated root rotate start");
    let made = ["root/cert", "issuing/cert", "root-g2/cert", "root-g2/old-with-new", "root-g2/new-with-old"];
    files.extend(made.map(|made| format!("rotated/authorities/{made}.pem")));

    let mut command = place.command(python);
    command.arg(repository().join("tests/interop/pkilint_all.py")).args(&files);
    let said = succeeded("pkilint", &command.output().unwrap());
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let linted = lines.last().unwrap()["linted"].as_u64().unwrap();
    assert!(linted as usize >= files.len(), "only {linted} were linted");

    let document = fs::read_to_string(repository().join("tests/suite/pkilint.md")).unwrap();
    let rows = table::below_heading(&document, "## Not applicable");
    assert!(rows.iter().all(|row| row[2].len() > 20), "a row without a reason");
    let excused: BTreeSet<(String, String)> =
        rows.iter().map(|row| (row[0].clone(), table::code_words(&row[1]).remove(0))).collect();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found: BTreeSet<_> =
        lines[..lines.len() - 1].iter().map(|it| (text(&it["linter"]), text(&it["code"]))).collect();
    let shown = |(linter, code): &(String, String)| {
        let example = lines.iter().find(|line| line["linter"] == **linter && line["code"] == **code);
        format!("{linter} {code}: {}", example.map(ToString::to_string).unwrap_or_default())
    };
    let new: Vec<_> = found.difference(&excused).map(shown).collect();
    assert!(new.is_empty(), "new findings:\n{}", new.join("\n"));
    let idle: Vec<_> = excused.difference(&found).map(shown).collect();
    assert!(idle.is_empty(), "reasons that nothing needs any more:\n{}", idle.join("\n"));
}
