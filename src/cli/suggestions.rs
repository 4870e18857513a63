//! What a command line that cannot be understood probably meant: a word of another tool, or a typing error.

use std::ffi::OsString;

use clap::Command;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::help::synonyms;
use crate::text;

/// Replaces the suggestion of clap, which may be a word with another meaning. `whole` is the whole command line.
pub fn improve(error: &mut clap::Error, words: &[OsString], whole: &Command) {
    match error.kind() {
        ErrorKind::InvalidSubcommand => improve_command(error, words, whole),
        ErrorKind::UnknownArgument => improve_flag(error, words, whole),
        _ => {}
    }
}

fn improve_command(error: &mut clap::Error, words: &[OsString], whole: &Command) {
    let Some(word) = string(error, ContextKind::InvalidSubcommand) else { return };
    let at = typed(understood(words, error), whole);
    let known: Vec<&str> = at.get_subcommands().map(Command::get_name).collect();
    error.remove(ContextKind::SuggestedSubcommand);
    if at.get_name() == whole.get_name()
        && let Some(answer) = synonyms::for_command(&word)
    {
        suggest(error, &format!("use {answer}"));
    } else if let Some(near) = slip(&word, known.iter().copied()) {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![near.to_owned()]));
    } else if at.get_name() == whole.get_name() {
        suggest(error, "every command: ca help --all");
    }
}

fn improve_flag(error: &mut clap::Error, words: &[OsString], whole: &Command) {
    let Some(found) = string(error, ContextKind::InvalidArg) else { return };
    if !found.starts_with('-') {
        return;
    }
    let at = typed(words, whole);
    let longs = || {
        let all = at.get_arguments().chain(whole.get_arguments());
        all.flat_map(|argument| argument.get_long_and_visible_aliases().unwrap_or_default())
    };
    let exact = |word: &str| longs().find(|long| word.len() > 2 && *long == word.trim_start_matches('-'));
    let synonym = |word: &str| {
        let argument = synonyms::for_argument(at.get_name(), word);
        argument.or_else(|| synonyms::for_flag(word, |long| longs().any(|known| known == long)))
    };
    // Of '-days' clap names '-d', the first letter of a bundle of short options. A word is only named when it is a known one:
    // what follows the letter may be a secret.
    let given = words.iter().filter_map(|word| word.to_str()).map(|word| word.split('=').next().unwrap_or(word));
    let mut bundles = given.filter(|word| word.starts_with(&found) && !word.starts_with("--"));
    let bundle = bundles.find(|word| exact(word).is_some() || synonym(word).is_some());
    let word = bundle.unwrap_or(&found);
    if word != found {
        error.insert(ContextKind::InvalidArg, ContextValue::String(word.to_owned()));
    }
    // What it says of passing the word as a value: no value here begins with a hyphen.
    error.remove(ContextKind::Suggested);
    error.remove(ContextKind::SuggestedArg);
    error.remove(ContextKind::SuggestedSubcommand);
    // It names the option that clap would have suggested.
    error.remove(ContextKind::Usage);
    if let Some(long) = exact(word) {
        error.insert(ContextKind::SuggestedArg, ContextValue::String(format!("--{long}")));
    } else if let Some(answer) = synonym(word) {
        suggest(error, &format!("use {answer}"));
    } else if let Some(long) = slip(word.trim_start_matches('-'), longs().filter(|_| word.len() > 2)) {
        error.insert(ContextKind::SuggestedArg, ContextValue::String(format!("--{long}")));
    }
}

/// Returns the words before the unknown subcommand: what follows it belongs to that command, which is not known.
fn understood<'w>(words: &'w [OsString], error: &clap::Error) -> &'w [OsString] {
    let unknown = string(error, ContextKind::InvalidSubcommand);
    let end = unknown.and_then(|unknown| words.iter().position(|word| *word == *unknown));
    words.get(..end.unwrap_or(words.len())).unwrap_or(words)
}

/// The command that was typed, as far as its words are commands.
fn typed<'c>(words: &[OsString], whole: &'c Command) -> &'c Command {
    words.iter().skip(1).filter_map(|word| word.to_str()).fold(whole, |at, word| at.find_subcommand(word).unwrap_or(at))
}

/// The line that calls the command that was typed, such as `ca root renew`.
pub fn command_line(words: &[OsString], error: &clap::Error, whole: &Command) -> String {
    let mut at = whole;
    let mut line = whole.get_name().to_owned();
    for word in understood(words, error).iter().skip(1).filter_map(|word| word.to_str()) {
        if let Some(command) = at.find_subcommand(word) {
            at = command;
            line = format!("{line} {}", command.get_name());
        }
    }
    line
}

/// The known word that differs from the typed one by a typing error: one in a short word, two in a longer one.
fn slip<'w>(typed: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let most = if typed.chars().count() < 5 { 1 } else { 2 };
    known.map(|word| (text::edits(typed, word), word)).filter(|(edits, _)| *edits <= most).min().map(|(_, word)| word)
}

fn suggest(error: &mut clap::Error, sentence: &str) {
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(sentence.to_owned())]));
}

fn string(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind) {
        Some(ContextValue::String(word)) => Some(word.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command_line::CommandLine;

    /// What is said of a line that cannot be understood.
    fn refusal(line: &str) -> String {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let mut whole = CommandLine::for_help();
        whole.build();
        let mut error = CommandLine::for_help().try_get_matches_from(&words).unwrap_err();
        improve(&mut error, &words, &whole);
        error.render().to_string()
    }

    /// The line that begins with `tip:`.
    fn tip(line: &str) -> String {
        let rendered = refusal(line);
        rendered.lines().find_map(|line| line.trim().strip_prefix("tip: ").map(str::to_owned)).unwrap_or_default()
    }

    #[test]
    fn words_of_synonyms_are_answered_with_ours() {
        assert_eq!(tip("ca ls"), "use ca list");
        assert_eq!(tip("ca build-server-full www"), "use ca issue server NAME");
        assert_eq!(tip("ca issue server www --days 30"), "use --for 90d");
        assert_eq!(tip("ca issue server www --days=30"), "use --for 90d");
        assert_eq!(tip("ca list --days 30"), "use --expiring 30d");
        assert_eq!(tip("ca request www -subj /CN=x"), "use --subject organization=Acme");
        assert_eq!(tip("ca verify -CAfile root.pem leaf.pem"), "use --roots FILE");
        assert_eq!(tip("ca verify leaf.pem -untrusted int.pem"), "a similar argument exists: '--untrusted'");
        assert_eq!(tip("ca sign x.csr -o here"), "use --out PATH");
        assert_eq!(tip("ca issue --template server www"), "use the template as first argument: ca issue server NAME");
        assert_eq!(tip("ca sign -in x.csr"), "use FILE without an option: ca sign FILE");
        assert_eq!(tip("ca revoke www -y"), "use --yes");
        assert_eq!(tip("ca list -y"), "use --no-input");
        assert_eq!(tip("ca suspend www"), "use ca revoke NAME --reason hold");
        assert_eq!(tip("ca list --expired"), "use --status expired, --status revoked");
        assert_eq!(tip("ca due --expiring 30d"), "use --within 30d");
        assert_eq!(tip("ca renew --everythin"), "");
    }

    #[test]
    fn what_follows_the_letter_of_an_option_is_not_repeated() {
        assert!(!refusal("ca issue server www -psecret").contains("secret"));
        assert!(!refusal("ca issue server www --passphrase=secret").contains("secret"));
    }

    #[test]
    fn a_typing_error_is_answered_with_the_word_that_was_meant_or_with_none() {
        assert_eq!(tip("ca isue server www"), "a similar subcommand exists: 'issue'");
        assert_eq!(tip("ca verfy x"), "a similar subcommand exists: 'verify'");
        assert_eq!(tip("ca root rotat"), "a similar subcommand exists: 'rotate'");
        assert_eq!(tip("ca issue server www --ky rsa-2048"), "a similar argument exists: '--key'");
        assert_eq!(tip("ca list --jsn"), "a similar argument exists: '--json'");
        assert_eq!(tip("ca list --expiry-date"), "");
        assert_eq!(tip("ca frobnicate"), "every command: ca help --all");
        assert_eq!(tip("ca issue server www --passphrase secret"), "use --passphrase-file FILE");
        assert_eq!(tip("ca init --passphrase-fil x"), "a similar argument exists: '--passphrase-file'");
    }
}
