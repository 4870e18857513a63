//! Escaping. Text from a file or from a peer is not trusted: it is shown escaped, so that it can neither control a terminal
//! nor look like something else.

use std::borrow::Cow;
use std::fmt::Write;

/// Returns `text` with every character that is not plainly visible as `\u{…}`: control characters, marks that change the
/// direction of writing, and invisible characters.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_escaped(&mut out, text);
    out
}

/// As [`escape`], at the end of another text.
pub fn push_escaped(out: &mut String, text: &str) {
    // Without an end before the last byte, the compiler makes vector instructions of it.
    if text.bytes().fold(true, |is_plain, byte| is_plain & matches!(byte, b' '..=b'~')) {
        out.push_str(text);
        return;
    }
    for c in text.chars() {
        if is_plainly_visible(c) {
            out.push(c);
        } else {
            write!(out, "\\u{{{:x}}}", u32::from(c)).expect("writing to a String cannot fail");
        }
    }
}

/// Returns `text` with a space at its beginning or end as `\u{20}`, since such a space cannot be seen.
pub fn with_visible_ends(text: &str) -> Cow<'_, str> {
    match text.strip_prefix(' ') {
        Some(rest) => Cow::Owned(format!("\\u{{20}}{}", with_visible_end(rest))),
        None => with_visible_end(text),
    }
}

/// As [`with_visible_ends`], for the end alone.
pub fn with_visible_end(text: &str) -> Cow<'_, str> {
    text.strip_suffix(' ').map_or(Cow::Borrowed(text), |rest| Cow::Owned(format!("{rest}\\u{{20}}")))
}

/// Returns whether a terminal shows a character as itself, and the character does not change how others are shown.
pub fn is_plainly_visible(c: char) -> bool {
    !(c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'))
}

/// Returns a word in the form for a shell: quoted where necessary. A word with control characters is written as `$'…'` with
/// its bytes in hexadecimal (POSIX.1-2024 §2.2.4), so that the pasted word is still the same word.
pub fn shell_word(word: &str) -> String {
    if !word.chars().all(is_plainly_visible) {
        return with_hexadecimal_bytes(word.as_bytes());
    }
    let is_plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "._-@:/".contains(c));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// Returns [`shell_word`] of bytes that need not be UTF-8.
pub(super) fn shell_word_of_bytes(word: &[u8]) -> String {
    std::str::from_utf8(word).map_or_else(|_| with_hexadecimal_bytes(word), shell_word)
}

fn with_hexadecimal_bytes(word: &[u8]) -> String {
    let byte = |byte: &u8| match byte {
        b'\\' | b'\'' => format!("\\{}", char::from(*byte)),
        b' '..=b'~' => char::from(*byte).to_string(),
        byte => format!("\\x{byte:02x}"),
    };
    format!("$'{}'", word.iter().map(byte).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_for_a_shell_is_quoted_where_it_has_to_be() {
        for (word, typed) in [
            ("web-1.test:443", "web-1.test:443"),
            ("", "''"),
            ("a b", "'a b'"),
            ("$(x)", "'$(x)'"),
            ("o'x", r"'o'\''x'"),
            ("a\u{1b}'b\\", r"$'a\x1b\'b\\'"),
        ] {
            assert_eq!(shell_word(word), typed);
        }
    }

    #[test]
    fn what_does_not_show_or_turns_its_neighbours_round_is_not_plainly_visible() {
        for c in ['\u{7}', '\u{ad}', '\u{200b}', '\u{202e}', '\u{2066}', '\u{feff}', '\u{e0041}'] {
            assert!(!is_plainly_visible(c), "{c:?}");
        }
        assert!(['a', 'ß', '界'].into_iter().all(is_plainly_visible));
    }

    #[test]
    fn a_terminal_escape_in_a_name_is_shown_not_obeyed() {
        assert_eq!(escape("a\u{1b}[31mb\nc"), "a\\u{1b}[31mb\\u{a}c");
        assert_eq!(escape("Müller GmbH \u{202e}tset"), "Müller GmbH \\u{202e}tset");
    }

    #[test]
    fn a_space_at_an_end_can_be_seen() {
        for (text, shown) in
            [("a", "a"), ("a ", "a\\u{20}"), (" a b  ", "\\u{20}a b \\u{20}"), (" ", "\\u{20}"), ("", "")]
        {
            assert_eq!(with_visible_ends(text), shown);
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_escaped_has_nothing_left_that_steers_a_terminal(text in "(?s).{0,60}") {
            proptest::prop_assert!(escape(&text).chars().all(is_plainly_visible));
        }
    }
}
