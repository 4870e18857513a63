//! Java key stores, by `keytool`: that of the JDK, or a file.

use std::path::Path;

use super::anchors::certificates;
use super::plan::{Invocation, Step, Tool};
use super::presence::{Presence, Wanted};
use super::programs::{JAVA_PASSPHRASE, Programs};
use super::roots::TrustRoot;
use crate::report::failure::Failure;

/// What keytool writes before the alias of an entry, when its language is English.
const ALIAS: &str = "Alias name: ";
const TRUSTED_ENTRY: &str = "Entry type: trustedCertEntry";

/// Returns a call of keytool. The passphrase is in the environment, which other users cannot read.
fn keytool(store: Option<&Path>, arguments: &[&str]) -> Invocation {
    let mut all: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
    match store {
        Some(path) => all.extend(["-keystore".to_owned(), path.to_string_lossy().into_owned()]),
        None => all.push("-cacerts".to_owned()),
    }
    all.extend(["-storepass:env".to_owned(), JAVA_PASSPHRASE.to_owned()]);
    Invocation { tool: Tool::Keytool, arguments: all }
}

pub fn find(store: Option<&Path>, roots: &[TrustRoot], programs: &Programs<'_>) -> Result<Vec<Presence>, Failure> {
    if store.is_some_and(|path| !path.exists()) {
        // keytool makes it with the first entry.
        return Ok(vec![Presence::default(); roots.len()]);
    }
    let listed = programs.output(&keytool(store, &["-J-Duser.language=en", "-list", "-rfc"]))?;
    Ok(in_list(&String::from_utf8_lossy(&listed), roots))
}

/// Finds the roots in what `keytool -list -rfc` writes. Only trusted entries count, not the chains of private keys.
fn in_list(listed: &str, roots: &[TrustRoot]) -> Vec<Presence> {
    let mut found = vec![Presence::default(); roots.len()];
    for entry in listed.split(ALIAS).skip(1) {
        let Some((alias, rest)) = entry.split_once('\n') else { continue };
        if !rest.contains(TRUSTED_ENTRY) {
            continue;
        }
        let [only] = &certificates(rest.as_bytes())[..] else { continue };
        if let Some(at) = roots.iter().position(|root| root.certificate.as_der() == only) {
            found[at].is_trusted = true;
            found[at].entries.push(alias.trim_end().to_owned());
        }
    }
    found
}

pub fn install(store: Option<&Path>, wanted: &Wanted<'_>) -> Vec<Step> {
    let step = |(_, root, _): &(usize, &TrustRoot, &Presence)| {
        let (alias, file) = (root.entry_name(), root.path.to_string_lossy());
        Step::Run(keytool(store, &["-importcert", "-noprompt", "-trustcacerts", "-alias", &alias, "-file", &file]))
    };
    wanted.iter().map(step).collect()
}

pub fn uninstall(store: Option<&Path>, wanted: &Wanted<'_>) -> Vec<Step> {
    let aliases = wanted.iter().flat_map(|(.., presence)| &presence.entries);
    aliases.map(|alias| Step::Run(keytool(store, &["-delete", "-alias", alias]))).collect()
}
