//! Caddy, a web server.

use std::fs;

use super::Exported;
use crate::support::process::{Server, free_port};
use crate::support::skip;

#[test]
fn caddy_runs_with_the_lines_of_its_recipe_and_checks_no_crl() {
    let Some(caddy) = skip::unless_python_program("caddy") else { return };
    let exported = Exported::of("caddy");
    let place = &exported.hierarchy.place;
    let folder = exported.folder("data");
    let file = place.path("Caddyfile");
    let server = Server::start("caddy", place, |port| {
        let lines = exported.lines("in the site block");
        let configuration = format!(
            "{{\nadmin 127.0.0.1:{}\nauto_https disable_redirects\npersist_config off\nstorage file_system {}\n}}\n\
             https://localhost:{port} {{\nbind 127.0.0.1\n{lines}\nrespond hello\n}}\n",
            free_port(),
            folder.display()
        );
        fs::write(&file, configuration).unwrap();
        let mut command = exported.command(&caddy);
        command.arg("run").arg("--config").arg(&file);
        command
    });
    exported.check(&server, "", &["revoked-client"]);
    if skip::unless_installed(&["curl"]) {
        exported.check_client("curl", server.port, "hello");
    }
    let own = format!("exec {} reload --force --config {}", caddy.display(), file.display());
    let reload = format!("test \"$*\" = 'reload --force --config /etc/caddy/Caddyfile' && {own}");
    exported.check_hook(&server, "", &[("caddy", reload)]);
}
