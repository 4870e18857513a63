//! What was written again after a new CRL, as every command shows it.

use schemars::JsonSchema;
use serde::Serialize;

use super::bundle::bundle_fields;
use super::exports::{ExportRunJson, export_run_fields};
use super::hook::{HookRunJson, hook_fields};
use crate::app::crl_exports::RefreshedExports;
use crate::app::crl_files::RefreshedFiles;
use crate::app::remembered_exports::ExportRun;
use crate::report::page::{Page, Tone};

/// Writes what became of the bundles and exports, each after an empty line.
pub fn crl_file_fields(files: &RefreshedFiles, page: &mut Page) {
    for bundle in &files.bundles {
        page.gap();
        bundle_fields(bundle, page);
    }
    for exports in &files.exports {
        page.gap();
        refreshed_exports_fields(exports, page);
    }
}

/// Writes what became of the exports of a name.
pub fn refreshed_exports_fields(exports: &RefreshedExports, page: &mut Page) {
    let name = (Tone::Strong, exports.name.as_str());
    if exports.exports.iter().all(ExportRun::failed) {
        page.pieces(&[(Tone::Bad, "✗ "), (Tone::Plain, "The exports of "), name, (Tone::Plain, " were not written")]);
    } else {
        let rest = (Tone::Plain, " with the present CRLs");
        page.pieces(&[(Tone::Good, "✓ "), (Tone::Plain, "Wrote the exports of "), name, rest]);
    }
    export_run_fields(&exports.exports, page);
    match (&exports.hook, &exports.hook_ran_for) {
        (Some(run), _) => hook_fields(run, page),
        (None, Some(other)) => page.field("hook", &format!("the same as that of {other}, which was run once")),
        (None, None) => {}
    }
}

/// The exports of a name that were written with new CRLs.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RefreshedExports")]
pub struct RefreshedExportsJson<'a> {
    name: &'a str,
    exports: Vec<ExportRunJson<'a>>,
    /// `null` when no hook was run.
    hook: Option<HookRunJson<'a>>,
    /// The name whose hook is the same command, which was run once.
    hook_ran_for: Option<&'a str>,
}

impl<'a> RefreshedExportsJson<'a> {
    pub fn all(refreshed: &'a [RefreshedExports]) -> Vec<Self> {
        let json = |exports: &'a RefreshedExports| Self {
            name: &exports.name,
            exports: ExportRunJson::all(&exports.exports),
            hook: exports.hook.as_ref().map(HookRunJson::new),
            hook_ran_for: exports.hook_ran_for.as_deref(),
        };
        refreshed.iter().map(json).collect()
    }
}
