//! A hook and how it ended, as every command shows it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::app::run_hook::{End, HookRun};
use crate::authority::leaf::hook::{Hook, OnFailure};
use crate::report::failure::Failure;
use crate::report::json::Serial;
use crate::report::page::{Page, Tone};
use crate::system::process::Ended;
use crate::text;

/// The word for how it ended.
fn status(run: &HookRun) -> &'static str {
    match &run.end {
        End::Ended(Ended::Exited(0)) => "done",
        End::Ended(Ended::TimedOut) => "timed-out",
        End::Ended(_) => "failed",
        End::NotStarted(_) => "not-started",
        End::Within => "skipped",
    }
}

/// What was done about the files: a sentence.
fn aftermath(run: &HookRun) -> String {
    match (&run.rolled_back, run.hook.on_failure) {
        (Some(Ok(serial)), _) => format!("the files of serial {serial} are deployed again"),
        (Some(Err(cause)), _) => {
            format!("the new files stay deployed, because they could not be rolled back: {cause}")
        }
        (None, OnFailure::Rollback) => "there is nothing to roll back to, and the new files stay deployed".to_owned(),
        (None, OnFailure::Keep) => "the new files stay deployed".to_owned(),
    }
}

/// The field of a hook that was run.
pub fn hook_fields(run: &HookRun, page: &mut Page) {
    let tone = if run.failed() { Tone::Bad } else { Tone::Plain };
    page.toned_field("hook", tone, &format!("{} ({})", text::escape(&run.hook.command), run.how()));
    if run.failed() {
        page.field("", &aftermath(run));
    }
}

/// A hook that was run.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "HookRun")]
pub struct HookRunJson<'a> {
    /// For `sh -c`.
    command: &'a str,
    /// `skipped`: it is not run within itself.
    #[schemars(extend("enum" = ["done", "failed", "timed-out", "not-started", "skipped"]))]
    status: &'static str,
    exit_status: Option<i32>,
    signal: Option<i32>,
    /// What it wrote on both streams, the first 64 KiB.
    output: Option<&'a str>,
    /// What is done when it fails.
    #[schemars(extend("enum" = ["keep", "rollback"]))]
    on_failure: &'static str,
    /// The serial number of the certificate that is in place again.
    rolled_back_to: Option<Serial<'a>>,
}

impl<'a> HookRunJson<'a> {
    pub fn new(run: &'a HookRun) -> Self {
        let (exit_status, signal) = match &run.end {
            End::Ended(Ended::Exited(status)) => (Some(*status), None),
            End::Ended(Ended::Killed(signal)) => (None, Some(*signal)),
            _ => (None, None),
        };
        Self {
            command: &run.hook.command,
            status: status(run),
            exit_status,
            signal,
            output: run.output.as_deref(),
            on_failure: run.hook.on_failure.name(),
            rolled_back_to: run.rolled_back.as_ref().and_then(|back| back.as_ref().ok()).map(Serial),
        }
    }
}

/// The failure of a hook that did not succeed; `None` when it did.
pub fn hook_failure(run: &HookRun) -> Option<Failure> {
    if !run.failed() {
        return None;
    }
    let sentence = format!("the hook of '{}' {}; {}", run.name, run.how(), aftermath(run));
    let failure = Failure::refused("hook-failed", sentence);
    let last = run.output.iter().flat_map(|output| output.lines().rev().take(1));
    let failure = last.fold(failure, |failure, line| failure.hint(format!("its last line: {line}")));
    Some(match run.rolled_back {
        None => failure.hint(format!("by hand: {}", text::escape(&run.hook.command))),
        Some(_) => failure,
    })
}

/// The hook of a name.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Hook")]
pub struct HookJson<'a> {
    /// For `sh -c`.
    command: &'a str,
    timeout_seconds: u64,
    /// What is done when it fails.
    #[schemars(extend("enum" = ["keep", "rollback"]))]
    on_failure: &'static str,
}

impl<'a> HookJson<'a> {
    pub fn new(hook: &'a Hook) -> Self {
        Self { command: &hook.command, timeout_seconds: hook.timeout.as_seconds(), on_failure: hook.on_failure.name() }
    }
}
