//! A server whose disk is full.

use super::Machines;
use crate::support::pair::{self, FILES};
use crate::support::postgres::PostgresServer;

#[test]
fn a_full_disk_of_the_server_stops_every_change_before_anything_is_delivered() {
    let Some(server) = PostgresServer::start_on_small_disk() else { return };
    let machines = Machines::on(server);
    let Machines { place, server } = &machines;
    place.done("--dir two issue client anna");
    // Each new row needs a new page, as each does from time to time.
    for table in ["certificate", "event", "revocation", "revocation_list"] {
        server.sql(&format!("ALTER TABLE ca.{table} SET (fillfactor = 10)"));
    }
    std::fs::write(
        place.path("fleet.toml"),
        "[[certificate]]\ntemplate = \"server\"\nname = \"n{{ n }}.test\"\ncount = 3\n",
    )
    .unwrap();
    let changes = [
        "--dir one issue server web.test",
        "--dir one renew before.test",
        "--dir two revoke anna",
        "--dir two crl",
        "--dir one apply fleet.toml",
    ];
    let before = machines.listed("one");
    let crl = || std::fs::read(place.path("two/authorities/issuing/crl.pem")).unwrap();
    let (deployed, signed) = (pair::in_folder(&place.path("one/issued/before.test"), &FILES).unwrap(), crl());
    server.fill_disk(true);
    for words in changes {
        let output = place.ca(words).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{words}: {output:?}");
        let is_clear =
            stderr.contains("no space left for the index postgresql://") && stderr.contains("fix: free some space");
        assert!(is_clear, "{words}: {stderr}");
    }
    assert_eq!(machines.listed("one"), before);
    assert_eq!(pair::in_folder(&place.path("one/issued/before.test"), &FILES).unwrap(), deployed);
    assert_eq!(crl(), signed, "a CRL that is not recorded is not published");
    for name in ["web.test", "n1.test", "n2.test", "n3.test"] {
        assert!(!place.path(format!("one/issued/{name}")).exists(), "{name}");
    }
    place.done("--dir one verify one/issued/before.test/fullchain.pem");
    server.fill_disk(false);
    for words in changes {
        place.done(words);
    }
    assert_eq!(machines.listed("one").len(), before.len() + 5);
    assert_ne!(crl(), signed);
    machines.check();
}
