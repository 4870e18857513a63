//! Rotations of small CAs, and what a renewed root keeps.

use crate::authority::error::CertifyError;
use crate::authority::hierarchy::rotation::{RotationError, *};
use crate::store::StoreError;
use crate::store::passphrase_prompt::EncryptedKey;
use std::fs;

use time::Duration;

use crate::authority::hierarchy::{init, renew_root};
use crate::authority::leaf::order::{IfNameExists, IssueOrder};
use crate::authority::leaf::renew::NextKey;
use crate::authority::testing::{Ca, files_below, order};
use crate::store::ca_certificates::{CaCertificates, read_certificate, read_certificates};
use crate::store::config::Config;
use crate::store::effects::Effects;
use crate::store::index::Filter;
use crate::system::Entropy;
use crate::system::entropy::SystemEntropy;
use crate::text::Lifetime;
use crate::x509::{Certificate, KeyAlgorithm};

/// A CA two below the root that issues through a chain of three.
const POLICY: &str = "summary = \"policy CA\"\nkey = [\"ecdsa-p256\"]\nlifetime = \"6y\"\n[subject]\ncommon-name = \"name\"\n\
                      [usage]\nkey = [\"key-cert-sign\", \"crl-sign\"]\n[authority]\npath-length = 1\n";

fn ca_of_three() -> Ca {
    let ca = Ca::none();
    ca.init(init::InitOrder { intermediate: None, ..ca.init_order() }).unwrap();
    fs::write(ca.path("templates/policy.toml"), POLICY).unwrap();
    ca.issue(order("policy", "policy")).unwrap();
    ca.issue(IssueOrder { issuer: Some("policy".to_owned()), ..order("intermediate", "issuing") }).unwrap();
    ca
}

fn left(ca: &Ca) -> Vec<String> {
    let state = ca.rotation_status().unwrap().unwrap();
    state.certificates.into_iter().map(|entry| entry.name).collect()
}

fn certificate(ca: &Ca, path: &str) -> Certificate {
    read_certificate(&ca.path(path)).unwrap()
}

#[test]
fn a_root_has_signed_what_names_it_and_bears_its_signature() {
    let ca = Ca::new();
    let authorities = CaCertificates::of(&ca.home);
    let root = authorities.roots().unwrap().remove(0);
    let signed = authorities.certificate("issuing").unwrap();
    assert!(root.has_signed(&signed));
    let mut of_another = signed.clone();
    of_another.issuer = signed.subject.clone();
    assert!(!root.has_signed(&of_another));
    let mut forged = signed;
    forged.signature.reverse();
    assert!(!root.has_signed(&forged));
}

#[test]
fn what_is_no_name_of_an_authority_is_none_whatever_stands_there() {
    let ca = Ca::new();
    for name in ["cert.pem", ".staged-00/cert.pem"] {
        let path = ca.path("authorities").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(ca.path("authorities/root/cert.pem"), path).unwrap();
    }
    let authorities = CaCertificates::of(&ca.home);
    assert_eq!(authorities.names().unwrap(), ["root", "issuing"]);
    for name in ["", ".", "root/../root", ".staged-00"] {
        assert!(!authorities.exists(name), "{name:?}");
    }
    fs::remove_file(ca.path("authorities/cert.pem")).unwrap();
    for folder in ["", ".staged-01", "branch"] {
        fs::create_dir_all(ca.path("authorities").join(folder)).unwrap();
        fs::write(ca.path("authorities").join(folder).join("request.pem"), "").unwrap();
    }
    fs::write(ca.path("authorities/root/request.pem"), "").unwrap();
    assert!(authorities.is_pending("branch"));
    for name in ["", ".", "branch/../branch", ".staged-01", "root"] {
        assert!(!authorities.is_pending(name), "{name:?}");
    }
}

#[test]
fn the_mark_of_the_generation_is_counted_on() {
    assert_eq!(start::next_generation("Acme Root CA"), "Acme Root CA G2");
    assert_eq!(start::next_generation("Acme Root CA G2"), "Acme Root CA G3");
    assert_eq!(start::next_generation("Acme Root GmbH"), "Acme Root GmbH G2");
}

/// A new root must not make a key valid again that was taken out of use.
#[test]
fn a_revoked_authority_one_on_hold_and_one_with_a_compromised_key_get_no_certificate_of_the_new_root() {
    use crate::x509::crl::RevocationReason::{CertificateHold, CessationOfOperation, KeyCompromise};
    let ca = ca_of_three();
    for name in ["closed", "stolen", "held"] {
        ca.issue(IssueOrder { issuer: Some("root".to_owned()), ..order("intermediate", name) }).unwrap();
    }
    let certificate_of = |name: &str| certificate(&ca, &format!("authorities/{name}/cert.pem"));
    let before = ["closed", "stolen", "held"].map(certificate_of);
    for (name, reason) in [("closed", CessationOfOperation), ("stolen", KeyCompromise), ("held", CertificateHold)] {
        ca.revoke(name, reason).unwrap();
    }
    let started = ca.rotate(&RootRotationOrder::default()).unwrap();
    assert_eq!(started.recertified.iter().map(|moved| moved.name.as_str()).collect::<Vec<_>>(), ["policy"]);
    assert_eq!(["closed", "stolen", "held"].map(certificate_of), before);
    ca.finish(false).unwrap();
}

#[test]
fn a_rotation_moves_every_authority_and_lists_what_was_delivered_before_it() {
    let ca = ca_of_three();
    for name in ["old.test", "expired.test", "revoked.test"] {
        ca.issue(order("server", name)).unwrap();
    }
    ca.revoke("revoked.test", crate::x509::crl::RevocationReason::Superseded).unwrap();
    let (policy, issuing) =
        (certificate(&ca, "authorities/policy/cert.pem"), fs::read(ca.path("authorities/issuing/cert.pem")).unwrap());
    let half_a_chain = ca.path("authorities/issuing/.staged-0123456789abcdef");
    fs::write(&half_a_chain, "of a run that died").unwrap();
    let started = ca.rotate(&RootRotationOrder::default()).unwrap();
    assert!(!half_a_chain.exists());
    assert_eq!((started.old.as_str(), started.new.as_str(), started.resumed), ("root", "root-g2", false));
    assert_eq!(started.new_certificate.subject.to_string(), "CN=Private Root CA G2");

    // The one below the root has another certificate for the same key; the one below that only another chain.
    let moved = certificate(&ca, "authorities/policy/cert.pem");
    assert_eq!((&moved.subject, &moved.public_key), (&policy.subject, &policy.public_key));
    assert_eq!(moved.issuer, started.new_certificate.subject);
    assert_eq!(fs::read(ca.path("authorities/issuing/cert.pem")).unwrap(), issuing);
    assert_eq!(read_certificates(&ca.path("authorities/issuing/chain.pem")).unwrap(), [moved]);

    // What is issued from now on is delivered with the certificate of the new root by the old one.
    ca.issue(order("server", "new.test")).unwrap();
    let chain = read_certificates(&ca.path("issued/new.test/chain.pem")).unwrap();
    assert_eq!(chain.len(), 3);
    assert_eq!(chain[2], certificate(&ca, "authorities/root-g2/new-with-old.pem"));
    assert_eq!(left(&ca), ["old.test", "expired.test"]);
    ca.renew("old.test", NextKey::Same).unwrap();
    assert_eq!(left(&ca), ["expired.test"]);

    // An older generation that was put back is what depends on the old root.
    let kept = ca.path("issued/.generations/old.test");
    let kept = fs::read_dir(kept).unwrap().next().unwrap().unwrap().path();
    fs::rename(ca.path("issued/old.test"), ca.path("newer")).unwrap();
    fs::rename(kept, ca.path("issued/old.test")).unwrap();
    assert_eq!(left(&ca), ["old.test", "expired.test"]);
    let later = Ca { now: ca.now + Duration::days(100), ..ca };
    assert_eq!(left(&later), Vec::<String>::new());
}

#[test]
fn a_root_that_issues_itself_is_followed_by_one_that_does() {
    let ca = Ca::none();
    ca.init(init::InitOrder { intermediate: None, ..ca.init_order() }).unwrap();
    ca.issue(order("client", "alice")).unwrap();
    ca.rotate(&RootRotationOrder { key: Some(KeyAlgorithm::Ed25519), ..RootRotationOrder::default() }).unwrap();
    let issued = ca.issue(order("client", "bob")).unwrap();
    assert_eq!(issued.authority, "root-g2");
    // One that still asks for the old root gets what it asked for, and it is told.
    ca.issue(IssueOrder { issuer: Some("root".to_owned()), ..order("client", "carol") }).unwrap();
    assert_eq!(left(&ca), ["alice", "carol"]);
    assert!(matches!(ca.finish(false), Err(RotationError::Left { certificates: 2, .. })));
    for name in ["alice", "carol"] {
        ca.issue(IssueOrder { existing: IfNameExists::Replace, ..order("client", name) }).unwrap();
    }
    let finished = ca.finish(false).unwrap();
    assert!(finished.key.unwrap().is_file());
    let roots = CaCertificates::of(&ca.home).roots().unwrap();
    assert_eq!(roots.iter().map(|root| root.name.as_str()).collect::<Vec<_>>(), ["root-g2"]);
    ca.issue(order("client", "dave")).unwrap();
    assert_eq!(read_certificates(&ca.path("issued/dave/chain.pem")).unwrap(), []);
}

#[test]
fn a_rotation_begins_once_and_ends_only_when_it_began() {
    let ca = Ca::new();
    assert!(matches!(ca.finish(true), Err(RotationError::None)));
    ca.rotate(&RootRotationOrder::default()).unwrap();
    let again = ca.rotate(&RootRotationOrder::default()).unwrap_err();
    assert!(matches!(again, RotationError::UnderWay { .. }));
    ca.finish(false).unwrap();
    let next = ca.rotate(&RootRotationOrder::default()).unwrap();
    assert_eq!((next.old.as_str(), next.new.as_str()), ("root-g2", "root-g3"));
    assert_eq!(next.new_certificate.subject.to_string(), "CN=Private Root CA G3");
}

#[test]
fn of_two_rotations_at_once_the_second_finds_the_first() {
    let ca = Ca::none();
    let passphrase = || Some(crate::keys::Passphrase::new(b"secret".to_vec()));
    ca.init(init::InitOrder { passphrase: passphrase(), ..ca.init_order() }).unwrap();
    let mut ask = |_: &EncryptedKey| {
        // While this one waits for a person.
        ca.rotate(&RootRotationOrder::default()).unwrap();
        Ok(crate::keys::Passphrase::new(b"secret".to_vec()))
    };
    let mut ask_new = |_: &EncryptedKey| Ok(crate::keys::Passphrase::new(b"secret".to_vec()));
    let second =
        ca.with_effects(|effects| start(&ca.store(), &RootRotationOrder::default(), &mut ask, &mut ask_new, effects));
    let refused = second.unwrap_err();
    assert!(matches!(refused, RotationError::UnderWay { .. }), "{refused}");
    assert_eq!(CaCertificates::of(&ca.home).names().unwrap(), ["root", "issuing", "root-g2"]);
}

#[test]
fn a_new_root_takes_no_name_under_which_another_was_retired() {
    let ca = Ca::new();
    fs::create_dir_all(ca.home.retired().join("root-g2")).unwrap();
    fs::create_dir_all(ca.path("authorities/root-g3")).unwrap();
    assert_eq!(ca.rotate(&RootRotationOrder::default()).unwrap().new, "root-g4");
}

#[test]
fn a_certificate_on_hold_still_depends_on_the_old_root() {
    let ca = Ca::new();
    ca.issue(order("server", "held.test")).unwrap();
    ca.revoke("held.test", crate::x509::crl::RevocationReason::CertificateHold).unwrap();
    ca.rotate(&RootRotationOrder::default()).unwrap();
    assert_eq!(left(&ca), ["held.test"]);
}

#[test]
fn a_cross_certificate_is_valid_while_both_roots_are() {
    let ca = Ca::new();
    let old = certificate(&ca, "authorities/root/cert.pem");
    let mut new = old.clone();
    new.validity.not_before += Duration::DAY;
    new.validity.not_after += Duration::DAY;
    for common in [start::common_validity(&old, &new), start::common_validity(&new, &old)] {
        assert_eq!((common.not_before, common.not_after), (new.validity.not_before, old.validity.not_after));
    }
}

#[test]
fn an_old_root_does_not_take_the_place_of_one_that_was_retired() {
    let ca = Ca::new();
    ca.rotate(&RootRotationOrder::default()).unwrap();
    fs::create_dir_all(ca.home.retired().join("root")).unwrap();
    let refused = ca.finish(true).unwrap_err();
    assert!(matches!(refused, RotationError::InTheWay(_)), "{refused}");
    assert!(ca.path("authorities/root/cert.pem").exists());
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_written() {
    let ca = Ca::new();
    let refused = |order: &RootRotationOrder| {
        let before = crate::authority::testing::files_below(ca.home.folder());
        let error = ca.rotate(order).unwrap_err();
        assert_eq!(crate::authority::testing::files_below(ca.home.folder()), before);
        error
    };
    let same = RootRotationOrder { name: Some("Private Root CA".to_owned()), ..RootRotationOrder::default() };
    assert!(matches!(refused(&same), RotationError::SameSubject(_)));
    let long = RootRotationOrder { name: Some("x".repeat(65)), ..RootRotationOrder::default() };
    assert!(matches!(refused(&long), RotationError::Certify(CertifyError::Refusal(_))));
    fs::rename(ca.path("authorities/root/key.pem"), ca.path("away")).unwrap();
    assert!(matches!(
        refused(&RootRotationOrder::default()),
        RotationError::Certify(CertifyError::Store(StoreError::KeyAway { .. }))
    ));
    fs::copy(ca.path("authorities/issuing/key.pem"), ca.path("authorities/root/key.pem")).unwrap();
    assert!(matches!(
        refused(&RootRotationOrder::default()),
        RotationError::Certify(CertifyError::Store(StoreError::Issuer(_)))
    ));
}

#[test]
fn a_root_whose_path_length_leaves_no_room_for_a_cross_certificate_is_reported_before() {
    let ca = Ca::none();
    let config = Config::default();
    ca.init(init::InitOrder { config, ..ca.init_order() }).unwrap();
    // As smallstep makes it: one intermediate, and no more.
    let short = ca.recertify_root_with_path_length(1);
    assert_eq!(short.basic_constraints.unwrap().path_length, Some(1));
    let refused = ca.rotate(&RootRotationOrder::default()).unwrap_err();
    assert!(matches!(refused, RotationError::NoCrossCertificate(_)), "{refused}");
    let started =
        ca.rotate(&RootRotationOrder { without_cross_certificate: true, ..RootRotationOrder::default() }).unwrap();
    assert!(!started.has_cross_certificate);
    ca.issue(order("server", "new.test")).unwrap();
    assert_eq!(read_certificates(&ca.path("issued/new.test/chain.pem")).unwrap().len(), 1);
    assert_eq!(started.new_certificate.basic_constraints.unwrap().path_length, Some(1));
}

#[test]
fn an_authority_that_was_made_below_the_old_root_meanwhile_is_moved_by_the_same_command() {
    let ca = Ca::new();
    ca.rotate(&RootRotationOrder::default()).unwrap();
    ca.issue(IssueOrder { issuer: Some("root".to_owned()), ..order("intermediate", "late") }).unwrap();
    assert_eq!(ca.rotation_status().unwrap().unwrap().authorities, ["late"]);
    assert!(matches!(ca.finish(false), Err(RotationError::Left { authorities: 1, .. })));
    let again = ca.rotate(&RootRotationOrder::default()).unwrap();
    assert!(again.resumed && again.recertified.len() == 1);
    assert!(ca.rotation_status().unwrap().unwrap().is_ready());
}

#[test]
fn a_setting_that_names_the_old_root_keeps_it_in_office() {
    let ca = Ca::new();
    let toml = fs::read_to_string(ca.path("ca.toml")).unwrap();
    fs::write(ca.path("ca.toml"), toml.replace("issuer = \"issuing\"", "issuer = \"root\"")).unwrap();
    assert!(ca.rotate(&RootRotationOrder::default()).unwrap().old_issues);
    assert!(!ca.rotation_status().unwrap().unwrap().is_ready());
    assert!(matches!(ca.finish(false), Err(RotationError::Issues(_))));
    assert!(ca.finish(true).is_ok());
}

#[test]
fn a_renewed_root_has_other_dates_and_everything_below_it_keeps_its_chain() {
    let mut ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    let before = certificate(&ca, "authorities/root/cert.pem");
    ca.now += Duration::days(365 * 9);
    let renewed = ca.renew_root(Some("12y".parse::<Lifetime>().unwrap())).unwrap();
    let now = certificate(&ca, "authorities/root/cert.pem");
    assert_eq!(now, renewed.certificate);
    assert_eq!(
        (&now.subject, &now.public_key, &now.subject_key_id),
        (&before.subject, &before.public_key, &before.subject_key_id)
    );
    assert_ne!(now.serial, before.serial);
    assert_eq!(now.validity.length(), Duration::days(365 * 12));
    let history = ca.history("root");
    assert_eq!(history.len(), 2);
    assert_eq!(ca.index().certificate(&history[0]).unwrap(), before);
    assert_eq!(read_certificates(&ca.path("authorities/issuing/chain.pem")).unwrap(), []);
    ca.issue(order("intermediate", "next")).unwrap_err();
    ca.issue(IssueOrder { issuer: Some("root".to_owned()), ..order("intermediate", "next") }).unwrap();
}

#[test]
fn a_template_that_cannot_be_read_stops_a_rotation_before_anything_is_done_and_one_that_is_gone_does_not() {
    let ca = ca_of_three();
    let before = (files_below(ca.home.folder()), ca.index().query(&Filter::default(), ca.now).unwrap().1);
    fs::write(ca.path("templates/policy.toml"), "summary = ").unwrap();
    let error = ca.rotate(&RootRotationOrder::default()).unwrap_err();
    assert!(error.to_string().contains("policy.toml"), "{error}");
    assert_eq!((files_below(ca.home.folder()), ca.index().query(&Filter::default(), ca.now).unwrap().1), before);
    fs::remove_file(ca.path("templates/policy.toml")).unwrap();
    assert_eq!(ca.rotate(&RootRotationOrder::default()).unwrap().recertified.len(), 1);
}

/// A template of the site's with other serial numbers and another backdate than the built-in one.
fn with_site_template(ca: &Ca, name: &str, bytes: u32, backdate: &str) {
    let built_in = crate::store::templates::built_in(name).unwrap().toml;
    let toml = built_in.replace("octets = 16", &format!("octets = {bytes}"));
    let toml = toml.replace("backdate = \"1h\"", &format!("backdate = \"{backdate}\""));
    fs::write(ca.path("templates").join(format!("{name}.toml")), toml).unwrap();
}

/// Randomness without a leading zero: a serial number is never shorter than what was drawn for it.
struct NoLeadingZero;

impl Entropy for NoLeadingZero {
    fn fill(&self, buffer: &mut [u8]) -> std::io::Result<()> {
        SystemEntropy.fill(buffer)?;
        buffer.iter_mut().take(1).for_each(|first| *first = 0x7f);
        Ok(())
    }
}

fn with_full_serials<T>(ca: &Ca, act: impl FnOnce(&Effects<'_>) -> T) -> T {
    ca.with_effects(|effects| act(&Effects { entropy: &NoLeadingZero, ..*effects }))
}

fn renewed(ca: &Ca, lifetime: Option<&str>) -> Certificate {
    let lifetime = lifetime.map(|lifetime| lifetime.parse::<Lifetime>().unwrap());
    let mut prompt = |_: &EncryptedKey| unreachable!("no key is encrypted");
    with_full_serials(ca, |effects| renew_root::renew(&ca.store(), None, lifetime, &mut prompt, effects))
        .unwrap()
        .certificate
}

fn rotated(ca: &Ca) -> StartedRotation {
    let prompt = |_: &EncryptedKey| unreachable!("no key is encrypted");
    let (mut old, mut new) = (prompt, prompt);
    with_full_serials(ca, |effects| start(&ca.store(), &RootRotationOrder::default(), &mut old, &mut new, effects))
        .unwrap()
}

/// The length of the serial number in bytes, and how long before `ca.now` the certificate became valid.
fn drawn(ca: &Ca, certificate: &Certificate) -> (usize, Duration) {
    (certificate.serial.as_der_content().len(), ca.now - certificate.validity.not_before)
}

#[test]
fn a_renewed_root_takes_serial_length_and_backdate_from_the_template_of_the_site() {
    let ca = Ca::new();
    assert_eq!(drawn(&ca, &renewed(&ca, None)), (16, Duration::HOUR));
    with_site_template(&ca, "root", 20, "5m");
    assert_eq!(drawn(&ca, &renewed(&ca, None)), (20, Duration::minutes(5)));
    // At most a tenth of a short lifetime lies in the past.
    assert_eq!(drawn(&ca, &renewed(&ca, Some("10m"))), (20, Duration::MINUTE));
}

#[test]
fn a_template_of_the_root_that_cannot_be_read_stops_its_renewal_before_anything_is_done() {
    let ca = Ca::new();
    let before = fs::read(ca.path("authorities/root/cert.pem")).unwrap();
    fs::write(ca.path("templates/root.toml"), "summary = ").unwrap();
    let error = ca.renew_root(None).unwrap_err();
    assert!(error.to_string().contains("root.toml"), "{error}");
    assert_eq!(fs::read(ca.path("authorities/root/cert.pem")).unwrap(), before);
    assert_eq!(ca.history("root").len(), 1);
}

#[test]
fn a_rotation_takes_serial_length_and_backdate_from_the_templates_of_the_site() {
    let ca = Ca::new();
    with_site_template(&ca, "root", 20, "2h");
    with_site_template(&ca, "intermediate", 18, "5m");
    let started = rotated(&ca);
    assert_eq!(drawn(&ca, &started.new_certificate), (20, Duration::hours(2)));
    for cross in ["new-with-old.pem", "old-with-new.pem"] {
        assert_eq!(drawn(&ca, &certificate(&ca, &format!("authorities/root-g2/{cross}"))).0, 20, "{cross}");
    }
    assert_eq!(drawn(&ca, &started.recertified[0].certificate), (18, Duration::minutes(5)));
}

#[test]
fn an_authority_of_another_template_is_recertified_by_that_one_and_never_valid_before_its_issuer() {
    let ca = ca_of_three();
    fs::write(
        ca.path("templates/policy.toml"),
        POLICY.replace("[subject]", "backdate = \"2h\"\n[serial]\noctets = 19\n[subject]"),
    )
    .unwrap();
    let started = rotated(&ca);
    // The new root is backdated by one hour, the built-in default.
    assert_eq!(drawn(&ca, &started.new_certificate), (16, Duration::HOUR));
    assert_eq!(drawn(&ca, &started.recertified[0].certificate), (19, Duration::HOUR));
}
