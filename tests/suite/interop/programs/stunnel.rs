//! stunnel, as a server in front of a program without TLS, and as a client of that server.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;

use serde_json::Value;

use super::{Exported, export, lines};
use crate::support::process::{Server, wait_for};
use crate::support::skip;

#[test]
fn stunnel_runs_with_the_lines_of_its_recipe_as_a_server_and_as_a_client() {
    if !skip::unless_installed(&["stunnel4"]) {
        return;
    }
    let exported = Exported::of("stunnel");
    let behind = page();
    let server = Server::start("stunnel", &exported.hierarchy.place, |port| {
        let lines = exported.lines("with the port of the program");
        stunnel(&exported, "server.conf", lines, ("accept = 8443", port), ("connect = 127.0.0.1:8080", behind))
    });
    exported.check(&server, "", &[]);

    let place = &exported.hierarchy.place;
    let report = export(place, "ca", "alice", "stunnel", "client");
    let start = |report: &Value| {
        Server::start("client", place, |port| {
            let lines = lines(report, "'checkHost'").replace("checkHost = HOST", "checkHost = localhost");
            stunnel(
                &exported,
                "client.conf",
                &lines,
                ("accept = 127.0.0.1:8080", port),
                ("connect = HOST:8443", server.port),
            )
        })
    };
    let client = start(&report);
    assert!(asked(client.port).ends_with("hello"), "{}", client.log());

    // Other tests can run this program too: only the one of this test gets the signal.
    let pkill = format!("test \"$*\" = '-HUP -x stunnel4' && kill -HUP {}", server.id());
    exported.check_hook(&server, "", &[("pkill", pkill)]);

    // The client reads the CRL of the server's issuer.
    place.done("--dir ca revoke localhost --all");
    place.done("--dir ca crl --all");
    let client = start(&export(place, "ca", "alice", "stunnel", "client"));
    assert_eq!(asked(client.port), "");
    wait_for("the refusal", || client.log().contains("certificate revoked").then_some(()));
}

/// A command that starts stunnel with a service whose addresses are those of this test.
fn stunnel(exported: &Exported, file: &str, lines: &str, accept: (&str, u16), connect: (&str, u16)) -> Command {
    let lines = lines.replace(accept.0, &format!("accept = 127.0.0.1:{}", accept.1));
    let lines = lines.replace(connect.0, &format!("connect = 127.0.0.1:{}", connect.1));
    let file = exported.hierarchy.place.path(file);
    fs::write(&file, format!("foreground = yes\npid =\n{lines}\n")).unwrap();
    let mut command = exported.command("stunnel4");
    command.arg(file);
    command
}

/// A page on a loopback port, without TLS; its port.
fn page() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || answer(stream.unwrap()));
        }
    });
    port
}

fn answer(mut stream: TcpStream) {
    // A client that was refused sends nothing.
    if stream.read(&mut [0; 4096]).is_ok_and(|length| length > 0) {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello").ok();
    }
}

/// What is answered to a request for a page.
fn asked(port: u16) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let mut answer = Vec::new();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok();
    stream.read_to_end(&mut answer).ok();
    String::from_utf8(answer).unwrap()
}
