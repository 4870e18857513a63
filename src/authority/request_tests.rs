//! Tests of `request` with the rules of a template, and of requests for keys that this CA has already.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::testing::{Ca, files_below, order};
use crate::authority::error::CertifyError;
use crate::authority::hierarchy::intermediate::IntermediateRequestOrder;
use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::order::IssueOrder;
use crate::authority::leaf::request::{self, CreatedCsr, CsrOrder, MakeRequestError};
use crate::authority::leaf::sign::SignError;
use crate::authority::leaf::subject_key_checks::SubjectKeyError;
use crate::issuance::refusal::DraftRefusal;
use crate::store::delivery::Destination;

fn requested(ca: &Ca, change: impl FnOnce(&mut CsrOrder)) -> Result<CreatedCsr, MakeRequestError> {
    let mut wanted = CsrOrder {
        template: "corp".to_owned(),
        name: "web.corp.test".parse().unwrap(),
        names: Vec::new(),
        key: None,
        subject: Vec::new(),
        set: Default::default(),
        folder: ca.top.path().join("out"),
        replace: false,
        encrypted: false,
        protection: None,
    };
    change(&mut wanted);
    ca.with_effects(|effects| request::request(Some(&ca.store()), wanted, &mut |_| unreachable!(), effects))
}

/// A CA with a template that allows names below `corp.test`.
fn with_rules() -> Ca {
    let ca = Ca::new();
    let server = include_str!("../../templates/server.toml");
    let rules = server.replace("allow    = []", "allow    = [\"*.corp.test\"]");
    assert_ne!(rules, server);
    fs::write(ca.path("templates/corp.toml"), rules).unwrap();
    ca
}

#[test]
fn a_request_keeps_to_the_names_that_its_template_allows() {
    let ca = with_rules();
    let refused = |change: &dyn Fn(&mut CsrOrder)| {
        let refused = requested(&ca, |wanted| change(wanted));
        assert!(
            matches!(&refused, Err(MakeRequestError::Certify(CertifyError::Refusal(DraftRefusal::NotAllowed { name, .. }))) if name == "web.test"),
            "{refused:?}"
        );
        assert!(!ca.top.path().join("out").exists());
    };
    refused(&|wanted| wanted.name = "web.test".parse().unwrap());
    refused(&|wanted| wanted.names = vec!["web.test".parse().unwrap()]);
    requested(&ca, |_| ()).unwrap();
}

#[test]
fn a_folder_whose_path_is_not_utf_8_takes_a_request_and_no_certificate() {
    let ca = with_rules();
    let folder: PathBuf = ca.top.path().join(OsStr::from_bytes(b"web-\xff"));
    let wish = IssueOrder { place: Some(Destination::Folder(folder.clone())), ..order("server", "web.test") };
    assert!(matches!(ca.issue(wish), Err(IssueError::PlaceNotUtf8(path)) if path == folder));
    assert!(!folder.exists() && ca.history("web.test").is_empty());
    let made = requested(&ca, |wanted| wanted.folder = folder.clone()).unwrap();
    assert_eq!(made.request_path, folder.join("request.pem"));
    assert_eq!(files_below(&folder), ["key.pem", "request.pem"]);
}

/// Returns what the signing of a request says whose key is in a file.
fn signed_with_key(ca: &Ca, name: &str, key: &std::path::Path) -> SubjectKeyError {
    let folder = ca.top.path().join(name);
    fs::create_dir(&folder).unwrap();
    fs::copy(key, folder.join("key.pem")).unwrap();
    let csr = ca.request_for(name);
    match ca.sign(&csr) {
        Err(SignError::Issue(IssueError::SubjectKey(error))) => {
            assert!(ca.history(name).is_empty());
            error
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_certificate_is_made_for_a_request_with_the_key_of_an_authority() {
    let ca = Ca::new();
    ca.ask_for(&IntermediateRequestOrder { name: "branch".to_owned(), ..Default::default() }).unwrap();
    for authority in ["root", "issuing", "branch"] {
        let key = ca.path(&format!("authorities/{authority}/key.pem"));
        let refused = signed_with_key(&ca, &format!("{authority}.test"), &key);
        assert!(matches!(&refused, SubjectKeyError::KeyOfAuthority(name) if name == authority), "{refused}");
    }
    // An authority whose folder is gone is in the index still.
    ca.issue(IssueOrder { issuer: Some("root".to_owned()), ..order("intermediate", "other") }).unwrap();
    fs::rename(ca.path("authorities/other"), ca.top.path().join("other")).unwrap();
    let refused = signed_with_key(&ca, "other.test", &ca.top.path().join("other/key.pem"));
    assert!(matches!(&refused, SubjectKeyError::KeyOfCa(name) if name == "other"), "{refused}");
}
