//! What needs attention, and what does not.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::authority::leaf::hook;
use crate::authority::revocation::publish_crl::CrlOrder;
use crate::authority::testing::{Ca, NOW, order};
use crate::store::home::Home;
use crate::x509::crl::RevocationReason;

fn status(ca: &Ca) -> CaStatus {
    let home = Home::find_to_audit(Some(ca.home.folder()), ca.home.folder()).unwrap();
    of(&Store::open(home).unwrap(), "issuing", ca.now).unwrap()
}

/// The codes and objects of what needs attention, the fix behind an arrow.
fn shown(ca: &Ca) -> Vec<String> {
    let folder = format!("{}/", ca.home.folder().display());
    let shown = |item: &Item| {
        format!("{} {} -> {}", item.kind.code(), item.object.replace(&folder, ""), item.fix.replace(&folder, ""))
    };
    status(ca).items.iter().map(shown).collect()
}

fn mode(ca: &Ca, path: &str, mode: u32) {
    fs::set_permissions(ca.path(path), Permissions::from_mode(mode)).unwrap();
}

/// Codes are public, and the page that lists them is for scripts.
#[test]
fn every_code_is_in_the_reference() {
    let reference = include_str!("../../../docs/reference/status.md");
    for kind in Kind::ALL {
        let severity = if kind.is_error() { "error" } else { "warning" };
        assert!(reference.contains(&format!("| `{}` | {severity} |", kind.code())), "{}", kind.code());
    }
}

#[test]
fn a_ca_in_order_needs_no_attention() {
    let mut ca = Ca::new();
    assert_eq!(status(&ca).certificates, 0);
    ca.issue(order("server", "web.test")).unwrap();
    ca.publish(&CrlOrder::default()).unwrap();
    ca.now += Duration::DAY;
    let found = status(&ca);
    assert_eq!(found.items, [], "{found:?}");
    assert_eq!((found.certificates, found.expired, found.expiring), (1, 0, 0));
}

#[test]
fn what_expires_is_named_while_it_is_in_use() {
    let mut ca = Ca::new();
    for name in ["web.test", "gone.test", "kept.test"] {
        ca.issue(order("server", name)).unwrap();
    }
    ca.publish(&CrlOrder::default()).unwrap();
    ca.now += Duration::days(25);
    assert_eq!(shown(&ca), ["crl-due issuing -> ca crl --ensure"]);
    ca.now += Duration::days(40);
    ca.revoke("gone.test", RevocationReason::Superseded).unwrap();
    ca.renew("kept.test", crate::authority::leaf::renew::NextKey::Same).unwrap();
    assert_eq!(shown(&ca), ["crl-expired issuing -> ca crl --ensure", "certificate-due web.test -> ca renew web.test"]);
    assert_eq!(status(&ca).expiring, 1);
    ca.now += Duration::days(40);
    assert_eq!(
        shown(&ca),
        ["crl-expired issuing -> ca crl --ensure", "certificate-expired web.test -> ca renew web.test"]
    );
    let found = status(&ca);
    assert_eq!((found.certificates, found.expired), (3, 1));
    fs::remove_file(ca.path("authorities/issuing/crl.der")).unwrap();
    assert_eq!(shown(&ca)[0], "crl-missing issuing -> ca crl");
}

/// Short-lived certificates are never due for long, and still expire within the month.
#[test]
fn what_expires_soon_is_counted_also_when_it_is_not_due() {
    let ca = Ca::new();
    let order = order("server", "short.test");
    let expiry = crate::issuance::Expiry::For("20d".parse().unwrap());
    ca.issue(crate::authority::leaf::order::IssueOrder { expiry, ..order }).unwrap();
    let found = status(&ca);
    assert_eq!((found.items.len(), found.expiring), (0, 1));
}

#[test]
fn an_authority_is_named_before_its_certificates_would_be_cut_short() {
    let mut ca = Ca::new();
    let fix = "ca renew issuing";
    ca.now += Duration::days(4 * 365);
    assert_eq!(shown(&ca), [format!("authority-due issuing -> {fix}")]);
    ca.now += Duration::days(300);
    assert!(status(&ca).items[0].message.contains("a certificate of the template 'client' would live 90 days"));
    ca.now = NOW + Duration::days(5 * 365 + 1);
    assert_eq!(shown(&ca)[0], format!("authority-expired issuing -> {fix}"));
    ca.now = NOW + Duration::days(365);
    let long =
        include_str!("../../../templates/server.toml").replace("\"90d\"", "\"4y\"").replace("\"825d\"", "\"4y\"");
    fs::create_dir_all(ca.path("templates")).unwrap();
    fs::write(ca.path("templates/long.toml"), long).unwrap();
    assert_eq!(shown(&ca), [format!("authority-expires-early issuing -> {fix}")]);
}

#[test]
fn files_that_are_missing_or_open_are_named_with_their_fix() {
    let ca = Ca::new();
    for name in ["a.test", "b.test", "c.test"] {
        ca.issue(order("server", name)).unwrap();
    }
    fs::remove_dir_all(ca.path("issued/a.test")).unwrap();
    fs::remove_file(ca.path("issued/b.test/fullchain.pem")).unwrap();
    assert_eq!(shown(&ca), ["file-missing a.test -> ca rekey a.test", "file-missing b.test -> ca audit --fix"]);
    ca.revoke("a.test", RevocationReason::Superseded).unwrap();
    ca.revoke("b.test", RevocationReason::Superseded).unwrap();
    assert_eq!(shown(&ca), Vec::<String>::new());
    mode(&ca, "issued/c.test/key.pem", 0o644);
    mode(&ca, "authorities/root/key.pem", 0o640);
    mode(&ca, "ca.toml", 0o666);
    mode(&ca, "authorities", 0o755);
    let mut found = shown(&ca);
    found.sort();
    assert_eq!(
        found,
        [
            "open-permissions authorities -> chmod 0700 authorities",
            "open-permissions authorities/root/key.pem -> chmod 0600 authorities/root/key.pem",
            "open-permissions ca.toml -> chmod 0644 ca.toml",
            "open-permissions issued/c.test/key.pem -> chmod 0600 issued/c.test/key.pem",
        ]
    );
}

#[test]
fn what_was_never_delivered_is_named_until_it_is_issued_again() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    ca.forget_delivery("web.test");
    assert_eq!(shown(&ca), Vec::<String>::new(), "its files are there");
    fs::remove_dir_all(ca.path("issued/web.test")).unwrap();
    assert_eq!(shown(&ca), ["not-delivered web.test -> ca issue server web.test"]);
    ca.issue(order("server", "web.test")).unwrap();
    assert_eq!(shown(&ca), Vec::<String>::new());
}

#[test]
fn a_clock_that_went_back_and_a_template_that_cannot_be_read_are_named() {
    let mut ca = Ca::new();
    ca.now -= Duration::days(1);
    let found = shown(&ca);
    assert_eq!(found[0], "clock-behind the clock of this machine -> timedatectl set-ntp true");
    ca.now += Duration::days(1);
    fs::create_dir_all(ca.path("templates")).unwrap();
    fs::write(ca.path("templates/bad.toml"), "lifetime = 5\n").unwrap();
    mode(&ca, "templates", 0o700);
    assert_eq!(shown(&ca), ["template-invalid templates/bad.toml -> ca template check templates/bad.toml"]);
}

#[test]
fn a_hook_that_failed_is_named_until_the_files_change_again() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    let store = ca.store();
    let hook =
        hook::Hook { command: "false".to_owned(), timeout: "5m".parse().unwrap(), on_failure: hook::OnFailure::Keep };
    ca.with_effects(|effects| hook::remember(&store, "web.test", Some(&hook), effects)).unwrap();
    assert_eq!(shown(&ca), Vec::<String>::new());
    ca.with_effects(|effects| hook::record_failure(&store, "web.test", "ended with exit status 1".to_owned(), effects))
        .unwrap();
    assert_eq!(shown(&ca), ["hook-failed web.test -> ca renew web.test"]);
    assert_eq!(status(&ca).items[0].message, "its hook ended with exit status 1, 0 seconds ago");
    ca.renew("web.test", crate::authority::leaf::renew::NextKey::Same).unwrap();
    assert_eq!(shown(&ca), Vec::<String>::new());
}
