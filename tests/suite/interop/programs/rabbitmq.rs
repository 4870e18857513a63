//! RabbitMQ, with a port mapper of its own and a node in a temporary folder.

use std::fs;
use std::process::Command;

use super::Exported;
use crate::support::process::{Server, free_port};
use crate::support::program::succeeded;
use crate::support::skip;

const PROGRAMS: &str = "/usr/lib/rabbitmq/bin";

#[test]
fn rabbitmq_runs_with_the_lines_of_its_recipe_and_reads_new_files_with_its_hook() {
    if !skip::unless_installed(&["rabbitmq-server", "rabbitmqctl", "epmd"]) {
        return;
    }
    let exported = Exported::of("rabbitmq");
    let place = &exported.hierarchy.place;
    let folder = exported.folder("node");
    fs::write(place.path("plugins"), "[rabbitmq_auth_mechanism_ssl].\n").unwrap();
    // Without one, the node starts a port mapper that outlives it.
    let mapper = Server::start("epmd", place, |port| {
        let mut command = exported.command("epmd");
        command.args(["-address", "127.0.0.1", "-port", &port.to_string()]);
        command
    });
    // The scripts of Debian in the PATH go to the folder of the system's own node.
    let command = |program: &str| -> Command {
        let mut command = exported.command(format!("{PROGRAMS}/{program}"));
        command.env("HOME", &folder).env("ERL_EPMD_PORT", mapper.port.to_string()).env("ERL_EPMD_ADDRESS", "127.0.0.1");
        command.env("RABBITMQ_NODENAME", "test@localhost").env("RABBITMQ_CONF_ENV_FILE", "/dev/null");
        command
    };
    let server = Server::start("rabbitmq", place, |port| {
        let lines = exported.lines("rabbitmq.conf").replace("default = 5671", &format!("default = 127.0.0.1:{port}"));
        fs::write(place.path("rabbitmq.conf"), format!("{lines}\nlisteners.tcp = none\n")).unwrap();
        let mut command = command("rabbitmq-server");
        command.env("RABBITMQ_CONFIG_FILE", place.path("rabbitmq.conf")).env("RABBITMQ_LOGS", "-");
        command.env("RABBITMQ_ENABLED_PLUGINS_FILE", place.path("plugins"));
        command.env("RABBITMQ_DIST_PORT", free_port().to_string());
        for (name, file) in [("MNESIA_BASE", "mnesia"), ("LOG_BASE", "log"), ("FEATURE_FLAGS_FILE", "flags")] {
            command.env(format!("RABBITMQ_{name}"), folder.join(file));
        }
        command
    });
    exported.check(&server, "", &["revoked-client"]);

    let served = || {
        let words = format!("--dir ca verify --connect 127.0.0.1:{} --hostname localhost --json", server.port);
        let report: serde_json::Value = serde_json::from_str(&place.done(&words)).unwrap();
        report["chain"][0]["serial"].as_str().unwrap().to_owned()
    };
    let old = served();
    place.done("--dir ca renew localhost");
    assert_eq!(served(), old, "it reads its files again by itself: the recipe needs no hook");
    let hook = exported.report["reload_command"].as_str().unwrap().strip_prefix("rabbitmqctl eval ").unwrap();
    let mut control = command("rabbitmqctl");
    succeeded(hook, &control.args(["eval", hook.trim_matches('\'')]).output().unwrap());
    assert_ne!(served(), old);
}
