//! What the program does when its standard streams are closed, or have no reader: on Linux it begins without the runtime of the
//! standard library, which takes care of that elsewhere (`src/main.rs`).

use std::fs;
use std::process::Stdio;

use crate::support::fault;
use crate::support::program::{Place, binary};

#[test]
fn no_file_takes_the_place_of_a_closed_standard_stream() {
    if !fault::are_possible() {
        return;
    }
    let place = Place::new();
    place.done("init --name Closed --no-passphrase");
    // The shell closes them, because strace opens its own.
    let issue = format!("exec {} issue server web.test <&- >&- 2>&-", binary().display());
    let mut traced = place.command("strace");
    let status = traced.args(["--output=trace", "--trace=open,openat,openat2", "sh", "-c", &issue]).status().unwrap();
    assert_eq!(status.code(), Some(0));
    let trace = fs::read_to_string(place.path("trace")).unwrap();
    let opened: Vec<(&str, i32)> =
        trace.lines().filter_map(|line| Some((line, line.rsplit_once(" = ")?.1.parse().ok()?))).collect();
    let standard: Vec<i32> = opened.iter().filter(|(_, number)| *number <= 2).map(|(_, number)| *number).collect();
    assert!(opened.len() > 10 && standard == [0, 1, 2], "{trace}");
    assert!(opened.iter().all(|(line, number)| *number > 2 || line.contains("/dev/null")), "{trace}");
    place.done("audit");
}

#[test]
fn a_closed_pipe_does_not_end_the_program_before_its_work_is_done() {
    let place = Place::new();
    place.done("init --name Pipe --no-passphrase");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let errors = writer.try_clone().unwrap();
    let mut issue = place.ca("issue server web.test");
    let status = issue.stdout(Stdio::from(writer)).stderr(Stdio::from(errors)).status().unwrap();
    // Not by a signal.
    assert!(status.code().is_some(), "{status}");
    assert!(place.done("audit").starts_with("nothing was found"));
    place.done("show web.test");
}
