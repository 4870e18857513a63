//! Postfix relays the mail of clients with certificates: it accepts every client, and refuses the recipient.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};

use super::Exported;
use crate::support::process::Server;
use crate::support::program::succeeded;
use crate::support::skip;

/// What is needed to receive a message; it is discarded then.
const SERVICES: &str = "\
rewrite unix - - n - - trivial-rewrite
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
proxymap unix - - n - - proxymap
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
discard unix - - n - - discard
postlog unix-dgram n - n - 1 postlogd
";

#[test]
fn postfix_runs_with_the_lines_of_its_recipe_and_checks_no_crl() {
    if !skip::unless_installed(&["postfix", "curl"]) || !skip::unless_root() {
        return;
    }
    let exported = Exported::of("postfix");
    let place = &exported.hierarchy.place;
    let top = place.path("").display().to_string();
    for folder in ["queue", "data", "conf", "log"] {
        fs::create_dir(place.path(folder)).unwrap();
    }
    fs::set_permissions(place.path("log"), Permissions::from_mode(0o777)).unwrap();
    let id = succeeded("id", &place.command("id").args(["-u", "postfix"]).output().unwrap());
    chown(place.path("data"), Some(id.trim().parse().unwrap()), None).unwrap();
    let settings = format!(
        "compatibility_level = 3.6\nqueue_directory = {top}queue\ndata_directory = {top}data\nmaillog_file = {top}log/mail\n\
         maillog_file_prefixes = {top}\nmyhostname = localhost\nmynetworks =\ninet_interfaces = 127.0.0.1\nalias_maps =\n\
         local_recipient_maps =\ndefault_transport = discard\n{}\n",
        exported.lines("main.cf")
    );
    fs::write(place.path("conf/main.cf"), settings).unwrap();
    fs::write(place.path("conf/master.cf"), SERVICES).unwrap();
    // Makes the folders of the queue. 'postfix start' would begin a process group of its own.
    succeeded(
        "postfix check",
        &place.command("postfix").args(["-c", &format!("{top}conf"), "check"]).output().unwrap(),
    );
    let programs =
        place.command("postconf").args(["-c", &format!("{top}conf"), "-h", "daemon_directory"]).output().unwrap();
    let master = format!("{}/master", succeeded("postconf", &programs).trim());
    let server = Server::start("postfix", place, |port| {
        let services = format!("127.0.0.1:{port} inet n - n - - smtpd\n{SERVICES}");
        fs::write(place.path("conf/master.cf"), services).unwrap();
        let mut command = place.command(&master);
        command.args(["-d", "-c"]).arg(place.path("conf"));
        command
    });
    exported.wait_for_server(&server, "--starttls smtp");
    fs::write(place.path("message"), "Subject: hello\r\n\r\nhello\r\n").unwrap();
    for (client, credential) in exported.clients() {
        let mut curl = place.command("curl");
        curl.args(["--silent", "--show-error", "--max-time", "30", "--ssl-reqd", "--cacert"]);
        curl.arg(&exported.hierarchy.root).args(["--resolve", &format!("localhost:{}:127.0.0.1", server.port)]);
        if let Some(own) = credential {
            curl.arg("--cert").arg(own.fullchain).arg("--key").arg(own.key);
        }
        curl.args(["--mail-from", "alice@localhost", "--mail-rcpt", "bob@example.org", "--upload-file", "message"]);
        let output = curl.arg(format!("smtp://localhost:{}/localhost", server.port)).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let log = fs::read_to_string(place.path("log/mail")).unwrap_or_default();
        if ["alice", "revoked"].contains(&client) {
            assert!(output.status.success(), "{client}: {said}{log}");
        } else {
            assert!(said.contains("RCPT failed: 554"), "{client}: {said}{log}");
        }
    }
    let postfix = format!("exec postfix -c {top}conf \"$@\"");
    exported.check_hook(&server, "--starttls smtp", &[("postfix", postfix)]);
}
