//! Finds the trust stores of this machine.

use std::path::{Path, PathBuf};

use super::anchors::LAYOUTS;
use super::keychain;
use super::plan::Tool;
use super::programs::Programs;
use super::store::{StoreName, StorePlace, TrustStore};
use crate::app::context::Context;
use crate::report::failure::Failure;
use crate::system::files;
use crate::text::PathText;

/// Which stores are meant.
#[derive(Debug, Default)]
pub struct StoreSelection {
    /// The stores by name; empty for every store that is found.
    pub names: Vec<StoreName>,
    /// The folder below which the system store is, instead of `/`.
    pub system_folder: Option<PathBuf>,
    /// NSS databases, instead of those that are found.
    pub nss_databases: Vec<PathBuf>,
    /// A Java key store, instead of that of the JDK.
    pub java_keystore: Option<PathBuf>,
    /// The passphrase of the Java key store; `None` for the usual one of a JDK.
    pub java_passphrase: Option<zeroize::Zeroizing<String>>,
}

/// The folders below the home folder with the NSS database of Chromium.
const CHROMIUM: [&str; 3] = [".pki/nssdb", ".local/share/pki/nssdb", "snap/chromium/current/.pki/nssdb"];

/// The folders below the home folder with Firefox profiles.
const FIREFOX: [&str; 5] = [
    ".mozilla/firefox",
    ".config/mozilla/firefox",
    "snap/firefox/common/.mozilla/firefox",
    ".var/app/org.mozilla.firefox/.mozilla/firefox",
    "Library/Application Support/Firefox/Profiles",
];

/// The file of an NSS database.
const DATABASE: &str = "cert9.db";

/// Returns the stores that are meant: those that are named, or every one that is found. A path that is given names its store
/// too.
///
/// # Errors
/// When there is none, or a named one is not there.
pub fn stores(
    selection: &StoreSelection,
    programs: &Programs<'_>,
    context: &Context<'_>,
) -> Result<Vec<TrustStore>, Failure> {
    let mut names = selection.names.clone();
    let given = [
        (StoreName::System, selection.system_folder.is_some()),
        (StoreName::Nss, !selection.nss_databases.is_empty()),
        (StoreName::Java, selection.java_keystore.is_some()),
    ];
    for (name, is_given) in given {
        if is_given && !names.contains(&name) {
            names.push(name);
        }
    }
    let (is_named, wanted) = match names.is_empty() {
        true => (false, StoreName::ALL.to_vec()),
        false => (true, names),
    };
    let mut found = Vec::new();
    for name in StoreName::ALL.into_iter().filter(|name| wanted.contains(name)) {
        let places = places(name, selection, programs, context)?;
        if places.is_empty() && is_named {
            return Err(not_found(name));
        }
        found.extend(places.into_iter().map(|place| TrustStore { name, place }));
    }
    if found.is_empty() {
        return Err(Failure::usage("no-trust-store", "no trust store was found on this machine").hint(
            "name one: --nss-db DIR or --java-keystore FILE; 'ca roots --out roots.pem' writes the roots for others",
        ));
    }
    Ok(found)
}

fn not_found(name: StoreName) -> Failure {
    let (what, hint) = match name {
        StoreName::System => (
            "the system has none of the trust stores that are known",
            "those of Debian, Fedora, Arch, SUSE and macOS are",
        ),
        StoreName::Nss => {
            ("there is no NSS database in the home folder", "start Chromium once, or name it: --nss-db DIR")
        }
        StoreName::Firefox => ("there is no Firefox profile in the home folder", "start Firefox once"),
        StoreName::Java => ("there is no keytool", Tool::Keytool.package()),
    };
    Failure::usage("no-trust-store", what).hint(hint)
}

fn places(
    name: StoreName,
    selection: &StoreSelection,
    programs: &Programs<'_>,
    context: &Context<'_>,
) -> Result<Vec<StorePlace>, Failure> {
    let home = context.world.variable("HOME").map(PathBuf::from);
    let below_home = |folders: &[&str]| -> Vec<PathBuf> {
        home.iter().flat_map(|home| folders.iter().map(move |folder| home.join(folder))).collect()
    };
    Ok(match name {
        StoreName::System => system(selection.system_folder.as_deref(), programs, context)?.into_iter().collect(),
        StoreName::Nss if !selection.nss_databases.is_empty() => {
            let databases = selection.nss_databases.iter().map(|folder| context.world.resolve(folder));
            databases.map(nss_database).collect::<Result<_, _>>()?
        }
        StoreName::Nss => {
            below_home(&CHROMIUM).into_iter().filter(|folder| has_database(folder)).map(StorePlace::Nss).collect()
        }
        StoreName::Firefox => {
            let mut profiles = Vec::new();
            for folder in below_home(&FIREFOX) {
                let names = files::names_in(&folder)?;
                profiles.extend(names.iter().map(|name| folder.join(name)).filter(|profile| has_database(profile)));
            }
            profiles.into_iter().map(StorePlace::Nss).collect()
        }
        StoreName::Java => match &selection.java_keystore {
            Some(path) => vec![StorePlace::Java(Some(context.world.resolve(path)))],
            None if programs.find(Tool::Keytool).is_some() => vec![StorePlace::Java(None)],
            None => Vec::new(),
        },
    })
}

fn has_database(folder: &Path) -> bool {
    folder.join(DATABASE).is_file()
}

fn nss_database(folder: PathBuf) -> Result<StorePlace, Failure> {
    if has_database(&folder) {
        return Ok(StorePlace::Nss(folder));
    }
    let sentence = format!("{} has no NSS database: {DATABASE} is missing", folder.escaped());
    Err(Failure::usage("no-trust-store", sentence)
        .hint(format!("to make one: certutil -N --empty-password -d sql:{}", folder.in_shell())))
}

/// Returns the store of the system, if it is one that is known.
fn system(below: Option<&Path>, programs: &Programs<'_>, context: &Context<'_>) -> Result<Option<StorePlace>, Failure> {
    let root = below.map_or_else(|| PathBuf::from("/"), |folder| context.world.resolve(folder));
    let is_this = |layout: &&super::anchors::Layout| {
        root.join(layout.folder).is_dir() && (below.is_some() || programs.find(layout.tool).is_some())
    };
    if let Some(layout) = LAYOUTS.iter().find(is_this) {
        if below.is_some() && !layout.is_movable {
            let sentence = format!("the tool {} has no flag for another folder than /", layout.tool.name());
            return Err(Failure::usage("bad-arguments", sentence).hint("--system-dir is for stores as on Debian"));
        }
        return Ok(Some(StorePlace::Anchors { layout, below: root }));
    }
    let keychain = Path::new(keychain::SYSTEM);
    let is_macos = below.is_none() && keychain.exists() && programs.find(Tool::Security).is_some();
    Ok(is_macos.then(|| StorePlace::Keychain(keychain.to_owned())))
}
