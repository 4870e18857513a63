//! What is fuzzed: everything that third parties hand to `ca`, and the files that it believes. Each target takes any bytes and
//! panics when something is wrong. `tests/fuzz/run` feeds them with libFuzzer; `tests/suite/fuzz_targets.rs` with the seeds and with what was found.

mod certificate;
pub mod chain;
mod handshake;
mod index;
mod key_file;
mod kit;
mod pem;
pub mod revocation_list;
pub mod signing_request;
mod toml;

/// A target: it panics when something is wrong.
pub type Target = fn(&[u8]);

/// The targets by name.
pub const ALL: &[(&str, Target)] = &[
    ("certificate", certificate::run),
    ("chain", chain::run),
    ("revocation_list", revocation_list::run),
    ("pem", pem::run),
    ("signing_request", signing_request::run),
    ("key_file", key_file::run),
    ("toml", toml::run),
    ("handshake", handshake::run),
    ("index", index::run),
];
