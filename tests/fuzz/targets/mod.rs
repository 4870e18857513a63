//! What is fuzzed: everything that strangers hand to `ca verify` and `ca sign`. Each target takes any octets and panics when something is
//! wrong. `tests/fuzz/run` feeds them with libFuzzer; `tests/suite/fuzz_targets.rs` with the seeds and with what was found.

mod certificate;
pub mod chain;
mod kit;
mod pem;
pub mod revocation_list;
pub mod signing_request;

/// A target: it panics when something is wrong.
pub type Target = fn(&[u8]);

/// The targets by name.
pub const ALL: &[(&str, Target)] = &[
    ("certificate", certificate::run),
    ("chain", chain::run),
    ("revocation_list", revocation_list::run),
    ("pem", pem::run),
    ("signing_request", signing_request::run),
];
