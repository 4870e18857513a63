//! Commands on two machines at once and one after the other, and the way back to a file.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Machines, said};
use crate::support::pair::{self, FILES};

#[test]
fn two_machines_issue_renew_revoke_and_sign_crls_at_once() {
    let Some(machines) = Machines::start() else { return };
    let count = if std::env::var_os("CA_TEST_EVERY_MACHINE").is_some() { 40 } else { 6 };
    for number in 0..2 {
        machines.place.done(&format!("--dir one issue server renewed-{number}.test"));
        machines.place.done(&format!("--dir two issue server revoked-{number}.test"));
    }
    let before = machines.listed("one");
    assert_eq!(before, machines.listed("two"));
    let issues = (0..2 * count).map(|number| {
        let machine = ["one", "two"][number % 2];
        format!("--dir {machine} issue server host-{number}.test --json")
    });
    let mut lines: Vec<String> = issues.collect();
    lines.extend((0..2).map(|number| format!("--dir one renew renewed-{number}.test --json")));
    lines.extend((0..2).map(|number| format!("--dir two revoke revoked-{number}.test --json")));
    lines.extend(["one", "two", "one", "two"].map(|machine| format!("--dir {machine} crl --json")));
    lines.extend(["one", "two"].map(|machine| format!("--dir {machine} list --json")));
    let outputs = machines.at_once(lines.clone());
    let (mut serials, mut crls) = (BTreeSet::new(), BTreeSet::new());
    for (line, output) in lines.iter().zip(&outputs) {
        let said = said(output);
        if line.contains(" issue ") || line.contains(" renew ") {
            assert!(
                serials.insert(said["serial"].as_str().unwrap().to_owned()),
                "{line}: a serial number was given twice"
            );
        } else if line.contains(" crl ") {
            assert!(crls.insert(said["number"].as_u64().unwrap()), "{line}: a CRL number was given twice");
        }
    }
    assert_eq!((serials.len(), crls.len()), (2 * count + 2, 4));
    assert!(serials.is_disjoint(&before));
    assert_eq!(machines.listed("one"), &before | &serials);
    assert_eq!(machines.listed("two"), &before | &serials);
    for number in 0..2 * count {
        let folder = format!("{}/issued/host-{number}.test", ["one", "two"][number % 2]);
        assert!(serials.contains(&pair::in_folder(&machines.place.path(folder), &FILES).unwrap()));
    }
    machines.check();
}

#[test]
fn of_machines_that_issue_for_one_name_at_once_one_succeeds() {
    let Some(machines) = Machines::start() else { return };
    for round in 0..3 {
        let name = format!("same-{round}.test");
        let lines = ["one", "two", "one", "two"].map(|machine| format!("--dir {machine} issue server {name}"));
        let outputs = machines.at_once(lines);
        let codes: Vec<_> = outputs.iter().map(|output| output.status.code().unwrap()).collect();
        assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1, "{codes:?}");
        let recorded = format!("SELECT count(*) FROM ca.certificate WHERE name = '{name}' COLLATE \"C\"");
        assert_eq!(machines.server.sql(&recorded).trim(), "1");
    }
    machines.check();
}

#[test]
fn what_is_issued_on_one_machine_is_revoked_and_renewed_on_another_and_moved_back() {
    let Some(machines) = Machines::start() else { return };
    let place = &machines.place;
    place.done("--dir one issue server web.test");
    place.done("--dir two revoke web.test --crl");
    let verified = place.ca("--dir one verify one/issued/web.test/fullchain.pem").output().unwrap();
    assert_eq!(verified.status.code(), Some(1), "the revocation of the other machine counts");
    let due = |machine: &str| {
        let output = place.ca(&format!("--dir {machine} due --within 1000d --json")).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(
        due("one").contains("before.test") && !due("two").contains("before.test"),
        "its files are on the first machine"
    );
    place.done("--dir two status");
    place.done("--dir two apply --plan /dev/null");
    let head = |machine: &str| -> Value {
        serde_json::from_str(&place.done(&format!("--dir {machine} index show --json"))).unwrap()
    };
    let shared = head("one");
    assert_eq!(shared["shared"], true);
    assert_eq!(shared, head("two"));
    // A backup has the index as a file, and so has the CA that is restored.
    std::fs::write(place.path("word"), "a passphrase for the backup\n").unwrap();
    place.done("--dir two backup backup.age --passphrase-file word");
    place.done("restore backup.age restored --passphrase-file word");
    let restored = head("restored");
    assert_eq!((&restored["certificate_count"], &restored["shared"]), (&shared["certificate_count"], &false.into()));
    assert_eq!(machines.listed("restored"), machines.listed("one"));
    place.done("--dir one index copy --to back.db");
    let moved = head("one");
    assert_eq!((&moved["head"], &moved["shared"]), (&shared["head"], &false.into()));
    assert_eq!(moved["certificate_count"], shared["certificate_count"]);
    place.done("--dir one issue server after.test");
    // The newest CRL is on the other machine.
    place.done("--dir one crl");
    place.done("--dir one audit");
    let other = place.ca("--dir two issue server lost.test").output().unwrap();
    assert_eq!(other.status.code(), Some(3), "{}", String::from_utf8_lossy(&other.stderr));
    assert!(String::from_utf8_lossy(&other.stderr).contains("moved"), "a machine that was forgotten writes nothing");
}

#[test]
fn manifests_are_applied_on_two_machines_at_once_and_a_crl_is_signed_only_when_it_would_be_another() {
    let Some(machines) = Machines::start() else { return };
    let place = &machines.place;
    for machine in ["one", "two"] {
        let names = format!("name = \"{machine}-{{{{ n }}}}.test\"\ncount = 20\n");
        std::fs::write(
            place.path(format!("{machine}.toml")),
            format!("[[certificate]]\ntemplate = \"server\"\n{names}"),
        )
        .unwrap();
    }
    let before = machines.listed("one").len();
    for output in machines.at_once(["one", "two"].map(|machine| format!("--dir {machine} apply {machine}.toml --json")))
    {
        said(&output);
    }
    assert_eq!(machines.listed("two").len(), before + 40);
    for machine in ["one", "two"] {
        place.done(&format!("--dir {machine} apply {machine}.toml --plan"));
    }
    let ensured = || -> Value { serde_json::from_str(&place.done("--dir one crl --ensure --json")).unwrap() };
    let outcomes = [None, Some("one-1.test"), None, Some("two-1.test"), None].map(|revoked| {
        if let Some(name) = revoked {
            place.done(&format!("--dir two revoke {name}"));
        }
        let crl = ensured();
        (crl["outcome"].as_str().unwrap().to_owned(), crl["revoked_count"].as_u64().unwrap())
    });
    let outcomes = outcomes.each_ref().map(|(outcome, count)| (outcome.as_str(), *count));
    assert_eq!(outcomes, [("unchanged", 0), ("signed", 1), ("unchanged", 1), ("signed", 2), ("unchanged", 2)]);
    machines.check();
}
