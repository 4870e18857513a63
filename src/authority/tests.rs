//! Tests of the acts on a CA, with real files.

use crate::authority::error::CertifyError;
use crate::authority::hierarchy::import::{ImportError, ImportedCa};
use crate::authority::hierarchy::init::InitError;
use crate::authority::hierarchy::key_passphrase::{self, KeyPassphraseError};
use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::request_inputs::RequestInputError;
use crate::store::StoreError;
use crate::store::passphrase_prompt::EncryptedKey;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use time::Duration;

use super::testing::{Ca, files_below, order};
use crate::authority::leaf::order::{DueRule, IfNameExists, IssueOrder, IssueStatus, SubjectKey};
use crate::authority::leaf::rollback;
use crate::issuance::{DraftRefusal, Expiry};
use crate::keys::key_file::{self, KeyFile};
use crate::keys::{Passphrase, PrivateKey, Signer};
use crate::store::ca_certificates::{CaCertificates, read_certificate, read_certificates};
use crate::store::config::Config;
use crate::store::delivery::Destination;
use crate::store::home::Home;
use crate::store::index::CertificateStatus;
use crate::text::Lifetime;
use crate::x509::crl::RevocationReason;
use crate::x509::{KeyAlgorithm, TbsFields, Validity, tbs};

#[test]
fn a_ca_is_made_whole_and_issues_what_its_index_knows() {
    let ca = Ca::new();
    let issued = ca.issue(order("server", "web.test")).unwrap();
    assert_eq!(issued.status, IssueStatus::Issued);
    assert_eq!(
        files_below(ca.home.folder()),
        [
            ".gitignore",
            "authorities/issuing/cert.pem",
            "authorities/issuing/chain.pem",
            "authorities/issuing/key.pem",
            "authorities/root/cert.pem",
            "authorities/root/chain.pem",
            "authorities/root/key.pem",
            "ca.toml",
            "index.db",
            "issued/web.test/cert.pem",
            "issued/web.test/chain.pem",
            "issued/web.test/fullchain.pem",
            "issued/web.test/key.pem",
        ]
    );
    let leaf = read_certificate(&ca.path("issued/web.test/cert.pem")).unwrap();
    let chain = read_certificates(&ca.path("issued/web.test/chain.pem")).unwrap();
    assert_eq!(chain, [read_certificate(&ca.path("authorities/issuing/cert.pem")).unwrap()]);
    let entries = ca.history("web.test");
    assert_eq!(entries.len(), 1);
    assert_eq!((&entries[0].serial, entries[0].delivered_at), (&leaf.serial, Some(ca.now)));
    assert_eq!(ca.index().certificate(&entries[0]).unwrap(), leaf);
    assert_eq!((ca.history("root").len(), ca.history("issuing").len()), (1, 1));
}

#[test]
fn keys_are_secret_and_certificates_public() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    let mode = |below: &str| fs::metadata(ca.path(below)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    for below in ["issued/web.test", "authorities/root", "issued", "templates"] {
        assert_eq!(mode(below), 0o700, "{below}");
    }
    for below in ["issued/web.test/key.pem", "authorities/root/key.pem", "index.db"] {
        assert_eq!(mode(below), 0o600, "{below}");
    }
    for below in ["issued/web.test/cert.pem", "issued/web.test/fullchain.pem", "authorities/root/cert.pem"] {
        assert_eq!(mode(below), 0o644, "{below}");
    }
}

#[test]
fn an_existing_ca_is_refused_and_left_alone() {
    let ca = Ca::new();
    let before = fs::read(ca.path("authorities/root/key.pem")).unwrap();
    // This check comes before all others: the order is invalid for other reasons as well.
    let mut order = ca.init_order();
    order.config.name = "x".repeat(65);
    assert!(matches!(ca.init(order), Err(InitError::Exists(_))));
    assert!(matches!(ca.init(ca.init_order()), Err(InitError::Exists(_))));
    assert_eq!(fs::read(ca.path("authorities/root/key.pem")).unwrap(), before);
}

#[test]
fn of_two_processes_that_make_a_ca_at_once_the_second_reports_that_there_is_one() {
    let ca = Ca::none();
    let mut first = None;
    let refused = ca.with_effects_while(
        || {
            ca.init(ca.init_order()).unwrap();
            first = Some(fs::read(ca.path("authorities/root/key.pem")).unwrap());
        },
        |effects| crate::authority::hierarchy::init::init(&ca.home, ca.init_order(), effects).unwrap_err(),
    );
    assert!(matches!(refused, InitError::Exists(_)), "{refused}");
    assert_eq!(first, fs::read(ca.path("authorities/root/key.pem")).ok());
}

#[test]
fn an_intermediate_of_a_new_ca_has_a_name_of_its_own_that_can_be_one() {
    let made = |name: &str| {
        let ca = Ca::none();
        let made = ca.init(crate::authority::hierarchy::init::InitOrder {
            intermediate: Some(name.to_owned()),
            ..ca.init_order()
        });
        assert!(!ca.home.folder().exists(), "{name}");
        made.unwrap_err()
    };
    assert!(matches!(made("../branch"), InitError::Certify(CertifyError::Store(StoreError::AuthorityName(_)))));
    assert!(matches!(made("root"), InitError::AuthorityTaken(_)));
}

#[test]
fn an_impossible_rollback_is_reported_without_waiting_for_the_lock() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    ca.issue(IssueOrder { existing: IfNameExists::Replace, ..order("server", "web.test") }).unwrap();
    fs::remove_dir_all(ca.path("issued/.generations/web.test")).unwrap();
    let order = rollback::RollbackOrder { reference: "web.test".parse().unwrap(), to: None };
    let refused = ca.with_effects_without_lock(|effects| rollback::rollback(&ca.store(), &order, effects)).unwrap_err();
    assert!(matches!(refused, rollback::RollbackError::NotKept { .. }), "{refused}");
}

#[test]
fn a_key_file_that_was_exchanged_while_the_user_typed_is_left_alone() {
    let ca = Ca::new();
    let other = PrivateKey::generate(KeyAlgorithm::EcdsaP384).unwrap();
    let theirs = key_file::write(&other, None).unwrap();
    let mut choose = || {
        fs::write(ca.home.key("root"), theirs.as_bytes()).unwrap();
        Ok(Some(Passphrase::new(b"another".to_vec())))
    };
    let changed = ca.with_effects(|effects| {
        key_passphrase::change(&ca.store(), "root", &mut |_| unreachable!(), &mut choose, effects).unwrap_err()
    });
    assert!(matches!(changed, KeyPassphraseError::Changed(_)), "{changed}");
    assert_eq!(fs::read(ca.home.key("root")).unwrap(), theirs.as_bytes());
}

#[test]
fn a_certificate_that_has_ended_is_not_put_back() {
    let mut ca = Ca::new();
    ca.issue(IssueOrder { expiry: Expiry::For(Lifetime::from_days(1)), ..order("server", "web.test") }).unwrap();
    ca.issue(IssueOrder { existing: IfNameExists::Replace, ..order("server", "web.test") }).unwrap();
    let before = fs::read(ca.path("issued/web.test/cert.pem")).unwrap();
    ca.now += Duration::days(2);
    let order = rollback::RollbackOrder { reference: "web.test".parse().unwrap(), to: None };
    let refused = ca.with_effects(|effects| rollback::rollback(&ca.store(), &order, effects)).unwrap_err();
    assert!(matches!(refused, rollback::RollbackError::Ended { .. }), "{refused}");
    assert_eq!(fs::read(ca.path("issued/web.test/cert.pem")).unwrap(), before);
}

#[test]
fn other_processes_go_on_while_the_user_types_a_passphrase() {
    let ca = Ca::none();
    let passphrase = || Passphrase::new(b"secret".to_vec());
    ca.init(crate::authority::hierarchy::init::InitOrder { passphrase: Some(passphrase()), ..ca.init_order() })
        .unwrap();
    let mut asked = 0;
    ca.issue_asking(order("server", "web.test"), &mut |_| {
        asked += 1;
        // This takes the lock of the CA, so that it would time out if the caller of the prompt had the lock.
        ca.issue(order("client", "alice")).unwrap();
        Ok(passphrase())
    })
    .unwrap();
    assert_eq!((asked, ca.history("alice").len(), ca.history("web.test").len()), (1, 1, 1));
}

#[test]
fn a_ca_that_could_not_be_made_leaves_a_folder_that_was_there() {
    let ca = Ca::none();
    let mut order = ca.init_order();
    "../book.db".clone_into(&mut order.config.index.location);
    fs::write(ca.top.path().join("book.db"), "of another CA").unwrap();
    fs::create_dir(ca.home.folder()).unwrap();
    assert!(matches!(ca.init(order), Err(InitError::InTheWay(_))));
    assert_eq!(files_below(ca.home.folder()), [""; 0]);
    assert!(ca.home.folder().is_dir());
}

#[test]
fn a_name_belongs_to_one_certificate_and_one_template() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    assert!(matches!(ca.issue(order("server", "web.test")), Err(IssueError::NameTaken { .. })));
    assert!(matches!(ca.issue(order("server", "WEB.test")), Err(IssueError::NameTaken { .. })));
    let command = |template: &str, name: &str| match ca.issue(order(template, name)) {
        Err(IssueError::OtherTemplate { command, .. }) => command,
        other => panic!("{other:?}"),
    };
    assert_eq!(command("client", "web.test"), "ca issue client web.test-client --subject common-name=web.test");
    // NAME is one of the host names of a server.
    assert_eq!(
        command("server", "root"),
        "ca issue server NAME --san root, where NAME is another name of the same host"
    );
    assert_eq!(ca.history("web.test").len(), 1);
}

#[test]
fn an_internationalised_host_is_called_by_its_a_labels() {
    let ca = Ca::new();
    let outcome = ca.issue(order("server", "München.example")).unwrap();
    assert_eq!(outcome.name.as_str(), "xn--mnchen-3ya.example");
    assert!(matches!(ca.issue(order("server", "münchen.example")), Err(IssueError::NameTaken { .. })));
    assert_eq!(ca.issue(order("client", "Müller")).unwrap().name.as_str(), "Müller");
}

#[test]
fn no_passphrase_is_asked_for_when_the_name_is_taken() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    // The key is not read at all, so that no error of the key is reported.
    fs::remove_file(ca.path("authorities/issuing/key.pem")).unwrap();
    assert!(matches!(ca.issue(order("server", "web.test")), Err(IssueError::NameTaken { .. })));
    assert!(matches!(
        ca.issue(order("server", "b.test")),
        Err(IssueError::Certify(CertifyError::Store(StoreError::KeyAway { .. })))
    ));
}

#[test]
fn force_replaces_the_files_as_a_whole_and_keeps_the_old_ones() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    let old = read_certificate(&ca.path("issued/web.test/cert.pem")).unwrap();
    ca.issue(IssueOrder { existing: IfNameExists::Replace, ..order("server", "web.test") }).unwrap();
    let new = read_certificate(&ca.path("issued/web.test/cert.pem")).unwrap();
    let kept = read_certificate(&ca.path(&format!("issued/.generations/web.test/{}/cert.pem", old.serial))).unwrap();
    assert_ne!(new, old);
    assert_eq!(kept, old);
    assert_eq!(ca.history("web.test").len(), 2);
}

#[test]
fn what_is_not_due_is_left_alone() {
    let mut ca = Ca::new();
    let wanted = |due| IssueOrder { existing: IfNameExists::KeepUnlessDue(due), ..order("server", "web.test") };
    assert_eq!(ca.issue(wanted(DueRule::LastThird)).unwrap().status, IssueStatus::Issued);
    assert_eq!(ca.issue(wanted(DueRule::LastThird)).unwrap().status, IssueStatus::Unchanged);
    ca.now += Duration::days(59);
    assert_eq!(ca.issue(wanted(DueRule::LastThird)).unwrap().status, IssueStatus::Unchanged);
    assert_eq!(ca.issue(wanted(DueRule::Within("40d".parse().unwrap()))).unwrap().status, IssueStatus::Issued);
    ca.now += Duration::days(61);
    assert_eq!(ca.issue(wanted(DueRule::LastThird)).unwrap().status, IssueStatus::Issued);
    assert_eq!(ca.history("web.test").len(), 3);
}

#[test]
fn other_names_another_key_or_a_missing_file_make_it_due() {
    let ca = Ca::new();
    let wanted =
        || IssueOrder { existing: IfNameExists::KeepUnlessDue(DueRule::LastThird), ..order("server", "web.test") };
    ca.issue(wanted()).unwrap();
    assert_eq!(
        ca.issue(IssueOrder { names: vec!["www.test".parse().unwrap()], ..wanted() }).unwrap().status,
        IssueStatus::Issued
    );
    assert_eq!(ca.issue(wanted()).unwrap().status, IssueStatus::Issued);
    assert_eq!(
        ca.issue(IssueOrder { key: SubjectKey::Generate(Some(KeyAlgorithm::Ed25519)), ..wanted() }).unwrap().status,
        IssueStatus::Issued
    );
    assert_eq!(ca.issue(wanted()).unwrap().status, IssueStatus::Issued);
    fs::remove_file(ca.path("issued/web.test/key.pem")).unwrap();
    assert_eq!(ca.issue(wanted()).unwrap().status, IssueStatus::Issued);
    assert_eq!(ca.issue(wanted()).unwrap().status, IssueStatus::Unchanged);
}

#[test]
fn a_run_that_died_after_its_record_is_simply_repeated() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    let first = ca.history("web.test").remove(0);

    // Killed before the files appeared: a new certificate is issued; the first stays in the index, and its key never
    // left memory.
    ca.forget_delivery("web.test");
    fs::remove_dir_all(ca.path("issued/web.test")).unwrap();
    assert_eq!(ca.history("web.test")[0].status(ca.now), CertificateStatus::NotDelivered);
    ca.issue(order("server", "web.test")).unwrap();
    let history = ca.history("web.test");
    assert_eq!((history.len(), &history[0].serial), (2, &first.serial));
    assert!(history[0].delivered_at.is_none() && history[1].delivered_at.is_some());
    assert_eq!(history[0].revocation.as_ref().unwrap().reason, RevocationReason::Superseded);
    assert_eq!(history[1].revocation, None);

    // Killed after the files appeared: only the mark is missing, and the repeated command completes the delivery.
    ca.forget_delivery("web.test");
    let outcome = ca.issue(order("server", "web.test")).unwrap();
    assert_eq!(outcome.status, IssueStatus::Issued);
    assert_eq!(ca.history("web.test").len(), 2);
    assert!(ca.history("web.test")[1].delivered_at.is_some());
    assert!(matches!(ca.issue(order("server", "web.test")), Err(IssueError::NameTaken { .. })));
}

#[test]
fn a_dry_run_leaves_no_trace() {
    let ca = Ca::new();
    let before = files_below(ca.home.folder());
    let outcome = ca.issue(IssueOrder { dry_run: true, ..order("server", "web.test") }).unwrap();
    assert_eq!(outcome.status, IssueStatus::Planned);
    assert_eq!(files_below(ca.home.folder()), before);
    assert!(ca.history("web.test").is_empty());
}

#[test]
fn a_dry_run_refuses_what_would_be_refused() {
    let ca = Ca::new();
    let taken = ca.top.path().join("taken");
    fs::write(&taken, "mine").unwrap();
    for dry_run in [true, false] {
        let wanted =
            IssueOrder { dry_run, place: Some(Destination::Folder(taken.clone())), ..order("server", "web.test") };
        assert!(matches!(ca.issue(wanted), Err(IssueError::PlaceTaken(path)) if path == taken));
    }
}

#[test]
fn in_memory_there_are_no_files_but_there_is_a_record() {
    let ca = Ca::new();
    for _ in 0..2 {
        let wanted = IssueOrder {
            place: Some(Destination::Memory),
            set: [("role".to_owned(), "client".to_owned())].into(),
            ..order("handshake", "probe")
        };
        let outcome = ca.issue(wanted).unwrap();
        assert_eq!(outcome.in_memory.unwrap().chain.len(), 1);
    }
    assert_eq!(ca.history("probe").len(), 2);
    assert!(!ca.path("issued/probe").exists());
}

#[test]
fn an_intermediate_becomes_an_authority_that_can_issue() {
    let ca = Ca::none();
    ca.init(crate::authority::hierarchy::init::InitOrder { intermediate: None, ..ca.init_order() }).unwrap();
    ca.issue(order("intermediate", "emea")).unwrap();
    let outcome = ca.issue(IssueOrder { issuer: Some("emea".to_owned()), ..order("server", "web.test") }).unwrap();
    assert_eq!(outcome.authority, "emea");
    assert_eq!(read_certificates(&ca.path("issued/web.test/chain.pem")).unwrap().len(), 1);
    assert!(matches!(
        ca.issue(order("intermediate", "a/b")),
        Err(IssueError::Certify(CertifyError::Store(StoreError::AuthorityName(_))))
    ));
    let dashed =
        crate::authority::hierarchy::init::InitOrder { intermediate: Some("-x".to_owned()), ..Ca::none().init_order() };
    assert!(matches!(
        Ca::none().init(dashed),
        Err(InitError::Certify(CertifyError::Store(StoreError::AuthorityName(_))))
    ));
    let due = IfNameExists::KeepUnlessDue(DueRule::Within("4000d".parse().unwrap()));
    for existing in [IfNameExists::Refuse, IfNameExists::Replace, due] {
        let again = ca.issue(IssueOrder { existing, ..order("intermediate", "emea") });
        assert!(matches!(&again, Err(IssueError::AuthorityKept(name)) if name == "emea"), "{again:?}");
    }
    assert_eq!(ca.history("emea").len(), 1);
    let unknown = IssueOrder { issuer: Some("apac".to_owned()), ..order("server", "b.test") };
    assert!(
        matches!(ca.issue(unknown), Err(IssueError::Certify(CertifyError::Store(StoreError::UnknownAuthority { known, .. }))) if known == ["root", "emea"])
    );
}

#[test]
fn an_encrypted_ca_key_opens_with_its_passphrase_only_and_must_not_be_open_to_others() {
    let ca = Ca::none();
    let order_with = |passphrase: &str| crate::authority::hierarchy::init::InitOrder {
        passphrase: Some(Passphrase::new(passphrase.into())),
        intermediate: None,
        ..ca.init_order()
    };
    ca.init(order_with("secret")).unwrap();
    let text = fs::read_to_string(ca.path("authorities/root/key.pem")).unwrap();
    assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    ca.issue(order("client", "alice")).unwrap();

    fs::set_permissions(ca.path("authorities/root/key.pem"), fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(
        ca.issue(order("client", "bob")),
        Err(IssueError::Certify(CertifyError::Store(StoreError::LooseKey(_))))
    ));
    fs::remove_file(ca.path("authorities/root/key.pem")).unwrap();
    assert!(matches!(
        ca.issue(order("client", "bob")),
        Err(IssueError::Certify(CertifyError::Store(StoreError::KeyAway { .. })))
    ));

    let other = Ca::none();
    other.init(order_with("another")).unwrap();
    assert!(matches!(
        other.issue(order("client", "bob")),
        Err(IssueError::Certify(CertifyError::Store(StoreError::WrongPassphrase(_))))
    ));
    assert!(other.history("bob").is_empty());
}

#[test]
fn values_that_no_string_uses_are_refused() {
    let ca = Ca::new();
    let set = |key: &str| IssueOrder { set: [(key.to_owned(), "x".to_owned())].into(), ..order("server", "web.test") };
    assert!(matches!(ca.issue(set("team")), Err(IssueError::Input(RequestInputError::UnusedValue { .. }))));
    assert!(matches!(ca.issue(set("name")), Err(IssueError::Input(RequestInputError::ReservedValue(_)))));
}

#[test]
fn the_sites_own_template_and_settings_are_used() {
    let ca = Ca::none();
    let mut wanted = ca.init_order();
    wanted.config.subject.insert("organization".to_owned(), "Acme".to_owned());
    wanted.config.subject.insert("country".to_owned(), "DE".to_owned());
    wanted.config.crl.urls = vec!["http://crl.test/ca.crl".to_owned()];
    ca.init(wanted).unwrap();
    let template = include_str!("../../templates/server.toml")
        .replace("[subject]", "[subject]\norganizational-unit = \"{{ team }} of {{ domain }}\"");
    fs::write(ca.path("templates/web.toml"), template).unwrap();
    let unset = ca.issue(order("web", "a.corp.test"));
    assert!(matches!(unset, Err(IssueError::Certify(CertifyError::Refusal(DraftRefusal::Template(_))))), "{unset:?}");
    ca.issue(IssueOrder { set: [("team".to_owned(), "Ops".to_owned())].into(), ..order("web", "a.corp.test") })
        .unwrap();
    let leaf = read_certificate(&ca.path("issued/a.corp.test/cert.pem")).unwrap();
    assert_eq!(leaf.subject.to_string(), "C=DE, O=Acme, OU=Ops of corp.test, CN=a.corp.test");
    assert_eq!(leaf.crl_urls, ["http://crl.test/ca.crl"]);
    assert!(read_certificate(&ca.path("authorities/root/cert.pem")).unwrap().crl_urls.is_empty());
}

#[test]
fn the_files_have_the_mode_and_owner_that_the_template_names() {
    use std::os::unix::fs::MetadataExt;
    let ca = Ca::new();
    let server = include_str!("../../templates/server.toml");
    let own = fs::metadata(ca.path("ca.toml")).unwrap().gid();
    fs::write(ca.path("templates/web.toml"), format!("{server}[files]\nmode = \"0440\"\ngroup = \"{own}\"\n")).unwrap();
    fs::write(ca.path("templates/odd.toml"), format!("{server}[files]\nowner = \"nobody-of-this-name\"\n")).unwrap();
    ca.issue(order("web", "web.test")).unwrap();
    let key = fs::metadata(ca.path("issued/web.test/key.pem")).unwrap();
    assert_eq!((key.permissions().mode() & 0o777, key.gid()), (0o440, own));
    assert!(matches!(ca.issue(order("odd", "odd.test")), Err(IssueError::Owner(_))));
    assert!(ca.history("odd.test").is_empty());
}

#[test]
fn a_ca_of_another_tool_is_imported_with_its_chain() {
    let other_ca = Ca::new();
    let imported = |authority: &str| {
        let key = fs::read(other_ca.path(&format!("authorities/{authority}/key.pem"))).unwrap();
        ImportedCa::new(
            read_certificate(&other_ca.path(&format!("authorities/{authority}/cert.pem"))).unwrap(),
            KeyFile::parse(&key).unwrap().open(None).unwrap(),
            Vec::new(),
        )
    };
    let root = || imported("root").certificate;
    let import = |imported| {
        let ca = Ca::none();
        let made = ca.init(crate::authority::hierarchy::init::InitOrder {
            intermediate: None,
            imported: Some(imported),
            ..ca.init_order()
        });
        (ca, made.map(|_| ()))
    };

    let (ca, made) = import(imported("root"));
    made.unwrap();
    ca.issue(order("server", "web.test")).unwrap();

    let (ca, made) = import(ImportedCa { chain: vec![root()], ..imported("issuing") });
    made.unwrap();
    assert!(!ca.path("authorities/root/key.pem").exists());
    let issued = ca.issue(order("server", "web.test")).unwrap();
    assert_eq!(issued.authority, "issuing");
    let leaf = read_certificate(&ca.path("issued/web.test/cert.pem")).unwrap();
    assert_eq!(leaf.issuer.as_der(), imported("issuing").certificate.subject.as_der());

    let (_, without_chain) = import(imported("issuing"));
    assert!(matches!(without_chain, Err(error) if error.to_string().contains("not among the certificates of --chain")));
    let (_, wrong_key) = import(ImportedCa { key: imported("issuing").key, ..imported("root") });
    assert!(matches!(wrong_key, Err(InitError::Import(ImportError::Issuer(_)))));
}

#[test]
fn an_expired_ca_and_a_leaf_are_not_imported() {
    let other_ca = Ca::new();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let root = read_certificate(&other_ca.path("authorities/root/cert.pem")).unwrap();
    let mut fields = TbsFields::split(root.tbs()).unwrap();
    let past = Validity { not_before: other_ca.now - Duration::days(9), not_after: other_ca.now - Duration::DAY };
    fields.validity = past.to_der();
    fields.public_key = key.public_key().spki().to_vec();
    fields.signature_algorithm = key.signature_algorithm().der;
    let bytes = tbs::assemble(&fields.join(), &key.signature_algorithm(), &key.sign(&fields.join()).unwrap());
    let certificate = crate::x509::Certificate::from_der(&bytes).unwrap();
    let ca = Ca::none();
    let wanted = crate::authority::hierarchy::init::InitOrder {
        intermediate: None,
        imported: Some(ImportedCa::new(certificate, key, Vec::new())),
        ..ca.init_order()
    };
    assert!(matches!(ca.init(wanted), Err(error) if error.to_string().contains("not now")));

    other_ca.issue(order("server", "web.test")).unwrap();
    let read = |below: &str| read_certificates(&other_ca.path(below)).unwrap();
    let key = KeyFile::parse(&fs::read(other_ca.path("issued/web.test/key.pem")).unwrap()).unwrap().open(None).unwrap();
    let chain = [read("issued/web.test/chain.pem"), vec![root]].concat();
    let leaf = ImportedCa::new(read("issued/web.test/cert.pem").remove(0), key, chain);
    let wanted =
        crate::authority::hierarchy::init::InitOrder { intermediate: None, imported: Some(leaf), ..ca.init_order() };
    assert!(matches!(ca.init(wanted), Err(InitError::Import(ImportError::Issuer(_)))));
    assert!(!ca.home.folder().exists());
}

#[test]
fn a_leaf_that_would_outlive_its_issuer_is_clipped_only_when_asked() {
    let mut ca = Ca::new();
    ca.now += Duration::days(5 * 365 - 30);
    assert!(matches!(
        ca.issue(order("server", "web.test")),
        Err(IssueError::Certify(CertifyError::Refusal(DraftRefusal::OutlivesIssuer { .. })))
    ));
    let outcome = ca.issue(IssueOrder { clip: true, ..order("server", "web.test") }).unwrap();
    assert!(outcome.clipped);
    let short = ca
        .issue(IssueOrder { clip: true, expiry: Expiry::For("1d".parse().unwrap()), ..order("server", "b.test") })
        .unwrap();
    assert!(!short.clipped);
}

#[test]
fn many_at_once_all_get_their_own() {
    let ca = Ca::new();
    std::thread::scope(|scope| {
        for number in 0..12 {
            let ca = &ca;
            scope.spawn(move || ca.issue(order("server", &format!("n{number}.test"))).unwrap());
        }
    });
    let filter = crate::store::index::Filter { template: Some("server".to_owned()), ..Default::default() };
    let (entries, total) = ca.index().query(&filter, ca.now).unwrap();
    let mut serials: Vec<_> = entries.iter().map(|entry| entry.serial.clone()).collect();
    serials.sort();
    serials.dedup();
    assert_eq!((total, serials.len()), (12, 12));
}

#[test]
fn the_settings_of_a_new_ca_say_what_was_asked_for() {
    let ca = Ca::none();
    let mut wanted = ca.init_order();
    wanted.config.name = "Corp Root".to_owned();
    wanted.intermediate = Some("web".to_owned());
    ca.init(wanted).unwrap();
    let config = Config::load(&Home::at(PathBuf::from(ca.home.folder()))).unwrap();
    assert_eq!((config.name.as_str(), config.issue.issuer.as_str()), ("Corp Root", "web"));
    assert_eq!(ca.issue(order("client", "alice")).unwrap().authority, "web");
}

#[test]
fn an_authority_whose_certificate_is_exchanged_during_the_wait_signs_with_the_new_one() {
    let ca = Ca::new();
    let authorities = CaCertificates::of(&ca.home);
    let mut ask = |_: &EncryptedKey| Ok(Passphrase::new(b"secret".to_vec()));
    let (mut issuer, _) = authorities.unlock(authorities.ca_certificate("root").unwrap(), &mut ask).unwrap();
    let new = ca.recertify_root_with_path_length(7);
    assert_ne!(*issuer.ca_certificate().certificate(), new);
    authorities.refresh(&mut issuer).unwrap();
    assert_eq!(*issuer.ca_certificate().certificate(), new);
}
