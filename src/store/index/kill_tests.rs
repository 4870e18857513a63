//! Tests of processes that write the index at the same time, and of processes that are killed while they write.
//!
//! Each process is this test program again; an environment variable makes it run one test that writes.

use std::env;
use std::io::{BufRead, BufReader, Write, stdout};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::store::index::sample::{NOW, Sample, add, new_index};
use crate::store::index::{Filter, Index};

const PATH: &str = "CA_TEST_INDEX";
const FIRST_SERIAL: &str = "CA_TEST_FIRST_SERIAL";
const COUNT: &str = "CA_TEST_COUNT";
const RECORDED: &str = "recorded ";

/// Starts a process that records `count` certificates and prints a line after each.
fn writer(path: &Path, first_serial: u32, count: u32) -> Child {
    // The name of a test starts below the crate.
    let module = module_path!().split_once("::").unwrap().1;
    Command::new(env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::a_writer_of_its_own_process"), "--nocapture", "--quiet"])
        .env(PATH, path)
        .env(FIRST_SERIAL, first_serial.to_string())
        .env(COUNT, count.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The body of the process that [`writer`] starts; it tests nothing itself.
#[test]
fn a_writer_of_its_own_process() {
    let (Ok(path), Ok(first), Ok(count)) = (env::var(PATH), env::var(FIRST_SERIAL), env::var(COUNT)) else { return };
    let (first, count): (u32, u32) = (first.parse().unwrap(), count.parse().unwrap());
    for serial in first..first + count {
        let mut index = Index::open(Path::new(&path)).unwrap();
        let sans = ["web.corp.test", "10.0.0.1"];
        let id = add(&mut index, &Sample { serial, sans: &sans, ..Sample::default() }, &serial.to_string());
        // One write call, so that a line is either complete or missing.
        stdout().write_all(format!("{RECORDED}{serial}\n").as_bytes()).unwrap();
        index.mark_delivered(id, NOW).unwrap();
    }
}

fn recorded(line: &str) -> Option<u32> {
    // The test program may have printed a word at the start of the line.
    line.split_once(RECORDED).map(|(_, serial)| serial.parse().unwrap())
}

#[test]
fn eight_processes_at_once_all_succeed() {
    let (_folder, path, index) = new_index();
    drop(index);
    let writers: Vec<Child> = (0..8).map(|number| writer(&path, number * 100, 10)).collect();
    for writer in writers {
        let output = writer.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let index = Index::open_to_read(&path).unwrap();
    assert_eq!(index.query(&Filter::default(), NOW).unwrap().1, 80);
    assert!(index.check().unwrap().is_empty());
}

#[test]
fn what_a_killed_process_said_it_recorded_is_there_and_the_next_one_goes_on() {
    const ROUNDS: u32 = 12;
    let (_folder, path, index) = new_index();
    drop(index);
    let mut all = Vec::new();
    for round in 0..ROUNDS {
        let mut child = writer(&path, round * 10_000, 10_000);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Each round kills the process after another number of records, at any point of the next one.
        let awaited = 1 + usize::try_from(round * 7 % 23).unwrap();
        all.extend(lines.by_ref().map_while(Result::ok).filter_map(|line| recorded(&line)).take(awaited));
        assert!(!all.is_empty(), "nothing was recorded");
        child.kill().unwrap();
        child.wait().unwrap();
        all.extend(lines.map_while(Result::ok).filter_map(|line| recorded(&line)));

        let index = Index::open(&path).unwrap();
        assert!(index.check().unwrap().is_empty(), "round {round}");
        let (entries, total) = index.query(&Filter::default(), NOW).unwrap();
        for serial in &all {
            assert!(entries.iter().any(|entry| entry.name == serial.to_string()), "{serial} was lost in round {round}");
        }
        // The last record of each round may be in the index without having been printed.
        assert!(total as usize <= all.len() + round as usize + 1, "round {round}");
        assert!(entries.iter().all(|entry| entry.sans.len() == 2));
    }
}
