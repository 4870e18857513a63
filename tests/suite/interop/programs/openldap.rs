//! OpenLDAP, in a build with GnuTLS as in Debian.

use std::fs;

use super::{Exported, restart_script, restarted};
use crate::support::process::Server;
use crate::support::skip;

/// slapd closes the connection of a client that it refuses. It does not check the purpose of a client's certificate.
#[test]
fn openldap_runs_with_the_lines_of_its_recipe() {
    if !skip::unless_installed(&["slapd"]) || !skip::unless_root() {
        return;
    }
    let exported = Exported::of("openldap");
    let place = &exported.hierarchy.place;
    fs::write(place.path("slapd.conf"), format!("{}\n", exported.lines("slapd.conf"))).unwrap();
    let server = Server::start("slapd", place, |port| {
        let mut command = place.command("slapd");
        command.args(["-d", "0", "-u", "openldap", "-g", "openldap", "-f"]).arg(place.path("slapd.conf"));
        command.args(["-h", &format!("ldaps://127.0.0.1:{port}")]);
        restarted(place, &command)
    });
    exported.check(&server, "--starttls none --protocol ldap", &["server-certificate-as-client"]);
    if skip::unless_installed(&["ldapwhoami"]) {
        exported.check_client("ldapwhoami", server.port, "dn:");
    }
    exported.check_hook(&server, "--starttls none", &[("systemctl", restart_script(place, "slapd"))]);
}
