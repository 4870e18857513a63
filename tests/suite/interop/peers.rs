//! The TLS programs of others: how each is started as a server that asks for a client certificate, and as a client.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::support::hierarchy::{Credential, Hierarchy};
use crate::support::program::{Place, succeeded};
use crate::support::repository;

/// A TLS library with its programs.
pub struct Peer {
    pub name: &'static str,
    /// What has to be installed.
    pub programs: &'static [&'static str],
    pub server: Option<fn(&Hierarchy, u16) -> Command>,
    pub client: Option<fn(&Hierarchy, &Visit<'_>) -> Command>,
}

/// What a client is told.
pub struct Visit<'a> {
    pub port: u16,
    /// The name that the server's certificate has to bear.
    pub host: &'a str,
    /// `1.2` or `1.3`, and no other.
    pub tls: &'a str,
    pub root: &'a Path,
    pub credential: Option<&'a Credential>,
}

pub const NGINX: Peer = Peer { name: "nginx", programs: &["nginx"], server: Some(nginx), client: None };
pub const CURL: Peer = Peer { name: "curl", programs: &["curl"], server: None, client: Some(curl) };
pub const OPENSSL: Peer =
    Peer { name: "openssl", programs: &["openssl"], server: Some(openssl_server), client: Some(openssl_client) };
pub const GNUTLS: Peer = Peer {
    name: "gnutls",
    programs: &["gnutls-serv", "gnutls-cli"],
    server: Some(gnutls_server),
    client: Some(gnutls_client),
};
pub const NODE: Peer = Peer { name: "node", programs: &["node"], server: Some(node_server), client: Some(node_client) };
pub const JAVA: Peer =
    Peer { name: "java", programs: &["java", "javac"], server: Some(java_server), client: Some(java_client) };
pub const PYTHON: Peer =
    Peer { name: "python", programs: &["python3"], server: Some(python_server), client: Some(python_client) };

pub const ALL: &[&Peer] = &[&CURL, &OPENSSL, &GNUTLS, &NODE, &JAVA, &PYTHON, &NGINX];

fn nginx(hierarchy: &Hierarchy, port: u16) -> Command {
    let folder = hierarchy.place.path(format!("nginx-{port}"));
    std::fs::create_dir(&folder).unwrap();
    let shown = |path: &Path| path.display().to_string();
    let lists = hierarchy.place.path("crls.pem");
    let configuration = format!(
        r#"daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {};
        ssl_certificate_key {};
        ssl_client_certificate {};
        ssl_verify_client on;
        ssl_verify_depth 2;
        {}
        ssl_protocols TLSv1.2 TLSv1.3;
        location / {{ return 200 "client=$ssl_client_s_dn\n"; }}
    }}
}}
"#,
        shown(&hierarchy.server.fullchain),
        shown(&hierarchy.server.key),
        shown(&hierarchy.root),
        // The lists of every authority of the chain, where a test has put them.
        if lists.exists() { format!("ssl_crl {};", shown(&lists)) } else { String::new() },
    );
    std::fs::write(folder.join("nginx.conf"), configuration).unwrap();
    let mut command = hierarchy.place.command("nginx");
    command.args(["-e", "stderr", "-c", "nginx.conf", "-p"]).arg(folder);
    command
}

fn curl(hierarchy: &Hierarchy, visit: &Visit<'_>) -> Command {
    let Visit { port, host, tls, root, credential } = visit;
    let mut command = hierarchy.place.command("curl");
    command.args(["--silent", "--show-error", "--include", "--noproxy", "*", "--max-time", "30"]);
    command.arg(format!("--tlsv{tls}")).args(["--tls-max", tls, "--cacert"]).arg(root);
    command.args(["--resolve", &format!("{host}:{port}:127.0.0.1")]);
    if let Some(own) = credential {
        command.arg("--cert").arg(&own.fullchain).arg("--key").arg(&own.key);
    }
    command.arg(format!("https://{host}:{port}/"));
    command
}

fn openssl_server(hierarchy: &Hierarchy, port: u16) -> Command {
    let mut command = hierarchy.place.command("openssl");
    command.args(["s_server", "-www", "-Verify", "2", "-verify_return_error", "-x509_strict"]);
    command.args(["-accept", &format!("127.0.0.1:{port}"), "-CAfile"]).arg(&hierarchy.root);
    credential_of_openssl(&mut command, &hierarchy.server);
    command
}

fn openssl_client(hierarchy: &Hierarchy, visit: &Visit<'_>) -> Command {
    let Visit { port, host, tls, root, credential } = visit;
    let mut command = hierarchy.place.command("openssl");
    command.args(["s_client", "-quiet", "-verify_return_error", "-x509_strict", "-verify_hostname", host]);
    command.args(["-servername", host, if *tls == "1.2" { "-tls1_2" } else { "-tls1_3" }]);
    command.args(["-connect", &format!("127.0.0.1:{port}"), "-CAfile"]).arg(root);
    if let Some(own) = credential {
        credential_of_openssl(&mut command, own);
    }
    command
}

fn credential_of_openssl(command: &mut Command, own: &Credential) {
    command.arg("-cert").arg(&own.cert).arg("-cert_chain").arg(&own.chain).arg("-key").arg(&own.key);
}

fn gnutls_server(hierarchy: &Hierarchy, port: u16) -> Command {
    let mut command = hierarchy.place.command("gnutls-serv");
    command.args(["--http", "--require-client-cert", "--verify-client-cert", "--port", &port.to_string()]);
    credential_of_gnutls(&mut command, &hierarchy.root, Some(&hierarchy.server));
    command
}

fn gnutls_client(hierarchy: &Hierarchy, visit: &Visit<'_>) -> Command {
    let Visit { port, host, tls, root, credential } = visit;
    let mut command = hierarchy.place.command("gnutls-cli");
    command.args(["--priority", &format!("NORMAL:-VERS-ALL:+VERS-TLS{tls}"), "--port", &port.to_string()]);
    command.args(["--sni-hostname", host, "--verify-hostname", host]);
    credential_of_gnutls(&mut command, root, *credential);
    command.arg("127.0.0.1");
    command
}

fn credential_of_gnutls(command: &mut Command, root: &Path, own: Option<&Credential>) {
    command.arg("--x509cafile").arg(root);
    if let Some(own) = own {
        command.arg("--x509certfile").arg(&own.fullchain).arg("--x509keyfile").arg(&own.key);
    }
}

fn node_server(hierarchy: &Hierarchy, port: u16) -> Command {
    script_server(hierarchy, port, interpreter(&hierarchy.place, "node", "peer.js"))
}

fn node_client(hierarchy: &Hierarchy, visit: &Visit<'_>) -> Command {
    script_client(visit, interpreter(&hierarchy.place, "node", "peer.js"))
}

fn python_server(hierarchy: &Hierarchy, port: u16) -> Command {
    script_server(hierarchy, port, interpreter(&hierarchy.place, "python3", "peer.py"))
}

fn python_client(hierarchy: &Hierarchy, visit: &Visit<'_>) -> Command {
    script_client(visit, interpreter(&hierarchy.place, "python3", "peer.py"))
}

fn java_server(hierarchy: &Hierarchy, port: u16) -> Command {
    script_server(hierarchy, port, java(&hierarchy.place))
}

fn java_client(hierarchy: &Hierarchy, visit: &Visit<'_>) -> Command {
    script_client(visit, java(&hierarchy.place))
}

/// The programs of `tests/interop/` take the same words in every language.
fn script_server(hierarchy: &Hierarchy, port: u16, mut command: Command) -> Command {
    let own = &hierarchy.server;
    command.args(["server", &port.to_string()]).arg(&own.fullchain).arg(&own.key).arg(&hierarchy.root);
    command
}

fn script_client(visit: &Visit<'_>, mut command: Command) -> Command {
    command.args(["client", &visit.port.to_string(), visit.host, visit.tls]).arg(visit.root);
    if let Some(own) = visit.credential {
        command.arg(&own.fullchain).arg(&own.key);
    }
    command
}

fn interpreter(place: &Place, program: &str, script: &str) -> Command {
    let mut command = place.command(program);
    command.arg(repository().join("tests/interop").join(script));
    command
}

/// Flags for a quick start: each run is short.
fn java(place: &Place) -> Command {
    let mut command = place.command("java");
    command
        .args(["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"])
        .arg(java_classes())
        .arg("Peer");
    command
}

/// The folder with the compiled `Peer`, made once.
pub fn java_classes() -> PathBuf {
    static CLASSES: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        let mut javac = Command::new("javac");
        javac.arg("-d").arg(folder.path()).arg(repository().join("tests/interop/Peer.java"));
        succeeded("javac", &javac.output().unwrap());
        folder
    });
    CLASSES.path().to_owned()
}
