//! `intermediate request` and `install`: an authority whose certificate another CA signs, or our own root on a machine without
//! network. The key is made here and stays here; what travels is the request, and the certificate on its way back.
//!
//! Between the two the authority is *pending*: its folder has a key and a `request.pem`, and no `cert.pem`. It appears with
//! its certificate, which is put in place last, so that a run that dies is completed by the same command.

use std::path::PathBuf;

use time::OffsetDateTime;

use crate::authority::certify::{RecordAs, UnsoundAuthority, record, verify_authority};
use crate::authority::error::CertifyError;
use crate::authority::hierarchy::ca_profile::{INTERMEDIATE, authority_profile, authority_request};
use crate::authority::hierarchy::import::{NoPathToRoot, path_to_root};
use crate::authority::serial::draw_serial;
use crate::issuance::{self, CaCertificate, Draft, RequestDraft, SignedBy};
use crate::keys::{Passphrase, PrivateKey};
use crate::lint::{self, Finding};
use crate::store::Store;
use crate::store::approval::PlannedChange;
use crate::store::ca_certificates::{CaCertificates, ROOT, Root};
use crate::store::certificate_files::{CERTIFICATE, CHAIN};
use crate::store::delivery::{self, Files, KeyText};
use crate::store::effects::Effects;
use crate::store::entry_name::check_authority_name;
use crate::store::home::Home;
use crate::store::index::{EntryId, EventKind, Origin, Transaction};
use crate::system::files::{self, StagedFolder};
use crate::text::{self, Diagnosis, Diagnostic, PathText, rfc3339};
use crate::x509::{AttributeType, Certificate, KeyAlgorithm, PublicKey, SigningRequest, pem};

/// What is asked for.
#[derive(Debug, Default)]
pub struct IntermediateRequestOrder {
    /// How the authority is to be called.
    pub name: String,
    /// `None`: the setting's.
    pub key: Option<KeyAlgorithm>,
    /// Attributes that override those of ca.toml.
    pub subject: Vec<(AttributeType, String)>,
    /// What the key is encrypted with; `None`: it is not.
    pub passphrase: Option<Passphrase>,
}

/// A request that waits for its certificate.
#[derive(Debug)]
pub struct RequestedIntermediate {
    pub name: String,
    pub request: SigningRequest,
    pub path: PathBuf,
    pub key: PathBuf,
}

/// What comes back.
#[derive(Debug)]
pub struct IntermediateInstallOrder {
    pub name: String,
    pub certificate: Certificate,
    /// Those above it, in any order, as far as they are not ours.
    pub chain: Vec<Certificate>,
    /// How a root is to be called that is trusted from now on.
    pub add_root: Option<String>,
}

/// An authority that can issue.
#[derive(Debug)]
pub struct InstalledIntermediate {
    pub name: String,
    pub certificate: Certificate,
    /// Those above it, the next first, the root last.
    pub above: Vec<Certificate>,
    /// The name of the root that was added.
    pub added_root: Option<String>,
    /// It was all there already.
    pub unchanged: bool,
    /// What the rules have to say of its form.
    pub warnings: Vec<Finding>,
    pub path: PathBuf,
}

/// Why an authority was not asked for, or not installed.
#[derive(Debug, thiserror::Error)]
pub enum IntermediateError {
    #[error(transparent)]
    Certify(CertifyError),
    #[error("{0}")]
    BadRequest(String),
    #[error("there is an authority '{0}' already")]
    Taken(String),
    #[error("'{0}' is the name of a certificate already; a name belongs to one template")]
    NameOfCertificate(String),
    #[error("the authority '{name}' was requested already: {}", path.escaped())]
    Requested { name: String, path: PathBuf },
    #[error("no authority '{0}' was requested")]
    NotRequested(String),
    #[error("the certificate of '{subject}' is for another key than that of the authority '{name}'")]
    OtherKey { name: String, subject: String },
    #[error("the certificate of '{0}' is self-signed: it is a root, not an intermediate")]
    SelfIssued(String),
    #[error("the certificate of '{subject}' is valid from {} to {}, not now", rfc3339(*from), rfc3339(*to))]
    NotNow { subject: String, from: OffsetDateTime, to: OffsetDateTime },
    #[error(transparent)]
    NoPath(#[from] NoPathToRoot),
    #[error(transparent)]
    Unsound(#[from] UnsoundAuthority),
    #[error("the chain ends at '{subject}' (SHA-256 {}), which is not a root of this CA", text::hex(fingerprint))]
    UnknownRoot { subject: String, fingerprint: [u8; 32] },
    #[error("the root '{subject}' is one of this CA already: '{name}'")]
    KnownRoot { subject: String, name: String },
}

impl<E> From<E> for IntermediateError
where
    CertifyError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Certify(error.into())
    }
}

impl Diagnostic for IntermediateError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Certify(error) => error.diagnosis(),
            Self::BadRequest(_) => Diagnosis::refused("bad-request"),
            Self::Taken(_) | Self::NameOfCertificate(_) => Diagnosis::refused("exists").hint("choose another name"),
            Self::Requested { name, path } => Diagnosis::refused("exists")
                .hint(format!("let another CA sign {}", path.escaped()))
                .hint(format!("when its certificate is here: ca intermediate install {name} CERT")),
            Self::NotRequested(name) => {
                Diagnosis::usage("unknown-authority").hint(format!("to request it: ca intermediate request {name}"))
            }
            Self::OtherKey { .. } => Diagnosis::refused("key-mismatch"),
            Self::SelfIssued(_) => Diagnosis::refused("not-an-intermediate"),
            Self::NotNow { .. } => Diagnosis::refused("not-valid-now"),
            Self::NoPath(_) => {
                Diagnosis::refused("no-path-to-root").hint("give the certificates above it with --chain FILE")
            }
            Self::Unsound(unsound) => Diagnosis::refused("not-issued").hints(unsound.hint.clone()),
            Self::UnknownRoot { .. } => {
                Diagnosis::refused("unknown-root").hint("if clients of this CA should trust it: --add-root AUTHORITY")
            }
            Self::KnownRoot { .. } => Diagnosis::refused("exists").hint("leave out --add-root"),
        }
    }
}

/// Makes a key and a request for it, as one folder.
///
/// # Errors
/// When the name is taken, or the system refuses; nothing is left then.
pub fn request(
    store: &Store,
    order: &IntermediateRequestOrder,
    effects: &Effects<'_>,
) -> Result<RequestedIntermediate, IntermediateError> {
    let now = effects.now();
    let (home, config) = (store.home(), store.config());
    let name = order.name.as_str();
    check_authority_name(name)?;
    check_free(store, name)?;

    let mut profile = authority_profile(INTERMEDIATE, config)?;
    let algorithm = order.key.unwrap_or(config.intermediate.key);
    profile.keys = vec![algorithm];
    let key = PrivateKey::generate(algorithm)?;
    let mut subject_request = authority_request(&format!("{} {name}", config.name), &profile, config, &key)?;
    subject_request.subject.clone_from(&order.subject);
    // A request has only the subject and the CA bit of the draft: the signing CA decides the rest.
    let serial = draw_serial(profile.serial_bytes, effects.entropy)?;
    let draft = Draft::new(&profile, &subject_request, SignedBy::Itself(&key), now, serial)?;
    let draft = RequestDraft { subject: draft.subject, names: Vec::new(), authority: Some(draft.basic_constraints) };
    let request =
        issuance::sign_request(&draft, &key).map_err(|error| IntermediateError::BadRequest(error.to_string()))?;
    let change = PlannedChange::new(format!("make a key and a request for the authority '{name}'"));
    effects.approval.approve(change.fact("subject", &request.subject).fact("request", home.request(name).escaped()))?;
    // Slow on purpose when there is a passphrase, hence before the lock.
    let text = KeyText::new(&key, order.passphrase.as_ref(), files::SECRET, effects.entropy)?;

    let mut locked = store.lock(effects.lock_timeout)?;
    files::remove_stale(home.folder())?;
    check_free(store, name)?;
    let mut staged = StagedFolder::create(home.folder(), effects.entropy)?;
    text.stage(&mut staged, "".as_ref())?;
    let encoded = pem::encode("CERTIFICATE REQUEST", request.as_der());
    staged.add("request.pem", encoded.as_bytes(), files::PUBLIC)?;
    staged.sync()?;
    let mut transaction = locked.index()?.transaction(effects.event_context())?;
    transaction.record_event(EventKind::IntermediateRequest, name, None);
    transaction.commit()?;
    staged.publish_new(&home.authority(name))?;
    Ok(RequestedIntermediate { name: name.to_owned(), request, path: home.request(name), key: home.key(name) })
}

fn check_free(store: &Store, name: &str) -> Result<(), IntermediateError> {
    let home = store.home();
    if store.ca_certificates().is_pending(name) {
        return Err(IntermediateError::Requested { name: name.to_owned(), path: home.request(name) });
    }
    if home.authority(name).symlink_metadata().is_ok() {
        return Err(IntermediateError::Taken(name.to_owned()));
    }
    if store.index()?.history(name)?.iter().any(|entry| entry.template != INTERMEDIATE) {
        return Err(IntermediateError::NameOfCertificate(name.to_owned()));
    }
    Ok(())
}

/// Takes the certificate of an authority that was asked for, or the next one for its key: checked, recorded, put in place.
///
/// # Errors
/// When it is for another key, no CA's, does not lead to a root that is known or named, or the system refuses. The same
/// command completes what a failure left.
pub fn install(
    store: &Store,
    order: IntermediateInstallOrder,
    effects: &Effects<'_>,
) -> Result<InstalledIntermediate, IntermediateError> {
    let now = effects.now();
    let (home, authorities) = (store.home(), store.ca_certificates());
    let IntermediateInstallOrder { name, certificate, chain, add_root } = order;
    let subject = certificate.subject.to_string();
    if certificate.public_key != key_of(authorities, &name)? {
        return Err(IntermediateError::OtherKey { name, subject });
    }
    if certificate.is_self_issued() {
        return Err(IntermediateError::SelfIssued(subject));
    }
    if !certificate.validity.contains(now) {
        let (from, to) = (certificate.validity.not_before, certificate.validity.not_after);
        return Err(IntermediateError::NotNow { subject, from, to });
    }
    let above = above(authorities, &name, &certificate, chain)?;
    // Whether it may sign, and those above it may have signed a CA.
    let facts = CaCertificate::new(&name, certificate.clone(), above.clone())?;
    if let Some((issuer, over_it)) = above.split_first() {
        let issuer = CaCertificate::new(&issuer.subject.to_string(), issuer.clone(), over_it.to_vec())?;
        issuer.check_authority(now)?;
    }
    verify_authority(&facts, now)?;
    let new_root = root_to_add(authorities, &above, add_root)?;
    let mut warnings = lint::check(facts.certificate(), above.first(), lint::LintProfile::Rfc5280);
    warnings.extend(new_root.iter().flat_map(|root| lint::check(&root.certificate, None, lint::LintProfile::Rfc5280)));
    let change = PlannedChange::new(format!("install the certificate of '{name}'")).fact("subject", &subject);
    let change = change.fact("serial", &certificate.serial).fact("expires", rfc3339(certificate.validity.not_after));
    effects.approval.approve(change)?;

    let mut locked = store.lock(effects.lock_timeout)?;
    files::remove_stale(home.folder())?;
    files::remove_stale(&home.authority(&name))?;
    let index = locked.index()?;
    let signed_by = issuer_name(authorities, &above, new_root.as_ref())?;
    let (mut ids, mut is_new) = (Vec::new(), false);
    let mut transaction = index.transaction(effects.event_context())?;
    let rows = new_root.iter().map(|root| (&root.certificate, root.name.as_str(), ROOT, root.name.as_str()));
    for row in rows.chain([(&certificate, name.as_str(), INTERMEDIATE, signed_by.as_str())]) {
        let (id, is_recorded_now) = record_once(&mut transaction, row, now)?;
        ids.push(id);
        is_new |= is_recorded_now;
    }
    transaction.commit()?;

    let mut unchanged = !is_new && new_root.is_none();
    if let Some(root) = &new_root {
        publish_root(home, root, effects)?;
    }
    let below_root: Vec<Certificate> = above.iter().filter(|above| !above.is_self_issued()).cloned().collect();
    let chain_path = CHAIN.path_in(&home.authority(&name));
    let chain_there = crate::store::ca_certificates::read_certificates(&chain_path).unwrap_or_default();
    if chain_there != below_root || !chain_path.is_file() {
        delivery::replace_chain(home, &name, &below_root, effects.entropy)?;
        unchanged = false;
    }
    // Last: with it, the authority is there.
    if !authorities.exists(&name) || authorities.certificate(&name)? != certificate {
        delivery::replace_certificate(home, &name, &certificate, effects.entropy)?;
        unchanged = false;
    }
    for id in ids {
        index.mark_delivered(id, now)?;
    }
    let (added_root, path) = (new_root.map(|root| root.name), CERTIFICATE.path_in(&home.authority(&name)));
    Ok(InstalledIntermediate { name, certificate, above, added_root, unchanged, warnings, path })
}

/// The key that was made for an authority: as its request says, or the certificate that it has.
fn key_of(authorities: &CaCertificates, name: &str) -> Result<PublicKey, IntermediateError> {
    if authorities.is_pending(name) {
        let path = authorities.home().request(name);
        let content = files::read(&path, files::MAX_SMALL_FILE_BYTES)?;
        let damaged =
            |reason: String| IntermediateError::BadRequest(format!("{} cannot be used: {reason}", path.escaped()));
        let blocks = pem::parse_all(&content).map_err(|error| damaged(error.to_string()))?;
        let block = blocks.into_iter().next().ok_or_else(|| damaged("it is empty".to_owned()))?;
        let request = SigningRequest::from_der(&block.content).map_err(|error| damaged(error.to_string()))?;
        return Ok(request.public_key);
    }
    if authorities.exists(name) {
        return Ok(authorities.certificate(name)?.public_key);
    }
    Err(IntermediateError::NotRequested(name.to_owned()))
}

/// Returns the certificates above this one, up to a root. Those of this CA come before the supplied ones: the same root may
/// have been renewed since.
fn above(
    authorities: &CaCertificates,
    name: &str,
    certificate: &Certificate,
    chain: Vec<Certificate>,
) -> Result<Vec<Certificate>, IntermediateError> {
    let mut candidates = Vec::new();
    for other in authorities.names()?.into_iter().filter(|other| other != name) {
        candidates.push(authorities.certificate(&other)?);
    }
    candidates.extend(chain);
    Ok(path_to_root(certificate, candidates)?)
}

/// Returns the root of the chain when it is not a root of this CA. The caller must name it, since every client that takes the
/// bundle of this CA trusts it from then on.
fn root_to_add(
    authorities: &CaCertificates,
    above: &[Certificate],
    add_root: Option<String>,
) -> Result<Option<Root>, IntermediateError> {
    let Some(root) = above.last() else { return Ok(None) };
    let subject = root.subject.to_string();
    let known = authorities.roots()?.into_iter().find(|known| known.certificate == *root);
    if let (None, Some(name)) = (&known, &add_root) {
        check_authority_name(name)?;
    }
    match (known, add_root) {
        (None, None) => Err(IntermediateError::UnknownRoot { subject, fingerprint: root.fingerprint() }),
        (None, Some(name)) if authorities.home().authority(&name).symlink_metadata().is_ok() => {
            Err(IntermediateError::Taken(name))
        }
        (None, Some(name)) => {
            let path = CERTIFICATE.path_in(&authorities.home().authority(&name));
            Ok(Some(Root { name, path, certificate: root.clone() }))
        }
        // The same command again.
        (Some(known), Some(name)) if known.name != name => {
            Err(IntermediateError::KnownRoot { subject, name: known.name })
        }
        (Some(_), _) => Ok(None),
    }
}

/// The name of the authority that signed the certificate; of one that is not ours, of the root above it.
fn issuer_name(
    authorities: &CaCertificates,
    above: &[Certificate],
    new_root: Option<&Root>,
) -> Result<String, IntermediateError> {
    for wanted in above.first().into_iter().chain(above.last()) {
        for name in authorities.names()? {
            if authorities.certificate(&name)? == *wanted {
                return Ok(name);
            }
        }
    }
    Ok(new_root.map_or_else(|| ROOT.to_owned(), |root| root.name.clone()))
}

/// Records a certificate unless the index has it. Returns its row, and whether it is new.
fn record_once(
    transaction: &mut Transaction<'_>,
    (certificate, name, template, authority): (&Certificate, &str, &str, &str),
    now: OffsetDateTime,
) -> Result<(EntryId, bool), IntermediateError> {
    let known = transaction.by_serial(&certificate.serial)?;
    if let Some(entry) = known.into_iter().find(|entry| entry.fingerprint == certificate.fingerprint()) {
        return Ok((entry.id, false));
    }
    let (origin, event) = (Origin::Adopted, EventKind::IntermediateInstall);
    let record_as = RecordAs { origin, event, ..RecordAs::issued(name, template, authority) };
    Ok((record(transaction, record_as, certificate, now)?, true))
}

fn publish_root(home: &Home, root: &Root, effects: &Effects<'_>) -> Result<(), IntermediateError> {
    let mut staged = StagedFolder::create(home.folder(), effects.entropy)?;
    Files::new(&root.certificate, &[]).stage(&mut staged, "".as_ref(), false)?;
    staged.sync()?;
    Ok(staged.publish_new(&home.authority(&root.name))?)
}

#[cfg(test)]
mod tests;
