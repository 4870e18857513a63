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
