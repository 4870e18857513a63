//! Web servers, and the load balancer before them.

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
    for client in ["curl", "wget", "gnutls-cli", "openssl"] {
        if skip::unless_installed(&[client]) {
            exported.check_client(client, server.port, "hello");
        }
    }
    let nginx = format!("exec nginx -e stderr -c {} \"$@\"", place.path("nginx.conf").display());
    exported.check_hook(&server, "", &[("nginx", nginx)]);
}

#[test]
fn apache_runs_with_the_lines_of_its_recipe() {
    if !skip::unless_installed(&["apache2", "apachectl"]) {
        return;
    }
    let exported = Exported::of("apache");
    let place = &exported.hierarchy.place;
    let top = place.path("").display().to_string();
    let server = Server::start("apache", place, |port| {
        let modules = ["mpm_event", "authz_core", "ssl"]
            .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
            .concat();
        let (lines, more) = (exported.lines("in the VirtualHost"), exported.lines("in the same VirtualHost"));
        let configuration = format!(
            "ServerRoot {top}\nPidFile apache.pid\nDefaultRuntimeDir {top}\nErrorLog /dev/stderr\n{modules}User www-data\n\
             Group www-data\nServerName localhost\nListen 127.0.0.1:{port}\n<VirtualHost 127.0.0.1:{port}>\n{lines}\n\
             {more}\n</VirtualHost>\n"
        );
        fs::write(place.path("apache.conf"), configuration).unwrap();
        let mut command = place.command("apache2");
        command.arg("-f").arg(place.path("apache.conf")).arg("-DFOREGROUND");
        command
    });
    exported.check(&server, "", &[]);
    // The variables that the packages of Debian set in /etc/apache2/envvars.
    let apachectl = format!(
        "export APACHE_ENVVARS=/dev/null APACHE_RUN_DIR={top}/run APACHE_LOCK_DIR={top}/lock\n\
         export APACHE_ARGUMENTS='-f {top}/apache.conf'\nexec apachectl \"$@\""
    );
    exported.check_hook(&server, "", &[("apachectl", apachectl)]);
}

/// `systemctl reload haproxy` checks the configuration, and sends SIGUSR2 to the master process.
#[test]
fn haproxy_runs_with_the_lines_of_its_recipe() {
    if !skip::unless_installed(&["haproxy"]) {
        return;
    }
    let exported = Exported::of("haproxy");
    let place = &exported.hierarchy.place;
    let file = place.path("haproxy.cfg");
    let server = Server::start("haproxy", place, |port| {
        let lines = exported.lines("haproxy.cfg").replace("bind :443", &format!("bind 127.0.0.1:{port}"));
        let configuration = format!(
            "defaults\nmode http\ntimeout connect 1m\ntimeout client 1m\ntimeout server 1m\nfrontend web\n{lines}\n\
             http-request return status 200\n"
        );
        fs::write(&file, configuration).unwrap();
        let mut command = place.command("haproxy");
        command.arg("-Ws").arg("-f").arg(&file);
        command
    });
    exported.check(&server, "", &[]);
    let reload = format!("haproxy -c -q -f {} && kill -USR2 {}", file.display(), server.id());
    exported.check_hook(&server, "", &[("systemctl", format!("test \"$*\" = 'reload haproxy' && {reload}"))]);
}
