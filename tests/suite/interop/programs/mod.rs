//! Programs are started with the files of `ca export --target` and with exactly the lines that it shows. Each lets the good client in,
//! and refuses the others as its recipe says.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::hierarchy::Hierarchy;
use crate::support::process::{Server, wait_for};
use crate::support::program::{Place, succeeded};
use crate::support::skip;

mod etcd;
mod namespace;
mod openvpn;
mod strongswan;
mod tomcat;

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

#[test]
fn nginx_runs_with_the_lines_of_its_recipe() {
    if !skip::unless_installed(&["nginx"]) {
        return;
    }
    let exported = Exported::of("nginx");
    let place = &exported.hierarchy.place;
    let server = Server::start("nginx", place, |port| {
        let top = place.path("").display().to_string();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {top}/{name};"))
            .concat();
        let lines = exported.lines("nginx.conf");
        let configuration = format!(
            "daemon off; pid {top}/nginx.pid; error_log stderr; events {{}}\nhttp {{ access_log off; {temporary}\n\
             server {{ listen 127.0.0.1:{port} ssl;\n{lines}\nlocation / {{ return 200 \"hello\"; }} }} }}\n"
        );
        fs::write(place.path("nginx.conf"), configuration).unwrap();
        let mut command = place.command("nginx");
        command.args(["-e", "stderr", "-c"]).arg(place.path("nginx.conf"));
        command
    });
    exported.check(&server, "", &[]);
}

#[test]
fn postgresql_runs_with_the_lines_of_its_recipe() {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let bin = versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("postgres").is_file()).max();
    let Some(bin) = bin else {
        skip::because("PostgreSQL is not installed");
        return;
    };
    let exported = Exported::of("postgres");
    let place = &exported.hierarchy.place;
    let folder = exported.folder("db");
    let data = folder.join("data");
    let mut init = exported.command(bin.join("initdb"));
    init.args(["--username=postgres", "--auth=trust", "--no-sync", "-D"]).arg(&data).current_dir(&folder);
    succeeded("initdb", &init.output().unwrap());
    let settings = fs::read_to_string(data.join("postgresql.conf")).unwrap();
    fs::write(data.join("postgresql.conf"), format!("{settings}\n{}\n", exported.lines("postgresql.conf"))).unwrap();
    fs::write(data.join("pg_hba.conf"), format!("{}\n", exported.lines("pg_hba.conf"))).unwrap();
    let server = Server::start("postgres", place, |port| {
        let mut command = exported.command(bin.join("postgres"));
        command.arg("-D").arg(&data).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c"]);
        command.arg(format!("unix_socket_directories={}", folder.display())).current_dir(&folder);
        command
    });
    exported.check(&server, "--starttls postgres", &[]);
}

#[test]
fn redis_runs_with_the_lines_of_its_recipe_and_checks_no_crl() {
    if !skip::unless_installed(&["redis-server"]) {
        return;
    }
    let exported = Exported::of("redis");
    let place = &exported.hierarchy.place;
    let folder = exported.folder("data");
    let server = Server::start("redis", place, |port| {
        let lines = exported.lines("redis.conf").replace("tls-port 6379", &format!("tls-port {port}"));
        let more = format!("bind 127.0.0.1\ndir {}\nsave \"\"\n", folder.display());
        fs::write(place.path("redis.conf"), format!("{lines}\n{more}")).unwrap();
        let mut command = exported.command("redis-server");
        command.arg(place.path("redis.conf"));
        command
    });
    exported.check(&server, "--protocol none", &["revoked-client"]);
}

#[test]
fn mosquitto_runs_with_the_lines_of_its_recipe() {
    if !skip::unless_installed(&["mosquitto"]) {
        return;
    }
    let exported = Exported::of("mosquitto");
    let place = &exported.hierarchy.place;
    let server = Server::start("mosquitto", place, |port| {
        let lines = exported.lines("mosquitto.conf").replace("listener 8883", &format!("listener {port} 127.0.0.1"));
        fs::write(place.path("mosquitto.conf"), format!("{lines}\n")).unwrap();
        let mut command = exported.command("mosquitto");
        command.arg("-c").arg(place.path("mosquitto.conf"));
        command
    });
    exported.check(&server, "--protocol none", &[]);
}

/// Whether a certificate is required is decided for each user, after the handshake.
#[test]
fn mariadb_runs_with_the_lines_of_its_recipe() {
    if !skip::unless_installed(&["mariadbd", "mariadb-install-db"]) {
        return;
    }
    let exported = Exported::of("mysql");
    let place = &exported.hierarchy.place;
    let folder = exported.folder("db");
    let mut init = exported.command("mariadb-install-db");
    init.args(["--no-defaults", "--skip-test-db", "--auth-root-authentication-method=normal"]);
    init.arg(format!("--datadir={}", folder.join("data").display())).env("TMPDIR", &folder);
    succeeded("mariadb-install-db", &init.output().unwrap());
    let server = Server::start("mariadb", place, |port| {
        let top = folder.display();
        let own =
            format!("datadir={top}/data\nport={port}\nbind-address=127.0.0.1\nsocket={top}/s\npid-file={top}/pid\n");
        let lines = exported.lines("my.cnf");
        fs::write(place.path("my.cnf"), format!("[mysqld]\n{lines}\n{own}")).unwrap();
        let mut command = exported.command("mariadbd");
        command.arg(format!("--defaults-file={}", place.path("my.cnf").display())).env("TMPDIR", &folder);
        command
    });
    exported.check(&server, "--starttls mysql", &["no-client-certificate"]);
}
