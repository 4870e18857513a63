//! The exports that are remembered with a name, and what came of writing them again, as every command shows them.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use super::hook::hook_failure;
use crate::app::remembered_exports::{self, ExportRun};
use crate::app::run_hook::HookRun;
use crate::report::failure::{ErrorJson, Failure};
use crate::report::json::FilePath;
use crate::report::page::{Page, Tone};
use crate::store::index::{EntryId, StoredExport};
use crate::text;

/// A field for each export that was written again.
pub fn export_run_fields(runs: &[ExportRun], page: &mut Page) {
    for run in runs {
        let only = if run.omits_certificate { "; only roots and CRLs, because the certificate is revoked" } else { "" };
        let shown = format!("{} ({}{only})", page.path(&run.destination), text::escape(&run.kind));
        match &run.result {
            Ok(()) => page.field("export", &shown),
            Err(failure) => {
                let sentence = page.sentence(&failure.message);
                page.toned_field("export", Tone::Bad, &format!("{shown}: {sentence}"));
            }
        }
    }
}

/// An export that was written again.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExportRun")]
pub struct ExportRunJson<'a> {
    /// The word of `--as`.
    format: &'a str,
    /// The file.
    out: FilePath<&'a PathBuf>,
    #[schemars(extend("enum" = ["written", "failed"]))]
    outcome: &'static str,
    /// Only the files with roots and CRLs were written, because the certificate is revoked.
    omits_certificate: bool,
    error: Option<ErrorJson<'a>>,
}

impl<'a> ExportRunJson<'a> {
    pub fn all(runs: &'a [ExportRun]) -> Vec<Self> {
        let json = |run: &'a ExportRun| Self {
            format: &run.kind,
            out: FilePath(&run.destination),
            outcome: if run.failed() { "failed" } else { "written" },
            omits_certificate: run.omits_certificate,
            error: run.result.as_ref().err().map(Failure::error_json),
        };
        runs.iter().map(json).collect()
    }
}

/// Returns the failure of what follows a new certificate: of the hook, of exports, or of both.
pub fn after_failure(name: &str, exports: &[ExportRun], hook: Option<&HookRun>) -> Option<Failure> {
    match (hook.and_then(hook_failure), remembered_exports::failure(name, exports)) {
        (Some(hook), Some(exports)) => Some(hook.hint(exports.message)),
        (hook, exports) => hook.or(exports),
    }
}

/// The rows of the exports that are remembered; none when there are none. `deployed` is the certificate that is deployed.
pub fn export_fields(exports: &[StoredExport], deployed: Option<EntryId>, page: &mut Page) {
    let row = |stored: &StoredExport| {
        let kind = text::escape(&stored.export.kind);
        let target = stored.export.target.as_ref().map(|target| format!(" for {}", text::escape(target)));
        let state = if stored.certificate == deployed { "" } else { "; not written for the deployed certificate yet" };
        format!("{} ({kind}{}{state})", page.path(&stored.export.destination), target.unwrap_or_default())
    };
    let rows: Vec<String> = exports.iter().map(row).collect();
    if !rows.is_empty() {
        page.rows("exports", &rows);
    }
}

/// An export that is remembered with a name.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RememberedExport")]
pub struct RememberedExportJson<'a> {
    /// The word of `--as`.
    format: &'a str,
    /// The word of `--target`.
    target: Option<&'a str>,
    /// The file.
    out: FilePath<&'a PathBuf>,
    /// It was written for the deployed certificate.
    is_current: bool,
}

impl<'a> RememberedExportJson<'a> {
    pub fn all(exports: &'a [StoredExport], deployed: Option<EntryId>) -> Vec<Self> {
        let json = |stored: &'a StoredExport| Self {
            format: &stored.export.kind,
            target: stored.export.target.as_deref(),
            out: FilePath(&stored.export.destination),
            is_current: stored.certificate == deployed,
        };
        exports.iter().map(json).collect()
    }
}
