//! Node.js: a server with the lines for a server, and a client of it with the lines for a client.

use std::fs;
use std::process::Output;

use super::{Exported, export, lines};
use crate::support::process::{Server, wait_for};
use crate::support::program::succeeded;
use crate::support::skip;

/// SIGHUP makes the server read its files again, as the recipe says.
const SERVER: &str = "
const server = https.createServer(load(), (request, response) => response.end('hello'));
server.listen(Number(process.argv[2]), '127.0.0.1');
process.on('SIGHUP', () => server.setSecureContext(load()));
";

const CLIENT: &str = "
https.request({ ...load(), host: '127.0.0.1', servername: 'localhost', port: process.argv[2] }, (response) => {
  response.pipe(process.stdout);
}).end();
";

#[test]
fn node_runs_with_the_lines_of_its_recipe_as_a_server_and_as_a_client() {
    if !skip::unless_installed(&["node"]) {
        return;
    }
    let exported = Exported::of("node");
    let place = &exported.hierarchy.place;
    fs::write(place.path("server.js"), program(exported.lines("https.createServer"), SERVER)).unwrap();
    let server = Server::start("node", place, |port| {
        let mut command = place.command("node");
        command.arg("server.js").arg(port.to_string());
        command
    });
    // Node closes the connection of a client that it refuses, without an alert.
    exported.check(&server, "", &[]);

    let report = export(place, "ca", "alice", "node", "client");
    fs::write(place.path("client.js"), program(lines(&report, "https.request"), CLIENT)).unwrap();
    let client = || -> Output {
        let mut command = place.command("node");
        command.arg("client.js").arg(server.port.to_string()).output().unwrap()
    };
    assert_eq!(succeeded("client.js", &client()), "hello");

    let revoke = |name: &str| {
        place.done(&format!("--dir ca revoke {name}"));
        place.done("--dir ca crl");
    };
    revoke("alice");
    export(place, "ca", "localhost", "node", "node");
    let mut hang_up = place.command("kill");
    succeeded("kill", &hang_up.args(["-HUP", &server.id().to_string()]).output().unwrap());
    wait_for("the server's new CRL", || client().status.code().filter(|status| *status != 0));

    revoke("localhost");
    export(place, "ca", "alice", "node", "client");
    let said = String::from_utf8_lossy(&client().stderr).into_owned();
    assert!(said.contains("CERT_REVOKED"), "the client reads the CRL of the server: {said}");
}

fn program(lines: &str, rest: &str) -> String {
    format!(
        "const fs = require('fs'), https = require('https');\nfunction load() {{\n{lines}\nreturn options;\n}}\n{rest}"
    )
}
