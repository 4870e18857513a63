//! The lines of docs/guide/clients.md, which call servers with the files of a user.

use std::fs;

use super::Exported;
use crate::support::hierarchy::Credential;
use crate::support::process::talk;
use crate::support::repository;

/// What the clients that speak no protocol of their own send.
const REQUEST: &str = "GET / HTTP/1.0\r\n\r\n";

impl Exported {
    /// The line for a client shows alice `answer` of the server on this port, and not a client of another CA.
    pub(super) fn check_client(&self, client: &str, port: u16, answer: &str) {
        for (credential, is_good) in [(&self.hierarchy.client, true), (&self.hierarchy.stranger, false)] {
            let said = self.called(client, port, credential);
            let is_answered = said.contains(answer) && said.ends_with("status 0\n");
            assert_eq!(is_answered, is_good, "{client}: {said}");
        }
    }

    /// Runs the line for a client with the files of a user; what it says, and its exit status.
    fn called(&self, client: &str, port: u16, credential: &Credential) -> String {
        let place = &self.hierarchy.place;
        let page = fs::read_to_string(repository().join("docs/guide/clients.md")).unwrap();
        let is_line = |line: &&str| line.contains("HOST") && line.split(' ').any(|word| word == client);
        let line = page.lines().find(is_line).unwrap_or_else(|| panic!("no line for {client}"));
        let folder = place.path("user");
        fs::create_dir_all(&folder).unwrap();
        let files = [
            (&credential.cert, "cert.pem"),
            (&credential.chain, "chain.pem"),
            (&credential.fullchain, "fullchain.pem"),
            (&credential.key, "key.pem"),
            (&self.hierarchy.root, "roots.pem"),
        ];
        for (from, to) in files {
            fs::copy(from, folder.join(to)).unwrap();
        }
        // The clients of OpenLDAP replace 'localhost' by the name of the machine.
        let host = if client == "ldapwhoami" { "127.0.0.1" } else { "localhost" };
        let mut text = line.replace("HOST", host).replace("-u anna", "-u alice");
        for usual in ["443", "6379", "8883", "3306", "636", "2379"] {
            for before in [&format!("{host}:"), "-p ", "-P "] {
                text = text.replace(&format!("{before}{usual}"), &format!("{before}{port}"));
            }
        }
        let mut command = place.command("sh");
        command.args(["-c", &format!("{text}; status=$?; echo; echo status $status")]).current_dir(folder);
        talk(place, command, REQUEST)
    }
}
