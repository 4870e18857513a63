//! `rekey AUTHORITY`: a new intermediate with a new key takes the place of another one. It has a name and a subject of its own,
//! with the mark of the next generation, as the next root of a rotation has. The old authority stays for its CRLs.

use std::path::PathBuf;

use time::OffsetDateTime;

use crate::authority::certify::{Certified, RecordAs, certify, commit_signed, record, verify_draft};
use crate::authority::hierarchy::renewal::error::NextAuthorityError;
use crate::authority::hierarchy::renewal::order::NextAuthorityOrder;
use crate::authority::hierarchy::renewal::present::Present;
use crate::authority::hierarchy::rotation::start::next_generation;
use crate::authority::serial::{draw_serial, unused_serial};
use crate::clients::Fact;
use crate::issuance::{Draft, DraftRefusal, recertify};
use crate::keys::{Passphrase, PrivateKey, Signer};
use crate::store::approval::PlannedChange;
use crate::store::certificate_files::CERTIFICATE;
use crate::store::delivery::{Files, KeyText};
use crate::store::effects::Effects;
use crate::store::index::{EventKind, Index};
use crate::store::passphrase_prompt::PassphrasePrompt;
use crate::store::{Store, StoreError, ca_certificates};
use crate::system::files::{self, StagedFolder};
use crate::text::rfc3339;
use crate::x509::{AttributeType, Certificate, DistinguishedName, KeyAlgorithm, SerialNumber, Validity};

/// The result of a new key.
#[derive(Debug)]
pub struct RekeyedAuthority {
    pub old: String,
    pub new: String,
    /// The name of the authority that signed the new certificate.
    pub issuer: String,
    pub old_certificate: Certificate,
    pub certificate: Certificate,
    /// True when the lifetime was shortened to that of the issuer.
    pub clipped: bool,
    pub key: PathBuf,
    /// True when the new key is encrypted.
    pub encrypted: bool,
    /// True when the old authority has a CRL: clients that check CRLs need one of the new authority, too.
    pub has_crl: bool,
    /// The facts that the new authority adds to the chains of TLS servers. Clients may refuse them because of these.
    pub client_facts: Vec<Fact>,
    /// The object identifiers of the extensions of the old certificate that the new one does not have.
    pub left_out: Vec<String>,
}

/// The new authority before it has a certificate.
struct NewAuthority {
    name: String,
    subject: DistinguishedName,
    key: PrivateKey,
}

/// Makes an intermediate that issues in the place of another one. `prompt` returns the passphrase of the issuer's key, and
/// that of the old key, with which the new one is encrypted as well.
///
/// # Errors
/// When the old one is a root, was replaced already or is on hold, its issuer is not here, or a step fails. The same command
/// completes what a failure left.
pub fn rekey(
    store: &Store,
    order: &NextAuthorityOrder,
    prompt: &mut PassphrasePrompt<'_>,
    effects: &Effects<'_>,
) -> Result<RekeyedAuthority, NextAuthorityError> {
    let now = effects.now();
    let (home, authorities) = (store.home(), store.ca_certificates());
    if let Some(by) = authorities.successor_of(&order.name)?
        && let Some(completed) = complete(store, order, &by, effects)?
    {
        return Ok(completed);
    }
    let present = Present::read(store, &order.name)?;
    present.check(store.index()?, false, now)?;
    let validity = present.validity(store, order, now)?.validity;
    let new = new_authority(store, store.index()?, &present, order.key)?;
    let serial = draw_serial(present.profile.serial_bytes, effects.entropy)?;
    verify_draft(draft(store, &present, &new, validity, now, serial)?, &present.issuer, now)?;
    let change = PlannedChange::new(format!("replace the authority '{}' with '{}'", present.name, new.name))
        .fact("subject", &new.subject)
        .fact("issuer", present.issuer.name())
        .fact("expires", rfc3339(validity.not_after));
    effects.approval.approve(change)?;
    let (mut issuer, of_issuer) = authorities.unlock(present.issuer.clone(), prompt)?;
    let passphrase = passphrase_of(store, &present, of_issuer, prompt)?;
    let text = KeyText::new(&new.key, passphrase.as_ref(), files::SECRET, effects.entropy)?;

    let mut locked = store.lock(effects.lock_timeout)?;
    files::remove_stale(home.folder())?;
    // Another process may have renewed or replaced it, or its issuer, or taken the name.
    let present = Present::read(store, &present.name)?;
    issuer.refresh(present.issuer.clone())?;
    let next = present.validity(store, order, now)?;
    let index = locked.index()?;
    present.check(index, false, now)?;
    let new = NewAuthority { name: free_name(store, index, &present)?, ..new };
    let mut staged = StagedFolder::create(home.folder(), effects.entropy)?;
    text.stage(&mut staged, "".as_ref())?;
    staged.add("replaces", format!("{}\n", present.name).as_bytes(), files::PUBLIC)?;

    let mut transaction = index.transaction(effects.event_context())?;
    let serial = unused_serial(present.profile.serial_bytes, &transaction, effects.entropy)?;
    let draft = draft(store, &present, &new, next.validity, now, serial)?;
    let Certified { certificate, client_facts, .. } = certify(draft, &issuer, now)?;
    let record_as =
        RecordAs { event: EventKind::Rekey, ..RecordAs::issued(&new.name, &present.template, present.issuer.name()) };
    let id = record(&mut transaction, record_as, &certificate, now)?;
    commit_signed(transaction, &issuer)?;

    // Only now may it leave the process. With its folder, the new authority issues.
    let delivered = Files::new(&certificate, &present.chain())
        .stage(&mut staged, "".as_ref(), false)
        .and_then(|()| staged.sync())
        .and_then(|()| staged.publish_new(&home.authority(&new.name)));
    let serial = certificate.serial.to_string();
    delivered.map_err(|cause| NextAuthorityError::NotDelivered { serial, cause })?;
    index.mark_delivered(id, now)?;
    Ok(RekeyedAuthority {
        issuer: present.issuer.name().to_owned(),
        has_crl: home.crl_der(&present.name).is_file(),
        key: home.key(&new.name),
        encrypted: passphrase.is_some(),
        left_out: recertify::left_out(&present.certificate),
        clipped: next.clipped,
        old: present.name,
        new: new.name,
        old_certificate: present.certificate,
        certificate,
        client_facts,
    })
}

/// Marks a new authority as delivered whose run died before it could do so; `None` when its row has the mark.
fn complete(
    store: &Store,
    order: &NextAuthorityOrder,
    new: &str,
    effects: &Effects<'_>,
) -> Result<Option<RekeyedAuthority>, NextAuthorityError> {
    let (home, authorities) = (store.home(), store.ca_certificates());
    let certificate = authorities.certificate(new)?;
    let row = store.index()?.by_fingerprint(&certificate.serial, certificate.fingerprint())?;
    let Some(row) = row.filter(|row| row.delivered_at.is_none()) else { return Ok(None) };
    let change = format!("go on with the replacement of '{}' by '{new}'", order.name);
    effects.approval.approve(PlannedChange::new(change))?;
    let mut locked = store.lock(effects.lock_timeout)?;
    files::remove_stale(home.folder())?;
    locked.index()?.mark_delivered(row.id, effects.now())?;
    Ok(Some(RekeyedAuthority {
        old: order.name.clone(),
        new: new.to_owned(),
        issuer: row.authority,
        old_certificate: authorities.certificate(&order.name)?,
        certificate,
        clipped: false,
        key: home.key(new),
        encrypted: authorities.key_file(new).is_ok_and(|file| file.is_encrypted()),
        has_crl: home.crl_der(&order.name).is_file(),
        client_facts: Vec::new(),
        left_out: Vec::new(),
    }))
}

fn new_authority(
    store: &Store,
    index: &Index,
    present: &Present,
    algorithm: Option<KeyAlgorithm>,
) -> Result<NewAuthority, NextAuthorityError> {
    let kind = present.certificate.public_key.kind().to_string();
    let same_kind = KeyAlgorithm::ALL.into_iter().find(|algorithm| algorithm.name() == kind);
    let key = PrivateKey::generate(algorithm.or(same_kind).unwrap_or(store.config().intermediate.key))?;
    let name = free_name(store, index, present)?;
    Ok(NewAuthority { name, subject: next_subject(store, &present.certificate.subject)?, key })
}

/// Returns the draft of the old authority's next certificate, with the new subject and key.
fn draft(
    store: &Store,
    present: &Present,
    new: &NewAuthority,
    validity: Validity,
    now: OffsetDateTime,
    serial: SerialNumber,
) -> Result<Draft, NextAuthorityError> {
    let draft = present.draft(store, validity, now, serial)?;
    let public_key = new.key.public_key().clone();
    Ok(Draft { subject: new.subject.clone(), subject_key_id: public_key.key_id().to_vec(), public_key, ..draft })
}

/// Returns the subject with the mark of the next generation, which no authority has. With the subject of the old one there
/// would be two CRLs of one issuer name, and clients look for a CRL by that name.
fn next_subject(store: &Store, old: &DistinguishedName) -> Result<DistinguishedName, NextAuthorityError> {
    let mut taken = Vec::new();
    for folder in [store.home().authorities(), store.home().retired()] {
        for name in files::names_in(&folder)? {
            let path = CERTIFICATE.path_in(&folder.join(name));
            taken.extend(ca_certificates::read_certificates(&path)?.into_iter().map(|ca| ca.subject));
        }
    }
    let mut common_name = old.common_name().unwrap_or(&store.config().name).to_owned();
    let mut attributes: Vec<(AttributeType, String)> =
        old.attributes().map(|attribute| (attribute.kind.clone(), attribute.value.clone())).collect();
    let at = attributes.iter().rposition(|(kind, _)| *kind == AttributeType::CommonName).unwrap_or_else(|| {
        attributes.push((AttributeType::CommonName, String::new()));
        attributes.len() - 1
    });
    loop {
        common_name = next_generation(&common_name);
        attributes[at].1.clone_from(&common_name);
        let subject = DistinguishedName::build(&attributes).map_err(DraftRefusal::from)?;
        if !taken.contains(&subject) {
            return Ok(subject);
        }
    }
}

/// Returns the name of the next generation, `issuing-g2` after `issuing`, that no authority and no certificate has.
fn free_name(store: &Store, index: &Index, present: &Present) -> Result<String, NextAuthorityError> {
    let old = present.name.as_str();
    let (stem, number) = match old.rsplit_once("-g").and_then(|(stem, n)| Some((stem, n.parse::<u32>().ok()?))) {
        Some((stem, number)) => (stem, number),
        None => (old, 1),
    };
    for number in number.saturating_add(1)..=u32::MAX {
        let name = format!("{stem}-g{number}");
        let places = [store.home().authority(&name), store.home().retired().join(&name)];
        // A run that died after its record left a row whose key is gone.
        let is_used = |index: &Index| -> Result<bool, StoreError> {
            let history = index.history(&name)?;
            Ok(history.iter().any(|row| row.delivered_at.is_some() || row.template != present.template))
        };
        if places.iter().all(|place| place.symlink_metadata().is_err()) && !is_used(index)? {
            return Ok(name);
        }
    }
    Err(NextAuthorityError::NoFreeName(old.to_owned()))
}

/// Returns the passphrase for the new key: that of the old one, which has to open it first; that of the issuer's key when the
/// old key is kept elsewhere. `None`: the new key is not encrypted, as the old one is not.
fn passphrase_of(
    store: &Store,
    present: &Present,
    of_issuer: Option<Passphrase>,
    prompt: &mut PassphrasePrompt<'_>,
) -> Result<Option<Passphrase>, NextAuthorityError> {
    match store.ca_certificates().key_file(&present.name) {
        Ok(file) if file.is_encrypted() => Ok(file.open(prompt)?.1),
        Ok(_) => Ok(None),
        Err(StoreError::KeyAway { .. }) => Ok(of_issuer),
        Err(error) => Err(error.into()),
    }
}
