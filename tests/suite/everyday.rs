//! The table of clients beside the clients: everyday chains with one oddity or two are served on the loopback, every client that
//! is installed is asked over a real connection, and its answer has to be the predicted one. "No" must be a no, and "no reason
//! known" a yes; a chain with a fact that was never measured says nothing.
//!
//! A client that is not installed is printed and left out. `src/clients/everyday_tests.rs` makes the chains. All oddities with
//! both kinds of keys, all pairs of them, and Chromium and NSS beside the other clients take half an hour:
//!
//! ```text
//! CA_TEST_EVERY_PAIR=1 cargo test --test suite -- everyday:: --nocapture
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::Value;

use crate::support::process::{talk, wait_for};
use crate::support::program::{Place, kill_group, succeeded};
use crate::support::{repository, skip};

/// What each server answers with.
const PAGE: &str = "an everyday page";

/// The most servers of one process: each has a socket.
const AT_ONCE: usize = 400;

/// A chain that is served.
struct Case {
    id: usize,
    port: u16,
    host: String,
    roots: PathBuf,
    what: String,
    facts: Vec<String>,
    predictions: Value,
}

/// What a client said of a chain: whether it accepts it, and its words.
type Answers = BTreeMap<usize, (bool, String)>;

/// When a client is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    /// With `CA_TEST_EVERY_PAIR`.
    Long,
    /// With `CA_TEST_EVERY_PAIR`, and not about pairs: each question is a start of the program.
    LongAlone,
}

/// A client of the table, and how it is asked.
struct Asked {
    name: &'static str,
    when: When,
    programs: &'static [&'static str],
    version: fn(&Place) -> Option<String>,
    ask: fn(&Place, &[&Case]) -> Answers,
}

const CLIENTS: [Asked; 11] = [
    Asked {
        name: "openssl",
        when: When::Always,
        programs: &["openssl"],
        version: |place| first_version(place, "openssl version"),
        ask: openssl,
    },
    Asked {
        name: "openssl-strict",
        when: When::Always,
        programs: &["openssl"],
        version: |place| first_version(place, "openssl version"),
        ask: openssl_strict,
    },
    Asked {
        name: "python",
        when: When::Always,
        programs: &["python3"],
        version: |place| first_version(place, "python3 --version"),
        ask: |place, cases| listed(place, cases, "python3", &["everyday.py", "client"]),
    },
    Asked {
        name: "node",
        when: When::Always,
        programs: &["node"],
        version: |place| first_version(place, "node --version"),
        ask: |place, cases| listed(place, cases, "node", &["everyday.js"]),
    },
    Asked {
        name: "java",
        when: When::Always,
        programs: &["java", "javac"],
        version: |place| first_version(place, "java --version"),
        ask: |place, cases| listed(place, cases, "java", &["Everyday.java"]),
    },
    Asked {
        name: "go",
        when: When::Always,
        programs: &["go"],
        version: |place| first_version(place, "go version"),
        ask: |place, cases| listed(place, cases, "go", &["run", "everyday.go"]),
    },
    Asked {
        name: "curl",
        when: When::Always,
        programs: &["curl"],
        version: |place| first_version(place, "curl --version"),
        ask: curl,
    },
    Asked {
        name: "gnutls",
        when: When::Always,
        programs: &["gnutls-cli"],
        version: |place| first_version(place, "gnutls-cli --version"),
        ask: gnutls,
    },
    Asked { name: "rustls", when: When::Always, programs: &[], version: |_| None, ask: rustls_in_process },
    Asked { name: "nss", when: When::Long, programs: &["tstclnt", "certutil"], version: |_| None, ask: nss },
    Asked {
        name: "chrome",
        when: When::LongAlone,
        programs: &["chromium", "certutil"],
        version: |place| first_version(place, "chromium --version"),
        ask: chromium,
    },
];

/// What this version of a client does otherwise than the table says, with the reason.
const DIFFERENCES: [(&str, &str, &str); 0] = [];

#[test]
fn every_installed_client_says_of_everyday_chains_what_the_table_predicts() {
    if !skip::unless_installed(&["python3"]) {
        return;
    }
    let place = Place::new();
    let chains = place.path("chains");
    std::fs::create_dir(&chains).unwrap();
    // This very build of the library's tests, once more.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut tests = Command::new(cargo);
    tests.args(["test", "--lib", "--quiet", "clients::everyday_tests::"]).current_dir(repository());
    succeeded("the library's tests", &tests.env("CA_TEST_EVERYDAY", &chains).output().unwrap());

    let (mut asked, mut unmeasured, mut wrong) = (BTreeMap::new(), 0, Vec::new());
    let (installed, missing): (Vec<_>, Vec<_>) =
        CLIENTS.iter().partition(|client| client.programs.iter().all(|program| skip::is_installed(program)));
    for client in missing {
        eprintln!("{} is not installed, and was not asked", client.name);
    }
    let is_long = std::env::var_os("CA_TEST_EVERY_PAIR").is_some();
    for served in batches(&place, &chains) {
        for client in installed.iter().filter(|client| is_long || client.when == When::Always) {
            let version = (client.version)(&place);
            let is_asked = |case: &&Case| client.when != When::LongAlone || !case.what.contains(" + ");
            let cases: Vec<&Case> = served.cases.iter().filter(is_asked).collect();
            let answers = (client.ask)(&place, &cases);
            for case in cases {
                let Some((accepts, words)) = answers.get(&case.id) else {
                    panic!("{} gave no answer about {}", client.name, case.what)
                };
                let Some((predicted, because)) = prediction(case, client.name, version.as_deref()) else {
                    unmeasured += 1;
                    continue;
                };
                *asked.entry(client.name).or_insert(0) += 1;
                if predicted != *accepts && !is_known(client.name, case) {
                    let word = |accepts: bool| if accepts { "accepts" } else { "refuses" };
                    let version = version.as_deref().unwrap_or("in process");
                    wrong.push(format!(
                        "{} {version} {} {}: {words}\n    predicted: {}, because of {because}; facts: {}",
                        client.name,
                        word(*accepts),
                        case.what,
                        word(predicted),
                        case.facts.join(", ")
                    ));
                }
            }
        }
    }
    eprintln!(
        "answers compared: {asked:?}; {unmeasured} are about facts that were not measured, or that versions disagree about"
    );
    assert!(wrong.is_empty(), "{} differences to the table:\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked.values().sum::<usize>() > 200, "{asked:?}");
}

fn is_known(client: &str, case: &Case) -> bool {
    DIFFERENCES.iter().any(|(of, fact, _)| *of == client && case.facts.iter().any(|found| found == fact))
}

/// Returns whether the client is predicted to accept the chain, and the facts that decide; `None` when that was not measured. A
/// version between two measured ones is predicted where both say the same.
fn prediction(case: &Case, client: &str, version: Option<&str>) -> Option<(bool, String)> {
    let versions = case.predictions[client].as_array().unwrap();
    let numbers = |text: &str| text.split('.').map_while(|part| part.parse::<u32>().ok()).collect::<Vec<_>>();
    let measured = |row: &Value| numbers(row["version"].as_str().unwrap());
    let rows: Vec<&Value> = match version.map(numbers) {
        None => versions.iter().collect(),
        Some(wanted) => {
            let is_same = |row: &&Value| wanted.starts_with(&measured(row));
            let exact: Vec<_> = versions.iter().filter(is_same).collect();
            let below = versions.iter().rfind(|row| measured(row) <= wanted);
            let above = versions.iter().find(|row| measured(row) > wanted);
            if exact.is_empty() { below.into_iter().chain(above).collect() } else { exact }
        }
    };
    let verdict = rows.first()?["verdict"].as_str()?;
    if verdict == "not-measured" || rows.iter().any(|row| row["verdict"] != verdict) {
        return None;
    }
    Some((verdict == "yes", rows[0]["facts"].to_string()))
}

/// Returns the first word of a program's answer that is a version.
fn first_version(place: &Place, line: &str) -> Option<String> {
    let mut words = line.split(' ');
    let output = place.command(words.next()?).args(words).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let word = said.split_whitespace().map(|word| word.trim_start_matches(|letter: char| !letter.is_ascii_digit()));
    word.filter(|word| word.contains('.') || word.parse::<u32>().is_ok()).map(str::to_owned).next()
}

/// Chains that are being served by one process.
struct Served {
    cases: Vec<Case>,
    server: Child,
}

impl Drop for Served {
    fn drop(&mut self) {
        kill_group(self.server.id());
        self.server.wait().ok();
    }
}

/// Serves the chains of a folder, some hundred at a time.
fn batches<'p>(place: &'p Place, chains: &'p Path) -> impl Iterator<Item = Served> + 'p {
    let count =
        std::fs::read_dir(chains).unwrap().filter(|file| has_extension(file.as_ref().unwrap().path(), "json")).count();
    (0..count).step_by(AT_ONCE).map(move |first| {
        let folder = place.path(format!("served-{first}"));
        std::fs::create_dir(&folder).unwrap();
        for id in first..count.min(first + AT_ONCE) {
            for file in ["chain.pem", "key.pem", "root.pem", "json"].map(|kind| format!("{id}.{kind}")) {
                std::fs::rename(chains.join(&file), folder.join(&file)).unwrap();
            }
        }
        serve(place, &folder)
    })
}

fn has_extension(path: PathBuf, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

fn serve(place: &Place, folder: &Path) -> Served {
    let (said, errors) = (folder.join("said"), folder.join("errors"));
    let mut command = place.command("python3");
    command.arg(script("everyday.py")).arg("serve").arg(folder).process_group(0);
    command.stdout(File::create(&said).unwrap()).stderr(File::create(&errors).unwrap());
    let server = command.spawn().unwrap();
    let ports = wait_for("the servers", || {
        let said = std::fs::read_to_string(&said).unwrap();
        said.ends_with("ready\n").then_some(said)
    });
    let unserved = std::fs::read_to_string(&errors).unwrap();
    assert!(unserved.is_empty(), "{unserved}");
    let case = |(id, port): (&str, &str)| {
        let case: Value = serde_json::from_slice(&std::fs::read(folder.join(format!("{id}.json"))).unwrap()).unwrap();
        Case {
            id: id.parse().unwrap(),
            port: port.parse().unwrap(),
            host: case["host"].as_str().unwrap().to_owned(),
            roots: folder.join(format!("{id}.root.pem")),
            what: case["what"].as_str().unwrap().to_owned(),
            facts: case["facts"].as_array().unwrap().iter().map(|fact| fact.as_str().unwrap().to_owned()).collect(),
            predictions: case["predictions"].clone(),
        }
    };
    Served { cases: ports.lines().filter_map(|line| line.split_once(' ')).map(case).collect(), server }
}

fn script(file: &str) -> PathBuf {
    repository().join("tests/interop").join(file)
}

/// Asks a program that takes a list of all chains.
fn listed(place: &Place, cases: &[&Case], program: &str, words: &[&str]) -> Answers {
    let line = |case: &&Case| format!("{}\t{}\t{}\t{}\n", case.id, case.port, case.host, case.roots.display());
    let list = place.path("list");
    std::fs::write(&list, cases.iter().map(line).collect::<String>()).unwrap();
    let mut command = place.command(program);
    command
        .args(words.iter().map(|word| if word.contains('.') { script(word) } else { PathBuf::from(word) }))
        .arg(&list);
    let said = succeeded(program, &command.output().unwrap());
    let answer = |line: &str| {
        let mut words = line.splitn(3, ' ');
        Some((words.next()?.parse().ok()?, (words.next()? == "yes", words.next().unwrap_or_default().to_owned())))
    };
    said.lines().filter_map(answer).collect()
}

/// Asks a program about one chain after the other; it succeeds when it accepts the chain.
fn each(place: &Place, cases: &[&Case], program: &str, words: impl Fn(&Case) -> Vec<String>) -> Answers {
    let answer = |case: &&Case| {
        let mut command = place.command(program);
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
    host.parse::<Ipv4Addr>().is_ok()
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

fn chromium(_: &Place, cases: &[&Case]) -> Answers {
    let answer = |case: &&Case| {
        let home = Place::in_memory();
        if trusting(&home, case).is_none() {
            return (case.id, (false, "the root is not taken".to_owned()));
        }
        let Case { host, port, .. } = case;
        let mut command = home.command("chromium");
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-breakpad"]);
        command.arg(format!("--user-data-dir={}", home.path("profile").display()));
        command.arg(format!("--host-resolver-rules=MAP {host} 127.0.0.1"));
        let page = talk(
            &home,
            {
                command.args(["--dump-dom", &format!("https://{host}:{port}/")]);
                command
            },
            "",
        );
        let error = page
            .split(|letter: char| letter != '_' && !letter.is_ascii_uppercase())
            .find(|word| word.starts_with("ERR_"));
        (case.id, (page.contains(PAGE), error.unwrap_or_default().to_owned()))
    };
    cases.iter().map(answer).collect()
}

/// The verifier that this program is built with.
fn rustls_in_process(_: &Place, cases: &[&Case]) -> Answers {
    cases
        .iter()
        .map(|case| (case.id, rustls_answer(case).map_or_else(|why| (false, why), |()| (true, String::new()))))
        .collect()
}

fn rustls_answer(case: &Case) -> Result<(), String> {
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
