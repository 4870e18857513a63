//! `due`: certificates in use, authorities and CRLs that need renewal, each with the command that renews it.

use std::path::PathBuf;

use time::{Duration, OffsetDateTime};

use crate::authority::hierarchy::renewal::{limit_of, root_renew};
use crate::authority::leaf::hook::{self, Hook};
use crate::authority::leaf::order;
use crate::store::ca_certificates::{CaCertificates, read_certificate, read_certificates};
use crate::store::certificate_files::{CHAIN, KEY};
use crate::store::effects::Effects;
use crate::store::entry_name::EntryName;
use crate::store::index::placement::ExpiryCondition;
use crate::store::index::{Entry, RecordedCrl};
use crate::store::previous_certificates::NameHistory;
use crate::store::{Store, StoreError};
use crate::text::{rfc3339, shell_word};
use crate::x509::{Certificate, SerialNumber, Validity};

/// An item that needs renewal.
#[derive(Debug, Clone)]
pub struct DueEntry {
    pub what: DueItem,
    /// For a certificate its NAME, otherwise the name of the authority.
    pub name: String,
    /// The validity period; for a CRL, from its signature to its next update.
    pub validity: Validity,
}

#[derive(Debug, Clone)]
pub enum DueItem {
    /// `has_key` is true when the private key is in the same folder, and false when a third party has it.
    Certificate {
        entry: Box<Entry>,
        folder: PathBuf,
        has_key: bool,
        hook: Option<Hook>,
    },
    Authority {
        serial: SerialNumber,
        fix: AuthorityFix,
        /// The number of CAs above it.
        depth: usize,
        /// Whether its authority key identifier names its own serial number, as that of its leaves may.
        names_serial: bool,
    },
    List {
        number: u64,
    },
}

/// How the authority is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthorityFix {
    /// The root gets a new certificate for the same key.
    RenewRoot,
    /// It gets a new certificate for the same key, signed by this authority.
    Renew { issuer: String },
    /// The authority above it that expires first has to be renewed before.
    RenewAbove { above: String, is_root: bool },
    /// The issuer is not an authority of this CA, so that its operator has to sign again.
    AskAbove,
}

/// Returns everything that is due now: certificates in the order of their issue, then authorities and CRLs.
///
/// A certificate counts while its files are deployed and it is neither revoked nor on hold: a certificate without files
/// is not in use. A CRL counts while its authority is active.
///
/// # Errors
/// When the index or an authority cannot be read.
pub fn due(store: &Store, due: order::DueRule, effects: &Effects<'_>) -> Result<Vec<DueEntry>, StoreError> {
    let now = effects.now();
    let mut found = certificates_due(store, due, now)?;
    found.extend(authorities(store, &|certificate| due.is_due(certificate.validity, now))?);
    let lists = current_lists(store, now)?.into_iter();
    let lists = lists.filter(|list| store.home().crl_der(&list.authority).exists() && list_is_due(list, due, now));
    found.extend(lists.map(DueEntry::from));
    Ok(found)
}

/// Returns the certificates in use that are due, in the order of their issue.
///
/// # Errors
/// When the index cannot be read.
pub fn certificates_due(store: &Store, due: order::DueRule, now: OffsetDateTime) -> Result<Vec<DueEntry>, StoreError> {
    let ends = match due {
        order::DueRule::LastThird => ExpiryCondition::InLastThird(now),
        order::DueRule::Within(within) => ExpiryCondition::Before(latest(now, within.as_duration())),
    };
    certificates(store, &ends, now, &|validity| due.is_due(validity, now))
}

/// Returns every certificate in use, in the order of their issue.
///
/// # Errors
/// When the index cannot be read.
pub fn deployed(store: &Store, now: OffsetDateTime) -> Result<Vec<DueEntry>, StoreError> {
    certificates(store, &ExpiryCondition::Before(latest(now, Duration::MAX)), now, &|_| true)
}

/// Returns the certificates in use that are due, and those that expire within this time; in the order of their issue.
///
/// # Errors
/// When the index cannot be read.
pub fn certificates_due_or_within(
    store: &Store,
    within: Duration,
    now: OffsetDateTime,
) -> Result<Vec<DueEntry>, StoreError> {
    let moment = latest(now, within);
    certificates(store, &ExpiryCondition::InLastThirdOrBefore(moment), now, &|validity| {
        order::DueRule::LastThird.is_due(validity, now) || validity.not_after < moment
    })
}

/// Returns the authorities that are wanted, except those that are revoked or on hold, and those that were replaced.
///
/// # Errors
/// When the index or an authority cannot be read.
pub fn authorities(store: &Store, is_wanted: &dyn Fn(&Certificate) -> bool) -> Result<Vec<DueEntry>, StoreError> {
    let (index, authorities) = (store.index()?, store.ca_certificates());
    let mut found = Vec::new();
    for name in authorities.names()? {
        let certificate = read_certificate(&authorities.cert_path(&name))?;
        if is_wanted(&certificate)
            && authorities.successor_of(&name)?.is_none()
            && !index.by_serial(&certificate.serial)?.iter().any(|entry| entry.revocation.is_some())
        {
            let what = DueItem::Authority {
                serial: certificate.serial.clone(),
                fix: fix(authorities, &certificate)?,
                depth: read_certificates(&CHAIN.path_in(&store.home().authority(&name)))?.len(),
                names_serial: certificate.names_its_serial(),
            };
            found.push(DueEntry { what, name, validity: certificate.validity });
        }
    }
    Ok(found)
}

/// Returns the latest CRL of each authority whose certificate has not expired.
///
/// # Errors
/// When the index or an authority cannot be read.
pub fn current_lists(store: &Store, now: OffsetDateTime) -> Result<Vec<RecordedCrl>, StoreError> {
    let authorities = store.ca_certificates();
    let mut in_office = Vec::new();
    for name in authorities.names()? {
        if now <= read_certificate(&authorities.cert_path(&name))?.validity.not_after {
            in_office.push(name);
        }
    }
    let mut lists = store.index()?.latest_crls()?;
    lists.retain(|list| in_office.contains(&list.authority));
    Ok(lists)
}

impl From<RecordedCrl> for DueEntry {
    fn from(list: RecordedCrl) -> Self {
        let validity = Validity { not_before: list.signed_at, not_after: list.next_update };
        Self { what: DueItem::List { number: list.number }, name: list.authority, validity }
    }
}

fn certificates(
    store: &Store,
    ends: &ExpiryCondition,
    now: OffsetDateTime,
    is_wanted: &dyn Fn(Validity) -> bool,
) -> Result<Vec<DueEntry>, StoreError> {
    let index = store.index()?;
    let _reading = index.reading()?;
    let mut found = Vec::new();
    for name in index.names_possibly_due(ends, now)? {
        found.extend(certificate(store, &name, is_wanted)?);
    }
    Ok(found)
}

/// Returns the certificate of a name that is in use, if its validity is wanted and it is not revoked.
///
/// # Errors
/// When the index cannot be read.
pub fn certificate(
    store: &Store,
    name: &str,
    is_wanted: &dyn Fn(Validity) -> bool,
) -> Result<Option<DueEntry>, StoreError> {
    let (home, index) = (store.home(), store.index()?);
    let Ok(entry_name) = name.parse::<EntryName>() else { return Ok(None) };
    let name_history = NameHistory::of(index, name)?;
    let Some((entry, folder)) = name_history.deployed(home, &entry_name) else { return Ok(None) };
    if entry.revocation.is_some() || !is_wanted(entry.validity) {
        return Ok(None);
    }
    let has_key = KEY.path_in(&folder).exists();
    let what = DueItem::Certificate { entry: Box::new(entry.clone()), folder, has_key, hook: hook::of(index, name)? };
    Ok(Some(DueEntry { what, name: entry.name.clone(), validity: entry.validity }))
}

fn latest(now: OffsetDateTime, within: Duration) -> OffsetDateTime {
    now.checked_add(within).unwrap_or(OffsetDateTime::new_utc(time::Date::MAX, time::Time::MIDNIGHT))
}

fn list_is_due(list: &RecordedCrl, due: order::DueRule, now: OffsetDateTime) -> bool {
    match due {
        order::DueRule::LastThird => list.is_due(now),
        order::DueRule::Within(within) => {
            list.is_from_the_future(now) || list.next_update - now <= within.as_duration()
        }
    }
}

/// Returns how an authority is replaced.
///
/// # Errors
/// When a certificate cannot be read.
pub fn fix(authorities: &CaCertificates, certificate: &Certificate) -> Result<AuthorityFix, StoreError> {
    if certificate.is_self_issued() {
        return Ok(AuthorityFix::RenewRoot);
    }
    for name in authorities.names()? {
        if read_certificate(&authorities.cert_path(&name))?.subject != certificate.issuer {
            continue;
        }
        let issuer = authorities.ca_certificate(&authorities.newest_of(name.clone())?)?;
        if issuer.name() == name && issuer.end().1 <= certificate.validity.not_after {
            let (above, is_root) = limit_of(authorities, &issuer)?;
            return Ok(AuthorityFix::RenewAbove { above, is_root });
        }
        return Ok(AuthorityFix::Renew { issuer: issuer.name().to_owned() });
    }
    Ok(AuthorityFix::AskAbove)
}

/// Returns what is to be known before a root is renewed whose tool writes the issuer's serial number into what it issues.
pub fn serial_note(name: &str) -> String {
    format!(
        "the root {name} names its own serial number in its authority key identifier. Its tool may name that serial number in \
         what it issued, too. Clients refuse such a certificate below the renewed root, which has another serial number. ca lint \
         FILE finds it (authority-key-id-names-serial); issue it again with this program"
    )
}

impl DueEntry {
    /// Returns a sentence about the clock when the item is not valid yet; `None` when it is.
    pub fn clock_note(&self, now: OffsetDateTime) -> Option<String> {
        let begin = Some(self.validity.not_before).filter(|begin| *begin > now)?;
        Some(format!(
            "{} is not valid before {}: the clock of this machine may be wrong, or was ahead when it was signed",
            self.name,
            rfc3339(begin)
        ))
    }

    /// Returns what is to be known before a root is renewed; `None` when there is nothing.
    pub fn serial_note(&self) -> Option<String> {
        let is_concerned =
            matches!(self.what, DueItem::Authority { fix: AuthorityFix::RenewRoot, names_serial: true, .. });
        is_concerned.then(|| serial_note(&self.name))
    }

    /// Returns the command that renews the item.
    pub fn command(&self, usual_issuer: &str, within: order::DueRule) -> String {
        let name = &self.name;
        match &self.what {
            DueItem::Certificate { has_key: true, .. } => format!("ca renew {}", shell_word(name)),
            DueItem::Certificate { has_key: false, .. } => format!("ca sign CSR --name {} --force", shell_word(name)),
            DueItem::Authority { fix, .. } => match fix {
                AuthorityFix::RenewRoot => root_renew(name),
                AuthorityFix::Renew { .. } => format!("ca renew {name}"),
                AuthorityFix::RenewAbove { above, is_root: true } => root_renew(above),
                AuthorityFix::RenewAbove { above, is_root: false } => format!("ca renew {above}"),
                AuthorityFix::AskAbove => format!("ca intermediate request {name}-2"),
            },
            DueItem::List { .. } => {
                let authority = if name == usual_issuer { String::new() } else { format!(" --authority {name}") };
                // With --ensure, only a CRL in its last third is signed, so another due rule leaves the flag out.
                let ensure = if within == order::DueRule::LastThird { " --ensure" } else { "" };
                format!("ca crl{authority}{ensure}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::authority::revocation::publish_crl;
    use crate::authority::testing;
    use crate::authority::testing::Ca;
    use crate::text::Lifetime;
    use crate::x509::crl::RevocationReason;

    /// Returns what is due within `days` days, by kind and name.
    fn due_within(ca: &Ca, days: u64) -> Vec<String> {
        let within = order::DueRule::Within(Lifetime::from_days(days));
        let found = ca.with_effects(|effects| due(&ca.store(), within, effects)).unwrap();
        let shown = |due: &DueEntry| match due.what {
            DueItem::Certificate { .. } => format!("certificate {}", due.name),
            DueItem::Authority { .. } => format!("authority {}", due.name),
            DueItem::List { .. } => format!("list {}", due.name),
        };
        found.iter().map(shown).collect()
    }

    #[test]
    fn a_certificate_is_due_while_its_own_files_are_in_place() {
        let ca = Ca::new();
        for name in ["gone.test", "other.test", "web.test"] {
            ca.issue(testing::order("server", name)).unwrap();
        }
        assert_eq!(due_within(&ca, 91).len(), 3);
        fs::remove_dir_all(ca.path("issued/gone.test")).unwrap();
        fs::copy(ca.path("issued/web.test/cert.pem"), ca.path("issued/other.test/cert.pem")).unwrap();
        assert_eq!(due_within(&ca, 91), ["certificate web.test"]);
        ca.revoke("web.test", RevocationReason::CertificateHold).unwrap();
        assert_eq!(due_within(&ca, 91), Vec::<String>::new());
    }

    #[test]
    fn an_authority_is_due_unless_it_is_revoked_and_its_list_while_it_is_in_office() {
        let mut ca = Ca::new();
        ca.publish(&publish_crl::CrlOrder { authority: Some("issuing".to_owned()), ..Default::default() }).unwrap();
        let all = ["authority issuing", "list issuing"];
        assert_eq!(due_within(&ca, 6 * 365), all);
        let (list, away) = (ca.home.crl_der("issuing"), ca.path("away.der"));
        fs::rename(&list, &away).unwrap();
        assert_eq!(due_within(&ca, 6 * 365), all[..1], "nobody reads a list that is not there");
        fs::rename(&away, &list).unwrap();
        ca.revoke("issuing", RevocationReason::CessationOfOperation).unwrap();
        assert_eq!(due_within(&ca, 6 * 365), all[1..], "its list still says what was revoked");
        ca.now += Duration::days(5 * 365);
        assert_eq!(due_within(&ca, 365), Vec::<String>::new(), "nothing that it signed is valid any more");
    }
}
