//! `init`: a new CA, all of it or nothing.
//!
//! Everything is written into a staging folder inside the new CA directory, under its lock, and then put into place piece by
//! piece, `ca.toml` last: a folder with a `ca.toml` is a CA directory, and a folder without one is not. The staging folder
//! keeps its files until then, as second names: so the next run can take back what a killed run put into place, and nothing
//! else. No file in a staging folder is asked what to remove.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::authority::certify::{Certified, RecordAs, certify, certify_itself, commit_signed, record};
use crate::authority::error::CertifyError;
use crate::authority::hierarchy::ca_profile::{INTERMEDIATE, authority_profile, authority_request};
use crate::authority::hierarchy::earlier_certificates::{self, EarlierCertificate};
use crate::authority::hierarchy::earlier_revocations::EarlierRevocations;
use crate::authority::hierarchy::import::{self, ImportError, ImportedCa};
use crate::authority::hierarchy::new_authority::NewAuthority;
use crate::authority::serial::draw_serial;
use crate::clients::Fact;
use crate::issuance::{CaCertificate, Draft, Issuer, SignedBy};
use crate::keys::{Passphrase, PrivateKey};
use crate::lint::Finding;
use crate::store::approval::PlannedChange;
use crate::store::ca_certificates::ROOT;
use crate::store::config::Config;
use crate::store::delivery::{Files, KeyText};
use crate::store::effects::Effects;
use crate::store::entry_name::check_authority_name;
use crate::store::gitignore::GITIGNORE;
use crate::store::home::Home;
use crate::store::index::location::IndexLocation;
use crate::store::index::{EventContext, EventKind, Index, Origin};
use crate::store::trusted_directory::{self, DistrustReason};
use crate::system::files::{self, StagedFolder};
use crate::text::{Diagnosis, Diagnostic, PathText, rfc3339};
use crate::x509::Certificate;

/// What is ordered.
pub struct InitOrder {
    pub config: Config,
    /// The name of an issuing CA to make below the root.
    pub intermediate: Option<String>,
    /// What the keys are encrypted with; `None`: they are not.
    pub passphrase: Option<Passphrase>,
    /// Take over a CA of another tool instead of making a root.
    pub imported: Option<ImportedCa>,
    /// Labels and values that the certificates do not show.
    pub facts: Vec<(&'static str, String)>,
    /// What the user should know before the CA is made.
    pub notes: Vec<String>,
    /// True when a user at a terminal confirms the CA.
    pub confirm: bool,
}

/// Why no CA was made.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    #[error(transparent)]
    Certify(CertifyError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error("there is a CA in {} already", .0.escaped())]
    Exists(PathBuf),
    #[error(transparent)]
    NotTrusted(DistrustReason),
    #[error("{} is in the way of a new CA", .0.escaped())]
    InTheWay(PathBuf),
    #[error("the index cannot be made at {}: that is another file system than the CA directory's", .0.escaped())]
    IndexAcross(PathBuf),
    #[error("'{0}' is the name of another authority of this CA already")]
    AuthorityTaken(String),
    #[error("there is no key to sign an intermediate with")]
    NoKey,
}

impl<E> From<E> for InitError
where
    CertifyError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Certify(error.into())
    }
}

impl Diagnostic for InitError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Certify(error) => error.diagnosis(),
            Self::Import(error) => error.diagnosis(),
            Self::Exists(folder) => Diagnosis::refused("exists")
                .hint(format!("to use it: ca --dir {} list", folder.in_shell()))
                .hint("for another CA, name another folder with --dir"),
            Self::NotTrusted(reason) => reason.diagnosis().hint("or name another folder with --dir"),
            Self::InTheWay(_) => Diagnosis::refused("exists").hint("move it away, or name another folder with --dir"),
            Self::IndexAcross(_) => Diagnosis::refused("file-error")
                .hint("make the CA without [index] location; then move index.db there, and name its place in ca.toml"),
            Self::AuthorityTaken(_) => Diagnosis::usage("bad-name"),
            Self::NoKey => Diagnosis::refused("not-adopted"),
        }
    }
}

/// What was made.
#[derive(Debug)]
pub struct InitializedCa {
    pub folder: PathBuf,
    /// The root first.
    pub authorities: Vec<InitializedAuthority>,
    pub encrypted: bool,
    /// True when the folder had a `.gitignore` of the user already.
    pub has_other_gitignore: bool,
    /// What the lint rules report that is not an error.
    pub warnings: Vec<Finding>,
    /// The facts that the new CA certificates add to the chains of TLS servers. Clients may refuse them because of these.
    pub client_facts: Vec<Fact>,
    /// What an imported CA revoked before; `None` for a CA that was not imported.
    pub earlier: Option<EarlierRevocations>,
}

#[derive(Debug)]
pub struct InitializedAuthority {
    pub name: String,
    pub certificate: Certificate,
    pub folder: PathBuf,
    pub has_key: bool,
}

/// The pieces of a CA directory, in the order in which they are put into place.
const PIECES: [&str; 6] = [IGNORE, "templates", "issued", "authorities", INDEX, CONFIG];
const IGNORE: &str = ".gitignore";
const INDEX: &str = "index.db";
const CONFIG: &str = "ca.toml";

/// Where a piece belongs: under its own name, but for the index, which may be elsewhere.
fn place_of(piece: &str, home: &Home, config: &Config) -> PathBuf {
    match piece {
        // `ca index copy` moves an index into a server.
        INDEX => home.resolve(&config.index.location),
        piece => home.folder().join(piece),
    }
}

/// Checks that a CA can be made here: there is none, and no other user owns or can change the folder, or that of the index.
///
/// # Errors
/// When a CA must not be made here.
pub fn check_folder(home: &Home, config: &Config) -> Result<(), InitError> {
    if home.exists() {
        return Err(InitError::Exists(home.folder().to_owned()));
    }
    trusted_directory::check_new(home.folder()).map_err(InitError::NotTrusted)?;
    if let Some(folder) = place_of(INDEX, home, config).parent() {
        trusted_directory::check_new(folder).map_err(InitError::NotTrusted)?;
    }
    Ok(())
}

/// Makes a CA.
///
/// # Errors
/// When there is one already, the folder is not the user's, something else is in the way, or something fails; nothing is
/// left then.
pub fn init(home: &Home, order: InitOrder, effects: &Effects<'_>) -> Result<InitializedCa, InitError> {
    // Before the work, and once more under the lock.
    check_folder(home, &order.config)?;
    let now = effects.now();
    let mut config = order.config;
    let (mut earlier, mut certificates) = (None, Vec::new());
    let (mut authorities, mut warnings, mut client_facts) = match order.imported {
        Some(mut imported) => {
            let files = std::mem::take(&mut imported.earlier);
            certificates = std::mem::take(&mut imported.certificates);
            let made = import::import(imported, now)?;
            if let Some(ca) = made.0.last() {
                let read = EarlierRevocations::read(files, &ca.certificate).map_err(ImportError::from)?;
                earlier = Some((ca.name.clone(), read));
            }
            (made.0, made.1, Vec::new())
        }
        None => {
            let (root, certified) = make_root(&config, now, effects)?;
            (vec![root], certified.warnings, certified.client_facts)
        }
    };
    if let Some(name) = order.intermediate {
        check_authority_name(&name)?;
        if authorities.iter().any(|authority| authority.name == name) {
            return Err(InitError::AuthorityTaken(name));
        }
        let (intermediate, certified) = make_intermediate(&name, &authorities, &config, now, effects)?;
        authorities.push(intermediate);
        warnings.extend(certified.warnings);
        client_facts.extend(certified.client_facts);
        config.issue.issuer = name;
    }
    let mut change = PlannedChange::new(format!("make a CA in {}", home.folder().escaped()));
    for authority in &authorities {
        let expires = rfc3339(authority.certificate.validity.not_after);
        change = change.fact("authority", &authority.name).fact("subject", &authority.certificate.subject);
        change = change.fact("expires", expires).fact("key type", authority.certificate.public_key.kind());
    }
    change = order.facts.into_iter().fold(change, |change, (label, value)| change.fact(label, value));
    change = order.notes.into_iter().fold(change, PlannedChange::note);
    change = if order.confirm { change.confirmed() } else { change };
    effects.approval.approve(change)?;
    // Slow on purpose when there is a passphrase, hence before the lock.
    let key_texts = authorities
        .iter()
        .map(|authority| {
            authority
                .key
                .as_ref()
                .map(|key| KeyText::new(key, order.passphrase.as_ref(), files::SECRET, effects.entropy))
                .transpose()
        })
        .collect::<Result<Vec<_>, _>>()?;

    let is_ours = !home.folder().exists();
    files::create_folders(home.folder(), files::FOLDER)?;
    let before = Before { earlier: earlier.as_ref(), certificates: &certificates };
    let written = write(home, &config, (&authorities, before), key_texts, effects);
    if written.is_err() && is_ours {
        files::remove_if_empty(home.folder());
    }
    written?;

    let made = authorities.into_iter().map(|authority| InitializedAuthority {
        folder: home.authority(&authority.name),
        name: authority.name,
        certificate: authority.certificate,
        has_key: authority.key.is_some(),
    });
    Ok(InitializedCa {
        folder: home.folder().to_owned(),
        authorities: made.collect(),
        encrypted: order.passphrase.is_some(),
        has_other_gitignore: files::read(&home.folder().join(IGNORE), files::MAX_SMALL_FILE_BYTES)
            .is_ok_and(|content| content != GITIGNORE.as_bytes()),
        warnings,
        client_facts,
        earlier: earlier.map(|(_, earlier)| earlier),
    })
}

fn make_root(
    config: &Config,
    now: OffsetDateTime,
    effects: &Effects<'_>,
) -> Result<(NewAuthority, Certified), InitError> {
    let profile = authority_profile(ROOT, config)?;
    let key = PrivateKey::generate(config.root.key)?;
    let request = authority_request(&config.name, &profile, config, &key)?;
    let serial = draw_serial(profile.serial_bytes, effects.entropy)?;
    let draft = Draft::new(&profile, &request, SignedBy::Itself(&key), now, serial)?;
    let certified = certify_itself(draft, &key, now)?;
    let root = NewAuthority {
        name: ROOT.to_owned(),
        template: ROOT.to_owned(),
        issued_by: ROOT.to_owned(),
        certificate: certified.certificate.clone(),
        chain: Vec::new(),
        key: Some(key),
        origin: Origin::Issued,
    };
    Ok((root, certified))
}

fn make_intermediate(
    name: &str,
    authorities: &[NewAuthority],
    config: &Config,
    now: OffsetDateTime,
    effects: &Effects<'_>,
) -> Result<(NewAuthority, Certified), InitError> {
    let profile = authority_profile(INTERMEDIATE, config)?;
    let Some((issuer, signer)) =
        authorities.iter().rev().find_map(|authority| Some((authority, authority.key.as_ref()?)))
    else {
        return Err(InitError::NoKey);
    };
    let above = authorities.iter().filter(|other| other.name != issuer.name).map(|other| other.certificate.clone());
    let signing = Issuer::new(CaCertificate::new(&issuer.name, issuer.certificate.clone(), above.collect())?, signer)?;
    let key = PrivateKey::generate(config.intermediate.key)?;
    let common_name = format!("{} {name}", config.name);
    let request = authority_request(&common_name, &profile, config, &key)?;
    let serial = draw_serial(profile.serial_bytes, effects.entropy)?;
    let draft = Draft::new(&profile, &request, SignedBy::Issuer(signing.ca_certificate()), now, serial)?;
    let certified = certify(draft, &signing, now)?;
    let is_below_root = !issuer.certificate.is_self_issued();
    let chain =
        is_below_root.then(|| issuer.certificate.clone()).into_iter().chain(issuer.chain.iter().cloned()).collect();
    let intermediate = NewAuthority {
        name: name.to_owned(),
        template: INTERMEDIATE.to_owned(),
        issued_by: issuer.name.clone(),
        certificate: certified.certificate.clone(),
        chain,
        key: Some(key),
        origin: Origin::Issued,
    };
    Ok((intermediate, certified))
}

/// What an imported CA did before.
#[derive(Clone, Copy)]
struct Before<'a> {
    /// What it revoked, with the name of its authority.
    earlier: Option<&'a (String, EarlierRevocations)>,
    /// What it issued.
    certificates: &'a [EarlierCertificate],
}

fn write(
    home: &Home,
    config: &Config,
    (authorities, before): (&[NewAuthority], Before<'_>),
    key_texts: Vec<Option<KeyText>>,
    effects: &Effects<'_>,
) -> Result<(), InitError> {
    let _lock = IndexLocation::lock_to_make(home, effects.lock_timeout)?;
    check_folder(home, config)?;
    remove_interrupted(home, config)?;
    let is_there = |piece: &&str| place_of(piece, home, config).symlink_metadata().is_ok();
    // A `.gitignore` of the user stays as it is.
    let pieces: Vec<&str> = PIECES.into_iter().filter(|piece| *piece != IGNORE || !is_there(piece)).collect();
    if let Some(piece) = pieces.iter().find(|piece| is_there(piece)) {
        return Err(InitError::InTheWay(place_of(piece, home, config)));
    }
    let index = place_of(INDEX, home, config);
    let beside_index = index.parent().filter(|parent| *parent != home.folder());
    if let Some(folder) = beside_index {
        files::create_folders(folder, files::FOLDER)?;
    }

    let mut staged = StagedFolder::create(home.folder(), effects.entropy)?;
    staged.add(IGNORE, GITIGNORE.as_bytes(), files::PUBLIC)?;
    for folder in ["templates", "issued", "authorities"] {
        staged.add_folder(folder)?;
    }
    for (authority, key) in authorities.iter().zip(key_texts) {
        let folder = Path::new("authorities").join(&authority.name);
        staged.add_folder(&folder)?;
        if let Some(key) = key {
            key.stage(&mut staged, &folder)?;
        }
        Files::new(&authority.certificate, &authority.chain).stage(&mut staged, &folder, false)?;
        let crl =
            before.earlier.filter(|(name, _)| *name == authority.name).and_then(|(_, earlier)| earlier.latest_crl());
        if let Some((der, text)) = crl {
            staged.add(folder.join("crl.der"), der, files::PUBLIC)?;
            staged.add(folder.join("crl.pem"), text.as_bytes(), files::PUBLIC)?;
        }
    }
    earlier_certificates::stage(before.certificates, authorities, &mut staged, effects.entropy)?;
    write_index(&staged.path().join(INDEX), authorities, before, effects.event_context())?;
    staged.adopt(INDEX);
    staged.add(CONFIG, config.to_toml().as_bytes(), files::PUBLIC)?;
    staged.sync()?;

    // The staging folder is durable before its first file gets a second name, and every other piece in its place before
    // ca.toml: after a power cut, as after a kill, the next run can see that a piece in place is from this run.
    let placed = files::sync_folder(home.folder()).and_then(|()| {
        pieces.iter().try_for_each(|piece| {
            if *piece == CONFIG {
                beside_index.into_iter().chain([home.folder()]).try_for_each(files::sync_folder)?;
            }
            files::put_also(&staged.path().join(piece), &place_of(piece, home, config), effects.entropy)
        })?;
        files::sync_folder(home.folder())
    });
    if placed.is_err() {
        take_back(home, config, staged.path());
        beside_index.into_iter().for_each(files::remove_if_empty);
    }
    placed.map_err(|error| match error.is_across_file_systems() {
        true => InitError::IndexAcross(index),
        false => error.into(),
    })
}

/// Takes the pieces that are in place out of it again, `ca.toml` first: a run that dies now leaves what
/// [`remove_interrupted`] understands. Only what is also in the staging folder is removed.
fn take_back(home: &Home, config: &Config, staged: &Path) {
    for piece in PIECES.iter().rev() {
        let place = place_of(piece, home, config);
        if files::is_copy(&place, &staged.join(piece)) {
            // Nothing more can be done about a disk that refuses this, too; the error that is reported came before.
            drop(files::remove(&place));
        }
    }
}

/// Takes back what a run put into place that died before `ca.toml` was there, and removes its staging folder. A piece is from
/// that run when everything in it is in the staging folder too; when another piece is not, nothing is taken back, and it is
/// in the way. The index is looked for where this run puts its own.
fn remove_interrupted(home: &Home, config: &Config) -> Result<(), InitError> {
    for staged in files::stale_folders(home.folder())? {
        // It was written last: without it, nothing was put into place.
        if !staged.join(CONFIG).is_file() {
            continue;
        }
        let is_from_there = |piece: &&str| {
            let place = place_of(piece, home, config);
            place.symlink_metadata().is_err() || files::is_copy(&place, &staged.join(piece))
        };
        if PIECES.iter().filter(|piece| **piece != IGNORE).all(is_from_there) {
            take_back(home, config, &staged);
        }
    }
    Ok(files::remove_stale(home.folder())?)
}

fn write_index(
    path: &Path,
    authorities: &[NewAuthority],
    before: Before<'_>,
    context: EventContext,
) -> Result<(), InitError> {
    let mut index = Index::create(path)?;
    let now = context.at;
    let mut transaction = index.transaction(context)?;
    for authority in authorities {
        let NewAuthority { name, template, issued_by, origin, .. } = authority;
        let event = if *origin == Origin::Issued { EventKind::Init } else { EventKind::Import };
        let issued = RecordAs::issued(name, template, issued_by);
        let record_as = RecordAs { origin: *origin, is_delivered: true, event, ..issued };
        record(&mut transaction, record_as, &authority.certificate, now)?;
    }
    earlier_certificates::record(before.certificates, &mut transaction, now)?;
    // At last: the head of the log is signed after the event of a CRL.
    if let Some((name, earlier)) = before.earlier
        && let Some(ca) = authorities.iter().find(|authority| authority.name == *name)
    {
        earlier.record(&mut transaction, name, &ca.certificate)?;
    }
    // An imported certificate may be one with which nothing is signed here.
    let issuer = authorities.iter().find_map(|authority| {
        let NewAuthority { name, certificate, chain, key, .. } = authority;
        Issuer::new(CaCertificate::new(name, certificate.clone(), chain.clone()).ok()?, key.as_ref()?).ok()
    });
    match issuer {
        Some(issuer) => commit_signed(transaction, &issuer)?,
        None => transaction.commit()?,
    }
    Ok(index.close_folded()?)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_what_is_a_copy_of_the_staged_piece_is_taken_back() {
        let top = tempfile::tempdir().unwrap();
        let (home, staged) = (Home::at(top.path().join("ca")), top.path().join("staged"));
        for (folder, config) in [(home.folder(), "of the user"), (staged.as_path(), "of the run")] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join(CONFIG), config).unwrap();
            fs::write(folder.join(IGNORE), GITIGNORE).unwrap();
        }
        take_back(&home, &Config::default(), &staged);
        assert_eq!(fs::read(home.folder().join(CONFIG)).unwrap(), b"of the user");
        assert!(!home.folder().join(IGNORE).exists());
    }
}
