//! The program seen from outside: one test binary, one file per question.
//!
//! `tests/run` runs it against the release binary. Peers that are not installed are named skips there; under a plain
//! `cargo test` they are failures, because a test that did not run must never look like one that passed.

#[path = "suite/advice.rs"]
mod advice;
#[path = "suite/apply_safety.rs"]
mod apply_safety;
#[path = "suite/architecture.rs"]
mod architecture;
#[path = "suite/at_once.rs"]
mod at_once;
#[path = "suite/backup_safety.rs"]
mod backup_safety;
#[path = "suite/bad_input.rs"]
mod bad_input;
#[path = "suite/bad_peers.rs"]
mod bad_peers;
#[path = "suite/bulk_safety.rs"]
mod bulk_safety;
#[path = "suite/cli_reference.rs"]
mod cli_reference;
#[path = "suite/clients_reference.rs"]
mod clients_reference;
#[path = "suite/dependencies.rs"]
mod dependencies;
#[path = "suite/differential.rs"]
mod differential;
#[path = "suite/everyday/mod.rs"]
mod everyday;
#[path = "suite/export_safety.rs"]
mod export_safety;
#[path = "suite/failure_codes.rs"]
mod failure_codes;
#[path = "suite/fuzz_targets.rs"]
mod fuzz_targets;
#[path = "suite/help_examples.rs"]
mod help_examples;
#[path = "suite/hierarchy_safety.rs"]
mod hierarchy_safety;
#[path = "suite/hostile_requests.rs"]
mod hostile_requests;
#[path = "suite/interop/mod.rs"]
mod interop;
#[path = "suite/language.rs"]
mod language;
#[path = "suite/limits.rs"]
mod limits;
#[path = "suite/many_files.rs"]
mod many_files;
#[path = "suite/messages.rs"]
mod messages;
#[path = "suite/other_users.rs"]
mod other_users;
#[path = "suite/pkilint.rs"]
mod pkilint;
#[path = "suite/pkits.rs"]
mod pkits;
#[path = "suite/power_cut.rs"]
mod power_cut;
#[path = "suite/power_cut_backup.rs"]
mod power_cut_backup;
#[path = "suite/programs.rs"]
mod programs;
#[path = "suite/refusals_in_memory.rs"]
mod refusals_in_memory;
#[path = "suite/replacement.rs"]
mod replacement;
#[path = "suite/request_safety.rs"]
mod request_safety;
#[path = "suite/revocation_safety.rs"]
mod revocation_safety;
#[path = "suite/rollback_safety.rs"]
mod rollback_safety;
#[path = "suite/rules.rs"]
mod rules;
#[path = "suite/safety.rs"]
mod safety;
#[path = "suite/schemas.rs"]
mod schemas;
#[path = "suite/scripts.rs"]
mod scripts;
#[path = "suite/second_reader.rs"]
mod second_reader;
#[path = "suite/secrets.rs"]
mod secrets;
#[path = "suite/security_page.rs"]
mod security_page;
#[path = "suite/served.rs"]
mod served;
#[path = "suite/several_machines/mod.rs"]
mod several_machines;
#[path = "suite/shared_folders.rs"]
mod shared_folders;
#[path = "suite/shells.rs"]
mod shells;
#[path = "suite/standard_streams.rs"]
mod standard_streams;
#[path = "suite/structure.rs"]
mod structure;
#[path = "suite/support/mod.rs"]
mod support;
#[path = "suite/syncs.rs"]
mod syncs;
#[path = "suite/year.rs"]
mod year;

/// Returns whether the module of a folder declares a module with this name.
fn is_listed(folder: &std::path::Path, name: &str) -> bool {
    let list = std::fs::read_to_string(folder.join("mod.rs")).unwrap();
    let declaration = format!("mod {name};");
    list.lines()
        .any(|line| line == declaration || line.starts_with("pub") && line.ends_with(&format!(" {declaration}")))
}

/// A forgotten file would never run, and nobody would notice.
#[test]
fn every_file_of_the_suite_is_declared() {
    let here = support::repository().join("tests");
    let root = std::fs::read_to_string(here.join("suite.rs")).unwrap();
    for entry in support::files_below(&here.join("suite"), "rs") {
        let folder = entry.parent().unwrap();
        let stem = entry.file_stem().unwrap().to_string_lossy().into_owned();
        let declared = match (folder == here.join("suite"), stem.as_str()) {
            (true, _) => root.contains(&format!("#[path = \"suite/{stem}.rs\"]\nmod {stem};")),
            (false, "mod") => {
                let (name, above) = (folder.file_name().unwrap().to_string_lossy(), folder.parent().unwrap());
                if above == here.join("suite") {
                    root.contains(&format!("#[path = \"suite/{name}/mod.rs\"]\nmod {name};"))
                } else {
                    is_listed(above, &name)
                }
            }
            (false, _) => is_listed(folder, &stem),
        };
        assert!(declared, "{} is declared nowhere, so its tests never run", entry.display());
    }
}
