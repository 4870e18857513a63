//! CRL bundles, as every command shows them.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use super::hook::{HookRunJson, hook_fields};
use crate::app::crl_bundle::RefreshedBundle;
use crate::authority::revocation::collected_crls::CollectedCrls;
use crate::report::failure::{ErrorJson, Failure};
use crate::report::json::{FilePath, Time};
use crate::report::page::{Page, Tone};
use crate::text::rfc3339;

/// Writes what became of a bundle.
pub fn bundle_fields(bundle: &RefreshedBundle, page: &mut Page) {
    let path = page.path(&bundle.path);
    match &bundle.state {
        Ok((content, is_written)) => {
            let (mark, done) =
                if *is_written { ("✓ ", "Wrote the CRL bundle ") } else { ("= ", "Unchanged: the CRL bundle ") };
            page.pieces(&[(Tone::Good, mark), (Tone::Plain, done), (Tone::Strong, &path)]);
            page.field("CRLs of", &content.names().join(", "));
            if let Some(at) = content.next_update() {
                page.field("next update", &rfc3339(at));
            }
        }
        Err(cause) => {
            let why = format!(" was not written: {}", page.sentence(&cause.message));
            page.pieces(&[
                (Tone::Bad, "✗ "),
                (Tone::Plain, "The CRL bundle "),
                (Tone::Strong, &path),
                (Tone::Plain, &why),
            ]);
        }
    }
    match (&bundle.hook, &bundle.remembered, &bundle.state) {
        (Some(run), ..) => hook_fields(run, page),
        (None, Some(_), Ok((_, true))) => page.field("to reload", "the server that uses it (its hook was left out)"),
        (None, None, Ok((_, true))) => {
            let why = format!("no hook is set: ca crl --all --bundle {path} --hook 'systemctl reload nginx'");
            page.field("to reload", &format!("the server that uses it ({why})"));
        }
        _ => {}
    }
}

/// A CRL bundle that was refreshed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Bundle")]
pub struct BundleJson<'a> {
    path: FilePath<&'a PathBuf>,
    #[schemars(extend("enum" = ["written", "unchanged", "failed"]))]
    outcome: &'static str,
    /// The authorities whose CRLs are in it, in the order of their CRLs.
    crl_authorities: Vec<&'a str>,
    /// The CAs above whose CRLs are not in it, because they are not authorities of this CA.
    missing_issuers: Vec<&'a str>,
    /// When the first of its CRLs expires.
    next_update: Option<Time>,
    /// `null` when no hook was run.
    hook: Option<HookRunJson<'a>>,
    error: Option<ErrorJson<'a>>,
}

impl<'a> BundleJson<'a> {
    pub fn new(bundle: &'a RefreshedBundle) -> Self {
        let content = bundle.state.as_ref().ok().map(|(content, _)| content);
        Self {
            path: FilePath(&bundle.path),
            outcome: match &bundle.state {
                Ok((_, true)) => "written",
                Ok((_, false)) => "unchanged",
                Err(_) => "failed",
            },
            crl_authorities: content
                .map_or_else(Vec::new, |content| content.crls.iter().map(|crl| crl.ca.as_str()).collect()),
            missing_issuers: content
                .map_or_else(Vec::new, |content| content.missing.iter().map(String::as_str).collect()),
            next_update: content.and_then(CollectedCrls::next_update).map(Time),
            hook: bundle.hook.as_ref().map(HookRunJson::new),
            error: bundle.state.as_ref().err().map(Failure::error_json),
        }
    }
}
