//! What `ca backup test`, `ca restore` and `ca audit` say in the same form.

use schemars::JsonSchema;
use serde::Serialize;

use crate::app::backup::RestoredAuthority;
use crate::app::backup::check::BackupFinding;
use crate::authority::audit::Finding;

/// An authority of a CA that was restored.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RestoredAuthority")]
pub struct RestoredAuthorityJson<'a> {
    name: &'a str,
    /// As `key_state`.
    #[schemars(extend("deprecated" = true))]
    key: &'a str,
    /// Its private key.
    #[schemars(extend("enum" = ["encrypted", "plain", "missing"]))]
    key_state: &'a str,
}

impl<'a> RestoredAuthorityJson<'a> {
    pub fn new(authority: &'a RestoredAuthority) -> Self {
        Self { name: &authority.name, key: authority.key, key_state: authority.key }
    }
}

/// How much is in a backup.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ContentCounts")]
pub struct ContentCountsJson {
    /// As `certificate_count`.
    #[schemars(extend("deprecated" = true))]
    certificates: u64,
    /// In the index.
    certificate_count: u64,
    /// As `file_count`.
    #[schemars(extend("deprecated" = true))]
    files: u64,
    file_count: u64,
}

impl ContentCountsJson {
    pub const fn new(certificates: u64, files: u64) -> Self {
        Self { certificates, certificate_count: certificates, files, file_count: files }
    }
}

/// Something that is not as it has to be.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Finding")]
pub struct FindingJson<'a> {
    code: &'a str,
    #[schemars(extend("enum" = ["error", "warning"]))]
    severity: &'static str,
    /// What it is about: an event, a record, a file.
    object: &'a str,
    message: &'a str,
    /// What to do.
    fix: Option<&'a str>,
}

impl<'a> FindingJson<'a> {
    pub fn new(finding: &'a Finding) -> Self {
        Self {
            code: finding.code,
            severity: finding.severity.name(),
            object: &finding.object,
            message: &finding.message,
            fix: Some(&finding.fix),
        }
    }

    pub fn of_backup(finding: &'a BackupFinding) -> Self {
        Self {
            code: finding.code,
            severity: finding.severity.name(),
            object: &finding.object,
            message: &finding.message,
            fix: finding.fix.as_deref(),
        }
    }
}
