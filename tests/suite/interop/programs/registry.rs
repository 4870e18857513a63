//! A Docker registry, and a Docker daemon that pulls an image from it. Both are in a network namespace with an address of its own:
//! for a loopback address, the daemon does not read its folder of certificates.

use std::fs;
use std::process::{Command, Output};

use super::{Exported, export, namespace, restart_script, restarted};
use crate::support::process::{Background, Server, wait_for};
use crate::support::program::{Place, succeeded};
use crate::support::skip;

fn configuration(exported: &Exported, address: &str) -> String {
    let lines = exported.lines("config.yml");
    format!("version: 0.1\nstorage:\n  inmemory: {{}}\nhttp:\n  addr: {address}\n{lines}\n")
}

#[test]
fn a_docker_registry_runs_with_the_lines_of_its_recipe_and_checks_no_crl() {
    if !skip::unless_installed(&["docker-registry"]) {
        return;
    }
    let exported = Exported::of("registry");
    let place = &exported.hierarchy.place;
    let server = Server::start("registry", place, |port| {
        fs::write(place.path("config.yml"), configuration(&exported, &format!("127.0.0.1:{port}"))).unwrap();
        let mut command = exported.command("docker-registry");
        command.arg("serve").arg(place.path("config.yml"));
        restarted(place, &command)
    });
    exported.check(&server, "", &["revoked-client"]);
    exported.check_hook(&server, "", &[("systemctl", restart_script(place, "docker-registry"))]);
}

#[test]
fn a_docker_daemon_shows_a_registry_the_certificate_of_its_recipe() {
    let programs = ["docker-registry", "docker", "dockerd", "containerd", "unshare", "nsenter", "ip"];
    if !skip::unless_installed(&programs) {
        return;
    }
    let exported = Exported::named("registry", "10.9.9.9", "issue server 10.9.9.9");
    let place = &exported.hierarchy.place;
    if !namespace::unless_permitted(place) {
        return;
    }
    let data = place.path("data").display().to_string();
    let own = ["--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"];
    let words = [&["dockerd", "--data-root", data.as_str()], own.as_slice()].concat();
    let daemon = namespace::start("dockerd", place, &words, &["/etc/docker", "/opt"], &[]);
    wait_for("the daemon", || daemon.log().contains("API listen on").then_some(()));
    inside(&daemon, place, "ip", "address add 10.9.9.9/32 dev lo");
    fs::write(place.path("config.yml"), configuration(&exported, "10.9.9.9:5000")).unwrap();
    let mut serve = namespace::inside(&daemon, place, "docker-registry");
    serve.arg("serve").arg(place.path("config.yml"));
    let registry = Background::start("registry", place, serve);
    wait_for("the registry", || registry.log().contains("listening on").then_some(()));

    fs::create_dir(place.path("image")).unwrap();
    fs::write(place.path("image/hello"), "hello").unwrap();
    succeeded("tar", &place.command("tar").args(["-cf", "image.tar", "-C", "image", "."]).output().unwrap());
    inside(&daemon, place, "docker", "import image.tar 10.9.9.9:5000/hello");
    exported.wait_for_carol();
    inside(&daemon, place, "mkdir", "/etc/docker/certs.d");
    let push = |dir: &str, name: &str| {
        let folder = format!("{dir}-{name}");
        export(place, dir, name, "registry-client", &folder);
        if dir != "ca" {
            fs::copy(&exported.hierarchy.root, place.path(&folder).join("ca.crt")).unwrap();
        }
        let to = "/etc/docker/certs.d/10.9.9.9:5000";
        inside(&daemon, place, "rm", &format!("-rf {to}"));
        inside(&daemon, place, "cp", &format!("-r {folder} {to}"));
        asked(&daemon, place, "docker", "push 10.9.9.9:5000/hello")
    };
    for (dir, name) in [("ca", "carol"), ("other", "alice")] {
        let said = String::from_utf8_lossy(&push(dir, name).stderr).into_owned();
        assert!(said.contains("remote error: tls:"), "{name} of {dir}: {said}\n{}", registry.log());
    }
    for name in ["alice", "bob"] {
        succeeded(name, &push("ca", name));
    }
    inside(&daemon, place, "docker", "rmi 10.9.9.9:5000/hello");
    inside(&daemon, place, "docker", "pull 10.9.9.9:5000/hello");
    // Without the folder there is no certificate.
    inside(
        &daemon,
        place,
        "rm",
        "/etc/docker/certs.d/10.9.9.9:5000/client.cert /etc/docker/certs.d/10.9.9.9:5000/client.key",
    );
    let said =
        String::from_utf8_lossy(&asked(&daemon, place, "docker", "pull 10.9.9.9:5000/hello").stderr).into_owned();
    assert!(said.contains("remote error: tls:"), "{said}");
}

/// Runs a program in the namespace of the daemon; `words` have no blanks.
fn asked(daemon: &Background, place: &Place, program: &str, words: &str) -> Output {
    let mut command: Command = namespace::inside(daemon, place, program);
    command.args(words.split(' ')).output().unwrap()
}

fn inside(daemon: &Background, place: &Place, program: &str, words: &str) {
    succeeded(words, &asked(daemon, place, program, words));
}
