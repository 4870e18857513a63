//! The CRLs of a restored CA: no number is used twice, and nothing that was published is forgotten.

use std::process::Command;

use time::Duration;

use super::testing::{Ca, NOW, order};
use crate::authority::revocation::publish_crl::{CrlError, CrlOrder, CrlStatus};
use crate::store::restored::Restored;
use crate::system::entropy::SystemEntropy;
use crate::system::files::ExistingFile;
use crate::x509::crl::RevocationReason;

/// Returns the CA as it was restored an hour after its backup of now.
fn restored(ca: &Ca) -> Ca {
    let mut restored = Ca::none();
    let copied = Command::new("cp").arg("-a").args([ca.home.folder(), restored.home.folder()]).status();
    assert!(copied.unwrap().success());
    restored.now = NOW + Duration::HOUR;
    let record = Restored { complete_until: NOW, restored_at: restored.now, compared: Vec::new(), settled_at: None };
    record.write(&restored.home, ExistingFile::Keep, &SystemEntropy).unwrap();
    restored
}

#[test]
fn the_first_crl_of_each_authority_leaves_out_the_numbers_that_may_be_published() {
    let ca = Ca::new();
    ca.publish(&CrlOrder::default()).unwrap();
    let ca = restored(&ca);
    let number = |order: &CrlOrder| ca.publish(order).unwrap().number;
    assert_eq!(number(&CrlOrder::default()), 2 + 3600);
    assert_eq!(number(&CrlOrder::default()), 3 + 3600);
    let of_root = CrlOrder { authority: Some("root".to_owned()), ..CrlOrder::default() };
    assert_eq!(number(&of_root), 1 + 3600);
    assert_eq!(number(&of_root), 2 + 3600);
    assert_eq!(number(&CrlOrder { number: Some(9000), ..CrlOrder::default() }), 9000);
}

#[test]
fn a_published_crl_is_compared_and_what_only_it_names_is_carried_over() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    ca.publish(&CrlOrder::default()).unwrap();
    let restored = restored(&ca);
    ca.revoke("web.test", RevocationReason::KeyCompromise).unwrap();
    let published = ca.publish(&CrlOrder::default()).unwrap();
    let compare = |authority: &str| CrlOrder {
        authority: Some(authority.to_owned()),
        compare: vec![published.der.clone()],
        ensure: true,
        ..CrlOrder::default()
    };
    assert!(matches!(restored.publish(&compare("root")), Err(CrlError::NotComparable { .. })));
    let settled = || Restored::read(&restored.home).unwrap().unwrap().settled_at;
    assert_eq!(settled(), None);
    let next = restored.publish(&compare("issuing")).unwrap();
    assert_eq!((next.number, next.revoked, next.carried_over.entries.len()), (published.number + 1, 1, 1));
    assert_eq!(settled(), Some(restored.now));
    // With the same CRL again, there is nothing to do.
    assert_eq!(restored.publish(&compare("issuing")).unwrap().status, CrlStatus::Unchanged);
}
