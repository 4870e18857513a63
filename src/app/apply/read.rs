//! Reads manifests and decides what has to be done.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use crate::app::context::Context;
use crate::authority::apply::plan::{ApplyPlan, decide};
use crate::authority::apply::read_site;
use crate::report::failure::Failure;
use crate::store::manifest::{self, ManifestText};
use crate::store::toml_file;
use crate::text::{Diagnostic, PathText, io_reason};
use crate::x509::digest::sha256;

/// A manifest that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFile {
    /// Absolute, without links: the index has it like this.
    pub path: PathBuf,
    /// SHA-256 of its content.
    pub digest: [u8; 32],
}

/// What has to be done for some manifests.
pub struct PlannedApply {
    pub manifests: Vec<ManifestFile>,
    pub plan: ApplyPlan,
}

/// Reads manifests and decides what has to be done. Nothing is written, and the lock is not taken.
///
/// # Errors
/// Exit status 2 when a manifest cannot be read or has a problem; also when the CA or its index cannot be read.
pub fn read_and_decide(
    paths: &[PathBuf],
    jobs: NonZeroUsize,
    context: &mut Context<'_>,
) -> Result<PlannedApply, Failure> {
    let mut files = Vec::with_capacity(paths.len());
    let mut texts = Vec::with_capacity(paths.len());
    for path in paths {
        let resolved = absolute(path, context)?;
        let content = context.read_input(path)?;
        let digest = sha256(&content);
        let text = toml_file::text(path, content, toml_file::MANIFEST).map_err(|error| {
            let failure = Failure::usage("bad-manifest", format!("{} {cause}", path.escaped(), cause = error.cause));
            Failure { hints: error.diagnosis().hints, ..failure }
        })?;
        if files.iter().any(|file: &ManifestFile| file.path == resolved) {
            return Err(Failure::usage("bad-arguments", format!("{} is named twice", path.escaped())));
        }
        texts.push(ManifestText { name: path.escaped().to_string(), path: resolved.clone(), text });
        files.push(ManifestFile { path: resolved, digest });
    }
    let store = context.store()?;
    let declared = manifest::read(&texts, &read_site(&store)?)?;
    for (at, text) in texts.iter().enumerate() {
        if declared.iter().all(|certificate| certificate.manifest != at) {
            context.warn_at_end(format!("{} declares no certificate", text.name));
        }
    }
    let paths: Vec<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
    let plan = decide(&store, declared, &paths, context.now(), jobs)?;
    Ok(PlannedApply { manifests: files, plan })
}

/// The path of a manifest, which is remembered with the names that it declares.
fn absolute(path: &Path, context: &Context<'_>) -> Result<PathBuf, Failure> {
    if path.as_os_str() == "-" {
        return Err(Failure::usage(
            "bad-arguments",
            "a manifest is a file: its path is remembered with its certificates",
        ));
    }
    context.world.resolve(path).canonicalize().map_err(|cause| {
        Failure::usage("unreadable-input", format!("cannot find {}: {}", path.escaped(), io_reason(&cause)))
    })
}
