//! What `init` writes into a folder, and which existing files it does not change.

use crate::authority::hierarchy::init::InitError;
use crate::store::trusted_directory::DistrustReason;
use std::fs;
use std::path::Path;

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

const STAGED: &str = ".staged-0123456789abcdef";

fn copy(from: &Path, to: &Path) {
    assert!(std::process::Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap().success());
}

/// The state after a kill while `init` put pieces into place: the staging folder still has all of them.
fn interrupted(made: &Ca, placed: &[&str]) -> Ca {
    let ca = Ca::none();
    fs::create_dir_all(ca.path(STAGED)).unwrap();
    for piece in PIECES {
        copy(&made.path(piece), &ca.path(STAGED).join(piece));
    }
    for piece in placed {
        copy(&made.path(piece), &ca.path(piece));
    }
    ca
}

const PIECES: [&str; 6] = [".gitignore", "templates", "issued", "authorities", "index.db", "ca.toml"];

#[test]
fn an_interrupted_init_is_repeated() {
    let made = Ca::new();
    for placed in 0..=5 {
        let ca = interrupted(&made, &PIECES[..placed]);
        if placed == 4 {
            // Killed in the middle of a piece.
            fs::remove_file(ca.path("authorities/root/key.pem")).unwrap();
        }
        ca.init(ca.init_order()).unwrap();
        assert!(!ca.path(STAGED).exists());
        ca.issue(order("client", "alice")).unwrap();
        let (old, new) = (made.path("authorities/root/cert.pem"), ca.path("authorities/root/cert.pem"));
        assert_ne!(fs::read(old).unwrap(), fs::read(new).unwrap());
    }
    // The state after a power cut before any file was durable.
    let ca = Ca::none();
    fs::create_dir_all(ca.path(STAGED)).unwrap();
    fs::write(ca.path(STAGED).join("ca.toml"), [0; 400]).unwrap();
    ca.init(ca.init_order()).unwrap();
    ca.issue(order("client", "alice")).unwrap();
}

#[test]
fn what_an_interrupted_init_put_elsewhere_is_taken_back_by_the_same_order() {
    let ca = Ca::none();
    let wanted = |ca: &Ca| {
        let mut wanted = ca.init_order();
        "../book.db".clone_into(&mut wanted.config.index.location);
        wanted
    };
    ca.init(wanted(&ca)).unwrap();
    fs::create_dir(ca.path(STAGED)).unwrap();
    fs::rename(ca.home.config(), ca.path(STAGED).join("ca.toml")).unwrap();
    copy(&ca.path("../book.db"), &ca.path(STAGED).join("index.db"));
    for piece in ["templates", "issued", "authorities"] {
        copy(&ca.path(piece), &ca.path(STAGED).join(piece));
    }
    ca.init(wanted(&ca)).unwrap();
    assert!(!ca.path(STAGED).exists());
    ca.issue(order("client", "alice")).unwrap();
}

/// A staging folder may come out of an archive or a clone: what it says about other files removes none of them.
#[test]
fn nothing_outside_a_staging_folder_is_removed_because_it_says_so() {
    let made = Ca::new();
    let locations = ["../precious", "../precious/index.db", "../precious/file", "/etc/hostname"];
    for name in [STAGED, ".staged-x"] {
        for location in locations {
            let ca = Ca::none();
            let place = |name: &str| ca.top.path().join(name);
            fs::create_dir_all(place("precious")).unwrap();
            fs::write(place("precious/file"), "mine").unwrap();
            copy(&made.path("index.db"), &place("precious/index.db"));
            fs::create_dir_all(ca.path(name)).unwrap();
            let absolute = place("precious");
            for location in [location, absolute.to_str().unwrap()] {
                fs::write(ca.path(name).join("ca.toml"), format!("[index]\nlocation = \"{location}\"\n")).unwrap();
                copy(&made.path("index.db"), &ca.path(name).join("index.db"));
                let before = files_below(&place("precious"));
                ca.init(ca.init_order()).unwrap();
                assert_eq!(files_below(&place("precious")), before, "{location}");
                fs::remove_dir_all(ca.home.folder()).unwrap();
                fs::create_dir_all(ca.path(name)).unwrap();
            }
        }
    }
}

/// A CA directory that lost its `ca.toml` is not taken for what a killed run left.
#[test]
fn authorities_that_are_not_in_the_staging_folder_stay() {
    let (made, ca) = (Ca::new(), Ca::none());
    fs::create_dir_all(ca.path("")).unwrap();
    for piece in ["authorities", "issued", "templates", "index.db"] {
        copy(&made.path(piece), &ca.path(piece));
    }
    let before = files_below(ca.home.folder());
    for planted in [&["ca.toml"][..], &["ca.toml", "authorities/root/cert.pem", "index.db"]] {
        for piece in planted {
            let target = ca.path(STAGED).join(piece);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            copy(&made.path(piece), &target);
        }
        assert!(matches!(ca.init(ca.init_order()), Err(InitError::InTheWay(_))));
        assert_eq!(files_below(ca.home.folder()), before);
    }
}

#[test]
fn a_gitignore_of_the_user_stays() {
    let ca = Ca::none();
    fs::create_dir_all(ca.path("")).unwrap();
    fs::write(ca.path(".gitignore"), "mine").unwrap();
    ca.init(ca.init_order()).unwrap();
    assert_eq!(fs::read_to_string(ca.path(".gitignore")).unwrap(), "mine");
}

#[test]
fn no_ca_is_made_in_a_folder_that_others_own_or_can_change() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let ca = Ca::none();
    fs::create_dir_all(ca.path("")).unwrap();
    for mode in [0o770, 0o707, 0o1777] {
        fs::set_permissions(ca.path(""), fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(ca.init(ca.init_order()), Err(InitError::NotTrusted(DistrustReason::Mode { .. }))));
    }
    fs::set_permissions(ca.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    // Nor an index.
    let elsewhere = ca.path("../shared");
    fs::create_dir(&elsewhere).unwrap();
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o1777)).unwrap();
    let mut wanted = ca.init_order();
    "../shared/index.db".clone_into(&mut wanted.config.index.location);
    assert!(matches!(ca.init(wanted), Err(InitError::NotTrusted(DistrustReason::Mode { .. }))));
    // Only root can give a folder away.
    if chown(ca.path(""), Some(65_534), None).is_ok() {
        assert!(matches!(ca.init(ca.init_order()), Err(InitError::NotTrusted(DistrustReason::Owner { .. }))));
    }
    assert!(files_below(ca.home.folder()).is_empty());
}

#[test]
fn a_folder_that_others_can_change_gets_no_ca_wherever_its_index_is() {
    use std::os::unix::fs::PermissionsExt;

    let ca = Ca::none();
    let elsewhere = ca.top.path().join("elsewhere");
    for (loose, tight) in [(ca.home.folder(), elsewhere.as_path()), (elsewhere.as_path(), ca.home.folder())] {
        for (folder, mode) in [(loose, 0o777), (tight, 0o700)] {
            fs::create_dir_all(folder).unwrap();
            fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
        }
        let mut order = ca.init_order();
        order.config.index.location = elsewhere.join("index.db").to_str().unwrap().to_owned();
        let refused = ca.init(order).map(drop);
        assert!(
            matches!(&refused, Err(InitError::NotTrusted(DistrustReason::Mode { path, .. })) if path == loose),
            "{refused:?}"
        );
    }
}
