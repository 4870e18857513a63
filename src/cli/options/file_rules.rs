//! `--owner USER --group GROUP --mode MODE`: who can read the files of a name.

use clap::Args;

use crate::issuance::FileRulesChange;
use crate::issuance::file_rules::{KEY_MODES, key_mode};

/// The flags of commands that write a private key.
#[derive(Debug, Clone, Default, Args)]
pub struct FileRuleArguments {
    #[command(flatten)]
    pub owner: OwnerArguments,
    /// Give the private key this mode, now and after every later change of this name: 0600, 0640, 0400 or 0440; '' forgets it
    #[arg(long, value_name = "MODE", value_parser = mode)]
    pub mode: Option<Mode>,
}

/// The flags of commands that write certificates.
#[derive(Debug, Clone, Default, Args)]
pub struct OwnerArguments {
    /// Give the files to this user, by name or number, now and after every later change of this name; '' forgets it
    #[arg(long, help_heading = "Owner of the files", value_name = "USER")]
    pub owner: Option<String>,
    /// Give the files to this group, likewise; with --mode 0640 its members can read the private key
    #[arg(long, help_heading = "Owner of the files", value_name = "GROUP")]
    pub group: Option<String>,
}

/// The mode of a private key; `None` forgets it.
#[derive(Debug, Clone, Copy)]
pub struct Mode(Option<u32>);

fn mode(given: &str) -> Result<Mode, String> {
    match given {
        "" => Ok(Mode(None)),
        given => key_mode(given)
            .map(|mode| Mode(Some(mode)))
            .ok_or_else(|| format!("it is not a mode for a private key, which are {KEY_MODES}")),
    }
}

impl FileRuleArguments {
    /// Returns what the flags say.
    pub fn change(&self) -> FileRulesChange {
        FileRulesChange { mode: self.mode.map(|Mode(mode)| mode), ..self.owner.change() }
    }
}

impl OwnerArguments {
    /// Returns what the flags say.
    pub fn change(&self) -> FileRulesChange {
        let named =
            |given: &Option<String>| given.as_ref().map(|name| Some(name.clone()).filter(|name| !name.is_empty()));
        FileRulesChange { mode: None, owner: named(&self.owner), group: named(&self.group) }
    }
}
