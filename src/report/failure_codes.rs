//! The codes of failures, with what each means and what to do. They are `failure_codes.toml`, inside the program.

use serde::Deserialize;

use crate::text::toml_document::Document;

/// What a code of `ca.error/1` stands for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailureCode {
    pub code: String,
    /// The exit status of the command that fails with it.
    pub exit: u8,
    /// A sentence without a full stop.
    pub means: String,
    pub fix: String,
}

const TEXT: &str = include_str!("failure_codes.toml");

/// Returns every code, in the order of the alphabet.
pub fn all() -> Vec<FailureCode> {
    let document = Document::new("failure_codes.toml", TEXT);
    let codes = document.top().take_list::<FailureCode>("codes").map(|list| list.value).unwrap_or_default();
    codes.into_iter().map(|code| code.value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_the_codes_are_sorted() {
        let codes: Vec<_> = all().into_iter().map(|code| code.code).collect();
        assert_eq!(codes.len(), TEXT.lines().filter(|line| line.contains("code = ")).count());
        assert!(codes.is_sorted_by(|one, next| one < next), "{codes:?}");
    }

    #[test]
    fn every_code_has_an_exit_status_and_two_sentences_without_a_full_stop() {
        for FailureCode { code, exit, means, fix } in all() {
            assert!(matches!(exit, 2 | 3), "{code}");
            for text in [means, fix] {
                assert!(text.split_whitespace().count() >= 3 && !text.ends_with('.'), "{code}: '{text}'");
                assert!(text.starts_with(|c: char| c.is_lowercase() || c == '-'), "{code}: '{text}'");
            }
        }
    }
}
