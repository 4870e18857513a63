//! etcd, as a member of one with both ports.

use super::Exported;
use crate::support::process::{Server, free_port};
use crate::support::skip;

#[test]
fn etcd_runs_with_the_lines_of_its_recipe() {
    if !skip::unless_installed(&["etcd"]) {
        return;
    }
    let exported = Exported::named("etcd", "member", "issue peer member --san localhost --san 127.0.0.1");
    let place = &exported.hierarchy.place;
    let folder = exported.folder("db");
    let server = Server::start("etcd", place, |port| {
        let mut command = exported.command("etcd");
        let lines = exported.lines("/etc/default/etcd").lines();
        command
            .envs(lines.map(|line| line.split_once('=').unwrap()).map(|(name, value)| (name, value.trim_matches('"'))));
        command.arg("--data-dir").arg(folder.join("data"));
        let url = format!("https://127.0.0.1:{port}");
        command.args(["--listen-client-urls", &url, "--advertise-client-urls", &url]);
        command.args(["--listen-peer-urls", &format!("https://127.0.0.1:{}", free_port())]);
        command
    });
    if skip::unless_installed(&["etcdctl"]) {
        exported.wait_for_server(&server, "");
        exported.check_client("etcdctl", server.port, "");
    }
    // etcd closes the connection of a revoked client without an alert.
    exported.check(&server, "", &[]);
    let log = server.log();
    assert!(log.contains("revoked"), "{log}");
    assert!(exported.report["reload_command"].is_null());
    place.done("--dir ca renew member");
    assert!(
        exported.serves_issued_certificate(&server, ""),
        "etcd reads the files at each handshake: {}",
        server.log()
    );
}
