//! Processes with an end: servers that are waited for and killed, clients that get so long and no longer.

use std::fs::File;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::program::{Place, kill_group};

/// So long may anything take before the test fails; a bound, not an expectation.
const LONGEST: Duration = Duration::from_secs(60);

/// How often something is looked at again.
const PAUSE: Duration = Duration::from_millis(5);

/// A program that runs until it is dropped.
pub struct Background {
    child: Child,
    log: PathBuf,
}

impl Background {
    /// Starts it; what it says on both streams goes to `NAME.log` in the place.
    pub fn start(name: &str, place: &Place, mut command: Command) -> Self {
        let log = place.path(format!("{name}.log"));
        let file = File::create(&log).unwrap();
        // Some servers read commands from standard input and end with it: theirs stays open.
        command.stdin(Stdio::piped()).stdout(file.try_clone().unwrap()).stderr(file).process_group(0);
        Self { child: command.spawn().unwrap_or_else(|e| panic!("{name}: {e}")), log }
    }

    /// The process that was started.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        kill_group(self.child.id());
        self.child.wait().ok();
    }
}

/// A server on a loopback port, killed when it goes.
pub struct Server {
    process: Background,
    pub port: u16,
}

impl Server {
    /// Starts what `command` makes for a free port, and waits until it accepts connections.
    pub fn start(name: &str, place: &Place, command: impl Fn(u16) -> Command) -> Self {
        // Somebody else may take the port between its choice and its use: then the server ends, and another is chosen.
        for _ in 0..5 {
            let port = free_port();
            let process = Background::start(&format!("{name}-{port}"), place, command(port));
            let mut server = Self { process, port };
            if server.accepts() {
                return server;
            }
            eprintln!("{name} did not start on port {port}:\n{}", server.log());
        }
        panic!("{name} did not start");
    }

    fn accepts(&mut self) -> bool {
        let started = Instant::now();
        while started.elapsed() < LONGEST && !self.process.has_ended() {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return true;
            }
            std::thread::sleep(PAUSE);
        }
        false
    }

    /// The process that was started.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

/// A loopback port that no program uses now.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Looks again and again until there is something to see; fails after a long time.
pub fn wait_for<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(started.elapsed() < LONGEST, "{what}: nothing to see after {LONGEST:?}");
        std::thread::sleep(PAUSE);
    }
}

/// Runs a program that talks until the other side hangs up, and gives back what it said on both streams. `request` is written to its standard input, which stays open.
pub fn talk(place: &Place, mut command: Command, request: &str) -> String {
    let screen = tempfile::NamedTempFile::new_in(place.path("")).unwrap();
    let file = screen.reopen().unwrap();
    command.stdin(Stdio::piped()).stdout(file.try_clone().unwrap()).stderr(file).process_group(0);
    let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let mut input = child.stdin.take().unwrap();
    // A program that ended already has said why.
    input.write_all(request.as_bytes()).ok();
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > LONGEST {
            kill_group(child.id());
            child.wait().ok();
            panic!("{command:?} had not ended after {LONGEST:?}:\n{}", read(screen.path()));
        }
        std::thread::sleep(PAUSE);
    }
    read(screen.path())
}

fn read(path: &std::path::Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}
