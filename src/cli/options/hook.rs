//! `--hook CMD`: what runs after the files of a name changed.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::app::run_hook::HookOptions;
use crate::authority::leaf::hook::{Hook, OnFailure};
use crate::text::Lifetime;

/// The flags of commands that change files.
#[derive(Debug, Clone, Default, Args)]
pub struct HookArguments {
    /// Run this with sh after the files changed, now and after every later change of this name; '' forgets it
    #[arg(long, help_heading = "Hook", value_name = "CMD")]
    pub hook: Option<String>,
    /// Stop a hook that takes longer, with every process that it started [default: 5m]
    #[arg(long, help_heading = "Hook", value_name = "D", requires = "hook")]
    pub hook_timeout: Option<Lifetime>,
    /// Choose what happens to the new files when the hook fails [default: keep]
    #[arg(long, help_heading = "Hook", value_name = "keep|rollback", requires = "hook", value_parser = on_failure())]
    pub hook_failure: Option<OnFailure>,
    /// Do not run the hook of this name this time
    #[arg(long, help_heading = "Hook", conflicts_with = "hook")]
    pub no_hook: bool,
}

fn on_failure() -> impl TypedValueParser<Value = OnFailure> {
    let parser = PossibleValuesParser::new(OnFailure::ALL.map(OnFailure::name));
    parser.map(|word| if word == OnFailure::Rollback.name() { OnFailure::Rollback } else { OnFailure::Keep })
}

impl HookArguments {
    /// What the flags say, without the words of the command line.
    pub fn options(&self) -> HookOptions {
        HookOptions { hook: self.given(), skip: self.no_hook }
    }

    /// `Some(None)` forgets the hook of the name, `None` leaves it as it is.
    fn given(&self) -> Option<Option<Hook>> {
        let command = self.hook.clone()?;
        if command.trim().is_empty() {
            return Some(None);
        }
        let default = Lifetime::from_seconds(Hook::DEFAULT_TIMEOUT.as_secs());
        let timeout = self.hook_timeout.or(default)?;
        Some(Some(Hook { command, timeout, on_failure: self.hook_failure.unwrap_or(OnFailure::Keep) }))
    }
}
