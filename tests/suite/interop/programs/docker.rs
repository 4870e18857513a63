//! Docker: the daemon and the command, both with their recipes. The daemon starts in a network namespace, so that the lines of its
//! configuration stay as they are: it listens on every address, and on a socket in `/run`.

use std::fs;
use std::process::Output;

use super::{AGAIN, Exported, export, lines, namespace, restart_script};
use crate::support::process::{Background, wait_for};
use crate::support::program::{Place, binary, succeeded};
use crate::support::skip;

#[test]
fn docker_and_its_daemon_run_with_the_lines_of_their_recipes_and_check_no_crl() {
    if !skip::unless_installed(&["docker", "dockerd", "containerd", "unshare", "nsenter", "ip"]) {
        return;
    }
    let exported = Exported::of("dockerd");
    let place = &exported.hierarchy.place;
    if !namespace::unless_permitted(place) {
        return;
    }
    fs::write(place.path("daemon.json"), exported.lines("daemon.json")).unwrap();
    let [file, data] = ["daemon.json", "data"].map(|name| place.path(name).display().to_string());
    // It runs no container, so it needs no bridge and no layers.
    let own = ["--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"];
    let words = [&["dockerd", "--config-file", file.as_str(), "--data-root", data.as_str()], own.as_slice()].concat();
    // It writes a key and folders of plugins there.
    let words = [&["sh", "-c", AGAIN, "sh"], words.as_slice()].concat();
    let daemon = namespace::start("dockerd", place, &words, &["/etc/docker", "/opt"], &[]);
    wait_for("the daemon", || daemon.log().contains("API listen on [::]:2376").then_some(()));

    let carol = export(place, "ca", "carol", "docker", "carol");
    exported.wait_for_carol();
    let [alice, bob] = ["alice", "bob"].map(|name| export(place, "ca", name, "docker", name));
    let other = export(place, "other", "alice", "docker", "other");
    fs::copy(place.path("alice/ca.pem"), place.path("other/ca.pem")).unwrap();

    let version = |report| asked(place, &daemon, &environment(lines(report, "environment")), &[]);
    for accepted in [&alice, &bob] {
        let said = succeeded("docker version", &version(accepted));
        assert!(said.contains("Server:"), "{said}");
    }
    // Without the file cert.pem, the command shows no certificate.
    let root = place.path("alice/ca.pem").display().to_string();
    let none =
        asked(place, &daemon, &[("DOCKER_HOST", "tcp://localhost:2376")], &["--tlsverify", "--tlscacert", &root]);
    for (name, refused) in [("no certificate", none), ("other CA", version(&other)), ("carol", version(&carol))] {
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains("remote error: tls:"), "{name}: {said}");
    }
    let log = daemon.log();
    assert!(log.contains("certificate has expired"), "{log}");

    // The command checks the name and the root of the daemon.
    fs::copy(&exported.hierarchy.other_root, place.path("bob/ca.pem")).unwrap();
    let said = String::from_utf8_lossy(&version(&bob).stderr).into_owned();
    assert!(said.contains("x509: certificate signed by unknown authority"), "{said}");

    let serves_issued_certificate = || {
        let mut verify = namespace::inside(&daemon, place, binary().to_str().unwrap());
        verify.args(["--dir", "ca", "--json", "verify", "--connect", "localhost:2376"]);
        let output = verify.arg("ca/issued/localhost/fullchain.pem").output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        report["in_file"]["same_certificate"] == true
    };
    place.done("--dir ca renew localhost --no-hook");
    assert!(!serves_issued_certificate(), "without the hook: {}", daemon.log());
    exported.renew_with_hook(&[("systemctl", restart_script(place, "docker"))]);
    wait_for("the new certificate", || serves_issued_certificate().then_some(()));
}

/// The variables of the lines of a shell.
fn environment(lines: &str) -> Vec<(&str, &str)> {
    lines.lines().map(|line| line.strip_prefix("export ").unwrap().split_once('=').unwrap()).collect()
}

/// What `docker version` says in the namespace of the daemon.
fn asked(place: &Place, daemon: &Background, environment: &[(&str, &str)], options: &[&str]) -> Output {
    let mut command = namespace::inside(daemon, place, "docker");
    for (name, value) in environment {
        command.env(name, value.replace("HOST:2376", "localhost:2376"));
    }
    command.args(options).arg("version").output().unwrap()
}
