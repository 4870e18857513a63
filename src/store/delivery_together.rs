//! Hundreds of deliveries at once: their files are written in several threads, become durable together, get their names, and then
//! the names become durable together.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::store::delivery::{Delivery, Files, KeyText, Replaced};
use crate::system::Entropy;
use crate::system::files::{FileError, NamesToSync, StagedFolder, sync_together};
use crate::system::threads::in_threads;
use crate::x509::Certificate;

/// A delivery that has begun, and what it delivers.
pub struct CertificateDelivery<'a> {
    pub delivery: Delivery<'a>,
    pub key: Option<&'a KeyText>,
    pub certificate: &'a Certificate,
    /// What stands between the certificate and its root.
    pub chain: &'a [Certificate],
    pub replaced: Replaced<'a>,
}

/// Brings the files of all deliveries into place, as [`Delivery::finish`] does with one. The results have their order. `jobs` threads
/// write the files.
///
/// A process that is killed leaves each folder as [`Delivery::finish`] does: under construction, or complete under its name. No
/// folder has its name before the content of all of them is durable.
pub fn finish_together(
    deliveries: Vec<CertificateDelivery<'_>>,
    jobs: NonZeroUsize,
    entropy: &dyn Entropy,
) -> Vec<Result<(), FileError>> {
    if deliveries.len() == 1 {
        return deliveries.into_iter().map(|delivery| finish_alone(delivery, entropy)).collect();
    }
    let mut written = in_threads(deliveries, jobs, |mut it| -> Result<CertificateDelivery<'_>, FileError> {
        it.delivery.write(it.key, &Files::new(it.certificate, it.chain))?;
        Ok(it)
    });
    sync_content(&mut written);
    let mut names = NamesToSync::default();
    let published: Vec<Result<Option<PathBuf>, FileError>> = written
        .into_iter()
        .map(|written| {
            let written = written?;
            if written.delivery.staged().is_none() {
                return finish_alone(written, entropy).map(|()| None);
            }
            written.delivery.publish(written.replaced, &mut names)
        })
        .collect();
    let synced = names.sync();
    let is_durable = |folder: Option<PathBuf>| folder.map_or(Ok(()), |folder| synced.check(&folder));
    published.into_iter().map(|published| is_durable(published?)).collect()
}

fn finish_alone(alone: CertificateDelivery<'_>, entropy: &dyn Entropy) -> Result<(), FileError> {
    let files = Files::new(alone.certificate, alone.chain);
    alone.delivery.finish(alone.key, &files, alone.replaced, entropy)
}

/// Makes the content of the folders under construction durable. Those that could not be synced get the error in their place.
fn sync_content(written: &mut [Result<CertificateDelivery<'_>, FileError>]) {
    let staged: Vec<(usize, &StagedFolder)> = written
        .iter()
        .enumerate()
        .filter_map(|(at, written)| Some((at, written.as_ref().ok()?.delivery.staged()?)))
        .collect();
    let results = sync_together(&staged.iter().map(|(_, staged)| *staged).collect::<Vec<_>>());
    let failed: Vec<(usize, FileError)> =
        staged.iter().zip(results).filter_map(|((at, _), result)| Some((*at, result.err()?))).collect();
    for (at, error) in failed {
        written[at] = Err(error);
    }
}
