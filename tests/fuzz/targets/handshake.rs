//! Any bytes as what a peer sends: to the client of `ca verify --connect` and the server of `ca handshake-test --listen`, over a
//! socket; and as both sides of a recorded session, from which messages, diagram, key log and pcapng file are made.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, LazyLock, Mutex, mpsc};
use std::time::Duration;

use ca::handshake::listen::{AcceptedClients, ListenTest, Port};
use ca::handshake::{ClientAuthentication, Endpoint, fetch};
use ca::report::ladder;
use ca::report::page::Page;
use ca::report::relative::RelativePaths;
use ca::report::style::Style;
use ca::system::socket::drop_without_lingering;
use ca::tls::dissect::{self, Known};
use ca::tls::{Flight, Recording, Secrets, Side, TlsVersion, recording};
use ca::x509::Certificate;

use super::kit::{self, KEYS, Words};

pub fn run(data: &[u8]) {
    let mut words = Words(data);
    match words.octet() {
        0 => to_the_server(words.0),
        1..8 => to_the_client(words.0),
        8..64 => message(&mut words),
        _ => recorded(&mut words),
    }
}

/// One handshake message of any number, in each version.
fn message(words: &mut Words<'_>) {
    let number = words.octet();
    for version in [None, Some(TlsVersion::Tls12), Some(TlsVersion::Tls13)] {
        drop(dissect::read(number, words.0, Known { version, session_id: &[1, 2, 3] }));
    }
    drop(dissect::read_alert(words.0));
}

/// Secrets for the client random in its place, then flights of both sides.
fn recorded(words: &mut Words<'_>) {
    const LABELS: [&str; 5] = [
        "CLIENT_RANDOM",
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
        "SERVER_HANDSHAKE_TRAFFIC_SECRET",
        "CLIENT_TRAFFIC_SECRET_0",
        "SERVER_TRAFFIC_SECRET_0",
    ];
    let known: Vec<_> = (0..words.below(6)).map(|_| (*words.one(&LABELS), words.octets())).collect();
    let mut flights = Vec::new();
    while !words.0.is_empty() {
        let from = if words.is() { Side::Server } else { Side::Client };
        let length = usize::from(u16::from_be_bytes([words.octet(), words.octet()])).min(words.0.len());
        let (bytes, rest) = words.0.split_at(length);
        words.0 = rest;
        let at = Duration::from_micros(flights.len() as u64);
        flights.push(Flight { from, at, bytes: bytes.to_vec() });
    }
    let secrets = Secrets::default();
    // The random of a client hello follows five bytes of the record, four of the message, and two of the version.
    if let Some(random) = flights.first().and_then(|first| first.bytes.get(11..43)) {
        for (label, secret) in known {
            secrets.add(label, random, secret);
        }
    }
    let bytes = flights.iter().map(|flight| flight.bytes.len()).sum();
    let recording = Recording::new(flights, Arc::new(secrets));
    assert_eq!(recording.bytes(), bytes);
    let messages = recording.messages();
    assert!(messages.len() <= bytes, "{} messages in {bytes} bytes", messages.len());
    for message in &messages {
        assert!(!message.name().is_empty());
        drop(message.facts());
    }
    let mut page = Page::new(Style::PLAIN, RelativePaths::NONE);
    ladder::ladder(&mut page, "x", &messages);
    drop((ladder::messages_json(&messages), recording.key_log()));
    recording::pcapng([&recording], kit::NOW);
}

const LIMIT: Duration = Duration::from_secs(5);

/// A server that sends the bytes that it is given to one client after the other.
static SERVER: LazyLock<(SocketAddr, Mutex<mpsc::Sender<Vec<u8>>>)> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = mpsc::channel::<Vec<u8>>();
    std::thread::spawn(move || {
        for bytes in receiver {
            let (socket, _) = listener.accept().unwrap();
            say(socket, &bytes);
        }
    });
    (address, Mutex::new(sender))
});

fn to_the_client(bytes: &[u8]) {
    let (address, sender) = &*SERVER;
    // One at a time, so that each client meets its own bytes.
    let sender = sender.lock().unwrap();
    sender.send(bytes.to_vec()).unwrap();
    // Keys and randoms of the client are fresh, so nothing but a refusal can follow from fixed bytes; a TLS 1.2 server may show
    // its chain before.
    if let Ok(served) = fetch::fetch(&address.to_string(), kit::HOST, None, kit::NOW) {
        assert!(!served.chain.is_empty() && served.failure.is_some());
    }
}

fn to_the_server(bytes: &[u8]) {
    static ENDPOINT: LazyLock<Endpoint> = LazyLock::new(|| {
        let certificate = Certificate::from_der(&kit::certificate(&mut Words(&[0x6c, 9, 1]), 0)).unwrap();
        Endpoint::new(vec![certificate], kit::key(1)).unwrap()
    });
    assert_eq!(ENDPOINT.key().as_pkcs8(), KEYS[0].as_pkcs8());
    let port = Port::open("127.0.0.1:0").unwrap();
    let (address, bytes) = (port.address(), bytes.to_vec());
    let client = std::thread::spawn(move || say(TcpStream::connect(address).unwrap(), &bytes));
    let test = ListenTest {
        server: &ENDPOINT,
        roots: ENDPOINT.chain(),
        revocations: None,
        client_authentication: ClientAuthentication::NotRequested,
        host_name: kit::HOST,
        at: kit::NOW,
        versions: &[TlsVersion::Tls13, TlsVersion::Tls12],
        clients: AcceptedClients::One(LIMIT),
        timeout: LIMIT,
        keep_recordings: true,
    };
    let report = port.run(&test, |_, _| ()).unwrap();
    client.join().unwrap();
    assert!(report.sessions.len() == 1 && !report.passed());
}

/// Sends the bytes and no more, hears the other side to its end, and frees the port.
fn say(mut socket: TcpStream, bytes: &[u8]) {
    // The other side may be gone by any of these.
    drop(socket.write_all(bytes));
    drop(socket.shutdown(Shutdown::Write));
    drop(socket.set_read_timeout(Some(LIMIT)));
    drop(socket.read_to_end(&mut Vec::new()));
    drop(drop_without_lingering(&socket));
}
