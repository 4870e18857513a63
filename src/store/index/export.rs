//! The exports that are remembered with a NAME: they are written again when another certificate of the name is deployed.
//!
//! Rows are only added: an export that is forgotten or replaced gets the time of that.

use std::path::{Path, PathBuf};

use crate::store::index::database::{DatabaseResult, Row, values};
use crate::store::index::mark::Mark;
use crate::store::index::{EntryId, EventKind, EventObject, Index, IndexError, Transaction};
use crate::text::PathText;

/// What the kind of an export begins with that has the files of a program; the name of its recipe follows.
pub const RECIPE: &str = "recipe:";

/// An export of a NAME.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewExport {
    pub name: String,
    /// A format of `ca export --as`, or `recipe:` and the name of a recipe.
    pub kind: String,
    /// The programs that import a PKCS#12 file.
    pub target: Option<String>,
    /// The file, or the folder of a recipe.
    pub destination: PathBuf,
    /// The file with a passphrase that the user chose for the exported file.
    pub passphrase_file: Option<PathBuf>,
    /// The file with the passphrase of the private key of the certificate.
    pub key_passphrase_file: Option<PathBuf>,
    /// More options of a recipe, one `name=value` in each line.
    pub options: String,
}

/// An export that is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredExport {
    pub id: i64,
    pub export: NewExport,
    /// The certificate that it was last written for.
    pub certificate: Option<EntryId>,
    /// The mark of the CRLs that it was last written with, when the hook of its name has seen them; `None` without CRLs.
    pub crls: Option<i64>,
}

impl StoredExport {
    pub(super) fn from_row(row: &Row<'_>) -> DatabaseResult<Self> {
        let path = |column: &str| row.get::<_, Option<String>>(column).map(|path| path.map(PathBuf::from));
        Ok(Self {
            id: row.get("id")?,
            export: NewExport {
                name: row.get("name")?,
                kind: row.get("kind")?,
                target: row.get("target")?,
                destination: PathBuf::from(row.get::<_, String>("destination")?),
                passphrase_file: path("passphrase_file")?,
                key_passphrase_file: path("key_passphrase_file")?,
                options: row.get("options")?,
            },
            certificate: row.get::<_, Option<i64>>("certificate")?.map(EntryId),
            crls: row.get("crls")?,
        })
    }
}

impl Index {
    /// Returns the exports of a NAME, in the order in which they were made.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn exports(&self, name: &str) -> Result<Vec<StoredExport>, IndexError> {
        let read = || -> DatabaseResult<_> {
            let sql = "SELECT * FROM export WHERE name = ?1 AND removed_at IS NULL ORDER BY id";
            self.connection.prepare_cached(sql)?.query_map(values![name], StoredExport::from_row)?.collect()
        };
        read().map_err(self.place.error())
    }

    /// Returns the exports to a file or folder, of all names.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn exports_to(&self, destination: &Path) -> Result<Vec<StoredExport>, IndexError> {
        let Some(destination) = destination.to_str() else { return Ok(Vec::new()) };
        let read = || -> DatabaseResult<_> {
            let sql = "SELECT * FROM export WHERE destination = ?1 AND removed_at IS NULL ORDER BY id";
            self.connection.prepare(sql)?.query_map(values![destination], StoredExport::from_row)?.collect()
        };
        read().map_err(self.place.error())
    }

    /// Returns the names that have exports.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn names_with_exports(&self) -> Result<Vec<String>, IndexError> {
        let read = || -> DatabaseResult<_> {
            let sql = "SELECT name FROM export WHERE removed_at IS NULL GROUP BY name ORDER BY min(id)";
            self.connection.prepare(sql)?.query_map(&[], |row| row.get(0))?.collect()
        };
        read().map_err(self.place.error())
    }

    /// Records that an export was written for a certificate. This is cheap and **not durable**: after a power cut the mark may
    /// be missing, and the export is written once more.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn mark_exported(&mut self, id: i64, certificate: EntryId) -> Result<(), IndexError> {
        self.lightly(|connection| Mark::Exported.set(connection, "", id, certificate.0))
    }

    /// Records with which CRLs an export was written. As [`Index::mark_exported`], it is not durable.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn mark_exported_crls(&mut self, id: i64, crls: i64) -> Result<(), IndexError> {
        self.lightly(|connection| Mark::ExportedCrls.set(connection, "", id, crls))
    }
}

impl Transaction<'_> {
    /// Records an export that was written for a certificate. Others with the same destination end.
    ///
    /// # Errors
    /// When a path is not text, or the index cannot be written.
    pub fn add_export(&mut self, export: &NewExport, certificate: EntryId) -> Result<(), IndexError> {
        for earlier in self.exports_to(&export.destination)? {
            self.remove_export(&earlier)?;
        }
        let text =
            |path: &Path| path.to_str().map(str::to_owned).ok_or_else(|| IndexError::PlaceNotUtf8(path.to_owned()));
        let optional = |path: &Option<PathBuf>| path.as_deref().map(text).transpose();
        let inserted = self.transaction.execute(
            "INSERT INTO export (name, kind, target, destination, passphrase_file, key_passphrase_file, options, added_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            values![
                export.name,
                export.kind,
                export.target,
                text(&export.destination)?,
                optional(&export.passphrase_file)?,
                optional(&export.key_passphrase_file)?,
                export.options,
                self.time().unix_timestamp(),
            ],
        );
        inserted.map_err(self.place.error())?;
        let id = self.newest_row("export")?;
        Mark::Exported.set(&self.transaction, "", id, certificate.0).map_err(self.place.error())?;
        let detail = format!("{} {}", export.kind, export.destination.escaped());
        self.event(EventKind::ExportAdd, EventObject::Export, Some(id), &export.name, None, Some(detail))
    }

    /// Records that an export is no longer remembered.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn remove_export(&mut self, stored: &StoredExport) -> Result<(), IndexError> {
        let (id, at) = (stored.id, self.time().unix_timestamp());
        let update = "UPDATE export SET removed_at = ?1 WHERE id = ?2";
        self.transaction.execute(update, values![at, id]).map_err(self.place.error())?;
        let (name, detail) = (&stored.export.name, stored.export.destination.escaped().to_string());
        self.event(EventKind::ExportRemove, EventObject::ExportEnd, Some(id), name, None, Some(detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::index::sample::{context, new_index};

    fn export(name: &str, kind: &str, destination: &str) -> NewExport {
        NewExport {
            name: name.to_owned(),
            kind: kind.to_owned(),
            target: None,
            destination: destination.into(),
            passphrase_file: None,
            key_passphrase_file: None,
            options: String::new(),
        }
    }

    fn change(index: &mut Index, act: impl FnOnce(&mut Transaction<'_>)) {
        let mut transaction = index.transaction(context()).unwrap();
        act(&mut transaction);
        transaction.commit().unwrap();
    }

    #[test]
    fn an_export_replaces_the_one_with_the_same_destination_until_it_is_forgotten() {
        let (_folder, _, mut index) = new_index();
        let kinds = |index: &Index| -> Vec<String> {
            index.exports("WEB").unwrap().into_iter().map(|stored| stored.export.kind).collect()
        };
        change(&mut index, |change| change.add_export(&export("web", "pem", "/a"), EntryId(1)).unwrap());
        change(&mut index, |change| change.add_export(&export("Web", "der", "/b"), EntryId(1)).unwrap());
        assert_eq!(
            (kinds(&index), index.names_with_exports().unwrap().len()),
            (vec!["pem".to_owned(), "der".to_owned()], 1)
        );
        change(&mut index, |change| change.add_export(&export("web", "p12", "/a"), EntryId(2)).unwrap());
        assert_eq!(kinds(&index), ["der", "p12"]);
        let [_, stored] = &index.exports("web").unwrap()[..] else { panic!("not two") };
        assert_eq!(stored.certificate, Some(EntryId(2)));
        index.mark_exported(stored.id, EntryId(7)).unwrap();
        assert_eq!(index.exports("web").unwrap()[1].certificate, Some(EntryId(7)));
        index.mark_exported_crls(stored.id, -3).unwrap();
        assert_eq!(index.exports("web").unwrap()[1].crls, Some(-3));
        change(&mut index, |change| change.remove_export(stored).unwrap());
        assert_eq!(kinds(&index), ["der"]);
        change(&mut index, |change| change.add_export(&export("mail", "pem", "/a"), EntryId(3)).unwrap());
        assert_eq!(kinds(&index), ["der"]);
        change(&mut index, |change| change.add_export(&export("mail", "pem", "/b"), EntryId(3)).unwrap());
        assert_eq!(kinds(&index), [""; 0], "a file has one export, whatever its name");
    }
}
