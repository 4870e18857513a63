//! What is decided about declared certificates.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::plan::{ApplyPlan, decide};
use super::read_site;
use crate::authority::leaf::state::{Difference, Fix};
use crate::authority::testing::{Ca, files_below, order};
use crate::store::manifest::{ManifestText, read};

const JOBS: NonZeroUsize = NonZeroUsize::MIN;

fn plan(ca: &Ca, text: &str) -> ApplyPlan {
    let store = ca.store();
    let path = PathBuf::from("/m/fleet.toml");
    let text = ManifestText { name: "fleet.toml".to_owned(), path: path.clone(), text: text.to_owned() };
    let declared = read(&[text], &read_site(&store).unwrap()).unwrap();
    decide(&store, declared, &[path], ca.now, JOBS).unwrap()
}

#[test]
fn deciding_writes_nothing_and_finds_each_entry() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    ca.issue(order("server", "db.test")).unwrap();
    std::fs::remove_file(ca.path("issued/db.test/fullchain.pem")).unwrap();
    let before = files_below(ca.home.folder());
    let plan = plan(
        &ca,
        "[[certificate]]\ntemplate = \"server\"\nnames = [\"WEB.test\", \"db.test\", \"new.test\"]\nowner = \"0\"\n",
    );
    assert_eq!(files_below(ca.home.folder()), before);
    let found: Vec<_> = plan.entries.iter().map(|entry| entry.differences.as_ref().ok()).collect();
    if crate::system::files::our_user() == 0 {
        let rules = || Difference::FileRules("owner 0".to_owned());
        let missing = Difference::FileMissing("fullchain.pem".to_owned());
        assert_eq!(found[0], Some(&vec![rules(), Difference::Manifest]));
        assert_eq!(found[1], Some(&vec![missing, rules(), Difference::Manifest]));
        assert_eq!(found[2], Some(&vec![Difference::New]));
        let fixes: Vec<_> = plan.entries.iter().map(super::plan::PlannedEntry::fix).collect();
        assert_eq!(fixes, [Some(Fix::Access), Some(Fix::Issue), Some(Fix::Issue)]);
    } else {
        assert_eq!(found, [None, None, None], "only root gives files away");
    }
    assert!(plan.has_changes(false) && plan.extra.is_empty());
}

#[test]
fn a_delivery_that_was_not_marked_counts_by_its_files() {
    let ca = Ca::new();
    ca.issue(order("server", "web.test")).unwrap();
    let entry = ca.history("web.test").pop().unwrap();
    let store = ca.store();
    ca.with_effects(|effects| {
        let mut locked = store.lock(effects.lock_timeout).unwrap();
        locked.index().unwrap().unmark_delivered(entry.id).unwrap();
    });
    let plan = plan(&ca, "[[certificate]]\ntemplate = \"server\"\nname = \"web.test\"\n");
    assert_eq!(plan.entries[0].differences.as_ref().ok(), Some(&vec![Difference::Manifest]));
}
