//! What the published CRLs of an authority name and the index does not have: an index that was restored from an older copy
//! lacks the latest revocations, and the next CRL must not forget them.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::authority::revocation::crl_error::CrlError;
use crate::authority::signed_by::has_signed_crl;
use crate::issuance::CaCertificate;
use crate::store::index::{ImportSource, ImportedRevocation, Index, Revocation, Transaction};
use crate::system::files;
use crate::text::{PathText, Warning, io_reason, rfc3339};
use crate::x509::crl::{RevocationReason, RevokedEntry};
use crate::x509::file_kind::{self, Expected};
use crate::x509::{CanonicalName, Crl, DecodeError, SerialNumber, digest, pem};

/// An entry of a published CRL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedEntry {
    pub serial: SerialNumber,
    pub revocation: Revocation,
    /// The CRL that names it.
    pub path: PathBuf,
}

/// A published CRL of the authority.
#[derive(Debug)]
pub(super) struct PublishedCrl {
    pub path: PathBuf,
    /// The CRL number, big-endian.
    pub number: Option<Vec<u8>>,
}

/// What was found in the published CRLs of an authority.
#[derive(Debug, Default)]
pub(super) struct Published {
    /// The CRLs that the index has not recorded as the latest one.
    pub crls: Vec<PublishedCrl>,
    /// The entries that the index does not have, each serial number once.
    pub missing: Vec<PublishedEntry>,
    /// Why a file was not compared with the index, as sentences.
    pub warnings: Vec<Warning>,
}

/// The places where the CRL of an authority is published.
pub(super) struct PublishedFiles<'a> {
    pub authority: &'a CaCertificate,
    /// The files in the CA directory.
    pub own: [PathBuf; 2],
    /// The copy that is replaced; `None` for no copy.
    pub copy: Option<&'a Path>,
    /// Published CRLs that the user names; they have to be of the authority.
    pub compare: &'a [PathBuf],
    /// SHA-256 of a CRL that need not be read, because the index has all of it.
    pub known: Option<[u8; 32]>,
}

impl PublishedFiles<'_> {
    /// Reads the CRLs, and compares their entries with those of the next CRL and with the index. With `next` of `None`
    /// only the numbers are read.
    ///
    /// # Errors
    /// When a file or the index cannot be read, or the copy is not a CRL.
    pub fn read(&self, index: &Index, next: Option<&[RevokedEntry]>) -> Result<Published, CrlError> {
        let mut reading = Reading {
            files: self,
            next,
            by_serial: OnceCell::new(),
            found: Published::default(),
            missing: HashMap::new(),
        };
        let mut seen: HashSet<[u8; 32]> = self.known.into_iter().collect();
        // The CRL that was read last, in DER: usually all files hold the same CRL, and to compare its PEM text costs a tenth of
        // decoding it.
        let (mut last, mut is_read) = (Vec::new(), false);
        let is_last = |content: &[u8], last: &[u8]| content == last || pem::is_encoded(content, pem::CRL_LABEL, last);
        for path in &self.own {
            let content = match files::read_if_exists(path, files::MAX_FILE_BYTES) {
                Ok(None) => continue,
                Ok(Some(content)) if !last.is_empty() && is_last(&content, &last) => continue,
                Ok(Some(content)) => content,
                Err(error) => {
                    reading.warn(path, &error.to_string());
                    continue;
                }
            };
            let Some(der) = single_der(content) else {
                reading.warn(path, "it does not contain exactly one CRL");
                continue;
            };
            let fingerprint = digest::sha256(&der);
            // What was not read here is not skipped as a copy, or as a CRL that the user names.
            is_read = seen.contains(&fingerprint) || reading.read_own(path, der.clone());
            if is_read {
                seen.insert(fingerprint);
            }
            last = der;
        }
        if let Some(path) = self.copy
            && let Some(stored) = files::read_regular(path, files::MAX_FILE_BYTES)?
            && !(is_read && is_last(&stored.content, &last))
        {
            // A copy may replace the CRL of another CA, of which nothing has to be kept.
            let taken = || CrlError::CopyTaken(path.to_owned());
            let der = single_der(stored.content).ok_or_else(taken)?;
            let fingerprint = digest::sha256(&der);
            if !seen.contains(&fingerprint) && reading.read_crl(path, der).map_err(|_| taken())? {
                seen.insert(fingerprint);
            }
        }
        for path in self.compare {
            let der = named_der(path, self.authority)?;
            let invalid = |reason: String| not_comparable(path, self.authority, reason);
            if seen.insert(digest::sha256(&der)) {
                let is_signed = reading.read_crl(path, der).map_err(|error| invalid(error.to_string()))?;
                if !is_signed {
                    return Err(invalid(format!("the key of '{}' did not sign it", self.authority.name())));
                }
            }
        }
        let Reading { mut found, missing, .. } = reading;
        let mut missing: Vec<_> = missing.into_values().collect();
        missing.sort_by_key(|(position, _)| *position);
        for (_, entry) in missing {
            if !is_recorded(index, self.authority.name(), &entry)? {
                found.missing.push(entry);
            }
        }
        Ok(found)
    }
}

/// Returns the greatest number of the CRLs that the user names; `None` when there is none.
pub(super) fn greatest_number(paths: &[PathBuf], authority: &CaCertificate) -> Result<Option<u64>, CrlError> {
    let mut greatest = None;
    for path in paths {
        let crl = Crl::read(named_der(path, authority)?, |_| ());
        let crl = crl.map_err(|error| not_comparable(path, authority, error.to_string()))?;
        let too_great = || not_comparable(path, authority, "its number is too great".to_owned());
        let number = crl.number.as_deref().map_or(Ok(0), |bytes| small_number(bytes).ok_or_else(too_great))?;
        greatest = greatest.max(Some(number));
    }
    Ok(greatest)
}

/// Returns a big-endian number; `None` when it has more than 64 bits.
pub(crate) fn small_number(bytes: &[u8]) -> Option<u64> {
    bytes.iter().try_fold(0_u64, |number, byte| number.checked_mul(256).map(|number| number | u64::from(*byte)))
}

fn named_der(path: &Path, authority: &CaCertificate) -> Result<Vec<u8>, CrlError> {
    let content = files::read(path, files::MAX_FILE_BYTES);
    let content = content.map_err(|error| not_comparable(path, authority, io_reason(&error.cause).to_string()))?;
    let content = file_kind::expect(content, Expected::Crl)
        .map_err(|other| CrlError::AnotherKind { path: path.to_owned(), other })?;
    let several = || not_comparable(path, authority, "it does not contain exactly one CRL".to_owned());
    single_der(content).ok_or_else(several)
}

fn not_comparable(path: &Path, authority: &CaCertificate, reason: String) -> CrlError {
    CrlError::NotComparable { path: path.to_owned(), authority: authority.name().to_owned(), reason }
}

/// The serial numbers of the next CRL, and whether the entry is a hold.
fn by_serial(next: &[RevokedEntry]) -> HashMap<&SerialNumber, bool> {
    next.iter().map(|entry| (&entry.serial, entry.reason == Some(RevocationReason::CertificateHold))).collect()
}

struct Reading<'a> {
    files: &'a PublishedFiles<'a>,
    next: Option<&'a [RevokedEntry]>,
    /// The result of [`by_serial`] for `next`, once a CRL is read.
    by_serial: OnceCell<HashMap<&'a SerialNumber, bool>>,
    found: Published,
    /// By the serial number, with the position at which it was read.
    missing: HashMap<SerialNumber, (usize, PublishedEntry)>,
}

impl Reading<'_> {
    /// A file of the CA directory that is not a CRL of this authority is replaced like any other, since clients need the
    /// next CRL; the user is warned. Returns true when it was read.
    fn read_own(&mut self, path: &Path, der: Vec<u8>) -> bool {
        match self.read_crl(path, der) {
            Err(error) => self.warn(path, &error.to_string()),
            Ok(false) => self.warn(path, &format!("the key of '{}' did not sign it", self.files.authority.name())),
            Ok(true) => return true,
        }
        false
    }

    fn warn(&mut self, path: &Path, reason: &str) {
        let path = path.escaped();
        let message = format!("{path} was replaced, and what it revokes was not compared with the index: {reason}");
        self.found.warnings.push(Warning::new("crl-not-compared", message));
    }

    /// Returns false when the authority has not signed the CRL.
    fn read_crl(&mut self, path: &Path, der: Vec<u8>) -> Result<bool, DecodeError> {
        let authority = self.files.authority;
        let mut entries: Vec<RevokedEntry> = Vec::new();
        let next = self.next.map(|next| self.by_serial.get_or_init(|| by_serial(next)));
        let crl = Crl::read(der, |entry| {
            // Only what is not in the next CRL is kept, as there can be very many entries.
            let is_hold = entry.reason == Some(RevocationReason::CertificateHold);
            let is_named = |next: &HashMap<&SerialNumber, bool>| {
                next.get(&entry.serial).is_some_and(|is_hold_there| is_hold || !is_hold_there)
            };
            if next.is_some_and(|next| !is_named(next)) {
                entries.push(entry);
            }
        })?;
        if !has_signed_crl(authority.certificate(), &crl) {
            return Ok(false);
        }
        let mut others = 0;
        for entry in entries {
            match own_entry(&entry, &crl) {
                Some(revocation) => {
                    self.keep(PublishedEntry { serial: entry.serial, revocation, path: path.to_owned() })
                }
                None => others += 1,
            }
        }
        if others > 0 {
            let path = path.escaped();
            let message = format!(
                "{path} names {others} certificates of other issuers or as removed (RFC 5280 §5.3.1, §5.3.3); they are left out"
            );
            self.found.warnings.push(Warning::new("crl-entries-left-out", message));
        }
        self.found.crls.push(PublishedCrl { path: path.to_owned(), number: crl.number });
        Ok(true)
    }

    /// Of two entries for a serial number, a revocation counts before a hold, and then the earlier one.
    fn keep(&mut self, entry: PublishedEntry) {
        let rank = |entry: &PublishedEntry| {
            (entry.revocation.reason == RevocationReason::CertificateHold, entry.revocation.at)
        };
        let next = self.missing.len();
        match self.missing.get_mut(&entry.serial) {
            Some((_, kept)) if rank(&entry) < rank(kept) => *kept = entry,
            Some(_) => {}
            None => drop(self.missing.insert(entry.serial.clone(), (next, entry))),
        }
    }
}

/// Returns the revocation that an entry says of a certificate of the CRL's own issuer. `None` for an entry of an indirect
/// CRL about another issuer (RFC 5280 §5.3.3), and for one that lifts a hold (§5.3.1, only in delta CRLs).
pub(crate) fn own_entry(entry: &RevokedEntry, crl: &Crl) -> Option<Revocation> {
    let is_own = |name| CanonicalName::of(name) == CanonicalName::of(&crl.issuer);
    if entry.certificate_issuer.as_deref().is_some_and(|name| !is_own(name)) {
        return None;
    }
    let reason = entry.reason.unwrap_or(RevocationReason::Unspecified);
    let revocation = Revocation { at: entry.revoked_at, reason, invalid_since: entry.invalid_since, released_at: None };
    (reason != RevocationReason::RemoveFromCrl).then_some(revocation)
}

/// Returns true when the index has this entry: a revocation that is in effect, or exactly this one, which was released or
/// forgotten since. A hold in the index does not stand for a revocation.
fn is_recorded(index: &Index, authority: &str, entry: &PublishedEntry) -> Result<bool, CrlError> {
    let is_hold = |revocation: &Revocation| revocation.reason == RevocationReason::CertificateHold;
    let recorded = index.revocations_of_serial(authority, &entry.serial)?;
    Ok(recorded.iter().any(|recorded| {
        let is_in_effect = recorded.is_in_effect;
        let recorded = &recorded.revocation;
        let is_the_same = (recorded.at, recorded.reason) == (entry.revocation.at, entry.revocation.reason);
        is_the_same || is_in_effect && (!is_hold(recorded) || is_hold(&entry.revocation))
    }))
}

/// What was carried over into the index, and what was left out because the user wants it.
#[derive(Debug, Default)]
pub struct CarriedOver {
    pub entries: Vec<PublishedEntry>,
    pub forgotten: Vec<SerialNumber>,
}

/// Records the missing entries, and ends the revocations that the user wants to be forgotten.
pub(super) fn record(
    transaction: &mut Transaction<'_>,
    authority: &CaCertificate,
    missing: Vec<PublishedEntry>,
    forget: &[SerialNumber],
    now: time::OffsetDateTime,
) -> Result<CarriedOver, CrlError> {
    let mut carried = CarriedOver::default();
    let (name, issuer) = (authority.name(), authority.subject());
    for entry in missing {
        // What is forgotten is recorded too, or the next command would find it in the same CRL once more.
        transaction.import_revocation(&ImportedRevocation {
            authority: name,
            issuer,
            serial: &entry.serial,
            revocation: &entry.revocation,
            not_after: None,
            source: ImportSource::Crl,
        })?;
        if !forget.contains(&entry.serial) {
            carried.entries.push(entry);
        }
    }
    for serial in forget {
        transaction.forget_revocation(name, issuer, serial, now)?;
        carried.forgotten.push(serial.clone());
    }
    Ok(carried)
}

/// Checks that each serial number can be forgotten: a CRL or another tool's index named it, and not `ca revoke`.
pub(super) fn check_forget(
    index: &Index,
    authority: &str,
    missing: &[PublishedEntry],
    forget: &[SerialNumber],
) -> Result<(), CrlError> {
    for serial in forget {
        let mut in_effect = index.revocations_of_serial(authority, serial)?;
        in_effect.retain(|recorded| recorded.is_in_effect);
        if let Some(recorded) = in_effect.iter().find(|recorded| !recorded.is_imported) {
            let since = rfc3339(recorded.revocation.at);
            return Err(CrlError::NotForgotten { serial: serial.clone(), since });
        }
        if in_effect.is_empty() && !missing.iter().any(|entry| entry.serial == *serial) {
            let authority = authority.to_owned();
            return Err(CrlError::NothingToForget { serial: serial.clone(), authority });
        }
    }
    Ok(())
}

/// Returns the DER of the one CRL in a file; `None` when the file holds none or several. DER is not decoded here.
pub(crate) fn single_der(content: Vec<u8>) -> Option<Vec<u8>> {
    if !pem::is_pem(&content) {
        return Some(content);
    }
    let blocks = pem::parse_all(&content).ok()?;
    match blocks.as_slice() {
        [block] if block.label == pem::CRL_LABEL => Some(block.content.to_vec()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::authority::revocation::publish_crl::CrlOrder;
    use crate::authority::testing::{Ca, NOW};

    #[test]
    fn an_entry_about_another_issuer_or_a_removal_revokes_nothing_here() {
        let ca = Ca::new();
        ca.publish(&CrlOrder::default()).unwrap();
        let crl = Crl::from_der(&std::fs::read(ca.home.crl_der("issuing")).unwrap()).unwrap();
        let root = ca.store().ca_certificates().certificate("root").unwrap();
        let entry = |certificate_issuer, reason| RevokedEntry {
            serial: root.serial.clone(),
            revoked_at: NOW,
            reason,
            invalid_since: None,
            certificate_issuer,
            unknown_critical: Vec::new(),
        };
        let own = Some(Arc::new(crl.issuer.clone()));
        let other = Some(Arc::new(root.subject));
        assert!(own_entry(&entry(None, None), &crl).is_some());
        assert!(own_entry(&entry(own, None), &crl).is_some());
        assert_eq!(own_entry(&entry(other, None), &crl), None);
        assert_eq!(own_entry(&entry(None, Some(RevocationReason::RemoveFromCrl)), &crl), None);
    }
}
