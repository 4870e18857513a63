//! Finds the current files of a recorded certificate.

use std::path::{Path, PathBuf};

use crate::store::delivery::{Destination, Paths};
use crate::store::entry_name::EntryName;
use crate::store::home::Home;
use crate::store::index::{Entry, Index, IndexError};
use crate::store::{ca_certificates, previous_certificates};
use crate::system::files;
use crate::x509::Certificate;

/// Searches for the files of a certificate: in the recorded folder, in the usual folder of its name, and among the kept
/// files of previous certificates. Only files with exactly this certificate count. `None` when no folder has them any
/// longer.
pub fn locate(home: &Home, entry: &Entry, certificate: &Certificate) -> Option<Paths> {
    let name: EntryName = entry.name.parse().ok()?;
    let generation = || previous_certificates::find(home, &name, entry).ok().flatten().map(Destination::Folder);
    let generation = std::iter::once_with(generation).flatten();
    let given = entry.place.clone().map(Destination::Folder);
    given.into_iter().chain([Destination::Authority, Destination::Issued]).chain(generation).find_map(|place| {
        let paths = place.paths(home, &name, true)?;
        let there = ca_certificates::read_certificates(&paths.certificate).ok()?;
        (there.first() == Some(certificate)).then(|| Paths {
            fullchain: paths.fullchain.filter(|path| is_there(path)),
            key: paths.key.filter(|path| is_there(path)),
            ..paths
        })
    })
}

/// Counts a certificate as delivered when its files are in place: the mark of the delivery is not durable, and a power cut
/// may have taken it back.
///
/// # Errors
/// When the index cannot be read.
pub fn count_as_delivered_if_there(home: &Home, index: &Index, entry: &mut Entry) -> Result<(), IndexError> {
    if entry.delivered_at.is_none() {
        let certificate = index.certificate(entry)?;
        if locate(home, entry, &certificate).is_some() || is_cross_certificate_there(home, &certificate) {
            entry.delivered_at = Some(entry.issued_at);
        }
    }
    Ok(())
}

/// Returns whether the folder of an authority has this certificate beside its own (RFC 4210 §4.4).
fn is_cross_certificate_there(home: &Home, certificate: &Certificate) -> bool {
    let authorities = files::names_in(&home.authorities()).unwrap_or_default();
    let paths = authorities.iter().flat_map(|name| [home.new_with_old(name), home.old_with_new(name)]);
    let has_it =
        |path: PathBuf| ca_certificates::read_certificates(&path).is_ok_and(|there| there.first() == Some(certificate));
    certificate.is_ca() && paths.into_iter().any(has_it)
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
