//! CLI: the command line and its text.
//!
//! A command is one file under [`commands`]: it reads its flags, calls the act, and returns a [`output::Report`]. It never prints. An
//! error is returned as a [`Failure`]; here both become text or JSON and an exit status.

pub mod command_line;
pub mod commands;
mod completion;
pub mod documents;
pub mod help;
pub mod man;
mod next_authority;
mod next_certificate;
pub mod options;
mod parse_failure;
pub mod reports;
mod suggestions;
#[cfg(test)]
mod testing;
use std::ffi::OsString;
use std::io;

use command_line::CommandLine;
use commands::version::{self, Version};
use parse_failure::parse_failure;

use crate::app::crl_expiry;
use crate::report::exit_status::ExitStatus;
use crate::report::failure::{ErrorStyle, Failure, without_repetitions};
use crate::report::output::{self, Answer, OutputFormat, Report, StreamError};
use crate::report::relative::RelativePaths;
use crate::report::style::{ColorChoice, Style};
use crate::system::World;

/// Runs one command line from its words to its exit status.
pub fn run(words: impl IntoIterator<Item = OsString>, world: &mut World) -> ExitStatus {
    let words: Vec<OsString> = words.into_iter().collect();
    if let [_, word] = words.as_slice()
        && (word == "--version" || word == "-V")
    {
        // Scripts ask this often; knowing every flag of every command is not needed to answer it.
        let format = OutputFormat::Text;
        return answer_with(&version_text(word == "-V", format), ShownAs { format, style: Style::PLAIN }, world);
    }
    if let Some(answer) = completion::answer(&words, CommandLine::whole, world) {
        // A shell that no longer reads has all that it needs.
        drop(world.stdout.write_all(&answer).and_then(|()| world.stdout.flush()));
        return ExitStatus::Done;
    }
    let line = match CommandLine::read(&words) {
        Ok(line) => line,
        Err(error) => {
            // The whole command line has the groups of flags in the order of the help.
            let mut whole = CommandLine::for_help();
            let mut error = whole.try_get_matches_from_mut(&words).err().unwrap_or(error);
            suggestions::improve(&mut error, &words, &whole);
            return refuse_words(&error, &words, &whole, world);
        }
    };
    let style = Style::choose(line.globals.color.into(), world);
    let shown_as = ShownAs { format: line.globals.format(), style };
    let mut context = match line.globals.context(world) {
        Ok(context) => context,
        Err(failure) => return fail(&failure, shown_as, world),
    };
    let result = commands::run(line.command, &mut context);
    let reports_change = context.changes.exit_changed && result.as_ref().is_ok_and(|report| report.has_changed());
    let mut warnings = context.warnings.take();
    warnings.extend(crl_expiry::warnings(&context));
    let failed_in_part = result.as_ref().ok().and_then(|report| report.failure());
    // The document of a failure is alone on standard error.
    let is_document = shown_as.format == OutputFormat::Json && (result.is_err() || failed_in_part.is_some());
    let status = match result {
        Ok(report) => show_report(report.as_ref(), failed_in_part, line.globals.quiet, style, shown_as, world),
        Err(failure) => fail(&failure, shown_as, world),
    };
    let errors = ErrorStyle::new(style, world);
    for warning in without_repetitions(warnings).iter().filter(|_| !is_document) {
        drop(world.stderr.write_all(errors.warning(warning).as_bytes()));
    }
    if reports_change && status == ExitStatus::Done { ExitStatus::Changed } else { status }
}

/// Shows the report of a command, and then what failed although the rest was done.
fn show_report(
    report: &dyn Report,
    failed_in_part: Option<Failure>,
    quiet: bool,
    style: Style,
    shown_as: ShownAs,
    world: &mut World,
) -> ExitStatus {
    if let Some(written) = report.stream(&mut world.stdout) {
        return match written.and_then(|()| Ok(world.stdout.flush()?)) {
            Ok(()) => ExitStatus::Done,
            // The reader has seen enough, as `head` does.
            Err(StreamError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitStatus::Done,
            Err(StreamError::Output(error)) => fail(&Failure::stdout(&error), shown_as, world),
            Err(StreamError::Failure(failure)) => fail(&failure, shown_as, world),
        };
    }
    let is_left_out = quiet && report.only_confirms() && report.answer() == Answer::Yes && failed_in_part.is_none();
    let text = match shown_as.format {
        OutputFormat::Json => output::json_document(&report.json()),
        OutputFormat::Text if is_left_out => String::new(),
        OutputFormat::Text => output::text(report, style, RelativePaths::below(&world.working_folder)),
    };
    if report.is_read() && shown_as.format == OutputFormat::Text && world.page(&text) {
        return ExitStatus::Done;
    }
    let status = match show(&text, world) {
        Ok(()) if report.answer() == Answer::Yes => ExitStatus::Done,
        Ok(()) => ExitStatus::No,
        Err(failure) if report.only_confirms() => fail(&failure.hint(ONLY_THE_REPORT), shown_as, world),
        Err(failure) => fail(&failure, shown_as, world),
    };
    match failed_in_part {
        Some(failure) if status != ExitStatus::Refused => fail(&failure, shown_as, world),
        _ => status,
    }
}

/// How results and failures are shown.
#[derive(Clone, Copy)]
struct ShownAs {
    format: OutputFormat,
    style: Style,
}

/// Of a command that changed something.
const ONLY_THE_REPORT: &str = "the command itself succeeded; only its report is lost";

/// Writes a result. It is a failure when standard output does not take it, as on a full disk; not when the reader closed
/// its end, as `head` does.
fn show(text: &str, world: &mut World) -> Result<(), Failure> {
    match world.stdout.write_all(text.as_bytes()).and_then(|()| world.stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::stdout(&error)),
        _ => Ok(()),
    }
}

/// Shows a text that is the whole result.
fn answer_with(text: &str, shown_as: ShownAs, world: &mut World) -> ExitStatus {
    match show(text, world) {
        Ok(()) => ExitStatus::Done,
        Err(failure) => fail(&failure, shown_as, world),
    }
}

fn fail(failure: &Failure, shown_as: ShownAs, world: &mut World) -> ExitStatus {
    let text = match shown_as.format {
        OutputFormat::Json => output::json_document(&failure.json()),
        OutputFormat::Text => ErrorStyle::new(shown_as.style, world).failure(failure),
    };
    // If standard error is closed too, the exit status is all that is left.
    drop(world.stderr.write_all(text.as_bytes()));
    failure.status
}

/// Help and version are results; every other message of clap is a failure.
fn refuse_words(error: &clap::Error, words: &[OsString], whole: &clap::Command, world: &mut World) -> ExitStatus {
    use clap::error::ErrorKind;
    let has = |flag: &str| words.iter().take_while(|word| *word != "--").any(|word| word == flag);
    let format = if has("--json") { OutputFormat::Json } else { OutputFormat::Text };
    // `--color` may be behind the word that is not understood.
    let color = if has("--color=never") || has("never") { ColorChoice::Never } else { ColorChoice::Auto };
    let shown_as = ShownAs { format, style: Style::choose(color, world) };
    match error.kind() {
        ErrorKind::DisplayHelp => answer_with(&error.render().to_string(), shown_as, world),
        ErrorKind::DisplayVersion => {
            let is_short = words.iter().any(|word| word == "-V");
            answer_with(&version_text(is_short, format), shown_as, world)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if format == OutputFormat::Text => {
            drop(world.stderr.write_all(error.render().to_string().as_bytes()));
            ExitStatus::Usage
        }
        _ => fail(&parse_failure(error, &suggestions::command_line(words, error, whole)), shown_as, world),
    }
}

/// Returns what `ca --version` prints, or `ca -V`.
fn version_text(is_short: bool, format: OutputFormat) -> String {
    match format {
        OutputFormat::Json => output::json_document(&Version::of_this_build().json()),
        OutputFormat::Text if is_short => format!("{}\n", version::FIRST_LINE),
        OutputFormat::Text => output::text(&Version::of_this_build(), Style::PLAIN, RelativePaths::NONE),
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use time::Duration;

    use super::testing::CliRun;
    use super::*;
    use crate::authority::revocation::publish_crl::CrlOrder;
    use crate::authority::testing::{Ca, NOW};

    fn ask(words: &[&str], refuses: Option<ErrorKind>) -> (ExitStatus, String, String) {
        let mut cli_run = CliRun { refuses, working_folder: "/nowhere".into(), ..CliRun::default() };
        let status = cli_run.with_world(|world| run(words.iter().map(OsString::from), world));
        (status, cli_run.stdout(), cli_run.stderr())
    }

    #[test]
    fn the_version_is_the_same_wherever_it_is_asked_for() {
        let (status, whole, stderr) = ask(&["ca", "version"], None);
        assert_eq!((status, stderr.as_str()), (ExitStatus::Done, ""));
        assert!(whole.starts_with("ca ") && whole.contains("\nSQLite "), "{whole}");
        for words in [&["ca", "--version"][..], &["ca", "--quiet", "--version"], &["ca", "issue", "--version"]] {
            assert_eq!(ask(words, None), (ExitStatus::Done, whole.clone(), String::new()), "{words:?}");
        }
        let first_line = format!("{}\n", whole.lines().next().unwrap());
        for words in [&["ca", "-V"][..], &["ca", "issue", "-V"]] {
            assert_eq!(ask(words, None), (ExitStatus::Done, first_line.clone(), String::new()), "{words:?}");
        }
        let json = ask(&["ca", "--json", "version"], None);
        assert!(json.1.contains("\"schema\": \"ca.version/1\""), "{}", json.1);
        assert_eq!(ask(&["ca", "--json", "--version"], None), json);
    }

    #[test]
    fn a_result_that_cannot_be_shown_is_a_failure_but_not_for_a_reader_that_has_seen_enough() {
        let words = ["ca", "completions", "bash"];
        let (status, _, stderr) = ask(&words, Some(ErrorKind::StorageFull));
        assert_eq!(status, ExitStatus::Refused);
        assert!(stderr.contains("cannot write to standard output"), "{stderr}");
        assert_eq!(ask(&words, Some(ErrorKind::BrokenPipe)), (ExitStatus::Done, String::new(), String::new()));
    }

    #[test]
    fn a_failure_is_shown_on_standard_error_as_text_or_as_json() {
        let (status, out, stderr) = ask(&["ca", "issue", "server", "web.test"], None);
        assert_eq!((status, out.as_str()), (ExitStatus::Usage, ""));
        assert!(stderr.starts_with("error: no CA directory was found in /nowhere"), "{stderr}");
        let (status, out, stderr) = ask(&["ca", "--json", "issue", "server", "web.test"], None);
        assert_eq!((status, out.as_str()), (ExitStatus::Usage, ""));
        let document: serde_json::Value = serde_json::from_str(&stderr).unwrap();
        assert_eq!((&document["schema"], &document["error"]["code"]), (&"ca.error/1".into(), &"no-ca".into()));
    }

    #[test]
    fn the_command_line_has_no_contradictions() {
        CommandLine::whole().debug_assert();
    }

    fn after(ca: &Ca, after: Duration, words: &[&str]) -> (ExitStatus, String) {
        let folder = ca.home.folder().as_os_str().to_owned();
        let line = ["ca", "--dir"].map(OsString::from).into_iter().chain([folder]);
        let line: Vec<_> = line.chain(words.iter().map(OsString::from)).collect();
        let mut cli_run = CliRun { now: Some(NOW + after), ..CliRun::default() };
        let status = cli_run.with_world(|world| run(line, world));
        (status, cli_run.stderr())
    }

    #[test]
    fn every_command_warns_of_a_crl_that_expires_soon() {
        let ca = Ca::new();
        assert_eq!(after(&ca, Duration::days(25), &["list"]).1, "", "there is no list yet");
        ca.publish(&CrlOrder::default()).unwrap();
        ca.publish(&CrlOrder { authority: Some("root".to_owned()), ..CrlOrder::default() }).unwrap();
        assert_eq!(after(&ca, Duration::days(20), &["list"]).1, "", "a third is left");
        for words in
            [&["list"][..], &["show", "root"], &["list", "--quiet"], &["list", "--json"], &["completions", "bash"]]
        {
            let (status, stderr) = after(&ca, Duration::days(25), words);
            assert_eq!(status, ExitStatus::Done);
            let lines: Vec<_> = stderr.lines().collect();
            assert_eq!(lines.len(), 2, "{words:?}: {stderr}");
            assert!(lines[0].starts_with("warning: the CRL of 'issuing' expires at 2026-07-01T12:00:00Z, in 5 days."));
            assert!(lines[0].ends_with("Sign the next one: ca crl --ensure"), "{stderr}");
            assert!(lines[1].ends_with("Sign the next one: ca crl --authority root --ensure"), "{stderr}");
        }
        let (_, stderr) = after(&ca, Duration::days(31), &["list"]);
        assert!(
            stderr.contains("expired at 2026-07-01T12:00:00Z, 1 day ago. Clients that check it refuse"),
            "{stderr}"
        );

        // A command that fails warns too, but its JSON stays one document.
        let (status, stderr) = after(&ca, Duration::days(25), &["show", "nobody"]);
        assert!(
            status == ExitStatus::Usage && stderr.starts_with("error: ") && stderr.contains("warning: "),
            "{stderr}"
        );
        let (_, stderr) = after(&ca, Duration::days(25), &["show", "nobody", "--json"]);
        assert!(serde_json::from_str::<serde_json::Value>(&stderr).is_ok(), "{stderr}");

        // The command that signs the next one has nothing to warn of any more.
        let (_, stderr) = after(&ca, Duration::days(25), &["crl", "--ensure"]);
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        // And an authority that has ended is past worrying about.
        assert_eq!(after(&ca, Duration::days(4000), &["list"]).1, "");
    }

    #[test]
    fn every_command_that_changes_the_ca_warns_when_the_clock_is_behind_the_index() {
        let mut ca = Ca::new();
        ca.now += Duration::HOUR;
        ca.issue(crate::authority::testing::order("server", "web.test")).unwrap();
        let warning = "warning: the clock of this machine is 1 hour behind the newest event of the index \
                       (2026-06-01T13:00:00Z). ";
        let writing = [
            "issue server another.test",
            "issue server web.test --if-due",
            "renew web.test",
            "rekey web.test",
            "rollback web.test",
            "revoke another.test",
            "crl",
            "crl --ensure",
            "crl --ensure --json",
            "key passphrase root --remove",
            "root renew",
            "handshake-test",
        ];
        for words in writing {
            let (status, stderr) = after(&ca, Duration::ZERO, &words.split(' ').collect::<Vec<_>>());
            assert_eq!(status, ExitStatus::Done, "{words}: {stderr}");
            assert_eq!(stderr.matches(warning).count(), 1, "{words}: {stderr}");
        }
        for words in [&["list"][..], &["due"], &["history", "web.test"], &["log"]] {
            assert!(!after(&ca, Duration::ZERO, words).1.contains("behind"), "{words:?}");
        }
        let (_, stderr) = after(&ca, Duration::HOUR, &["issue", "server", "last.test"]);
        assert!(!stderr.contains("behind"), "{stderr}");
        let (_, stderr) = after(&ca, Duration::HOUR - Duration::SECOND, &["issue", "server", "soon.test"]);
        assert!(!stderr.contains("behind"), "two machines may differ by a second: {stderr}");
    }
}
