//! The owner, group and mode that are remembered with a NAME for its files.

use std::collections::HashMap;

use crate::issuance::FileRules;
use crate::store::index::database::{DatabaseResult, OptionalRow, Row, values};
use crate::store::index::write::replacing;
use crate::store::index::{EventKind, EventObject, Index, IndexError, Transaction};

impl Index {
    /// Returns the rules of a NAME; `None` when none are remembered.
    ///
    /// # Errors
    /// When the index cannot be read, or has a mode that no private key has.
    pub fn file_rules(&self, name: &str) -> Result<Option<FileRules>, IndexError> {
        let sql = "SELECT owner, group_name, mode FROM file_rules WHERE name = ?1";
        let from_row = |row: &Row<'_>| -> DatabaseResult<_> {
            let mode: Option<i64> = row.get("mode")?;
            Ok((FileRules { owner: row.get("owner")?, group: row.get("group_name")?, mode: None }, mode))
        };
        let read = || self.connection.prepare_cached(sql)?.query_row(values![name], from_row).optional();
        let found = read().map_err(self.place.error())?;
        found.map(|(rules, mode)| Ok(FileRules { mode: self.mode_of(name, mode)?, ..rules })).transpose()
    }

    /// Returns the modes that are remembered, by NAME in lower case.
    ///
    /// # Errors
    /// As [`file_rules`](Self::file_rules).
    pub fn file_modes(&self) -> Result<HashMap<String, u32>, IndexError> {
        let read = || -> DatabaseResult<Vec<(String, i64)>> {
            let sql = "SELECT name, mode FROM file_rules WHERE mode IS NOT NULL";
            self.connection.prepare(sql)?.query_map(&[], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        let mut modes = HashMap::new();
        for (name, mode) in read().map_err(self.place.error())? {
            modes.extend(self.mode_of(&name, Some(mode))?.map(|mode| (name.to_ascii_lowercase(), mode)));
        }
        Ok(modes)
    }

    /// A changed index must not open a private key to other users.
    pub(super) fn mode_of(&self, name: &str, stored: Option<i64>) -> Result<Option<u32>, IndexError> {
        let Some(stored) = stored else { return Ok(None) };
        let mode = u32::try_from(stored).ok().filter(|mode| crate::issuance::file_rules::is_key_mode(*mode));
        let damaged = || {
            let name = crate::text::escape(name);
            self.damaged(format!("the mode of the private key of '{name}' cannot be read"))
        };
        mode.map(Some).ok_or_else(damaged)
    }
}

impl Transaction<'_> {
    /// Stores the rules of a NAME; empty rules remove what is stored.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn set_file_rules(&mut self, name: &str, rules: &FileRules) -> Result<(), IndexError> {
        let is_removed = rules.is_empty();
        let written = if is_removed {
            self.transaction.execute("DELETE FROM file_rules WHERE name = ?1", values![name])
        } else {
            self.transaction.execute(
                &replacing("file_rules", &["name", "owner", "group_name", "mode"]),
                values![name, rules.owner, rules.group, rules.mode],
            )
        };
        written.map_err(self.place.error())?;
        let kind = if is_removed { EventKind::FileRulesRemove } else { EventKind::FileRulesSet };
        self.event(kind, EventObject::FileRules, None, name, None, (!is_removed).then(|| rules.describe()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::index::sample::{context, new_index};

    fn set(index: &mut Index, name: &str, rules: &FileRules) {
        let mut transaction = index.transaction(context()).unwrap();
        transaction.set_file_rules(name, rules).unwrap();
        transaction.commit().unwrap();
    }

    #[test]
    fn rules_are_remembered_replaced_and_forgotten() {
        let (_folder, _, mut index) = new_index();
        let rules = |mode| FileRules { mode, owner: Some("web".to_owned()), group: None };
        set(&mut index, "web", &rules(Some(0o640)));
        assert_eq!(index.file_modes().unwrap(), [("web".to_owned(), 0o640)].into());
        set(&mut index, "WEB", &rules(None));
        assert_eq!(index.file_rules("Web").unwrap(), Some(rules(None)));
        assert!(index.file_modes().unwrap().is_empty());
        set(&mut index, "web", &FileRules::default());
        assert_eq!(index.file_rules("web").unwrap(), None);
    }

    #[test]
    fn a_mode_that_no_private_key_has_is_damage() {
        let (_folder, _, mut index) = new_index();
        set(&mut index, "web", &FileRules { mode: Some(0o640), ..FileRules::default() });
        index.connection.raw().execute("UPDATE file_rules SET mode = 420", []).unwrap();
        assert!(index.file_rules("web").is_err() && index.file_modes().is_err());
    }
}
