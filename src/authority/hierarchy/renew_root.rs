//! `root renew`: the next certificate of a root for the same key, with the same subject, key identifier and limits. What was
//! issued names the key and not the certificate (the authority key identifier), and keeps its chain.

use std::path::PathBuf;

use time::{Duration, OffsetDateTime};

use crate::authority::certify::{RecordAs, certify_itself, commit_signed, record};
use crate::authority::hierarchy::ca_profile::RecertifySettings;
use crate::authority::hierarchy::rotation::error::RotationError;
use crate::authority::hierarchy::rotation::start::BUNDLE;
use crate::authority::serial::unused_serial;
use crate::issuance::draft::not_before;
use crate::issuance::{self, CaCertificate, Issuer, SignedBy, recertify};
use crate::store::approval::PlannedChange;
use crate::store::ca_certificates::ROOT;
use crate::store::effects::Effects;
use crate::store::index::{EventKind, IndexError, Origin};
use crate::store::passphrase_prompt::PassphrasePrompt;
use crate::store::{Store, delivery};
use crate::system::files::{self, ExistingFile};
use crate::text::{Lifetime, rfc3339};
use crate::x509::{Certificate, Validity, pem};

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

/// Returns the number of certificates of another tool that are in use and name a root by its issuer and serial number.
///
/// # Errors
/// When the index cannot be read.
pub fn named_by_serial(store: &Store, root: &Certificate, now: OffsetDateTime) -> Result<usize, RotationError> {
    let (index, mut count) = (store.index()?, 0);
    index.each_stored_certificate::<IndexError>(|stored| {
        let stored = stored.ok().filter(|stored| stored.origin == Origin::Imported.name());
        let certificate = stored.and_then(|stored| Certificate::from_der(&stored.der).ok());
        let names_root = |certificate: &Certificate| {
            certificate.issuer == root.subject
                && certificate.validity.not_after >= now
                && certificate.authority_key_id.as_ref().is_some_and(|id| id.names_issuer_and_serial)
        };
        if let Some(certificate) = certificate.filter(names_root)
            && index.revocation_by_serial(&certificate.issuer, &certificate.serial)?.is_none()
        {
            count += 1;
        }
        Ok(())
    })?;
    Ok(count)
}

/// Writes the certificate of a root, and those before it for the same key that have not expired, into one file for clients. What
/// names one of them by its serial number stays valid where clients trust this file.
///
/// # Errors
/// When the index cannot be read, or the file cannot be written.
pub fn keep_previous(store: &Store, name: &str, effects: &Effects<'_>) -> Result<PathBuf, RotationError> {
    let (home, index) = (store.home(), store.index()?);
    let current = store.ca_certificates().certificate(name)?;
    let mut text = pem::certificate(current.as_der());
    for entry in index.history(name)?.iter().rev() {
        let before = index.certificate(entry)?;
        let is_kept = before != current && before.public_key == current.public_key && before.subject == current.subject;
        if is_kept && before.validity.not_after >= effects.now() && entry.revocation.is_none() {
            text.push_str(&pem::certificate(before.as_der()));
        }
    }
    let path = home.authority(name).join(BUNDLE);
    files::publish_file(&path, text.as_bytes(), files::PUBLIC, ExistingFile::Replace, effects.entropy)?;
    Ok(path)
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
