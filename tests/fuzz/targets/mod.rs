//! What is fuzzed: everything that strangers hand to `ca verify`. Each target takes any octets and panics when something is
//! wrong. `tests/fuzz/run` feeds them with libFuzzer; `tests/suite/fuzz_targets.rs` with the seeds and with what was found.

mod certificate;
mod chain;
mod kit;
mod pem;
mod revocation_list;

/// The targets by name.
pub const ALL: &[(&str, fn(&[u8]))] = &[
    ("certificate", certificate::run),
    ("chain", chain::run),
    ("revocation_list", revocation_list::run),
    ("pem", pem::run),
];
