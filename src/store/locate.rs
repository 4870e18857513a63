//! Where the files of a recorded certificate are now.

use std::path::Path;

use crate::store::delivery::{Destination, Paths};
use crate::store::entry_name::EntryName;
use crate::store::home::Home;
use crate::store::index::Entry;
use crate::store::{ca_certificates, previous_certificates};
use crate::x509::Certificate;

/// Looks for the files of a certificate: where they were put, where those of its name belong, and among the generations
/// that newer ones replaced. Only what holds exactly this certificate counts; `None` when nothing does any more.
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
