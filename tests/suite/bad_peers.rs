//! Peers that close, stall, speak something else or never end: `ca handshake-test` says so within its time, and is gone.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::process::{self, Server};
use crate::support::program::Place;
use crate::support::skip;

/// Far above what `--timeout 1s` allows two versions, and far below forever.
const SOON: Duration = Duration::from_secs(20);

fn place() -> Place {
    let place = Place::new();
    place.done("--dir ca init --no-passphrase --key ecdsa-p256");
    place.done("--dir ca issue server localhost");
    place.done("--dir ca issue client alice");
    place
}

/// What a client does with its connection.
type Play = fn(TcpStream);

/// A handshake message that claims to be long, octet by octet: there is always something new, and never enough.
fn trickle(mut socket: TcpStream) {
    let record = [&[22, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc][..], &[0; 0x3ffc]].concat();
    for octet in record {
        if socket.write_all(&[octet]).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A server that does the same with everybody, until the test process ends.
fn serve(play: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let play = std::sync::Arc::new(play);
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let play = play.clone();
            std::thread::spawn(move || play(socket));
        }
    });
    port
}

/// Runs it and measures; nothing that it started may hold its output open.
fn run(mut command: Command) -> (Output, Duration) {
    let began = Instant::now();
    (command.output().unwrap(), began.elapsed())
}

#[test]
fn servers_that_are_none_are_told_as_such_within_the_time_limit() {
    let place = place();
    let servers: [(&str, &str, u16); 6] = [
        ("closes", "closed", serve(drop)),
        ("stalls", "timed-out", serve(|socket| drop((&socket).read_to_end(&mut Vec::new())))),
        ("trickles", "timed-out", serve(trickle)),
        (
            "speaks plain HTTP",
            "not-tls",
            serve(|mut socket| drop(socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\nTLS, please\r\n"))),
        ),
        ("speaks garbage", "not-tls", serve(|mut socket| drop(socket.write_all(&[0xa5; 4096])))),
        (
            "never ends",
            "too-much-data",
            serve(|mut socket| {
                // Handshake records of a message that claims to be long, forever.
                let record = [&[22, 3, 3, 0x40, 0][..], &[2, 0, 0xff, 0xff], &[0; 0x4000 - 4]].concat();
                while socket.write_all(&record).is_ok() {}
            }),
        ),
    ];
    for (what, code, port) in servers {
        let words = format!("--dir ca handshake-test --connect 127.0.0.1:{port} --client alice --timeout 1s --json");
        let (output, took) = run(place.ca(&words));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{what}: {said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(took < SOON, "{what}: {took:?}");
        let report: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(report["passed"], false, "{what}");
        assert_eq!(report["refusals"].as_array().map(Vec::len), Some(0), "{what}: a refusal would prove nothing");
        for session in report["sessions"].as_array().unwrap() {
            let found = session["broken_off"]["error"].as_str().unwrap();
            // What never ends may be given up for its size or for its form, whichever shows first.
            assert!(found == code || (what == "never ends" && found != "timed-out"), "{what}: {report:#}");
            assert!(session["broken_off"]["hint"].is_string(), "{what}: no cure in {report:#}");
        }
    }
}

/// A server of another protocol may wait for other words than a request for a page: its silence is not a refusal, which in
/// TLS 1.3 would be an alert.
#[test]
fn a_server_that_says_nothing_after_the_handshake_has_let_the_client_in_within_the_time_limit() {
    if !skip::unless_installed(&["openssl"]) {
        return;
    }
    let place = place();
    let server = Server::start("openssl", &place, |port| {
        let mut command = place.command("openssl");
        command.args(["s_server", "-quiet", "-accept", &format!("127.0.0.1:{port}"), "-Verify", "2"]);
        command.args(["-CAfile", "ca/authorities/root/cert.pem"]);
        command.args(["-cert", "ca/issued/localhost/cert.pem", "-key", "ca/issued/localhost/key.pem"]);
        command
    });
    let words = format!(
        "--dir ca handshake-test --connect localhost:{} --client alice --timeout 1s --no-refusals --json",
        server.port
    );
    let (output, took) = run(place.ca(&words));
    assert!(took < SOON, "{took:?}");
    assert_eq!(output.status.code(), Some(0));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    for session in report["sessions"].as_array().unwrap() {
        assert_eq!(session["broken_off"], Value::Null, "{session:#}");
        assert!(session["handshake_us"].is_u64(), "{session:#}");
        assert_eq!(session["client"]["authenticated"], true, "{session:#}");
        assert_eq!(session["application_bytes"]["to_client"], 0, "{session:#}");
    }
}

#[test]
fn clients_that_are_none_are_told_as_such_within_the_time_limit() {
    let place = place();
    let clients: [(&str, &str, Play); 6] = [
        ("closes", "closed", drop),
        ("stalls", "timed-out", |socket| drop((&socket).read_to_end(&mut Vec::new()))),
        ("trickles", "timed-out", trickle),
        ("speaks garbage", "not-tls", |mut socket| {
            socket.write_all(&[0xa5; 4096]).unwrap();
            drop(socket.read_to_end(&mut Vec::new()));
        }),
        ("speaks plain HTTP", "not-tls", |mut socket| {
            socket.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
            drop(socket.read_to_end(&mut Vec::new()));
        }),
        ("never ends", "not-tls", |mut socket| while socket.write_all(&[0; 16 * 1024]).is_ok() {}),
    ];
    for (what, code, play) in clients {
        let said = place.path("said");
        let words = "--dir ca handshake-test --listen 127.0.0.1:0 --server localhost --once --timeout 1s --json";
        let mut host = place.ca(words);
        host.stdout(Stdio::piped()).stderr(std::fs::File::create(&said).unwrap());
        let host = host.spawn().unwrap();
        let port: u16 = process::wait_for(what, || {
            std::fs::read_to_string(&said).unwrap().split_once("127.0.0.1:")?.1.split_once(' ')?.0.parse().ok()
        });
        let began = Instant::now();
        play(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap());
        let output = host.wait_with_output().unwrap();
        assert!(began.elapsed() < SOON, "{what}");
        assert_eq!(output.status.code(), Some(1), "{what}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["sessions"][0]["broken_off"]["error"], code, "{what}: {report:#}");
    }
}

#[test]
fn with_for_everybody_who_comes_in_time_is_received() {
    let place = place();
    let said = place.path("said");
    let words = "--dir ca handshake-test --listen 127.0.0.1:0 --server localhost --for 3s --timeout 1s --json";
    let mut host = place.ca(words);
    host.stdout(Stdio::piped()).stderr(std::fs::File::create(&said).unwrap());
    let host = host.spawn().unwrap();
    let port: u16 = process::wait_for("the port", || {
        std::fs::read_to_string(&said).unwrap().split_once("127.0.0.1:")?.1.split_once(' ')?.0.parse().ok()
    });
    let silent = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    place.done(&format!("--dir ca handshake-test --connect localhost:{port} --client alice --no-refusals"));
    let output = host.wait_with_output().unwrap();
    drop(silent);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    // The silent connection is of a client that came back and passed, as those that a browser opens and does not use.
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    let sessions = report["sessions"].as_array().unwrap();
    let count = |field: &str| sessions.iter().filter(|session| session[field] == true).count();
    assert_eq!((count("passed"), count("closed_early"), sessions.len()), (2, 1, 3), "{report:#}");
    let notes = std::fs::read_to_string(&said).unwrap();
    assert_eq!(notes.matches(": passed, ").count(), 2, "{notes}");
}

#[test]
fn a_port_that_is_taken_and_a_time_in_which_nobody_comes_are_told_apart() {
    let place = place();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let (output, _) =
        run(place.ca(&format!("--dir ca handshake-test --listen 127.0.0.1:{port} --server localhost --json")));
    assert_eq!(output.status.code(), Some(2));
    let failure: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(failure["error"]["code"], "port");
    assert!(failure["error"]["message"].as_str().unwrap().contains(&format!("127.0.0.1:{port}")), "{failure:#}");

    let (output, _) = run(place.ca("--dir ca handshake-test --listen 127.0.0.1:0 --server localhost --wait 1s --json"));
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["passed"], &report["sessions"]), (&Value::Bool(false), &Value::Array(Vec::new())));
}

/// A ClientHello of nearly 64 KiB, in records: it is read, recorded and refused.
fn longest_hello() -> Vec<u8> {
    const SUITES: usize = 65_000;
    let length = u16::try_from(SUITES).unwrap().to_be_bytes();
    let body = [&[3, 3][..], &[7; 32], &[0], &length, &[0x5a; SUITES], &[1, 0]].concat();
    let message = [&[1][..], &u32::try_from(body.len()).unwrap().to_be_bytes()[1..], &body].concat();
    let record = |piece: &[u8]| [&[22, 3, 1][..], &u16::try_from(piece.len()).unwrap().to_be_bytes(), piece].concat();
    message.chunks(16 * 1024).flat_map(record).collect()
}

/// The most memory that a process had so far, in KiB.
fn peak(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Clients that show as much as they can, a hundred at a time, cost no more than the bound of all sessions, although
/// everything that crosses the wire is to be recorded. They keep no honest client out, and the report says what it lacks.
#[test]
fn hundreds_of_clients_at_once_stay_below_the_bound_of_all_sessions_and_keep_nobody_out() {
    const CLIENTS: usize = 1000;
    const HOSTILE: usize = 700;
    const AT_ONCE: usize = 100;
    let place = place();
    let said = place.path("said");
    let words = "--dir ca handshake-test --listen 127.0.0.1:0 --server localhost --for 10m --pcap out.pcapng --json";
    let mut host = place.ca(words);
    host.stdout(Stdio::piped()).stderr(std::fs::File::create(&said).unwrap());
    let host = host.spawn().unwrap();
    let port: u16 = process::wait_for("the port", || {
        std::fs::read_to_string(&said).unwrap().split_once("127.0.0.1:")?.1.split_once(' ')?.0.parse().ok()
    });
    let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let before = peak(host.id());
    let hello = longest_hello();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                for _ in 0..HOSTILE / AT_ONCE {
                    let mut socket = connect();
                    drop(socket.write_all(&hello).and_then(|()| socket.read_to_end(&mut Vec::new())));
                }
            });
        }
    });
    place.done(&format!("--dir ca handshake-test --connect localhost:{port} --client alice --no-refusals"));
    let used = peak(host.id()) - before;
    assert!(used < 64 * 1024, "{used} KiB");
    // The test ends with its last client.
    for _ in HOSTILE + 2..CLIENTS {
        drop(connect());
    }
    let output = host.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    let sessions = report["sessions"].as_array().unwrap();
    let passed = sessions.iter().filter(|session| session["passed"] == true).count();
    assert_eq!((passed, sessions.len()), (2, CLIENTS));
    let notes = std::fs::read_to_string(&said).unwrap();
    let (_, count) = notes.split_once("the recording or messages of ").unwrap();
    let (count, rest) = count.split_once(" of ").unwrap();
    assert!(count.parse::<usize>().unwrap() > HOSTILE / 2, "{count}");
    assert!(rest.starts_with("1000 sessions were not kept: all sessions together keep at most 64 MiB"), "{rest}");
    assert!(notes.contains("the test ended after 1000 clients"), "{rest}");
}
