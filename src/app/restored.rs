//! The warning that a CA was restored, until its index was compared with what is in use.

use crate::report::failure::Failure;
use crate::store::Store;
use crate::store::effects::Effects;
use crate::store::home::Home;
use crate::store::restored::Restored;
use crate::text::rfc3339;

/// Returns the sentence for a CA that was restored and not compared since. A record that cannot be read is left to the
/// commands that need it.
pub fn warning(home: &Home) -> Option<String> {
    let restored = Restored::read(home).ok().flatten().filter(|restored| restored.settled_at.is_none())?;
    Some(format!(
        "this CA was restored at {} from a backup of {}: certificates that were issued or revoked in between are not in its \
         index. Find them with 'ca audit --scan FOLDER', revoke them with 'ca revoke FILE', then compare a published CRL: \
         ca crl --compare FILE",
        rfc3339(restored.restored_at),
        rfc3339(restored.complete_until)
    ))
}

/// Ends the warning of a restored CA that has never signed a CRL, after a scan that found no certificate that its index lacks:
/// there is no published CRL that could be compared.
///
/// # Errors
/// When the record of the restore cannot be read or written.
pub fn settle_after_scan(store: &Store, effects: &Effects<'_>) -> Result<(), Failure> {
    let is_open = Restored::read(store.home())?.is_some_and(|restored| restored.settled_at.is_none());
    if is_open && store.index()?.latest_crls()?.is_empty() {
        let _locked = store.lock(effects.lock_timeout)?;
        Restored::settle(store.home(), effects.now(), effects.entropy)?;
    }
    Ok(())
}
