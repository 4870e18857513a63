//! `docs/reference/cli.md` is what `ca … --help` prints. `CA_TEST_UPDATE=1` rewrites it.

use ca::cli::command_line::CommandLine;
use ca::cli::help::topics;

use crate::support::program::Place;
use crate::support::repository;

const HEAD: &str = "\
# The command line

What `ca help`, `ca help --all`, `ca COMMAND --help` and `ca help TOPIC` print, in one page. A test compares this page with the
program.
";

/// The part of every command's help that is shown once.
const GLOBAL: &str = "\nGlobal options: ";

#[test]
fn the_reference_is_what_help_prints() {
    let place = Place::new();
    let mut page = HEAD.to_owned();
    section(&mut page, "ca help", &place.done("help"));
    assert_eq!(place.done("--help"), place.done("help"));
    section(&mut page, "ca help --all", &place.done("help --all"));
    for path in commands(&CommandLine::whole(), "") {
        let help = place.done(&format!("{path} --help"));
        let shown = place.done(&format!("help {path}"));
        // A topic that has the name of a command names the commands below it.
        match topics::of(&path) {
            None => assert_eq!(shown, help, "{path}"),
            Some(_) => assert!(shown.contains(&format!("ca {path} show")), "{path}: {shown}"),
        }
        let (own, _) = help.split_once(GLOBAL).unwrap_or((&help, ""));
        section(&mut page, &format!("ca {path}"), own);
    }
    for topic in &topics::ALL {
        section(&mut page, &format!("ca help {}", topic.name), &place.done(&format!("help {}", topic.name)));
    }
    let file = repository().join("docs/reference/cli.md");
    if std::env::var_os("CA_TEST_UPDATE").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == page, "docs/reference/cli.md is not what --help prints; CA_TEST_UPDATE=1 rewrites it\n{page}");
}

/// Help texts are made for people who look for a verb.
#[test]
fn every_help_line_begins_like_a_sentence_and_ends_without_a_full_stop() {
    fn walk(command: &clap::Command, path: &str, problems: &mut Vec<String>) {
        let mut check = |what: String, help: Option<String>| match help.as_deref().map(str::trim) {
            None | Some("") => problems.push(format!("{what}: has no help")),
            Some(help) if help.lines().next().is_some_and(|line| line.ends_with('.')) => {
                problems.push(format!("{what}: ends with a full stop"));
            }
            Some(help) if help.starts_with(|c: char| c.is_lowercase()) => {
                problems.push(format!("{what}: begins in lower case"));
            }
            Some(_) => {}
        };
        check(path.to_owned(), command.get_about().map(ToString::to_string));
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            check(format!("{path} {}", argument.get_id()), argument.get_help().map(ToString::to_string));
        }
        for inner in command.get_subcommands() {
            walk(inner, &format!("{path} {}", inner.get_name()), problems);
        }
    }
    let mut problems = Vec::new();
    walk(&CommandLine::whole(), "ca", &mut problems);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// `clap` checks a command only when it is asked; this asks all of them.
#[test]
fn the_command_line_holds_together() {
    CommandLine::whole().debug_assert();
}

/// Every command and every command below it, in the order of the help.
fn commands(command: &clap::Command, before: &str) -> Vec<String> {
    command
        .get_subcommands()
        .filter(|inner| !inner.is_hide_set())
        .flat_map(|inner| {
            let path = format!("{before}{}", inner.get_name());
            let below = commands(inner, &format!("{path} "));
            [vec![path], below].concat()
        })
        .collect()
}

fn section(page: &mut String, title: &str, help: &str) {
    let help: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    page.push_str(&format!("\n## {title}\n\n```text\n{}\n```\n", help.join("\n")));
}

/// A heading is of a group of flags: one that stays in force behind the group puts other flags under it.
#[test]
fn the_flags_below_a_heading_are_the_same_in_every_command() {
    fn walk(command: &clap::Command, path: &str, found: &mut Vec<(String, String, Vec<String>)>) {
        let mut headings: Vec<(String, Vec<String>)> = Vec::new();
        for argument in command.get_arguments() {
            let Some(heading) = argument.get_help_heading() else { continue };
            let id = argument.get_id().to_string();
            match headings.iter_mut().find(|(known, _)| known == heading) {
                Some((_, ids)) => ids.push(id),
                None => headings.push((heading.to_owned(), vec![id])),
            }
        }
        found.extend(headings.into_iter().map(|(heading, ids)| (heading, path.to_owned(), ids)));
        for inner in command.get_subcommands() {
            walk(inner, &format!("{path} {}", inner.get_name()), found);
        }
    }
    let mut found = Vec::new();
    walk(&CommandLine::whole(), "ca", &mut found);
    for (heading, path, mut ids) in found.clone() {
        // One that makes a key has a flag for none.
        ids.retain(|id| id != "no_passphrase");
        let usual =
            found.iter().filter(|(other, ..)| *other == heading).map(|(.., ids)| ids).min_by_key(|ids| ids.len());
        assert_eq!(Some(&ids), usual, "{path}: '{heading}'");
    }
}
