//! What is restored is what was backed up; what no backup has is refused, and leaves nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use super::*;
use crate::authority::revocation::publish_crl::CrlOrder;
use crate::authority::testing::{Ca, NOW, order};
use crate::store::Store;
use crate::store::backup::archive::ArchiveWriter;
use crate::store::backup::encryption::tests::pair;
use crate::store::backup::encryption::{Protection, Sealed, Unlocking};
use crate::store::backup::write::{BackupSummary, write_backup};
use crate::store::index::Filter;
use crate::system::Identity;
use crate::system::entropy::SystemEntropy;
use crate::system::identity::FixedIdentity;
use crate::x509::crl::RevocationReason;
use crate::x509::digest::sha256;

/// The members of an archive, with their content.
type Members = Vec<(MemberHeader, Vec<u8>)>;

fn ca() -> Ca {
    let ca = Ca::new();
    for name in ["web.test", "old.test"] {
        ca.issue(order("server", name)).unwrap();
    }
    ca.revoke("old.test", RevocationReason::KeyCompromise).unwrap();
    ca.publish(&CrlOrder::default()).unwrap();
    fs::create_dir_all(ca.home.folder().join("templates")).unwrap();
    fs::write(ca.home.folder().join("templates/web.toml"), "summary = \"ours\"\n").unwrap();
    ca
}

/// Returns the content of a backup, decrypted.
fn content(ca: &Ca) -> (BackupSummary, Vec<u8>) {
    let (recipient, identity) = pair();
    let encryption = Protection::Recipients(vec![recipient]).prepare().unwrap();
    let list = Cursor::new(Vec::new());
    let written = ca.with_effects(|effects| write_backup(&ca.store(), encryption, Vec::new(), list, effects));
    let (summary, file) = written.unwrap();
    assert_eq!((summary.bytes, summary.digest), (file.len() as u64, sha256(&file)));
    let mut content = Vec::new();
    let opened = Sealed::read(file.as_slice()).unwrap().open(&Unlocking::Identities(vec![identity]));
    opened.unwrap().read_to_end(&mut content).unwrap();
    (summary, content)
}

fn event() -> EventContext {
    EventContext { at: NOW, actor: FixedIdentity::alice().actor() }
}

fn restored(content: &[u8], folder: &Path) -> Result<Store, BackupError> {
    let target = folder.join("restored");
    unpack(content, folder, event(), &SystemEntropy)?.publish(&target)?;
    Ok(Store::open(Home::at(target)).unwrap())
}

/// Restores, expects a refusal, and looks at what is left.
fn refusal(content: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let refused = restored(content, folder.path()).map(|_| ()).unwrap_err();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "something is left: {refused}");
    assert!(refused.is_damage(), "{refused:?}");
    refused.to_string()
}

fn members(content: &[u8]) -> Members {
    let mut reader = ArchiveReader::new(content);
    let mut members = Vec::new();
    while let Some(header) = reader.next_member().unwrap() {
        let mut content = Vec::new();
        reader.read_to_end(&mut content).unwrap();
        members.push((header, content));
    }
    members
}

/// Makes an archive whose list of digests is right.
fn packed(mut members: Members) -> Vec<u8> {
    let files = members.iter().filter(|(header, _)| header.kind == MemberKind::File && header.path != SUMS);
    let list: String =
        files.map(|(header, content)| format!("{}  {}\n", text::hex(&sha256(content)), header.path)).collect();
    if let Some((_, content)) = members.iter_mut().find(|(header, _)| header.path == SUMS) {
        *content = list.into_bytes();
    }
    let mut writer = ArchiveWriter::new(Vec::new());
    for (header, content) in members {
        writer.add(&MemberHeader { bytes: content.len() as u64, ..header }, content.as_slice()).unwrap();
    }
    writer.finish().unwrap()
}

/// Every file below a folder, without the index and the record of a restore.
fn files_below(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            if path.is_dir() {
                assert_eq!(mode, 0o700, "{}", path.display());
                folders.push(path);
            } else if !name.starts_with("index.db") && name != Restored::FILE {
                let content = fs::read(&path).unwrap();
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), (mode, content));
            }
        }
    }
    found
}

#[test]
fn what_is_restored_is_what_was_backed_up() {
    let ca = ca();
    fs::set_permissions(ca.home.folder().join("templates"), fs::Permissions::from_mode(0o700)).unwrap();
    let (summary, content) = content(&ca);
    assert_eq!((summary.manifest.certificates, summary.with_key.len(), summary.without_key.len()), (4, 2, 0));
    assert!(summary.left_out.is_empty(), "{:?}", summary.left_out);
    let folder = tempfile::tempdir().unwrap();
    let store = restored(&content, folder.path()).unwrap();
    assert_eq!(files_below(store.home().folder()), files_below(ca.home.folder()));
    let entries = |store: &Store| format!("{:?}", store.index().unwrap().query(&Filter::default(), NOW).unwrap());
    assert_eq!(entries(&store), entries(&ca.store()));
    let mode = fs::metadata(store.home().folder().join(INDEX)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut kinds = Vec::new();
    store
        .index()
        .unwrap()
        .each_event(|event, _| -> Result<(), BackupError> {
            kinds.push(event.kind);
            Ok(())
        })
        .unwrap();
    assert_eq!(kinds.last().map(String::as_str), Some("restore"));
    let record = Restored::read(store.home()).unwrap().unwrap();
    assert_eq!(record, Restored { complete_until: NOW, restored_at: NOW, compared: Vec::new(), settled_at: None });
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing unfinished is left");
}

#[test]
fn a_folder_that_has_something_is_not_touched_and_an_empty_one_is_used() {
    let (_, content) = content(&ca());
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("restored");
    fs::create_dir(&target).unwrap();
    check_target(&target).unwrap();
    restored(&content, folder.path()).unwrap();
    assert!(matches!(check_target(&target), Err(BackupError::Taken(_))));
    assert!(matches!(restored(&content, folder.path()), Err(BackupError::Taken(_))));
    fs::remove_dir_all(&target).unwrap();
    fs::write(&target, "a file").unwrap();
    assert!(matches!(check_target(&target), Err(BackupError::Taken(_))));
    assert!(matches!(restored(&content, folder.path()), Err(BackupError::Taken(_))));
    assert_eq!(fs::read_to_string(&target).unwrap(), "a file");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn an_index_and_templates_elsewhere_come_into_the_restored_directory() {
    let ca = ca();
    let elsewhere = ca.top.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::rename(ca.home.folder().join("templates"), elsewhere.join("templates")).unwrap();
    for name in [INDEX, INDEX_LOG] {
        fs::rename(ca.home.folder().join(name), elsewhere.join(name)).unwrap();
    }
    let moved = fs::read_to_string(ca.home.config())
        .unwrap()
        .replace("location = \"index.db\"", "location = '../elsewhere/index.db' # moved")
        .replace("template-dir = \"templates\"", &format!("template-dir = '{}/templates'", elsewhere.display()));
    fs::write(ca.home.config(), &moved).unwrap();
    let (summary, content) = content(&ca);
    assert_eq!(summary.manifest.index_location.as_deref(), Some("../elsewhere/index.db"));
    let before = fs::read(elsewhere.join(INDEX)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = restored(&content, folder.path()).unwrap();
    assert_eq!(store.index_location().path(), Some(store.home().folder().join(INDEX).as_path()));
    assert!(store.template_folder().join("web.toml").is_file());
    assert!(fs::read_to_string(store.home().config()).unwrap().contains("location = \"index.db\" # moved"));
    assert_eq!(fs::read(elsewhere.join(INDEX)).unwrap(), before);
}

#[test]
fn what_is_not_a_part_of_the_ca_is_left_out_and_named() {
    let ca = ca();
    let path = |name: &str| ca.home.folder().join(name);
    fs::write(path("notes.txt"), "mine").unwrap();
    symlink("/etc/passwd", path("issued/web.test/link")).unwrap();
    fs::write(path("templates/README"), "mine").unwrap();
    fs::write(path("issued/web.test/back\\slash"), "").unwrap();
    fs::create_dir(path(".staged-0123456789abcdef")).unwrap();
    fs::remove_file(path("authorities/root/key.pem")).unwrap();
    let (summary, content) = content(&ca);
    let mut left_out: Vec<_> = summary.left_out.iter().map(|left_out| left_out.path.as_str()).collect();
    left_out.sort_unstable();
    assert_eq!(left_out, ["issued/web.test/back\\slash", "issued/web.test/link", "notes.txt", "templates/README"]);
    assert_eq!((summary.with_key, summary.without_key), (vec!["issuing".to_owned()], vec!["root".to_owned()]));
    restored(&content, tempfile::tempdir().unwrap().path()).unwrap();
}

#[test]
fn a_backup_of_a_restored_ca_is_complete_until_the_older_backup() {
    let (_, content_of_first) = content(&ca());
    let mut ca = Ca::none();
    let earlier = NOW - time::Duration::days(30);
    unpack(content_of_first.as_slice(), ca.top.path(), event(), &SystemEntropy)
        .unwrap()
        .publish(&ca.top.path().join("ca"))
        .unwrap();
    let record = Restored { complete_until: earlier, restored_at: NOW, compared: Vec::new(), settled_at: None };
    record.write(&ca.home, ExistingFile::Replace, &SystemEntropy).unwrap();
    ca.now = NOW;
    let (summary, again) = content(&ca);
    assert_eq!((summary.manifest.created_at, summary.manifest.complete_until), (NOW, earlier));
    let folder = tempfile::tempdir().unwrap();
    let store = restored(&again, folder.path()).unwrap();
    assert_eq!(Restored::read(store.home()).unwrap().unwrap().complete_until, earlier);
}

#[test]
fn a_cut_archive_a_changed_file_and_a_missing_file_are_refused() {
    let (_, content) = content(&ca());
    for length in (0..content.len()).step_by(4096 + 512) {
        refusal(&content[..length]);
    }
    let at = content.windows(7).position(|window| window == b"BEGIN P").unwrap();
    let mut changed = content.clone();
    changed[at + 60] ^= 1;
    assert!(refusal(&changed).contains("SHA256SUMS"));
    for missing in [SUMS, SETTINGS, INDEX, MANIFEST, "issued"] {
        let rest = members(&content).into_iter().filter(|(header, _)| header.path != missing).collect();
        refusal(&packed(rest));
    }
}

#[test]
fn a_file_that_no_ca_directory_has_is_refused() {
    let (_, content) = content(&ca());
    let plain = |path: &str, kind| {
        (MemberHeader { path: path.to_owned(), kind, mode: 0o644, modified: 0, bytes: 0 }, Vec::new())
    };
    let unfinished = "authorities/.staged-0123456789abcdef";
    for path in
        ["restored.toml", "other", "index.db-shm", "templates2", ".staged-0123456789abcdef", "other/x", unfinished]
    {
        for kind in [MemberKind::File, MemberKind::Folder] {
            let mut more = members(&content);
            let folder = more.iter().position(|(header, _)| path.starts_with(&format!("{}/", header.path)));
            more.insert(folder.unwrap_or_default() + 1, plain(path, kind));
            assert!(refusal(&packed(more)).contains("not a part of a CA directory"), "{path}");
        }
    }
    // Before its folder, twice, or after the end.
    let mut early = members(&content);
    early.insert(1, plain("issued/web.test/cert.pem", MemberKind::File));
    assert!(refusal(&packed(early)).contains("before its folder"));
    let position = |members: &Members, path: &str| members.iter().position(|(header, _)| header.path == path).unwrap();
    for path in [INDEX, SETTINGS, "authorities/root/cert.pem", "issued"] {
        let mut twice = members(&content);
        let at = position(&twice, path);
        let again = if twice[at].0.kind == MemberKind::Folder { twice.len() - 2 } else { at + 1 };
        let member = twice[at].clone();
        twice.insert(again, member);
        assert!(refusal(&packed(twice)).contains("twice"), "{path}");
    }
    // Another file first, and without an index.
    let mut first = members(&content);
    first[0].0.path = "ca.toml".to_owned();
    assert!(refusal(&packed(first)).contains("its first file is not backup.toml"));
    let mut less = members(&content);
    less.retain(|(header, _)| !header.path.starts_with(INDEX));
    assert!(refusal(&packed(less)).contains("or no index.db"));
    let mut late = members(&content);
    late.push(plain("issued", MemberKind::Folder));
    assert!(refusal(&packed(late)).contains("goes on"));
}

#[test]
fn settings_that_lead_out_of_the_restored_directory_are_refused() {
    let (_, content) = content(&ca());
    for settings in
        ["[index]\nlocation = \"/var/lib/ca/index.db\"\n", "[issue]\ntemplate-dir = \"../t\"\n", "unknown = 1\n"]
    {
        let mut changed = members(&content);
        let member = changed.iter_mut().find(|(header, _)| header.path == SETTINGS).unwrap();
        member.1 = settings.into();
        assert!(refusal(&packed(changed)).contains("ca.toml"));
    }
}

#[test]
fn a_manifest_and_settings_without_end_are_refused_before_they_are_read() {
    let (_, content) = content(&ca());
    for (path, most) in [(MANIFEST, MAX_MANIFEST_BYTES), (SETTINGS, files::MAX_SMALL_FILE_BYTES)] {
        let mut long = members(&content);
        let member = &mut long.iter_mut().find(|(header, _)| header.path == path).unwrap().1;
        member.extend(vec![b'#'; usize::try_from(most).unwrap()]);
        assert!(refusal(&packed(long)).contains("too long"), "{path}");
    }
}

#[test]
fn a_damaged_index_is_refused_even_when_its_digest_is_right() {
    let ca = ca();
    // All pages are in the main file, and none in its log.
    Index::open(&ca.home.folder().join(INDEX)).unwrap().close_folded().unwrap();
    let (summary, content) = content(&ca);
    let with_index = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut changed = members(&content);
        let member = changed.iter_mut().find(|(header, _)| header.path == INDEX).unwrap();
        change(&mut member.1);
        packed(changed)
    };
    for at in [20, 100, 4096] {
        refusal(&with_index(&|index| index[at..at + 64].fill(0xff)));
    }
    refusal(&with_index(&Vec::clear));
    refusal(&with_index(&|index| index.truncate(4096)));
    // An index with another number of certificates than were backed up.
    let mut manifest = members(&content);
    let other = Manifest { certificates: summary.manifest.certificates + 1, ..summary.manifest.clone() };
    manifest[0].1 = other.to_toml().into_bytes();
    assert!(refusal(&packed(manifest)).contains("certificates"));
    let mut manifest = members(&content);
    let other = Manifest { head: "00".repeat(32), ..summary.manifest };
    manifest[0].1 = other.to_toml().into_bytes();
    assert!(refusal(&packed(manifest)).contains("event log"));
}

/// A flipped bit in a serial number leaves a well-formed page: only the comparison of the table with its index shows it.
#[test]
fn an_index_whose_tables_contradict_each_other_is_refused() {
    let ca = ca();
    Index::open(&ca.home.folder().join(INDEX)).unwrap().close_folded().unwrap();
    let (_, content) = content(&ca);
    let serial = ca.history("web.test")[0].serial.as_der_content().to_vec();
    let index = members(&content).into_iter().find(|(header, _)| header.path == INDEX).unwrap().1;
    let places: Vec<usize> = (0..index.len() - serial.len()).filter(|at| index[*at..].starts_with(&serial)).collect();
    let is_refused = |at: &&usize| {
        let mut changed = members(&content);
        changed.iter_mut().find(|(header, _)| header.path == INDEX).unwrap().1[**at] ^= 1;
        let folder = tempfile::tempdir().unwrap();
        restored(&packed(changed), folder.path()).is_err_and(|error| error.is_damage())
    };
    assert!(places.iter().filter(is_refused).count() >= 2, "in the row, and in the index of serial numbers");
}

#[test]
fn modes_that_let_others_write_or_run_are_not_restored() {
    let (_, content) = content(&ca());
    let mut changed = members(&content);
    for (header, _) in &mut changed {
        header.mode = 0o777;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = restored(&packed(changed), folder.path()).unwrap();
    for (path, (mode, _)) in files_below(store.home().folder()) {
        assert!([0o600, 0o644].contains(&mode), "{}: {mode:04o}", path.display());
    }
    assert_eq!(fs::metadata(store.home().folder().join(INDEX)).unwrap().permissions().mode() & 0o777, 0o600);
}
