//! `rollback`: puts the files of a previous certificate of a name back.
//!
//! The rollback is recorded before the files change. So the same command completes an interrupted rollback instead of
//! rolling back once more, and the index knows which certificate is deployed afterwards.

use std::path::PathBuf;

use time::OffsetDateTime;

use crate::store::approval::PlannedChange;
use crate::store::certificate_files::KEY;
use crate::store::certificate_folder::FolderAccess;
use crate::store::delivery::{Destination, Paths, Workshops};
use crate::store::effects::Effects;
use crate::store::entry_name::EntryName;
use crate::store::home::Home;
use crate::store::index::{Entry, Index, Reference, Rollback};
use crate::store::previous_certificates::{self, NameHistory};
use crate::store::{Store, StoreError, certificate_folder};
use crate::system::files::{self, Folder, Ownership, UnknownOwner};
use crate::text::{self, Diagnosis, Diagnostic, PathText, rfc3339, shell_word};
use crate::x509::SerialNumber;

/// The options of `rollback`.
pub struct RollbackOrder {
    pub reference: Reference,
    /// The serial number of the certificate that is put back; `None` for the previous one.
    pub to: Option<SerialNumber>,
}

/// The result of `rollback`.
#[derive(Debug)]
pub struct RollbackOutcome {
    pub status: RollbackStatus,
    /// The certificate that is deployed now.
    pub entry: Entry,
    /// The certificate that it replaced; `None` when the files did not change.
    pub replaced: Option<Entry>,
    pub paths: Paths,
    /// The folder with the replaced files; `None` when the files did not change or are not kept.
    pub kept: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RollbackStatus {
    RolledBack,
    /// The certificate is already deployed.
    Unchanged,
}

/// The reason why no files were put back.
#[derive(Debug, thiserror::Error)]
pub enum RollbackError {
    #[error(transparent)]
    Store(StoreError),
    #[error(transparent)]
    Owner(#[from] UnknownOwner),
    #[error("'{}' is an authority; its files are not rolled back", text::escape(.0))]
    Authority(String),
    #[error("the files of '{}' were never written; there is nothing to roll back", text::escape(.0))]
    NoFiles(String),
    #[error("'{}' has no earlier certificate: the deployed one ({in_place}) is its first", text::escape(name))]
    NothingBefore { name: String, in_place: SerialNumber, others: Vec<SerialNumber> },
    #[error("'{}' has no certificate with the serial number {serial}", text::escape(name))]
    Unknown { name: String, serial: SerialNumber },
    #[error("the files of '{}' (serial {serial}) are not kept, or not whole", text::escape(name))]
    NotKept { name: String, serial: SerialNumber },
    #[error("'{}' (serial {serial}) expired at {}: clients would refuse it", text::escape(name), rfc3339(*ended))]
    Ended { name: String, serial: SerialNumber, ended: OffsetDateTime },
    #[error("'{}' (serial {serial}) is revoked or on hold: clients would refuse it", text::escape(name))]
    Revoked { name: String, serial: SerialNumber },
    #[error("the files of '{}' were changed by another program; those in {} do not belong to a certificate of this name", text::escape(name), folder.escaped())]
    OtherCertificate { name: String, folder: PathBuf },
}

impl<E> From<E> for RollbackError
where
    StoreError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

impl Diagnostic for RollbackError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Store(error) => error.diagnosis(),
            Self::Owner(error) => error.diagnosis(),
            Self::Authority(_) => Diagnosis::refused("is-authority"),
            Self::NoFiles(_) => Diagnosis::refused("no-files").hint("issue it again with 'ca issue'"),
            Self::NothingBefore { name, others, .. } => {
                let command = |serial| format!("to deploy that one: ca rollback {} --to {serial}", shell_word(name));
                Diagnosis::refused("no-generation").hints(others.iter().map(command))
            }
            Self::Unknown { name, .. } => {
                Diagnosis::usage("unknown-certificate").hint(format!("'ca history {}' shows them", shell_word(name)))
            }
            Self::NotKept { name, .. } => Diagnosis::refused("no-generation")
                .hint(format!("'ca history {}' shows what is kept; for a new one: ca rekey {0}", shell_word(name))),
            Self::Ended { name, .. } => {
                Diagnosis::refused("ended").hint(format!("for a new one: ca renew {}", shell_word(name)))
            }
            Self::Revoked { name, .. } => {
                Diagnosis::refused("revoked").hint(format!("for a new one: ca rekey {}", shell_word(name)))
            }
            Self::OtherCertificate { .. } => {
                Diagnosis::refused("exists").hint("nothing existing is overwritten: move them away first")
            }
        }
    }
}

/// Puts the files of a previous certificate back.
///
/// # Errors
/// When no previous certificate can be put back, or the system reports an error; the deployed files are unchanged then.
/// In a folder of the user's, some files may already be exchanged: the same command completes the exchange.
pub fn rollback(store: &Store, order: &RollbackOrder, effects: &Effects<'_>) -> Result<RollbackOutcome, RollbackError> {
    let now = effects.now();
    let home = store.home();

    // This check without the lock finds most errors early.
    let index = store.index()?;
    let name: EntryName = index.find(&order.reference)?.name.parse()?;
    let name_history = NameHistory::of(index, name.as_str())?;
    // An interrupted rollback is completed; its certificate was checked when it began.
    let intended = name_history.unfinished().map(|rollback| rollback.certificate);
    let work = RollbackRun { home, name: &name, now, effects };
    let change = PlannedChange::new(format!("put the files of the previous certificate of '{name}' back"));
    let change = if intended.is_none() {
        change.certificate(work.chosen(index, &name_history, order.to.as_ref())?)
    } else {
        change.fact("state", "a rollback that was interrupted is completed")
    };
    effects.approval.approve(change)?;

    let mut locked = store.lock(effects.lock_timeout)?;
    files::remove_stale(home.folder())?;
    let index = locked.index()?;
    let begun = NameHistory::of(index, name.as_str())?.unfinished().cloned();
    previous_certificates::recover(home, index, &name, effects)?;
    let name_history = NameHistory::of(index, name.as_str())?;
    Destination::Folder(name_history.folder(home, &name)).sweep(home, &name, &mut Workshops::default())?;
    let of_begun =
        begun.as_ref().and_then(|begun| name_history.certificates.iter().find(|entry| entry.id == begun.certificate));
    let target = match of_begun.filter(|entry| order.to.as_ref().is_none_or(|to| entry.serial == *to)) {
        Some(entry) => entry,
        None => work.chosen(index, &name_history, order.to.as_ref())?,
    };
    let in_place = name_history.in_place(home, &name).ok_or_else(|| RollbackError::NoFiles(name.to_string()))?;
    if in_place.id == target.id {
        let ended = begun.filter(|begun| begun.certificate == target.id);
        let replaced =
            ended.and_then(|begun| name_history.certificates.iter().find(|entry| entry.id == begun.replaced));
        return work.outcome(&name_history, target, replaced);
    }
    work.exchange(index, &name_history, in_place, target, begun.as_ref())?;
    work.outcome(&name_history, target, Some(in_place))
}

struct RollbackRun<'a> {
    home: &'a Home,
    name: &'a EntryName,
    now: OffsetDateTime,
    effects: &'a Effects<'a>,
}

impl RollbackRun<'_> {
    /// Returns the certificate that is to be put back, after checking that this is possible.
    fn chosen<'s>(
        &self,
        index: &Index,
        name_history: &'s NameHistory,
        to: Option<&SerialNumber>,
    ) -> Result<&'s Entry, RollbackError> {
        let name = self.name.to_string();
        if let Some(last) = name_history.certificates.last()
            && index.certificate(last)?.is_ca()
        {
            return Err(RollbackError::Authority(name));
        }
        let in_place = name_history.in_place(self.home, self.name).ok_or(RollbackError::NoFiles(name.clone()))?;
        let target = match to {
            Some(serial) => {
                let found = name_history.certificates.iter().find(|entry| entry.serial == *serial);
                found.ok_or_else(|| RollbackError::Unknown { name: name.clone(), serial: serial.clone() })?
            }
            None => match name_history.before(in_place) {
                Some(before) => before,
                None => {
                    let (in_place, others) = (in_place.serial.clone(), self.others(name_history, in_place)?);
                    return Err(RollbackError::NothingBefore { name, in_place, others });
                }
            },
        };
        let serial = target.serial.clone();
        if target.revocation.is_some() {
            return Err(RollbackError::Revoked { name, serial });
        }
        if target.validity.not_after < self.now {
            return Err(RollbackError::Ended { name, serial, ended: target.validity.not_after });
        }
        if target.id != in_place.id && self.kept(index, target)?.is_none() {
            return Err(RollbackError::NotKept { name, serial });
        }
        Ok(target)
    }

    /// Returns the serial numbers of the other certificates whose files are kept, the newest first.
    fn others(&self, name_history: &NameHistory, in_place: &Entry) -> Result<Vec<SerialNumber>, RollbackError> {
        let mut others = Vec::new();
        for entry in name_history.certificates.iter().rev().filter(|entry| entry.id != in_place.id) {
            if previous_certificates::find(self.home, self.name, entry)?.is_some() {
                others.push(entry.serial.clone());
            }
        }
        Ok(others)
    }

    /// Returns the folder with the files of this certificate; `None` when it is missing or incomplete.
    fn kept(&self, index: &Index, entry: &Entry) -> Result<Option<PathBuf>, RollbackError> {
        match previous_certificates::find(self.home, self.name, entry)? {
            Some(folder) if certificate_folder::holds_public(&folder, &index.certificate(entry)?)? => Ok(Some(folder)),
            _ => Ok(None),
        }
    }

    /// Records the certificate that is about to be deployed, exchanges the files, and marks the record as done.
    fn exchange(
        &self,
        index: &mut Index,
        name_history: &NameHistory,
        in_place: &Entry,
        target: &Entry,
        begun: Option<&Rollback>,
    ) -> Result<(), RollbackError> {
        let (home, name, entropy) = (self.home, self.name, self.effects.entropy);
        let folder = name_history.folder(home, name);
        let not_kept = || RollbackError::NotKept { name: name.to_string(), serial: target.serial.clone() };
        let incoming = self.kept(index, target)?.ok_or_else(not_kept)?;
        let access = self.access(index)?;
        let is_one_by_one = in_place.place.is_some();
        let has_other_files = match is_one_by_one {
            // A killed process left files of two certificates, both of this name.
            true => {
                let own = name_history
                    .certificates
                    .iter()
                    .map(|entry| index.certificate(entry))
                    .collect::<Result<Vec<_>, _>>()?;
                certificate_folder::other_certificate(&folder, &own).is_some()
            }
            false => folder.exists() && !previous_certificates::is_of(&folder, in_place),
        };
        if has_other_files {
            return Err(RollbackError::OtherCertificate { name: name.to_string(), folder });
        }
        if in_place.delivered_at.is_none() {
            // The files are deployed and only the mark is missing. Without the mark, the certificate would count as
            // never delivered.
            index.mark_delivered(in_place.id, self.now)?;
        }
        let id = match begun.filter(|begun| begun.certificate == target.id) {
            Some(begun) => begun.id,
            None => {
                let newest = name_history.certificates.last().map_or(target.id, |newest| newest.id);
                let (certificate, replaced) = (target.id, in_place.id);
                let rollback = Rollback { id: 0, certificate, replaced, newest, at: self.now, done_at: None };
                let mut transaction = index.transaction(self.effects.event_context())?;
                let id = transaction.roll_back(&rollback, name.as_str())?;
                transaction.commit()?;
                id
            }
        };
        let serial = in_place.serial.to_string();
        if !is_one_by_one && let Some(access) = access {
            access.give(&Folder::open(&incoming)?)?;
        }
        if is_one_by_one {
            previous_certificates::keep_copy(home, name, &Folder::open(&folder)?, &serial, entropy)?;
            let access = access.unwrap_or_default();
            previous_certificates::put_one_by_one(&incoming, &folder, access, entropy)?;
        } else if folder.exists() {
            files::replace_folder(&incoming, &folder, &previous_certificates::free_place(home, name, &serial))?;
        } else {
            files::move_new(&incoming, &folder)?;
            files::sync_folder(&home.issued())?;
            files::sync_folder(&home.generations(name))?;
        }
        Ok(index.mark_rolled_back(id, self.now)?)
    }

    /// Returns the owner, group and mode that are remembered with the name: the kept files may be older than they are. `None`
    /// when nothing is remembered.
    fn access(&self, index: &Index) -> Result<Option<FolderAccess>, RollbackError> {
        let Some(rules) = index.file_rules(self.name.as_str())? else { return Ok(None) };
        let ownership = Ownership::of(rules.owner.as_deref(), rules.group.as_deref())?;
        Ok(Some(FolderAccess { ownership, key_mode: rules.mode }))
    }

    fn outcome(
        &self,
        name_history: &NameHistory,
        entry: &Entry,
        replaced: Option<&Entry>,
    ) -> Result<RollbackOutcome, RollbackError> {
        let folder = name_history.folder(self.home, self.name);
        // The folder has no key file when a third party has the private key.
        let has_key = KEY.path_in(&folder).exists();
        let paths = Destination::Folder(folder).paths(self.home, self.name, has_key).unwrap_or_default();
        let kept = match replaced {
            Some(replaced) => previous_certificates::find(self.home, self.name, replaced)?,
            None => None,
        };
        Ok(RollbackOutcome {
            status: if replaced.is_some() { RollbackStatus::RolledBack } else { RollbackStatus::Unchanged },
            entry: entry.clone(),
            replaced: replaced.cloned(),
            paths,
            kept,
        })
    }
}
