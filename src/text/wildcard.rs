//! Patterns such as those of a shell: `*` stands for any characters, `?` for one.

/// Returns whether a text has a character of a pattern.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Returns whether a whole text matches a pattern. The time is at most the product of both lengths.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut from) = (0, 0);
    // The latest star, and the first character that it does not stand for.
    let mut star = None;
    while from < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == text[from] => (at, from) = (at + 1, from + 1),
            _ => match star {
                Some((place, behind)) => {
                    star = Some((place, behind + 1));
                    (at, from) = (place + 1, behind + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|left| *left == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters_and_a_question_mark_for_one() {
        for (pattern, text) in [
            ("*", ""),
            ("*.pem", "web.pem"),
            ("web-?.pem", "web-1.pem"),
            ("*a*b", "xaxbxb"),
            ("**", "x"),
            ("?", "ü"),
            ("", ""),
            ("web.pem", "web.pem"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("?", ""), ("*.pem", "web.key"), ("web-?.pem", "web-12.pem"), ("*a*b", "xaxbxc"), ("", "x"), ("a", "")]
        {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
        let (pattern, text) = ("a*".repeat(500), "a".repeat(499));
        assert!(!matches(&pattern, &text));
    }
}
