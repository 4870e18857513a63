//! The flags of commands that change something: a dry run, the confirmation at a terminal, and an exit status that says whether
//! anything changed.

use clap::Args;

use crate::app::context::Context;

/// `--dry-run`.
#[derive(Debug, Clone, Copy, Args)]
pub struct DryRunArgument {
    /// Show what would be changed, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// `--dry-run` and `--yes`.
#[derive(Debug, Clone, Copy, Args)]
pub struct ConfirmArguments {
    /// Show what would be changed, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for a confirmation at a terminal
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
}

/// `--dry-run`, and `--yes` for what `--force` replaces.
#[derive(Debug, Clone, Copy, Args)]
pub struct ConfirmForceArguments {
    /// Show what would be changed, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask for a confirmation at a terminal
    #[arg(long, requires = "force", conflicts_with = "dry_run")]
    yes: bool,
}

/// `--exit-changed`.
#[derive(Debug, Clone, Copy, Args)]
pub struct ExitChangedArgument {
    /// Exit with status 10 instead of 0 when something was changed
    #[arg(long, conflicts_with = "dry_run")]
    exit_changed: bool,
}

impl DryRunArgument {
    pub fn apply(self, context: &mut Context<'_>) -> bool {
        context.changes.dry_run = self.dry_run;
        self.dry_run
    }
}

impl ConfirmArguments {
    pub fn apply(self, context: &mut Context<'_>) -> bool {
        (context.changes.dry_run, context.changes.is_confirmed) = (self.dry_run, self.yes);
        self.dry_run
    }
}

impl ConfirmForceArguments {
    pub fn apply(self, context: &mut Context<'_>) -> bool {
        (context.changes.dry_run, context.changes.is_confirmed) = (self.dry_run, self.yes);
        self.dry_run
    }
}

impl ExitChangedArgument {
    pub fn apply(self, context: &mut Context<'_>) {
        context.changes.exit_changed = self.exit_changed;
    }
}
