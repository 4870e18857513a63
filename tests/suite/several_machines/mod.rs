//! Two CA directories, as two machines, with one index in PostgreSQL: is a certificate lost, a serial number or a CRL number given
//! twice, or something delivered without a record, with parallel commands, a killed server and connections that break at any message?

mod at_once;
mod broken;
mod full_disk;
mod migrate;
mod refused;
mod roles;
mod same;
mod tls;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Output, Stdio};

use serde_json::Value;

use crate::support::postgres::PostgresServer;
use crate::support::program::{Place, succeeded};

/// Two CA directories, `one` and `two`, with the index in a server.
pub struct Machines {
    pub place: Place,
    pub server: PostgresServer,
}

impl Machines {
    /// `None`, and a named skip, without PostgreSQL.
    pub fn start() -> Option<Self> {
        PostgresServer::start().map(Self::on)
    }

    pub fn on(server: PostgresServer) -> Self {
        let place = Place::new();
        place.done("--dir one init --intermediate --no-passphrase");
        place.done("--dir one issue server before.test");
        place.done("--dir one crl --all");
        place.done(&format!("--dir one index copy --to {}", server.url("postgres")));
        let machines = Self { place, server };
        machines.copy();
        machines
    }

    /// Makes the second machine from what it needs of the first.
    fn copy(&self) {
        let mut copy = self.place.command("sh");
        let copied = "cp -a one two && rm -r two/issued two/index.db* one/index.db* && mkdir -m 700 two/issued";
        succeeded("cp", &copy.args(["-c", copied]).output().unwrap());
    }

    /// Has the first machine reach the server by another socket.
    pub fn connect_through(&self, folder: &Path) {
        let settings = self.place.path("one/ca.toml");
        let text = std::fs::read_to_string(&settings).unwrap();
        let url = format!("postgresql://postgres@/pki?host={}", folder.display());
        std::fs::write(&settings, text.replace(&self.server.url("postgres"), &url)).unwrap();
    }

    /// The serial numbers in the index.
    pub fn listed(&self, machine: &str) -> BTreeSet<String> {
        let listed: Value =
            serde_json::from_str(&self.place.done(&format!("--dir {machine} list --limit 10000 --json"))).unwrap();
        let certificates = listed["certificates"].as_array().unwrap();
        assert_eq!(listed["total"].as_u64().unwrap(), certificates.len() as u64);
        certificates.iter().map(|entry| entry["serial"].as_str().unwrap().to_owned()).collect()
    }

    /// The audit finds nothing wrong, on both machines.
    pub fn check(&self) {
        for machine in ["one", "two"] {
            self.place.done(&format!("--dir {machine} audit"));
        }
        // The database is asked too: a number that was given twice would be found by its constraint, if that were missing.
        let twice =
            "SELECT count(*) FROM (SELECT serial FROM ca.certificate GROUP BY serial, issuer HAVING count(*) > 1) AS s";
        assert_eq!(self.server.sql(twice).trim(), "0");
        let gaps = "SELECT count(*) FROM ca.event AS e WHERE number > 1
                    AND NOT EXISTS (SELECT 1 FROM ca.event AS b WHERE b.number = e.number - 1)";
        assert_eq!(self.server.sql(gaps).trim(), "0");
    }

    /// Starts all command lines, and then waits for them.
    pub fn at_once(&self, lines: impl IntoIterator<Item = String>) -> Vec<Output> {
        self.started(lines).into_iter().map(|child| child.wait_with_output().unwrap()).collect()
    }

    pub fn started(&self, lines: impl IntoIterator<Item = String>) -> Vec<Child> {
        let start = |line: String| self.place.ca(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        lines.into_iter().map(start).collect()
    }
}

/// The JSON of a command that has succeeded.
pub fn said(output: &Output) -> Value {
    serde_json::from_str(&succeeded("at once", output)).unwrap()
}
