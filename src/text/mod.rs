//! Text of any kind: escaping, hexadecimal, times and durations, TOML files, codes and hints of errors. The room knows
//! nothing about certificates.

pub mod diagnostic;
pub mod escape;
pub mod hex;
pub mod io_reason;
pub mod lifetime;
pub mod path;
pub mod similar;
pub mod time;
pub mod toml_document;
pub mod warning;
pub mod wildcard;
pub mod wrap;

pub use diagnostic::{Class, Diagnosis, Diagnostic};
pub use escape::{escape, is_plainly_visible, push_escaped, shell_word, with_visible_end, with_visible_ends};
pub use hex::{from_hex, hex};
pub use io_reason::io_reason;
pub use lifetime::Lifetime;
pub use path::PathText;
pub use similar::{did_you_mean, edits, nearest};
pub use time::{TimeError, how_far, humanize, parse_time, rfc3339, whole_second};
pub use warning::Warning;
pub use wrap::wrap;
