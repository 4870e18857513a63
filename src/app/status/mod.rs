//! What needs attention today: what `ca due` finds, what an audit finds with little work, and what the index says of files
//! that should be there. Nothing is written, and no lock is taken.

mod bundles;
mod certificates;
mod item;
mod sentence;

pub use item::{CaStatus, Expiry, Item, Kind, SOON};
pub use sentence::sentence;

use std::path::Path;

use time::{Duration, OffsetDateTime};

use crate::app::crl_exports::{self, OutdatedExports, destinations};
use crate::app::remembered_exports::{self, PendingExports};
use crate::app::{clock, restored};
use crate::authority::audit::{self, Severity};
use crate::authority::leaf::due::{self, DueEntry};
use crate::authority::leaf::order::{DueRule, IN_MEMORY};
use crate::report::failure::Failure;
use crate::store::index::event_query::FailedHook;
use crate::store::{Store, StoreError, templates};
use crate::system::files;
use crate::text::{PathText, humanize, rfc3339, shell_word};
use crate::x509::Certificate;

/// Returns the state of a CA.
///
/// # Errors
/// When the index or an authority cannot be read.
pub fn of(store: &Store, usual_issuer: &str, now: OffsetDateTime) -> Result<CaStatus, Failure> {
    let mut items = Vec::new();
    items.extend(clock_item(store, now)?);
    if let Some(message) = restored::warning(store.home()) {
        let object = store.home().folder().escaped().to_string();
        items.push(Item {
            kind: Kind::Restored,
            object,
            message,
            fix: "ca audit --scan FOLDER".to_owned(),
            not_after: None,
        });
    }
    items.extend(permission_items(store));
    let in_use = due::certificates_due_or_within(store, SOON, now)?;
    let expired = in_use.iter().filter(|due| due.validity.not_after < now).count();
    let expiring =
        in_use.iter().filter(|due| due.validity.not_after >= now && due.validity.not_after - now <= SOON).count();
    let is_due = |due: &&DueEntry| DueRule::LastThird.is_due(due.validity, now);
    items.extend(in_use.iter().filter(is_due).map(|due| certificate_item(due, usual_issuer, now)));
    items.extend(authority_items(store, usual_issuer, now)?);
    let next_crl = crl_items(store, usual_issuer, now, &mut items)?;
    items.extend(certificates::items(store, now)?);
    items.extend(store.index()?.failed_hooks()?.into_iter().map(|failed| hook_item(failed, now)));
    items.extend(outdated(store, now)?);
    items.sort_by_key(|item| (item.kind, item.not_after));
    let mut except = store.ca_certificates().names()?;
    except.extend(files::names_in(&store.home().retired())?);
    except.extend(["server", "client"].map(|role| format!("{IN_MEMORY}-{role}")));
    let certificates = store.index()?.name_count(&except)?;
    let roots = store.ca_certificates().roots()?.into_iter();
    let root = roots.map(|root| Expiry { authority: root.name, at: root.certificate.validity.not_after });
    let root = root.min_by_key(|root| root.at);
    Ok(CaStatus { now, items, certificates, expired, expiring, next_crl, root })
}

/// Returns the CRL bundles and exports that are not current. `ca renew --due` writes them again.
///
/// # Errors
/// When the index or an authority cannot be read.
pub fn outdated(store: &Store, now: OffsetDateTime) -> Result<Vec<Item>, StoreError> {
    let mut items = bundles::items(store, now)?;
    let pending = remembered_exports::pending(store)?;
    let is_pending = |name: &str| pending.iter().any(|pending| pending.entry.name == name);
    let with_old_crls = crl_exports::outdated(store, now)?.into_iter();
    items.extend(with_old_crls.filter(|outdated| !is_pending(&outdated.entry.name)).map(outdated_item));
    items.extend(pending.iter().map(export_item));
    Ok(items)
}

fn outdated_item(outdated: OutdatedExports) -> Item {
    Item {
        kind: Kind::ExportOutdated,
        message: format!("{}: {}", outdated.why, destinations(&outdated.exports)),
        object: outdated.entry.name,
        fix: "ca crl --all".to_owned(),
        not_after: None,
    }
}

fn clock_item(store: &Store, now: OffsetDateTime) -> Result<Option<Item>, StoreError> {
    let Some(newest) = store.index()?.newest_event()? else { return Ok(None) };
    Ok(clock::behind(newest, now).map(|behind| Item {
        kind: Kind::ClockBehind,
        object: "the clock of this machine".to_owned(),
        message: format!("{} behind the newest event ({})", humanize(behind), rfc3339(newest)),
        fix: "timedatectl set-ntp true".to_owned(),
        not_after: None,
    }))
}

/// A hook runs again with the next certificate.
fn hook_item(failed: FailedHook, now: OffsetDateTime) -> Item {
    let FailedHook { name, at, how } = failed;
    let message = format!("its hook {how}, {} ago", humanize(now - at));
    Item {
        kind: Kind::HookFailed,
        fix: format!("ca renew {}", shell_word(&name)),
        object: name,
        message,
        not_after: None,
    }
}

fn export_item(pending: &PendingExports) -> Item {
    Item {
        kind: Kind::ExportPending,
        object: pending.entry.name.clone(),
        message: format!("not written for the deployed certificate: {}", destinations(&pending.exports)),
        fix: "ca renew --due".to_owned(),
        not_after: None,
    }
}

fn permission_items(store: &Store) -> impl Iterator<Item = Item> {
    let found = audit::permissions(store).into_iter().filter(|finding| finding.severity > Severity::Note);
    found.map(|finding| {
        let (kind, fix) = match finding.code {
            "template-invalid" => {
                (Kind::InvalidTemplate, format!("ca template check {}", Path::new(&finding.object).in_shell()))
            }
            _ => (Kind::OpenPermissions, finding.fix),
        };
        let message = finding.message.lines().next().unwrap_or_default().to_owned();
        Item { kind, object: finding.object, message, fix, not_after: None }
    })
}

/// Returns the item of something that expires.
fn expiring(kinds: [Kind; 2], due: &DueEntry, usual_issuer: &str, now: OffsetDateTime) -> Item {
    let end = due.validity.not_after;
    let [has_expired, is_due] = kinds;
    let (kind, message) = match () {
        () if end < now => (has_expired, format!("expired {} ago", humanize(now - end))),
        () if due.validity.not_before > now => {
            (is_due, format!("not valid before {}: check the clock", rfc3339(due.validity.not_before)))
        }
        () => (is_due, format!("expires in {}", humanize(end - now))),
    };
    let fix = due.command(usual_issuer, DueRule::LastThird);
    Item { kind, object: due.name.clone(), message, fix, not_after: Some(end) }
}

fn certificate_item(due: &DueEntry, usual_issuer: &str, now: OffsetDateTime) -> Item {
    expiring([Kind::CertificateExpired, Kind::CertificateDue], due, usual_issuer, now)
}

/// Returns the authorities that are due, and those whose certificates cannot live as long as their templates say.
fn authority_items(store: &Store, usual_issuer: &str, now: OffsetDateTime) -> Result<Vec<Item>, Failure> {
    let wanted = longest_template(store)?;
    let issues = |certificate: &Certificate, name: &str| name == usual_issuer || !certificate.is_self_issued();
    let mut items = Vec::new();
    for due in due::authorities(store, &|_| true)? {
        let certificate = store.ca_certificates().certificate(&due.name)?;
        let left = certificate.validity.not_after - now;
        let too_short = wanted.as_ref().filter(|(_, lifetime)| issues(&certificate, &due.name) && *lifetime > left);
        let is_due = DueRule::LastThird.is_due(due.validity, now);
        let mut item = expiring([Kind::AuthorityExpired, Kind::AuthorityDue], &due, usual_issuer, now);
        if let Some((template, lifetime)) = too_short.filter(|_| left.is_positive()) {
            let lifetime = humanize(*lifetime);
            item.message.push_str(&format!("; a certificate of the template '{template}' would live {lifetime}"));
            if !is_due {
                item.kind = Kind::AuthorityShort;
            }
        }
        if is_due || item.kind == Kind::AuthorityShort {
            items.push(item);
        }
    }
    Ok(items)
}

/// Returns the template whose certificates live longest, of those that make no CA; `None` when none can be read.
fn longest_template(store: &Store) -> Result<Option<(String, Duration)>, Failure> {
    let folder = store.template_folder();
    let names = templates::names(&folder)?.into_iter().filter(|name| name != IN_MEMORY);
    let read = |name: String| templates::find(&folder, &name).ok().and_then(|found| found.profile().ok());
    let leaves = names.filter_map(read).filter(|profile| !profile.is_authority());
    let lives = leaves.map(|profile| (profile.name, profile.lifetime.as_duration()));
    Ok(lives.max_by_key(|(name, lifetime)| (*lifetime, std::cmp::Reverse(name.clone()))))
}

/// Adds the CRLs that are due or missing. Returns the CRL that expires first.
fn crl_items(
    store: &Store,
    usual_issuer: &str,
    now: OffsetDateTime,
    items: &mut Vec<Item>,
) -> Result<Option<Expiry>, StoreError> {
    let mut next: Option<Expiry> = None;
    for list in due::current_lists(store, now)? {
        let (is_due, authority, at) = (list.is_due(now), list.authority.clone(), list.next_update);
        let is_there = store.home().crl_der(&list.authority).exists();
        let number = list.number;
        let mut item = expiring([Kind::CrlExpired, Kind::CrlDue], &DueEntry::from(list), usual_issuer, now);
        if !is_there {
            item.kind = Kind::CrlMissing;
            item.message = format!("CRL number {number} was signed, and its file is missing");
            item.fix = item.fix.replace(" --ensure", "");
        } else if next.as_ref().is_none_or(|next| at < next.at) {
            next = Some(Expiry { authority, at });
        }
        if is_due || !is_there {
            items.push(item);
        }
    }
    Ok(next)
}

#[cfg(test)]
mod tests;
