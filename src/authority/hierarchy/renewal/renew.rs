//! `renew AUTHORITY`: the next certificate of an intermediate for the same key and subject. What it issued names the key and
//! keeps its chain; no certificate expires after that of its issuer, so the old chains stay valid as long as they are needed.

use time::OffsetDateTime;

use crate::authority::certify::{RecordAs, certify, commit_signed, record, verify_draft};
use crate::authority::hierarchy::renewal::error::NextAuthorityError;
use crate::authority::hierarchy::renewal::order::NextAuthorityOrder;
use crate::authority::hierarchy::renewal::present::Present;
use crate::authority::hierarchy::rotation::recertify::outdated_chains;
use crate::authority::serial::{draw_serial, unused_serial};
use crate::issuance::{Issuer, recertify};
use crate::store::approval::PlannedChange;
use crate::store::ca_certificates::read_certificates;
use crate::store::certificate_files::CHAIN;
use crate::store::effects::Effects;
use crate::store::index::EventKind;
use crate::store::passphrase_prompt::PassphrasePrompt;
use crate::store::{Store, delivery};
use crate::system::files::{self, FileError};
use crate::text::rfc3339;
use crate::x509::Certificate;

/// The result of a renewal.
#[derive(Debug)]
pub struct RenewedAuthority {
    pub name: String,
    /// The name of the authority that signed the new certificate.
    pub issuer: String,
    pub before: Certificate,
    pub certificate: Certificate,
    /// True when the lifetime was shortened to that of the issuer.
    pub clipped: bool,
    /// The authorities further below whose chains were updated.
    pub rechained: Vec<String>,
    /// The object identifiers of the extensions of the previous certificate that the new one does not have.
    pub left_out: Vec<String>,
}

/// Returns when the next certificate of an authority would expire, after every check that needs no key.
///
/// # Errors
/// As [`renew`].
pub fn planned(
    store: &Store,
    order: &NextAuthorityOrder,
    effects: &Effects<'_>,
) -> Result<OffsetDateTime, NextAuthorityError> {
    Ok(plan(store, order, effects)?.1)
}

/// Signs, records and deploys the next certificate of an intermediate; `None` when it is not due by [`only_if`]. `prompt`
/// returns the passphrase of the issuer's key.
///
/// [`only_if`]: NextAuthorityOrder::only_if
///
/// # Errors
/// When it is a root, was replaced, is revoked or on hold, its issuer is not here, or a step fails. The same command completes
/// what a failure left.
pub fn renew(
    store: &Store,
    order: &NextAuthorityOrder,
    prompt: &mut PassphrasePrompt<'_>,
    effects: &Effects<'_>,
) -> Result<Option<RenewedAuthority>, NextAuthorityError> {
    let now = effects.now();
    let (home, authorities) = (store.home(), store.ca_certificates());
    let (present, _, change) = plan(store, order, effects)?;
    effects.approval.approve(change)?;
    let (mut issuer, _) = authorities.unlock(present.issuer, prompt)?;

    let mut locked = store.lock(effects.lock_timeout)?;
    files::remove_stale(home.folder())?;
    files::remove_stale(&home.authority(&present.name))?;
    // Another process may have renewed or replaced it, or its issuer.
    let present = Present::read(store, &present.name)?;
    if order.only_if.is_some_and(|rule| !rule.is_due(present.certificate.validity, now)) {
        return Ok(None);
    }
    issuer.refresh(present.issuer.clone())?;
    let next = present.validity(store, order, now)?;
    let index = locked.index()?;
    present.check(index, true, now)?;
    let mut transaction = index.transaction(effects.event_context())?;
    let serial = unused_serial(present.profile.serial_bytes, &transaction, effects.entropy)?;
    let draft = present.draft(store, next.validity, now, serial)?;
    let certificate = certify(draft, &issuer, now)?.certificate;
    let record_as = RecordAs {
        event: EventKind::Renew,
        ..RecordAs::issued(&present.name, &present.template, present.issuer.name())
    };
    let id = record(&mut transaction, record_as, &certificate, now)?;
    commit_signed(transaction, &issuer)?;

    // Only now may it leave the process.
    let rechained = deploy(store, &present, &certificate, effects)?;
    index.mark_delivered(id, now)?;
    let left_out = recertify::left_out(&present.certificate);
    Ok(Some(RenewedAuthority {
        issuer: issuer_name(&issuer),
        name: present.name,
        before: present.certificate,
        certificate,
        clipped: next.clipped,
        rechained,
        left_out,
    }))
}

fn issuer_name(issuer: &Issuer<'_>) -> String {
    issuer.ca_certificate().name().to_owned()
}

/// Everything that can be decided without the key and the lock.
fn plan(
    store: &Store,
    order: &NextAuthorityOrder,
    effects: &Effects<'_>,
) -> Result<(Present, OffsetDateTime, PlannedChange), NextAuthorityError> {
    let now = effects.now();
    let present = Present::read(store, &order.name)?;
    present.check(store.index()?, true, now)?;
    let next = present.validity(store, order, now)?;
    if order.expiry.is_none() {
        present.check_longer(store)?;
    }
    let serial = draw_serial(present.profile.serial_bytes, effects.entropy)?;
    verify_draft(present.draft(store, next.validity, now, serial)?, &present.issuer, now)?;
    let change = PlannedChange::new(format!("renew the authority '{}'", present.name))
        .fact("subject", &present.certificate.subject)
        .fact("issuer", present.issuer.name())
        .fact("expires", rfc3339(next.validity.not_after))
        .fact("before", rfc3339(present.certificate.validity.not_after));
    Ok((present, next.validity.not_after, change))
}

/// Writes the certificate and the chains that lead through it. The files show what is left, so that the next run completes
/// one that dies here. Returns the authorities further below whose chains were updated.
fn deploy(
    store: &Store,
    present: &Present,
    certificate: &Certificate,
    effects: &Effects<'_>,
) -> Result<Vec<String>, NextAuthorityError> {
    let (home, name) = (store.home(), present.name.as_str());
    let failed = |cause: FileError| NextAuthorityError::NotReplaced { serial: certificate.serial.to_string(), cause };
    let chain = present.chain();
    // It changes when another authority signs than before. Until both are written, nothing is issued: no chain would be valid.
    if read_certificates(&CHAIN.path_in(&home.authority(name)))? != chain {
        delivery::replace_chain(home, name, &chain, effects.entropy).map_err(failed)?;
    }
    delivery::replace_certificate(home, name, certificate, effects.entropy).map_err(failed)?;
    let outdated = outdated_chains(store.ca_certificates())?;
    for (below, chain) in &outdated {
        files::remove_stale(&home.authority(below))?;
        delivery::replace_chain(home, below, chain, effects.entropy).map_err(failed)?;
    }
    Ok(outdated.into_iter().map(|(below, _)| below).collect())
}
