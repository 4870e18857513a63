//! The topics of `ca help TOPIC`: what several commands have in common.

/// A page about something that several commands have in common.
pub struct Topic {
    pub name: &'static str,
    /// A phrase for the list of topics.
    pub about: &'static str,
    pub text: &'static str,
}

/// Every topic, in the order in which they are listed.
pub const ALL: [Topic; 9] = [
    Topic {
        name: "templates",
        about: "What a template says, the built-in ones, and one of your own",
        text: include_str!("topics/templates.txt"),
    },
    Topic {
        name: "names",
        about: "The NAME of a certificate, and subject alternative names",
        text: include_str!("topics/names.txt"),
    },
    Topic {
        name: "times",
        about: "How durations and times are written, and when certificates expire",
        text: include_str!("topics/times.txt"),
    },
    Topic {
        name: "passphrases",
        about: "Where the passphrase of a private key comes from",
        text: include_str!("topics/passphrases.txt"),
    },
    Topic {
        name: "files",
        about: "The CA directory, and which file goes where",
        text: include_str!("topics/files.txt"),
    },
    Topic {
        name: "exit-codes",
        about: "What the exit status says, for scripts",
        text: include_str!("topics/exit-codes.txt"),
    },
    Topic {
        name: "settings",
        about: "The settings in ca.toml, and environment variables",
        text: include_str!("topics/settings.txt"),
    },
    Topic { name: "json", about: "The form of --json", text: include_str!("topics/json.txt") },
    Topic { name: "formats", about: "The files that can be read", text: include_str!("topics/formats.txt") },
];

/// Returns the topic of this name.
pub fn of(name: &str) -> Option<&'static Topic> {
    ALL.iter().find(|topic| topic.name == name)
}

/// Returns the text of a topic; empty if there is none of this name.
pub fn text(name: &str) -> &'static str {
    of(name).map_or("", |topic| topic.text)
}

/// Returns what follows the line `heading`.
pub fn below(text: &'static str, heading: &str) -> &'static str {
    text.split_once(heading).map_or("", |(_, rest)| rest)
}

/// Returns the rows of a topic: lines with two spaces before a term and two or more behind it. A line that is indented
/// further continues the explanation.
pub fn rows(text: &str) -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut continues = false;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let row = line.trim().split_once("  ").filter(|_| indent == 2);
        match (row, rows.last_mut()) {
            (Some((term, about)), _) => rows.push((term.to_owned(), about.trim().to_owned())),
            (None, Some((_, about))) if continues && indent > 4 => {
                about.push(' ');
                about.push_str(line.trim());
            }
            _ => {}
        }
        continues = row.is_some() || continues && indent > 4;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_term_and_an_explanation_that_may_continue() {
        let text =
            "Some text.\n\n  0  done,\n     and more\n  1  not\n\n  ca verify && deploy\n     not a continuation\n";
        let row = |term: &str, about: &str| (term.to_owned(), about.to_owned());
        assert_eq!(rows(text), [row("0", "done, and more"), row("1", "not")]);
    }
}
