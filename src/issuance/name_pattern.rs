//! The patterns of a template: one entry of `allow`, which names match, and of `allow-common-name`, which texts match.

use crate::x509::name_constraints::Subtree;
use crate::x509::{GeneralName, general_name};

/// One entry of `allow`: `*.corp.test` for everything below, an address block, or one name.
pub(super) enum NamePattern {
    Below(String),
    Exactly(GeneralName),
    Within(Subtree),
}

impl NamePattern {
    /// Reads an entry of `allow`.
    ///
    /// # Errors
    /// With the reason why it is not a pattern.
    pub(super) fn parse(pattern: &str) -> Result<Self, String> {
        if let Some(above) = pattern.strip_prefix("*.") {
            return general_name::dns(above).map(Self::Below).map_err(|error| error.to_string());
        }
        if let Ok(subtree @ Subtree::Ip { .. }) = pattern.parse() {
            return Ok(Self::Within(subtree));
        }
        pattern.parse().map(Self::Exactly).map_err(|error: general_name::GeneralNameError| error.to_string())
    }

    /// Returns whether the pattern allows a name.
    pub(super) fn matches(&self, name: &GeneralName) -> bool {
        match (self, name) {
            (Self::Below(above), GeneralName::Dns(name)) => {
                name.strip_suffix(above.as_str()).is_some_and(|host| host.ends_with('.'))
            }
            (Self::Exactly(one), name) => one == name,
            (Self::Within(subtree), name) => subtree.contains(name),
            _ => false,
        }
    }
}

/// One entry of `allow-common-name`: a text in which each `*` stands for any characters, also for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPattern(String);

impl TextPattern {
    /// Reads an entry of `allow-common-name`.
    ///
    /// # Errors
    /// With the reason why it is not a pattern.
    pub(super) fn parse(pattern: &str) -> Result<Self, &'static str> {
        match pattern {
            "" => Err("an empty pattern matches no common name"),
            // A value of --set could bring a `*`.
            _ if pattern.contains("{{") => Err("a pattern for common names has no placeholders"),
            _ => Ok(Self(pattern.to_owned())),
        }
    }

    /// Returns whether the pattern allows a text. Upper and lower case are different: a database knows `Admin` and `admin`
    /// as two users.
    pub(super) fn matches(&self, text: &str) -> bool {
        let Some((start, rest)) = self.0.split_once('*') else { return self.0 == text };
        let Some(mut left) = text.strip_prefix(start) else { return false };
        let mut pieces: Vec<&str> = rest.split('*').collect();
        let end = pieces.pop().unwrap_or_default();
        for piece in pieces {
            match left.split_once(piece) {
                Some((_, after)) => left = after,
                None => return false,
            }
        }
        left.ends_with(end)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters_and_everything_else_for_itself() {
        for (pattern, text, expected) in [
            ("alice", "alice", true),
            ("alice", "Alice", false),
            ("alice", "alice2", false),
            ("svc-*", "svc-", true),
            ("svc-*", "svc-db", true),
            ("svc-*", "asvc-db", false),
            ("*", "", true),
            ("*", "anything at all", true),
            ("*-admin", "db-admin", true),
            ("*-admin", "db-admin2", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            // No character counts twice.
            ("ab*ba", "aba", false),
            ("a**a", "aa", true),
            ("a*", "äa", false),
        ] {
            assert_eq!(TextPattern::parse(pattern).unwrap().matches(text), expected, "{pattern} {text}");
        }
        assert!(TextPattern::parse("").is_err() && TextPattern::parse("{{ name }}").is_err());
    }
}
