//! Text that comes from a certificate is a stranger's: it is shown escaped, so that it cannot steer a terminal or
//! pass for something else.

use std::fmt::Write;

/// Lower-case hexadecimal without separators: the form of serials, fingerprints and key identifiers.
pub fn hex(octets: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    octets.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]).collect()
}

/// Reads hexadecimal as people paste it: `0x` in front, colons, spaces and upper case are accepted.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !matches!(c, ':' | ' '))
        .map(|c| c.to_digit(16).map(|digit| digit as u8))
        .collect::<Option<_>>()?;
    if digits.is_empty() {
        return None;
    }
    // An odd number of digits lacks its leading zero.
    let (head, pairs) = digits.split_at(digits.len() % 2);
    Some(head.iter().copied().chain(pairs.chunks(2).map(|pair| pair[0] << 4 | pair[1])).collect())
}

/// The known word that is most like `found`, if any is like it at all.
pub fn nearest<'w>(found: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let found = found.to_lowercase();
    let likeness = |word: &str| {
        let word = word.to_lowercase();
        // Of a short word, one slip of the fingers leaves too little for the usual measure: 'kye', 'dsn'.
        let is_slip = found.chars().count() >= 3 && strsim::osa_distance(&found, &word) == 1;
        strsim::jaro_winkler(&found, &word).max(if is_slip { 0.9 } else { 0.0 })
    };
    let scored = known.into_iter().map(|word| (likeness(word), word)).filter(|(score, _)| *score > 0.8);
    scored.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, word)| word)
}

/// ` (did you mean 'issuing'?)`, to stand behind what was found; nothing when no known word is like it.
pub fn did_you_mean<'w>(found: &str, known: impl IntoIterator<Item = &'w str>) -> String {
    nearest(found, known).map_or_else(String::new, |near| format!(" (did you mean '{near}'?)"))
}

/// `text` with everything that is not plainly visible written as `\u{…}`: control characters, the marks that turn the
/// direction of writing, and invisible ones.
pub fn escape(text: &str) -> String {
    if text.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_plainly_visible(c) {
            out.push(c);
        } else {
            write!(out, "\\u{{{:x}}}", u32::from(c)).expect("writing to a String cannot fail");
        }
    }
    out
}

/// Whether a character shows as itself in a terminal and cannot change how its neighbours show.
pub fn is_plainly_visible(c: char) -> bool {
    !(c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'))
}

/// A word as it is typed into a shell.
pub fn shell_word(word: &str) -> String {
    let is_plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "._-@:/".contains(c));
    if is_plain { word.to_owned() } else { format!("'{}'", escape(word).replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_like_none_is_not_guessed_at() {
        let known = ["root", "issuing", "branch"];
        assert_eq!(nearest("isuing", known), Some("issuing"));
        assert_eq!(nearest("BRANCH", known), Some("branch"));
        assert_eq!(nearest("web", ["Web"]), Some("Web"));
        assert_eq!(nearest("kye", ["summary", "key"]), Some("key"));
        assert_eq!(nearest("ke", ["key"]), Some("key"));
        assert_eq!(nearest("ip", ["uri", "dns"]), None);
        assert_eq!(nearest("x", known), None);
        assert_eq!(did_you_mean("rot", known), " (did you mean 'root'?)");
        assert_eq!(did_you_mean("", known), "");
    }

    #[test]
    fn a_word_for_a_shell_is_quoted_where_it_has_to_be() {
        for (word, typed) in [
            ("web-1.test:443", "web-1.test:443"),
            ("", "''"),
            ("a b", "'a b'"),
            ("$(x)", "'$(x)'"),
            ("o'x", r"'o'\''x'"),
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
    fn hexadecimal_is_read_in_every_usual_spelling() {
        for text in ["0a1bff", "0A:1B:FF", "0xa1bff", "a1bff"] {
            assert_eq!(from_hex(text).unwrap(), [0x0a, 0x1b, 0xff], "{text}");
        }
        assert_eq!(from_hex(""), None);
        assert_eq!(from_hex("0x"), None);
        assert_eq!(from_hex("zz"), None);
    }

    #[test]
    fn a_terminal_escape_in_a_name_is_shown_not_obeyed() {
        assert_eq!(escape("a\u{1b}[31mb\nc"), "a\\u{1b}[31mb\\u{a}c");
        assert_eq!(escape("Müller GmbH \u{202e}tset"), "Müller GmbH \\u{202e}tset");
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_in_hexadecimal_is_read_again(octets in proptest::collection::vec(proptest::num::u8::ANY, 1..40)) {
            proptest::prop_assert_eq!(from_hex(&hex(&octets)), Some(octets));
        }

        #[test]
        fn what_is_escaped_has_nothing_left_that_steers_a_terminal(text in "(?s).{0,60}") {
            proptest::prop_assert!(escape(&text).chars().all(is_plainly_visible));
        }
    }
}
