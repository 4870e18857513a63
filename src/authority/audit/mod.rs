//! `audit`: the index, the event log, the files, the CRLs, the templates and the modes of a CA, compared with each other.
//!
//! No key is needed, and nothing is written. Every check is a file of this module; it adds to the [`Findings`] and goes on,
//! so that one damaged record does not hide the next.

mod event_log;
mod finding;
mod records;

pub use finding::{Finding, Findings, Severity};

use crate::authority::audit::finding::RESTORE;
use crate::store::index::{HeadSignature, Index, IndexError, LogHead};
use crate::store::{Effects, Store};
use crate::text::{self, PathText};

/// The options of an audit.
#[derive(Debug, Clone, Default)]
pub struct AuditOptions {
    /// A head of the log that was kept elsewhere: the log must have had it.
    pub head: Option<[u8; 32]>,
    /// True when the folders of `--out` are not checked, as in a copy of the CA on another machine.
    pub skip_other_folders: bool,
}

/// The result of an audit.
#[derive(Debug)]
pub struct AuditReport {
    pub findings: Vec<Finding>,
    /// The head of the log; `None` when it has no event, or cannot be read.
    pub head: Option<LogHead>,
    /// The latest head that an authority signed; `None` when there is none.
    pub signed_head: Option<(LogHead, HeadSignature)>,
}

impl AuditReport {
    /// Returns true when something was found that is more than a note.
    pub fn is_anything_wrong(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity > Severity::Note)
    }
}

/// Audits a CA. What cannot be read is a finding as well.
///
/// An audit takes no lock, so that a long one does not stop other commands. When it finds something, it is repeated under
/// the lock, since another command may have changed the CA meanwhile.
pub fn audit(store: &Store, options: &AuditOptions, effects: &Effects<'_>) -> AuditReport {
    let report = audit_once(store, options);
    if report.findings.is_empty() {
        return report;
    }
    match store.lock(effects.lock_timeout) {
        Ok(_locked) => audit_once(store, options),
        Err(_) => report,
    }
}

fn audit_once(store: &Store, options: &AuditOptions) -> AuditReport {
    let mut findings = Findings::default();
    let (mut head, mut signed_head) = (None, None);
    let place = store.index_location().file().escaped().to_string();
    let audited = store.index_location().open_to_read().and_then(|index| {
        index.at_one_time(|| {
            check_index(&index, options, &mut findings)?;
            head = index.log_head()?;
            signed_head = index.signed_head()?;
            Ok::<_, IndexError>(())
        })
    });
    if let Err(error) = audited {
        findings.error("index-damaged", place, error.to_string(), RESTORE);
    }
    AuditReport { findings: findings.0, head, signed_head }
}

/// Checks what is in the index itself. Each check goes on after the failure of another.
fn check_index(index: &Index, options: &AuditOptions, findings: &mut Findings) -> Result<(), IndexError> {
    let place = index.path().escaped().to_string();
    let damaged = |findings: &mut Findings, reason: String| {
        findings.error("index-damaged", place.as_str(), reason, RESTORE);
    };
    match index.check() {
        Ok(problems) => problems.into_iter().for_each(|problem| damaged(findings, problem)),
        Err(error) => damaged(findings, error.to_string()),
    }
    for difference in index.schema_differences()? {
        findings.error(
            "index-schema",
            place.as_str(),
            format!("the index is not as this program made it: {difference}"),
            RESTORE,
        );
    }
    let authorities = match records::authorities(index) {
        Ok(authorities) => authorities,
        Err(error) => {
            damaged(findings, error.to_string());
            Vec::new()
        }
    };
    for checked in [records::check(index, &authorities, findings), event_log::check(index, &authorities, findings)] {
        if let Err(error) = checked {
            damaged(findings, error.to_string());
        }
    }
    if let Some(kept) = &options.head
        && index.event_with_head(kept)?.is_none()
    {
        let message = format!(
            "the log never had the head {}: an older index was put in its place, or the log was rewritten",
            text::hex(kept)
        );
        findings.error("log-rolled-back", "event log", message, RESTORE);
    }
    Ok(())
}
