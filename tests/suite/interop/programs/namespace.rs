//! Daemons with interfaces and a `/run` of their own, in namespaces of Linux. A container may forbid them: then the test is skipped.

use std::path::PathBuf;
use std::process::Command;

use crate::support::process::{Background, wait_for};
use crate::support::program::Place;
use crate::support::skip;

/// Whether namespaces can be made here; as [`skip::unless_installed`].
pub fn unless_permitted(place: &Place) -> bool {
    let is_permitted = unshare(place).arg("true").output().is_ok_and(|output| output.status.success());
    if !is_permitted {
        skip::because("no network namespaces: the test needs root");
    }
    is_permitted
}

fn unshare(place: &Place) -> Command {
    let mut command = place.command("unshare");
    command.args(["--net", "--mount", "--"]);
    command
}

/// Starts a program in new namespaces, in which the loopback is up, and `/run` and the folders in `hidden` are empty.
pub fn start(
    name: &str,
    place: &Place,
    program: &[&str],
    hidden: &[&str],
    environment: &[(&str, PathBuf)],
) -> Background {
    let mount = "for folder in $HIDDEN /run; do mount -t tmpfs of-this-test $folder || exit; done";
    let mut command = unshare(place);
    command.args(["sh", "-c", &format!("ip link set lo up && {mount} && exec \"$@\""), "sh"]);
    command.args(program).envs(environment.iter().cloned()).env("HIDDEN", hidden.join(" "));
    let daemon = Background::start(name, place, command);
    // Before that, a program that enters the namespaces of the process would run in those of the test.
    wait_for(name, || {
        let mounted = std::fs::read_to_string(format!("/proc/{}/mountinfo", daemon.id())).unwrap_or_default();
        mounted.lines().any(|line| line.contains(" /run ") && line.contains("of-this-test")).then_some(())
    });
    daemon
}

/// A program in the namespaces of a daemon.
pub fn inside(daemon: &Background, place: &Place, program: &str) -> Command {
    let mut command = place.command("nsenter");
    // Otherwise the program would begin in the root folder.
    command.arg(format!("--wd={}", place.path("").display()));
    command.arg(format!("--target={}", daemon.id())).args(["--net", "--mount", "--", program]);
    command
}
