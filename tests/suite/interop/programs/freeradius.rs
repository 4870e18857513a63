//! FreeRADIUS with EAP-TLS, which a client of WPA uses.

use std::fs;

use super::{Exported, restart_script, restarted};
use crate::support::hierarchy::Credential;
use crate::support::process::{Server, wait_for};
use crate::support::program::succeeded;
use crate::support::{repository, skip};

/// The client of WPA does not begin EAP-TLS without a certificate, and the server offers no other method. So this case has a client of its
/// own.
#[test]
fn freeradius_runs_with_the_lines_of_its_recipe() {
    if !skip::unless_installed(&["freeradius", "eapol_test", "python3"]) || !skip::unless_root() {
        return;
    }
    let exported = Exported::of("freeradius");
    let place = &exported.hierarchy.place;
    let folder = exported.folder("raddb");
    let server = Server::start("freeradius", place, |port| {
        let top = folder.display();
        let (lines, more) = (exported.lines("without ca_path"), exported.lines("in the same section"));
        // RADIUS is spoken over UDP; the listener for TCP shows that the server has started.
        let configuration = format!(
            "libdir = /usr/lib/freeradius\nrun_dir = {top}\nlogdir = {top}\nsecurity {{\n reject_delay = 0\n}}\n\
             client localhost {{\n ipaddr = 127.0.0.1\n secret = secret\n}}\n\
             modules {{\n eap {{\n default_eap_type = tls\n tls-config tls-common {{\n{lines}\n{more}\n }}\n\
             tls {{\n tls = tls-common\n }}\n }}\n}}\n\
             server default {{\n listen {{\n type = auth\n ipaddr = 127.0.0.1\n port = {port}\n }}\n\
             listen {{\n type = auth\n proto = tcp\n ipaddr = 127.0.0.1\n port = {port}\n }}\n\
             authorize {{\n eap\n }}\n authenticate {{\n eap\n }}\n}}\n"
        );
        fs::write(folder.join("radiusd.conf"), configuration).unwrap();
        let mut command = exported.command("freeradius");
        command.args(["-f", "-l", "stdout", "-n", "radiusd", "-d"]).arg(&folder);
        restarted(place, &command)
    });
    let ask = |user: &str, credential: &Credential| ask(&exported, server.port, user, credential);
    for method in ["TTLS", "PEAP"] {
        assert!(
            ask_by(method, "password=\"x\"", &exported, server.port, "alice").is_none(),
            "{method}: {}",
            server.log()
        );
    }
    let own_client = |credential: Option<&Credential>| {
        let mut python = place.command("python3");
        python.arg(repository().join("tests/interop/eap_tls.py")).arg(server.port.to_string());
        python.arg(&exported.hierarchy.root);
        python.args(credential.iter().flat_map(|credential| [&credential.fullchain, &credential.key]));
        succeeded("the client", &python.output().unwrap())
    };
    assert_eq!(own_client(Some(&exported.hierarchy.client)), "accepted\n", "{}", server.log());
    assert!(own_client(None).ends_with("rejected\n"), "{}", server.log());
    for (client, credential) in exported.clients() {
        let Some(credential) = credential else { continue };
        let user = match client {
            "expired" => "carol",
            "revoked" => "bob",
            _ => "alice",
        };
        assert_eq!(ask(user, &credential).is_some(), client == "alice", "{client}: {}", server.log());
    }
    assert!(ask("mallory", &exported.hierarchy.client).is_none(), "{}", server.log());
    for cause in ["certificate revoked", "certificate has expired", "unable to get local issuer certificate"] {
        wait_for(cause, || server.log().contains(cause).then_some(()));
    }
    let serves_issued_certificate = || {
        // The lines of both files have different lengths.
        let joined = |pem: String| pem.split_whitespace().collect::<String>();
        let issued = joined(fs::read_to_string(&exported.hierarchy.server.cert).unwrap());
        ask("alice", &exported.hierarchy.client).is_some_and(|chain| joined(chain).contains(&issued))
    };
    place.done("--dir ca renew localhost --no-hook");
    assert!(!serves_issued_certificate(), "without the hook: {}", server.log());
    exported.renew_with_hook(&[("systemctl", restart_script(place, "freeradius"))]);
    wait_for("the new certificate", || serves_issued_certificate().then_some(()));
}

/// The certificates that the server sent to a user whom it accepted.
fn ask(exported: &Exported, port: u16, user: &str, credential: &Credential) -> Option<String> {
    let (own, key) = (credential.fullchain.display(), credential.key.display());
    ask_by("TLS", &format!("client_cert=\"{own}\"\n private_key=\"{key}\""), exported, port, user)
}

/// The same by a method of EAP; `own` are the settings of the user.
fn ask_by(method: &str, own: &str, exported: &Exported, port: u16, user: &str) -> Option<String> {
    let (place, root) = (&exported.hierarchy.place, exported.hierarchy.root.display());
    let network = format!(
        "network={{\n key_mgmt=IEEE8021X\n eap={method}\n identity=\"{user}\"\n ca_cert=\"{root}\"\n {own}\n}}\n"
    );
    fs::write(place.path("network"), network).unwrap();
    let seen = place.path("seen");
    let mut command = place.command("eapol_test");
    command.args(["-c", "network", "-a", "127.0.0.1", "-s", "secret", "-t", "5", "-p", &port.to_string(), "-o"]);
    let output = command.arg(&seen).output().unwrap();
    output.status.success().then(|| fs::read_to_string(&seen).unwrap())
}
