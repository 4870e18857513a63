//! `audit`: the index, the event log, the files, the CRLs, the templates and the modes of a CA, compared with each other.
//!
//! No key is needed, and nothing is written, except with [`AuditOptions::fix`]. Every check is a file of this module; it adds
//! to the [`Findings`] and goes on, so that one damaged record does not hide the next.

mod authorities;
mod crl_content;
mod crls;
mod entries;
mod event_log;
mod finding;
mod modes;
mod records;
mod row_set;
mod scan;
mod subject;

pub use entries::key_mode;
pub use finding::{Finding, Findings, Repair, Severity};
pub use subject::check_key_mode;

use std::collections::HashSet;
use std::path::PathBuf;

use crate::authority::audit::event_log::Facts;
use crate::authority::audit::finding::RESTORE;
use crate::authority::audit::records::RecordedCa;
use crate::authority::audit::scan::UNKNOWN_CERTIFICATE;
use crate::authority::audit::subject::{Subject, UNREADABLE};
use crate::store::certificate_files::KEY;
use crate::store::index::{HeadSignature, Index, IndexError, LogHead, empty_hash};
use crate::store::progress::Progress;
use crate::store::{Effects, Store};
use crate::system::files;
use crate::text::{self, PathText};

/// The code of a check that could not be carried out.
const CHECK_FAILED: &str = "check-failed";

/// What to do about it.
const AGAIN: &str = "correct this, and run the audit again";

/// The options of an audit.
#[derive(Debug, Clone, Default)]
pub struct AuditOptions {
    /// A head of the log that was kept elsewhere: the log must have had it.
    pub head: Option<[u8; 32]>,
    /// Folders that are searched for certificates that the index does not have.
    pub scan: Vec<PathBuf>,
    /// True when what is safe is repaired: modes, missing copies of certificates, and what killed runs left.
    pub fix: bool,
    /// True when the folders of `--out` are not checked, as in a copy of the CA on another machine.
    pub skip_other_folders: bool,
}

/// The result of an audit.
#[derive(Debug)]
pub struct AuditReport {
    pub findings: Vec<Finding>,
    /// What `fix` repaired; it is no longer among the findings.
    pub repaired: Vec<Finding>,
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

    /// Returns true when each certificate in the folders of `scan` was compared with the index, which has all of them.
    pub fn scan_is_clean(&self) -> bool {
        let spoils = [UNKNOWN_CERTIFICATE, CHECK_FAILED, UNREADABLE];
        !self.findings.iter().any(|finding| spoils.contains(&finding.code))
    }
}

/// Audits a CA. What cannot be read is a finding as well.
///
/// An audit takes no lock, so that a long one does not stop other commands. When it finds something, the files are compared again under
/// the lock, since another command may have changed them meanwhile. The index is read in one transaction, so that what was found in it
/// stays true; it is read again when its log went on.
pub fn audit(store: &Store, options: &AuditOptions, effects: &Effects<'_>) -> AuditReport {
    let (report, known) = audit_once(store, options, effects.progress, None);
    if report.findings.is_empty() {
        return report;
    }
    let _locked = match store.lock(effects.lock_timeout) {
        Ok(locked) => locked,
        // Readers of a CA that they cannot write get what was found without the lock.
        Err(_) if !options.fix => return report,
        Err(error) => {
            let mut failed = Findings::default();
            let message = format!("nothing was repaired: {error}");
            failed.error(CHECK_FAILED, store.home().folder().escaped().to_string(), message, AGAIN);
            let mut report = report;
            report.findings.extend(failed.into_vec());
            return report;
        }
    };
    drop(report);
    let (report, known) = audit_once(store, options, effects.progress, known);
    if !options.fix {
        return report;
    }
    let mut failed = Vec::new();
    for finding in &report.findings {
        if let Some(Err(error)) = finding.repair.as_ref().map(|repair| repair.carry_out(effects.entropy)) {
            failed.push((finding.clone(), error.to_string()));
        }
    }
    let (mut after, _) = audit_once(store, options, effects.progress, known);
    let left: HashSet<&Finding> = after.findings.iter().collect();
    after.repaired = report.findings.into_iter().filter(|finding| !left.contains(finding)).collect();
    for finding in &mut after.findings {
        if let Some((_, error)) = failed.iter().find(|(failed, _)| failed == finding) {
            finding.message = format!("{}; it could not be repaired: {error}", finding.message);
        }
    }
    after
}

/// Returns the findings about owners and modes, and about templates, without the folders of entries: what an audit finds with
/// little work.
pub fn permissions(store: &Store) -> Vec<Finding> {
    let mut findings = Findings::default();
    modes::check_without_entries(store, &mut findings);
    let home = store.home();
    for folder in [home.authorities(), home.retired()] {
        for name in files::names_in(&folder).unwrap_or_default() {
            check_key_mode(&KEY.path_in(&folder.join(name)), files::SECRET, &mut findings);
        }
    }
    findings.into_vec()
}

/// What was found in the index alone, and what the checks of files need of it.
struct CheckedIndex {
    findings: Vec<Finding>,
    authorities: Vec<RecordedCa>,
    facts: Facts,
    /// The end of the log then. Every change of the index but for marks moves it.
    head: Option<LogHead>,
}

/// Audits a CA once. `known` is what another audit returned: it is used as long as the log of the index ends where it did.
fn audit_once(
    store: &Store,
    options: &AuditOptions,
    progress: &dyn Progress,
    mut known: Option<CheckedIndex>,
) -> (AuditReport, Option<CheckedIndex>) {
    let mut findings = Findings::default();
    let (mut head, mut signed_head) = (None, None);
    let place = store.index_location().shown();
    let audited = store.index_location().open_to_read().and_then(|index| {
        index.at_one_time(|| {
            let end = index.log_head();
            let checked = match known.take() {
                Some(known) if end.as_ref().is_ok_and(|end| *end == known.head) => {
                    known.findings.iter().for_each(|finding| findings.insert(finding.clone()));
                    known
                }
                _ => {
                    let (authorities, facts) = check_index(&index, progress, &mut findings)?;
                    let head = end.ok().flatten();
                    CheckedIndex { findings: findings.to_vec(), authorities, facts, head }
                }
            };
            check_files((store, &index), &checked, options, progress, &mut findings);
            known = Some(checked);
            check_head(&index, options, &mut findings)?;
            head = index.log_head()?;
            signed_head = index.signed_head()?;
            Ok::<_, IndexError>(())
        })
    });
    match audited {
        Ok(()) => {}
        Err(error @ (IndexError::Unreachable { .. } | IndexError::Unsafe { .. } | IndexError::Moved { .. })) => {
            findings.error(CHECK_FAILED, place, error.to_string(), AGAIN);
        }
        Err(error) => findings.error("index-damaged", place, error.to_string(), RESTORE),
    }
    modes::check(store, &mut findings);
    (AuditReport { findings: findings.into_vec(), repaired: Vec::new(), head, signed_head }, known)
}

/// Checks what is in the index itself. Each check goes on after the failure of another.
fn check_index(
    index: &Index,
    progress: &dyn Progress,
    findings: &mut Findings,
) -> Result<(Vec<RecordedCa>, Facts), IndexError> {
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
    // The log is checked first, since it says whose signatures need not be verified again. What was found in it is reported last.
    let mut in_log = Findings::default();
    let facts = event_log::check(index, &authorities, progress, &mut in_log).unwrap_or_else(|error| {
        damaged(&mut in_log, error.to_string());
        Facts::default()
    });
    if let Err(error) = records::check(index, &authorities, &facts.attested, progress, findings) {
        damaged(findings, error.to_string());
    }
    findings.append(in_log);
    Ok((authorities, facts))
}

/// Compares the files of the CA with the index.
fn check_files(
    (store, index): (&Store, &Index),
    checked: &CheckedIndex,
    options: &AuditOptions,
    progress: &dyn Progress,
    findings: &mut Findings,
) {
    let subject = Subject { store, index, authorities: &checked.authorities, facts: &checked.facts, progress };
    let mut results = vec![
        authorities::check(&subject, findings),
        entries::check(&subject, options.skip_other_folders, findings),
        crls::check(&subject, findings),
    ];
    results.extend(options.scan.iter().map(|folder| scan::check(&subject, folder, findings)));
    for error in results.into_iter().filter_map(Result::err) {
        findings.error(CHECK_FAILED, "audit", error.to_string(), AGAIN);
    }
}

/// Checks that the log once had the head that was kept elsewhere.
fn check_head(index: &Index, options: &AuditOptions, findings: &mut Findings) -> Result<(), IndexError> {
    if let Some(kept) = &options.head
        && *kept != empty_hash()
        && index.event_with_head(kept)?.is_none()
    {
        let message = format!(
            "the log never had the head {}: the index was replaced by an older one, or the log was rewritten",
            text::hex(kept)
        );
        findings.error("log-rolled-back", "event log", message, RESTORE);
    }
    Ok(())
}

#[cfg(test)]
mod bit_flip_tests;
#[cfg(test)]
mod crl_tests;
#[cfg(test)]
mod single_check_tests;
#[cfg(test)]
mod tests;
