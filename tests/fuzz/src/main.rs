//! libFuzzer around one of the targets, which `CA_FUZZ_TARGET` names. `tests/fuzz/run` builds and starts it.
#![no_main]

use std::sync::LazyLock;

#[path = "../targets/mod.rs"]
mod targets;

static TARGET: LazyLock<targets::Target> = LazyLock::new(|| {
    let name = std::env::var("CA_FUZZ_TARGET").unwrap_or_default();
    let found = targets::ALL.iter().find(|(known, _)| *known == name);
    let names: Vec<_> = targets::ALL.iter().map(|(known, _)| *known).collect();
    found.unwrap_or_else(|| panic!("CA_FUZZ_TARGET is {name:?}, expected one of {names:?}")).1
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| TARGET(data));
