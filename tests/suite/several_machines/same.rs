//! The same index in a file and in a server: does every question have the same answer, and every constraint the same effect?

use super::Machines;
use crate::support::postgres::PostgresServer;
use crate::support::program::{Place, succeeded};

#[test]
fn every_question_has_the_same_answer_in_a_file_and_in_a_server() {
    let Some(server) = PostgresServer::start() else { return };
    let place = Place::new();
    place.done("--dir file init --intermediate --no-passphrase");
    for words in [
        "issue server web.test --san web.corp.test --san 10.0.0.1 --hook true",
        "issue server db.test",
        "issue client anna",
        "renew web.test --no-hook",
        "revoke anna --reason keyCompromise --crl",
    ] {
        place.done(&format!("--dir file {words}"));
    }
    succeeded("cp", &place.command("cp").args(["-a", "file", "server"]).output().unwrap());
    place.done(&format!("--dir server index copy --to {}", server.url("postgres")));
    let answer = |folder: &str, words: &str| {
        let output = place.ca(&format!("--dir {folder} {words}")).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).replace("/server/", "/file/").replace("server/", "file/");
        (output.status.code(), text)
    };
    for words in [
        "list --all --json",
        "list --all --format csv",
        "list --san WEB.corp.test --json",
        "list --san 10.0.0.1",
        "list --expiring 1000d",
        "list --status revoked",
        "list --key file/issued/db.test/cert.pem",
        "list --covers web.corp.test --json",
        "show WEB.test --json",
        "show Web.Test",
        "history WEB.TEST",
        "log --json",
        "tree",
        "due --within 1000d",
        "audit head --json",
    ] {
        let (of_file, of_server) = (answer("file", words), answer("server", words));
        assert!(matches!(of_file.0, Some(0 | 1)), "{words}: {of_file:?}");
        assert_eq!(of_file, of_server, "{words}");
    }
    for words in ["issue server WEB.test", "issue server db.test --hook true --force", "show nothing.test"] {
        assert_eq!(answer("file", words).0, answer("server", words).0, "{words}");
    }
    for folder in ["file", "server"] {
        place.done(&format!("--dir {folder} audit"));
    }
}

#[test]
fn a_statement_or_a_commit_that_fails_leaves_neither_a_record_nor_a_file() {
    let Some(machines) = Machines::start() else { return };
    let Machines { place, server } = &machines;
    server.sql(
        "CREATE FUNCTION ca.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused by a test'; END $$",
    );
    let before = machines.listed("one");
    std::fs::write(
        place.path("fleet.toml"),
        "[[certificate]]\ntemplate = \"server\"\nname = \"n{{ n }}.test\"\ncount = 3\n",
    )
    .unwrap();
    for (table, trigger) in [
        ("event", "CREATE TRIGGER refused BEFORE INSERT ON ca.event FOR EACH ROW"),
        (
            "san",
            "CREATE TRIGGER refused BEFORE INSERT ON ca.san FOR EACH ROW WHEN (NEW.value IN ('web.test', 'n2.test'))",
        ),
        // The statements succeed, and COMMIT fails.
        (
            "certificate",
            "CREATE CONSTRAINT TRIGGER refused AFTER INSERT ON ca.certificate DEFERRABLE INITIALLY DEFERRED FOR EACH ROW",
        ),
    ] {
        server.sql(&format!("{trigger} EXECUTE FUNCTION ca.refuse()"));
        for words in ["issue server web.test", "apply fleet.toml"] {
            let output = place.ca(&format!("--dir one {words}")).output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(3), "{table}: {stderr}");
            assert!(stderr.contains("refused by a test"), "{table}: {stderr}");
        }
        assert_eq!(machines.listed("one"), before, "{table}");
        for name in ["web.test", "n1.test", "n2.test", "n3.test"] {
            assert!(!place.path(format!("one/issued/{name}")).exists(), "{table}: {name}");
        }
        server.sql(&format!("DROP TRIGGER refused ON ca.{table}"));
    }
    let columns = "serial, issuer, der, name, template, authority, subject, sans, key_fingerprint, fingerprint,
                   not_before, not_after, issued_at, origin";
    let twice = format!("INSERT INTO ca.certificate ({columns}) SELECT {columns} FROM ca.certificate LIMIT 1");
    let refused = server.psql("postgres", &twice);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("certificate_serial_issuer_key"), "{refused:?}");
    server.sql("DROP FUNCTION ca.refuse()");
    place.done("--dir one issue server web.test");
    machines.check();
}
