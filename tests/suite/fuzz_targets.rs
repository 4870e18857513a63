//! The targets of `tests/fuzz`, fed with their seeds, with everything that they ever found, and with noise from a fixed
//! beginning: so they are known to build, and what was mended stays mended. The fuzzing itself is `tests/fuzz/run`.

use crate::support::repository;

#[path = "../fuzz/targets/mod.rs"]
mod targets;

#[test]
fn every_target_stands_its_seeds_and_what_was_found() {
    for (name, run) in targets::ALL {
        let folders = ["seeds", "found"].map(|kind| repository().join("tests/fuzz").join(kind).join(name));
        let files: Vec<_> = folders
            .iter()
            .filter_map(|folder| std::fs::read_dir(folder).ok())
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect();
        for file in files {
            eprintln!("{name}: {}", file.display());
            run(&std::fs::read(&file).unwrap());
        }
    }
}

#[test]
fn every_target_stands_noise_and_the_beginnings_of_its_seeds() {
    for (name, run) in targets::ALL {
        // These two open files and sockets.
        let rounds = if ["index", "handshake"].contains(name) { 40 } else { 300 };
        for round in 0..rounds {
            run(&noise(round, 400));
        }
        let Ok(seeds) = std::fs::read_dir(repository().join("tests/fuzz/seeds").join(name)) else { continue };
        for seed in seeds {
            let seed = std::fs::read(seed.unwrap().path()).unwrap();
            for length in (0..seed.len()).step_by(13) {
                run(&seed[..length]);
            }
        }
    }
}

/// Without yeses, what must hold of a yes would never be looked at.
#[test]
fn the_kit_of_the_targets_makes_chains_that_hold() {
    let yes = (0..3000).filter(|round| targets::chain::is_valid(&noise(*round, 120))).count();
    assert!(yes > 10, "only {yes} of 3000 chains hold");
    let yes = (0..1000).filter(|round| targets::revocation_list::is_valid(&noise(*round, 120))).count();
    assert!(yes > 10, "only {yes} of 1000 certificates are not revoked");
    let yes = (0..1000).filter(|round| targets::signing_request::is_verified(&noise(*round, 120))).count();
    assert!(yes > 10, "only {yes} of 1000 requests are proven");
}

/// The same octets in every run: xorshift64.
fn noise(round: u64, length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(round + 1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}
