//! The keychains of macOS, by `security`. The tests have no such system: the calls are those of its manual page.

use std::path::Path;

use super::anchors::certificates;
use super::plan::{Invocation, Step, Tool};
use super::presence::{Presence, Wanted};
use super::programs::Programs;
use super::roots::TrustRoot;
use crate::report::failure::Failure;
use crate::text::hex;

/// The keychain of the whole system.
pub const SYSTEM: &str = "/Library/Keychains/System.keychain";

pub fn find(keychain: &Path, roots: &[TrustRoot], programs: &Programs<'_>) -> Result<Vec<Presence>, Failure> {
    let keychain = keychain.to_string_lossy();
    let listed = programs.output(&Invocation::new(Tool::Security, ["find-certificate", "-a", "-p", &keychain]))?;
    let there = certificates(&listed);
    let presence = |root: &TrustRoot| {
        if !there.iter().any(|der| der == root.certificate.as_der()) {
            return Presence::default();
        }
        // A certificate in the keychain is trusted only with its own settings.
        let file = root.path.to_string_lossy();
        let verify = Invocation::new(Tool::Security, ["verify-cert", "-q", "-L", "-l", "-c", &file]);
        let digits = hex(&root.certificate.fingerprint()).to_uppercase();
        Presence { is_trusted: programs.output(&verify).is_ok(), entries: vec![digits] }
    };
    Ok(roots.iter().map(presence).collect())
}

pub fn install(keychain: &Path, wanted: &Wanted<'_>) -> Vec<Step> {
    let keychain = keychain.to_string_lossy();
    let step = |(_, root, _): &(usize, &TrustRoot, &Presence)| {
        let file = root.path.to_string_lossy();
        let add = ["add-trusted-cert", "-d", "-r", "trustRoot", "-k", &*keychain, &file];
        Step::Run(Invocation::new(Tool::Security, add))
    };
    wanted.iter().map(step).collect()
}

pub fn uninstall(keychain: &Path, wanted: &Wanted<'_>) -> Vec<Step> {
    let keychain = keychain.to_string_lossy();
    let mut steps = Vec::new();
    for (_, root, presence) in wanted {
        if presence.is_trusted {
            let file = root.path.to_string_lossy();
            steps.push(Step::Run(Invocation::new(Tool::Security, ["remove-trusted-cert", "-d", &file])));
        }
        for digits in &presence.entries {
            let delete = ["delete-certificate", "-Z", digits.as_str(), &keychain];
            steps.push(Step::Run(Invocation::new(Tool::Security, delete)));
        }
    }
    steps
}
