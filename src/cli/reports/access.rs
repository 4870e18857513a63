//! The owner, group and mode that are remembered with a name, as every command shows them.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::authority::leaf::order::ClosedWay;
use crate::issuance::FileRules;
use crate::report::json::FilePath;
use crate::report::page::Page;
use crate::text;

/// The field of what is remembered; none when nothing is.
pub fn access_field(rules: &FileRules, page: &mut Page) {
    if !rules.is_empty() {
        page.field("access", &text::escape(&rules.describe()));
    }
}

/// The owner, group and mode of the files of a name; what is `null` is decided by the template.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Access")]
pub struct AccessJson<'a> {
    owner: Option<&'a str>,
    group: Option<&'a str>,
    /// Of the private key.
    mode: Option<String>,
    /// The folder that keeps the owner or the group away from the new files.
    closed_folder: Option<FilePath<&'a PathBuf>>,
}

impl<'a> AccessJson<'a> {
    /// `None` when nothing is remembered, and no folder is in the way.
    pub fn new(rules: &'a FileRules, closed: Option<&'a ClosedWay>) -> Option<Self> {
        (!rules.is_empty() || closed.is_some()).then(|| Self {
            owner: rules.owner.as_deref(),
            group: rules.group.as_deref(),
            mode: rules.mode.map(|mode| format!("{mode:04o}")),
            closed_folder: closed.map(|closed| FilePath(&closed.folder.path)),
        })
    }
}
