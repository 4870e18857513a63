//! The texts of `ca help`: the first screen, the list of all commands, the topics, and the examples of each command.
//!
//! What clap knows (commands, options, their sentences) is read from it; this room adds the groups and the examples.

pub mod examples;
pub mod synonyms;
pub mod topics;

use clap::Command;

/// A group of commands, in the order in which a CA needs them.
pub struct Group {
    pub title: &'static str,
    pub commands: &'static [&'static str],
}

/// The commands by what they are for. Each command is in one group.
pub const GROUPS: [Group; 5] = [
    Group { title: "Start", commands: &["quickstart", "init", "import", "intermediate", "key", "backup", "restore"] },
    Group { title: "Issue", commands: &["issue", "apply", "request", "sign", "template", "export", "roots", "trust"] },
    Group {
        title: "Renew and revoke",
        commands: &["status", "due", "renew", "rekey", "rollback", "revoke", "crl", "root"],
    },
    Group { title: "Verify and test", commands: &["verify", "lint", "handshake-test", "audit"] },
    Group {
        title: "Look up",
        commands: &[
            "list",
            "tree",
            "show",
            "history",
            "log",
            "inspect",
            "explain",
            "recipe",
            "index",
            "settings",
            "schema",
            "help",
            "version",
            "completions",
            "man",
        ],
    },
];

/// What the program is for, in a sentence.
pub const SUMMARY: &str = "Run your own certificate authority: issue, renew, revoke and verify certificates";

/// What `ca --help` and `ca` alone show: at most 22 lines of 80 columns.
pub fn first_screen() -> String {
    let mut text = format!("{SUMMARY}\n\nUsage: ca COMMAND [OPTIONS]\n\n");
    for Group { title, commands } in &GROUPS {
        row(&mut text, &format!("  {title:<17} "), commands.iter().copied(), "  ");
    }
    text.push_str(
        "\nExamples:\n  \
         ca init                                    make a CA in the folder ca\n  \
         ca issue server www.corp.test              make a key and a certificate\n  \
         ca apply MANIFEST                          make what a file declares\n  \
         ca verify ca/issued/www.corp.test/fullchain.pem --hostname www.corp.test\n\n  \
         ca help COMMAND   options and examples of a command: ca help issue\n  \
         ca help export    for nginx, PostgreSQL, Java, Kubernetes, PKCS#12, OCSP\n",
    );
    row(&mut text, "  ca help TOPIC     ", topics::ALL.iter().map(|topic| topic.name), "  ");
    text.push_str("  ca help --all     every command and topic with a sentence\n");
    text
}

/// What `ca help --all` shows; `line` is the whole command line.
pub fn everything(whole: &Command) -> String {
    let mut text = format!("{SUMMARY}\n\nUsage: ca COMMAND [OPTIONS]\n");
    for Group { title, commands } in &GROUPS {
        text.push_str(&format!("\n{title}:\n"));
        for command in commands.iter().filter_map(|name| whole.find_subcommand(name)) {
            entry(&mut text, command.get_name(), &command.get_about().map(ToString::to_string).unwrap_or_default());
        }
    }
    text.push_str("\nTopics:\n");
    for topic in &topics::ALL {
        entry(&mut text, topic.name, topic.about);
    }
    text.push_str(&format!("\n{}", options(whole)));
    text
}

/// The options that every command takes, with their sentences. Every other page of help only names them.
pub fn options(whole: &Command) -> String {
    let global = whole.get_arguments().filter(|argument| argument.is_global_set());
    let page = Command::new("ca").help_template("{options}").disable_help_flag(true).disable_version_flag(true);
    let mut page = page.max_term_width(WIDTH).args(global.cloned().map(|argument| argument.hide(false)));
    let listed = page.render_help().to_string();
    format!("Global options, before or after the name of the command:\n{}\n", listed.trim_end())
}

/// Adds the examples of a command and of every command below it, and where the global options are explained.
pub fn with_examples(command: Command, path: &str) -> Command {
    let below: Vec<String> = command.get_subcommands().map(|inner| inner.get_name().to_owned()).collect();
    let command = below.iter().fold(command, |command, name| {
        command.mut_subcommand(name, |inner| with_examples(inner, &format!("{path} {name}")))
    });
    command.after_help(examples::epilogue(path))
}

/// The width of a page of help, in characters.
const WIDTH: usize = 80;

/// Adds a row: a name, and a sentence that is wrapped beside it.
fn entry(text: &mut String, name: &str, about: &str) {
    row(text, &format!("  {name:<16}"), about.split_whitespace(), " ");
}

/// Adds words to a line that has begun, with a separator between them; further lines are indented to where the words begin.
fn row<'a>(text: &mut String, begun: &str, words: impl Iterator<Item = &'a str>, separator: &str) {
    let indent = begun.chars().count();
    let mut column = indent;
    text.push_str(begun);
    for (number, word) in words.enumerate() {
        let length = word.chars().count();
        if number > 0 && column + separator.len() + length > WIDTH {
            text.push_str(&format!("\n{:indent$}", ""));
            column = indent;
        } else if number > 0 {
            text.push_str(separator);
            column += separator.len();
        }
        text.push_str(word);
        column += length;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command_line::CommandLine;

    #[test]
    fn every_command_is_in_one_group() {
        let mut grouped: Vec<_> = GROUPS.iter().flat_map(|group| group.commands).copied().collect();
        let whole = CommandLine::whole();
        let mut known: Vec<_> = whole.get_subcommands().map(Command::get_name).collect();
        grouped.sort_unstable();
        known.sort_unstable();
        assert_eq!(grouped, known);
    }

    #[test]
    fn the_first_screen_fits_a_terminal_of_24_lines() {
        let screen = first_screen();
        assert!(screen.lines().count() <= 22, "{screen}");
        assert!(screen.lines().all(|line| line.chars().count() <= WIDTH), "{screen}");
    }

    #[test]
    fn every_page_fits_80_columns_and_every_command_and_topic_is_listed() {
        let whole = CommandLine::whole();
        let all = everything(&whole);
        for name in whole.get_subcommands().map(Command::get_name).chain(topics::ALL.map(|topic| topic.name)) {
            assert!(all.lines().any(|line| line.starts_with(&format!("  {name} "))), "{name}: {all}");
        }
        for argument in whole.get_arguments().filter(|argument| argument.is_global_set()) {
            let long = argument.get_long().unwrap();
            assert!(options(&whole).contains(&format!("--{long}")), "{long}");
        }
        for page in [all, options(&whole)].iter().map(String::as_str).chain(topics::ALL.map(|topic| topic.text)) {
            assert!(page.lines().all(|line| line.chars().count() <= WIDTH && line == line.trim_end()), "{page}");
        }
    }
}
