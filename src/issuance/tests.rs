//! From a profile and a request to a signed certificate.

use time::Duration;
use time::macros::datetime;

use super::testing::{
    CLIENT, INTERMEDIATE, NOW, PEER, ROOT, SERVER, WrongSigner, below, issue, profile, request, root, serial,
};
use super::{
    CaCertificate, CrlDraft, Draft, DraftRefusal, Expiry, Issuer, IssuerError, SignedBy, approve, approve_crl, sign,
    sign_crl,
};
use crate::keys::{PrivateKey, Signer, SigningError};
use crate::x509::{
    AttributeType, Certificate, DistinguishedName, ExtendedKeyUsage, KeyAlgorithm, KeyUsage, PublicKey,
    SignatureAlgorithm, TbsFields, Validity, der, tbs,
};

fn leaf_key() -> PrivateKey {
    PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap()
}

#[test]
fn a_root_of_every_kind_of_key_signs_a_leaf_of_every_kind() {
    let algorithms = KeyAlgorithm::ALL
        .into_iter()
        .filter(|algorithm| !matches!(algorithm, KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096));
    for algorithm in algorithms {
        let root = root(algorithm, ROOT);
        let key = PrivateKey::generate(algorithm).unwrap();
        let leaf = issue(&root, SERVER, &request("web.test", &["web.test"], key.public_key())).unwrap();
        assert_eq!(leaf.issuer.as_der(), root.ca_certificate().subject().as_der(), "{algorithm}");
        let enciphers = leaf.key_usage.unwrap().contains(KeyUsage::KEY_ENCIPHERMENT);
        assert_eq!(enciphers, algorithm == KeyAlgorithm::Rsa2048, "{algorithm}");
    }
}

#[test]
fn a_server_is_only_a_server_a_client_only_a_client_and_a_peer_both() {
    let (root, key) = (root(KeyAlgorithm::EcdsaP256, ROOT), leaf_key());
    let purposes = |toml, name, names: &[&str]| {
        issue(&root, toml, &request(name, names, key.public_key())).unwrap().extended_key_usage.unwrap()
    };
    assert_eq!(purposes(SERVER, "web.test", &["web.test"]), [ExtendedKeyUsage::ServerAuth]);
    assert_eq!(purposes(CLIENT, "alice", &[]), [ExtendedKeyUsage::ClientAuth]);
    assert_eq!(purposes(PEER, "a.test", &["a.test"]), [ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth]);
}

#[test]
fn a_purpose_that_is_listed_twice_is_written_once() {
    let (root, key) = (root(KeyAlgorithm::EcdsaP256, ROOT), leaf_key());
    let toml = SERVER.replace("\"server-auth\"", "\"server-auth\", \"1.3.6.1.5.5.7.3.1\", \"server-auth\"");
    assert_ne!(toml, SERVER);
    let leaf = issue(&root, &toml, &request("web.test", &["web.test"], key.public_key())).unwrap();
    assert_eq!(leaf.extended_key_usage.unwrap(), [ExtendedKeyUsage::ServerAuth]);
}

#[test]
fn an_address_that_comes_out_as_no_uri_is_refused() {
    let (root, key) = (root(KeyAlgorithm::EcdsaP256, ROOT), leaf_key());
    for list in ["crl", "ca-issuers", "ocsp"] {
        let toml = format!("{SERVER}\n[distribution]\n{list} = [\"http://{{{{ name }}}}/{list}\"]\n");
        let issued = |name| issue(&root, &toml, &request(name, &["web.test"], key.public_key()));
        assert!(issued("web.test").is_ok());
        assert!(matches!(issued("Web Shop"), Err(DraftRefusal::Address(_))), "{list}");
    }
}

#[test]
fn the_common_name_is_the_first_dns_name_that_fits_or_the_name_of_the_client() {
    let (root, key) = (root(KeyAlgorithm::EcdsaP256, ROOT), leaf_key());
    let long = format!("{}.test", "a".repeat(62));
    let subject = |toml, name, names: &[&str]| {
        issue(&root, toml, &request(name, names, key.public_key())).unwrap().subject.to_string()
    };
    assert_eq!(subject(SERVER, "x", &["10.0.0.1", &long, "web.test"]), "O=Acme, CN=web.test");
    assert_eq!(subject(SERVER, "x", &["10.0.0.1"]), "O=Acme");
    assert_eq!(subject(CLIENT, "Alice Smith", &[]), "O=Acme, CN=Alice Smith");
}

#[test]
fn a_lifetime_counts_its_last_second_and_begins_a_little_before_now() {
    let (root, key) = (root(KeyAlgorithm::EcdsaP256, ROOT), leaf_key());
    let validity = |expiry| {
        let request = super::CertificateRequest { expiry, ..request("web.test", &["web.test"], key.public_key()) };
        issue(&root, SERVER, &request).map(|leaf| leaf.validity)
    };
    let ninety = validity(Expiry::Default).unwrap();
    assert_eq!((ninety.length(), ninety.not_before), (Duration::days(90), NOW - Duration::HOUR));
    // The root was backdated by the same hour: the start of a short leaf is a tenth of its lifetime ago.
    let short = validity(Expiry::For("10m".parse().unwrap())).unwrap();
    assert_eq!((short.length(), short.not_before), (Duration::minutes(10), NOW - Duration::MINUTE));
    assert_eq!(validity(Expiry::At(NOW + Duration::DAY)).unwrap().not_after, NOW + Duration::DAY);
    assert!(matches!(validity(Expiry::For("826d".parse().unwrap())), Err(DraftRefusal::TooLong { .. })));
    assert!(matches!(validity(Expiry::At(NOW - Duration::SECOND)), Err(DraftRefusal::EndsInThePast(_))));
    assert!(matches!(validity(Expiry::At(NOW - Duration::DAY)), Err(DraftRefusal::EndsBeforeItBegins { .. })));
    assert_eq!(validity(Expiry::At(NOW + Duration::days(824))).unwrap().not_after, NOW + Duration::days(824));
}

#[test]
fn a_leaf_never_outlives_its_issuer_but_can_be_clipped() {
    let root = root(KeyAlgorithm::EcdsaP256, &ROOT.replace("\"10y\"", "\"30d\""));
    let key = leaf_key();
    let input = request("web.test", &["web.test"], key.public_key());
    let end = root.ca_certificate().certificate().validity.not_after;
    assert!(
        matches!(issue(&root, SERVER, &input), Err(DraftRefusal::OutlivesIssuer { issuer_end, .. }) if issuer_end == end)
    );
    let clipped = issue(&root, SERVER, &super::CertificateRequest { clip: true, ..input }).unwrap();
    assert_eq!(clipped.validity.not_after, end);
}

#[test]
fn an_expired_issuer_issues_nothing() {
    let root = root(KeyAlgorithm::EcdsaP256, ROOT);
    let key = leaf_key();
    let input = request("web.test", &["web.test"], key.public_key());
    for now in [datetime!(2037-01-01 0:00 UTC), datetime!(2020-01-01 0:00 UTC)] {
        let draft = Draft::new(&profile(SERVER), &input, SignedBy::Issuer(root.ca_certificate()), now, serial(2));
        assert!(matches!(draft, Err(DraftRefusal::IssuerNotValid { .. })));
    }
}

#[test]
fn a_name_outside_the_constraints_of_any_issuer_above_is_refused_before_signing() {
    let root = root(KeyAlgorithm::EcdsaP256, &ROOT.replace("permit  = []", "permit = [\"corp.test\", \"10.0.0.0/8\"]"));
    let issuing = below(&root, INTERMEDIATE).unwrap();
    let key = leaf_key();
    assert!(
        issue(&issuing, SERVER, &request("web.corp.test", &["web.corp.test", "10.1.2.3"], key.public_key())).is_ok()
    );
    for name in ["web.other.test", "11.0.0.1"] {
        let refused = issue(&issuing, SERVER, &request(name, &[name], key.public_key()));
        assert!(
            matches!(&refused, Err(DraftRefusal::Constrained { authority, .. }) if authority.contains("Test Root")),
            "{refused:?}"
        );
    }
}

#[test]
fn a_path_length_of_zero_allows_leaves_only() {
    let issuing = below(&root(KeyAlgorithm::EcdsaP256, ROOT), INTERMEDIATE).unwrap();
    let key = leaf_key();
    let deeper = |issuer: &Issuer<'_>| issue(issuer, INTERMEDIATE, &request("Deeper", &[], key.public_key()));
    assert!(matches!(deeper(&issuing), Err(DraftRefusal::PathLength { path_length: 0, .. })));
    assert!(issue(&issuing, SERVER, &request("web.test", &["web.test"], key.public_key())).is_ok());
    let unlimited = INTERMEDIATE.replace("path-length = 0", "");
    assert!(deeper(&below(&root(KeyAlgorithm::EcdsaP256, ROOT), &unlimited).unwrap()).is_ok());
    // The path length of the root counts for every CA below it.
    for (length, allowed) in [(1, false), (2, true)] {
        let toml = ROOT.replace("[authority]\n", &format!("[authority]\npath-length = {length}\n"));
        let root = root(KeyAlgorithm::EcdsaP256, &toml);
        assert_eq!(root.ca_certificate().certificate().basic_constraints.unwrap().path_length, Some(length));
        assert_eq!(deeper(&below(&root, &unlimited).unwrap()).is_ok(), allowed, "{length}");
    }
}

#[test]
fn what_the_template_does_not_allow_is_refused() {
    let (root, key) = (root(KeyAlgorithm::EcdsaP256, ROOT), leaf_key());
    let rsa = PrivateKey::generate(KeyAlgorithm::Rsa2048).unwrap();
    let only_corp = SERVER.replace("allow    = []", "allow = [\"*.corp.test\", \"10.0.0.0/8\"]");
    let refused = |toml: &str, names: &[&str], key: &PrivateKey| {
        issue(&root, toml, &request("n", names, key.public_key())).unwrap_err()
    };
    assert!(matches!(refused(SERVER, &[], &key), DraftRefusal::TooFewNames { .. }));
    assert!(matches!(refused(SERVER, &["a@b.test"], &key), DraftRefusal::Kind { kind: "email", .. }));
    assert!(matches!(refused(&only_corp, &["corp.test"], &key), DraftRefusal::NotAllowed { .. }));
    assert!(matches!(refused(&only_corp, &["evilcorp.test"], &key), DraftRefusal::NotAllowed { .. }));
    assert!(issue(&root, &only_corp, &request("n", &["a.corp.test", "10.0.0.1"], key.public_key())).is_ok());
    let only_ec =
        SERVER.replace("\"ecdsa-p384\", \"ecdsa-p521\", \"ed25519\", \"rsa-2048\", \"rsa-3072\", \"rsa-4096\"", "");
    assert!(matches!(refused(&only_ec, &["a.test"], &rsa), DraftRefusal::Key { .. }));
}

#[test]
fn an_authority_needs_a_subject_and_a_leaf_with_names_does_not() {
    let key = leaf_key();
    let nameless = |template: &str| {
        let organized = template.replace("organization = \"{{ organization }}\"", "");
        organized.replace("= \"name\"", "= \"none\"").replace("= \"first\"", "= \"none\"")
    };
    let input = request("Test Root", &[], key.public_key());
    let refused = Draft::new(&profile(&nameless(ROOT)), &input, SignedBy::Itself(&key), NOW, serial(1)).unwrap_err();
    assert_eq!(refused, DraftRefusal::AuthorityWithoutSubject);
    let root = root(KeyAlgorithm::EcdsaP256, ROOT);
    let leaf = issue(&root, &nameless(SERVER), &request("w", &["w.test"], key.public_key())).unwrap();
    assert!(leaf.subject.is_empty() && leaf.names().len() == 1);
}

#[test]
fn a_certificate_has_no_extension_that_nothing_was_decided_for() {
    let (root, key) = (root(KeyAlgorithm::EcdsaP256, ROOT), leaf_key());
    let leaf = issue(&root, SERVER, &request("w", &["w.test"], key.public_key())).unwrap();
    assert!(leaf.crl_urls.is_empty() && leaf.ca_issuer_urls.is_empty() && leaf.ocsp_urls.is_empty());
    let mut found: Vec<&str> = leaf.extensions.iter().map(|extension| extension.oid.as_str()).collect();
    found.sort_unstable();
    // Subject key id, key usage, names, basic constraints, issuer's key id, purposes.
    assert_eq!(found, ["2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.35", "2.5.29.37"]);
}

#[test]
fn a_leaf_named_as_its_issuer_is_refused() {
    let (root, key) = (root(KeyAlgorithm::EcdsaP256, ROOT), leaf_key());
    let refused = issue(&root, CLIENT, &request("Test Root", &[], key.public_key()));
    assert!(matches!(refused, Err(DraftRefusal::SubjectOfIssuer(_))));
}

#[test]
fn flags_override_the_subject_of_the_template() {
    let (root, key) = (root(KeyAlgorithm::EcdsaP256, ROOT), leaf_key());
    let mut input = request("alice", &[], key.public_key());
    input.subject =
        vec![(AttributeType::OrganizationalUnit, "Ops".into()), (AttributeType::Organization, "Beta".into())];
    assert_eq!(issue(&root, CLIENT, &input).unwrap().subject.to_string(), "O=Beta, OU=Ops, CN=alice");
}

#[test]
fn a_certificate_beyond_2049_is_written_as_generalized_time() {
    let root = root(KeyAlgorithm::EcdsaP256, &ROOT.replace("\"10y\"", "\"30y\""));
    assert_eq!(root.ca_certificate().certificate().validity.not_after.year(), 2056);
    let absurd = ROOT.replace("\"10y\"", "\"999y\"").replace("\"30y\"", "\"999y\"");
    let key = leaf_key();
    let late = datetime!(9500-01-01 0:00 UTC);
    let draft =
        Draft::new(&profile(&absurd), &request("R", &[], key.public_key()), SignedBy::Itself(&key), late, serial(1));
    assert!(matches!(draft, Err(DraftRefusal::BeyondAllDates)));
}

/// Names of other tools that rcgen cannot encode: see `src/issuance/encode.rs`.
#[test]
fn the_name_of_a_ca_of_another_tool_is_copied_byte_for_byte() {
    let root = root(KeyAlgorithm::EcdsaP256, ROOT);
    let attribute = |oid: &[u8], tag, value: &[u8]| {
        der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, oid), &der::value(tag, value)])
    };
    let unit = |value: &[u8]| attribute(&[0x55, 4, 11], der::PRINTABLE_STRING, value);
    let common_name = |tag, value: &[u8]| attribute(&[0x55, 4, 3], tag, value);
    let set = |attributes: &[&[u8]]| der::constructed(der::SET, attributes);
    const T61: u8 = 20;
    let names = [
        der::sequence(&[
            &set(&[&unit(b"a")]),
            &set(&[&unit(b"b")]),
            &set(&[&common_name(der::PRINTABLE_STRING, b"CA")]),
        ]),
        der::sequence(&[&set(&[&unit(b"a"), &common_name(der::PRINTABLE_STRING, b"multi")])]),
        der::sequence(&[&set(&[&common_name(T61, b"M\xfcller")])]),
    ];
    for name in names {
        let key = leaf_key();
        let mut fields = TbsFields::split(root.ca_certificate().certificate().tbs()).unwrap();
        (fields.issuer, fields.subject, fields.public_key) =
            (name.clone(), name.clone(), key.public_key().spki().to_vec());
        let to_be_signed = fields.join();
        let other = tbs::assemble(&to_be_signed, &key.signature_algorithm(), &key.sign(&to_be_signed).unwrap());
        let other = Certificate::from_der(&other).unwrap();
        let other = Issuer::new(CaCertificate::new("other", other, Vec::new()).unwrap(), key).unwrap();
        let leaf_key = leaf_key();
        let leaf = issue(&other, SERVER, &request("web.test", &["web.test"], leaf_key.public_key())).unwrap();
        assert_eq!(leaf.issuer.as_der(), name);
        assert_eq!(DistinguishedName::from_der(&name).unwrap(), leaf.issuer);
    }
}

#[test]
fn a_draft_is_signed_only_by_the_key_that_it_was_approved_for() {
    let root = root(KeyAlgorithm::EcdsaP256, ROOT);
    let (key, other) = (leaf_key(), leaf_key());
    let draft = Draft::new(
        &profile(SERVER),
        &request("w", &["w.test"], key.public_key()),
        SignedBy::Issuer(root.ca_certificate()),
        NOW,
        serial(2),
    )
    .unwrap();
    let approved = approve(draft, Some(root.ca_certificate())).unwrap().unverified();
    assert!(matches!(sign(approved, &other), Err(IssuerError::OtherKey)));
    assert!(matches!(Issuer::new(root.ca_certificate().clone(), other), Err(IssuerError::KeyMismatch(_))));
}

#[test]
fn a_signature_over_other_bytes_or_with_another_algorithm_makes_no_certificate_and_no_crl() {
    let root = root(KeyAlgorithm::EcdsaP256, ROOT);
    let ca_certificate = root.ca_certificate().clone();
    let key = leaf_key();
    let draft = || {
        let input = request("w", &["w.test"], key.public_key());
        let draft = Draft::new(&profile(SERVER), &input, SignedBy::Issuer(&ca_certificate), NOW, serial(2)).unwrap();
        approve(draft, Some(&ca_certificate)).unwrap().unverified()
    };
    let list = || approve_crl(CrlDraft::new(&ca_certificate, 1, NOW, NOW, Vec::new()).unwrap()).unwrap();
    let signer = root.signer();
    assert!(sign(draft(), signer).is_ok() && sign_crl(list(), signer).is_ok());
    let wrong_signer = WrongSigner { key: signer, algorithm: signer.signature_algorithm() };
    assert!(matches!(sign(draft(), &wrong_signer), Err(IssuerError::Altered)));
    assert!(matches!(sign_crl(list(), &wrong_signer), Err(IssuerError::Altered)));
    let other = PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap().signature_algorithm();
    let other = WrongSigner { key: signer, algorithm: other };
    assert!(matches!(sign(draft(), &other), Err(IssuerError::OtherKey)));
    assert!(matches!(sign_crl(list(), &other), Err(IssuerError::OtherKey)));
}

/// A key that never leaves its device: only its signatures do.
struct Token(PrivateKey);

impl Signer for Token {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.0.signature_algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        self.0.sign(message)
    }
}

#[test]
fn a_ca_key_need_not_be_a_private_key_from_a_file() {
    let token = Token(PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap());
    let input = request("Test Root", &[], token.public_key());
    let draft = Draft::new(&profile(ROOT), &input, SignedBy::Itself(&token), NOW, serial(1)).unwrap();
    let root = sign(approve(draft, None).unwrap().unverified(), &token).unwrap();
    let root = Issuer::new(CaCertificate::new("root", root, Vec::new()).unwrap(), token).unwrap();
    let key = leaf_key();
    assert!(issue(&root, SERVER, &request("w", &["w.test"], key.public_key())).is_ok());
}

#[test]
fn a_leaf_is_not_an_issuer() {
    let (root, key) = (root(KeyAlgorithm::EcdsaP256, ROOT), leaf_key());
    let leaf = issue(&root, SERVER, &request("w", &["w.test"], key.public_key())).unwrap();
    assert!(matches!(CaCertificate::new("leaf", leaf, Vec::new()), Err(IssuerError::NotAnAuthority(_))));
}

#[test]
fn what_may_not_sign_certificates_is_not_an_issuer() {
    use crate::lint::testing::{TestCa, TestCert, empty_name, rsa_spki};
    use crate::x509::certificate::oid;
    let taken = |cert: TestCert| CaCertificate::new("ca", TestCa::self_signed(cert).certificate, Vec::new());
    let ca = || TestCert::ca("Test Root");
    assert!(taken(ca()).is_ok());
    // Without the extension the key is unrestricted; with it, it has to be allowed.
    assert!(taken(ca().without(oid::KEY_USAGE)).is_ok());
    assert!(matches!(taken(ca().key_usage(KeyUsage::CRL_SIGN)), Err(IssuerError::MayNotSign(_))));
    assert!(matches!(taken(ca().subject(&empty_name())), Err(IssuerError::NoSubject(_))));
    let malformed = taken(ca().extension(oid::NAME_CONSTRAINTS, true, vec![der::NULL, 0]));
    assert!(matches!(malformed, Err(IssuerError::Malformed { oid, .. }) if oid == oid::NAME_CONSTRAINTS));
    for (bytes, usable) in [(128, false), (255, false), (256, true), (1024, true), (1025, false)] {
        let key = taken(ca().spki(rsa_spki(&vec![0xff; bytes], &[1, 0, 1])));
        assert_eq!(key.is_ok(), usable, "{bytes}");
        assert!(matches!(key, Ok(_) | Err(IssuerError::UnusableKey { .. })));
    }
}

#[test]
fn a_draft_that_would_break_a_rule_is_not_approved() {
    let (root, key) = (root(KeyAlgorithm::EcdsaP256, ROOT), leaf_key());
    let draft = || {
        Draft::new(
            &profile(SERVER),
            &request("w", &["w.test"], key.public_key()),
            SignedBy::Issuer(root.ca_certificate()),
            NOW,
            serial(2),
        )
        .unwrap()
    };
    type Bend = fn(&mut Draft);
    let bent: [(&str, Bend); 4] = [
        ("no names", |draft| draft.names.clear()),
        ("a CA's usage in a leaf", |draft| draft.key_usage = KeyUsage::KEY_CERT_SIGN),
        ("the wrong way round", |draft| {
            draft.validity = Validity { not_before: draft.validity.not_after, not_after: draft.validity.not_before }
        }),
        ("negative serial", |draft| draft.serial = crate::x509::SerialNumber::from_der_content(&[0xff])),
    ];
    assert!(approve(draft(), Some(root.ca_certificate())).is_ok());
    for (what, bend) in bent {
        let mut draft = draft();
        bend(&mut draft);
        assert!(approve(draft, Some(root.ca_certificate())).is_err(), "{what}");
    }
}
