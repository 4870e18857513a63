//! A hook and how it ended, as every command shows it.

use serde_json::{Value, json};

use crate::app::run_hook::{End, HookRun};
use crate::authority::leaf::hook::{Hook, OnFailure};
use crate::report::failure::Failure;
use crate::report::page::{Page, Tone};
use crate::system::process::Ended;
use crate::text;
use crate::x509::SerialNumber;

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
        (Some(Ok(serial)), _) => format!("the files of serial {serial} are in place again"),
        (Some(Err(cause)), _) => {
            format!("the new files stay in place, because they could not be rolled back: {cause}")
        }
        (None, OnFailure::Rollback) => "there is nothing to roll back to, and the new files stay in place".to_owned(),
        (None, OnFailure::Keep) => "the new files stay in place".to_owned(),
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

/// A hook that was run, in JSON.
pub fn hook_run_json(run: &HookRun) -> Value {
    let (exit_status, signal) = match &run.end {
        End::Ended(Ended::Exited(status)) => (Some(*status), None),
        End::Ended(Ended::Killed(signal)) => (None, Some(*signal)),
        _ => (None, None),
    };
    json!({
        "command": run.hook.command,
        "status": status(run),
        "exit_status": exit_status,
        "signal": signal,
        "output": run.output,
        "on_failure": run.hook.on_failure.name(),
        "rolled_back_to": run.rolled_back.as_ref().and_then(|back| back.as_ref().ok()).map(SerialNumber::to_string),
    })
}

/// The failure of a hook that did not succeed; `None` when it did.
pub fn hook_failure(run: &HookRun) -> Option<Failure> {
    if !run.failed() {
        return None;
    }
    let sentence = format!("the hook of '{}' {}; {}", run.name, run.how(), aftermath(run));
    let failure = Failure::refused("hook-failed", sentence);
    let last = run.output.iter().flat_map(|output| output.lines().rev().take(1));
    let failure = last.fold(failure, |failure, line| failure.hint(format!("the last that it said: {line}")));
    Some(match run.rolled_back {
        None => failure.hint(format!("by hand: {}", text::escape(&run.hook.command))),
        Some(_) => failure,
    })
}

/// The hook of a name in JSON; null when it has none.
pub fn hook_json(hook: Option<&Hook>) -> Value {
    let shown = |hook: &Hook| {
        let (timeout, on_failure) = (hook.timeout.as_seconds(), hook.on_failure.name());
        json!({ "command": hook.command, "timeout_seconds": timeout, "on_failure": on_failure })
    };
    hook.map_or(Value::Null, shown)
}
