//! PostgreSQL, which begins TLS when it is asked: its chain is seen, and its refusals are told from its answers.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::hierarchy::Hierarchy;
use crate::support::process::{self, Server};
use crate::support::program::{Place, succeeded};
use crate::support::skip;

/// The user who runs the server: PostgreSQL refuses to be root's.
const OTHER: u32 = 65_534;

/// Returns the folder of PostgreSQL's programs, which are not on the path.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("postgres").is_file()).max()
}

/// A command of PostgreSQL, as a user who is not root.
fn postgres(place: &Place, program: &Path, is_root: bool) -> Command {
    if !is_root {
        return place.command(program);
    }
    let mut command = place.command("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    command
}

#[test]
fn postgresql_is_asked_for_tls_and_its_refusals_are_told_from_its_answers() {
    let Some(bin) = programs() else {
        skip::because("PostgreSQL is not installed");
        return;
    };
    let hierarchy = Hierarchy::of("ecdsa-p256");
    let place = &hierarchy.place;
    let folder = place.path("db");
    fs::create_dir(&folder).unwrap();
    let read = |path: &Path| fs::read(path).unwrap();
    fs::write(folder.join("server.pem"), read(&hierarchy.server.fullchain)).unwrap();
    fs::write(folder.join("server.key"), read(&hierarchy.server.key)).unwrap();
    fs::write(folder.join("roots.pem"), [read(&hierarchy.issuing()), read(&hierarchy.root)].concat()).unwrap();
    fs::set_permissions(folder.join("server.key"), Permissions::from_mode(0o600)).unwrap();
    let is_root = chown(&folder, Some(OTHER), Some(OTHER)).is_ok();
    if is_root {
        fs::set_permissions(place.path(""), Permissions::from_mode(0o755)).unwrap();
        for file in fs::read_dir(&folder).unwrap() {
            chown(file.unwrap().path(), Some(OTHER), Some(OTHER)).unwrap();
        }
    }
    let data = folder.join("data");
    let mut init = postgres(place, &bin.join("initdb"), is_root);
    init.args(["--username=postgres", "--auth=trust", "--no-sync", "-D"]).arg(&data).current_dir(&folder);
    succeeded("initdb", &init.output().unwrap());
    let file = |name: &str| folder.join(name).display().to_string();
    for (rule, wrong) in [
        // The user is the one in the certificate.
        ("hostssl all all 127.0.0.1/32 cert", None),
        // Every client may ask for a password, and none has to show a certificate.
        ("hostssl all all 127.0.0.1/32 scram-sha-256", Some("no-client-certificate")),
    ] {
        fs::write(data.join("pg_hba.conf"), format!("{rule}\n")).unwrap();
        let server = Server::start("postgres", place, |port| {
            let mut command = postgres(place, &bin.join("postgres"), is_root);
            command.arg("-D").arg(&data).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
            for (name, value) in [
                ("unix_socket_directories", file("")),
                ("ssl", "on".to_owned()),
                ("ssl_cert_file", file("server.pem")),
                ("ssl_key_file", file("server.key")),
                ("ssl_ca_file", file("roots.pem")),
            ] {
                command.args(["-c", &format!("{name}={value}")]);
            }
            command.current_dir(&folder);
            command
        });
        let address = format!("127.0.0.1:{}", server.port);
        let asked = format!("--connect {address} --starttls postgres --hostname localhost --json");
        // The port accepts connections before the server does.
        let verified = crate::support::process::wait_for("the database", || {
            let output = place.ca(&format!("--dir ca verify {asked}")).output().unwrap();
            output.status.success().then(|| serde_json::from_slice::<Value>(&output.stdout).unwrap())
        });
        assert_eq!(verified["connection"]["starttls"], "postgres", "{verified:#}");
        assert_eq!(verified["connection"]["asks_for_client_certificate"], true, "{verified:#}");
        let output = place.ca(&format!("--dir ca handshake-test {asked} --client alice")).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let what = format!("{rule}: {report:#}\n{}", server.log());
        assert_eq!((&report["protocol"], &report["starttls"]), (&"postgres".into(), &"postgres".into()), "{what}");
        assert_eq!(output.status.code(), Some(i32::from(wrong.is_some())), "{what}");
        for session in report["sessions"].as_array().unwrap() {
            assert_eq!(session["passed"], true, "{what}");
        }
        for refusal in report["refusals"].as_array().unwrap() {
            let is_let_in = Some(refusal["case"].as_str().unwrap()) == wrong;
            if refusal["case"] != "revoked-client" {
                assert_eq!(refusal["refused"], !is_let_in, "{what}");
            }
            if refusal["case"] == "no-client-certificate" && wrong.is_none() {
                assert_eq!(refusal["error"], "refused-by-protocol", "{what}");
            }
        }
    }
}

/// psql asks for TLS before it speaks it, and shows what the server says.
#[test]
fn psql_is_received_by_handshake_test() {
    if !skip::unless_installed(&["psql"]) {
        return;
    }
    let hierarchy = Hierarchy::of("ecdsa-p256");
    for (credential, is_good) in [(&hierarchy.client, true), (&hierarchy.stranger, false)] {
        let said = hierarchy.place.path("listening");
        let words = "--dir ca handshake-test --listen 127.0.0.1:0 --server localhost --wait 1m --json";
        let mut host = hierarchy.place.ca(words);
        host.stdout(Stdio::piped()).stderr(fs::File::create(&said).unwrap());
        let host = host.spawn().unwrap();
        let port: u16 = process::wait_for("psql", || {
            let said = fs::read_to_string(&said).unwrap();
            said.split_once("127.0.0.1:")?.1.split_once(' ')?.0.parse().ok()
        });
        let (root, own, key) = (hierarchy.root.display(), credential.fullchain.display(), credential.key.display());
        let to = format!(
            "host=localhost hostaddr=127.0.0.1 port={port} user=alice dbname=none sslmode=verify-full sslrootcert={root} \
             sslcert={own} sslkey={key}"
        );
        let output = hierarchy.place.command("psql").args(["-w", "-c", "select 1", &to]).output().unwrap();
        let heard = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(heard.contains("You are known here"), is_good, "{heard}");
        let report = host.wait_with_output().unwrap();
        let report: Value = serde_json::from_slice(&report.stdout).unwrap();
        assert_eq!(report["passed"], is_good, "{report}");
    }
}
