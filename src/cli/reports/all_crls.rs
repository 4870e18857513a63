//! The report of `ca crl --all`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::bundle::BundleJson;
use super::crl::{CrlJson, because, carried_over_fields};
use super::crl_files::{RefreshedExportsJson, crl_file_fields};
use crate::app::crl_bundle::{self, AuthorityCrl, CrlDone};
use crate::app::crl_files::RefreshedFiles;
use crate::report::failure::{ErrorJson, Failure};
use crate::report::json::{self, FilePath, Time};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::text::rfc3339;

/// The result of `ca crl --all`.
pub struct AllCrlsReport {
    pub crls: Vec<AuthorityCrl>,
    pub files: RefreshedFiles,
    /// The bundle that is no longer refreshed.
    pub forgotten: Option<PathBuf>,
}

/// `ca.crl-all/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AllCrls")]
pub struct AllCrlsJson<'a> {
    authorities: Vec<AuthorityCrlJson<'a>>,
    /// Every bundle that is remembered.
    bundles: Vec<BundleJson<'a>>,
    /// The names whose exports did not have the present CRLs.
    refreshed_exports: Vec<RefreshedExportsJson<'a>>,
    /// The bundle that is no longer remembered.
    forgotten_bundle: Option<FilePath<&'a PathBuf>>,
}

/// The CRL of an authority.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuthorityCrl")]
struct AuthorityCrlJson<'a> {
    authority: &'a str,
    /// `kept`: it is due, and the key of the authority could not be used; `added`: a file of `--also` has it; `expired`: the
    /// certificate of the authority.
    #[schemars(extend("enum" = ["signed", "unchanged", "kept", "added", "expired", "planned"]))]
    outcome: &'static str,
    /// `null` for `kept`, `expired` and `planned`.
    crl: Option<CrlJson<'a>>,
    next_update: Option<Time>,
    /// Why it was kept.
    error: Option<ErrorJson<'a>>,
}

impl<'a> AuthorityCrlJson<'a> {
    fn new(crl: &'a AuthorityCrl) -> Self {
        let (outcome, published, next_update, error) = match &crl.done {
            CrlDone::Published(outcome) => {
                let done = if crl_bundle::is_signed(outcome) { "signed" } else { "unchanged" };
                (done, Some(CrlJson::new(outcome)), Some(Time(outcome.next_update)), None)
            }
            CrlDone::Kept { because, until } => ("kept", None, Some(Time(*until)), Some(because.error_json())),
            CrlDone::Added { until } => ("added", None, Some(Time(*until)), None),
            CrlDone::Expired => ("expired", None, None, None),
            CrlDone::Planned => ("planned", None, None, None),
        };
        Self { authority: &crl.authority, outcome, crl: published, next_update, error }
    }
}

impl Report for AllCrlsReport {
    fn text(&self, page: &mut Page) {
        for crl in &self.crls {
            let name = (Tone::Strong, crl.authority.as_str());
            match &crl.done {
                CrlDone::Published(outcome) if crl_bundle::is_signed(outcome) => {
                    let rest = format!(", number {}, expires {}", outcome.number, rfc3339(outcome.next_update));
                    let (what, why) = ((Tone::Plain, "Signed the CRL of "), (Tone::Dim, because(outcome)));
                    page.pieces(&[(Tone::Good, "✓ "), what, name, (Tone::Plain, &rest), why]);
                    carried_over_fields(outcome, page);
                }
                CrlDone::Published(outcome) => {
                    let rest = format!(", number {}, expires {}", outcome.number, rfc3339(outcome.next_update));
                    let what = (Tone::Plain, "Unchanged, not due: the CRL of ");
                    page.pieces(&[(Tone::Good, "= "), what, name, (Tone::Plain, &rest)]);
                }
                CrlDone::Kept { until, .. } => {
                    let rest = format!(", which expires at {}", rfc3339(*until));
                    let what = (Tone::Plain, "Not signed: the CRL of ");
                    page.pieces(&[(Tone::Warning, "! "), what, name, (Tone::Plain, &rest)]);
                }
                CrlDone::Added { until } => {
                    let rest = format!(", which a file of --also has, expires {}", rfc3339(*until));
                    page.pieces(&[(Tone::Good, "= "), (Tone::Plain, "The CRL of "), name, (Tone::Plain, &rest)]);
                }
                CrlDone::Expired => {
                    let rest = (Tone::Plain, ": the certificate of this authority has expired");
                    page.pieces(&[(Tone::Warning, "! "), (Tone::Plain, "No CRL of "), name, rest]);
                }
                CrlDone::Planned => {
                    page.pieces(&[(Tone::Good, "+ "), (Tone::Plain, "Would sign the CRL of "), name]);
                }
            }
        }
        crl_file_fields(&self.files, page);
        if let Some(path) = &self.forgotten {
            page.gap();
            let path = page.path(path);
            let rest = (Tone::Plain, ": the file stays, and is no longer refreshed");
            page.pieces(&[(Tone::Good, "✓ "), (Tone::Plain, "Forgot the CRL bundle "), (Tone::Strong, &path), rest]);
        }
        if self.files.bundles.is_empty() && self.forgotten.is_none() {
            page.gap();
            page.line("One file with all CRLs, for servers such as nginx: ca crl --all --bundle FILE");
        }
    }

    fn json(&self) -> Value {
        let content = AllCrlsJson {
            authorities: self.crls.iter().map(AuthorityCrlJson::new).collect(),
            bundles: self.files.bundles.iter().map(BundleJson::new).collect(),
            refreshed_exports: RefreshedExportsJson::all(&self.files.exports),
            forgotten_bundle: self.forgotten.as_ref().map(FilePath),
        };
        json::document("ca.crl-all/1", &content)
    }

    fn failure(&self) -> Option<Failure> {
        self.files.failure()
    }

    fn has_changed(&self) -> bool {
        let signed =
            |crl: &AuthorityCrl| matches!(&crl.done, CrlDone::Published(outcome) if crl_bundle::is_signed(outcome));
        self.forgotten.is_some() || self.crls.iter().any(signed) || self.files.has_changed()
    }

    fn only_confirms(&self) -> bool {
        true
    }
}
