//! Breaking a sentence into the lines of a terminal, but never a word, a path, a quoted name or a command.

/// The narrowest column of text that is worth breaking lines for.
const NARROWEST: usize = 20;

/// The programs that a fix calls: their lines are pasted, and a line break in them would end the command.
const PROGRAMS: [&str; 15] = [
    "ca",
    "sudo",
    "chmod",
    "chown",
    "chgrp",
    "openssl",
    "iconv",
    "cp",
    "mv",
    "rm",
    "mkdir",
    "unset",
    "ulimit",
    "export",
    "systemctl",
];

/// Returns the lines of a text in a column of `columns` characters. What may not be broken and does not fit gets a line of
/// its own, which is then longer.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    if columns < NARROWEST || text.chars().count() <= columns {
        return vec![text.to_owned()];
    }
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for piece in pieces(text, columns) {
        let added = piece.chars().count();
        if !line.is_empty() && length + 1 + added > columns {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if !line.is_empty() {
            line.push(' ');
            length += 1;
        }
        line.push_str(piece);
        length += added;
    }
    lines.push(line);
    lines
}

/// What stays on one line: a word, a quoted name, a command after a colon.
fn pieces(text: &str, columns: usize) -> Vec<&str> {
    let mut pieces: Vec<&str> = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let behind_colon = pieces.last().is_some_and(|piece| piece.ends_with(':'));
        let first = rest.split(' ').next().unwrap_or(rest);
        let length = if (behind_colon || pieces.is_empty()) && PROGRAMS.contains(&first) {
            command_length(rest)
        } else {
            quoted_length(rest)
                .filter(|length| *length <= columns || rest[..*length].contains('/'))
                .unwrap_or(first.len())
        };
        let (piece, after) = rest.split_at(length);
        pieces.push(piece);
        rest = after.trim_start();
    }
    pieces
}

/// Returns where the command at the beginning ends: before the next part of the sentence.
fn command_length(text: &str) -> usize {
    ["; ", ", or ", ", and ", " ("]
        .iter()
        .filter_map(|end| Some(text.find(end)? + usize::from(!end.starts_with(' '))))
        .min()
        .unwrap_or(text.len())
}

/// Returns the length of a quoted name at the beginning, up to the space behind it; `None` when there is none.
fn quoted_length(text: &str) -> Option<usize> {
    let quoted = text.strip_prefix('(').unwrap_or(text).strip_prefix('\'')?;
    let begin = text.len() - quoted.len();
    let end = quoted.match_indices('\'').map(|(at, _)| begin + at + 1).find(|end| {
        text[*end..].chars().next().is_none_or(|next| matches!(next, ' ' | ',' | ';' | ':' | '.' | ')' | '?'))
    })?;
    Some(text[end..].find(' ').map_or(text.len(), |space| end + space))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_paths_names_and_commands_stay_whole() {
        let text = "cannot read /a/very/long/path/that/does/not/fit/into/it.pem: permission denied for this user";
        let lines = wrap(text, 30);
        assert_eq!(
            lines,
            ["cannot read", "/a/very/long/path/that/does/not/fit/into/it.pem:", "permission denied for this", "user"]
        );
        let text = "the name 'CN=Example Root CA' is taken; make one: ca init --name 'Another Root'; or stop";
        assert_eq!(
            wrap(text, 32),
            ["the name 'CN=Example Root CA' is", "taken; make one:", "ca init --name 'Another Root';", "or stop"]
        );
    }

    #[test]
    fn a_text_that_fits_or_has_no_room_stays_as_it_is() {
        for columns in [0, 5, 19, 40] {
            assert_eq!(wrap("a  sentence of some words that fits", columns), ["a  sentence of some words that fits"]);
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_lost_and_no_word_is_broken(text in "[a-z' :;/(ca)]{0,80}", columns in 0..60_usize) {
            let lines = wrap(&text, columns);
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            proptest::prop_assert_eq!(words(&lines.join(" ")), words(&text));
            for line in lines.iter().filter(|line| columns >= NARROWEST && line.chars().count() > columns) {
                proptest::prop_assert!(pieces(line, columns).len() == 1 || text.chars().count() <= columns, "{}", line);
            }
        }
    }
}
