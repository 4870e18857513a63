//! What newer certificates of a name replaced: `issued/.generations/<name>/<serial>/`; and what a run left that died while
//! it replaced.
//!
//! The new folder stands at the place of the generation when it changes places with the old one (see
//! [`StagedFolder::publish_replacing`](files::StagedFolder::publish_replacing)). So a dead run leaves one of these:
//!
//! | `issued/<name>` | the place of the generation | then |
//! | --- | --- | --- |
//! | the older files | the newer ones, of a record that is not marked as delivered | they are removed: nobody had them |
//! | the newer files | the older ones | nothing is missing but the mark |
//! | none (a file system that cannot exchange two names) | the older ones | they are put back |

use std::path::{Path, PathBuf};

use super::index::Entry;
use super::{EntryName, Home, authorities};
use crate::system::Entropy;
use crate::system::files::{self, FileError};

/// Under the lock of the CA: clears away what a run left that died while it replaced the files of this name. `history` is
/// all that the index knows of the name, the oldest first.
///
/// # Errors
/// When the system refuses.
pub fn recover(home: &Home, name: &EntryName, history: &[Entry], entropy: &dyn Entropy) -> Result<(), FileError> {
    let Some(newest) = history.iter().rev().find(|entry| entry.delivered_at.is_some()) else { return Ok(()) };
    let folder = home.entry(name);
    let kept = home.generation(name, &newest.serial.to_string());
    if folder.symlink_metadata().is_err() && is_of(&kept, newest) {
        files::move_new(&kept, &folder)?;
        files::sync_folder(&home.issued())?;
        return files::sync_folder(&home.generations(name));
    }
    let Some(serial) = serial_in_place(home, name, history) else { return Ok(()) };
    for place in files::names_in(&home.generations(name))?.iter().filter(|place| is_place_of(place, &serial)) {
        let kept = home.generation(name, place);
        let is_dead = |entry: &Entry| entry.delivered_at.is_none() && entry.serial.to_string() != serial;
        if history.iter().any(|entry| is_dead(entry) && is_of(&kept, entry)) {
            files::discard(&kept, home.folder(), entropy)?;
        }
    }
    Ok(())
}

/// The serial number of the certificate that stands in `issued/<name>` now; the newest's of those that came into place when
/// it is none that the index knows. `None` when none ever did.
pub fn serial_in_place(home: &Home, name: &EntryName, history: &[Entry]) -> Option<String> {
    let folder = home.entry(name);
    let standing = history.iter().rev().find(|entry| is_of(&folder, entry));
    let newest = || history.iter().rev().find(|entry| entry.delivered_at.is_some());
    standing.or_else(newest).map(|entry| entry.serial.to_string())
}

/// Where the files of the certificate with this serial number can be kept: nothing that somebody put there is in the way.
pub fn free_place(home: &Home, name: &EntryName, serial: &str) -> PathBuf {
    let numbered = (2..).map(|number: u64| format!("{serial}.{number}"));
    let mut places = std::iter::once(serial.to_owned()).chain(numbered).map(|place| home.generation(name, &place));
    // The list has no end, and the folders have one.
    places.find(|place| place.symlink_metadata().is_err()).unwrap_or_else(|| home.generation(name, serial))
}

fn is_place_of(place: &str, serial: &str) -> bool {
    place.strip_prefix(serial).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether a folder holds the certificate of this record.
fn is_of(folder: &Path, entry: &Entry) -> bool {
    let there = authorities::read_certificates(&folder.join("cert.pem")).unwrap_or_default();
    there.first().is_some_and(|certificate| certificate.fingerprint() == entry.fingerprint)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::authorities::read_certificate;
    use super::super::issue::{Existing, Order, Status};
    use super::super::renew::NextKey;
    use super::super::testing::{Ca, files_below, order};

    /// The serial numbers of the certificates that stand in these folders.
    fn serials(ca: &Ca, folders: &[&str]) -> Vec<String> {
        let serial = |folder: &&str| read_certificate(&ca.path(folder).join("cert.pem")).unwrap().serial.to_string();
        folders.iter().map(serial).collect()
    }

    /// A CA whose `web.test` was replaced once; the first and the second serial number.
    fn replaced() -> (Ca, String, String) {
        let ca = Ca::new();
        ca.issue(order("server", "web.test")).unwrap();
        ca.renew("web.test", NextKey::New(None)).unwrap();
        let [first, second] = &ca.history("web.test")[..] else { panic!("not two certificates") };
        let (first, second) = (first.serial.to_string(), second.serial.to_string());
        (ca, first, second)
    }

    fn exchange(ca: &Ca, place: &str) {
        fs::rename(ca.path("issued/web.test"), ca.path("between")).unwrap();
        fs::rename(ca.path(place), ca.path("issued/web.test")).unwrap();
        fs::rename(ca.path("between"), ca.path(place)).unwrap();
    }

    #[test]
    fn a_run_that_died_before_the_exchange_leaves_nothing_and_the_older_files_in_place() {
        let (ca, first, _) = replaced();
        let place = format!("issued/.generations/web.test/{first}");
        exchange(&ca, &place);
        ca.forget_delivery("web.test");
        let old_key = fs::read(ca.path("issued/web.test/key.pem")).unwrap();
        ca.renew("web.test", NextKey::New(None)).unwrap();
        assert_eq!(serials(&ca, &[&place]), [first]);
        assert_eq!(fs::read(ca.path(&place).join("key.pem")).unwrap(), old_key);
        assert_eq!(fs::read_dir(ca.path("issued/.generations/web.test")).unwrap().count(), 1);
        assert!(ca.history("web.test")[1].delivered_at.is_none());
    }

    #[test]
    fn a_run_that_died_after_the_exchange_lacked_only_the_mark() {
        for kept_key in [NextKey::Same, NextKey::New(None)] {
            let (ca, first, second) = replaced();
            ca.forget_delivery("web.test");
            let second_key = fs::read(ca.path("issued/web.test/key.pem")).unwrap();
            ca.renew("web.test", kept_key).unwrap();
            let history = ca.history("web.test");
            assert!(history.len() == 3 && history.iter().all(|entry| entry.delivered_at.is_some()));
            let places = [&first, &second].map(|serial| format!("issued/.generations/web.test/{serial}"));
            assert_eq!(serials(&ca, &[&places[0], &places[1]]), [first, second]);
            let third_key = fs::read(ca.path("issued/web.test/key.pem")).unwrap();
            assert_eq!(third_key == second_key, kept_key == NextKey::Same);
        }
    }

    #[test]
    fn a_run_that_died_between_two_renames_is_undone_by_whoever_comes_next() {
        for renewed in [true, false] {
            let (ca, first, _) = replaced();
            ca.forget_delivery("web.test");
            let place = ca.path(&format!("issued/.generations/web.test/{first}"));
            fs::remove_dir_all(ca.path("issued/web.test")).unwrap();
            let old_key = fs::read(place.join("key.pem")).unwrap();
            if renewed {
                ca.renew("web.test", NextKey::Same).unwrap();
                assert_eq!(fs::read(place.join("key.pem")).unwrap(), old_key);
                assert_eq!(fs::read(ca.path("issued/web.test/key.pem")).unwrap(), old_key);
            } else {
                let due = super::super::issue::Due::LastThird;
                let wish = Order { existing: Existing::KeepUnlessDue(due), ..order("server", "web.test") };
                assert_eq!(ca.issue(wish).unwrap().status, Status::Unchanged);
                assert!(!place.exists());
                assert_eq!(serials(&ca, &["issued/web.test"]), [first]);
            }
        }
    }

    #[test]
    fn what_somebody_put_at_the_place_of_a_generation_stays() {
        let (ca, first, second) = replaced();
        let place = ca.path("issued/.generations/web.test").join(&second);
        fs::create_dir(&place).unwrap();
        fs::write(place.join("note"), "mine").unwrap();
        ca.renew("web.test", NextKey::New(None)).unwrap();
        assert_eq!(fs::read_to_string(place.join("note")).unwrap(), "mine");
        let numbered = format!("issued/.generations/web.test/{second}.2");
        assert_eq!(serials(&ca, &[&numbered]), [second.as_str()]);

        // By hand, an older generation was put back: it is kept under its own number.
        fs::remove_dir_all(ca.path("issued/web.test")).unwrap();
        let place = format!("issued/.generations/web.test/{first}");
        fs::rename(ca.path(&place), ca.path("issued/web.test")).unwrap();
        ca.issue(Order { existing: Existing::Replace, ..order("server", "web.test") }).unwrap();
        assert_eq!(serials(&ca, &[&place, &numbered]), [first, second]);
        let kept = files_below(&ca.path("issued/.generations/web.test"));
        assert_eq!(kept.iter().filter(|file| file.ends_with("key.pem")).count(), 2, "{kept:?}");
    }

    #[test]
    fn what_is_due_although_its_run_died_is_replaced() {
        let mut ca = Ca::new();
        ca.issue(order("server", "web.test")).unwrap();
        ca.forget_delivery("web.test");
        ca.now += time::Duration::days(80);
        let due = super::super::issue::Due::LastThird;
        let wish = Order { existing: Existing::KeepUnlessDue(due), ..order("server", "web.test") };
        assert_eq!(ca.issue(wish).unwrap().status, Status::Issued);
        assert_eq!(ca.history("web.test").len(), 2);
    }
}
