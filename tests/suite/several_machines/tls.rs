//! TLS with certificates of the CA itself, and passwords.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};

use crate::support::postgres::PostgresServer;
use crate::support::program::Place;

#[test]
fn the_server_is_verified_and_the_client_has_a_certificate_or_a_password() {
    let Some(mut server) = PostgresServer::start() else { return };
    let place = Place::new();
    place.done("--dir ca init --no-passphrase");
    place.done("--dir ca issue server localhost --san 127.0.0.1");
    place.done("--dir ca issue client issuer");
    place.done("--dir other init --no-passphrase");
    for (file, from) in [("server.crt", "fullchain.pem"), ("server.key", "key.pem")] {
        let to = server.data().join(file);
        fs::copy(place.path("ca/issued/localhost").join(from), &to).unwrap();
        fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
        if rustix::process::geteuid().is_root() {
            chown(&to, Some(65534), Some(65534)).unwrap();
        }
    }
    fs::copy(place.path("ca/authorities/root/cert.pem"), server.data().join("root.crt")).unwrap();
    fs::set_permissions(server.data().join("root.crt"), fs::Permissions::from_mode(0o644)).unwrap();
    server.sql("CREATE ROLE issuer LOGIN; GRANT CREATE ON DATABASE pki TO issuer");
    server.sql("CREATE ROLE typed LOGIN PASSWORD 'a:b\\c'; GRANT CREATE ON DATABASE pki TO typed");
    let rules = "local all postgres trust\nhostssl all issuer 127.0.0.1/32 cert\nhostssl all typed 127.0.0.1/32 scram-sha-256\n";
    fs::write(server.data().join("pg_hba.conf"), rules).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for setting in ["ssl=on", "ssl_ca_file=root.crt", "listen_addresses=127.0.0.1"] {
        server.set(setting);
    }
    // The socket has the name of the port.
    server.listen_on(port);
    server.restart();
    let identity = "sslcert=issued/issuer/fullchain.pem&sslkey=issued/issuer/key.pem";
    let copy = |user: &str, host: &str, parameters: &str| {
        format!("--dir ca index copy --to postgresql://{user}@{host}:{port}/pki?{parameters}")
    };
    let run = |words: &str| {
        let output = place.ca(words).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let other_root = place.path("other/authorities/root/cert.pem");
    for (words, expected) in [
        (copy("issuer", "127.0.0.1", ""), "certificate"),
        (copy("issuer", "127.0.0.1", &format!("{identity}&sslrootcert={}", other_root.display())), "certificate"),
        (copy("issuer", "ip6-localhost", identity), "cannot be reached"),
        (copy("postgres", "127.0.0.1", "sslmode=disable"), "pg_hba.conf"),
        (copy("typed", "127.0.0.1", ""), "password"),
    ] {
        let (status, stderr) = run(&words);
        assert_eq!(status, 3, "{words}: {stderr}");
        assert!(stderr.contains(expected), "{words}: {stderr}");
    }
    let (status, stderr) = run(&copy("issuer", "127.0.0.1", identity));
    assert_eq!(status, 0, "{stderr}");
    place.done("--dir ca issue server web.test");
    assert_eq!(server.sql("SELECT count(*) FROM ca.certificate").trim(), "4");
    // The password is in a file, whose mode is checked, or in the environment.
    let url = format!("postgresql://typed@localhost:{port}/pki?schema=typed&passfile=passwords");
    fs::write(place.path("other/passwords"), format!("localhost:{port}:pki:typed:a\\:b\\\\c\n")).unwrap();
    fs::set_permissions(place.path("other/passwords"), fs::Permissions::from_mode(0o644)).unwrap();
    let root = place.path("ca/authorities/root/cert.pem");
    let words = format!("--dir other index copy --to {url}&sslrootcert={}", root.display());
    let (status, stderr) = run(&words);
    assert_eq!(status, 3);
    assert!(stderr.contains("other users can read"), "{stderr}");
    fs::set_permissions(place.path("other/passwords"), fs::Permissions::from_mode(0o600)).unwrap();
    let (status, stderr) = run(&words);
    assert_eq!(status, 0, "{stderr}");
    place.done("--dir other issue server web.test");
    fs::remove_file(place.path("other/passwords")).unwrap();
    let output = place.ca("--dir other list").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(place.ca("--dir other list").env("PGPASSWORD", "a:b\\c").output().unwrap().status.success());
    for folder in ["ca", "other"] {
        assert!(!fs::read_to_string(place.path(folder).join("ca.toml")).unwrap().contains("a:b"));
    }
}
