//! What a manifest may refer to: the templates, authorities and recipes of a CA.

use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::request_inputs;
use crate::issuance::Profile;
use crate::store::ca_certificates::ROOT;
use crate::store::manifest::ManifestSite;
use crate::store::{Store, StoreError, recipe, templates};

/// Reads what manifests may refer to.
///
/// # Errors
/// When a folder of the CA cannot be read.
pub fn read_site(store: &Store) -> Result<ManifestSite, StoreError> {
    let folder = store.template_folder();
    let names = templates::names(&folder)?.into_iter().filter(|name| name != ROOT);
    // A template that cannot be read matters to the certificates that use it.
    let profile = |name: &String| request_inputs::profile(Some(store), name).ok();
    let templates = names.map(|name| (name.clone(), profile(&name))).collect();
    let authorities = store.ca_certificates().names()?;
    let recipes = recipe::names(Some(&store.home().recipes()))?;
    Ok(ManifestSite { templates, authorities, recipes })
}

/// Returns the SHA-256 of the text of a template, and of what it is based on.
///
/// # Errors
/// When there is no such template, or it cannot be read.
pub fn template_digest(store: &Store, name: &str) -> Result<[u8; 32], StoreError> {
    Ok(templates::find(&store.template_folder(), name)?.digest()?)
}

/// Returns a template, completed with the settings of the CA.
///
/// # Errors
/// When there is no such template, or it cannot be read.
pub fn profile_of(store: &Store, name: &str) -> Result<Profile, IssueError> {
    Ok(request_inputs::profile(Some(store), name)?)
}
