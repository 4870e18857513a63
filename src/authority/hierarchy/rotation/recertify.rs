//! Authorities move from the old root to the new one: the same subject and key, certified by another issuer.

use std::collections::BTreeMap;

use time::{Duration, OffsetDateTime};

use crate::authority::certify::{RecordAs, certify, record};
use crate::authority::hierarchy::ca_profile::{INTERMEDIATE, RecertifySettings};
use crate::authority::hierarchy::rotation::error::RotationError;
use crate::authority::leaf::request_inputs;
use crate::authority::leaf::subject_key_checks::is_compromised_key;
use crate::authority::serial::unused_serial;
use crate::issuance::draft::not_before;
use crate::issuance::profile::Distribution;
use crate::issuance::{self, Draft, Issuer, Profile, SignedBy, TemplateValues, recertify};
use crate::store::ca_certificates::{CaCertificates, ROOT, Root, read_certificates};
use crate::store::certificate_files::CHAIN;
use crate::store::effects::Effects;
use crate::store::entry_name::EntryName;
use crate::store::error::TemplateError;
use crate::store::index::{Entry, EntryId, EventKind, Index, Transaction};
use crate::store::{Store, StoreError, delivery, templates};
use crate::system::files;
use crate::x509::{Certificate, Validity};

/// An authority whose certificate the new root signed.
#[derive(Debug)]
pub struct Recertified {
    pub name: String,
    pub certificate: Certificate,
    /// Its row in the index.
    pub id: EntryId,
    /// Extensions of the one before that the new one has not, as object identifiers.
    pub left_out: Vec<String>,
}

/// Returns the authorities that a rotation moves to the new root: those that the old root signed, except for revoked ones,
/// ones on hold and those with a compromised key. The new root must not make them valid again.
pub fn to_be_moved(
    authorities: &CaCertificates,
    index: &Index,
    old: &Certificate,
    now: OffsetDateTime,
) -> Result<Vec<(String, Certificate)>, RotationError> {
    let mut found = Vec::new();
    for (name, certificate) in directly_below(authorities, old)? {
        let fingerprint = certificate.fingerprint();
        let is_revoked = |row: &Entry| row.fingerprint == fingerprint && row.revocation.is_some();
        let is_revoked = index.history(&name)?.iter().any(is_revoked);
        if !is_revoked && !is_compromised_key(index, &certificate.public_key, now)? {
            found.push((name, certificate));
        }
    }
    Ok(found)
}

/// The authorities whose certificate the root signed.
fn directly_below(
    authorities: &CaCertificates,
    old: &Certificate,
) -> Result<Vec<(String, Certificate)>, RotationError> {
    let root = Root { name: String::new(), path: Default::default(), certificate: old.clone() };
    let mut below = Vec::new();
    for name in authorities.names()? {
        let certificate = authorities.certificate(&name)?;
        if !certificate.is_self_issued() && root.has_signed(&certificate) {
            below.push((name, certificate));
        }
    }
    Ok(below)
}

/// Whether `start` has something left to do below a new root that is in its place.
pub fn is_anything_left(
    authorities: &CaCertificates,
    index: &Index,
    (old, new): (&Certificate, &Certificate),
    now: OffsetDateTime,
) -> Result<bool, RotationError> {
    Ok(!to_be_recertified(authorities, index, (old, new), now)?.is_empty() || !outdated_chains(authorities)?.is_empty())
}

/// Returns the authorities below the old root; and those whose new certificate was written by a run that died before it
/// updated the chains further below. The latter get another certificate: what was issued in between with the old chain is then
/// older than the certificate that counts in the index.
fn to_be_recertified(
    authorities: &CaCertificates,
    index: &Index,
    (old, new): (&Certificate, &Certificate),
    now: OffsetDateTime,
) -> Result<Vec<(String, Certificate)>, RotationError> {
    let mut found = to_be_moved(authorities, index, old, now)?;
    for (name, certificate) in directly_below(authorities, new)? {
        let fingerprint = certificate.fingerprint();
        let rows = index.history(&name)?;
        if rows.iter().any(|row| row.fingerprint == fingerprint && row.delivered_at.is_none()) {
            found.push((name, certificate));
        }
    }
    Ok(found)
}

/// Signs and records for each authority that is left.
pub fn recertify_the_rest(
    store: &Store,
    transaction: &mut Transaction<'_>,
    (old_name, old): (&str, &Certificate),
    new: &Issuer<'_>,
    now: OffsetDateTime,
    effects: &Effects<'_>,
) -> Result<Vec<Recertified>, RotationError> {
    let (config, authorities) = (store.config(), store.ca_certificates());
    let mut recertified = Vec::new();
    let left = to_be_recertified(authorities, transaction, (old, new.ca_certificate().certificate()), now)?;
    for (name, before) in left {
        let template = transaction.history(&name)?.pop().map_or_else(|| INTERMEDIATE.to_owned(), |last| last.template);
        let settings = RecertifySettings::read(store, &template, INTERMEDIATE)?;
        let (issuer, lifetime) = (new.ca_certificate(), config.intermediate.lifetime);
        let not_before = not_before(settings.backdate, Some(lifetime), Some(issuer), now);
        // Not shorter than its present certificate, as far as the new root lasts.
        let usual_end = not_before.checked_add(lifetime.as_duration() - Duration::SECOND).unwrap_or(Validity::LATEST);
        let not_after = before.validity.not_after.max(usual_end).min(issuer.end().1);
        let validity = Validity { not_before, not_after };
        let serial = unused_serial(settings.serial_bytes, transaction, effects.entropy)?;
        let mut draft = recertify(&before, SignedBy::Issuer(issuer), now, validity, serial)?;
        if let Some(profile) = profile_of(store, &template)? {
            let values = |issuer| values_of(store, &name, &profile, issuer);
            readdress(&mut draft, &before, &profile.distribution, &[values(issuer.name())?, values(old_name)?]);
        }
        let certificate = certify(draft, new, now)?.certificate;
        let record_as = RecordAs { event: EventKind::RootRotate, ..RecordAs::issued(&name, &template, issuer.name()) };
        let id = record(transaction, record_as, &certificate, now)?;
        let left_out = issuance::recertify::left_out(&before);
        recertified.push(Recertified { name, certificate, id, left_out });
    }
    Ok(recertified)
}

/// Returns the values of the placeholders in the addresses of an authority's certificate.
pub fn values_of(store: &Store, name: &str, profile: &Profile, issuer: &str) -> Result<TemplateValues, RotationError> {
    let entry = name.parse::<EntryName>()?;
    Ok(request_inputs::values(profile, &entry, &BTreeMap::new(), store.config(), Some(issuer))?)
}

/// The template of an authority. One that was imported or certified elsewhere has none, and that of another may be gone by now:
/// nothing is known then of what gave it its addresses.
pub fn profile_of(store: &Store, template: &str) -> Result<Option<Profile>, RotationError> {
    if template == ROOT {
        return Ok(None);
    }
    match templates::find(&store.template_folder(), template) {
        Ok(template) => {
            let mut profile = template.profile()?;
            templates::complete(&mut profile, store.config());
            Ok(Some(profile))
        }
        Err(TemplateError::Unknown { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Replaces the addresses that the template or the settings gave, with the name of the signing authority in them, by those of
/// the new root (the first values). Addresses that neither set of values gives stay as `recertify` decided.
pub fn readdress(draft: &mut Draft, before: &Certificate, given: &Distribution, values: &[TemplateValues; 2]) {
    let fields = [
        (&given.crl, &before.crl_urls, &mut draft.crl_urls),
        (&given.ca_issuers, &before.ca_issuer_urls, &mut draft.ca_issuer_urls),
        (&given.ocsp, &before.ocsp_urls, &mut draft.ocsp_urls),
    ];
    for (texts, had, has) in fields {
        let filled = values
            .each_ref()
            .map(|values| -> Option<Vec<String>> { texts.iter().map(|text| text.render(values).ok()).collect() });
        if let [Some(new), old] = filled
            && old.as_ref() != Some(&new)
            && (new == *had || old.as_ref() == Some(had))
        {
            *has = new;
        }
    }
}

/// Writes the recorded certificates into their folders, then the chains further below. The files show what is left, so the
/// next run completes one that dies here. Returns the names of the authorities whose chains were updated.
pub fn put_in_place(
    authorities: &CaCertificates,
    index: &mut Index,
    recertified: &[Recertified],
    now: OffsetDateTime,
    effects: &Effects<'_>,
) -> Result<Vec<String>, RotationError> {
    for Recertified { name, certificate, .. } in recertified {
        files::remove_stale(&authorities.home().authority(name))?;
        let replaced = delivery::replace_certificate(authorities.home(), name, certificate, effects.entropy);
        replaced.map_err(|cause| RotationError::NotReplaced { serial: certificate.serial.to_string(), cause })?;
    }
    let outdated = outdated_chains(authorities)?;
    for (name, chain) in &outdated {
        files::remove_stale(&authorities.home().authority(name))?;
        delivery::replace_chain(authorities.home(), name, chain, effects.entropy)?;
    }
    // Last: what was issued before a chain was right does not depend on the new root, and the index can tell by the mark.
    for Recertified { id, .. } in recertified {
        index.mark_delivered(*id, now)?;
    }
    Ok(outdated.into_iter().map(|(name, _)| name).collect())
}

/// Chains that name an authority by a certificate that is not its present one, and how they have to be.
pub fn outdated_chains(authorities: &CaCertificates) -> Result<Vec<(String, Vec<Certificate>)>, RotationError> {
    let names = authorities.names()?;
    let present = names.iter().map(|name| authorities.certificate(name)).collect::<Result<Vec<_>, StoreError>>()?;
    let mut outdated = Vec::new();
    for name in names {
        let chain = read_certificates(&CHAIN.path_in(&authorities.home().authority(&name)))?;
        let now = |above: &Certificate| {
            let same = |other: &&Certificate| other.subject == above.subject && other.public_key == above.public_key;
            present.iter().find(same).unwrap_or(above).clone()
        };
        let right: Vec<Certificate> = chain.iter().map(now).collect();
        if right != chain {
            outdated.push((name, right));
        }
    }
    Ok(outdated)
}
