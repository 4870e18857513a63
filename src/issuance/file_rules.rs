//! The owner, group and mode of the files of a certificate: what a template says, and what is remembered with a name.

/// Owner and mode of the files of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileRules {
    /// The mode of the private key; other users can never read it.
    pub mode: Option<u32>,
    pub owner: Option<String>,
    pub group: Option<String>,
}

/// What a command line says about the rules of a name: `None` leaves a rule as it is, `Some(None)` forgets it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileRulesChange {
    pub mode: Option<Option<u32>>,
    pub owner: Option<Option<String>>,
    pub group: Option<Option<String>>,
}

/// The modes that a private key can have, for messages.
pub const KEY_MODES: &str = "0600, 0640, 0400 or 0440";

/// Reads the mode of a private key: the owner must be able to read it; apart from the owner only the group may, and it is
/// never executable. `None` for any other mode.
pub fn key_mode(written: &str) -> Option<u32> {
    // The parser of numbers accepts a sign.
    let is_octal = written.bytes().all(|digit| digit.is_ascii_digit());
    u32::from_str_radix(written, 8).ok().filter(|mode| is_octal && is_key_mode(*mode))
}

/// Returns whether a private key can have this mode.
pub const fn is_key_mode(mode: u32) -> bool {
    mode & !0o640 == 0 && mode & 0o400 != 0
}

impl FileRules {
    /// Returns these rules, and where they are silent those of `base`.
    pub fn over(self, base: &Self) -> Self {
        Self {
            mode: self.mode.or(base.mode),
            owner: self.owner.or_else(|| base.owner.clone()),
            group: self.group.or_else(|| base.group.clone()),
        }
    }

    /// Returns whether they say nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the rules as they are shown: `mode 0640, owner web, group ssl-cert`.
    pub fn describe(&self) -> String {
        let mode = self.mode.map(|mode| format!("mode {mode:04o}"));
        let owner = self.owner.as_ref().map(|owner| format!("owner {owner}"));
        let group = self.group.as_ref().map(|group| format!("group {group}"));
        [mode, owner, group].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl FileRulesChange {
    /// Returns what the rules of the name are after this change.
    pub fn applied_to(&self, remembered: &FileRules) -> FileRules {
        FileRules {
            mode: self.mode.unwrap_or(remembered.mode),
            owner: self.owner.clone().unwrap_or_else(|| remembered.owner.clone()),
            group: self.group.clone().unwrap_or_else(|| remembered.group.clone()),
        }
    }

    /// Returns whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_key_is_read_by_its_owner_and_at_most_its_group() {
        for (written, mode) in [("0600", 0o600), ("0640", 0o640), ("400", 0o400), ("0440", 0o440)] {
            assert_eq!(key_mode(written), Some(mode), "{written}");
        }
        for written in ["0644", "0604", "0660", "0240", "0700", "0040", "4600", "", "rw", "+600", "0o600", "0x1", "900"]
        {
            assert_eq!(key_mode(written), None, "{written}");
        }
    }

    #[test]
    fn a_change_wins_over_what_is_remembered_and_that_over_the_template() {
        let rules = |mode, owner: Option<&str>, group: Option<&str>| FileRules {
            mode,
            owner: owner.map(str::to_owned),
            group: group.map(str::to_owned),
        };
        let template = rules(Some(0o640), Some("web"), Some("ssl"));
        let remembered = rules(Some(0o400), Some("postgres"), None);
        let change = FileRulesChange { owner: Some(None), mode: Some(Some(0o440)), group: None };
        let wanted = change.applied_to(&remembered);
        assert_eq!(wanted, rules(Some(0o440), None, None), "a rule that is forgotten is that of the template again");
        assert_eq!(wanted.over(&template), rules(Some(0o440), Some("web"), Some("ssl")));
        assert_eq!(FileRulesChange::default().applied_to(&remembered), remembered);
        assert_eq!(remembered.describe(), "mode 0400, owner postgres");
    }
}
