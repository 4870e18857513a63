//! Tests of the checks of an audit one by one: several of them find most changes, so each is known by its sentence.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use super::tests::{copy, eventful, rewrite_hashes};
use super::*;
use crate::authority::testing::Ca;
use crate::store::index::sample::tamper;

/// Returns what an audit finds: code, object and message on one line.
fn sentences(ca: &Ca, options: &AuditOptions) -> Vec<String> {
    let report = ca.with_effects(|effects| audit(&ca.store(), options, effects));
    report.findings.iter().map(|finding| format!("{} {}: {}", finding.code, finding.object, finding.message)).collect()
}

#[test]
fn each_check_of_the_index_says_what_it_found() {
    let web = "(SELECT max(id) FROM certificate WHERE name = 'web.test')";
    let issuing = "(SELECT id FROM certificate WHERE name = 'issuing')";
    let changes = [
        (format!("UPDATE certificate SET subject = 'CN=x' WHERE id = {web}"), "stored certificate differ: subject"),
        (
            format!(
                "UPDATE certificate SET der = CAST(substr(der, 1, length(der) - 1) || x'00' AS BLOB) WHERE id = {web}"
            ),
            "its signature is not one of its issuer",
        ),
        (format!("DELETE FROM san WHERE certificate = {web}"), "does not find it by its name dns:web.test"),
        (
            format!("UPDATE certificate SET delivered_at = delivered_at - 1 WHERE id = {web}"),
            "a mark does not fit its check value",
        ),
        (
            format!("DELETE FROM certificate WHERE id = {issuing}"),
            "the index has no CA certificate of its issuer 'CN=Private Root CA issuing'",
        ),
        (
            format!("DELETE FROM certificate WHERE id = {issuing}"),
            "the index has no CA certificate of 'issuing', which signed it",
        ),
        (
            "UPDATE event SET content = (SELECT content FROM event e WHERE e.number = 3), row = (SELECT row FROM event e WHERE \
             e.number = 3), object = (SELECT object FROM event e WHERE e.number = 3) WHERE number = 4"
                .to_owned(),
            "an earlier event covers the same row",
        ),
    ];
    for (statements, expected) in changes {
        let ca = eventful();
        tamper(&ca.path("index.db"), &statements);
        let found = sentences(&ca, &AuditOptions::default());
        assert!(found.iter().any(|sentence| sentence.contains(expected)), "{expected}: {found:#?}");
    }
}

#[test]
fn a_forged_certificate_is_found_by_its_signature_when_the_log_was_rewritten_to_fit_it() {
    let ca = eventful();
    let path = ca.path("index.db");
    let forge =
        "UPDATE certificate SET der = CAST(substr(der, 1, length(der) - 1) || x'00' AS BLOB) WHERE name = 'web.test'";
    tamper(&path, forge);
    let index = ca.index();
    let mut fitting = String::new();
    index
        .each_event::<IndexError>(|event, _| {
            if event.object.as_deref() == Some("certificate") {
                let content = text::hex(&index.covered_digest(&event)?.unwrap());
                fitting += &format!("UPDATE event SET content = x'{content}' WHERE number = {};", event.number);
            }
            Ok(())
        })
        .unwrap();
    drop(index);
    tamper(&path, &fitting);
    rewrite_hashes(&ca);
    let found = sentences(&ca, &AuditOptions::default());
    for expected in ["its signature is not one of its issuer", "over the head of the log is invalid"] {
        assert!(found.iter().any(|sentence| sentence.contains(expected)), "{expected}: {found:#?}");
    }
    assert!(!found.iter().any(|sentence| sentence.contains("it is not what was recorded")), "{found:#?}");
}

#[test]
fn each_check_of_the_files_says_what_it_found() {
    type Change = (fn(&Ca), &'static str);
    let changes: [Change; 10] = [
        (
            |ca| copy_file(&Ca::new(), "authorities/issuing/cert.pem", ca, "issued/other.test/cert.pem"),
            "the index says that the certificate of 'other.test'",
        ),
        (
            |ca| copy(&ca.path("authorities/root"), &ca.path("authorities/planted")),
            "planted/cert.pem: the index has no certificate of an authority with this name",
        ),
        (
            |ca| fs::remove_dir_all(ca.path("authorities/issuing")).unwrap(),
            "the index has the authority 'issuing', but its folder is gone",
        ),
        (
            |ca| copy_file(&Ca::new(), "authorities/root/cert.pem", ca, "authorities/issuing/chain.pem"),
            "issuing/chain.pem: 'CN=Private Root CA' in it did not sign",
        ),
        (
            |ca| copy_file(&Ca::new(), "authorities/root/cert.pem", ca, "authorities/root/old-with-new.pem"),
            "root/old-with-new.pem: it contains a certificate",
        ),
        (
            |ca| copy_file(&Ca::new(), "authorities/issuing/cert.pem", ca, "issued/other.test/chain.pem"),
            "other.test/chain.pem: 'CN=Private Root CA issuing' in it did not sign",
        ),
        (
            |ca| {
                copy_file(&eventful(), "issued/web.test/cert.pem", ca, "issued/.generations/web.test/x/cert.pem");
            },
            "certificate-unknown",
        ),
        (
            |ca| {
                fs::rename(ca.path("ca.toml"), ca.top.path().join("elsewhere.toml")).unwrap();
                symlink(ca.top.path().join("elsewhere.toml"), ca.path("templates/x.toml")).unwrap();
                fs::copy(ca.top.path().join("elsewhere.toml"), ca.path("ca.toml")).unwrap();
            },
            "link",
        ),
        (
            |ca| {
                let crl = ca.path("authorities/issuing/crl.pem");
                fs::set_permissions(crl, Permissions::from_mode(0o666)).unwrap();
            },
            "issuing/crl.pem: other users can change it: its mode is 0666",
        ),
        (
            |ca| {
                let other = eventful();
                copy_file(&other, "authorities/issuing/crl.der", ca, "authorities/issuing/crl.der");
                copy_file(&other, "authorities/issuing/crl.pem", ca, "authorities/issuing/crl.pem");
            },
            "it is not a CRL that 'issuing' signed",
        ),
    ];
    for (change, expected) in changes {
        let ca = eventful();
        change(&ca);
        let found = sentences(&ca, &AuditOptions::default());
        assert!(found.iter().any(|sentence| sentence.contains(expected)), "{expected}: {found:#?}");
        // What a CRL of another key names says nothing about this CA.
        assert!(!found.iter().any(|sentence| sentence.contains("it revokes the certificate")), "{found:#?}");
    }
}

fn copy_file(from: &Ca, path: &str, to: &Ca, place: &str) {
    fs::create_dir_all(to.path(place).parent().unwrap()).unwrap();
    fs::copy(from.path(path), to.path(place)).unwrap();
}

#[test]
fn a_scan_reports_a_certificate_once() {
    let ca = eventful();
    let backup = fs::read(ca.path("index.db")).unwrap();
    let log = fs::read(ca.path("index.db-wal")).unwrap_or_default();
    ca.issue(crate::authority::testing::order("server", "lost.test")).unwrap();
    let top = ca.top.path().join("scanned");
    copy(&ca.path("issued/lost.test"), &top.join("a"));
    copy(&ca.path("issued/lost.test"), &top.join("b"));
    fs::remove_dir_all(ca.path("issued/lost.test")).unwrap();
    fs::write(ca.path("index.db"), backup).unwrap();
    fs::write(ca.path("index.db-wal"), log).unwrap();
    drop(fs::remove_file(ca.path("index.db-shm")));
    let options = AuditOptions { scan: vec![top], ..AuditOptions::default() };
    let found = sentences(&ca, &options);
    assert_eq!(found.iter().filter(|it| it.starts_with("certificate-unknown")).count(), 1, "{found:#?}");
}

#[test]
fn without_the_lock_nothing_is_repaired_and_the_report_says_so() {
    let ca = eventful();
    fs::set_permissions(ca.path("templates"), Permissions::from_mode(0o755)).unwrap();
    let audited = |fix| {
        let options = AuditOptions { fix, ..AuditOptions::default() };
        ca.with_effects_without_lock(|effects| audit(&ca.store(), &options, effects))
    };
    let codes = |report: AuditReport| report.findings.iter().map(|finding| finding.code).collect::<Vec<_>>();
    assert_eq!(codes(audited(false)), ["open-folder"]);
    assert_eq!(codes(audited(true)), ["open-folder", "check-failed"]);
}

#[test]
fn a_ca_that_its_owner_shares_with_a_group_is_as_intended_except_for_its_keys() {
    let ca = eventful();
    let mode = |path: &str, mode| fs::set_permissions(ca.path(path), Permissions::from_mode(mode)).unwrap();
    let codes = || {
        let report = ca.with_effects(|effects| audit(&ca.store(), &AuditOptions::default(), effects));
        let mut found: Vec<_> = report.findings.into_iter().map(|finding| finding.fix).collect();
        let home = ca.home.folder().to_string_lossy().into_owned() + "/";
        found.iter_mut().for_each(|fix| *fix = fix.replace(&home, ""));
        found.sort();
        found
    };
    let files = ["authorities", "authorities/root", "authorities/issuing"];
    // As docs/reference/files.md describes it.
    files.iter().for_each(|folder| mode(folder, 0o750));
    mode("index.db", 0o640);
    mode(".", 0o750);
    assert_eq!(codes(), [""; 0]);
    // More than that is a finding, and so is each of it when the folder itself is closed to the group.
    mode("authorities", 0o755);
    mode("index.db", 0o644);
    mode("authorities/root/key.pem", 0o640);
    assert_eq!(codes(), ["chmod 0600 authorities/root/key.pem", "chmod 0640 index.db", "chmod 0750 authorities"]);
    mode("authorities/root/key.pem", 0o600);
    mode("authorities", 0o750);
    mode("index.db", 0o640);
    for open in [0o700, 0o755, 0o710] {
        mode(".", open);
        assert!(codes().iter().any(|fix| fix == "chmod 0600 index.db"), "{open:o}: {:?}", codes());
    }
}
