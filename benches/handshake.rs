//! What `ca handshake-test --repeat` costs on top of plain rustls: both in one run, in turns, as a ratio.
//!
//!     cargo bench --bench handshake
//!
//! Either side of the comparison does the same work with the same certificates and the same configuration of the TLS
//! library: a loopback connection, a mutual handshake, a line each way, the good-byes. What the program does besides (it
//! keeps every octet that crossed the socket, and takes times) is the overhead.
//!
//! A machine that has other things to do must not decide. So the two take turns, round by round, and each begins every other
//! round. CPU time, which the others do not add to, is compared by the median of the rounds' ratios; it is that of a whole
//! round, full and resumed handshakes together, with what comes before them (configurations, and a thread of the program for
//! either kind). Full and resumed apart are compared by wall clock: there the quickest quarter of the rounds counts, which
//! others held up least. Exit status 1: any of them is above five percent.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ca::handshake::measure::{Workload, measure};
use ca::handshake::{Endpoint, HandshakeTest};
use ca::keys::key_file::KeyFile;
use ca::tls::TlsVersion;
use ca::x509::Certificate;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustix::net::sockopt::set_socket_linger;
use rustix::time::{ClockId, clock_gettime};
use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ClientConnection, Connection, RootCertStore, ServerConfig, ServerConnection};
use time::OffsetDateTime;

const ROUNDS: usize = 30;
const HANDSHAKES: usize = 200;
/// More is a defect, in percent.
const MOST: f64 = 5.0;

/// As long as what the program lets its sides say.
const QUESTION: [u8; 55] = [b'?'; 55];
const ANSWER: [u8; 68] = [b'!'; 68];

fn main() {
    let made = Made::new();
    let mut worst: f64 = 0.0;
    println!("microseconds a handshake, {ROUNDS} rounds of {HANDSHAKES} of each kind");
    println!("{:<28}{:>14}{:>14}{:>12}", "", "plain rustls", "ca", "overhead");
    for version in [TlsVersion::Tls13, TlsVersion::Tls12] {
        let Rounds { cpu, full, resumed } = compare(&made, version);
        let middle = |part: fn(&Pair) -> f64| quantile(&cpu, part, 0.5);
        let quick = |rounds: &[Pair]| (quantile(rounds, |it| it.plain, 0.25), quantile(rounds, |it| it.own, 0.25));
        let (quick_full, quick_resumed) = (quick(&full), quick(&resumed));
        for (what, (plain, own), ratio) in [
            ("CPU, both kinds", (middle(|it| it.plain), middle(|it| it.own)), middle(|it| it.own / it.plain)),
            ("full", quick_full, quick_full.1 / quick_full.0),
            ("resumed", quick_resumed, quick_resumed.1 / quick_resumed.0),
        ] {
            let overhead = (ratio - 1.0) * 100.0;
            println!("{version} {what:<20}{plain:>11.1} us{own:>11.1} us{overhead:>10.1} %");
            worst = worst.max(overhead);
        }
    }
    if worst > MOST {
        eprintln!("above {MOST} %");
        std::process::exit(1);
    }
}

/// Microseconds a handshake: of nothing but rustls, and of the program.
struct Pair {
    plain: f64,
    own: f64,
}

/// Round by round.
#[derive(Default)]
struct Rounds {
    /// CPU time of both kinds together.
    cpu: Vec<Pair>,
    full: Vec<Pair>,
    resumed: Vec<Pair>,
}

/// The value below which this part of the rounds lies.
fn quantile(rounds: &[Pair], part: fn(&Pair) -> f64, at: f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(part).collect();
    values.sort_unstable_by(f64::total_cmp);
    values[(values.len() as f64 * at) as usize]
}

fn compare(made: &Made, version: TlsVersion) -> Rounds {
    let test = HandshakeTest {
        server: &made.server,
        client: Some(&made.client),
        protocols: &[],
        roots: std::slice::from_ref(&made.root),
        revocations: None,
        host_name: "localhost",
        at: OffsetDateTime::now_utc(),
        versions: &[version],
        refusals: false,
        hello_retry: false,
        resume: false,
        timeout: Duration::from_secs(10),
    };
    let mut found = Rounds::default();
    let plain = || timed(|| [false, true].map(|resumed| made.plain(version, resumed)));
    let own = || {
        timed(|| {
            let workload = Workload { count: HANDSHAKES, jobs: 1 };
            let rates = measure(&test, workload, &mut |_| ()).expect("the good case");
            [rates[0].total, rates[1].total]
        })
    };
    for round in 0..ROUNDS {
        let (plain, own) = if round % 2 == 0 {
            let plain = plain();
            (plain, own())
        } else {
            let own = own();
            (plain(), own)
        };
        let pair = |plain: Duration, own: Duration, count| Pair { plain: each(plain, count), own: each(own, count) };
        found.cpu.push(pair(plain.cpu, own.cpu, 2 * HANDSHAKES));
        found.full.push(pair(plain.wall[0], own.wall[0], HANDSHAKES));
        found.resumed.push(pair(plain.wall[1], own.wall[1], HANDSHAKES));
    }
    found
}

/// What one side of the comparison took in one round.
struct Took {
    cpu: Duration,
    /// Of full handshakes, and of resumed ones.
    wall: [Duration; 2],
}

fn timed(play: impl FnOnce() -> [Duration; 2]) -> Took {
    let cpu = || {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
    };
    let before = cpu();
    let wall = play();
    Took { cpu: cpu() - before, wall }
}

fn each(total: Duration, count: usize) -> f64 {
    total.as_secs_f64() * 1e6 / count as f64
}

/// A root, a server and a client, as the program takes them and as rustls does.
struct Made {
    root: Certificate,
    server: Endpoint,
    client: Endpoint,
    root_der: CertificateDer<'static>,
    server_own: (CertificateDer<'static>, PrivatePkcs8KeyDer<'static>),
    client_own: (CertificateDer<'static>, PrivatePkcs8KeyDer<'static>),
}

impl Made {
    fn new() -> Self {
        let root_key = KeyPair::generate().unwrap();
        let mut root = params("Root", &[]);
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root_der = root.self_signed(&root_key).unwrap().der().clone();
        let issuer = Issuer::new(root, root_key);
        let leaf = |name: &str, purpose| {
            let key = KeyPair::generate().unwrap();
            let mut params = params(name, &[name.to_owned()]);
            params.extended_key_usages = vec![purpose];
            let der = params.signed_by(&key, &issuer).unwrap().der().clone();
            let file = KeyFile::parse(key.serialize_pem().as_bytes()).unwrap();
            let party = Endpoint::new(vec![Certificate::from_der(&der).unwrap()], file.open(None).unwrap()).unwrap();
            (party, (der, PrivatePkcs8KeyDer::from(key.serialize_der())))
        };
        let (server, server_own) = leaf("localhost", ExtendedKeyUsagePurpose::ServerAuth);
        let (client, client_own) = leaf("client", ExtendedKeyUsagePurpose::ClientAuth);
        let root = Certificate::from_der(&root_der).unwrap();
        Self { root, server, client, root_der, server_own, client_own }
    }

    /// The time of a round with nothing but rustls.
    fn plain(&self, version: TlsVersion, resumed: bool) -> Duration {
        let mut roots = RootCertStore::empty();
        roots.add(self.root_der.clone()).unwrap();
        let roots = Arc::new(roots);
        let protocol = match version {
            TlsVersion::Tls12 => &rustls::version::TLS12,
            TlsVersion::Tls13 => &rustls::version::TLS13,
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let own = |(der, key): &(CertificateDer<'static>, PrivatePkcs8KeyDer<'static>)| {
            (vec![der.clone()], PrivateKeyDer::from(key.clone_key()))
        };
        let judge = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone()).build().unwrap();
        let (chain, key) = own(&self.server_own);
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[protocol])
            .unwrap()
            .with_client_cert_verifier(judge)
            .with_single_cert(chain, key)
            .unwrap();
        let (chain, key) = own(&self.client_own);
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[protocol])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .unwrap();
        client.resumption = if resumed { Resumption::in_memory_sessions(8) } else { Resumption::disabled() };
        let (server, client) = (Arc::new(server), Arc::new(client));
        exchange(&client, &server);
        let began = Instant::now();
        for _ in 0..HANDSHAKES {
            assert_eq!(exchange(&client, &server), resumed);
        }
        began.elapsed()
    }
}

fn params(name: &str, names: &[String]) -> CertificateParams {
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params
}

/// One exchange; whether it was resumed.
fn exchange(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> bool {
    let name = ServerName::try_from("localhost").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client_socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server_socket, _) = listener.accept().unwrap();
    client_socket.set_nodelay(true).unwrap();
    server_socket.set_nodelay(true).unwrap();
    // As the program does it: twenty thousand ports in TIME-WAIT make it a matter of luck how long the next one is looked for.
    set_socket_linger(&client_socket, Some(Duration::ZERO)).unwrap();
    let client: Connection = ClientConnection::new(client.clone(), name).unwrap().into();
    let server: Connection = ServerConnection::new(server.clone()).unwrap().into();
    let (mut client, mut server) = ((client, client_socket), (server, server_socket));
    settle(&mut client, &mut server);
    client.0.writer().write_all(&QUESTION).unwrap();
    settle(&mut client, &mut server);
    let mut heard = [0; 128];
    assert_eq!(server.0.reader().read(&mut heard).unwrap(), QUESTION.len());
    server.0.writer().write_all(&ANSWER).unwrap();
    settle(&mut client, &mut server);
    assert_eq!(client.0.reader().read(&mut heard).unwrap(), ANSWER.len());
    client.0.send_close_notify();
    server.0.send_close_notify();
    settle(&mut client, &mut server);
    client.0.handshake_kind() == Some(rustls::HandshakeKind::Resumed)
}

type End = (Connection, TcpStream);

fn settle(client: &mut End, server: &mut End) {
    while carry(client, server) || carry(server, client) {}
}

/// Carries what one side has to say across the socket; whether there was anything.
fn carry((from, out): &mut End, (to, into): &mut End) -> bool {
    let mut written = 0;
    while from.wants_write() {
        written += from.write_tls(out).unwrap();
    }
    let any = written > 0;
    while written > 0 {
        written -= to.read_tls(&mut into.take(written as u64)).unwrap();
        to.process_new_packets().unwrap();
    }
    any
}
