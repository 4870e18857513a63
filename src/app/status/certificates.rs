//! The certificates whose files are missing or readable for other users, and those that were never delivered.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::app::status::item::{Item, Kind};
use crate::authority::audit::{Findings, check_key_mode, key_mode};
use crate::authority::hierarchy::rotation::start::CROSS;
use crate::authority::leaf::order::IN_MEMORY;
use crate::store::certificate_files::{ALL, KEY};
use crate::store::entry_name::EntryName;
use crate::store::index::{CertificateStatus, Entry};
use crate::store::locate::count_as_delivered_if_there;
use crate::store::previous_certificates::NameHistory;
use crate::store::{Store, StoreError};
use crate::system::files;
use crate::text::{humanize, shell_word};
use crate::x509::SerialNumber;

/// Returns the items of the certificates that have not expired: one pass over the index, which looks for the files of each.
///
/// # Errors
/// When the index cannot be read.
pub fn items(store: &Store, now: OffsetDateTime) -> Result<Vec<Item>, StoreError> {
    let authorities = store.ca_certificates().names()?;
    let mut modes: BTreeMap<String, u32> = BTreeMap::new();
    let mut open_keys = Findings::default();
    let mut without_files: BTreeSet<String> = BTreeSet::new();
    let mut undelivered: Vec<SerialNumber> = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    let modes_of_names = store.index()?.file_modes()?;
    store.index()?.each_unexpired(now, |row| {
        let is_elsewhere = [IN_MEMORY, CROSS].contains(&row.template);
        if !row.is_delivered {
            undelivered.push(row.serial());
            return;
        }
        if is_elsewhere || authorities.iter().any(|name| name.eq_ignore_ascii_case(row.name)) {
            return;
        }
        // Several certificates of a name share its folder, which is looked at once for each template: it decides the mode of the key.
        if row.place.is_none() && !seen.insert(format!("{} {}", row.template, row.name.to_ascii_lowercase())) {
            return;
        }
        let Some(folder) = folder_of(store, row.name, row.place) else { return };
        if !has_all_files(&folder) {
            without_files.insert(row.name.to_owned());
        }
        if !modes.contains_key(row.template) {
            modes.insert(row.template.to_owned(), key_mode(store, row.template));
        }
        let of_name = if modes_of_names.is_empty() { None } else { modes_of_names.get(&row.name.to_ascii_lowercase()) };
        let mode = of_name.or(modes.get(row.template)).copied().unwrap_or(files::SECRET);
        check_key_mode(&KEY.path_in(&folder), mode, &mut open_keys);
    })?;
    let open = |finding: crate::authority::audit::Finding| Item {
        kind: Kind::OpenPermissions,
        object: finding.object,
        message: finding.message,
        fix: finding.fix,
        not_after: None,
    };
    let mut items: Vec<Item> = open_keys.into_vec().into_iter().map(open).collect();
    for name in without_files {
        items.extend(missing(store, &name, now)?);
    }
    for serial in undelivered {
        for entry in store.index()?.by_serial(&serial)? {
            items.extend(not_delivered(store, entry, now)?);
        }
    }
    Ok(items)
}

/// Returns the folder in which the files of a certificate should be; `None` when the name of its entry is unreadable.
fn folder_of(store: &Store, name: &str, place: Option<&Path>) -> Option<PathBuf> {
    match place {
        Some(place) => Some(place.to_owned()),
        None => Some(store.home().entry(&name.parse::<EntryName>().ok()?)),
    }
}

/// The private key of a certificate for a CSR is elsewhere, so that its file is not asked for.
fn has_all_files(folder: &Path) -> bool {
    ALL.iter().filter(|file| !file.is_secret).all(|file| file.path_in(folder).symlink_metadata().is_ok())
}

/// Returns the item of a name whose files are missing; `None` when its certificate in use is revoked or has expired.
fn missing(store: &Store, name: &str, now: OffsetDateTime) -> Result<Option<Item>, StoreError> {
    let Ok(entry_name) = name.parse::<EntryName>() else { return Ok(None) };
    let history = NameHistory::latest(store.index()?, name)?;
    let Some(recorded) = history.recorded().filter(|entry| is_usable(entry, now)) else { return Ok(None) };
    let folder = history.folder(store.home(), &entry_name);
    if has_all_files(&folder) {
        return Ok(None);
    }
    let is_gone = folder.symlink_metadata().is_err();
    // Several machines share the index, and each name has its files on one of them.
    if is_gone && store.index_location().is_shared() {
        return Ok(None);
    }
    let (message, fix) = if is_gone {
        let left = humanize(recorded.validity.not_after - now);
        (format!("its folder is missing, and it is valid for {left}"), format!("ca rekey {}", shell_word(name)))
    } else {
        let files = ALL.iter().filter(|file| !file.is_secret && file.path_in(&folder).symlink_metadata().is_err());
        let names: Vec<&str> = files.map(|file| file.name).collect();
        (format!("missing: {}", names.join(", ")), "ca audit --fix".to_owned())
    };
    let (object, not_after) = (recorded.name.clone(), Some(recorded.validity.not_after));
    Ok(Some(Item { kind: Kind::FileMissing, object, message, fix, not_after }))
}

fn is_usable(entry: &Entry, now: OffsetDateTime) -> bool {
    let status = entry.status(now);
    !matches!(status, CertificateStatus::Revoked | CertificateStatus::Held | CertificateStatus::Expired)
}

/// Returns the item of a certificate that was recorded and not delivered.
fn not_delivered(store: &Store, mut entry: Entry, now: OffsetDateTime) -> Result<Option<Item>, StoreError> {
    let index = store.index()?;
    count_as_delivered_if_there(store.home(), index, &mut entry)?;
    if entry.status(now) != CertificateStatus::NotDelivered || [IN_MEMORY, CROSS].contains(&entry.template.as_str()) {
        return Ok(None);
    }
    let name = shell_word(&entry.name);
    let history = NameHistory::of(index, &entry.name)?;
    let folder = entry.name.parse::<EntryName>().ok().map(|name| history.folder(store.home(), &name));
    let has_key = folder.is_some_and(|folder| KEY.path_in(&folder).exists());
    let is_authority = store.ca_certificates().exists(&entry.name);
    let fix = match history.recorded() {
        Some(recorded) if is_authority && recorded.authority == entry.name => format!("ca root renew {name}"),
        Some(_) if is_authority => format!("ca renew {name}"),
        Some(_) if has_key => format!("ca renew {name}"),
        Some(_) => format!("ca sign CSR --name {name} --force"),
        None => {
            let others = entry.sans.iter().filter(|(_, value)| *value != entry.name);
            let sans: String =
                others.map(|(kind, value)| format!(" --san {}", shell_word(&format!("{kind}:{value}")))).collect();
            format!("ca issue {} {name}{sans}", shell_word(&entry.template))
        }
    };
    let message = format!("serial {} was recorded, and its files were not written", entry.serial);
    let (object, not_after) = (entry.name.clone(), Some(entry.validity.not_after));
    Ok(Some(Item { kind: Kind::NotDelivered, object, message, fix, not_after }))
}
