//! Programs are started with the files of `ca export --target` and with exactly the lines that it shows. Each lets the good client in,
//! and refuses the others as its recipe says.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::hierarchy::Hierarchy;
use crate::support::process::{Server, wait_for};
use crate::support::program::Place;

mod databases;
mod etcd;
mod mosquitto;
mod namespace;
mod openvpn;
mod strongswan;
mod tomcat;
mod web;

/// The files of a server `localhost` for a program, in a CA whose client `bob` is revoked, and `carol` expires at once.
struct Exported {
    hierarchy: Hierarchy,
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
        Self { hierarchy, report }
    }

    /// Waits until carol's certificate has expired.
    fn wait_for_carol(&self) {
        let listed = || self.hierarchy.place.done("--dir ca list --status expired");
        wait_for("the end of carol", || listed().contains("carol").then_some(()));
    }

    /// The lines for a place of the configuration, as they are shown.
    fn lines(&self, place: &str) -> &str {
        lines(&self.report, place)
    }

    /// A command as the user whom the files were given to.
    fn command(&self, program: impl AsRef<Path>) -> Command {
        let place = &self.hierarchy.place;
        let Some((user, group)) = self.report["owner"].as_str().and_then(|owner| owner.split_once(':')) else {
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
        // nginx answers with a status of HTTP, and a status says that it checked the certificate.
        let revoked_by_alert = !how.is_empty();
        let place = &self.hierarchy.place;
        let address = format!("--connect 127.0.0.1:{} --hostname localhost --json {how}", server.port);
        // The port accepts connections before the server does.
        wait_for("the server", || {
            let output =
                place.ca(&format!("--dir ca verify {}", address.split(" --protocol").next().unwrap())).output();
            output.unwrap().status.success().then_some(())
        });
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
}

/// Exports a name of a CA directory to a folder, also to one that has an older CRL; what the command reported.
fn export(place: &Place, dir: &str, name: &str, target: &str, folder: &str) -> Value {
    let report = place.done(&format!("--dir {dir} --json export {name} --target {target} --out {folder} --force"));
    serde_json::from_str(&report).unwrap()
}

/// The lines of a report for a place of the configuration, as they are shown.
fn lines<'a>(report: &'a Value, place: &str) -> &'a str {
    let parts = report["configuration"].as_array().unwrap();
    let part = parts.iter().find(|part| part["place"].as_str().unwrap().contains(place));
    part.unwrap_or_else(|| panic!("{place}: {report:#}"))["lines"].as_str().unwrap()
}
