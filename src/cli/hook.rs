//! `--hook CMD`: what runs after a change, how its end is reported, and what is done when it failed.

use clap::Args;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser;
use serde_json::{Value, json};

use super::{Context, Failure};
use crate::authority::leaf::hook;
use crate::authority::leaf::hook::{Change, Hook, OnFailure};
use crate::authority::leaf::rollback;
use crate::report::page::{Page, Tone};
use crate::store::config::Config;
use crate::store::home::Home;
use crate::store::index::Reference;
use crate::system::files;
use crate::system::process::{self, Ended, Shell};
use crate::text;
use crate::text::Lifetime;
use crate::x509::SerialNumber;

/// The flags of commands that change files.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "What happens afterwards")]
pub struct HookArguments {
    /// Run this with sh after the files changed, now and after every later change of this name; '' forgets it
    #[arg(long, value_name = "CMD")]
    pub hook: Option<String>,
    /// End a hook that takes longer, with all that it started [default: 5m]
    #[arg(long, value_name = "D", requires = "hook")]
    pub hook_timeout: Option<Lifetime>,
    /// Choose what happens to the new files when the hook fails [default: keep]
    #[arg(long, value_name = "keep|rollback", requires = "hook", value_parser = on_failure())]
    pub hook_failure: Option<OnFailure>,
    /// Do not run the hook of this name this time
    #[arg(long, conflicts_with = "hook")]
    pub no_hook: bool,
}

fn on_failure() -> impl TypedValueParser<Value = OnFailure> {
    let parser = PossibleValuesParser::new(OnFailure::ALL.map(OnFailure::name));
    parser.map(|word| if word == OnFailure::Rollback.name() { OnFailure::Rollback } else { OnFailure::Keep })
}

/// What came of a hook.
#[derive(Debug, Clone)]
pub struct HookReport {
    name: String,
    hook: Hook,
    end: End,
    /// What it said, when that is not shown as it is said.
    output: Option<String>,
    /// What came of the rollback that its failure asked for.
    rolled_back: Option<Result<SerialNumber, String>>,
}

#[derive(Debug, Clone)]
enum End {
    Ended(Ended),
    NotStarted(String),
    /// The program was started by this very hook.
    Within,
}

impl HookArguments {
    /// The hook of the flags, as it is to be remembered: `Some(None)` forgets it, `None` leaves it.
    pub fn given(&self) -> Option<Option<Hook>> {
        let command = self.hook.clone()?;
        if command.trim().is_empty() {
            return Some(None);
        }
        let default = Lifetime::from_seconds(Hook::DEFAULT_TIMEOUT.as_secs());
        let timeout = self.hook_timeout.or(default)?;
        Some(Some(Hook { command, timeout, on_failure: self.hook_failure.unwrap_or(OnFailure::Keep) }))
    }

    /// Remembers the hook that the flags name, whether or not there is anything to run it for.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn remember(&self, home: &Home, name: &str, context: &Context<'_>) -> Result<(), Failure> {
        match self.given() {
            Some(hook) => Ok(hook::remember(home, name, hook.as_ref(), &context.tools())?),
            None => Ok(()),
        }
    }

    /// Runs the hook of a name after a change: that of the flags, else the one that is `remembered`. `None` when there is none.
    ///
    /// # Errors
    /// When the index cannot be read or written. A hook that fails is no error here: the report tells.
    pub fn run(
        &self,
        home: &Home,
        change: &Change<'_>,
        remembered: Option<Hook>,
        secrets: &[&str],
        context: &mut Context<'_>,
    ) -> Result<Option<HookReport>, Failure> {
        self.remember(home, change.name, context)?;
        if self.no_hook {
            return Ok(None);
        }
        let Some(hook) = self.given().unwrap_or(remembered) else { return Ok(None) };
        let mut report =
            HookReport { name: change.name.to_owned(), hook, end: End::Within, output: None, rolled_back: None };
        if hook::is_within(&context.world.environment, change.name) {
            return Ok(Some(report));
        }
        let settings = Config::load(home)?.passphrase;
        let secrets: Vec<&str> = secrets.iter().copied().chain([settings.env.as_str()]).collect();
        report.run(home, change, &secrets, context);
        if report.failed() && report.hook.on_failure == OnFailure::Rollback {
            report.roll_back(home, change, context);
        }
        Ok(Some(report))
    }
}

impl HookReport {
    fn run(&mut self, home: &Home, change: &Change<'_>, secrets: &[&str], context: &Context<'_>) {
        let environment = hook::environment(&context.world.environment, secrets, home, change);
        // Under --json, standard error belongs to the document of a failure.
        let folder = context.world.variable("TMPDIR").map_or_else(|| "/tmp".into(), std::path::PathBuf::from);
        let kept = context.globals.json.then(|| files::unnamed_file(&folder, context.world.entropy.as_ref()));
        let ended = match kept.transpose() {
            Err(error) => Err(error.to_string()),
            Ok(kept) => {
                let shell = Shell {
                    command: &self.hook.command,
                    environment: &environment,
                    folder: &context.world.working_folder,
                    timeout: self.hook.timeout(),
                    output: kept.as_ref().and_then(|file| file.try_clone().ok()),
                };
                let ended = shell.run().map_err(|error| error.to_string());
                self.output = kept.as_ref().and_then(|file| process::said(file).ok());
                ended
            }
        };
        self.end = match ended {
            Ok(ended) => End::Ended(ended),
            Err(cause) => End::NotStarted(cause),
        };
    }

    /// Puts the certificate back that was in place before the change.
    fn roll_back(&mut self, home: &Home, change: &Change<'_>, context: &Context<'_>) {
        let Some(previous) = change.previous else { return };
        let reference = Reference::Name(change.name.to_owned());
        let order = rollback::Order { reference, to: Some(previous.clone()) };
        let outcome = rollback::rollback(home, &order, &context.tools());
        self.rolled_back = Some(outcome.map(|outcome| outcome.entry.serial).map_err(|error| error.to_string()));
    }

    pub fn failed(&self) -> bool {
        !matches!(self.end, End::Ended(Ended::Exited(0)) | End::Within)
    }

    /// The word for how it ended.
    pub fn status(&self) -> &'static str {
        match &self.end {
            End::Ended(Ended::Exited(0)) => "done",
            End::Ended(Ended::TimedOut) => "timed-out",
            End::Ended(_) => "failed",
            End::NotStarted(_) => "not-started",
            End::Within => "skipped",
        }
    }

    fn how(&self) -> String {
        match &self.end {
            End::Ended(Ended::Exited(0)) => "done".to_owned(),
            End::Ended(Ended::Exited(status)) => format!("ended with exit status {status}"),
            End::Ended(Ended::Killed(signal)) => format!("was ended by signal {signal}"),
            End::Ended(Ended::TimedOut) => format!("had not ended after {}, and was ended", self.hook.timeout),
            End::NotStarted(cause) => format!("could not be started: {cause}"),
            End::Within => "not run within itself".to_owned(),
        }
    }

    /// What was done about the files: a sentence.
    fn aftermath(&self) -> String {
        match (&self.rolled_back, self.hook.on_failure) {
            (Some(Ok(serial)), _) => format!("the files of serial {serial} are in place again"),
            (Some(Err(cause)), _) => {
                format!("the new files stay in place, because they could not be rolled back: {cause}")
            }
            (None, OnFailure::Rollback) => {
                "there is nothing to roll back to, and the new files stay in place".to_owned()
            }
            (None, OnFailure::Keep) => "the new files stay in place".to_owned(),
        }
    }

    pub fn text(&self, page: &mut Page) {
        let tone = if self.failed() { Tone::Bad } else { Tone::Plain };
        page.toned_field("hook", tone, &format!("{} ({})", text::escape(&self.hook.command), self.how()));
        if self.failed() {
            page.field("", &self.aftermath());
        }
    }

    pub fn json(&self) -> Value {
        let (exit_status, signal) = match &self.end {
            End::Ended(Ended::Exited(status)) => (Some(*status), None),
            End::Ended(Ended::Killed(signal)) => (None, Some(*signal)),
            _ => (None, None),
        };
        json!({
            "command": self.hook.command,
            "status": self.status(),
            "exit_status": exit_status,
            "signal": signal,
            "output": self.output,
            "on_failure": self.hook.on_failure.name(),
            "rolled_back_to": self.rolled_back.as_ref().and_then(|back| back.as_ref().ok()).map(SerialNumber::to_string),
        })
    }

    /// The failure that a hook is which did not do what it should; `None` when it did.
    pub fn failure(&self) -> Option<Failure> {
        if !self.failed() {
            return None;
        }
        let sentence = format!("the hook of '{}' {}; {}", self.name, self.how(), self.aftermath());
        let failure = Failure::refused("hook-failed", sentence);
        let last = self.output.iter().flat_map(|output| output.lines().rev().take(1));
        let failure = last.fold(failure, |failure, line| failure.hint(format!("the last that it said: {line}")));
        Some(match self.rolled_back {
            None => failure.hint(format!("by hand: {}", text::escape(&self.hook.command))),
            Some(_) => failure,
        })
    }
}

/// How commands show that a name has a hook.
pub fn hook_json(hook: Option<&Hook>) -> Value {
    let shown = |hook: &Hook| {
        let (timeout, on_failure) = (hook.timeout.as_seconds(), hook.on_failure.name());
        json!({ "command": hook.command, "timeout_seconds": timeout, "on_failure": on_failure })
    };
    hook.map_or(Value::Null, shown)
}
