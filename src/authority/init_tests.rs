//! What `init` writes into a folder, and which existing files it does not change.

use crate::authority::hierarchy::init::InitError;
use std::fs;

use super::testing::{Ca, files_below, order};

#[test]
fn a_new_ca_does_not_touch_what_is_in_its_folder() {
    let ca = Ca::none();
    fs::create_dir_all(ca.path("authorities")).unwrap();
    fs::write(ca.path("authorities/mine"), "mine").unwrap();
    assert!(matches!(ca.init(ca.init_order()), Err(InitError::InTheWay(_))));
    assert_eq!(files_below(ca.home.folder()), ["authorities/mine"]);

    fs::rename(ca.path("authorities"), ca.path("notes")).unwrap();
    ca.init(ca.init_order()).unwrap();
    assert!(ca.path("notes/mine").exists() && ca.home.exists());
}

#[test]
fn the_index_is_made_where_the_settings_say() {
    for location in ["book.db", "data/book.db", "../elsewhere/book.db"] {
        let ca = Ca::none();
        let mut wanted = ca.init_order();
        location.clone_into(&mut wanted.config.index.location);
        ca.init(wanted).unwrap();
        assert!(ca.path(location).is_file() && !ca.path("index.db").exists(), "{location}");
        ca.issue(order("client", "alice")).unwrap();
    }
}

#[test]
fn a_new_ca_does_not_touch_what_is_in_the_place_of_its_index() {
    let ca = Ca::none();
    let mut order = ca.init_order();
    "../book.db".clone_into(&mut order.config.index.location);
    fs::write(ca.top.path().join("book.db"), "of another CA").unwrap();
    assert!(matches!(ca.init(order), Err(InitError::InTheWay(_))));
    assert_eq!(fs::read(ca.top.path().join("book.db")).unwrap(), b"of another CA");
    assert!(!ca.home.folder().exists());
}

#[test]
fn a_ca_that_could_not_be_made_leaves_no_folder() {
    let ca = Ca::none();
    let mut order = ca.init_order();
    order.config.name = "x".repeat(65);
    assert!(ca.init(order).is_err());
    assert!(!ca.home.folder().exists());
}

/// The state after a kill between the moves of `init`: the folder under construction still has the `ca.toml`.
#[test]
fn an_interrupted_init_is_repeated() {
    let made = Ca::new();
    for moved in 0..=4 {
        let ca = Ca::none();
        let staged = ca.path(".staged-0123456789abcdef");
        fs::create_dir_all(&staged).unwrap();
        for (position, piece) in ["templates", "issued", "authorities", "index.db", "ca.toml"].into_iter().enumerate() {
            let target = if position < moved { ca.path(piece) } else { staged.join(piece) };
            let copied =
                std::process::Command::new("cp").arg("-r").arg(made.path(piece)).arg(&target).status().unwrap();
            assert!(copied.success());
        }
        ca.init(ca.init_order()).unwrap();
        assert!(!staged.exists());
        ca.issue(order("client", "alice")).unwrap();
        let (old, new) = (made.path("authorities/root/cert.pem"), ca.path("authorities/root/cert.pem"));
        assert_ne!(fs::read(old).unwrap(), fs::read(new).unwrap());
    }
}

/// The same state, with an index that was already moved, to another location than the next run is configured for.
#[test]
fn an_interrupted_init_is_repeated_with_its_index_elsewhere() {
    let ca = Ca::none();
    let mut wanted = ca.init_order();
    "../book.db".clone_into(&mut wanted.config.index.location);
    ca.init(wanted).unwrap();
    let staged = ca.path(".staged-0123456789abcdef");
    fs::create_dir(&staged).unwrap();
    fs::rename(ca.home.config(), staged.join("ca.toml")).unwrap();

    ca.init(ca.init_order()).unwrap();
    assert!(!ca.path("../book.db").exists() && !staged.exists());

    // The state after a power cut before any file was durable.
    let ca = Ca::none();
    fs::create_dir_all(ca.path(".staged-0123456789abcdef")).unwrap();
    fs::write(ca.path(".staged-0123456789abcdef/ca.toml"), [0; 400]).unwrap();
    ca.init(ca.init_order()).unwrap();
    ca.issue(order("client", "alice")).unwrap();
}
