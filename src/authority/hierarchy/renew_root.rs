//! `root renew`: the next certificate of a root for the same key, with the same subject, key identifier and limits. What was
//! issued names the key and not the certificate (the authority key identifier), and keeps its chain.

use time::{Duration, OffsetDateTime};

use crate::authority::certify::{RecordAs, certify_itself, commit_signed, record};
use crate::authority::hierarchy::ca_profile::RecertifySettings;
use crate::authority::hierarchy::rotation::error::RotationError;
use crate::authority::serial::unused_serial;
use crate::issuance::draft::not_before;
use crate::issuance::{self, CaCertificate, Issuer, SignedBy, recertify};
use crate::store::approval::PlannedChange;
use crate::store::ca_certificates::ROOT;
use crate::store::effects::Effects;
use crate::store::index::EventKind;
use crate::store::passphrase_prompt::PassphrasePrompt;
use crate::store::{Store, delivery};
use crate::system::files;
use crate::text::{Lifetime, rfc3339};
use crate::x509::{Certificate, Validity};

/// What came of it.
#[derive(Debug)]
pub struct RenewedRoot {
    pub name: String,
    pub before: Certificate,
    pub certificate: Certificate,
    /// Extensions of the one before that the new one has not, as object identifiers.
    pub left_out: Vec<String>,
}

/// Renews a root; `None`: the present one. The certificate before it stays in the index.
///
/// # Errors
/// When it is no root, its key is away or another one, or something fails. A run that dies leaves the certificate that was
/// there, or the new one; the same command completes either.
pub fn renew(
    store: &Store,
    name: Option<&str>,
    lifetime: Option<Lifetime>,
    prompt: &mut PassphrasePrompt<'_>,
    effects: &Effects<'_>,
) -> Result<RenewedRoot, RotationError> {
    let now = effects.now();
    let (home, config, authorities) = (store.home(), store.config(), store.ca_certificates());
    let (name, facts) = root_before(store, name)?;
    let before = facts.certificate().clone();
    let template = store.index()?.history(&name)?.pop().map_or_else(|| ROOT.to_owned(), |last| last.template);
    let settings = RecertifySettings::read(store, &template, ROOT)?;
    let validity = validity(settings.backdate, lifetime.unwrap_or(config.root.lifetime), now)?;
    let change = PlannedChange::new(format!("renew the root '{name}'")).fact("subject", &before.subject);
    let change = change.fact("expires", rfc3339(validity.not_after)).fact("before", rfc3339(before.validity.not_after));
    effects.approval.approve(change)?;
    let (mut issuer, _) = authorities.unlock(facts, prompt)?;

    let mut locked = store.lock(effects.lock_timeout)?;
    files::remove_stale(home.folder())?;
    files::remove_stale(&home.authority(&name))?;
    authorities.refresh(&mut issuer)?;
    let index = locked.index()?;
    let mut transaction = index.transaction(effects.event_context())?;
    let serial = unused_serial(settings.serial_bytes, &transaction, effects.entropy)?;
    let certificate = sign(&issuer, now, validity, serial)?;
    let record_as = RecordAs { event: EventKind::RootRenew, ..RecordAs::issued(&name, &template, &name) };
    let id = record(&mut transaction, record_as, &certificate, now)?;
    commit_signed(transaction, &issuer)?;

    // Only now may it leave the process.
    let replaced = delivery::replace_certificate(home, &name, &certificate, effects.entropy);
    replaced.map_err(|cause| RotationError::NotReplaced { serial: certificate.serial.to_string(), cause })?;
    index.mark_delivered(id, now)?;
    let left_out = issuance::recertify::left_out(&before);
    Ok(RenewedRoot { name, before, certificate, left_out })
}

/// Returns the name of the root that is to be renewed, and its certificate; `None`: the present one.
///
/// # Errors
/// When there is none of the name, or it is no root.
pub fn root_before(store: &Store, name: Option<&str>) -> Result<(String, CaCertificate), RotationError> {
    let authorities = store.ca_certificates();
    let name = match name {
        Some(name) => authorities.choose(Some(name), store.config())?,
        None => authorities.present_root()?.ok_or(RotationError::NoRoot)?,
    };
    let facts = authorities.ca_certificate(&name)?;
    if facts.certificate().is_self_issued() { Ok((name, facts)) } else { Err(RotationError::NotARoot(name)) }
}

fn sign(
    issuer: &Issuer<'_>,
    now: OffsetDateTime,
    validity: Validity,
    serial: crate::x509::SerialNumber,
) -> Result<Certificate, RotationError> {
    let before = issuer.ca_certificate().certificate().clone();
    let draft = recertify(&before, SignedBy::Itself(issuer.signer()), now, validity, serial)?;
    Ok(certify_itself(draft, issuer.signer(), now)?.certificate)
}

fn validity(backdate: Option<Lifetime>, lifetime: Lifetime, now: OffsetDateTime) -> Result<Validity, RotationError> {
    let not_before = not_before(backdate, Some(lifetime), None, now);
    let not_after = not_before.checked_add(lifetime.as_duration() - Duration::SECOND);
    let not_after = not_after.filter(|end| *end <= Validity::LATEST).ok_or(issuance::DraftRefusal::BeyondAllDates)?;
    Ok(Validity { not_before, not_after })
}
