//! Section 1: a page for each command, and for each command below it.

use std::io;

use clap::Command;
use clap_mangen::Man;
use roff::Roff;

use super::page::{ManualPage, begin, entries, literal};
use crate::cli::help::examples::{self, Example};
use crate::cli::help::{GROUPS, SUMMARY, topics};

/// Returns the pages of the program and of all its commands.
///
/// # Errors
///
/// What clap_mangen could not write.
pub fn pages(whole: &Command) -> io::Result<Vec<ManualPage>> {
    let mut whole = whole.clone().disable_help_subcommand(true);
    whole.build();
    let mut pages = Vec::new();
    add(&whole, "", &mut pages)?;
    Ok(pages)
}

/// Adds the page of a command, whose path is empty for the program itself, and the pages below it.
fn add(command: &Command, path: &str, pages: &mut Vec<ManualPage>) -> io::Result<()> {
    let name = if path.is_empty() { "ca".to_owned() } else { format!("ca-{}", path.replace(' ', "-")) };
    pages.push(ManualPage { file: format!("{name}.1"), text: page(command, path, &name)? });
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        add(below, format!("{path} {}", below.get_name()).trim_start(), pages)?;
    }
    Ok(())
}

fn page(command: &Command, path: &str, name: &str) -> io::Result<Vec<u8>> {
    let is_program = path.is_empty();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut page = begin(name, "1", "User Commands", if is_program { SUMMARY } else { &about });
    page.control("SH", ["SYNOPSIS"]);
    page.text([roff::bold(usage(command))]);
    page.control("SH", ["DESCRIPTION"]);
    let long = command.get_long_about().map(ToString::to_string).unwrap_or(about);
    for paragraph in long.split("\n\n") {
        page.control("PP", []);
        page.text([roff::roman(paragraph)]);
    }
    let mut text = page.to_roff().into_bytes();
    text.extend(options(command, is_program)?);

    let mut rest = Roff::new();
    if is_program {
        commands(&mut rest, command);
    } else if command.has_subcommands() {
        let below: Vec<(String, String)> = command.get_subcommands().map(|below| described(below, name)).collect();
        entries(&mut rest, "COMMANDS", below.iter().map(|(name, about)| (name.as_str(), about.as_str())));
    } else {
        rest.control("SH", ["GLOBAL OPTIONS"]);
        rest.text([roff::roman("The options of "), roff::bold("ca"), roff::roman("(1) are accepted too.")]);
    }
    with_examples(&mut rest, examples::of(path));
    let files = topics::rows(topics::text("files"));
    entries(&mut rest, "FILES", files.iter().map(|(term, about)| (term.as_str(), about.as_str())));
    let variables = topics::rows(topics::below(topics::text("settings"), "Environment variables:"));
    entries(&mut rest, "ENVIRONMENT", variables.iter().map(|(term, about)| (term.as_str(), about.as_str())));
    let statuses = topics::rows(topics::text("exit-codes"));
    let statuses = statuses.iter().filter(|(term, _)| term.parse::<u8>().is_ok());
    entries(&mut rest, "EXIT STATUS", statuses.map(|(term, about)| (term.as_str(), about.as_str())));
    see_also(&mut rest, path);
    text.extend(rest.to_roff().into_bytes());
    Ok(text)
}

/// Returns what is typed, without the global options: `ca issue [OPTIONS] <TEMPLATE> <NAME>`.
fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    usage.trim_start_matches("Usage:").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the sections of the options, as clap_mangen writes them. Only the page of the program has the global ones.
fn options(command: &Command, is_program: bool) -> io::Result<Vec<u8>> {
    let command = command.clone().mut_args(|argument| {
        let is_elsewhere = argument.is_global_set() && !is_program;
        argument.hide(is_elsewhere)
    });
    let mut text = Vec::new();
    Man::new(command).render_options_section(&mut text)?;
    Ok(text)
}

/// Adds the commands of the program by group, as `ca help --all` does.
fn commands(page: &mut Roff, whole: &Command) {
    for group in &GROUPS {
        let commands = group.commands.iter().filter_map(|name| whole.find_subcommand(name));
        let commands: Vec<(String, String)> = commands.map(|command| described(command, "ca")).collect();
        let heading = format!("COMMANDS: {}", group.title.to_uppercase());
        entries(page, &heading, commands.iter().map(|(name, about)| (name.as_str(), about.as_str())));
    }
}

/// Returns the page of a command below another one, and its sentence.
fn described(command: &Command, above: &str) -> (String, String) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    (format!("{above}-{}(1)", command.get_name()), about)
}

fn with_examples(page: &mut Roff, examples: &[Example]) {
    if examples.is_empty() {
        return;
    }
    page.control("SH", ["EXAMPLES"]);
    for Example { does, typed } in examples {
        page.control("PP", []);
        page.text([roff::roman(format!("{does}:"))]);
        literal(page, typed.lines());
    }
}

/// Adds the pages of the commands in the same group, and those of the files.
fn see_also(page: &mut Roff, path: &str) {
    let command = path.split(' ').next().unwrap_or_default();
    let group = GROUPS.iter().find(|group| group.commands.contains(&command));
    let mut pages: Vec<String> = Vec::new();
    if !path.is_empty() {
        pages.push("ca(1)".to_owned());
    }
    if path.contains(' ') {
        pages.push(format!("ca-{command}(1)"));
    }
    let related = group.into_iter().flat_map(|group| group.commands).filter(|other| **other != command);
    pages.extend(related.map(|other| format!("ca-{other}(1)")));
    pages.extend(["ca.toml(5)".to_owned(), "ca-template(5)".to_owned()]);
    page.control("SH", ["SEE ALSO"]);
    page.text([roff::roman(pages.join(", "))]);
    let topics: Vec<&str> = topics::ALL.iter().map(|topic| topic.name).collect();
    page.control("PP", []);
    page.text([roff::roman("The topics of "), roff::bold("ca help"), roff::roman(format!(": {}", topics.join(", ")))]);
}
