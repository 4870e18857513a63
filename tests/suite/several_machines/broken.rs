//! Servers that are killed, and connections that break.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::{Machines, said};
use crate::support::pair::{self, FILES};
use crate::support::postgres::PostgresServer;

/// What a command leaves: a success has its record and its files; a failure has delivered nothing that has no record.
fn check_outcome(machines: &Machines, machine: &str, name: &str, output: &Output) {
    let listed = machines.listed(machine);
    let folder = machines.place.path(format!("{machine}/issued/{name}"));
    let deployed = folder.exists().then(|| pair::in_folder(&folder, &FILES).unwrap());
    if let Some(serial) = &deployed {
        assert!(listed.contains(serial), "{name}: {serial} was delivered without a record");
    }
    if output.status.success() {
        let serial = said(output)["serial"].as_str().unwrap().to_owned();
        assert_eq!(deployed.as_ref(), Some(&serial), "{name} was reported");
    } else {
        assert_eq!(output.status.code(), Some(3), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_server_that_is_killed_loses_nothing_that_was_confirmed() {
    let Some(machines) = Machines::start() else { return };
    let rounds = if std::env::var_os("CA_TEST_EVERY_MACHINE").is_some() { 10 } else { 2 };
    for round in 0..rounds {
        let name = |number: usize| format!("host-{round}-{number}.test");
        let machine = |number: usize| ["one", "two"][number % 2];
        let lines = (0..6).map(|number| format!("--dir {} issue server {} --json", machine(number), name(number)));
        let children = machines.started(lines);
        // One of them has committed something, so that the others are about to.
        let issued = "SELECT count(*) FROM ca.certificate WHERE name LIKE 'host-%' COLLATE \"C\"";
        let before: u64 = if round == 0 { 0 } else { machines.server.sql(issued).trim().parse().unwrap() };
        while machines.server.sql(issued).trim().parse::<u64>().unwrap() == before && round == 0 {}
        machines.server.kill();
        machines.server.begin();
        let outputs: Vec<Output> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
        for (number, output) in outputs.iter().enumerate() {
            check_outcome(&machines, machine(number), &name(number), output);
        }
        // The next run completes what was interrupted.
        for number in 0..6 {
            machines.place.done(&format!("--dir {} issue server {} --if-due", machine(number), name(number)));
        }
        machines.check();
    }
}

/// Forwards connections, and cuts the one that has the message with this number, counted over all connections.
struct Proxy {
    left: Arc<AtomicUsize>,
}

impl Proxy {
    fn start(folder: &Path, server: &Path) -> Self {
        std::fs::create_dir(folder).unwrap();
        let listener = UnixListener::bind(folder.join(".s.PGSQL.5432")).unwrap();
        let (left, server) = (Arc::new(AtomicUsize::new(usize::MAX)), server.join(".s.PGSQL.5432"));
        let shared = Arc::clone(&left);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), UnixStream::connect(&server).unwrap());
                let (from, to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || forward(from, to, None));
                let shared = Arc::clone(&shared);
                thread::spawn(move || forward(client, server, Some(&shared)));
            }
        });
        Self { left }
    }
}

/// `left` is the number of messages until the cut; twice that number, plus one when the last message still arrives.
fn forward(mut from: UnixStream, mut to: UnixStream, left: Option<&AtomicUsize>) {
    let mut buffer = [0; 65536];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 {
            break;
        }
        let before = left.map_or(usize::MAX, |left| {
            left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| match left {
                usize::MAX => None,
                0 | 1 => Some(usize::MAX),
                left => Some(left - 2),
            })
            .unwrap_or(usize::MAX)
        });
        if before == 0 {
            break;
        }
        if to.write_all(&buffer[..count]).is_err() || before == 1 {
            break;
        }
    }
    // The other side may have gone first.
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Write));
}

#[test]
fn a_connection_that_breaks_at_any_message_leaves_no_certificate_without_a_record() {
    let Some(machines) = Machines::start() else { return };
    let folder = machines.place.path("proxy");
    let proxy = Proxy::start(&folder, machines.server.folder());
    machines.connect_through(&folder);
    let step = if std::env::var_os("CA_TEST_EVERY_MACHINE").is_some() { 1 } else { 5 };
    let mut failures = 0;
    for cut in (0..).step_by(step) {
        let name = format!("cut-{cut}.test");
        proxy.left.store(cut, Ordering::SeqCst);
        let output = machines.place.ca(&format!("--dir one issue server {name} --json")).output().unwrap();
        let was_cut = proxy.left.swap(usize::MAX, Ordering::SeqCst) == usize::MAX;
        check_outcome(&machines, "one", &name, &output);
        failures += usize::from(!output.status.success());
        if !was_cut {
            assert!(output.status.success() && cut > 20, "{cut}");
            break;
        }
        machines.place.done(&format!("--dir one issue server {name} --if-due"));
    }
    assert!(failures > 3, "only {failures} commands met the cut");
    machines.check();
}

/// Forwards connections, and keeps a COMMIT of the first one back until the channel says what becomes of it: its connection ends.
fn keep_commit_back(folder: &Path, server: &Path) -> (Receiver<()>, Sender<()>) {
    std::fs::create_dir(folder).unwrap();
    let listener = UnixListener::bind(folder.join(".s.PGSQL.5432")).unwrap();
    let server = server.join(".s.PGSQL.5432");
    let ((seen, is_seen), (end, ended)) = (channel(), channel());
    let mut waiting = Some((seen, ended));
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            // A program that asks while the server begins again asks once more.
            let Ok(mut server) = UnixStream::connect(&server) else { continue };
            let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let Some((seen, ended)) = waiting.take() else {
                thread::spawn(move || forward(from, to, None));
                thread::spawn(move || forward(client, server, None));
                continue;
            };
            // The end of the server is not the end of the connection.
            thread::spawn(move || std::io::copy(&mut from, &mut to));
            thread::spawn(move || {
                let mut buffer = [0; 65536];
                loop {
                    let count = client.read(&mut buffer).unwrap();
                    if buffer[..count].windows(7).any(|word| word == b"COMMIT\0") {
                        break;
                    }
                    server.write_all(&buffer[..count]).unwrap();
                }
                seen.send(()).unwrap();
                ended.recv().unwrap();
                client.shutdown(Shutdown::Both).unwrap();
            });
        }
    });
    (is_seen, end)
}

/// The number of a transaction is given twice when the server crashes before anything of the first one is on its disk.
#[test]
fn a_commit_that_was_lost_is_not_taken_for_a_later_one_with_the_same_number() {
    let Some(mut server) = PostgresServer::start() else { return };
    // Nothing is written before a commit, however long the test takes.
    for setting in ["wal_writer_delay=10s", "autovacuum=off"] {
        server.set(setting);
    }
    server.restart();
    let machines = Machines::on(server);
    let folder = machines.place.path("proxy");
    let (is_seen, end) = keep_commit_back(&folder, machines.server.folder());
    machines.connect_through(&folder);
    let child = machines.started(["--dir one issue server lost.test --json".to_owned()]).pop().unwrap();
    is_seen.recv().unwrap();
    let number = "SELECT pg_snapshot_xmin(pg_current_snapshot())";
    let number: u64 = machines.server.sql(number).trim().parse().unwrap();
    machines.server.kill();
    machines.server.begin();
    let used = "CREATE TABLE used (number xid8); INSERT INTO used VALUES (pg_current_xact_id())";
    let given_again = |sql: &str| machines.server.sql(sql).trim().parse::<u64>().unwrap();
    machines.server.sql(used);
    while given_again("SELECT max(number::text::bigint) FROM used") < number {
        machines.server.sql("INSERT INTO used VALUES (pg_current_xact_id())");
    }
    let is_reused = format!("SELECT pg_xact_status('{number}')");
    assert_eq!(machines.server.sql(&is_reused).trim(), "committed", "the number was given again");
    end.send(()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    check_outcome(&machines, "one", "lost.test", &output);
    machines.place.done("--dir one issue server lost.test");
    machines.check();
}
