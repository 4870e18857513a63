//! Running the hook of a name after its files changed, and the rollback that its failure asks for.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;

use crate::app::context::Context;
use crate::app::remembered_exports;
use crate::authority::leaf::hook::{self, Hook, HookEvent, OnFailure};
use crate::authority::leaf::rollback;
use crate::report::failure::Failure;
use crate::report::output::OutputFormat;
use crate::store::Store;
use crate::store::index::Reference;
use crate::system::files;
use crate::system::process::{self, Ended, Shell};
use crate::text::io_reason;
use crate::x509::SerialNumber;

/// What is to be done about the hook of a name.
#[derive(Debug, Clone)]
pub struct HookOptions {
    /// A new hook; `Some(None)` forgets the hook of the name, `None` leaves it as it is.
    pub hook: Option<Option<Hook>>,
    /// Does not run the hook this time.
    pub skip: bool,
}

/// What came of a hook.
#[derive(Debug, Clone)]
pub struct HookRun {
    pub name: String,
    pub hook: Hook,
    pub end: End,
    /// What it printed, when that is kept and not shown while it runs.
    pub output: Option<String>,
    /// What came of the rollback that its failure asked for.
    pub rolled_back: Option<Result<SerialNumber, String>>,
}

/// How a hook ended.
#[derive(Debug, Clone)]
pub enum End {
    Ended(Ended),
    NotStarted(String),
    /// The program was started by this very hook.
    Within,
}

impl HookOptions {
    /// Remembers the hook that was given, whether or not there is anything to run it for.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn remember(&self, store: &Store, name: &str, context: &Context<'_>) -> Result<(), Failure> {
        match &self.hook {
            Some(hook) => Ok(hook::remember(store, name, hook.as_ref(), &context.effects())?),
            None => Ok(()),
        }
    }

    /// Runs the hook of a name after a change: the one that was given, else the one that is `remembered`. `None` when there is none.
    ///
    /// # Errors
    /// When the index cannot be read or written. A hook that fails is not an error here.
    pub fn run(
        &self,
        store: &Store,
        change: &HookEvent<'_>,
        remembered: Option<Hook>,
        secrets: &[&str],
        context: &mut Context<'_>,
    ) -> Result<Option<HookRun>, Failure> {
        self.remember(store, change.name, context)?;
        if self.skip {
            return Ok(None);
        }
        let Some(hook) = self.hook.clone().unwrap_or(remembered) else { return Ok(None) };
        let mut report =
            HookRun { name: change.name.to_owned(), hook, end: End::Within, output: None, rolled_back: None };
        if hook::is_within(&context.world.environment, change.name) {
            return Ok(Some(report));
        }
        let settings = &store.config().passphrase;
        let secrets: Vec<&str> = secrets.iter().copied().chain([settings.env.as_str()]).collect();
        report.run(&hook::environment(&context.world.environment, &secrets, store.home(), change), context);
        if report.failed() {
            if report.hook.on_failure == OnFailure::Rollback {
                report.roll_back(store, change, context);
                if matches!(report.rolled_back, Some(Ok(_))) {
                    restore_exports(store, change.name, context);
                }
            }
            // The failure is reported in any case; this record is for 'ca status'.
            drop(hook::record_failure(store, change.name, report.how(), &context.effects()));
        }
        Ok(Some(report))
    }
}

/// Writes the exports of a name again after a rollback. One that fails stays pending, and `ca renew --due` writes it.
fn restore_exports(store: &Store, name: &str, context: &mut Context<'_>) {
    let failure = match remembered_exports::refresh(store, name, context) {
        Ok(runs) => remembered_exports::failure(name, &runs),
        Err(failure) => Some(failure),
    };
    if let Some(failure) = failure {
        context.warn_at_end(failure.message);
    }
}

impl HookRun {
    /// Runs the hook of a CRL bundle after its file changed, and records when it fails.
    pub fn of_bundle(store: &Store, bundle: &Path, hook: Hook, secret: Option<&str>, context: &Context<'_>) -> Self {
        let name = bundle.to_string_lossy().into_owned();
        let mut report = Self { name, hook, end: End::Within, output: None, rolled_back: None };
        if hook::is_within(&context.world.environment, &report.name) {
            return report;
        }
        let secrets: Vec<&str> = secret.into_iter().chain([store.config().passphrase.env.as_str()]).collect();
        report.run(&hook::bundle_environment(&context.world.environment, &secrets, store.home(), bundle), context);
        if report.failed() {
            // The failure is reported in any case; this record is for 'ca status'.
            drop(hook::record_failure(store, &report.name, report.how(), &context.effects()));
        }
        report
    }

    /// Runs the hook of a name after the CRLs in its exports changed. Its failure is not recorded, because the exports count as
    /// outdated until it succeeds; and there is no certificate to roll back.
    pub fn of_exports(
        store: &Store,
        event: &HookEvent<'_>,
        hook: Hook,
        secret: Option<&str>,
        context: &Context<'_>,
    ) -> Self {
        let hook = Hook { on_failure: OnFailure::Keep, ..hook };
        let name = event.name.to_owned();
        let mut report = Self { name, hook, end: End::Within, output: None, rolled_back: None };
        if hook::is_within(&context.world.environment, event.name) {
            return report;
        }
        let secrets: Vec<&str> = secret.into_iter().chain([store.config().passphrase.env.as_str()]).collect();
        report.run(&hook::environment(&context.world.environment, &secrets, store.home(), event), context);
        report
    }

    /// Runs a hook once for all names that have it, and records for each name when it fails.
    pub fn of_names(
        store: &Store,
        changes: &[HookEvent<'_>],
        hook: Hook,
        secret: Option<&str>,
        context: &Context<'_>,
    ) -> Self {
        let program = &context.world.environment;
        let names: Vec<&str> = changes.iter().map(|change| change.name).collect();
        let mut report = Self { name: names.join(", "), hook, end: End::Within, output: None, rolled_back: None };
        if names.iter().any(|name| hook::is_within(program, name)) {
            return report;
        }
        let secrets: Vec<&str> = secret.into_iter().chain([store.config().passphrase.env.as_str()]).collect();
        let environment = match changes {
            [change] => hook::environment(program, &secrets, store.home(), change),
            _ => {
                let action = changes.first().map_or("", |change| change.action);
                hook::environment_of_several(program, &secrets, store.home(), action, &names)
            }
        };
        report.run(&environment, context);
        if report.failed() {
            // The failure is reported in any case; this record is for 'ca status'.
            drop(hook::record_failures(store, &names, &report.how(), &context.effects()));
        }
        report
    }

    fn run(&mut self, environment: &HashMap<OsString, OsString>, context: &Context<'_>) {
        // With JSON, standard error has only the document of a failure.
        let folder = context.world.variable("TMPDIR").map_or_else(|| "/tmp".into(), std::path::PathBuf::from);
        let kept = (context.format == OutputFormat::Json)
            .then(|| files::unnamed_file(&folder, context.world.entropy.as_ref()));
        let ended = match kept.transpose() {
            Err(error) => Err(error.to_string()),
            Ok(kept) => {
                let shell = Shell {
                    command: &self.hook.command,
                    environment,
                    folder: &context.world.working_folder,
                    timeout: self.hook.timeout(),
                    output: kept.as_ref().and_then(|file| file.try_clone().ok()),
                };
                let ended = shell.run().map_err(|error| io_reason(&error).to_string());
                self.output = kept.as_ref().and_then(|file| process::output_of(file).ok());
                ended
            }
        };
        self.end = match ended {
            Ok(ended) => End::Ended(ended),
            Err(cause) => End::NotStarted(cause),
        };
    }

    /// Puts the certificate back that was in place before the change.
    fn roll_back(&mut self, store: &Store, change: &HookEvent<'_>, context: &Context<'_>) {
        let Some(previous) = change.previous else { return };
        let reference = Reference::Name(change.name.to_owned());
        let order = rollback::RollbackOrder { reference, to: Some(previous.clone()) };
        let outcome = rollback::rollback(store, &order, &context.effects());
        self.rolled_back = Some(outcome.map(|outcome| outcome.entry.serial).map_err(|error| error.to_string()));
    }

    /// Returns how the hook ended, as a phrase.
    pub fn how(&self) -> String {
        match &self.end {
            End::Ended(Ended::Exited(0)) => "done".to_owned(),
            End::Ended(Ended::Exited(status)) => format!("exited with status {status}"),
            End::Ended(Ended::Killed(signal)) => format!("was stopped by signal {signal}"),
            End::Ended(Ended::TimedOut) => format!("did not exit within {}, and was stopped", self.hook.timeout),
            End::NotStarted(cause) => format!("could not be started: {cause}"),
            End::Within => "not run within itself".to_owned(),
        }
    }

    /// Whether the hook did not do what it should.
    pub fn failed(&self) -> bool {
        !matches!(self.end, End::Ended(Ended::Exited(0)) | End::Within)
    }
}
