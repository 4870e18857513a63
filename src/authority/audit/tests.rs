//! What an audit finds after a CA was changed without this program, and that it finds nothing in one that was not.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::authority::hierarchy::rotation::RootRotationOrder;
use crate::authority::leaf::hook::{self, Hook, OnFailure};
use crate::authority::leaf::order::IssueOrder;
use crate::authority::leaf::renew::NextKey;
use crate::authority::revocation::publish_crl::CrlOrder;
use crate::authority::testing::{Ca, order};
use crate::issuance::{FileRules, FileRulesChange};
use crate::store::delivery::Destination;
use crate::store::index::crl_bundle::StoredBundle;
use crate::store::index::sample::tamper;
use crate::store::index::{EventKind, NewExport};
use crate::store::progress::Unreported;
use crate::text::Lifetime;
use crate::x509::crl::RevocationReason;

/// Returns the codes of what an audit finds, without notes.
pub(super) fn codes(ca: &Ca, options: &AuditOptions) -> Vec<&'static str> {
    let report = ca.with_effects(|effects| audit(&ca.store(), options, effects));
    let wrong = report.findings.iter().filter(|finding| finding.severity > Severity::Note);
    wrong.map(|finding| finding.code).collect()
}

pub(super) fn found(ca: &Ca) -> Vec<&'static str> {
    codes(ca, &AuditOptions::default())
}

fn head(ca: &Ca) -> [u8; 32] {
    ca.index().log_head().unwrap().unwrap().hash
}

pub(super) fn hook_of(ca: &Ca, command: Option<&str>) {
    let hook = command.map(|command| Hook {
        command: command.to_owned(),
        timeout: Lifetime::from_seconds(30).unwrap(),
        on_failure: OnFailure::Keep,
    });
    ca.with_effects(|effects| hook::remember(&ca.store(), "web.test", hook.as_ref(), effects)).unwrap();
}

/// Remembers an export, and another one in its place.
pub(super) fn exports_of(ca: &Ca) {
    let export = |kind: &str| NewExport {
        name: "web.test".to_owned(),
        kind: kind.to_owned(),
        target: Some("java".to_owned()),
        destination: ca.top.path().join("web"),
        passphrase_file: Some("/etc/one".into()),
        key_passphrase_file: Some("/etc/two".into()),
        options: "owner=web".to_owned(),
    };
    let certificate = ca.history("web.test")[0].id;
    ca.with_effects(|effects| {
        let mut index = ca.index();
        for kind in ["combined", "p12"] {
            let mut transaction = index.transaction(effects.event_context()).unwrap();
            transaction.add_export(&export(kind), certificate).unwrap();
            transaction.commit().unwrap();
            let stored = index.exports("web.test").unwrap();
            index.mark_exported_crls(stored[0].id, 7).unwrap();
        }
    });
}

pub(super) fn access_of(ca: &Ca, mode: Option<u32>) {
    let rules = FileRules { mode, ..FileRules::default() };
    ca.with_effects(|effects| {
        let mut index = ca.index();
        let mut transaction = index.transaction(effects.event_context()).unwrap();
        transaction.set_file_rules("web.test", &rules).unwrap();
        transaction.commit().unwrap();
    });
}

/// Remembers two CRL bundles whose paths differ in one capital, and records that one was written.
pub(super) fn bundles_of(ca: &Ca) {
    ca.with_effects(|effects| {
        let mut index = ca.index();
        for (kind, path, content) in [
            (EventKind::BundleSet, "/srv/crls.pem", None),
            (EventKind::BundleSet, "/srv/CRLS.pem", None),
            (EventKind::BundleWrite, "/srv/crls.pem", Some([7; 32])),
        ] {
            let bundle = StoredBundle { path: path.into(), hook: None, also: Vec::new(), content };
            let mut transaction = index.transaction(effects.event_context()).unwrap();
            transaction.set_crl_bundle(kind, &bundle).unwrap();
            transaction.commit().unwrap();
        }
    });
}

/// Returns a CA in which every kind of event happened.
pub(super) fn eventful() -> Ca {
    let ca = Ca::new();
    for name in ["web.test", "other.test", "held.test", "revoked.test"] {
        ca.issue(order("server", name)).unwrap();
    }
    ca.renew("web.test", NextKey::Same).unwrap();
    ca.renew("other.test", NextKey::New(None)).unwrap();
    ca.roll_back("web.test").unwrap();
    ca.revoke("held.test", RevocationReason::CertificateHold).unwrap();
    ca.revoke("revoked.test", RevocationReason::KeyCompromise).unwrap();
    ca.publish(&CrlOrder::default()).unwrap();
    bundles_of(&ca);
    hook_of(&ca, Some("true"));
    access_of(&ca, Some(0o640));
    exports_of(&ca);
    ca
}

/// Copies a folder with everything in it.
pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn swap(one: &Path, other: &Path) {
    let between = one.with_extension("between");
    fs::rename(one, &between).unwrap();
    fs::rename(other, one).unwrap();
    fs::rename(between, other).unwrap();
}

#[test]
fn nothing_is_found_in_a_ca_that_only_this_program_has_changed() {
    let ca = eventful();
    assert_eq!(found(&ca), [""; 0]);

    // Everything that can follow.
    ca.revoke("held.test", RevocationReason::RemoveFromCrl).unwrap();
    hook_of(&ca, None);
    hook_of(&ca, Some("echo again"));
    access_of(&ca, None);
    access_of(&ca, Some(0o640));
    let request = ca.request_for("csr.test");
    ca.sign(&request).unwrap();
    let out = Some(Destination::Folder(ca.top.path().join("out")));
    ca.issue(IssueOrder { place: out, ..order("server", "out.test") }).unwrap();
    ca.issue(IssueOrder { issuer: Some("root".to_owned()), ..order("intermediate", "second") }).unwrap();
    ca.publish(&CrlOrder { authority: Some("root".to_owned()), ..CrlOrder::default() }).unwrap();
    assert_eq!(found(&ca), [""; 0]);
    ca.renew("out.test", NextKey::New(None)).unwrap();
    ca.roll_back("out.test").unwrap();
    ca.renew_root(None).unwrap();
    assert_eq!(found(&ca), [""; 0]);

    // A process that was killed before it could mark what it delivered.
    ca.forget_delivery("other.test");
    fs::create_dir(ca.path(".staged-0123456789abcdef")).unwrap();
    assert_eq!(found(&ca), [""; 0]);

    ca.rotate(&RootRotationOrder::default()).unwrap();
    assert_eq!(found(&ca), [""; 0]);
    ca.renew("web.test", NextKey::New(None)).unwrap();
    ca.finish(true).unwrap();
    assert_eq!(found(&ca), [""; 0]);
    fs::remove_dir_all(ca.path("retired/root")).unwrap();
    assert_eq!(found(&ca), [""; 0]);
}

#[test]
fn nothing_is_found_in_an_index_that_was_migrated() {
    let ca = eventful();
    tamper(
        &ca.path("index.db"),
        "DROP TABLE event; ALTER TABLE certificate DROP COLUMN delivered_check;
         ALTER TABLE revocation_list DROP COLUMN published_check; ALTER TABLE rollback DROP COLUMN done_check;
         DROP TABLE imported_revocation; DROP TABLE imported_serial; DROP TABLE file_rules; DROP TABLE export; DROP TABLE declaration; DROP TABLE crl_bundle; PRAGMA user_version = 3",
    );
    assert_eq!(found(&ca), [""; 0]);
    tamper(&ca.path("index.db"), "DELETE FROM revocation WHERE reason = 1");
    assert_eq!(found(&ca), ["record-deleted", "crl-differs"]);
}

#[test]
fn every_change_of_the_index_by_others_is_found() {
    let web = "(SELECT max(id) FROM certificate WHERE name = 'web.test')";
    let other = "(SELECT max(id) FROM certificate WHERE name = 'other.test')";
    let changes = [
        ("row deleted", format!("DELETE FROM san WHERE certificate = {web}; DELETE FROM certificate WHERE id = {web}"), "record-deleted"),
        ("revocation deleted", "DELETE FROM revocation WHERE reason = 1".to_owned(), "record-deleted"),
        (
            "revocation forged",
            format!(
                "INSERT INTO revocation (certificate, at, reason, authority, serial, not_after)
                 SELECT id, issued_at, 1, authority, serial, not_after FROM certificate WHERE id = {web}"
            ),
            "record-forged",
        ),
        (
            "revocation turned into a released hold",
            "UPDATE revocation SET reason = 6, released_at = at WHERE reason = 1".to_owned(),
            "record-changed",
        ),
        ("hold released", "UPDATE revocation SET released_at = at WHERE reason = 6".to_owned(), "record-forged"),
        (
            "row inserted",
            format!(
                "INSERT INTO certificate (serial, issuer, der, name, template, authority, subject, sans, key_fingerprint,
                     fingerprint, not_before, not_after, issued_at, origin)
                 SELECT x'01', issuer, der, 'forged.test', template, authority, subject, sans, key_fingerprint,
                     fingerprint, not_before, not_after, issued_at, origin FROM certificate WHERE id = {web}"
            ),
            "record-forged",
        ),
        ("subject", format!("UPDATE certificate SET subject = 'CN=x' WHERE id = {web}"), "record-changed"),
        ("expiry", format!("UPDATE certificate SET not_after = not_after + 1 WHERE id = {web}"), "record-changed"),
        ("time of issue", format!("UPDATE certificate SET issued_at = issued_at - 1 WHERE id = {web}"), "record-changed"),
        (
            "DER swapped",
            format!(
                "CREATE TEMP TABLE kept AS SELECT id, der FROM certificate WHERE id IN ({web}, {other});
                 UPDATE certificate SET der = (SELECT der FROM kept WHERE kept.id <> certificate.id)
                 WHERE id IN ({web}, {other})"
            ),
            "record-changed",
        ),
        ("hook planted", "INSERT INTO hook VALUES ('other.test', 'touch /tmp/x', 30, 'keep')".to_owned(), "record-forged"),
        ("hook changed", "UPDATE hook SET command = 'false'".to_owned(), "record-changed"),
        ("hook removed", "DELETE FROM hook".to_owned(), "record-deleted"),
        (
            "access planted",
            "INSERT INTO file_rules VALUES ('other.test', 'web', NULL, 416)".to_owned(),
            "record-forged",
        ),
        ("access changed", "UPDATE file_rules SET group_name = 'x'".to_owned(), "record-changed"),
        ("access removed", "DELETE FROM file_rules".to_owned(), "record-deleted"),
        ("export removed", "DELETE FROM export".to_owned(), "record-deleted"),
        ("export led elsewhere", "UPDATE export SET destination = '/tmp/x'".to_owned(), "record-changed"),
        (
            "export planted",
            "INSERT INTO export (name, kind, destination, options, added_at) VALUES ('web.test', 'combined', '/tmp/x', '', 1)"
                .to_owned(),
            "record-forged",
        ),
        ("export forgotten", "UPDATE export SET removed_at = 1 WHERE removed_at IS NULL".to_owned(), "record-forged"),
        ("CRL number", "UPDATE revocation_list SET number = number - 1".to_owned(), "record-deleted"),
        ("CRL deleted", "DELETE FROM revocation_list".to_owned(), "record-deleted"),
        ("entry renamed", format!("UPDATE certificate SET name = 'x.test' WHERE id = {web}"), "record-changed"),
        ("template", format!("UPDATE certificate SET template = 'peer' WHERE id = {web}"), "record-changed"),
        ("authority", format!("UPDATE certificate SET authority = 'root' WHERE id = {web}"), "record-changed"),
        ("place moved", format!("UPDATE certificate SET place = '/tmp/x' WHERE id = {web}"), "record-changed"),
        ("rollback deleted", "DELETE FROM rollback".to_owned(), "record-deleted"),
        ("name removed", format!("DELETE FROM san WHERE certificate = {web}"), "record-changed"),
        ("name added", format!("INSERT INTO san VALUES ('x.test', 'dns', {web})"), "record-changed"),
        ("event deleted", "DELETE FROM event WHERE number = 3".to_owned(), "log-broken"),
        ("event changed", "UPDATE event SET user = 'mallory' WHERE number = 3".to_owned(), "log-broken"),
        ("all events deleted", "DELETE FROM event".to_owned(), "record-forged"),
        ("signature removed", "UPDATE event SET signature = NULL WHERE number = 3".to_owned(), "log-signature"),
        ("table added", "CREATE TABLE x (y)".to_owned(), "index-schema"),
        ("trigger added", "CREATE TRIGGER x AFTER INSERT ON hook BEGIN DELETE FROM hook; END".to_owned(), "index-schema"),
    ];
    for (what, statements, expected) in changes {
        let ca = eventful();
        tamper(&ca.path("index.db"), &statements);
        let found = found(&ca);
        assert!(found.contains(&expected), "{what}: {found:?}");
    }
}

#[test]
fn every_change_of_the_files_by_others_is_found() {
    type Change = (&'static str, fn(&Ca), &'static str);
    let changes: [Change; 12] = [
        ("files swapped", |ca| swap(&ca.path("issued/web.test"), &ca.path("issued/other.test")), "file-differs"),
        ("certificate deleted", |ca| fs::remove_file(ca.path("issued/web.test/cert.pem")).unwrap(), "file-missing"),
        ("folder deleted", |ca| fs::remove_dir_all(ca.path("issued/web.test")).unwrap(), "file-missing"),
        ("key deleted", |ca| fs::remove_file(ca.path("issued/web.test/key.pem")).unwrap(), "key-missing"),
        (
            "key replaced",
            |ca| {
                let from = ca.path("issued/other.test/key.pem");
                fs::copy(from, ca.path("issued/web.test/key.pem")).unwrap();
            },
            "key-differs",
        ),
        (
            "full chain replaced",
            |ca| {
                let from = ca.path("issued/other.test/fullchain.pem");
                fs::copy(from, ca.path("issued/web.test/fullchain.pem")).unwrap();
            },
            "file-differs",
        ),
        ("chain emptied", |ca| fs::write(ca.path("issued/web.test/chain.pem"), "").unwrap(), "chain-differs"),
        (
            "another root",
            |ca| {
                let other = Ca::new();
                let root = "authorities/root/cert.pem";
                fs::copy(other.path(root), ca.path(root)).unwrap();
            },
            "file-differs",
        ),
        (
            "CA key readable",
            |ca| {
                let key = ca.path("authorities/issuing/key.pem");
                fs::set_permissions(key, Permissions::from_mode(0o640)).unwrap();
            },
            "key-readable",
        ),
        (
            "index readable",
            |ca| fs::set_permissions(ca.path("index.db"), Permissions::from_mode(0o644)).unwrap(),
            "readable-by-others",
        ),
        ("template broken", |ca| fs::write(ca.path("templates/x.toml"), "key = 1").unwrap(), "template-invalid"),
        ("CRL deleted", |ca| fs::remove_file(ca.path("authorities/issuing/crl.der")).unwrap(), "crl-missing"),
    ];
    for (what, change, expected) in changes {
        let ca = eventful();
        change(&ca);
        let found = found(&ca);
        assert!(found.contains(&expected), "{what}: {found:?}");
    }
}

#[test]
fn an_older_crl_in_the_place_of_the_newest_is_found() {
    let ca = eventful();
    let crl = ca.path("authorities/issuing/crl.der");
    let old = fs::read(&crl).unwrap();
    ca.publish(&CrlOrder::default()).unwrap();
    assert_eq!(found(&ca), [""; 0]);
    fs::write(&crl, old).unwrap();
    assert_eq!(found(&ca), ["crl-outdated"]);
}

#[test]
fn an_index_that_was_rolled_back_is_found_by_a_kept_head_by_files_and_by_a_crl() {
    let ca = eventful();
    let keep_index = |ca: &Ca, to: &str| {
        ca.index().close_folded().unwrap();
        fs::copy(ca.path("index.db"), ca.top.path().join(to)).unwrap();
    };
    let bring_back = |ca: &Ca, from: &str| {
        fs::copy(ca.top.path().join(from), ca.path("index.db")).unwrap();
        drop(fs::remove_file(ca.path("index.db-wal")));
        drop(fs::remove_file(ca.path("index.db-shm")));
    };
    let before = head(&ca);
    keep_index(&ca, "old.db");
    ca.revoke("held.test", RevocationReason::Superseded).unwrap();
    let after = head(&ca);
    for kept in [before, after] {
        assert_eq!(codes(&ca, &AuditOptions { head: Some(kept), ..AuditOptions::default() }), [""; 0]);
    }
    // Nothing but the head shows a revocation that no CRL has yet.
    keep_index(&ca, "new.db");
    bring_back(&ca, "old.db");
    assert_eq!(found(&ca), [""; 0]);
    let options = AuditOptions { head: Some(after), ..AuditOptions::default() };
    assert_eq!(codes(&ca, &options), ["log-rolled-back"]);

    bring_back(&ca, "new.db");
    ca.publish(&CrlOrder::default()).unwrap();
    keep_index(&ca, "new.db");
    bring_back(&ca, "old.db");
    // The hold of the older index is a revocation on the CRL.
    assert_eq!(found(&ca), ["crl-unknown", "crl-unknown", "crl-differs"]);

    bring_back(&ca, "new.db");
    ca.issue(order("server", "new.test")).unwrap();
    bring_back(&ca, "new.db");
    assert_eq!(found(&ca), ["certificate-unknown"]);
}

/// Writes the hashes of the log again, as anybody can who can write the index.
pub fn rewrite_hashes(ca: &Ca) {
    let mut hash = empty_hash();
    let mut rewritten = String::new();
    ca.index()
        .each_event::<IndexError>(|event, encoded| {
            hash = crate::store::index::next_hash(&hash, encoded);
            rewritten += &format!("UPDATE event SET head = x'{}' WHERE number = {};", text::hex(&hash), event.number);
            Ok(())
        })
        .unwrap();
    tamper(&ca.path("index.db"), &rewritten);
}

#[test]
fn a_log_that_was_rewritten_with_right_hashes_is_found_by_its_signatures() {
    let ca = eventful();
    tamper(&ca.path("index.db"), "UPDATE event SET user = 'mallory' WHERE number = 3");
    rewrite_hashes(&ca);
    let found = found(&ca);
    assert!(!found.is_empty() && found.iter().all(|code| *code == "log-signature"), "{found:?}");
}

#[test]
fn a_certificate_that_the_index_lost_is_found_in_another_folder() {
    let ca = eventful();
    let folder = ca.top.path().join("deep/er");
    copy(&ca.path("issued/web.test"), &folder);
    copy(&Ca::new().path("authorities/root"), &ca.top.path().join("deep/others"));
    let options = AuditOptions { scan: vec![ca.top.path().join("deep")], ..AuditOptions::default() };
    assert_eq!(codes(&ca, &options), [""; 0]);
    let web = "(SELECT id FROM certificate WHERE name = 'web.test')";
    tamper(
        &ca.path("index.db"),
        &format!("DELETE FROM san WHERE certificate IN {web}; DELETE FROM certificate WHERE id IN {web}"),
    );
    let report = ca.with_effects(|effects| audit(&ca.store(), &options, effects));
    let unknown = report.findings.iter().filter(|finding| finding.code == "certificate-unknown");
    assert!(unknown.clone().any(|finding| finding.object.contains("/deep/er/")), "{:?}", report.findings);
    assert!(!unknown.clone().any(|finding| finding.object.contains("/others/")));
}

#[test]
fn fix_repairs_modes_missing_copies_and_left_overs_and_nothing_else() {
    let ca = eventful();
    let read = |path: &str| fs::read(ca.path(path)).unwrap();
    let copies = [
        "issued/web.test/cert.pem",
        "issued/web.test/chain.pem",
        "issued/other.test/fullchain.pem",
        "authorities/issuing/cert.pem",
        "authorities/issuing/crl.pem",
    ];
    let before = copies.map(read);
    copies.iter().for_each(|path| fs::remove_file(ca.path(path)).unwrap());
    fs::set_permissions(ca.path("authorities/root/key.pem"), Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(ca.path("templates"), Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(ca.path("authorities/issuing/.staged-0123456789abcdef")).unwrap();
    fs::copy(ca.path("issued/held.test/key.pem"), ca.path("issued/revoked.test/key.pem")).unwrap();
    let looked = ca.with_effects(|effects| audit(&ca.store(), &AuditOptions::default(), effects));
    assert!(!ca.path(copies[0]).exists() && looked.repaired.is_empty(), "nothing is written without fix");

    let options = AuditOptions { fix: true, ..AuditOptions::default() };
    let report = ca.with_effects(|effects| audit(&ca.store(), &options, effects));
    let left: Vec<_> = report.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(left, ["key-differs"]);
    assert_eq!(report.repaired.len(), 8, "{:?}", report.repaired);
    assert_eq!(copies.map(read), before);
    assert_eq!(crate::system::files::mode(&ca.path("authorities/root/key.pem")).unwrap(), 0o600);
    assert!(!ca.path("authorities/issuing/.staged-0123456789abcdef").exists());
}

#[test]
fn the_folder_of_a_key_for_a_group_can_be_entered_by_it_and_others_cannot() {
    let ca = Ca::new();
    ca.issue(order("server", "plain.test")).unwrap();
    let files = FileRulesChange { mode: Some(Some(0o640)), ..FileRulesChange::default() };
    ca.issue(IssueOrder { files, ..order("server", "web.test") }).unwrap();
    let mode = |path: &str| fs::metadata(ca.path(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode("issued/web.test"), mode("issued/web.test/key.pem")], [0o750, 0o640]);
    assert_eq!(found(&ca), [""; 0]);
    let set = |path: &str, mode| fs::set_permissions(ca.path(path), Permissions::from_mode(mode)).unwrap();
    set("issued/plain.test", 0o750);
    assert_eq!(found(&ca), ["open-folder"]);
    set("issued/plain.test", 0o700);
    set("issued/web.test", 0o755);
    assert_eq!(found(&ca), ["open-folder"]);
    set("issued/web.test", 0o750);
    set("issued/web.test/key.pem", 0o644);
    assert_eq!(found(&ca), ["key-readable"]);
}

#[test]
fn what_was_found_in_the_index_holds_until_its_log_goes_on() {
    let ca = eventful();
    let again = |known| {
        let (report, known) = audit_once(&ca.store(), &AuditOptions::default(), &Unreported, known);
        (report.findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), known)
    };
    let (found, known) = again(None);
    assert_eq!(found, [""; 0]);
    tamper(&ca.path("index.db"), "UPDATE certificate SET subject = 'CN=x' WHERE name = 'held.test'");
    fs::remove_file(ca.path("issued/other.test/chain.pem")).unwrap();
    let (found, known) = again(known);
    assert_eq!(found, ["file-missing"], "the index is not read again, and the files are");
    ca.issue(order("server", "new.test")).unwrap();
    fs::remove_file(ca.path("issued/new.test/chain.pem")).unwrap();
    let (found, known) = again(known);
    assert_eq!(found, ["record-changed", "record-changed", "file-missing", "file-missing"]);
    assert_eq!(again(known).0, found, "what was found is kept");
}
