//! The names that a manifest declares, and what is known of many names at once: for a decision about thousands of names, a few
//! queries have to be enough.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::issuance::FileRules;
use crate::store::index::database::{DatabaseResult, OptionalRow, Row, ValueRef, values};
use crate::store::index::export::StoredExport;
use crate::store::index::query::{FROM, SELECT};
use crate::store::index::write::replacing;
use crate::store::index::{
    Entry, EventKind, EventObject, Index, IndexError, Rollback, StoredHook, Transaction, placement,
};
use crate::text::PathText;

/// The most names in one query.
const MOST_NAMES: usize = 500;

/// What a manifest declares of a name, as far as the certificate does not show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The file; absolute.
    pub manifest: PathBuf,
    /// SHA-256 of the text of the template, and of what that is based on.
    pub template_digest: [u8; 32],
    /// The lifetime in seconds; `None` for that of the template.
    pub lifetime: Option<u64>,
    /// True from a change of the files until the hook has run.
    pub pending_hook: bool,
}

/// What the index has of one name.
#[derive(Debug, Clone, Default)]
pub struct NameRecords {
    /// Every certificate, the oldest first.
    pub certificates: Vec<Entry>,
    pub rollbacks: Vec<Rollback>,
    pub file_rules: FileRules,
    pub hook: Option<StoredHook>,
    pub exports: Vec<StoredExport>,
    pub declaration: Option<Declaration>,
}

impl Declaration {
    fn from_row(row: &Row<'_>) -> DatabaseResult<Self> {
        Ok(Self {
            manifest: PathBuf::from(row.get::<_, String>("manifest")?),
            template_digest: row.get("template_digest")?,
            lifetime: row.get::<_, Option<i64>>("lifetime")?.map(i64::unsigned_abs),
            pending_hook: row.get("pending_hook")?,
        })
    }
}

impl Index {
    /// Returns the declaration of a NAME; `None` when no manifest declares it.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn declaration(&self, name: &str) -> Result<Option<Declaration>, IndexError> {
        let read = || -> DatabaseResult<_> {
            let sql = "SELECT * FROM declaration WHERE name = ?1";
            self.connection.prepare_cached(sql)?.query_row(values![name], Declaration::from_row).optional()
        };
        read().map_err(self.place.error())
    }

    /// Returns the names that a manifest declares, sorted.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn declared_by(&self, manifest: &Path) -> Result<Vec<String>, IndexError> {
        let Some(manifest) = manifest.to_str() else { return Ok(Vec::new()) };
        let read = || -> DatabaseResult<_> {
            let sql = "SELECT name FROM declaration WHERE manifest = ?1 ORDER BY name";
            self.connection.prepare(sql)?.query_map(values![manifest], |row| row.get(0))?.collect()
        };
        read().map_err(self.place.error())
    }

    /// Returns what the index has of these names, by NAME in lower case. A name that it does not know is left out.
    ///
    /// # Errors
    /// When the index cannot be read, or has a value that this program never writes.
    pub fn records_of(&self, names: &[&str]) -> Result<HashMap<String, NameRecords>, IndexError> {
        let mut found: HashMap<String, NameRecords> = HashMap::with_capacity(names.len());
        // Everything is of one time.
        let _reading = self.reading()?;
        let failed = self.place.error();
        if names.len() > MOST_NAMES {
            self.connection.read_much().map_err(&failed)?;
        }
        for names in names.chunks(MOST_NAMES) {
            self.each_of(names, &format!("{SELECT} {}", *FROM), "c.name", "c.id", |row| {
                let entry = Entry::from_row(row)?;
                found.entry(entry.name.to_ascii_lowercase()).or_default().certificates.push(entry);
                Ok(())
            })?;
            self.each_of(names, "SELECT * FROM rollback", "name", "id", |row| {
                found.entry(key(row)?).or_default().rollbacks.push(Rollback::from_row(row)?);
                Ok(())
            })?;
            let mut rules = Vec::new();
            self.each_of(names, "SELECT * FROM file_rules", "name", "name", |row| {
                let mode: Option<i64> = row.get("mode")?;
                rules.push((
                    key(row)?,
                    FileRules { owner: row.get("owner")?, group: row.get("group_name")?, mode: None },
                    mode,
                ));
                Ok(())
            })?;
            for (name, rules, mode) in rules {
                let rules = FileRules { mode: self.mode_of(&name, mode)?, ..rules };
                found.entry(name).or_default().file_rules = rules;
            }
            self.each_of(names, "SELECT * FROM hook", "name", "name", |row| {
                found.entry(key(row)?).or_default().hook = Some(placement::hook_of(row)?);
                Ok(())
            })?;
            self.each_of(names, "SELECT * FROM export", "removed_at IS NULL AND name", "id", |row| {
                found.entry(key(row)?).or_default().exports.push(StoredExport::from_row(row)?);
                Ok(())
            })?;
            self.each_of(names, "SELECT * FROM declaration", "name", "name", |row| {
                found.entry(key(row)?).or_default().declaration = Some(Declaration::from_row(row)?);
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// Calls `each` for every row of a query whose column is one of the names.
    fn each_of(
        &self,
        names: &[&str],
        select: &str,
        column: &str,
        order: &str,
        mut each: impl FnMut(&Row<'_>) -> DatabaseResult<()>,
    ) -> Result<(), IndexError> {
        let mut read = || -> DatabaseResult<()> {
            let values = (1..=names.len()).map(|number| format!("?{number}")).collect::<Vec<_>>().join(",");
            let sql = format!("{select} WHERE {column} IN ({values}) ORDER BY {order}");
            let mut statement = self.connection.prepare_cached(&sql)?;
            let names: Vec<ValueRef<'_>> = names.iter().map(|name| ValueRef::of_text(name)).collect();
            let mut rows = statement.query(&names)?;
            while let Some(row) = rows.next()? {
                each(&row)?;
            }
            Ok(())
        };
        read().map_err(self.place.error())
    }
}

fn key(row: &Row<'_>) -> DatabaseResult<String> {
    row.get::<_, String>("name").map(|name| name.to_ascii_lowercase())
}

impl Transaction<'_> {
    /// Stores what a manifest declares of a NAME; `None` removes it.
    ///
    /// # Errors
    /// When the path is not UTF-8, or the index cannot be written.
    pub fn set_declaration(&mut self, name: &str, declaration: Option<&Declaration>) -> Result<(), IndexError> {
        let Some(Declaration { manifest, template_digest, lifetime, pending_hook }) = declaration else {
            let removed = self.transaction.execute("DELETE FROM declaration WHERE name = ?1", values![name]);
            removed.map_err(self.place.error())?;
            return self.event(EventKind::DeclarationRemove, EventObject::Declaration, None, name, None, None);
        };
        let path = manifest.to_str().ok_or_else(|| IndexError::PlaceNotUtf8(manifest.clone()))?;
        let written = self.transaction.execute(
            &replacing("declaration", &["name", "manifest", "template_digest", "lifetime", "pending_hook"]),
            values![name, path, template_digest, lifetime.map(u64::cast_signed), pending_hook],
        );
        written.map_err(self.place.error())?;
        let detail = Some(manifest.escaped().to_string());
        self.event(EventKind::DeclarationSet, EventObject::Declaration, None, name, None, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::index::sample::{NOW, Sample, add, context, new_index};

    fn declaration(manifest: &str) -> Declaration {
        Declaration { manifest: manifest.into(), template_digest: [7; 32], lifetime: Some(60), pending_hook: true }
    }

    fn change(index: &mut Index, act: impl FnOnce(&mut Transaction<'_>)) {
        let mut transaction = index.transaction(context()).unwrap();
        act(&mut transaction);
        transaction.commit().unwrap();
    }

    #[test]
    fn a_name_has_one_manifest_until_it_is_no_longer_declared() {
        let (_folder, _, mut index) = new_index();
        let set = |index: &mut Index, name: &str, to: Option<&Declaration>| {
            change(index, |change| change.set_declaration(name, to).unwrap());
        };
        set(&mut index, "web", Some(&declaration("/a")));
        set(&mut index, "api", Some(&declaration("/a")));
        set(&mut index, "WEB", Some(&Declaration { lifetime: None, ..declaration("/b") }));
        assert_eq!(index.declared_by(Path::new("/a")).unwrap(), ["api"]);
        assert_eq!(index.declaration("Web").unwrap().unwrap().lifetime, None);
        assert_eq!(index.declaration("api").unwrap(), Some(declaration("/a")));
        set(&mut index, "api", None);
        assert_eq!((index.declaration("api").unwrap(), index.declared_by(Path::new("/a")).unwrap().len()), (None, 0));
    }

    #[test]
    fn the_records_of_a_thousand_names_are_those_of_each_name() {
        let (_folder, _, mut index) = new_index();
        let names: Vec<String> = (0..1200).map(|number| format!("n{number}.test")).collect();
        for (number, name) in names.iter().enumerate().step_by(400) {
            let serial = 2 * number as u32 + 1;
            let first = add(&mut index, &Sample { serial, ..Sample::default() }, &name.to_uppercase());
            index.mark_delivered(first, NOW).unwrap();
            add(&mut index, &Sample { serial: serial + 1, ..Sample::default() }, name);
            let hook = StoredHook { command: name.clone(), timeout: 9, on_failure: "keep".to_owned() };
            change(&mut index, |change| {
                change.set_hook(name, Some(&hook)).unwrap();
                change.set_declaration(name, Some(&declaration("/a"))).unwrap();
                let rules = FileRules { mode: Some(0o640), ..FileRules::default() };
                change.set_file_rules(name, &rules).unwrap();
            });
        }
        let asked: Vec<&str> = names.iter().map(String::as_str).collect();
        let found = index.records_of(&asked).unwrap();
        assert_eq!(found.len(), 3);
        for (name, records) in &found {
            assert_eq!(records.certificates, index.history(name).unwrap());
            assert_eq!(records.hook, index.hook(name).unwrap());
            assert_eq!(Some(&records.file_rules), index.file_rules(name).unwrap().as_ref());
            assert_eq!(records.declaration, index.declaration(name).unwrap());
        }
    }
}
