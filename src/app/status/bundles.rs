//! The CRL bundles: files that do not have the present CRLs, and hooks that failed.

use time::OffsetDateTime;

use super::item::{Item, Kind};
use crate::authority::revocation::bundle::{self, Bundle};
use crate::store::{Store, StoreError};
use crate::text::{PathText, humanize};

/// Returns an item for each bundle that is not current or whose hook failed.
///
/// # Errors
/// When the index or an authority cannot be read.
pub fn items(store: &Store, now: OffsetDateTime) -> Result<Vec<Item>, StoreError> {
    let bundles = bundle::remembered(store)?;
    if bundles.is_empty() {
        return Ok(Vec::new());
    }
    let item = |kind, object: String, message| {
        let fix = "ca crl --all".to_owned();
        Item { kind, object, message, fix, not_after: None }
    };
    let mut items = Vec::new();
    let failed = store.index()?.failed_bundle_hooks()?;
    for bundle in bundles {
        let object = bundle.path.escaped().to_string();
        match (outdated(store, &bundle, now), failed.iter().find(|failed| bundle.path.to_str() == Some(&failed.name))) {
            (Some(why), _) => items.push(item(Kind::BundleOutdated, object, why)),
            (None, Some(failed)) => {
                let why = format!("its hook {}, {} ago", failed.how, humanize(now - failed.at));
                items.push(item(Kind::HookFailed, object, why));
            }
            (None, None) => {}
        }
    }
    Ok(items)
}

/// Returns why servers do not have the present CRLs, as a phrase; `None` when they do.
fn outdated(store: &Store, bundle: &Bundle, now: OffsetDateTime) -> Option<String> {
    let content = match bundle::content(store, &bundle.also, now) {
        Ok(content) => content,
        Err(error) => return Some(error.to_string()),
    };
    match bundle::is_current(&bundle.path, &content) {
        Ok(true) if bundle.hook.is_some() && bundle.seen.is_none() => Some("its hook was never run".to_owned()),
        Ok(true) => None,
        Ok(false) if !bundle.path.exists() => Some("the file is missing".to_owned()),
        Ok(false) => Some("it does not have the present CRLs".to_owned()),
        Err(error) => Some(error.to_string()),
    }
}
