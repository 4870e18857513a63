//! How the acts on CA certificates behave beside other processes in the same CA directory: they wait for the lock, and
//! they remove the files that a killed process left.

use std::fs;

use super::testing::{Ca, files_below, order};
use crate::authority::hierarchy::intermediate::{self, IntermediateInstallOrder, IntermediateRequestOrder};
use crate::authority::hierarchy::{key_passphrase, rotation};
use crate::authority::leaf::order::IssueOrder;
use crate::authority::revocation::publish_crl::{self, CrlOrder};
use crate::keys::Passphrase;
use crate::store::index::Filter;
use crate::store::passphrase_prompt::PassphrasePrompt;
use crate::text::{Diagnostic, PathText};

/// An act, and a CA in which the act has work to do.
type Act = (&'static str, fn() -> Ca, fn(&Ca, &crate::store::effects::Effects<'_>) -> Result<(), Box<dyn Diagnostic>>);

fn boxed(error: impl Diagnostic + 'static) -> Box<dyn Diagnostic> {
    Box::new(error)
}

fn no_prompt() -> Box<PassphrasePrompt<'static>> {
    Box::new(|_| unreachable!("no key is encrypted"))
}

fn rotated() -> Ca {
    let ca = Ca::new();
    ca.rotate(&rotation::RootRotationOrder::default()).unwrap();
    ca
}

/// Returns a CA as a process leaves it that is killed before it moved the folder of every authority.
fn half_rotated() -> Ca {
    let ca = rotated();
    ca.issue(IssueOrder { issuer: Some("root".to_owned()), ..order("intermediate", "late") }).unwrap();
    ca
}

/// Returns a CA as a process leaves it that is killed before it marked the last row.
fn unmarked() -> Ca {
    let ca = rotated();
    ca.forget_delivery("root-g2");
    ca
}

const ACTS: [Act; 8] = [
    ("intermediate request", Ca::new, |ca, effects| {
        let order = IntermediateRequestOrder { name: "branch".to_owned(), ..IntermediateRequestOrder::default() };
        intermediate::request(&ca.store(), &order, effects).map(drop).map_err(boxed)
    }),
    ("intermediate install", Ca::new, |ca, effects| {
        let certificate =
            crate::store::ca_certificates::CaCertificates::of(&ca.home).certificate("issuing").map_err(boxed)?;
        let order =
            IntermediateInstallOrder { name: "issuing".to_owned(), certificate, chain: Vec::new(), add_root: None };
        intermediate::install(&ca.store(), order, effects).map(drop).map_err(boxed)
    }),
    ("root rotate start", Ca::new, rotate),
    ("root rotate start, authorities left", half_rotated, rotate),
    ("root rotate start, marks left", unmarked, rotate),
    ("root rotate finish", rotated, |ca, effects| {
        rotation::finish(&ca.store(), false, effects).map(drop).map_err(boxed)
    }),
    ("key passphrase", Ca::new, |ca, effects| {
        let mut choose = || Ok(Some(Passphrase::new(b"secret".to_vec())));
        key_passphrase::change(&ca.store(), "issuing", &mut no_prompt(), &mut choose, effects).map(drop).map_err(boxed)
    }),
    ("crl", Ca::new, |ca, effects| {
        let order = CrlOrder { copy: Some(ca.top.path().join("issuing.crl")), ..CrlOrder::default() };
        publish_crl::publish(&ca.store(), &order, &mut no_prompt(), effects).map(drop).map_err(boxed)
    }),
];

fn rotate(ca: &Ca, effects: &crate::store::effects::Effects<'_>) -> Result<(), Box<dyn Diagnostic>> {
    rotation::start(&ca.store(), &rotation::RootRotationOrder::default(), &mut no_prompt(), &mut no_prompt(), effects)
        .map(drop)
        .map_err(boxed)
}

#[test]
fn while_another_process_changes_the_ca_no_act_on_authorities_does() {
    for (name, ca, act) in ACTS {
        let ca = ca();
        let state = || (files_below(ca.home.folder()), ca.index().query(&Filter::default(), ca.now).unwrap());
        let before = state();
        let refused = ca.with_effects_without_lock(|effects| act(&ca, effects));
        let refused = refused.unwrap_err().diagnosis();
        assert_eq!((refused.code, refused.hints.len()), ("locked", 1), "{name}: {refused:?}");
        assert!(refused.hints[0].contains("--lock-timeout"), "{name}: {refused:?}");
        assert_eq!(state(), before, "{name}");
        ca.with_effects(|effects| act(&ca, effects)).unwrap();
    }
}

#[test]
fn what_a_run_left_that_died_is_cleared_away_by_the_next_act_that_writes_there() {
    for (name, ca, act) in ACTS {
        let ca = ca();
        let authority = match name {
            "intermediate install" | "key passphrase" | "crl" => Some("issuing"),
            "root rotate start" => Some("issuing"),
            "root rotate start, authorities left" => Some("late"),
            _ => None,
        };
        let mut folders: Vec<_> = authority.map(|authority| ca.home.authority(authority)).into_iter().collect();
        // `key passphrase` writes only in the folder of the key.
        folders.extend((name != "key passphrase").then(|| ca.home.folder().to_owned()));
        folders.extend((name == "crl").then(|| ca.top.path().to_owned()));
        let left: Vec<_> = folders.iter().map(|folder| folder.join(".staged-0123456789abcdef")).collect();
        for path in &left {
            fs::write(path, "the half of a key").unwrap();
        }
        ca.with_effects(|effects| act(&ca, effects)).unwrap();
        for path in &left {
            assert!(!path.exists(), "{name}: {}", path.escaped());
        }
    }
}
