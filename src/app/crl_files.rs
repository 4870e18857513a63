//! What is written again after a new CRL: the CRL bundles, and the exports with CRLs.

use crate::app::context::Context;
use crate::app::crl_bundle::{self, RefreshOptions, RefreshedBundle};
use crate::app::crl_exports::{self, RefreshedExports};
use crate::report::failure::Failure;
use crate::store::Store;

/// The files that were refreshed.
#[derive(Default)]
pub struct RefreshedFiles {
    /// Every bundle that is remembered.
    pub bundles: Vec<RefreshedBundle>,
    /// The names with exports that did not have the present CRLs.
    pub exports: Vec<RefreshedExports>,
}

impl RefreshedFiles {
    /// Whether a file was written or a hook run.
    pub fn has_changed(&self) -> bool {
        !self.exports.is_empty() || self.bundles.iter().any(RefreshedBundle::has_changed)
    }

    /// Returns the failure of a command whose files were not all refreshed; `None` when they were.
    pub fn failure(&self) -> Option<Failure> {
        crl_bundle::failure(&self.bundles).or_else(|| crl_exports::failure(&self.exports))
    }
}

/// Refreshes the bundles and the exports. The failure of one of them is part of the result.
///
/// # Errors
/// When the index cannot be read or written.
pub fn refresh(
    store: &Store,
    options: RefreshOptions<'_>,
    context: &mut Context<'_>,
) -> Result<RefreshedFiles, Failure> {
    let bundles = crl_bundle::refresh(store, options, context)?;
    Ok(RefreshedFiles { bundles, exports: crl_exports::refresh(store, options, context)? })
}
