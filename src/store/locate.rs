//! Finds the current files of a recorded certificate.

use std::path::Path;

use crate::store::delivery::{Destination, Paths};
use crate::store::entry_name::EntryName;
use crate::store::home::Home;
use crate::store::index::Entry;
use crate::store::{ca_certificates, previous_certificates};
use crate::x509::Certificate;

/// Searches for the files of a certificate: in the recorded folder, in the usual folder of its name, and among the kept
/// files of previous certificates. Only files with exactly this certificate count. `None` when no folder has them any
/// longer.
pub fn locate(home: &Home, entry: &Entry, certificate: &Certificate) -> Option<Paths> {
    let name: EntryName = entry.name.parse().ok()?;
    let generation = previous_certificates::find(home, &name, entry).ok().flatten().map(Destination::Folder);
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

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
