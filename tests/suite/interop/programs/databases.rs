//! PostgreSQL, MariaDB and Redis.

use std::fs;

use super::Exported;
use crate::support::process::Server;
use crate::support::program::succeeded;
use crate::support::skip;

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
    // The hook connects as Debian's packages permit it.
    let hba = format!("{}\nlocal all postgres peer\n", exported.lines("pg_hba.conf"));
    fs::write(data.join("pg_hba.conf"), hba).unwrap();
    let server = Server::start("postgres", place, |port| {
        let mut command = exported.command(bin.join("postgres"));
        command.arg("-D").arg(&data).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c"]);
        command.arg(format!("unix_socket_directories={}", folder.display())).current_dir(&folder);
        command
    });
    exported.check(&server, "--starttls postgres", &[]);
    let psql = format!("exec psql -h {} -p {} \"$@\"", folder.display(), server.port);
    exported.check_hook(&server, "--starttls postgres", &[("psql", psql)]);
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
        let top = folder.display();
        let more = format!("bind 127.0.0.1\ndir {top}\nunixsocket {top}/socket\nsave \"\"\n");
        fs::write(place.path("redis.conf"), format!("{lines}\n{more}")).unwrap();
        let mut command = exported.command("redis-server");
        command.arg(place.path("redis.conf"));
        command
    });
    exported.check(&server, "--protocol none", &["revoked-client"]);
    exported.check_client("redis-cli", server.port, "PONG");
    let redis_cli = format!(
        "test \"$1 $2 $3\" = '-e -s /run/redis/redis-server.sock' && shift 3 && exec redis-cli -e -s {}/socket \"$@\"",
        folder.display()
    );
    exported.check_hook(&server, "", &[("redis-cli", redis_cli)]);
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
    let socket = format!("-S{}/s", folder.display());
    let user = "create user alice require subject '/CN=alice'";
    let mut mariadb = place.command("mariadb");
    succeeded(user, &mariadb.args(["--no-defaults", "-u", "root", &socket, "-e", user]).output().unwrap());
    exported.check_client("mariadb", server.port, "1");
    let mariadb = format!("exec mariadb --no-defaults -u root {socket} \"$@\"");
    exported.check_hook(&server, "--starttls mysql", &[("mariadb", mariadb)]);
}
