//! A folder of another user, who exchanges it, and what is in it, for links while root writes and reads there. What the
//! links lead to keeps its owner, its mode and its content, and is copied nowhere.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ca::store::ca_certificates::read_certificate;
use ca::store::certificate_folder::FolderAccess;
use ca::store::delivery::{Destination, Files, KeyText, Replaced, Workshops};
use ca::store::entry_name::EntryName;
use ca::store::home::Home;
use ca::store::previous_certificates;
use ca::system::entropy::SystemEntropy;
use ca::system::files::{FileError, Folder, Ownership};
use ca::x509::Certificate;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use zeroize::Zeroizing;

use crate::support::program::Place;
use crate::support::skip;

/// The user of an application, without rights: nobody.
const APPLICATION: u32 = 65534;
const SECRET: &str = "the key of another service";
const NAME: &str = "app.example";

/// A folder `application` of that user's with a folder `tls` in it, and a key of another service's.
struct Scene {
    place: Place,
    home: Home,
    name: EntryName,
    certificate: Certificate,
}

impl Scene {
    /// `None`: only root can give files away.
    fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            skip::because("needs root and a second user");
            return None;
        }
        let place = Place::in_memory();
        place.done("--dir ca init --no-passphrase");
        place.done(&format!("--dir ca issue server {NAME}"));
        let certificate = read_certificate(&place.path(format!("ca/issued/{NAME}/cert.pem"))).unwrap();
        for folder in ["application", "application/tls"] {
            fs::create_dir(place.path(folder)).unwrap();
            chown(place.path(folder), Some(APPLICATION), Some(APPLICATION)).unwrap();
        }
        fs::create_dir(place.path("other")).unwrap();
        ca::system::files::write_secret(&place.path("other/key.pem"), SECRET.as_bytes()).unwrap();
        fs::copy(place.path(format!("ca/issued/{NAME}/cert.pem")), place.path("other/cert.pem")).unwrap();
        let home = Home::at(place.path("ca"));
        Some(Self { place, home, name: NAME.parse().unwrap(), certificate })
    }

    fn path(&self, below: &str) -> PathBuf {
        self.place.path(below)
    }

    fn link(&self, target: &str, below: &str) -> PathBuf {
        let link = self.path(below);
        symlink(self.path(target), &link).unwrap();
        lchown(&link, Some(APPLICATION), Some(APPLICATION)).unwrap();
        link
    }

    /// As `ca renew` delivers into a folder that was there before.
    fn deliver(&self) -> Result<(), FileError> {
        let owner = Ownership::of(Some(&APPLICATION.to_string()), None).unwrap();
        let key = KeyText { text: Zeroizing::new("the new key".to_owned()), mode: 0o600 };
        let to = Destination::Folder(self.path("application/tls"));
        let mut workshops = Workshops::default();
        to.sweep(&self.home, &self.name, &mut workshops)?;
        let opened = to.open(&self.home, &self.name, Some(&key), owner, &mut workshops)?;
        let begun = opened.begin(Some(&key), &SystemEntropy)?;
        begun.finish(Some(&key), &Files::new(&self.certificate, &[]), Replaced::Whatever, &SystemEntropy)
    }

    /// Nothing of the other service's was touched.
    fn check(&self, round: usize) {
        for (file, mode) in [("other", 0o755), ("other/key.pem", 0o600)] {
            let found = fs::metadata(self.path(file)).unwrap();
            assert_eq!((found.uid(), found.mode() & 0o777), (0, mode), "{file} after {round} rounds");
        }
        assert_eq!(fs::read_to_string(self.path("other/key.pem")).unwrap(), SECRET, "after {round} rounds");
        let mut names: Vec<_> =
            fs::read_dir(self.path("other")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["cert.pem", "key.pem"], "after {round} rounds");
    }

    /// Runs `attempt` so many times while `attack` is repeated. Returns how often each of both came to its end.
    fn race(
        &self,
        rounds: usize,
        attack: impl Fn() + Sync,
        mut attempt: impl FnMut() -> Result<(), FileError>,
    ) -> (usize, usize) {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let attacker = scope.spawn(|| {
                let mut attacks = 0;
                while !over.load(Ordering::Relaxed) {
                    attack();
                    attacks += 1;
                }
                attacks
            });
            let mut succeeded = 0;
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                for round in 0..rounds {
                    succeeded += usize::from(attempt().is_ok());
                    self.check(round);
                }
            }));
            over.store(true, Ordering::Relaxed);
            let attacks = attacker.join().unwrap();
            ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (succeeded, attacks)
        })
    }
}

fn exchange(one: &Path, other: &Path) {
    // It may be that one of them is not there for a moment.
    let _ = renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE);
}

/// Puts a link to the key of the other service in the place of each file, whatever it is called.
fn exchange_all(folder: &Path, target: &Path) {
    let between = folder.with_file_name("between");
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if fs::symlink_metadata(entry.path()).is_ok_and(|found| found.is_file()) && symlink(target, &between).is_ok() {
            exchange(&between, &entry.path());
            drop(fs::remove_file(&between));
        }
    }
}

#[test]
fn a_key_of_another_service_keeps_its_owner_in_a_thousand_races_for_the_folder() {
    let Some(scene) = Scene::new() else { return };
    let (folder, link) = (scene.path("application/tls"), scene.link("other", "application/link"));
    let (delivered, attacks) = scene.race(1000, || exchange(&folder, &link), || scene.deliver());
    assert!(delivered > 0 && attacks > 1000, "{delivered} deliveries, {attacks} exchanges: there was no race");
    // The files are in the folder that was opened, and belong to the user.
    let real = if folder.is_symlink() { link } else { folder };
    assert_eq!(fs::metadata(real.join("key.pem")).unwrap().uid(), APPLICATION);
}

#[test]
fn a_key_of_another_service_keeps_its_owner_in_a_thousand_races_for_the_names() {
    let Some(scene) = Scene::new() else { return };
    let (folder, key) = (scene.path("application/tls"), scene.path("other/key.pem"));
    let attack = || exchange_all(&folder, &key);
    let (_, attacks) = scene.race(1000, attack, || scene.deliver());
    assert!(attacks > 1000, "{attacks} attacks: there was no race");
}

#[test]
fn a_key_of_another_service_is_not_copied_in_a_thousand_races() {
    let Some(scene) = Scene::new() else { return };
    scene.deliver().unwrap();
    let (folder, link) = (scene.path("application/tls"), scene.link("other", "application/link"));
    let (key, key_link) = (folder.join("key.pem"), scene.link("other/key.pem", "application/key-link"));
    let serial = scene.certificate.serial.to_string();
    let kept = scene.home.generation(&scene.name, &serial);
    let attack = || {
        exchange(&key, &key_link);
        exchange(&folder, &link);
        exchange(&folder, &link);
    };
    let (mut copies, name) = (0, &scene.name);
    let attempt = || {
        let opened = Folder::open(&folder)?;
        let copied = previous_certificates::keep_copy(&scene.home, name, &opened, &serial, &SystemEntropy);
        if let Ok(copy) = fs::read_to_string(kept.join("key.pem")) {
            assert_eq!(copy, "the new key", "a link was followed");
            copies += 1;
            previous_certificates::put_one_by_one(&kept, &folder, FolderAccess::default(), &SystemEntropy).ok();
        }
        if kept.exists() {
            fs::remove_dir_all(&kept).unwrap();
        }
        copied
    };
    let (_, attacks) = scene.race(1000, attack, attempt);
    assert!(copies > 0 && attacks > 1000, "{copies} copies, {attacks} attacks: there was no race");
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
    let Some(scene) = Scene::new() else { return };
    scene.deliver().unwrap();
    let key = scene.path("application/tls/key.pem");
    fs::remove_file(&key).unwrap();
    rustix::fs::mkfifoat(CWD, &key, rustix::fs::Mode::from_raw_mode(0o666)).unwrap();
    // A writer that never writes.
    let writer = fs::OpenOptions::new().read(true).write(true).open(&key).unwrap();
    let folder = Folder::open(&scene.path("application/tls")).unwrap();
    let serial = scene.certificate.serial.to_string();
    let error = previous_certificates::keep_copy(&scene.home, &scene.name, &folder, &serial, &SystemEntropy);
    assert!(error.unwrap_err().to_string().ends_with("it is not a regular file"));
    assert!(scene.deliver().is_err(), "nothing but a regular file is replaced");
    drop(writer);
    scene.check(1);
}
