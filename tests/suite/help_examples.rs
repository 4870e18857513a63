//! Every example of `ca help COMMAND` does what it says: each is run by a shell, in a CA directory of its own.

use ca::cli::command_line::CommandLine;
use ca::cli::help::examples::{ALL, Example};
use clap::CommandFactory;

use crate::support::program::Place;

/// What the examples find: a CA with certificates, and files as a user has them.
const PREPARE: &str = r#"
echo "correct horse battery staple" > ca.pass
echo "another horse battery staple" > backup.pass
chmod 600 ca.pass backup.pass
ca --dir other init --name "Other CA" --no-passphrase
cp other/authorities/root/cert.pem old-ca.pem
cp other/authorities/root/key.pem old-ca.key
cp other/authorities/root/cert.pem corp-root.pem
ca init --no-passphrase
printf '[[certificate]]\nname = "www.corp.test"\ntemplate = "server"\n' > fleet.toml
ca issue server www.corp.test
ca issue client anna
ca issue client laptop
cp ca/issued/www.corp.test/fullchain.pem ca/issued/www.corp.test/cert.pem .
ca roots > roots.pem
ca request router.corp.test --out router && mv router/request.pem router.csr
ca backup monday.age --passphrase-file backup.pass
"#;

/// What an example needs besides; `None`: it reaches for a host that does not exist, and is only parsed.
fn before(typed: &str) -> Option<&'static str> {
    Some(match typed {
        _ if typed.contains("--connect") => return None,
        // They would change what this machine trusts.
        _ if typed.starts_with("ca trust") => return None,
        _ if typed.starts_with("ca init") => "rm -r ca",
        _ if typed.contains(" import ") => {
            "rm -r ca && mkdir -p easy-rsa/pki/private easy-rsa/pki/issued demoCA/private && \
             cp old-ca.pem easy-rsa/pki/ca.crt && cp old-ca.key easy-rsa/pki/private/ca.key && touch easy-rsa/pki/index.txt && \
             cp old-ca.pem demoCA/cacert.pem && touch demoCA/index.txt && \
             openssl pkey -in old-ca.key -aes256 -passout file:ca.pass -out demoCA/private/cakey.pem"
        }
        _ if typed.starts_with("ca intermediate install") => {
            "ca intermediate request branch --no-passphrase && \
             ca --dir other sign ca/authorities/branch/request.pem --template intermediate --name branch --out signed && \
             cp signed/cert.pem branch.pem"
        }
        "ca renew issuing" | "ca rekey issuing --dry-run" => "ca issue intermediate issuing --issuer root",
        _ if typed.starts_with("ca root rotate status") => "ca root rotate start",
        _ if typed.starts_with("ca root rotate finish") => {
            "rm -r ca && ca init --no-passphrase && ca root rotate start"
        }
        _ if typed.starts_with("ca issue") => "rm -r ca && ca init --no-passphrase",
        _ if typed.starts_with("ca apply") && typed.contains("--plan") => "ca apply fleet.toml",
        _ if typed.starts_with("ca rollback") => "ca renew www.corp.test",
        _ => "true",
    })
}

/// Runs a line in a shell, and returns its exit status and everything that it wrote.
fn shell(line: &str, place: &Place) -> (Option<i32>, String) {
    let output = place.command("sh").args(["-ec", line]).output().unwrap();
    let written = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&written).into_owned())
}

#[test]
fn every_example_of_the_help_does_what_it_says() {
    let prepared = Place::in_memory();
    let (status, written) = shell(PREPARE, &prepared);
    assert_eq!(status, Some(0), "{written}");
    let mut problems = Vec::new();
    for Example { typed, .. } in ALL.iter().flat_map(|(_, examples)| *examples) {
        let Some(before) = before(typed) else {
            let read = CommandLine::command().try_get_matches_from(typed.split(' '));
            assert!(read.is_ok(), "{typed}: {read:?}");
            continue;
        };
        let place = Place::in_memory();
        let line = format!("cp -a '{}'/. .\n{before}\n", prepared.path("").display());
        let (status, written) = shell(&line, &place);
        assert_eq!(status, Some(0), "{typed}: {written}");
        let (status, written) = shell(typed, &place);
        let asks = !typed.contains("pass") && typed.starts_with("ca init");
        let is_right = match asks {
            // There is no terminal here.
            true => status == Some(2) && written.contains("a passphrase is required"),
            false => status == Some(0),
        };
        if !is_right {
            problems.push(format!("{typed}: exit status {status:?}\n{written}"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
