//! Owners and modes of everything in the CA directory, templates that cannot be read, and what killed runs left.

use std::path::Path;

use crate::authority::audit::finding::{Findings, Repair, Severity};
use crate::store::certificate_files::KEY;
use crate::store::{Store, templates};
use crate::system::files::{self, PathKind, unfinished_name};
use crate::text::PathText;

/// The modes of one kind of path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// A folder of the CA: 0700.
    Folder,
    /// A file that only the owner may read: 0600.
    Secret,
    /// A file that others may read.
    Public,
    /// In the folder of an entry, which can have been given to another user.
    OfEntry,
}

/// Checks every path in the CA directory.
pub fn check(store: &Store, findings: &mut Findings) {
    check_below(store, DEEPEST, findings);
}

/// As [`check`], without what is in the folders of entries: these are many.
pub fn check_without_entries(store: &Store, findings: &mut Findings) {
    check_below(store, DEPTH_OF_ENTRIES, findings);
}

fn check_below(store: &Store, deepest: usize, findings: &mut Findings) {
    let home = store.home().folder();
    let shared = shared_with_group(home);
    check_path(store, home, Rule::Folder, shared, findings);
    walk(store, home, (0, deepest), shared, findings);
    let index = store.index_location().path();
    if let Some((index, folder)) =
        index.and_then(|index| Some((index, index.parent().filter(|folder| *folder != home)?)))
    {
        let shared = shared_with_group(folder);
        for file in crate::store::Index::files(index) {
            check_path(store, &file, Rule::Secret, shared, findings);
        }
    }
    check_templates(store, findings);
}

/// The deepest path that is checked: `issued/.generations/<name>/<serial>/key.pem`.
const DEEPEST: usize = 5;

/// The folders of entries are in `issued/`, those of authorities in `authorities/`.
const DEPTH_OF_ENTRIES: usize = 2;

fn walk(store: &Store, folder: &Path, (depth, deepest): (usize, usize), shared: u32, findings: &mut Findings) {
    let mut names = files::names_in(folder).unwrap_or_default();
    names.sort();
    let home = store.home();
    for name in names {
        let path = folder.join(&name);
        if name.starts_with(unfinished_name::PREFIX) {
            let message = "a command that was killed left it";
            let repair = Some(Repair::RemoveStale { folder: folder.to_owned() });
            let fix = "the next command that changes the CA removes it; or ca audit --fix";
            findings.repairable(Severity::Note, "unfinished", path.escaped().to_string(), message, fix, repair);
            continue;
        }
        let is_of_entry = path.strip_prefix(home.issued()).is_ok_and(|below| below.components().count() > 1);
        let is_folder = path.symlink_metadata().is_ok_and(|found| found.is_dir());
        let is_index = depth == 0 && (name == "index.db" || name.starts_with("index.db-"));
        let is_entry = is_folder && folder == home.issued() && !name.starts_with('.');
        let shared_here = if is_entry { shared | shared_by_key(&path) } else { shared };
        let rule = match is_folder {
            _ if is_of_entry || is_entry && is_given_away(store, &path) => Rule::OfEntry,
            true => Rule::Folder,
            // Keys are checked together with their certificates.
            false if is_index => Rule::Secret,
            false => Rule::Public,
        };
        check_path(store, &path, rule, shared_here, findings);
        let is_left_out = deepest == DEPTH_OF_ENTRIES && path == home.issued();
        if is_folder && depth < deepest && !is_left_out {
            walk(store, &path, (depth + 1, deepest), shared, findings);
        }
    }
}

/// Returns the bits with which a CA is shared: 0050 when the owner lets the group, and no other user, enter the folder. A new
/// CA does not; so it was intended, and files that the group can read are as intended. Private keys are never shared.
fn shared_with_group(folder: &Path) -> u32 {
    let found = files::examine(folder).ok().flatten();
    found.filter(|found| found.mode & 0o077 == 0o050).map_or(0, |_| 0o050)
}

/// As [`shared_with_group`], of the folder of an entry: a group that can read the private key in it, whose mode is checked with its
/// certificate, can enter the folder.
fn shared_by_key(folder: &Path) -> u32 {
    let key = files::examine(&KEY.path_in(folder)).ok().flatten();
    if key.is_none_or(|key| key.mode & 0o040 != 0) { 0o050 } else { 0 }
}

/// Returns whether the folder of an entry belongs to the user to whom the private key in it was given.
fn is_given_away(store: &Store, folder: &Path) -> bool {
    let found = |path: &Path| files::examine(path).ok().flatten();
    match (found(folder), found(&KEY.path_in(folder))) {
        (Some(folder), Some(key)) => !store.home().owners().include(folder) && key.owner == folder.owner,
        _ => false,
    }
}

fn check_path(store: &Store, path: &Path, rule: Rule, shared: u32, findings: &mut Findings) {
    let Ok(Some(found)) = files::examine(path) else { return };
    let object = path.escaped().to_string();
    let word = path.in_shell();
    if found.kind == PathKind::Link {
        let fix = format!("put the file itself in the place of the link; 'ls -l {word}' shows where it leads");
        findings.error("link", object, "it is a symbolic link, and those are not followed here", fix);
        return;
    }
    if rule != Rule::OfEntry && !store.home().owners().include(found) {
        let message = format!("it belongs to another user: user {}", found.owner);
        let fix = format!("if it is yours, run as root: chown {} {word}", files::our_user());
        findings.error("owner", object.as_str(), message, fix);
    }
    let (excess, severity, code, message) = match (rule, found.mode & 0o077 & !shared) {
        (_, bits) if bits & 0o022 != 0 => (0o022, Severity::Error, "writable-by-others", "other users can change it"),
        (Rule::Secret, bits) if bits != 0 => (0o077, Severity::Error, "readable-by-others", "other users can read it"),
        (Rule::Folder, bits) if bits != 0 => (0o077, Severity::Warning, "open-folder", "other users can look into it"),
        _ => return,
    };
    let mode = match rule {
        Rule::Folder | Rule::Secret => found.mode & !(0o077 & !shared),
        Rule::Public | Rule::OfEntry => found.mode & !excess,
    };
    let message = format!("{message}: its mode is {:04o}", found.mode);
    let repair = Some(Repair::Mode { path: path.to_owned(), mode });
    findings.repairable(severity, code, object, message, format!("chmod {mode:04o} {word}"), repair);
}

fn check_templates(store: &Store, findings: &mut Findings) {
    let folder = store.template_folder();
    let mut names = files::names_in(&folder).unwrap_or_default();
    names.sort();
    for name in names.iter().filter_map(|name| name.strip_suffix(".toml")) {
        let object = folder.join(format!("{name}.toml")).escaped().to_string();
        let problem = match templates::find(&folder, name) {
            Ok(found) => found.profile().err().map(|error| error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(problem) = problem {
            findings.error("template-invalid", object, problem, "correct the template, or remove it");
        }
    }
}
