//! Requests that are signed by another CA and come back.

use crate::authority::error::CertifyError;
use crate::authority::hierarchy::intermediate::{IntermediateError, *};
use crate::authority::leaf::error::IssueError;
use crate::store::StoreError;
use std::fs;

use time::Duration;

use crate::authority::hierarchy::init;
use crate::authority::leaf::order::IssueOrder;
use crate::authority::testing::{Ca, order};
use crate::issuance::SignedBy;
use crate::store::ca_certificates::{CaCertificates, read_certificate, read_certificates};
use crate::system::entropy::SystemEntropy;
use crate::x509::{Certificate, Extension, Validity};

fn order_for(name: &str) -> IntermediateRequestOrder {
    IntermediateRequestOrder { name: name.to_owned(), ..IntermediateRequestOrder::default() }
}

/// What the authority `signer` of another CA signs for a request of ours.
fn signed_elsewhere(elsewhere: &Ca, signer: &str, request: &SigningRequest) -> Certificate {
    let authorities = CaCertificates::of(&elsewhere.home);
    let (issuer, _) = authorities.unlock(authorities.ca_certificate(signer).unwrap(), &mut |_| unreachable!()).unwrap();
    let store = elsewhere.store();
    let config = store.config();
    let profile = authority_profile(INTERMEDIATE, config).unwrap();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let mut request_input = authority_request("Ours", &profile, config, &key).unwrap();
    request_input.public_key = request.public_key.clone();
    request_input.clip = true;
    let serial = draw_serial(16, &SystemEntropy).unwrap();
    let draft =
        Draft::new(&profile, &request_input, SignedBy::Issuer(issuer.ca_certificate()), elsewhere.now, serial).unwrap();
    issuer.sign(issuance::approve(draft, Some(issuer.ca_certificate())).unwrap().unverified()).unwrap()
}

fn elsewhere() -> Ca {
    let ca = Ca::none();
    let mut order = ca.init_order();
    order.config.name = "Corporate Root".to_owned();
    ca.init(init::InitOrder { intermediate: None, ..order }).unwrap();
    ca
}

fn root_of(ca: &Ca) -> Certificate {
    read_certificate(&ca.path("authorities/root/cert.pem")).unwrap()
}

#[test]
fn a_pending_authority_is_in_nobodys_way_and_issues_once_its_certificate_is_here() {
    let (ca, corporate) = (Ca::new(), elsewhere());
    let asked = ca.ask_for(&order_for("branch")).unwrap();
    assert_eq!(asked.request.subject.to_string(), "CN=Private Root CA branch");
    let authorities = CaCertificates::of(&ca.home);
    assert_eq!(authorities.names().unwrap(), ["root", "issuing"]);
    assert_eq!(authorities.roots().unwrap().len(), 1);
    ca.issue(order("server", "web.test")).unwrap();
    let by_branch = |name: &str| IssueOrder { issuer: Some("branch".to_owned()), ..order("server", name) };
    assert!(matches!(
        ca.issue(by_branch("a.test")),
        Err(IssueError::Certify(CertifyError::Store(StoreError::Pending(_))))
    ));

    let certificate = signed_elsewhere(&corporate, "root", &asked.request);
    let install = |chain: Vec<Certificate>, add_root: Option<&str>| {
        let add_root = add_root.map(str::to_owned);
        ca.install(IntermediateInstallOrder {
            name: "branch".to_owned(),
            certificate: certificate.clone(),
            chain,
            add_root,
        })
    };
    let refusal = |refused: Result<InstalledIntermediate, IntermediateError>| refused.unwrap_err();
    assert!(matches!(refusal(install(vec![], None)), IntermediateError::NoPath(_)));
    let unknown = refusal(install(vec![root_of(&corporate)], None));
    assert!(matches!(unknown, IntermediateError::UnknownRoot { .. }));
    assert!(matches!(refusal(install(vec![root_of(&corporate)], Some("issuing"))), IntermediateError::Taken(_)));
    assert_eq!(ca.history("branch"), []);

    let installed = install(vec![root_of(&corporate)], Some("corporate")).unwrap();
    assert_eq!((installed.added_root.as_deref(), installed.unchanged), (Some("corporate"), false));
    assert!(install(vec![root_of(&corporate)], Some("corporate")).unwrap().unchanged);
    assert_eq!(ca.history("branch").len(), 1);
    assert_eq!(ca.history("branch")[0].authority, "corporate");
    for name in ["branch", "corporate"] {
        assert!(ca.history(name)[0].delivered_at.is_some(), "{name}");
    }
    assert_eq!(CaCertificates::of(&ca.home).names().unwrap(), ["root", "branch", "corporate", "issuing"]);
    ca.issue(by_branch("a.test")).unwrap();
    assert_eq!(read_certificates(&ca.path("issued/a.test/chain.pem")).unwrap(), [certificate]);
}

#[test]
fn a_certificate_that_is_not_for_the_authority_is_refused_and_nothing_changes() {
    let (mut ca, corporate) = (Ca::new(), elsewhere());
    let asked = ca.ask_for(&order_for("branch")).unwrap();
    let right = signed_elsewhere(&corporate, "root", &asked.request);
    let refused = |ca: &Ca, name: &str, certificate: Certificate| {
        let chain = vec![root_of(&corporate)];
        let order = IntermediateInstallOrder {
            name: name.to_owned(),
            certificate,
            chain,
            add_root: Some("corporate".to_owned()),
        };
        let error = ca.install(order).unwrap_err();
        assert!(!ca.path("authorities/corporate").exists() && !ca.path("authorities/branch/cert.pem").exists());
        assert_eq!(ca.history("branch").len() + ca.history("corporate").len(), 0);
        error
    };
    let other = read_certificate(&ca.path("authorities/issuing/cert.pem")).unwrap();
    assert!(matches!(refused(&ca, "branch", other), IntermediateError::OtherKey { .. }));
    assert!(matches!(refused(&ca, "nobody", right.clone()), IntermediateError::NotRequested(_)));
    let mut own = right.clone();
    own.issuer = own.subject.clone();
    assert!(matches!(refused(&ca, "branch", own), IntermediateError::SelfIssued(_)));
    ca.now += Duration::days(365 * 6);
    assert!(matches!(refused(&ca, "branch", right), IntermediateError::NotNow { .. }));
}

#[test]
fn a_leaf_a_ca_with_what_nobody_knows_and_one_below_a_ca_that_may_have_none_are_refused() {
    let (ca, corporate) = (Ca::new(), elsewhere());
    corporate.issue(order("intermediate", "policy")).unwrap();
    let asked = ca.ask_for(&order_for("branch")).unwrap();
    let policy = read_certificate(&corporate.path("authorities/policy/cert.pem")).unwrap();
    let right = signed_elsewhere(&corporate, "root", &asked.request);
    let install = |certificate: Certificate| {
        let (chain, add_root) = (vec![policy.clone(), root_of(&corporate)], Some("corporate".to_owned()));
        ca.install(IntermediateInstallOrder { name: "branch".to_owned(), certificate, chain, add_root }).unwrap_err()
    };
    let mut leaf = right.clone();
    leaf.basic_constraints = None;
    assert!(matches!(
        install(leaf),
        IntermediateError::Certify(CertifyError::Store(StoreError::Issuer(issuance::IssuerError::NotAnAuthority(_))))
    ));

    // What nobody here processes, the judge refuses (RFC 5280 §6.1.4 (o)).
    let mut strange = right.clone();
    strange.extensions.push(Extension { oid: "1.3.6.1.4.1.99999.1".to_owned(), critical: true, value: vec![5, 0] });
    let refused = install(strange);
    assert!(
        matches!(&refused, IntermediateError::Unsound(unsound) if unsound.reason.contains("1.3.6.1.4.1.99999.1")),
        "{refused}"
    );

    // As a CA signs it that does not look at its own path length.
    let authorities = CaCertificates::of(&corporate.home);
    let root_facts = authorities.ca_certificate("root").unwrap();
    let (issuer, _) =
        authorities.unlock(authorities.ca_certificate("policy").unwrap(), &mut |_| unreachable!()).unwrap();
    let validity = Validity { not_after: policy.validity.not_after, ..right.validity };
    let serial = draw_serial(16, &SystemEntropy).unwrap();
    let mut draft = issuance::recertify(&right, SignedBy::Issuer(&root_facts), ca.now, validity, serial).unwrap();
    draft.issuer = policy.subject.clone();
    draft.issuer_key = policy.public_key.clone();
    draft.authority_key_id = policy.subject_key_id.clone().unwrap();
    let below_policy = issuer.sign(issuance::approve(draft, None).unwrap().unverified()).unwrap();
    let refused = install(below_policy);
    assert!(
        matches!(refused, IntermediateError::Certify(CertifyError::Refusal(issuance::DraftRefusal::PathLength { .. }))),
        "{refused}"
    );
    assert_eq!(ca.history("branch").len() + ca.history("corporate").len(), 0);
}

#[test]
fn a_name_that_is_taken_is_refused_before_the_lock_and_one_that_is_taken_meanwhile_under_it() {
    let ca = Ca::new();
    let taken = ca
        .with_effects_without_lock(|effects| request(&ca.store(), &order_for("issuing"), effects))
        .unwrap_err()
        .to_string();
    assert!(taken.contains("there is an authority 'issuing' already"), "{taken}");
    let issue = || drop(ca.issue(order("client", "branch")).unwrap());
    let taken = ca
        .with_effects_while(issue, |effects| request(&ca.store(), &order_for("branch"), effects))
        .unwrap_err()
        .to_string();
    assert!(taken.contains("'branch' is the name of a certificate already"), "{taken}");
    assert!(!ca.path("authorities/branch").exists());
}

#[test]
fn a_name_is_asked_for_once_and_not_taken_from_others() {
    let ca = Ca::new();
    ca.issue(order("client", "alice")).unwrap();
    ca.ask_for(&order_for("branch")).unwrap();
    let key = fs::read(ca.path("authorities/branch/key.pem")).unwrap();
    let refused = |name: &str| ca.ask_for(&order_for(name)).unwrap_err().to_string();
    assert!(refused("branch").contains("requested already"));
    assert!(refused("issuing").contains("there is an authority 'issuing' already"));
    assert!(refused("alice").contains("'alice' is the name of a certificate already"));
    assert!(refused("../branch").contains("cannot be the name of an authority"));
    assert_eq!(fs::read(ca.path("authorities/branch/key.pem")).unwrap(), key);
}

#[test]
fn a_root_that_only_has_the_name_of_ours_is_not_trusted_unasked() {
    let (ca, namesake) = (Ca::new(), Ca::new());
    assert_eq!(root_of(&ca).subject, root_of(&namesake).subject);
    let asked = ca.ask_for(&order_for("branch")).unwrap();
    let certificate = signed_elsewhere(&namesake, "root", &asked.request);
    let chain = vec![root_of(&namesake)];
    let refused =
        ca.install(IntermediateInstallOrder { name: "branch".to_owned(), certificate, chain, add_root: None });
    let Err(refused) = refused else { panic!("{refused:?}") };
    assert!(matches!(refused, IntermediateError::UnknownRoot { .. }), "{refused}");
    assert!(ca.history("branch").is_empty() && !ca.path("authorities/branch/cert.pem").exists());
}
