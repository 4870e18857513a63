//! Numbers on the command line.

use std::num::NonZeroUsize;
use std::str::FromStr;

/// Parses a whole number for clap; its errors do not use the words of Rust's parser.
///
/// # Errors
/// When the text is not a whole number, or the number is too great.
pub fn whole_number<T: FromStr>(given: &str) -> Result<T, &'static str> {
    given.parse().map_err(|_| match given.bytes().all(|byte| byte.is_ascii_digit()) && !given.is_empty() {
        true => "the number is too great",
        false => "expected a whole number, 0 or more",
    })
}

/// Parses the number of threads of `--jobs`.
///
/// # Errors
/// When it is not a whole number, or 0.
pub fn jobs(given: &str) -> Result<NonZeroUsize, &'static str> {
    NonZeroUsize::new(whole_number::<usize>(given)?).ok_or("expected a whole number, 1 or more")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_errors_of_numbers_are_plain_words() {
        assert_eq!(whole_number::<u32>("7"), Ok(7));
        for given in ["", "x", "-1", "1.5"] {
            assert_eq!(whole_number::<u32>(given), Err("expected a whole number, 0 or more"));
        }
        assert_eq!(whole_number::<u32>("4294967296"), Err("the number is too great"));
    }
}
