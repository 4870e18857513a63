//! What the next certificate of an intermediate has, and what is refused.

use time::Duration;

use super::*;
use crate::authority::audit;
use crate::authority::error::CertifyError;
use crate::authority::leaf::due::{self, AuthorityFix};
use crate::authority::leaf::follow::FollowError;
use crate::authority::leaf::order::IssueOrder;
use crate::authority::leaf::renew::NextKey;
use crate::authority::revocation::publish_crl::CrlOrder;
use crate::authority::testing::{Ca, order};
use crate::issuance::{DraftRefusal, Expiry};
use crate::keys::Passphrase;
use crate::store::ca_certificates::{CaCertificates, read_certificates};
use crate::store::index::CertificateStatus;
use crate::store::passphrase_prompt::EncryptedKey;
use crate::x509::crl::RevocationReason;
use crate::x509::{BasicConstraints, Certificate};

const POLICY: &str = "summary = \"policy CA\"\nkey = [\"ecdsa-p256\"]\nlifetime = \"4y\"\n[subject]\ncommon-name = \"name\"\n\
                      [usage]\nkey = [\"key-cert-sign\", \"crl-sign\"]\n[authority]\npath-length = 1\n";

fn ask(_: &EncryptedKey) -> Result<Passphrase, crate::store::passphrase_prompt::PassphraseUnavailable> {
    Ok(Passphrase::new(b"secret".to_vec()))
}

fn of(name: &str) -> NextAuthorityOrder {
    NextAuthorityOrder { name: name.to_owned(), ..Default::default() }
}

fn renewed(ca: &Ca, order: &NextAuthorityOrder) -> Result<RenewedAuthority, NextAuthorityError> {
    Ok(ca.with_effects(|effects| renew(&ca.store(), order, &mut ask, effects))?.unwrap())
}

fn rekeyed(ca: &Ca, order: &NextAuthorityOrder) -> Result<RekeyedAuthority, NextAuthorityError> {
    ca.with_effects(|effects| rekey(&ca.store(), order, &mut ask, effects))
}

fn certificate(ca: &Ca, name: &str) -> Certificate {
    CaCertificates::of(&ca.home).certificate(name).unwrap()
}

fn chain(ca: &Ca, path: &str) -> Vec<Certificate> {
    read_certificates(&ca.path(path)).unwrap()
}

/// The codes of what an audit finds.
fn audited(ca: &Ca) -> Vec<String> {
    let options = audit::AuditOptions::default();
    let report = ca.with_effects(|effects| audit::audit(&ca.store(), &options, effects));
    let found = report.findings.into_iter().filter(|finding| finding.severity > audit::Severity::Note);
    found.map(|finding| format!("{} {}: {}", finding.code, finding.object, finding.message)).collect()
}

/// A CA whose root signed one that signed the one that issues.
fn two_deep() -> Ca {
    let ca = Ca::none();
    ca.init(crate::authority::hierarchy::init::InitOrder { intermediate: None, ..ca.init_order() }).unwrap();
    std::fs::create_dir_all(ca.path("templates")).unwrap();
    std::fs::write(ca.path("templates/policy.toml"), POLICY).unwrap();
    ca.issue(order("policy", "policy")).unwrap();
    let below = |issuer: &str| IssueOrder { issuer: Some(issuer.to_owned()), ..order("intermediate", "issuing") };
    ca.issue(IssueOrder { clip: true, ..below("policy") }).unwrap();
    ca
}

#[test]
fn a_renewed_intermediate_has_the_same_key_subject_and_limits_and_the_old_chains_stay_valid() {
    let mut ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    let before = certificate(&ca, "issuing");
    ca.now += Duration::days(4 * 365);
    let renewed = renewed(&ca, &of("issuing")).unwrap();
    let after = certificate(&ca, "issuing");
    assert_eq!(after, renewed.certificate);
    assert_eq!(
        (&after.subject, &after.public_key, &after.subject_key_id, &after.issuer),
        (&before.subject, &before.public_key, &before.subject_key_id, &before.issuer)
    );
    assert_eq!(
        (after.key_usage, after.basic_constraints, &after.name_constraints),
        (before.key_usage, before.basic_constraints, &before.name_constraints)
    );
    assert!(after.serial != before.serial && after.validity.not_after > before.validity.not_after);
    assert_eq!((renewed.issuer.as_str(), renewed.clipped), ("root", false));
    let [.., row] = &ca.history("issuing")[..] else { panic!() };
    assert_eq!((row.authority.as_str(), row.status(ca.now)), ("root", CertificateStatus::Valid));
    ca.issue(order("server", "later.test")).unwrap();
    assert_eq!(chain(&ca, "issued/later.test/chain.pem"), [after]);
    assert_eq!(chain(&ca, "issued/web.test/chain.pem"), [before]);
    assert_eq!(audited(&ca), Vec::<String>::new());
}

/// The order to clients: nothing that was issued lasts longer than the certificate of its issuer that it was delivered with.
#[test]
fn the_lifetime_is_that_of_the_template_as_far_as_the_issuer_lasts() {
    let mut ca = Ca::new();
    let root_end = certificate(&ca, "root").validity.not_after;
    ca.now = root_end - Duration::days(900);
    let renewed_clipped = renewed(&ca, &of("issuing")).unwrap();
    assert!(renewed_clipped.clipped && renewed_clipped.certificate.validity.not_after == root_end);
    let refused = renewed(&ca, &of("issuing")).unwrap_err();
    assert!(
        matches!(&refused, NextAuthorityError::NotLonger { limit, is_root: true, .. } if limit == "root"),
        "{refused}"
    );
    let ordered = |expiry, clip| renewed(&ca, &NextAuthorityOrder { expiry: Some(expiry), clip, ..of("issuing") });
    let long = Expiry::For("3y".parse().unwrap());
    let refused = ordered(long, false).unwrap_err();
    assert!(
        matches!(&refused, NextAuthorityError::Certify(CertifyError::Refusal(DraftRefusal::OutlivesIssuer { .. }))),
        "{refused}"
    );
    assert_eq!(ordered(long, true).unwrap().certificate.validity.not_after, root_end);
    let end = ca.now + Duration::days(30);
    assert_eq!(ordered(Expiry::At(end), false).unwrap().certificate.validity.not_after, end);
    assert_eq!(renewed(&ca, &of("issuing")).unwrap().certificate.validity.not_after, root_end);
    let refused = ordered(Expiry::For("100y".parse().unwrap()), true).unwrap_err();
    assert!(
        matches!(&refused, NextAuthorityError::Certify(CertifyError::Refusal(DraftRefusal::TooLong { .. }))),
        "{refused}"
    );
}

#[test]
fn a_renewal_in_the_middle_updates_the_chains_below_it() {
    let mut ca = two_deep();
    ca.issue(order("server", "web.test")).unwrap();
    ca.now += Duration::days(900);
    let policy = renewed(&ca, &of("policy")).unwrap();
    assert_eq!(policy.rechained, ["issuing"]);
    assert_eq!(chain(&ca, "authorities/issuing/chain.pem"), [certificate(&ca, "policy")]);
    let issuing = renewed(&ca, &of("issuing")).unwrap();
    assert_eq!((issuing.issuer.as_str(), issuing.rechained.len()), ("policy", 0));
    ca.issue(order("server", "later.test")).unwrap();
    assert_eq!(chain(&ca, "issued/later.test/chain.pem").len(), 2);
    assert_eq!(audited(&ca), Vec::<String>::new());
}

#[test]
fn what_cannot_be_renewed_is_refused_before_a_key_is_opened() {
    let ca = Ca::new();
    let never = |order: &NextAuthorityOrder| {
        let mut ask = |_: &EncryptedKey| unreachable!("no key is opened");
        let renewal = ca.with_effects(|effects| renew(&ca.store(), order, &mut ask, effects)).unwrap_err();
        let rekeying = ca.with_effects(|effects| rekey(&ca.store(), order, &mut ask, effects));
        (renewal, rekeying)
    };
    let (renewal, rekeying) = never(&of("root"));
    assert!(matches!(renewal, NextAuthorityError::Root(_)) && matches!(rekeying, Err(NextAuthorityError::Root(_))));
    ca.revoke("issuing", RevocationReason::CertificateHold).unwrap();
    let (renewal, rekeying) = never(&of("issuing"));
    for refused in [renewal, rekeying.unwrap_err()] {
        assert!(matches!(refused, NextAuthorityError::Follow(FollowError::OnHold(_))), "{refused}");
    }
    ca.revoke("issuing", RevocationReason::RemoveFromCrl).unwrap();
    ca.revoke("issuing", RevocationReason::KeyCompromise).unwrap();
    let (renewal, rekeying) = never(&of("issuing"));
    assert!(matches!(renewal, NextAuthorityError::Follow(FollowError::Revoked(_))), "{renewal}");
    // The way out of a leaked key.
    assert_eq!(rekeying.unwrap().new, "issuing-g2");
    ca.issue(order("server", "web.test")).unwrap();
    assert_eq!(ca.history("web.test")[0].authority, "issuing-g2");
}

/// A path length above the one that the issuer leaves would only promise what no client accepts.
#[test]
fn the_path_length_is_no_more_than_the_issuer_leaves() {
    let mut ca = two_deep();
    ca.now += Duration::days(900);
    let mut present = present::Present::read(&ca.store(), "policy").unwrap();
    present.certificate.basic_constraints = Some(BasicConstraints { ca: true, path_length: Some(7) });
    let length = |present: &present::Present| {
        let serial = crate::x509::SerialNumber::from_random(&[2; 16]).unwrap();
        let validity = present.certificate.validity;
        present.draft(&ca.store(), validity, ca.now, serial).unwrap().basic_constraints.path_length
    };
    assert_eq!(length(&present), Some(7));
    ca.recertify_root_with_path_length(3);
    let shorter = present::Present::read(&ca.store(), "policy").unwrap();
    present.issuer = shorter.issuer;
    assert_eq!(length(&present), Some(2));
}

#[test]
fn a_new_key_has_a_name_and_a_subject_of_its_own_and_issues_from_then_on() {
    let mut ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    ca.publish(&CrlOrder::default()).unwrap();
    ca.now += Duration::days(10);
    let replaced = rekeyed(&ca, &of("issuing")).unwrap();
    assert_eq!(
        (replaced.old.as_str(), replaced.new.as_str(), replaced.issuer.as_str()),
        ("issuing", "issuing-g2", "root")
    );
    assert!(replaced.has_crl && !replaced.encrypted);
    let (old, new) = (certificate(&ca, "issuing"), certificate(&ca, "issuing-g2"));
    assert!(new.public_key != old.public_key && new.subject_key_id != old.subject_key_id);
    assert_eq!(new.public_key.kind(), old.public_key.kind());
    assert_eq!(new.subject.common_name().unwrap(), format!("{} G2", old.subject.common_name().unwrap()));
    assert_eq!((new.basic_constraints, &new.name_constraints), (old.basic_constraints, &old.name_constraints));

    // The setting, the name of the old one, and the next certificate of what it issued lead to the new one.
    for (name, issuer) in [("a.test", None), ("b.test", Some("issuing".to_owned()))] {
        ca.issue(IssueOrder { issuer, ..order("server", name) }).unwrap();
    }
    ca.renew("web.test", NextKey::Same).unwrap();
    for name in ["a.test", "b.test", "web.test"] {
        assert_eq!(ca.history(name).pop().unwrap().authority, "issuing-g2", "{name}");
        assert_eq!(chain(&ca, &format!("issued/{name}/chain.pem")), std::slice::from_ref(&new));
    }
    // Each signs its own CRL.
    ca.revoke(&format!("serial:{}", ca.history("web.test")[0].serial), RevocationReason::Superseded).unwrap();
    let crl = |authority: &str| CrlOrder { authority: Some(authority.to_owned()), ..Default::default() };
    assert_eq!(ca.publish(&crl("issuing")).unwrap().number, 2);
    assert_eq!(ca.publish(&CrlOrder::default()).unwrap().number, 1, "that of the one that issues");
    assert!(ca.home.crl_der("issuing-g2").is_file());
    assert_eq!(audited(&ca), Vec::<String>::new());

    let due = ca
        .with_effects(|effects| {
            due::due(&ca.store(), crate::authority::leaf::order::DueRule::Within("20y".parse().unwrap()), effects)
        })
        .unwrap();
    let authorities: Vec<_> = due
        .iter()
        .filter(|due| matches!(due.what, due::DueItem::Authority { .. }))
        .map(|due| due.name.as_str())
        .collect();
    assert_eq!(authorities, ["root", "issuing-g2"], "the replaced one needs no certificate");
    for refused in [renewed(&ca, &of("issuing")).unwrap_err(), rekeyed(&ca, &of("issuing")).unwrap_err()] {
        assert!(matches!(&refused, NextAuthorityError::Replaced { by, .. } if by == "issuing-g2"), "{refused}");
    }
    assert_eq!(rekeyed(&ca, &of("issuing-g2")).unwrap().new, "issuing-g3");
    ca.issue(order("server", "c.test")).unwrap();
    assert_eq!(ca.history("c.test")[0].authority, "issuing-g3");
    // One that was moved away after its last certificate expired is still the name of those that followed.
    std::fs::create_dir_all(ca.path("retired")).unwrap();
    std::fs::rename(ca.path("authorities/issuing"), ca.path("retired/issuing")).unwrap();
    ca.issue(order("server", "d.test")).unwrap();
    assert_eq!(ca.history("d.test")[0].authority, "issuing-g3");
}

#[test]
fn the_next_certificate_below_a_replaced_authority_is_signed_by_the_one_that_replaced_it() {
    let ca = two_deep();
    ca.issue(order("server", "web.test")).unwrap();
    rekeyed(&ca, &of("policy")).unwrap();
    let fix = due::fix(ca.store().ca_certificates(), &certificate(&ca, "issuing")).unwrap();
    assert_eq!(fix, AuthorityFix::Renew { issuer: "policy-g2".to_owned() }, "another issuer is worth it, later or not");
    let issuing = renewed(&ca, &of("issuing")).unwrap();
    assert_eq!(issuing.issuer, "policy-g2");
    assert_eq!(chain(&ca, "authorities/issuing/chain.pem"), [certificate(&ca, "policy-g2")]);
    ca.issue(order("server", "later.test")).unwrap();
    assert_eq!(audited(&ca), Vec::<String>::new());
}

#[test]
fn a_run_that_died_after_its_record_is_repeated_under_the_same_name() {
    let ca = Ca::new();
    // As after a run that died: recorded, and nothing in its place.
    rekeyed(&ca, &of("issuing")).unwrap();
    std::fs::remove_dir_all(ca.path("authorities/issuing-g2")).unwrap();
    ca.forget_delivery("issuing-g2");
    assert_eq!(rekeyed(&ca, &of("issuing")).unwrap().new, "issuing-g2");
    assert_eq!(audited(&ca), Vec::<String>::new());
    // As after one that died before it could mark the delivery: the same command completes it, and draws no other key.
    ca.forget_delivery("issuing-g2");
    assert_eq!(audited(&ca), Vec::<String>::new());
    let before = certificate(&ca, "issuing-g2");
    assert_eq!(rekeyed(&ca, &of("issuing")).unwrap().certificate, before);
    assert!(ca.history("issuing-g2").iter().any(|row| row.delivered_at.is_some()));
    // The name of a certificate is left to it.
    ca.issue(order("server", "issuing-g3")).unwrap();
    assert_eq!(rekeyed(&ca, &of("issuing-g2")).unwrap().new, "issuing-g4");
}

#[test]
fn an_authority_is_renewed_once_when_two_runs_find_it_due() {
    let mut ca = Ca::new();
    ca.now += Duration::days(4 * 365);
    let only_if = Some(crate::authority::leaf::order::DueRule::LastThird);
    let order = NextAuthorityOrder { only_if, ..of("issuing") };
    let other = || drop(renewed(&ca, &order).unwrap());
    let second = ca.with_effects_while(other, |effects| renew(&ca.store(), &order, &mut ask, effects)).unwrap();
    assert!(second.is_none());
    assert_eq!(ca.history("issuing").len(), 2);
}

#[test]
fn the_fix_of_an_authority_is_the_command_that_wins_time() {
    let mut ca = Ca::new();
    let fix = |ca: &Ca| due::fix(ca.store().ca_certificates(), &certificate(ca, "issuing")).unwrap();
    assert_eq!(fix(&ca), AuthorityFix::Renew { issuer: "root".to_owned() });
    ca.now = certificate(&ca, "root").validity.not_after - Duration::days(300);
    renewed(&ca, &of("issuing")).unwrap();
    assert_eq!(fix(&ca), AuthorityFix::RenewAbove { above: "root".to_owned(), is_root: true });
    ca.renew_root(None).unwrap();
    assert_eq!(fix(&ca), AuthorityFix::Renew { issuer: "root".to_owned() });
}
