//! `init`: a new CA, all of it or nothing.
//!
//! Everything is made in a folder nobody looks at, inside the new CA directory and under its lock, and then moved into
//! place piece by piece, `ca.toml` last: a folder is a CA directory when that is in it, and not before.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::authority::error::AuthorityError;
use crate::authority::hierarchy::import;
use crate::authority::hierarchy::import::Adoption;
use crate::authority::issuer_chain::judged;
use crate::authority::leaf::issue::{draw_serial, is_authority_name, key_text};
use crate::issuance::{self, CaCertificate, CertificateRequest, Draft, End, Profile, SignedBy};
use crate::keys::{Passphrase, PrivateKey, Signer};
use crate::lint::Finding;
use crate::store::ca_certificates::ROOT;
use crate::store::config::Config;
use crate::store::delivery::{Files, KeyText};
use crate::store::effects::Tools;
use crate::store::entry_name::EntryName;
use crate::store::home::Home;
use crate::store::index::{Index, NewEntry, Origin};
use crate::store::templates;
use crate::system::files::{self, FolderLock, StagedFolder};
use crate::x509::Certificate;

/// What is ordered.
pub struct Order {
    pub config: Config,
    /// The name of an issuing CA to make below the root.
    pub intermediate: Option<String>,
    /// What the keys are encrypted with; `None`: they are not.
    pub passphrase: Option<Passphrase>,
    /// Take over a CA of another tool instead of making a root.
    pub adoption: Option<Adoption>,
}

/// An authority on its way into a new CA.
pub struct NewAuthority {
    pub name: String,
    pub template: String,
    /// The name of its own issuer.
    pub issued_by: String,
    pub certificate: Certificate,
    /// What stands between it and the root.
    pub chain: Vec<Certificate>,
    /// `None`: the key is elsewhere.
    pub key: Option<PrivateKey>,
    pub origin: Origin,
}

/// What was made.
#[derive(Debug)]
pub struct Made {
    pub folder: PathBuf,
    /// The root first.
    pub authorities: Vec<MadeAuthority>,
    pub encrypted: bool,
    /// What the rules had to say that is no error.
    pub warnings: Vec<Finding>,
}

#[derive(Debug)]
pub struct MadeAuthority {
    pub name: String,
    pub certificate: Certificate,
    pub folder: PathBuf,
    pub has_key: bool,
}

/// The pieces of a CA directory, in the order in which they are moved into place.
const PIECES: [&str; 5] = ["templates", "issued", "authorities", INDEX, CONFIG];
const INDEX: &str = "index.db";
const CONFIG: &str = "ca.toml";

/// Where a piece belongs: under its own name, but for the index, which may be elsewhere.
fn place_of(piece: &str, home: &Home, config: &Config) -> PathBuf {
    match piece {
        INDEX => home.resolve(&config.index.location),
        piece => home.folder().join(piece),
    }
}

/// Makes a CA.
///
/// # Errors
/// When there is one already, or something else is in the way, or something fails; nothing is left then.
pub fn init(home: &Home, order: Order, tools: &Tools<'_>) -> Result<Made, AuthorityError> {
    // Before the work, and once more under the lock.
    if home.exists() {
        return Err(AuthorityError::Exists(home.folder().to_owned()));
    }
    let now = crate::text::whole_second(tools.clock.now());
    let mut config = order.config;
    let (mut authorities, mut warnings) = match order.adoption {
        Some(adoption) => import::adopt(adoption, now)?,
        None => make_root(&config, now, tools)?,
    };
    if let Some(name) = order.intermediate {
        if !is_authority_name(&name) {
            return Err(AuthorityError::AuthorityName(name));
        }
        if authorities.iter().any(|authority| authority.name == name) {
            return Err(AuthorityError::AuthorityTaken(name));
        }
        let (intermediate, more) = make_intermediate(&name, &authorities, &config, now, tools)?;
        authorities.push(intermediate);
        warnings.extend(more);
        config.issue.issuer = name;
    }
    // Slow on purpose when there is a passphrase, hence before the lock.
    let key_texts = authorities
        .iter()
        .map(|authority| {
            authority.key.as_ref().map(|key| key_text(key, order.passphrase.as_ref(), tools.entropy)).transpose()
        })
        .collect::<Result<Vec<_>, _>>()?;

    let is_ours = !home.folder().exists();
    files::create_folders(home.folder(), files::FOLDER)?;
    let written = write(home, &config, &authorities, key_texts, now, tools);
    if written.is_err() && is_ours {
        files::remove_if_empty(home.folder());
    }
    written?;

    let made = authorities.into_iter().map(|authority| MadeAuthority {
        folder: home.authority(&authority.name),
        name: authority.name,
        certificate: authority.certificate,
        has_key: authority.key.is_some(),
    });
    Ok(Made {
        folder: home.folder().to_owned(),
        authorities: made.collect(),
        encrypted: order.passphrase.is_some(),
        warnings,
    })
}

fn make_root(
    config: &Config,
    now: OffsetDateTime,
    tools: &Tools<'_>,
) -> Result<(Vec<NewAuthority>, Vec<Finding>), AuthorityError> {
    let profile = authority_profile(ROOT, config)?;
    let key = PrivateKey::generate(config.root.key)?;
    let request = authority_request(&config.name, &profile, config, &key)?;
    let serial = draw_serial(profile.serial_octets, tools.entropy)?;
    let mut approved = issuance::approve(Draft::new(&profile, &request, SignedBy::Itself(&key), now, serial)?, None)?;
    let warnings = std::mem::take(&mut approved.warnings);
    let certificate = issuance::sign(approved, &key)?.checked()?;
    let root = NewAuthority {
        name: ROOT.to_owned(),
        template: ROOT.to_owned(),
        issued_by: ROOT.to_owned(),
        certificate,
        chain: Vec::new(),
        key: Some(key),
        origin: Origin::Issued,
    };
    Ok((vec![root], warnings))
}

fn make_intermediate(
    name: &str,
    authorities: &[NewAuthority],
    config: &Config,
    now: OffsetDateTime,
    tools: &Tools<'_>,
) -> Result<(NewAuthority, Vec<Finding>), AuthorityError> {
    let profile = authority_profile("intermediate", config)?;
    let Some((issuer, signer)) =
        authorities.iter().rev().find_map(|authority| Some((authority, authority.key.as_ref()?)))
    else {
        return Err(AuthorityError::Adoption("there is no key to sign an intermediate with".to_owned()));
    };
    let above = authorities.iter().filter(|other| other.name != issuer.name).map(|other| other.certificate.clone());
    let facts = CaCertificate::new(&issuer.name, issuer.certificate.clone(), above.collect())?;
    let key = PrivateKey::generate(config.intermediate.key)?;
    let common_name = format!("{} {name}", config.name);
    let request = authority_request(&common_name, &profile, config, &key)?;
    let serial = draw_serial(profile.serial_octets, tools.entropy)?;
    let mut approved =
        issuance::approve(Draft::new(&profile, &request, SignedBy::Issuer(&facts), now, serial)?, Some(&facts))?;
    let warnings = std::mem::take(&mut approved.warnings);
    let certificate = judged(issuance::sign(approved, signer)?, &facts, now)?;
    let is_below_root = !issuer.certificate.is_self_issued();
    let chain =
        is_below_root.then(|| issuer.certificate.clone()).into_iter().chain(issuer.chain.iter().cloned()).collect();
    let intermediate = NewAuthority {
        name: name.to_owned(),
        template: "intermediate".to_owned(),
        issued_by: issuer.name.clone(),
        certificate,
        chain,
        key: Some(key),
        origin: Origin::Issued,
    };
    Ok((intermediate, warnings))
}

/// The built-in template with what ca.toml says of this authority.
pub(crate) fn authority_profile(template: &str, config: &Config) -> Result<Profile, AuthorityError> {
    let Some(built_in) = templates::built_in(template) else {
        return Err(
            templates::TemplateError::Unknown { name: template.to_owned(), nearest: None, known: Vec::new() }.into()
        );
    };
    let mut profile = built_in.profile()?;
    let settings = if template == ROOT { &config.root } else { &config.intermediate };
    profile.keys = vec![settings.key];
    profile.lifetime = settings.lifetime;
    profile.longest = profile.longest.max(settings.lifetime);
    if let Some(rules) = &mut profile.authority {
        rules.constraints = settings.constraints.clone();
    }
    if template == ROOT {
        templates::complete_subject(&mut profile, config);
        // A root is in no CRL: nobody but itself could revoke it.
        profile.distribution.crl.clear();
    } else {
        templates::complete(&mut profile, config);
    }
    Ok(profile)
}

/// The wish for an authority. `common_name` is free text: it becomes no folder.
pub(crate) fn authority_request(
    common_name: &str,
    profile: &Profile,
    config: &Config,
    key: &PrivateKey,
) -> Result<CertificateRequest, AuthorityError> {
    let entry: EntryName = profile.name.parse()?;
    let mut values = templates::values(&entry, config);
    values.0.insert("name".to_owned(), common_name.to_owned());
    values.0.insert(templates::ISSUER.to_owned(), ROOT.to_owned());
    Ok(CertificateRequest {
        name: common_name.to_owned(),
        names: Vec::new(),
        public_key: key.public_key().clone(),
        end: End::Default,
        // An intermediate whose usual life is longer than its root's ends with the root.
        clip: true,
        subject: Vec::new(),
        values,
    })
}

fn write(
    home: &Home,
    config: &Config,
    authorities: &[NewAuthority],
    key_texts: Vec<Option<Zeroizing<String>>>,
    now: OffsetDateTime,
    tools: &Tools<'_>,
) -> Result<(), AuthorityError> {
    let _lock = FolderLock::acquire(home.folder(), tools.lock_timeout)?;
    if home.exists() {
        return Err(AuthorityError::Exists(home.folder().to_owned()));
    }
    remove_interrupted(home)?;
    let places = PIECES.map(|piece| place_of(piece, home, config));
    if let Some(place) = places.iter().find(|path| path.symlink_metadata().is_ok()) {
        return Err(AuthorityError::InTheWay(place.clone()));
    }
    let index = place_of(INDEX, home, config);
    let beside_index = index.parent().filter(|parent| *parent != home.folder());
    if let Some(folder) = beside_index {
        files::create_folders(folder, files::FOLDER)?;
    }

    let mut staged = StagedFolder::create(home.folder(), tools.entropy)?;
    for folder in ["templates", "issued", "authorities"] {
        staged.add_folder(folder)?;
    }
    for (authority, key) in authorities.iter().zip(key_texts) {
        let folder = Path::new("authorities").join(&authority.name);
        staged.add_folder(&folder)?;
        if let Some(text) = key {
            KeyText { text, mode: files::SECRET }.stage(&mut staged, &folder)?;
        }
        Files::new(&authority.certificate, &authority.chain).stage(&mut staged, &folder, false)?;
    }
    write_index(&staged.path().join(INDEX), authorities, now)?;
    staged.adopt(INDEX);
    // Last: where it is, the index was, and is in its place if it is here no more.
    staged.add(CONFIG, config.to_toml().as_bytes(), files::PUBLIC)?;
    staged.sync()?;

    // The folder under construction is durable before the first piece leaves it, and every other piece in place before
    // ca.toml: after a power cut, as after a kill, each piece that stands outside can be told to be this run's.
    let moved = files::sync_folder(home.folder()).and_then(|()| {
        PIECES.iter().try_for_each(|piece| {
            if *piece == CONFIG {
                beside_index.into_iter().chain([home.folder()]).try_for_each(files::sync_folder)?;
            }
            files::move_new(&staged.path().join(piece), &place_of(piece, home, config))
        })?;
        files::sync_folder(home.folder())
    });
    if moved.is_err() {
        move_back(home, config, staged.path());
        beside_index.into_iter().for_each(files::remove_if_empty);
    }
    moved.map_err(|error| match error.is_across_file_systems() {
        true => AuthorityError::IndexAcross(index),
        false => error.into(),
    })
}

/// Takes the pieces that are in place out of it again, `ca.toml` first: a run that dies now leaves what
/// [`remove_interrupted`] understands.
fn move_back(home: &Home, config: &Config, staged: &Path) {
    for piece in PIECES.iter().rev().filter(|piece| !staged.join(piece).exists()) {
        let in_place = place_of(piece, home, config);
        if files::move_new(&in_place, &staged.join(piece)).is_err() {
            // Nothing more can be done about a disk that refuses this, too; the error that is reported came before.
            drop(files::remove(&in_place));
        }
    }
}

/// What a run left that died while it moved the pieces: its folder under construction still has the `ca.toml`, which is
/// moved last, so that every piece in place is that run's. Its folder goes last, or the next run could not know.
fn remove_interrupted(home: &Home) -> Result<(), AuthorityError> {
    for name in files::names_in(home.folder())?.iter().filter(|name| name.starts_with(files::staged::PREFIX)) {
        let staged = home.folder().join(name);
        // What that run was told, which need not be what this one is told. What the power cut left unreadable was not
        // durable yet, and then no piece had left.
        if staged.join(CONFIG).is_file()
            && let Ok(config) = Config::load(&Home::at(staged.clone()))
        {
            for piece in PIECES.iter().filter(|piece| !staged.join(piece).exists()) {
                files::remove(&place_of(piece, home, &config))?;
            }
        }
        files::remove(&staged)?;
    }
    Ok(())
}

fn write_index(path: &Path, authorities: &[NewAuthority], now: OffsetDateTime) -> Result<(), AuthorityError> {
    let mut index = Index::create(path)?;
    let mut change = index.change()?;
    for authority in authorities {
        change.insert(&NewEntry {
            certificate: &authority.certificate,
            name: &authority.name,
            template: &authority.template,
            authority: &authority.issued_by,
            issued_at: now,
            origin: authority.origin,
            place: None,
            delivered_at: Some(now),
        })?;
    }
    change.commit()?;
    Ok(index.close_folded()?)
}
