//! A pattern of names: `web-*`.

/// A pattern in which `*` stands for any characters, and `?` for one. Upper and lower case are alike, as in names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern(String);

impl NamePattern {
    /// Returns the pattern that a text is; `None` when it has neither `*` nor `?`.
    pub fn of(given: &str) -> Option<Self> {
        given.contains(['*', '?']).then(|| Self(given.to_ascii_lowercase()))
    }

    /// Returns the pattern for LIKE of SQL with the escape character `!`.
    pub(super) fn for_like(&self) -> String {
        let escaped = self.0.replace('!', "!!").replace('%', "!%").replace('_', "!_");
        escaped.replace('*', "%").replace('?', "_")
    }

    /// Returns what every matching name begins with.
    pub(super) fn beginning(&self) -> &str {
        self.0.split(['*', '?']).next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_a_star_or_a_question_mark_is_a_pattern() {
        assert_eq!(NamePattern::of("web.corp.test"), None);
        assert_eq!(NamePattern::of("Web-*.corp.test").unwrap().beginning(), "web-");
        assert_eq!(NamePattern::of("*").unwrap().beginning(), "");
        assert_eq!(NamePattern::of("a_[1]?!*").unwrap().for_like(), "a!_[1]_!!%");
    }
}
