//! Does a passphrase or a key leave the process by a way that was not meant: a child's environment, a core file?

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::fault;
use crate::support::process::wait_for;
use crate::support::program::{Place, binary, succeeded};

const PASSPHRASE: &str = "correct horse battery staple";

/// The hook runs `env`, the template and `--connect` ask the name service, so that every kind of child is started.
#[test]
fn no_child_gets_the_variable_with_the_passphrase() {
    if !fault::are_possible() {
        return;
    }
    let place = Place::new();
    let run = |words: &str, program: &str| {
        let mut command = place.command(program);
        // Whatever a PATH has first is not asked.
        let planted = place.path("planted");
        let path = command.get_envs().find(|(name, _)| *name == "PATH").unwrap().1.unwrap().to_owned();
        let folders = std::iter::once(planted).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(folders).unwrap()).env("SECRET", PASSPHRASE);
        if program == "strace" {
            command.args(["-f", "-qq", "-v", "-s", "4096", "-e", "signal=none", "-e", "trace=execve", "-o", "calls"]);
            command.arg(binary());
        }
        command.args(words.split_whitespace()).output().unwrap()
    };
    std::fs::create_dir(place.path("planted")).unwrap();
    for name in ["getent", "sh"] {
        std::fs::write(place.path("planted").join(name), "#!/bin/sh\nenv > planted-was-run\n").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(place.path("planted").join(name), mode).unwrap();
    }
    let ca = binary().to_str().unwrap();
    succeeded("init", &run("--dir ca init --passphrase-env SECRET", ca));
    let template = "key = [\"ecdsa-p256\"]\nlifetime = \"30d\"\n[names]\nkinds = [\"dns\"]\n[usage]\nkey = \
                    [\"digital-signature\"]\nextended = [\"server-auth\"]\n[files]\nowner = \"no-user-of-that-name\"\n";
    std::fs::write(place.path("ca/templates/owned.toml"), template).unwrap();

    for (words, children) in [
        ("--dir ca issue server web.test --passphrase-env SECRET --hook env>hook-saw", 1),
        ("--dir ca issue owned app.test --passphrase-env SECRET", 1),
        ("--dir ca handshake-test --connect host.invalid:443 --timeout 1s --passphrase-env SECRET", 1),
    ] {
        run(words, "strace");
        let calls = std::fs::read_to_string(place.path("calls")).unwrap();
        let started: Vec<&str> = calls.lines().filter(|call| call.contains("execve(")).collect();
        assert!(started.len() > children, "{words}: no child was started\n{calls}");
        assert!(started[0].contains(PASSPHRASE), "the program itself gets it\n{calls}");
        for child in &started[1..] {
            assert!(!child.contains(PASSPHRASE), "{words}: {child}");
        }
        let asked: Vec<&&str> = started.iter().filter(|call| call.contains("/getent\"")).collect();
        assert!(asked.iter().all(|call| call.contains("/getent\", [\"") && call.contains("], [])")), "{asked:#?}");
    }
    assert!(!std::fs::read_to_string(place.path("hook-saw")).unwrap().contains(PASSPHRASE));
    assert!(!place.path("planted-was-run").exists(), "a program that PATH names was run");
}

#[test]
fn a_crash_writes_no_core_file_with_a_key_in_it() {
    let place = Place::new();
    let mut command = place.command("sh");
    let line = "ulimit -c unlimited; exec \"$0\" --dir ca init --passphrase-fd 0";
    command.args(["-c", line]).arg(binary()).stdin(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    // It waits for the rest of the line.
    child.stdin.as_ref().unwrap().write_all(b"correct horse").unwrap();
    let process = format!("/proc/{}", child.id());
    let program = std::fs::canonicalize(binary()).unwrap();
    wait_for("the program", || {
        // The shell has the same process id before it.
        std::fs::read_link(format!("{process}/exe")).ok().filter(|running| *running == program)?;
        let limits = std::fs::read_to_string(format!("{process}/limits")).ok()?;
        let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size"))?;
        core.trim_start().starts_with("0 ").then_some(())
    });
    // Not SEGV: the runtime's handler for stack overflows takes the first one.
    kill_process(Pid::from_raw(child.id().cast_signed()).unwrap(), Signal::ABORT).unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.signal(), status.core_dumped()), (Some(6), false), "{status}");
}
