//! The hierarchy of a CA: its authorities below each other, with their CRLs and the numbers of the certificates that they
//! signed.

use std::collections::BTreeMap;
use std::path::Path;

use time::OffsetDateTime;

use crate::authority::signed_by::has_signed;
use crate::store::ca_certificates::{ROOT, read_certificate};
use crate::store::certificate_files::{CERTIFICATE, KEY};
use crate::store::index::tally::StatusCounts;
use crate::store::index::{CertificateStatus, Index, RecordedCrl};
use crate::store::{Home, Store, StoreError};
use crate::system::files;
use crate::x509::Certificate;

/// An authority and its place in the hierarchy.
#[derive(Debug, Clone)]
pub struct Authority {
    pub name: String,
    pub state: AuthorityState,
    /// `None` while the authority waits for its certificate.
    pub certificate: Option<Certificate>,
    /// The authority that signed its certificate; `None` for a root, and when that is not an authority of this CA.
    pub parent: Option<String>,
    /// The number of authorities above it.
    pub depth: usize,
    /// The certificates above its own, the parent's first.
    pub above: Vec<Certificate>,
    /// The status of its certificate.
    pub status: Option<CertificateStatus>,
    /// True when the file with its private key is in its folder.
    pub has_key: bool,
    /// The latest CRL that it signed.
    pub crl: Option<PublishedCrl>,
    /// The certificates that it signed, without those of authorities.
    pub counts: StatusCounts,
    /// The certificates beside its own that join an old root and a new one.
    pub cross_certificates: Vec<CrossCertificate>,
}

/// What an authority is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorityState {
    Active,
    /// A root that another one replaces, while both are trusted; or an intermediate that another one replaced, and that has its
    /// CRL only.
    BeingReplaced,
    /// It was moved to `retired/`: clients no longer trust it.
    Retired,
    /// It has a key and a CSR, and waits for its certificate.
    Pending,
}

impl AuthorityState {
    /// Returns the name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::BeingReplaced => "being-replaced",
            Self::Retired => "retired",
            Self::Pending => "pending",
        }
    }
}

/// A CRL of the index, and whether its file is where it is published.
#[derive(Debug, Clone)]
pub struct PublishedCrl {
    pub recorded: RecordedCrl,
    pub is_deployed: bool,
}

/// A certificate of a root by another one (RFC 4210 §4.4).
#[derive(Debug, Clone)]
pub struct CrossCertificate {
    /// The name of its file.
    pub file: &'static str,
    pub certificate: Certificate,
}

impl Authority {
    /// Returns whether its certificate is signed with its own key.
    pub fn is_root(&self) -> bool {
        self.certificate.as_ref().is_some_and(Certificate::is_self_issued)
    }
}

/// Returns the authorities of a CA, each followed by those below it.
///
/// # Errors
/// When the index or a certificate cannot be read.
pub fn of(store: &Store, now: OffsetDateTime) -> Result<Vec<Authority>, StoreError> {
    let (home, index) = (store.home(), store.index()?);
    let being_replaced = store.ca_certificates().rotation()?.map(|rotation| rotation.old);
    let mut found = Vec::new();
    for (folder, is_retired) in [(home.authorities(), false), (home.retired(), true)] {
        let mut names = files::names_in(&folder)?;
        names.retain(|name| !name.starts_with('.'));
        names.sort_by_key(|name| (name != ROOT, name.clone()));
        for name in names {
            let state = match is_retired {
                true => AuthorityState::Retired,
                false if being_replaced.as_ref() == Some(&name) => AuthorityState::BeingReplaced,
                false if store.ca_certificates().successor_of(&name)?.is_some() => AuthorityState::BeingReplaced,
                false => AuthorityState::Active,
            };
            found.extend(read(home, &folder.join(&name), name, state)?);
        }
    }
    add_what_the_index_says(&mut found, home, index, now)?;
    Ok(in_order(found))
}

/// Reads the folder of an authority; `None` when it has neither a certificate nor a CSR.
fn read(home: &Home, folder: &Path, name: String, state: AuthorityState) -> Result<Option<Authority>, StoreError> {
    let path = CERTIFICATE.path_in(folder);
    let certificate = if path.is_file() { Some(read_certificate(&path)?) } else { None };
    let is_pending = certificate.is_none() && home.request(&name).is_file();
    let state = match (&certificate, state) {
        (None, AuthorityState::Active) if is_pending => AuthorityState::Pending,
        (None, _) => return Ok(None),
        (Some(_), state) => state,
    };
    let mut cross_certificates = Vec::new();
    for file in ["new-with-old.pem", "old-with-new.pem"] {
        let path = folder.join(file);
        if path.is_file() {
            cross_certificates.push(CrossCertificate { file, certificate: read_certificate(&path)? });
        }
    }
    Ok(Some(Authority {
        has_key: KEY.path_in(folder).symlink_metadata().is_ok(),
        name,
        state,
        certificate,
        parent: None,
        depth: 0,
        above: Vec::new(),
        status: None,
        crl: None,
        counts: StatusCounts::default(),
        cross_certificates,
    }))
}

fn add_what_the_index_says(
    found: &mut [Authority],
    home: &Home,
    index: &Index,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let names: Vec<String> = found.iter().map(|authority| authority.name.clone()).collect();
    let mut counts: BTreeMap<String, StatusCounts> = BTreeMap::new();
    for tally in index.tally(now, &names)?.iter().filter(|tally| !tally.is_ca) {
        counts.entry(tally.authority.clone()).or_default().add(&tally.counts);
    }
    let mut crls: BTreeMap<String, RecordedCrl> =
        index.latest_crls()?.into_iter().map(|crl| (crl.authority.clone(), crl)).collect();
    for authority in found {
        authority.counts = counts.remove(&authority.name).unwrap_or_default();
        let is_deployed = authority.state != AuthorityState::Retired && home.crl_der(&authority.name).is_file();
        authority.crl = crls.remove(&authority.name).map(|recorded| PublishedCrl { recorded, is_deployed });
        let Some(certificate) = &authority.certificate else { continue };
        let entries = index.by_serial(&certificate.serial)?;
        let own = entries.iter().find(|entry| entry.fingerprint == certificate.fingerprint());
        authority.status = Some(match own {
            // Its files are here, whatever the mark of their delivery says.
            Some(entry) if entry.status(now) != CertificateStatus::NotDelivered => entry.status(now),
            _ if now > certificate.validity.not_after => CertificateStatus::Expired,
            _ if now < certificate.validity.not_before => CertificateStatus::NotYetValid,
            _ => CertificateStatus::Valid,
        });
    }
    Ok(())
}

/// Brings the authorities in the order of the hierarchy: each is followed by those whose certificates it signed.
fn in_order(found: Vec<Authority>) -> Vec<Authority> {
    let parents: Vec<Option<usize>> = found.iter().map(|authority| parent_of(authority, &found)).collect();
    let mut ordered = Vec::new();
    let mut taken = vec![false; found.len()];
    // Those that are not below a root of this CA begin a hierarchy as well; the last round ends circles.
    for is_last_round in [false, true] {
        for start in 0..found.len() {
            if !taken[start] && (parents[start].is_none() || is_last_round) {
                add_with_those_below(start, 0, Vec::new(), &found, &parents, &mut taken, &mut ordered);
            }
        }
    }
    ordered
}

fn add_with_those_below(
    at: usize,
    depth: usize,
    above: Vec<Certificate>,
    found: &[Authority],
    parents: &[Option<usize>],
    taken: &mut [bool],
    ordered: &mut Vec<Authority>,
) {
    taken[at] = true;
    let parent = parents[at].filter(|_| depth > 0).map(|parent| found[parent].name.clone());
    let below_it: Vec<Certificate> = found[at].certificate.iter().cloned().chain(above.iter().cloned()).collect();
    ordered.push(Authority { parent, depth, above, ..found[at].clone() });
    for child in 0..found.len() {
        if !taken[child] && parents[child] == Some(at) {
            add_with_those_below(child, depth + 1, below_it.clone(), found, parents, taken, ordered);
        }
    }
}

/// Returns the authority whose key signed the certificate of this one; one in use is preferred to a retired one.
fn parent_of(authority: &Authority, found: &[Authority]) -> Option<usize> {
    let certificate = authority.certificate.as_ref().filter(|certificate| !certificate.is_self_issued())?;
    found.iter().position(|other| {
        other.name != authority.name && other.certificate.as_ref().is_some_and(|ca| has_signed(ca, certificate))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::hierarchy::rotation::RootRotationOrder;
    use crate::authority::leaf::order::IssueOrder;
    use crate::authority::revocation::publish_crl::CrlOrder;
    use crate::authority::testing::{Ca, order};
    use crate::x509::crl::RevocationReason;

    fn shown(ca: &Ca) -> Vec<String> {
        let shown = |authority: &Authority| {
            let status = authority.status.map_or("none", CertificateStatus::name);
            format!("{}{} {} {status}", "  ".repeat(authority.depth), authority.name, authority.state.name())
        };
        of(&ca.store(), ca.now).unwrap().iter().map(shown).collect()
    }

    #[test]
    fn each_authority_is_below_the_one_that_signed_it_and_a_root_that_was_replaced_stays_visible() {
        let ca = Ca::new();
        let issuer = Some("root".to_owned());
        ca.issue(IssueOrder { issuer, ..order("intermediate", "branch") }).unwrap();
        assert_eq!(shown(&ca), ["root active valid", "  branch active valid", "  issuing active valid"]);
        ca.rotate(&RootRotationOrder::default()).unwrap();
        let found = of(&ca.store(), ca.now).unwrap();
        let new = found.iter().find(|authority| authority.name == "root-g2").unwrap();
        let files: Vec<_> = new.cross_certificates.iter().map(|cross| cross.file).collect();
        assert_eq!(files, ["new-with-old.pem", "old-with-new.pem"]);
        let old = found.iter().find(|authority| authority.name == "root").unwrap();
        assert_eq!(old.state, AuthorityState::BeingReplaced);
        ca.finish(true).unwrap();
        let after = shown(&ca);
        assert!(after.contains(&"root retired valid".to_owned()), "{after:?}");
        let serial = ca.history("branch").last().map(|entry| format!("serial:{}", entry.serial)).unwrap();
        ca.revoke(&serial, RevocationReason::CessationOfOperation).unwrap();
        assert!(shown(&ca).contains(&"  branch active revoked".to_owned()), "{:?}", shown(&ca));
    }

    #[test]
    fn a_crl_and_the_numbers_of_certificates_belong_to_the_authority_that_signed_them() {
        let ca = Ca::new();
        for name in ["a.test", "b.test"] {
            ca.issue(order("server", name)).unwrap();
        }
        ca.revoke("a.test", RevocationReason::KeyCompromise).unwrap();
        ca.publish(&CrlOrder::default()).unwrap();
        let found = of(&ca.store(), ca.now).unwrap();
        let [root, issuing] = &found[..] else { panic!("{found:?}") };
        assert_eq!((root.counts.total(), root.crl.is_none(), root.has_key), (0, true, true));
        assert_eq!(issuing.counts.of(CertificateStatus::Valid), 1);
        assert_eq!(issuing.counts.of(CertificateStatus::Revoked), 1);
        let crl = issuing.crl.as_ref().unwrap();
        assert_eq!((crl.recorded.number, crl.recorded.entries), (1, 1));
        assert_eq!(issuing.above.len(), 1);
    }
}
