//! The certificates of a name: which is in place, and what newer ones replaced, `issued/.generations/<name>/<serial>/`; and
//! what a run left that died while it exchanged one for another.
//!
//! The folder that comes in stands at the place where the one that goes out is to be kept, when the two change places (see
//! [`StagedFolder::publish_replacing`]). So a dead run leaves one of these:
//!
//! | `issued/<name>` | the place of the generation | then |
//! | --- | --- | --- |
//! | the older files | the newer ones, of a record that is not marked as delivered | they are removed: they were never in use |
//! | the newer files | the older ones | nothing is missing but the mark |
//! | the files that a rollback was to replace | those that it was to put back | they go back to their own place |
//! | none (a file system that cannot exchange two names) | those that were in place | they are put back |
//!
//! In a folder of the user's the files are exchanged one by one, after those in place were copied to their generation: a
//! dead run leaves a mixture, and the copy ends it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::error::StoreError;
use crate::store::certificate_folder::{self, FolderAccess};
use crate::store::effects::Effects;
use crate::store::entry_name::EntryName;
use crate::store::home::Home;
use crate::store::index::placement::{self, Rollback};
use crate::store::index::{Entry, Index, Revocation};
use crate::system::Entropy;
use crate::system::files::{self, ExistingFile, FileError, Folder, StagedFolder};
use crate::x509::crl::RevocationReason;
use crate::x509::{Certificate, SerialNumber};

/// What the index knows of the certificates of one name.
pub struct NameHistory {
    /// The oldest first.
    pub certificates: Vec<Entry>,
    pub rollbacks: Vec<Rollback>,
}

impl NameHistory {
    /// # Errors
    /// When the index cannot be read.
    pub fn of(index: &Index, name: &str) -> Result<Self, StoreError> {
        let certificates = index.history(name)?;
        let rollbacks = if certificates.is_empty() { Vec::new() } else { index.rollbacks(name)? };
        Ok(Self { certificates, rollbacks })
    }

    /// The part of the history that says what is in place: for a name that was never rolled back, the certificate that was delivered
    /// last and those after it. A question about every name then reads few rows of each.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn latest(index: &Index, name: &str) -> Result<Self, StoreError> {
        if index.rollbacks(name)?.is_empty() {
            Ok(Self { certificates: index.since_delivery(name)?, rollbacks: Vec::new() })
        } else {
            Self::of(index, name)
        }
    }

    /// The certificate that is in place as far as the index knows; `None` when none ever was.
    pub fn recorded(&self) -> Option<&Entry> {
        placement::in_place(&self.certificates, &self.rollbacks)
    }

    /// The rollback that was begun and not ended.
    pub fn unfinished(&self) -> Option<&Rollback> {
        placement::unfinished(&self.certificates, &self.rollbacks)
    }

    /// The folder in which the files of the name are.
    pub fn folder(&self, home: &Home, name: &EntryName) -> PathBuf {
        let last = self.recorded().or(self.certificates.last());
        last.and_then(|entry| entry.place.clone()).unwrap_or_else(|| home.entry(name))
    }

    /// Returns the certificate that is in the folder of the name or authority now; the recorded one if the index does not know it.
    pub fn in_place(&self, home: &Home, name: &EntryName) -> Option<&Entry> {
        let folders = [self.folder(home, name), home.authority(&name.folder())];
        let mut found = folders.iter().filter_map(|folder| certificate_folder::first_fingerprint(folder));
        let known =
            found.find_map(|fingerprint| self.certificates.iter().rev().find(|entry| entry.fingerprint == fingerprint));
        known.or_else(|| self.recorded())
    }

    /// Returns the certificate that is in the folder of the name now, and the folder; `None` when the index does not know it.
    pub fn deployed(&self, home: &Home, name: &EntryName) -> Option<(&Entry, PathBuf)> {
        let folder = self.folder(home, name);
        let fingerprint = certificate_folder::first_fingerprint(&folder)?;
        let entry = self.certificates.iter().rev().find(|entry| entry.fingerprint == fingerprint)?;
        Some((entry, folder))
    }

    /// The certificate whose files were in place when those of this one came for the first time.
    pub fn before(&self, entry: &Entry) -> Option<&Entry> {
        let at = self.certificates.iter().position(|other| other.id >= entry.id).unwrap_or(self.certificates.len());
        self.each_before().nth(at).flatten()
    }

    /// Returns of each certificate, in their order, what [`before`](Self::before) returns; and at last what is in place now.
    pub fn each_before(&self) -> impl Iterator<Item = Option<&Entry>> {
        let by_id: HashMap<_, &Entry> = self.certificates.iter().map(|entry| (entry.id, entry)).collect();
        let done = self.rollbacks.iter().filter(|rolled| rolled.done_at.is_some());
        // Of several rollbacks at one time, the last one counts.
        let rolled_at: HashMap<_, &Rollback> = done.map(|rolled| (rolled.newest, rolled)).collect();
        let mut latest = None;
        let after_each = self.certificates.iter().map(move |other| {
            if other.delivered_at.is_some() {
                latest = Some(other);
            }
            if let Some(rolled) = rolled_at.get(&other.id) {
                latest = by_id.get(&rolled.certificate).copied();
            }
            latest
        });
        std::iter::once(None).chain(after_each)
    }
}

/// Under the lock of the CA: clears away what a run left that died while it exchanged the files of this name, and revokes
/// the certificates that were recorded and never delivered. Returns what the index knows of the name afterwards.
///
/// # Errors
/// When the system refuses.
pub fn recover(
    home: &Home,
    index: &mut Index,
    name: &EntryName,
    effects: &Effects<'_>,
) -> Result<NameHistory, StoreError> {
    let name_history = NameHistory::of(index, name.as_str())?;
    let is_marked = recover_files(home, index, name, &name_history, effects)?;
    let is_revoked = supersede_undelivered(home, index, name, &name_history, effects)?;
    if is_marked || is_revoked { NameHistory::of(index, name.as_str()) } else { Ok(name_history) }
}

/// Returns true when the index was changed.
fn recover_files(
    home: &Home,
    index: &mut Index,
    name: &EntryName,
    name_history: &NameHistory,
    effects: &Effects<'_>,
) -> Result<bool, StoreError> {
    let entropy = effects.entropy;
    let Some(recorded) = name_history.recorded() else { return Ok(false) };
    if recorded.place.is_some() {
        recover_folder(home, index, name, name_history, entropy)?;
    } else {
        let (folder, kept) = (home.entry(name), home.generation(name, &recorded.serial.to_string()));
        if folder.symlink_metadata().is_err() && is_of(&kept, recorded) {
            files::move_new(&kept, &folder)?;
            files::sync_folder(&home.issued())?;
            files::sync_folder(&home.generations(name))?;
        }
        clear_places(home, name, name_history, entropy)?;
    }
    if let Some(rollback) = name_history.unfinished()
        && let Some(entry) = name_history.certificates.iter().find(|entry| entry.id == rollback.certificate)
        && certificate_folder::holds_public(&name_history.folder(home, name), &index.certificate(entry)?)?
    {
        index.mark_rolled_back(rollback.id, effects.now())?;
        return Ok(true);
    }
    Ok(false)
}

/// Revokes the certificates of the name whose files are nowhere and whose delivery no run reported. Their keys are lost,
/// and the index must not go on calling them good. Returns true when one was revoked.
fn supersede_undelivered(
    home: &Home,
    index: &mut Index,
    name: &EntryName,
    name_history: &NameHistory,
    effects: &Effects<'_>,
) -> Result<bool, StoreError> {
    let now = effects.now();
    let mut lost = Vec::new();
    for entry in &name_history.certificates {
        if entry.delivered_at.is_some() || entry.revocation.is_some() || entry.validity.not_after < now {
            continue;
        }
        let certificate = index.certificate(entry)?;
        let usual = if certificate.is_ca() { home.authority(name.as_str()) } else { home.entry(name) };
        let is_delivered = is_of(&usual, entry)
            || entry.place.as_deref().is_some_and(|place| is_of(place, entry))
            || find(home, name, entry)?.is_some();
        if !is_delivered {
            lost.push(entry.id);
        }
    }
    if lost.is_empty() {
        return Ok(false);
    }
    let reason = RevocationReason::Superseded;
    let revocation = Revocation { at: now, reason, invalid_since: None, released_at: None };
    let mut transaction = index.transaction(effects.event_context())?;
    for id in lost {
        transaction.revoke(id, &revocation)?;
    }
    transaction.commit()?;
    Ok(true)
}

/// What stands at the place of the certificate that is in place was on its way in, and did not arrive.
fn clear_places(
    home: &Home,
    name: &EntryName,
    name_history: &NameHistory,
    entropy: &dyn Entropy,
) -> Result<(), FileError> {
    let Some(in_place) = name_history.in_place(home, name) else { return Ok(()) };
    for place in places_of(home, name, &in_place.serial)? {
        let Some(other) =
            name_history.certificates.iter().find(|entry| entry.id != in_place.id && is_of(&place, entry))
        else {
            continue;
        };
        if other.delivered_at.is_some() {
            // Not synced: a power cut leaves what was found, or the exchange that follows syncs this folder.
            files::move_new(&place, &free_place(home, name, &other.serial.to_string()))?;
        } else {
            files::discard(&place, home.folder(), entropy)?;
        }
    }
    Ok(())
}

/// A folder of the user's that holds no certificate of this name wholly, after a run that did not end: what was in place
/// before is put back.
fn recover_folder(
    home: &Home,
    index: &Index,
    name: &EntryName,
    name_history: &NameHistory,
    entropy: &dyn Entropy,
) -> Result<(), StoreError> {
    let did_not_end = name_history.certificates.last().is_some_and(|newest| newest.delivered_at.is_none());
    let Some(recorded) = name_history.recorded().filter(|_| did_not_end || name_history.unfinished().is_some()) else {
        return Ok(());
    };
    let folder = name_history.folder(home, name);
    for entry in &name_history.certificates {
        if certificate_folder::holds_public(&folder, &index.certificate(entry)?)? {
            return Ok(());
        }
    }
    match find(home, name, recorded)? {
        Some(generation) => Ok(put_one_by_one(&generation, &folder, FolderAccess::default(), entropy)?),
        None => Ok(()),
    }
}

/// The folder in which the files of a certificate are kept that is not in place.
///
/// # Errors
/// When the system refuses.
pub fn find(home: &Home, name: &EntryName, entry: &Entry) -> Result<Option<PathBuf>, FileError> {
    // A folder with thousands of generations is not listed for each of them.
    let usual = home.generation(name, &entry.serial.to_string());
    if is_of(&usual, entry) {
        return Ok(Some(usual));
    }
    Ok(places_of(home, name, &entry.serial)?.into_iter().find(|place| is_of(place, entry)))
}

/// Copies the files of the certificate with this serial number out of a folder of the user's, durably, so that they are not
/// lost when others take their names. Nothing happens when they are kept already, or not there.
///
/// # Errors
/// When the system refuses.
pub fn keep_copy(
    home: &Home,
    name: &EntryName,
    folder: &Folder,
    serial: &str,
    entropy: &dyn Entropy,
) -> Result<(), FileError> {
    let is_that =
        |there: Option<Certificate>| there.is_some_and(|certificate| certificate.serial.to_string() == serial);
    let places = files::names_in(&home.generations(name))?;
    let mut kept = places.iter().filter(|place| is_place_of(place, serial)).map(|place| home.generation(name, place));
    if kept.any(|place| is_that(certificate_folder::first_certificate(&place)))
        || !is_that(certificate_folder::first_certificate_in(folder))
    {
        return Ok(());
    }
    files::create_folders(&home.generations(name), files::FOLDER)?;
    let mut staged = StagedFolder::create(home.folder(), entropy)?;
    for file in certificate_folder::read_files(folder)? {
        staged.add_owned(file.name, &file.content, file.mode, file.ownership)?;
    }
    staged.sync()?;
    staged.publish_new(&free_place(home, name, serial))
}

/// Puts copies of the files of one folder into another, each whole and in one step, the key first; with this owner, group and
/// mode, or else their own.
///
/// # Errors
/// When the system refuses; some are exchanged then, and some not.
pub fn put_one_by_one(from: &Path, to: &Path, access: FolderAccess, entropy: &dyn Entropy) -> Result<(), FileError> {
    files::create_folders(to, files::FOLDER)?;
    let (from, to) = (Folder::open(from)?, Folder::open(to)?);
    let copies = certificate_folder::read_files(&from)?;
    let copies: Vec<_> = copies.into_iter().map(|copy| access.applied_to(copy)).collect();
    copies.iter().try_for_each(|file| to.publish(file.as_new(), ExistingFile::Replace, entropy))
}

/// Where the files of the certificate with this serial number can be kept: nothing is there yet.
pub fn free_place(home: &Home, name: &EntryName, serial: &str) -> PathBuf {
    let numbered = (2..).map(|number: u64| format!("{serial}.{number}"));
    let mut places = std::iter::once(serial.to_owned()).chain(numbered).map(|place| home.generation(name, &place));
    // The list has no end, and the folders have one.
    places.find(|place| place.symlink_metadata().is_err()).unwrap_or_else(|| home.generation(name, serial))
}

/// The folders that bear this serial number.
fn places_of(home: &Home, name: &EntryName, serial: &SerialNumber) -> Result<Vec<PathBuf>, FileError> {
    let serial = serial.to_string();
    let mut places = files::names_in(&home.generations(name))?;
    places.retain(|place| is_place_of(place, &serial));
    places.sort();
    Ok(places.iter().map(|place| home.generation(name, place)).collect())
}

fn is_place_of(place: &str, serial: &str) -> bool {
    place.strip_prefix(serial).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether a folder holds the certificate of this record.
pub fn is_of(folder: &Path, entry: &Entry) -> bool {
    certificate_folder::first_fingerprint(folder).is_some_and(|fingerprint| fingerprint == entry.fingerprint)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::authority::leaf::order::{IfNameExists, IssueOrder, IssueStatus};
    use crate::authority::leaf::renew::NextKey;
    use crate::authority::testing::{Ca, files_below, order};
    use crate::store::ca_certificates::read_certificate;
    use crate::store::index::sample::context;
    use crate::system::entropy::SystemEntropy;

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

    #[test]
    fn the_latest_certificates_of_a_name_say_what_is_in_place_as_all_do() {
        let count = |ca: &Ca| {
            let of = |history: NameHistory| {
                let name = "web.test".parse().unwrap();
                let ids = (history.recorded().map(|entry| entry.id), history.unfinished().map(|rollback| rollback.id));
                (history.certificates.len(), (ids, history.folder(&ca.home, &name)))
            };
            let (count, latest) = of(NameHistory::latest(&ca.index(), "WEB.test").unwrap());
            assert_eq!(latest, of(NameHistory::of(&ca.index(), "web.test").unwrap()).1);
            count
        };
        let (ca, ..) = replaced();
        assert_eq!(count(&ca), 1);
        ca.renew("web.test", NextKey::New(None)).unwrap();
        ca.forget_delivery("web.test");
        assert_eq!(count(&ca), 2, "the newest one may be in place without the mark");
        ca.roll_back("web.test").unwrap();
        assert_eq!(count(&ca), 3, "an older one is in place");
        let ca = Ca::new();
        ca.issue(order("server", "web.test")).unwrap();
        ca.forget_delivery("web.test");
        assert_eq!(count(&ca), 1);
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
                let due = crate::authority::leaf::order::DueRule::LastThird;
                let wish = IssueOrder { existing: IfNameExists::KeepUnlessDue(due), ..order("server", "web.test") };
                assert_eq!(ca.issue(wish).unwrap().status, IssueStatus::Unchanged);
                assert!(!place.exists());
                assert_eq!(serials(&ca, &["issued/web.test"]), [first]);
            }
        }
    }

    /// As a rollback to the second last leaves the index that died before it marked itself as done.
    fn begin_rollback(ca: &Ca) {
        let history = ca.history("web.test");
        let [.., target, newest] = &history[..] else { panic!("not two certificates") };
        let (certificate, newest) = (target.id, newest.id);
        let begun = Rollback { id: 0, certificate, replaced: newest, newest, at: ca.now, done_at: None };
        let mut index = ca.index();
        let mut transaction = index.transaction(context()).unwrap();
        transaction.roll_back(&begun, "web.test").unwrap();
        transaction.commit().unwrap();
    }

    #[test]
    fn an_interrupted_rollback_is_ended_by_the_same_command_and_not_followed_by_another() {
        for was_exchanged in [true, false] {
            let (ca, _, second) = replaced();
            ca.renew("web.test", NextKey::New(None)).unwrap();
            begin_rollback(&ca);
            if was_exchanged {
                exchange(&ca, &format!("issued/.generations/web.test/{second}"));
            }
            let ended = ca.roll_back("web.test").unwrap();
            assert_eq!(ended.status, crate::authority::leaf::rollback::RollbackStatus::RolledBack);
            assert_eq!(ended.replaced.map(|entry| entry.serial), Some(ca.history("web.test")[2].serial.clone()));
            assert_eq!(serials(&ca, &["issued/web.test"]), [second], "{was_exchanged}");
        }
    }

    #[test]
    fn a_mixture_in_a_folder_of_the_user_becomes_what_was_in_place_for_whoever_comes_next() {
        let ca = Ca::new();
        let folder = ca.top.path().join("out");
        fs::create_dir(&folder).unwrap();
        let place = || Some(crate::store::delivery::Destination::Folder(folder.clone()));
        ca.issue(IssueOrder { place: place(), ..order("server", "web.test") }).unwrap();
        let files = ["key.pem", "cert.pem", "chain.pem", "fullchain.pem"].map(|name| folder.join(name));
        let first = files.each_ref().map(|path| fs::read(path).unwrap());
        ca.renew("web.test", NextKey::New(None)).unwrap();
        ca.forget_delivery("web.test");
        // The newer key is there already, and nothing else.
        for (path, content) in files.iter().zip(&first).skip(1) {
            fs::write(path, content).unwrap();
        }
        let existing = IfNameExists::KeepUnlessDue(crate::authority::leaf::order::DueRule::LastThird);
        let outcome = ca.issue(IssueOrder { place: place(), existing, ..order("server", "web.test") }).unwrap();
        assert_eq!(outcome.status, IssueStatus::Unchanged);
        assert_eq!(files.each_ref().map(|path| fs::read(path).unwrap()), first);
    }

    #[test]
    fn a_rollback_that_never_took_place_is_not_what_was_in_place_before() {
        let (ca, _, second) = replaced();
        begin_rollback(&ca);
        ca.renew("web.test", NextKey::New(None)).unwrap();
        let name_history = NameHistory::of(&ca.index(), "web.test").unwrap();
        assert_eq!(name_history.rollbacks[0].done_at, None, "its files are not in place");
        assert_eq!(name_history.before(&name_history.certificates[2]).unwrap().serial.to_string(), second);
    }

    #[test]
    fn what_is_put_back_takes_the_place_of_files_that_are_gone_and_of_those_whose_run_died() {
        let (ca, first, second) = replaced();
        ca.forget_delivery("web.test");
        ca.roll_back("web.test").unwrap();
        let kept = format!("issued/.generations/web.test/{second}");
        assert_eq!(serials(&ca, &["issued/web.test", &kept]), [first.as_str(), &second]);
        assert!(ca.history("web.test")[1].delivered_at.is_some(), "they stood there");
        let (ca, first, _) = replaced();
        std::fs::remove_dir_all(ca.path("issued/web.test")).unwrap();
        ca.roll_back("web.test").unwrap();
        assert_eq!(serials(&ca, &["issued/web.test"]), [first]);
    }

    #[test]
    fn files_are_copied_to_their_generation_once_and_only_if_they_are_those() {
        let (ca, first, second) = replaced();
        let name = "web.test".parse().unwrap();
        let folder = ca.path("issued/web.test");
        let folder = Folder::open(&folder).unwrap();
        for serial in [&second, &second, "00ff"] {
            keep_copy(&ca.home, &name, &folder, serial, &SystemEntropy).unwrap();
        }
        let mut kept = files::names_in(&ca.home.generations(&name)).unwrap();
        kept.sort();
        let mut expected = [first, second];
        expected.sort();
        assert_eq!(kept, expected);
    }

    #[test]
    fn in_a_folder_of_the_user_whole_files_whose_run_died_stay() {
        let ca = Ca::new();
        let folder = ca.top.path().join("out");
        fs::create_dir(&folder).unwrap();
        let place = Some(crate::store::delivery::Destination::Folder(folder.clone()));
        ca.issue(IssueOrder { place, ..order("server", "web.test") }).unwrap();
        ca.renew("web.test", NextKey::New(None)).unwrap();
        ca.forget_delivery("web.test");
        let key = fs::read(folder.join("key.pem")).unwrap();
        ca.renew("web.test", NextKey::Same).unwrap();
        assert_eq!(fs::read(folder.join("key.pem")).unwrap(), key);
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
        let name = "web.test".parse().unwrap();
        assert_eq!(find(&ca.home, &name, &ca.history("web.test")[1]).unwrap(), Some(ca.path(&numbered)));

        // By hand, an older generation was put back: it is kept under its own number.
        fs::remove_dir_all(ca.path("issued/web.test")).unwrap();
        let place = format!("issued/.generations/web.test/{first}");
        fs::rename(ca.path(&place), ca.path("issued/web.test")).unwrap();
        ca.issue(IssueOrder { existing: IfNameExists::Replace, ..order("server", "web.test") }).unwrap();
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
        let due = crate::authority::leaf::order::DueRule::LastThird;
        let wish = IssueOrder { existing: IfNameExists::KeepUnlessDue(due), ..order("server", "web.test") };
        assert_eq!(ca.issue(wish).unwrap().status, IssueStatus::Issued);
        assert_eq!(ca.history("web.test").len(), 2);
    }
}
