//! Programs are started with the files of `ca export --target` and with exactly the lines that it shows. Each lets the good client in,
//! and refuses the others as its recipe says. After a renewal, the hook of the recipe makes the program serve the new certificate.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::hierarchy::{Credential, Hierarchy};
use crate::support::process::{Server, wait_for};
use crate::support::program::{Place, succeeded};

mod caddy;
mod clients;
mod databases;
mod docker;
mod dovecot;
mod envoy;
mod etcd;
mod freeradius;
mod mosquitto;
pub(super) mod namespace;
mod node;
mod openldap;
mod openvpn;
mod own_code;
mod postfix;
mod rabbitmq;
mod registry;
mod strongswan;
mod stunnel;
mod tomcat;
mod vsftpd;
mod web;

/// The files of a server `localhost` for a program, in a CA whose client `bob` is revoked, and `carol` expires at once.
struct Exported {
    hierarchy: Hierarchy,
    /// The name of the certificate in the files.
    name: String,
    report: Value,
}

impl Exported {
    fn of(target: &str) -> Self {
        Self::named(target, "localhost", "")
    }

    /// With the certificate of this name; `issue` are the words that issue it, unless the name is `localhost`.
    fn named(target: &str, name: &str, issue: &str) -> Self {
        let hierarchy = Hierarchy::of("ecdsa-p256");
        let place = &hierarchy.place;
        let words =
            ["issue client carol --for 2s", "issue client bob", "revoke bob --reason key-compromise", "crl --all"];
        for words in words.into_iter().chain([issue].into_iter().filter(|issue| !issue.is_empty())) {
            place.done(&format!("--dir ca {words}"));
        }
        // The user of the program enters the folder.
        fs::set_permissions(place.path(""), Permissions::from_mode(0o755)).unwrap();
        let report = export(place, "ca", name, target, target);
        Self { hierarchy, name: name.to_owned(), report }
    }

    /// Waits until carol's certificate has expired.
    fn wait_for_carol(&self) {
        let listed = || self.hierarchy.place.done("--dir ca list --status expired");
        wait_for("the end of carol", || listed().contains("carol").then_some(()));
    }

    /// Runs `ca verify --connect` for the server; `file` is empty, or a certificate that it is compared with.
    fn verify(&self, server: &Server, how: &str, file: &str) -> Output {
        let starttls = how.split("--protocol").next().unwrap();
        let address = format!("--connect 127.0.0.1:{} --hostname localhost {starttls}", server.port);
        self.hierarchy.place.ca(&format!("--dir ca --json verify {address} {file}")).output().unwrap()
    }

    /// Waits until the server completes a handshake: its port accepts connections before it does.
    fn wait_for_server(&self, server: &Server, how: &str) {
        wait_for("the server", || self.verify(server, how, "").status.success().then_some(()));
    }

    /// Whether the server has the certificate that was issued last.
    fn serves_issued_certificate(&self, server: &Server, how: &str) -> bool {
        let output = self.verify(server, how, &format!("ca/issued/{}/fullchain.pem", self.name));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        report["in_file"]["same_certificate"] == true
    }

    /// The clients that a program is shown which `ca handshake-test` cannot ask.
    fn clients(&self) -> [(&'static str, Option<Credential>); 5] {
        self.wait_for_carol();
        let Hierarchy { place, client, stranger, .. } = &self.hierarchy;
        [
            ("alice", Some(client.clone())),
            ("no certificate", None),
            ("another CA", Some(stranger.clone())),
            ("expired", Some(Credential::of(place, "ca/issued/carol"))),
            ("revoked", Some(Credential::of(place, "ca/issued/bob"))),
        ]
    }

    /// The lines for a place of the configuration, as they are shown.
    fn lines(&self, place: &str) -> &str {
        lines(&self.report, place)
    }

    /// A command as the user whom the files were given to.
    fn command(&self, program: impl AsRef<Path>) -> Command {
        let place = &self.hierarchy.place;
        // Of a package that is not installed here, there is no user.
        let owner = self.report["owner"].as_str().filter(|_| self.report["chown"].is_null());
        let Some((user, group)) = owner.and_then(|owner| owner.split_once(':')) else {
            return place.command(program.as_ref());
        };
        let mut command = place.command("setpriv");
        command.args([format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()]);
        command.arg(program.as_ref());
        command
    }

    /// A folder that this user can write.
    fn folder(&self, name: &str) -> PathBuf {
        let folder = self.hierarchy.place.path(name);
        fs::create_dir(&folder).unwrap();
        let key = self.report["exported_files"].as_array().unwrap().iter().find(|file| file["mode"] == "0600");
        let owner = fs::metadata(key.unwrap()["path"].as_str().unwrap()).unwrap();
        chown(&folder, Some(owner.uid()), Some(owner.gid())).unwrap();
        folder
    }

    /// Shows the server every client: `accepted` are the cases that it lets in although they are wrong.
    fn check(&self, server: &Server, how: &str, accepted: &[&str]) {
        // nginx answers with a status of HTTP, and a status says that it checked the certificate. slapd closes the connection.
        let revoked_by_alert = !how.is_empty() && !how.contains("ldap");
        let place = &self.hierarchy.place;
        let address = format!("--connect 127.0.0.1:{} --hostname localhost --json {how}", server.port);
        self.wait_for_server(server, how);
        self.wait_for_carol();
        let words = format!("--dir ca handshake-test {address} --client alice --expect-revocation");
        let output = place.ca(&words).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let what = || format!("{report:#}\n{}", server.log());
        let sessions = report["sessions"].as_array().unwrap();
        assert!(!sessions.is_empty() && sessions.iter().all(|session| session["passed"] == true), "{}", what());
        let refusals = report["refusals"].as_array().unwrap();
        for case in ["no-client-certificate", "client-of-another-ca", "expired-client", "revoked-client"] {
            let mut same = refusals.iter().filter(|refusal| refusal["case"] == case).peekable();
            assert!(same.peek().is_some(), "{case}: {}", what());
            // A caveat says that the certificate was issued by a CA that the server does not trust either.
            assert!(same.all(|refusal| refusal["caveat"].is_null()), "{case}: {}", what());
        }
        for refusal in refusals {
            let is_accepted = accepted.contains(&refusal["case"].as_str().unwrap());
            assert_eq!(refusal["refused"], !is_accepted, "{}: {}", refusal["case"], what());
            // A refusal of the user, after the handshake, says nothing about the CRL.
            if refusal["case"] == "revoked-client" && !is_accepted && revoked_by_alert {
                let shown = refusal["alert"].to_string();
                assert!(shown.contains("certificate_revoked"), "{shown}: {}", what());
            }
        }
    }

    /// After a renewal the running server serves the new certificate when the hook of the recipe has run, and not before.
    fn check_hook(&self, server: &Server, how: &str, programs: &[(&str, String)]) {
        self.hierarchy.place.done(&format!("--dir ca renew {} --no-hook", self.name));
        assert!(!self.serves_issued_certificate(server, how), "without the hook: {}", server.log());
        self.renew_with_hook(programs);
        wait_for("the new certificate", || self.serves_issued_certificate(server, how).then_some(()));
    }

    /// Renews the certificate with the hook that the recipe shows, which runs when the export has the new files. `programs` are
    /// scripts that stand for programs of the hook: they call the installed ones with the configuration of this test.
    fn renew_with_hook(&self, programs: &[(&str, String)]) {
        let place = &self.hierarchy.place;
        let folder = place.path("hook-programs");
        fs::create_dir(&folder).unwrap();
        for (name, script) in programs {
            let file = folder.join(name);
            fs::write(&file, format!("#!/bin/sh\nPATH=${{PATH#*:}}\n{script}\n")).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
        }
        let mut renew = place.ca(&format!("--dir ca --json renew {} --hook", self.name));
        renew.arg(self.report["reload_command"].as_str().unwrap());
        let path = renew.get_envs().find_map(|(name, value)| value.filter(|_| name == "PATH")).unwrap().to_owned();
        renew.env("PATH", [folder.as_os_str(), path.as_os_str()].join(OsStr::new(":")));
        let report: Value = serde_json::from_str(&succeeded("the renewal", &renew.output().unwrap())).unwrap();
        assert_eq!(report["hook"]["status"], "done", "{report:#}");
        let outcomes: Vec<_> = report["exports"].as_array().unwrap().iter().map(|export| &export["outcome"]).collect();
        assert_eq!(outcomes, ["written"], "{report:#}");
        let issued = fs::read(place.path(format!("ca/issued/{}/cert.pem", self.name))).unwrap();
        let exported = self.report["exported_files"].as_array().unwrap().iter();
        let mut exported = exported.filter(|file| file["contains"].as_array().unwrap().contains(&"certificate".into()));
        let exported = fs::read(exported.next().unwrap()["path"].as_str().unwrap()).unwrap();
        // What is in an encrypted file, the program shows.
        let is_pem = exported.starts_with(b"-----BEGIN");
        let has_issued = exported.windows(issued.len()).any(|part| part == issued);
        assert!(!is_pem || has_issued, "the export does not have the new certificate");
    }
}

/// Starts the program in its arguments, and again after the script of [`restart_script`] has ended it.
const AGAIN: &str = "while \"$@\" & echo $! > pid; do wait $!; rm restart || exit 1; done";

/// A command that starts a program, and again after the script of [`restart_script`] has ended it.
fn restarted(place: &Place, program: &Command) -> Command {
    let mut command = place.command("sh");
    command.args(["-c", AGAIN, "sh"]).arg(program.get_program()).args(program.get_args());
    command
}

/// What `systemctl restart` does to the program.
fn restart_script(place: &Place, service: &str) -> String {
    let top = place.path("").display().to_string();
    format!("test \"$*\" = 'restart {service}' && touch {top}restart && kill $(cat {top}pid)")
}

/// Exports a name of a CA directory to a folder, also to one that has an older CRL; what the command reported.
pub(super) fn export(place: &Place, dir: &str, name: &str, target: &str, folder: &str) -> Value {
    let report = place.done(&format!("--dir {dir} --json export {name} --target {target} --out {folder} --force"));
    serde_json::from_str(&report).unwrap()
}

/// The lines of a report for a place of the configuration, as they are shown.
pub(super) fn lines<'a>(report: &'a Value, place: &str) -> &'a str {
    let parts = report["configuration"].as_array().unwrap();
    let part = parts.iter().find(|part| part["place"].as_str().unwrap().contains(place));
    part.unwrap_or_else(|| panic!("{place}: {report:#}"))["lines"].as_str().unwrap()
}
