//! vsftpd, an FTP server that is asked for TLS.

use std::fs;

use super::{Exported, restart_script, restarted};
use crate::support::process::Server;
use crate::support::skip;

const HOW: &str = "--starttls ftp";

#[test]
fn vsftpd_runs_with_the_lines_of_its_recipe_and_checks_no_crl() {
    if !skip::unless_installed(&["vsftpd"]) || !skip::unless_root() {
        return;
    }
    let exported = Exported::of("vsftpd");
    let place = &exported.hierarchy.place;
    fs::create_dir(place.path("empty")).unwrap();
    let server = Server::start("vsftpd", place, |port| {
        let empty = place.path("empty");
        let own = format!(
            "listen=YES\nbackground=NO\nlisten_address=127.0.0.1\nlisten_port={port}\nlocal_enable=YES\n\
             secure_chroot_dir={}\nvsftpd_log_file=/dev/null\n",
            empty.display()
        );
        fs::write(place.path("vsftpd.conf"), format!("{own}{}\n", exported.lines("vsftpd.conf"))).unwrap();
        let mut command = place.command("vsftpd");
        command.arg(place.path("vsftpd.conf"));
        restarted(place, &command)
    });
    exported.check(&server, HOW, &["revoked-client"]);
    exported.check_hook(&server, HOW, &[("systemctl", restart_script(place, "vsftpd"))]);
}
