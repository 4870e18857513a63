//! Dovecot: a client without a valid certificate is refused when it logs in, after the handshake.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::Exported;
use crate::support::process::Server;
use crate::support::skip;

/// The exit status of curl for a login that was refused.
const LOGIN_DENIED: i32 = 67;

#[test]
fn dovecot_runs_with_the_lines_of_its_recipe() {
    if !skip::unless_installed(&["dovecot", "doveadm", "curl"]) || !skip::unless_root() {
        return;
    }
    let exported = Exported::of("dovecot");
    let place = &exported.hierarchy.place;
    let top = place.path("").display().to_string();
    fs::create_dir(place.path("mail")).unwrap();
    fs::set_permissions(place.path("mail"), Permissions::from_mode(0o777)).unwrap();
    let server = Server::start("dovecot", place, |port| {
        let lines = exported.lines("10-ssl.conf");
        let configuration = format!(
            "base_dir = {top}run\nstate_dir = {top}state\nlog_path = /dev/stderr\nprotocols = imap\nlisten = 127.0.0.1\n\
             mail_location = maildir:{top}mail\nfirst_valid_uid = 1\n\
             passdb {{\n driver = static\n args = nopassword=y\n}}\n\
             userdb {{\n driver = static\n args = uid=mail gid=mail home={top}mail\n}}\n\
             service imap-login {{\n inet_listener imap {{\n port = 0\n }}\n inet_listener imaps {{\n port = {port}\n }}\n}}\n\
             {lines}\n"
        );
        fs::write(place.path("dovecot.conf"), configuration).unwrap();
        let mut command = place.command("dovecot");
        command.arg("-F").arg("-c").arg(place.path("dovecot.conf"));
        command
    });
    exported.wait_for_server(&server, "");
    for (client, credential) in exported.clients() {
        let mut curl = place.command("curl");
        curl.args(["--silent", "--show-error", "--max-time", "30", "--cacert"]).arg(&exported.hierarchy.root);
        curl.args(["--resolve", &format!("localhost:{}:127.0.0.1", server.port)]);
        if let Some(own) = credential {
            curl.arg("--cert").arg(own.fullchain).arg("--key").arg(own.key);
        }
        // The user is that of the certificate, whatever name is said.
        let output = curl.args(["--user", "mallory:any"]).arg(format!("imaps://localhost:{}/", server.port)).output();
        let output = output.unwrap();
        let what = format!("{client}: {}\n{}", String::from_utf8_lossy(&output.stderr), server.log());
        let expected = if client == "alice" { 0 } else { LOGIN_DENIED };
        assert_eq!(output.status.code(), Some(expected), "{what}");
    }
    let log = server.log();
    assert!(log.contains("Login: user=<alice>") && !log.contains("Login: user=<mallory>"), "{log}");
    let doveadm = format!("exec doveadm -c {top}dovecot.conf \"$@\"");
    exported.check_hook(&server, "", &[("doveadm", doveadm)]);
}
