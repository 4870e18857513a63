//! Roles with the least rights.

use super::Machines;

#[test]
fn a_role_that_issues_removes_no_record_and_a_role_that_reads_changes_nothing() {
    let Some(machines) = Machines::start() else { return };
    let Machines { place, server } = &machines;
    server.sql("CREATE ROLE ca_issuer LOGIN; CREATE ROLE ca_reader LOGIN");
    let sql = place.done("--dir one index grants --role ca_issuer");
    server.sql(&sql);
    server.sql(&place.done("--dir one index grants --role ca_reader --read-only"));
    let as_role = |machine: &str, role: &str| {
        let settings = place.path(format!("{machine}/ca.toml"));
        let text = std::fs::read_to_string(&settings).unwrap();
        std::fs::write(settings, text.replace("postgres@", &format!("{role}@"))).unwrap();
    };
    as_role("one", "ca_issuer");
    as_role("two", "ca_reader");
    for words in [
        "issue server web.test --hook true",
        "renew web.test",
        "rekey web.test",
        "rollback web.test",
        "renew web.test --no-hook --mode 0640",
        "export web.test --as der --out web.der",
        "issue client anna",
        "revoke anna --reason certificateHold --crl",
        "revoke anna --reason release",
        "crl --all --bundle crls.pem --hook true",
        "crl --all --forget-bundle crls.pem",
        "renew --due --within 1000d --no-hook",
        "status",
        "audit",
    ] {
        let output = place.ca(&format!("--dir one {words}")).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!error.contains("permission denied") && !error.contains("[index"), "{words}: {error}");
        assert!(matches!(output.status.code(), Some(0 | 1)), "{words}: {error}");
    }
    let removed = place.ca("--dir one renew web.test").args(["--hook", ""]).output().unwrap();
    assert!(removed.status.success(), "the row of a hook is removed: {removed:?}");
    for record in ["certificate", "san", "revocation", "revocation_list", "rollback", "event", "export"] {
        for change in [format!("DELETE FROM ca.{record}"), format!("TRUNCATE ca.{record}")] {
            let refused = server.psql("ca_issuer", &change);
            assert!(String::from_utf8_lossy(&refused.stderr).contains("permission denied"), "{change}");
        }
    }
    for change in ["UPDATE ca.event SET head = ''", "UPDATE ca.certificate SET der = ''", "DROP TABLE ca.san"] {
        assert!(!server.psql("ca_issuer", change).status.success(), "{change}");
    }
    for words in ["list", "show web.test", "history web.test", "status", "due", "audit", "log", "tree", "index show"] {
        place.done(&format!("--dir two {words}"));
    }
    for words in ["issue server other.test", "revoke web.test --all", "crl", "rekey web.test"] {
        let output = place.ca(&format!("--dir two {words}")).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{words}: {error}");
        assert!(error.contains("permission denied"), "{words}: {error}");
    }
    machines.check();
}
