//! The CRL bundles that the index remembers: files with the CRLs of all authorities, and their hooks.

use std::path::{Path, PathBuf};

use crate::store::index::database::{DatabaseResult, Row, values};
use crate::store::index::entry::instant;
use crate::store::index::event_query::FailedHook;
use crate::store::index::write::replacing;
use crate::store::index::{EventKind, EventObject, Index, IndexError, Transaction};

/// A CRL bundle as the index has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBundle {
    /// The absolute path of the file.
    pub path: PathBuf,
    /// The command of the hook, and its time limit in seconds; `None` when there is no hook.
    pub hook: Option<(String, u64)>,
    /// The absolute paths of files with CRLs of CAs above, which are added.
    pub also: Vec<PathBuf>,
    /// SHA-256 of the file that the hook has seen, or of the last file when there is no hook; `None` before the first.
    pub content: Option<[u8; 32]>,
}

impl StoredBundle {
    fn from_row(row: &Row<'_>) -> DatabaseResult<Self> {
        let command: Option<String> = row.get("command")?;
        let timeout: Option<i64> = row.get("timeout")?;
        Ok(Self {
            path: row.get::<_, String>("path")?.into(),
            hook: command.zip(timeout.map(i64::unsigned_abs)),
            also: row.get::<_, String>("also")?.lines().map(PathBuf::from).collect(),
            content: row.get("content")?,
        })
    }
}

impl Index {
    /// Returns the CRL bundles, by path.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn crl_bundles(&self) -> Result<Vec<StoredBundle>, IndexError> {
        let read = || -> DatabaseResult<_> {
            let sql = "SELECT path, command, timeout, also, content FROM crl_bundle ORDER BY path";
            self.connection.prepare_cached(sql)?.query_map(&[], StoredBundle::from_row)?.collect()
        };
        read().map_err(self.place.error())
    }

    /// Returns the CRL bundles whose hook failed when it ran last, with the path as the name.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn failed_bundle_hooks(&self) -> Result<Vec<FailedHook>, IndexError> {
        let read = || -> DatabaseResult<Vec<FailedHook>> {
            // Most CAs have no such hook, and then the log is not read.
            let exists = "SELECT EXISTS (SELECT 1 FROM crl_bundle WHERE command IS NOT NULL)";
            if !self.connection.query_row(exists, &[], |row| row.get(0))? {
                return Ok(Vec::new());
            }
            let mut statement = self.connection.prepare(
                "SELECT e.name, e.at, e.detail FROM event AS e JOIN crl_bundle AS b ON b.path = e.name COLLATE \"binary\"
                 WHERE e.kind = 'hook-failed' AND b.command IS NOT NULL
                   AND NOT EXISTS (SELECT 1 FROM event AS n WHERE n.number > e.number AND b.path = n.name COLLATE \"binary\"
                       AND n.kind IN ('bundle-set', 'bundle-write', 'hook-failed'))
                 ORDER BY e.number",
            )?;
            let failed = |row: &Row<'_>| {
                let how: Option<String> = row.get("detail")?;
                Ok(FailedHook { name: row.get("name")?, at: instant(row, "at")?, how: how.unwrap_or_default() })
            };
            statement.query_map(&[], failed)?.collect()
        };
        read().map_err(self.place.error())
    }
}

impl Transaction<'_> {
    /// Stores a CRL bundle with its hook ([`EventKind::BundleSet`]), or the content that its hook has seen
    /// ([`EventKind::BundleWrite`]).
    ///
    /// # Errors
    /// When the path is not UTF-8, or the index cannot be written.
    pub fn set_crl_bundle(&mut self, kind: EventKind, bundle: &StoredBundle) -> Result<(), IndexError> {
        let path = name_of(&bundle.path)?;
        let (command, timeout) = match &bundle.hook {
            Some((command, timeout)) => (Some(command), Some(timeout.cast_signed())),
            None => (None, None),
        };
        let also = bundle.also.iter().map(|path| name_of(path)).collect::<Result<Vec<_>, _>>()?.join("\n");
        let written = self.transaction.execute(
            &replacing("crl_bundle", &["path", "command", "timeout", "also", "content"]),
            values![path, command, timeout, also, bundle.content],
        );
        written.map_err(self.place.error())?;
        let detail = command.filter(|_| kind == EventKind::BundleSet).cloned();
        self.event(kind, EventObject::CrlBundle, None, path, None, detail)
    }

    /// Removes a CRL bundle; its file is not touched.
    ///
    /// # Errors
    /// When the path is not UTF-8, or the index cannot be written.
    pub fn remove_crl_bundle(&mut self, path: &Path) -> Result<(), IndexError> {
        let path = name_of(path)?;
        let removed = self.transaction.execute("DELETE FROM crl_bundle WHERE path = ?1", values![path]);
        removed.map_err(self.place.error())?;
        self.event(EventKind::BundleRemove, EventObject::CrlBundle, None, path, None, None)
    }
}

fn name_of(path: &Path) -> Result<&str, IndexError> {
    path.to_str().ok_or_else(|| IndexError::PlaceNotUtf8(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::index::sample::{context, new_index};

    fn bundle(path: &str, hook: Option<&str>) -> StoredBundle {
        StoredBundle {
            path: path.into(),
            hook: hook.map(|command| (command.to_owned(), 30)),
            also: vec!["/b c".into()],
            content: None,
        }
    }

    fn change(index: &mut Index, change: impl FnOnce(&mut Transaction<'_>) -> Result<(), IndexError>) {
        let mut transaction = index.transaction(context()).unwrap();
        change(&mut transaction).unwrap();
        transaction.commit().unwrap();
    }

    #[test]
    fn a_bundle_is_remembered_replaced_and_forgotten() {
        let (_folder, _, mut index) = new_index();
        change(&mut index, |change| change.set_crl_bundle(EventKind::BundleSet, &bundle("/a", Some("one"))));
        change(&mut index, |change| change.set_crl_bundle(EventKind::BundleSet, &bundle("/A", None)));
        let written = StoredBundle { content: Some([7; 32]), ..bundle("/a", Some("two")) };
        change(&mut index, |change| change.set_crl_bundle(EventKind::BundleWrite, &written));
        assert_eq!(index.crl_bundles().unwrap(), [bundle("/A", None), written.clone()]);
        change(&mut index, |change| change.remove_crl_bundle(Path::new("/A")));
        assert_eq!(index.crl_bundles().unwrap(), [written]);
    }

    #[test]
    fn a_failed_hook_is_known_until_the_bundle_is_written_or_set_again() {
        let (_folder, _, mut index) = new_index();
        let fail = |index: &mut Index| {
            change(index, |change| {
                change.record_event(EventKind::HookFailed, "/a", Some("exited with status 1".to_owned()));
                Ok(())
            });
        };
        let names = |index: &Index| -> Vec<String> {
            index.failed_bundle_hooks().unwrap().into_iter().map(|failed| failed.name).collect()
        };
        change(&mut index, |change| change.set_crl_bundle(EventKind::BundleSet, &bundle("/a", Some("false"))));
        assert!(names(&index).is_empty());
        fail(&mut index);
        fail(&mut index);
        assert_eq!(names(&index), ["/a"]);
        change(&mut index, |change| change.set_crl_bundle(EventKind::BundleWrite, &bundle("/a", Some("false"))));
        assert!(names(&index).is_empty());
        fail(&mut index);
        change(&mut index, |change| change.set_crl_bundle(EventKind::BundleSet, &bundle("/a", None)));
        assert!(names(&index).is_empty());
    }
}
