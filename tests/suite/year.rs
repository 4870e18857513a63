//! A year in the life of a small CA, with a clock that is moved. After every step, openssl, GnuTLS and a real nginx with a real
//! curl say the same of every certificate as `ca` does.
//!
//! `ca` has no switch for its clock: it is called in this process, with a world whose clock stands where the story is. The
//! clocks of the others are moved by faketime.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;

use ca::cli;
use ca::report::exit_status::ExitStatus;
use ca::system::World;
use ca::system::clock::FixedClock;
use ca::system::entropy::SystemEntropy;
use ca::system::identity::FixedIdentity;
use ca::system::terminal::{Pager, Terminal};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::support::process::{Server, talk};
use crate::support::program::Place;
use crate::support::skip;

const BEGIN: OffsetDateTime = datetime!(2027-01-04 09:00 UTC);

/// Why somebody is turned away, as far as it matters who can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Because {
    Revoked,
    /// A revocation list of the chain has run out: GnuTLS's certtool does not mind.
    NoList,
}

struct Year {
    place: Place,
    day: i64,
    /// The authorities whose lists those who check need, and the file with the roots that they trust.
    lists: Vec<&'static str>,
    roots: &'static str,
}

#[test]
fn a_year_in_the_life_of_a_small_ca() {
    if !skip::unless_installed(&["openssl", "certtool", "nginx", "curl", "faketime"]) {
        return;
    }
    let mut year =
        Year { place: Place::new(), day: 0, lists: vec!["issuing", "root"], roots: "ca/authorities/root/cert.pem" };
    year.done("init --intermediate --key ecdsa-p256 --no-passphrase --quiet");
    year.done("issue server localhost");
    for name in ["alice", "bob"] {
        year.done(&format!("issue client {name}"));
    }
    year.done("crl --for 90d");
    year.done("crl --authority root --for 1y");
    year.judged(&[("alice", None), ("bob", None)]);

    year.day = 30;
    year.refused("due --within 40d --json", ExitStatus::Done);
    // Two thirds of 90 days: everything is due, the list too.
    year.day = 65;
    year.refused("due", ExitStatus::No);
    year.done("renew --due");
    year.done("due");
    year.judged(&[("alice", None), ("bob", None)]);

    year.day = 75;
    year.done("rekey localhost");
    year.judged(&[("alice", None), ("bob", None)]);
    year.done("rollback localhost");
    year.judged(&[("alice", None), ("bob", None)]);

    // A key is stolen. Before the list is signed, the others cannot know.
    year.day = 80;
    year.done("revoke alice --all --reason key-compromise");
    year.done("crl");
    year.judged(&[("alice", Some(Because::Revoked)), ("bob", None)]);
    year.done("issue client alice --force");
    year.judged(&[("alice", None), ("bob", None)]);
    year.done("revoke bob --all --reason hold");
    year.done("crl --ensure");
    year.judged(&[("alice", None), ("bob", Some(Because::Revoked))]);
    year.done("revoke bob --all --reason release");
    year.done("crl --ensure");
    year.judged(&[("alice", None), ("bob", None)]);

    // Nobody looked after the list for a month: everybody is locked out until it is signed.
    year.day = 111;
    year.judged(&[("alice", Some(Because::NoList)), ("bob", Some(Because::NoList))]);
    year.done("crl --ensure");
    year.judged(&[("alice", None), ("bob", None)]);

    year.day = 130;
    year.done("renew --due");
    year.judged(&[("alice", None), ("bob", None)]);

    // The root is replaced. While both are trusted, everything goes on; what hangs on the old one is issued again.
    year.day = 180;
    year.done("renew --due");
    year.done("root rotate start");
    year.done("crl --authority root-g2 --for 1y");
    year.done("crl --authority root --for 1y");
    year.done("crl --ensure");
    year.done("roots --out trusted.pem");
    year.roots = "trusted.pem";
    year.lists.push("root-g2");
    year.judged(&[("alice", None), ("bob", None)]);
    for name in ["localhost", "alice", "bob"] {
        year.done(&format!("renew {name}"));
    }
    year.judged(&[("alice", None), ("bob", None)]);
    year.day = 190;
    year.done("root rotate finish");
    year.done("crl --ensure");
    year.done("roots --out new.pem");
    year.roots = "new.pem";
    year.lists = vec!["issuing", "root-g2"];
    year.judged(&[("alice", None), ("bob", None)]);

    for day in [220, 245, 270, 300, 330, 365] {
        year.day = day;
        year.done("renew --due");
        year.done("crl --ensure");
        year.judged(&[("alice", None), ("bob", None)]);
    }
}

impl Year {
    fn now(&self) -> OffsetDateTime {
        BEGIN + Duration::days(self.day)
    }

    /// One command of the story; its standard output.
    fn ca(&self, words: &str) -> (ExitStatus, String, String) {
        let (out, err) = (Stream::default(), Stream::default());
        let mut world = World {
            clock: Box::new(FixedClock(self.now())),
            entropy: Box::new(SystemEntropy),
            identity: Box::new(FixedIdentity::alice()),
            terminal: Box::new(Nobody),
            environment: HashMap::new(),
            working_folder: self.place.path(""),
            stdin: ca::system::Stdin::new(Box::new(io::empty())),
            stdout: Box::new(out.clone()),
            stderr: Box::new(err.clone()),
        };
        let words = ["ca"].into_iter().chain(words.split_whitespace()).map(OsString::from);
        (cli::run(words, &mut world), out.text(), err.text())
    }

    fn done(&self, words: &str) {
        self.refused(words, ExitStatus::Done);
    }

    fn refused(&self, words: &str, expected: ExitStatus) {
        let (status, out, err) = self.ca(words);
        assert_eq!(status, expected, "day {}: ca {words}\n{out}{err}", self.day);
    }

    /// Every judge says the same of these clients, and of the server that all of them visit.
    fn judged(&self, clients: &[(&str, Option<Because>)]) {
        let list = |authority: &&str| {
            let path = self.file(&format!("ca/authorities/{authority}/crl.pem"));
            std::fs::read(&path).unwrap_or_else(|error| panic!("day {}: {}: {error}", self.day, path.display()))
        };
        std::fs::write(self.file("crls.pem"), self.lists.iter().flat_map(list).collect::<Vec<u8>>()).unwrap();
        let server_is_good = clients.iter().all(|(_, because)| *because != Some(Because::NoList));
        self.chain("localhost", if server_is_good { None } else { Some(Because::NoList) });
        let nginx = self.nginx();
        for (name, because) in clients {
            self.chain(name, *because);
            let said = self.visit(nginx.port, name);
            let told = format!("day {}: {name} at nginx, {because:?}: {said}\n{}", self.day, nginx.log());
            assert_eq!(said.contains(" 200"), because.is_none(), "{told}");
        }
    }

    fn chain(&self, name: &str, because: Option<Because>) {
        let what = |judge: &str, said: &str| format!("day {}: {judge} of {name}, {because:?}:\n{said}", self.day);
        let fullchain = format!("ca/issued/{name}/fullchain.pem");
        let (status, out, err) = self.ca(&format!("verify {fullchain} --roots {} --crl crls.pem", self.roots));
        let expected = if because.is_none() { ExitStatus::Done } else { ExitStatus::No };
        assert_eq!(status, expected, "{}", what("ca", &(out + &err)));

        let mut openssl = self.later("openssl");
        openssl.args(["verify", "-x509_strict", "-crl_check_all", "-CAfile", self.roots, "-CRLfile", "crls.pem"]);
        let openssl = openssl.args(["-untrusted", &fullchain, &format!("ca/issued/{name}/cert.pem")]).output().unwrap();
        let said = String::from_utf8_lossy(&[openssl.stdout, openssl.stderr].concat()).into_owned();
        assert_eq!(openssl.status.success(), because.is_none(), "{}", what("openssl", &said));

        let mut certtool = self.later("certtool");
        certtool.args([
            "--verify",
            "--load-ca-certificate",
            self.roots,
            "--load-crl",
            "crls.pem",
            "--infile",
            &fullchain,
        ]);
        let certtool = certtool.output().unwrap();
        let said = String::from_utf8_lossy(&[certtool.stdout, certtool.stderr].concat()).into_owned();
        assert_eq!(certtool.status.success(), because != Some(Because::Revoked), "{}", what("GnuTLS", &said));
    }

    fn file(&self, name: &str) -> PathBuf {
        self.place.path(name)
    }

    /// A program whose clock stands where the story is.
    fn later(&self, program: &str) -> Command {
        let (date, time) = (self.now().date(), self.now().time());
        let mut command = self.place.command(program);
        sweep_after_faketime();
        // $LIB is the loader's word for the folder of this machine's libraries.
        command.env("LD_PRELOAD", "/usr/$LIB/faketime/libfaketime.so.1");
        command.env("FAKETIME", format!("@{date} {:02}:{:02}:{:02}", time.hour(), time.minute(), time.second()));
        command
    }

    fn nginx(&self) -> Server {
        Server::start("nginx", &self.place, |port| {
            let folder = self.file(&format!("nginx-{port}"));
            std::fs::create_dir_all(&folder).unwrap();
            let (issued, roots, lists) =
                (self.file("ca/issued/localhost"), self.file(self.roots), self.file("crls.pem"));
            let configuration = format!(
                "daemon off; master_process off; pid nginx.pid; error_log stderr; events {{}}
                 http {{ access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
                 uwsgi_temp_path uwsgi; scgi_temp_path scgi; server {{ listen 127.0.0.1:{port} ssl;
                 ssl_certificate {issued}/fullchain.pem; ssl_certificate_key {issued}/key.pem;
                 ssl_client_certificate {roots}; ssl_crl {lists}; ssl_verify_client on; ssl_verify_depth 3;
                 location / {{ return 200 ok; }} }} }}",
                issued = issued.display(),
                roots = roots.display(),
                lists = lists.display(),
            );
            std::fs::write(folder.join("nginx.conf"), configuration).unwrap();
            let mut nginx = self.later("nginx");
            nginx.args(["-e", "stderr", "-c", "nginx.conf", "-p"]).arg(folder);
            nginx
        })
    }

    /// What curl says that has this client's certificate.
    fn visit(&self, port: u16, name: &str) -> String {
        let mut curl = self.later("curl");
        curl.args(["-sSi", "--max-time", "30", "--cacert", self.roots]);
        curl.args([
            "--cert",
            &format!("ca/issued/{name}/fullchain.pem"),
            "--key",
            &format!("ca/issued/{name}/key.pem"),
        ]);
        curl.arg(format!("https://localhost:{port}/"))
            .args(["--connect-to", &format!("localhost:{port}:127.0.0.1:{port}")]);
        talk(&self.place, curl, "")
    }
}

/// A stream that keeps what it is given.
#[derive(Clone, Default)]
struct Stream(Rc<RefCell<Vec<u8>>>);

impl Stream {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.borrow()).into_owned()
    }
}

impl Write for Stream {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// No terminal.
struct Nobody;

impl Terminal for Nobody {
    fn can_ask(&self) -> bool {
        false
    }

    fn shows_stdout(&self) -> bool {
        false
    }

    fn shows_stderr(&self) -> bool {
        false
    }

    fn columns(&self) -> Option<usize> {
        None
    }

    fn page(&self, _text: &str, _pager: &Pager<'_>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn ask_line(&self, _question: &str) -> io::Result<String> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn ask_secret(&self, _question: &str) -> io::Result<zeroize::Zeroizing<String>> {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Faketime names what its processes share after their number. What a process leaves behind is taken away: the next one of
/// that number would refuse to start.
fn sweep_after_faketime() {
    for entry in std::fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let number = name.strip_prefix("faketime_shm_").or_else(|| name.strip_prefix("sem.faketime_sem_"));
        let is_left = number.is_some_and(|number| !std::path::Path::new("/proc").join(number).exists());
        if is_left {
            // Another test may be quicker.
            drop(std::fs::remove_file(entry.path()));
        }
    }
}
