//! Web servers.

use std::fs;

use super::Exported;
use crate::support::process::Server;
use crate::support::skip;

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
