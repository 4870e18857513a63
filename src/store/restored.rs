//! The record that a CA was restored from a backup: `restored.toml` in the CA directory.
//!
//! What was issued and revoked between the backup and the restore is not in the index. Every command warns of that until
//! the index was compared with what is in use: with the published CRL of each authority ([`Restored::note_compared`]), or
//! with the certificates themselves ([`Restored::settle`]). The file stays: the numbers of later CRLs
//! depend on it (`numbers_to_skip`).

use time::OffsetDateTime;

use super::backup::manifest::time_of;
use super::error::StoreError;
use super::home::Home;
use super::toml_file;
use crate::system::Entropy;
use crate::system::files::{self, ExistingFile, FileError};
use crate::text::toml_document::{Document, quoted};
use crate::text::{PathText, rfc3339};
use crate::x509::file_kind::Expected;

/// When a CA was restored, and from what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Until when the index has everything that was issued and revoked: the time of the backup.
    pub complete_until: OffsetDateTime,
    pub restored_at: OffsetDateTime,
    /// The authorities whose published CRLs were compared with the index.
    pub compared: Vec<String>,
    /// When the index was compared with what is in use; `None` until then.
    pub settled_at: Option<OffsetDateTime>,
}

const RECORD: Expected = Expected::Toml { name: "the record of a restore", origin: "restore the CA again: ca restore" };

impl Restored {
    /// The name of the file in the CA directory.
    pub const FILE: &str = "restored.toml";

    /// Returns whether a CA was ever restored.
    pub fn exists(home: &Home) -> bool {
        home.folder().join(Self::FILE).exists()
    }

    /// Reads the record of a CA; `None` when the CA was never restored.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(home: &Home) -> Result<Option<Self>, StoreError> {
        let path = home.folder().join(Self::FILE);
        let Some(content) = files::read_if_exists(&path, files::MAX_SMALL_FILE_BYTES)? else { return Ok(None) };
        let text = toml_file::text(&path, content, RECORD)?;
        let name = path.escaped().to_string();
        let document = Document::new(name, &text);
        let mut top = document.top();
        let complete_until = time_of(&mut top, "complete-until");
        let restored_at = time_of(&mut top, "restored-at");
        let compared = top.take_list::<String>("compared").map(|names| names.value).unwrap_or_default();
        let compared = compared.into_iter().map(|name| name.value).collect();
        let settled_at = top.contains("settled-at").then(|| time_of(&mut top, "settled-at"));
        top.finish();
        document.finish()?;
        Ok(Some(Self { complete_until, restored_at, compared, settled_at }))
    }

    /// Writes the record, durably.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write(&self, home: &Home, existing: ExistingFile, entropy: &dyn Entropy) -> Result<(), FileError> {
        let path = home.folder().join(Self::FILE);
        files::publish_file(&path, self.to_toml().as_bytes(), files::PUBLIC, existing, entropy)
    }

    /// Records that the index was compared with what is in use, which ends the warning. Nothing happens when the CA was
    /// never restored, or this was recorded before. The caller has the lock of the CA.
    ///
    /// # Errors
    /// When the record cannot be read or written.
    pub fn settle(home: &Home, now: OffsetDateTime, entropy: &dyn Entropy) -> Result<(), StoreError> {
        match Self::read(home)? {
            Some(restored) if restored.settled_at.is_none() => {
                let settled = Self { settled_at: Some(now), ..restored };
                Ok(settled.write(home, ExistingFile::Replace, entropy)?)
            }
            _ => Ok(()),
        }
    }

    /// Records that the published CRL of an authority was compared with the index. The index is settled when those of all
    /// authorities are that have signed a CRL. The caller has the lock of the CA.
    ///
    /// # Errors
    /// As [`settle`](Self::settle).
    pub fn note_compared(
        home: &Home,
        authority: &str,
        with_crl: &[String],
        now: OffsetDateTime,
        entropy: &dyn Entropy,
    ) -> Result<(), StoreError> {
        let Some(mut restored) = Self::read(home)?.filter(|restored| restored.settled_at.is_none()) else {
            return Ok(());
        };
        if !restored.compared.iter().any(|name| name == authority) {
            restored.compared.push(authority.to_owned());
        }
        if with_crl.iter().all(|name| restored.compared.contains(name)) {
            restored.settled_at = Some(now);
        }
        Ok(restored.write(home, ExistingFile::Replace, entropy)?)
    }

    /// Returns how many CRL numbers are left out after a restore, because CRLs that are not in the index may have them: one
    /// for each second between the backup and the restore. RFC 5280 §5.2.3 allows gaps, and forbids to use a number twice.
    pub fn numbers_to_skip(&self) -> u64 {
        u64::try_from((self.restored_at - self.complete_until).whole_seconds()).unwrap_or_default()
    }

    fn to_toml(&self) -> String {
        let settled = self.settled_at.map(|at| format!("settled-at = {}\n", quoted(&rfc3339(at)))).unwrap_or_default();
        format!(
            "# 'ca restore' wrote this file. It stays: the numbers of later CRLs depend on it.\n\
             complete-until = {}\nrestored-at = {}\ncompared = [{}]\n{settled}",
            quoted(&rfc3339(self.complete_until)),
            quoted(&rfc3339(self.restored_at)),
            self.compared.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "),
        )
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::system::entropy::SystemEntropy;

    #[test]
    fn a_restore_is_recorded_and_settled_once() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().to_owned());
        let later = datetime!(2026-06-03 12:00 UTC);
        assert_eq!(Restored::read(&home).unwrap(), None);
        Restored::settle(&home, later, &SystemEntropy).unwrap();
        assert_eq!(Restored::read(&home).unwrap(), None, "a CA that was not restored has nothing to settle");
        let restored = Restored {
            complete_until: datetime!(2026-06-01 12:00 UTC),
            restored_at: datetime!(2026-06-02 12:00 UTC),
            compared: Vec::new(),
            settled_at: None,
        };
        restored.write(&home, ExistingFile::Keep, &SystemEntropy).unwrap();
        assert_eq!(Restored::read(&home).unwrap(), Some(restored.clone()));
        assert_eq!(restored.numbers_to_skip(), 24 * 60 * 60);
        let with_crl = ["root".to_owned(), "issuing".to_owned()];
        Restored::note_compared(&home, "issuing", &with_crl, later, &SystemEntropy).unwrap();
        assert_eq!(Restored::read(&home).unwrap().unwrap().settled_at, None, "the root's CRL was not compared");
        Restored::note_compared(&home, "root", &with_crl, later, &SystemEntropy).unwrap();
        Restored::settle(&home, later + time::Duration::days(1), &SystemEntropy).unwrap();
        assert_eq!(
            Restored::read(&home).unwrap(),
            Some(Restored {
                compared: vec!["issuing".to_owned(), "root".to_owned()],
                settled_at: Some(later),
                ..restored.clone()
            })
        );
        // A clock that went back skips nothing, and does not fail.
        let backwards = Restored { restored_at: datetime!(2020-01-01 0:00 UTC), ..restored };
        assert_eq!(backwards.numbers_to_skip(), 0);
    }
}
