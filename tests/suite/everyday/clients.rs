//! The clients that are installed, and how each is asked about a chain.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use serde_json::Value;
use time::OffsetDateTime;

use crate::support::program::{Place, succeeded};
use crate::support::repository;

/// What each server answers with.
pub const PAGE: &str = "an everyday page";

/// A chain that is served.
pub struct Case {
    pub id: usize,
    pub port: u16,
    pub host: String,
    pub roots: PathBuf,
    /// The file of what the server sends.
    pub chain: PathBuf,
    /// The time at which it is judged, in seconds; now without one.
    pub at: Option<i64>,
    pub what: String,
    pub facts: Vec<String>,
    pub predictions: Value,
}

impl Case {
    /// Reads the case of a folder that is served on this port.
    pub fn read(folder: &Path, id: usize, port: u16) -> Self {
        let read = std::fs::read(folder.join(format!("{id}.json"))).unwrap();
        let case: Value = serde_json::from_slice(&read).unwrap();
        Self {
            id,
            port,
            host: case["host"].as_str().unwrap().to_owned(),
            roots: folder.join(format!("{id}.root.pem")),
            chain: folder.join(format!("{id}.chain.pem")),
            at: case["at"].as_i64(),
            what: case["what"].as_str().unwrap().to_owned(),
            facts: case["facts"].as_array().unwrap().iter().map(|fact| fact.as_str().unwrap().to_owned()).collect(),
            predictions: case["predictions"].clone(),
        }
    }
}

/// What a client said of a chain: whether it accepts it, and its words.
pub type Answers = BTreeMap<usize, (bool, String)>;

/// When a client is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum When {
    Always,
    /// With `CA_TEST_EVERY_CLIENT` or `CA_TEST_EVERY_PAIR`.
    Long,
}

/// How a client is asked about several chains.
pub type Ask = fn(&Place, &[&Case]) -> Answers;

/// A client of the table, and how it is asked.
pub struct Asked {
    pub name: &'static str,
    pub when: When,
    pub programs: &'static [&'static str],
    pub version: fn(&Place) -> Option<String>,
    pub ask: Ask,
    /// How it is asked about chains whose keys are not there ([`super::server`]); `None` where it looks at the chain only
    /// after the server has shown that it has the key.
    pub without_key: Option<Ask>,
}

pub const CLIENTS: [Asked; 14] = [
    Asked {
        name: "openssl",
        when: When::Always,
        programs: &["openssl"],
        version: |place| first_version(place, "openssl version"),
        ask: openssl,
        without_key: Some(openssl),
    },
    Asked {
        name: "openssl-strict",
        when: When::Always,
        programs: &["openssl"],
        version: |place| first_version(place, "openssl version"),
        ask: openssl_strict,
        without_key: Some(openssl_strict),
    },
    Asked {
        name: "python",
        when: When::Always,
        programs: &["python3"],
        version: |place| first_version(place, "python3 --version"),
        ask: python,
        without_key: Some(python),
    },
    Asked {
        name: "python",
        when: When::Always,
        programs: &["python3"],
        // Another Python gets the two flags that 3.13 sets.
        version: |_| Some("3.13".to_owned()),
        ask: python_strict,
        without_key: Some(python_strict),
    },
    Asked {
        name: "node",
        when: When::Always,
        programs: &["node"],
        version: |place| first_version(place, "node --version"),
        ask: |place, cases| listed(place, cases, "node", &["everyday.js"]),
        without_key: None,
    },
    Asked {
        name: "java",
        when: When::Always,
        programs: &["java", "javac"],
        version: |place| first_version(place, "java --version"),
        ask: java,
        without_key: Some(java),
    },
    Asked {
        name: "go",
        when: When::Always,
        programs: &["go"],
        version: |place| first_version(place, "go version"),
        ask: go,
        without_key: Some(go),
    },
    Asked {
        name: "curl",
        when: When::Always,
        programs: &["curl"],
        version: |place| first_version(place, "curl --version"),
        ask: curl,
        without_key: None,
    },
    Asked {
        name: "gnutls",
        when: When::Always,
        programs: &["gnutls-cli"],
        version: |place| first_version(place, "gnutls-cli --version"),
        ask: gnutls,
        without_key: Some(certtool),
    },
    Asked {
        name: "rustls",
        when: When::Always,
        programs: &[],
        version: |_| None,
        ask: rustls,
        without_key: Some(rustls_verifier),
    },
    Asked {
        name: "pyca",
        when: When::Always,
        programs: &[],
        version: pyca_version,
        ask: pyca,
        without_key: Some(pyca),
    },
    Asked {
        name: "nss",
        when: When::Long,
        programs: &["tstclnt", "certutil"],
        version: |_| None,
        ask: nss,
        without_key: None,
    },
    Asked {
        name: "firefox",
        when: When::Long,
        programs: &["firefox-esr"],
        version: |place| first_version(place, "firefox-esr --version"),
        ask: |place, cases| listed(place, cases, "python3", &["everyday_firefox.py"]),
        without_key: None,
    },
    Asked {
        name: "chrome",
        when: When::Long,
        programs: &["chromium", "certutil"],
        version: |place| first_version(place, "chromium --version"),
        ask: chromium,
        without_key: Some(|place, cases| cases.iter().flat_map(|case| chromium(place, &[*case])).collect()),
    },
];

/// Returns the first word of a program's answer that is a version.
fn first_version(place: &Place, line: &str) -> Option<String> {
    let mut words = line.split(' ');
    let output = place.command(words.next()?).args(words).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let word = said.split_whitespace().map(|word| word.trim_start_matches(|letter: char| !letter.is_ascii_digit()));
    word.filter(|word| word.contains('.') || word.parse::<u32>().is_ok()).map(str::to_owned).next()
}

/// A program that is asked at the time of a chain.
fn asking(place: &Place, at: Option<i64>, program: &str) -> Command {
    let Some(at) = at else { return place.command(program) };
    let mut command = place.command("faketime");
    let when = OffsetDateTime::from_unix_timestamp(at).unwrap();
    let (day, hour, minute, second) = (when.date(), when.hour(), when.minute(), when.second());
    // The clock stands still: a second can make the difference.
    command.args(["-m", "-f", &format!("{day} {hour:02}:{minute:02}:{second:02}"), program]);
    command.env("TZ", "UTC").env("CA_TEST_AT", at.to_string());
    command
}

/// Asks a program that takes a list of all chains.
fn listed(place: &Place, cases: &[&Case], program: &str, words: &[&str]) -> Answers {
    let mut answers = Answers::new();
    let times: BTreeSet<Option<i64>> = cases.iter().map(|case| case.at).collect();
    for at in times {
        let line = |case: &&&Case| format!("{}\t{}\t{}\t{}\n", case.id, case.port, case.host, case.roots.display());
        let list = place.path("list");
        std::fs::write(&list, cases.iter().filter(|case| case.at == at).map(|case| line(&case)).collect::<String>())
            .unwrap();
        let mut command = asking(place, at, program);
        command
            .args(words.iter().map(|word| {
                if word.starts_with("client") {
                    PathBuf::from(word)
                } else if word.contains('.') {
                    script(word)
                } else {
                    PathBuf::from(word)
                }
            }))
            .arg(&list);
        let said = succeeded(program, &command.output().unwrap());
        let answer = |line: &str| {
            let mut words = line.splitn(3, ' ');
            Some((words.next()?.parse().ok()?, (words.next()? == "yes", words.next().unwrap_or_default().to_owned())))
        };
        answers.extend(said.lines().filter_map(answer));
    }
    answers
}

fn python(place: &Place, cases: &[&Case]) -> Answers {
    listed(place, cases, "python3", &["everyday.py", "client"])
}

fn python_strict(place: &Place, cases: &[&Case]) -> Answers {
    listed(place, cases, "python3", &["everyday.py", "client-of-3.13"])
}

fn java(place: &Place, cases: &[&Case]) -> Answers {
    listed(place, cases, "java", &["Everyday.java"])
}

fn go(place: &Place, cases: &[&Case]) -> Answers {
    listed(place, cases, "go", &["run", "everyday.go"])
}

fn chromium(place: &Place, cases: &[&Case]) -> Answers {
    listed(place, cases, "python3", &["everyday_chromium.py"])
}

/// The Python with `cryptography` that tests/run makes.
fn environment() -> PathBuf {
    repository().join("target/venv/bin/python")
}

fn pyca_version(place: &Place) -> Option<String> {
    let mut command = place.command(environment());
    command.args(["-c", "import cryptography; print(cryptography.__version__)"]);
    Some(String::from_utf8(command.output().ok()?.stdout).ok()?.trim().to_owned()).filter(|version| !version.is_empty())
}

/// It is given the file of the chain, and opens no connection.
fn pyca(place: &Place, cases: &[&Case]) -> Answers {
    listed(place, cases, &environment().display().to_string(), &["everyday_pyca.py"])
}

fn certtool(place: &Place, cases: &[&Case]) -> Answers {
    each(place, cases, "certtool", |case| {
        let Case { host, roots, chain, .. } = case;
        let mut words = vec!["--verify".to_owned(), format!("--infile={}", chain.display())];
        words.extend([format!("--load-ca-certificate={}", roots.display()), format!("--verify-hostname={host}")]);
        words.push("--verify-purpose=1.3.6.1.5.5.7.3.1".to_owned());
        words
    })
}

/// Asks a program about one chain after the other; it succeeds when it accepts the chain.
fn each(place: &Place, cases: &[&Case], program: &str, words: impl Fn(&Case) -> Vec<String>) -> Answers {
    let answer = |case: &&Case| {
        let mut command = asking(place, case.at, program);
        let output = command.args(words(case)).stdin(Stdio::null()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let is_reason = |line: &&str| ["rror", "erify", "not "].iter().any(|word| line.contains(word));
        (case.id, (output.status.success(), said.lines().filter(is_reason).take(3).collect::<Vec<_>>().join("; ")))
    };
    cases.iter().map(answer).collect()
}

fn openssl(place: &Place, cases: &[&Case]) -> Answers {
    s_client(place, cases, &[])
}

fn openssl_strict(place: &Place, cases: &[&Case]) -> Answers {
    s_client(place, cases, &["-x509_strict"])
}

fn s_client(place: &Place, cases: &[&Case], more: &[&str]) -> Answers {
    each(place, cases, "openssl", |case| {
        let (connect, roots) = (format!("127.0.0.1:{}", case.port), case.roots.display().to_string());
        let name = if is_address(&case.host) { "-verify_ip" } else { "-verify_hostname" };
        let mut words = vec!["s_client", "-connect", &connect, "-CAfile", &roots, "-no-CApath", "-no-CAstore"];
        words.extend(["-verify_return_error", "-brief", name, &case.host]);
        // The table's answers are of `openssl verify`, at its lowest level.
        words.extend(["-cipher", "DEFAULT:@SECLEVEL=0"]);
        // Most programs that set the strict flag set the other one too, as Python does.
        if !more.is_empty() {
            words.push("-partial_chain");
        }
        if !is_address(&case.host) {
            words.extend(["-servername", &case.host]);
        }
        words.iter().chain(more).map(|word| (*word).to_owned()).collect()
    })
}

fn curl(place: &Place, cases: &[&Case]) -> Answers {
    each(place, cases, "curl", |case| {
        let Case { host, port, roots, .. } = case;
        let mut words = vec!["--silent", "--show-error", "--max-time", "20", "--noproxy", "*"]
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>();
        words.extend(["--cacert".to_owned(), roots.display().to_string()]);
        words.extend(["--resolve".to_owned(), format!("{host}:{port}:127.0.0.1"), format!("https://{host}:{port}/")]);
        words
    })
}

fn gnutls(place: &Place, cases: &[&Case]) -> Answers {
    each(place, cases, "gnutls-cli", |case| {
        let Case { host, port, roots, .. } = case;
        let mut words = vec![format!("--x509cafile={}", roots.display()), format!("--verify-hostname={host}")];
        if !is_address(host) {
            words.push(format!("--sni-hostname={host}"));
        }
        words.extend([format!("--port={port}"), "127.0.0.1".to_owned()]);
        words
    })
}

fn is_address(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok()
}

/// Makes a home whose database of NSS trusts the root of a chain, and returns the database; `None` when NSS does not take it.
fn trusting(home: &Place, case: &Case) -> Option<String> {
    std::fs::create_dir_all(home.path(".pki/nssdb")).unwrap();
    let database = format!("sql:{}", home.path(".pki/nssdb").display());
    let certutil = |words: &[&str]| {
        home.command("certutil").args(words).args(["-d", &database]).output().unwrap().status.success()
    };
    let root = case.roots.display().to_string();
    let is_trusted = certutil(&["-N", "--empty-password"]) && certutil(&["-A", "-n", "root", "-t", "C,,", "-i", &root]);
    is_trusted.then_some(database)
}

fn nss(_: &Place, cases: &[&Case]) -> Answers {
    let answer = |case: &&Case| {
        let home = Place::in_memory();
        let Some(database) = trusting(&home, case) else {
            return (case.id, (false, "the root is not taken".to_owned()));
        };
        let mut command = home.command("tstclnt");
        command.args(["-h", "127.0.0.1", "-p", &case.port.to_string(), "-a", &case.host, "-d", &database, "-Q"]);
        let output = command.output().unwrap();
        (case.id, (output.status.success(), String::from_utf8_lossy(&output.stderr).lines().take(1).collect()))
    };
    cases.iter().map(answer).collect()
}

/// The verifier that this program is built with.
fn in_process(cases: &[&Case], ask: impl Fn(&Case) -> Result<(), String>) -> Answers {
    cases.iter().map(|case| (case.id, ask(case).map_or_else(|why| (false, why), |()| (true, String::new())))).collect()
}

fn rustls(_: &Place, cases: &[&Case]) -> Answers {
    in_process(cases, rustls_connection)
}

fn rustls_verifier(_: &Place, cases: &[&Case]) -> Answers {
    in_process(cases, rustls_verdict)
}

fn rustls_connection(case: &Case) -> Result<(), String> {
    let mut roots = rustls::RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(&case.roots).unwrap() {
        roots.add(root.unwrap()).map_err(|error| error.to_string())?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(case.host.clone()).map_err(|error| error.to_string())?;
    let mut session = rustls::ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
    let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, case.port)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut stream = rustls::Stream::new(&mut session, &mut socket);
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").map_err(|error| error.to_string())?;
    let mut page = Vec::new();
    // A server that hangs up without a word of farewell was reached all the same.
    stream.read_to_end(&mut page).ok();
    if String::from_utf8_lossy(&page).contains(PAGE) { Ok(()) } else { Err("no page".to_owned()) }
}

fn rustls_verdict(case: &Case) -> Result<(), String> {
    let mut roots = rustls::RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(&case.roots).unwrap() {
        roots.add(root.unwrap()).map_err(|error| error.to_string())?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let name = ServerName::try_from(case.host.clone()).map_err(|error| error.to_string())?;
    let sent: Vec<_> = CertificateDer::pem_file_iter(&case.chain).unwrap().map(Result::unwrap).collect();
    let (leaf, rest) = sent.split_first().unwrap();
    let at = case
        .at
        .map_or_else(UnixTime::now, |at| UnixTime::since_unix_epoch(Duration::from_secs(at.try_into().unwrap())));
    verifier.verify_server_cert(leaf, rest, &name, &[], at).map(|_| ()).map_err(|error| error.to_string())
}

/// Returns a script of `tests/interop/`.
pub fn script(file: &str) -> PathBuf {
    repository().join("tests/interop").join(file)
}
