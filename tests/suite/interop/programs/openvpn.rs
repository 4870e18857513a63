//! OpenVPN: a server and its clients, with a tunnel in a network namespace. A server that refuses a client says so in its log: over UDP the
//! client learns nothing.

use std::fs;
use std::path::Path;

use super::{Exported, export, lines, namespace};
use crate::support::process::{Background, wait_for};
use crate::support::program::Place;
use crate::support::skip;

#[test]
fn openvpn_runs_with_the_lines_of_its_recipe_and_reads_a_new_crl_for_each_client() {
    if !skip::unless_installed(&["openvpn", "unshare", "nsenter", "ip"]) {
        return;
    }
    if !Path::new("/dev/net/tun").exists() {
        skip::because("no /dev/net/tun");
        return;
    }
    let exported = Exported::of("openvpn");
    let place = &exported.hierarchy.place;
    if !namespace::unless_permitted(place) {
        return;
    }
    let own = "dev tun\ntopology subnet\nserver 10.8.0.0 255.255.255.0\nverb 3\n";
    let lines = exported.lines("configuration of the server");
    fs::write(place.path("server.conf"), format!("{lines}\n{own}")).unwrap();
    let server = namespace::start("server", place, &["openvpn", "--config", "server.conf"], &[], &[]);
    wait_for("the server", || server.log().contains("Initialization Sequence Completed").then_some(()));

    let alice = profile(place, "ca", "alice");
    refused(place, &server, "none", &without_certificate(place, &alice), "peer did not return a certificate");
    // It trusts our server: only its own certificate is of the other CA.
    let of_other_ca = profile(place, "other", "alice");
    let other = of_other_ca.replace(between(&of_other_ca, "ca"), between(&alice, "ca"));
    refused(place, &server, "other", &other, "unable to get local issuer certificate");
    refused(place, &server, "bob", &profile(place, "ca", "bob"), "error=certificate revoked: CN=bob");
    let carol = profile(place, "ca", "carol");
    exported.wait_for_carol();
    refused(place, &server, "carol", &carol, "error=certificate has expired: CN=carol");
    assert!(!server.log().contains("Peer Connection Initiated"), "{}", server.log());

    let client = connect(place, &server, "alice", &alice);
    wait_for("the tunnel", || client.log().contains("Initialization Sequence Completed").then_some(()));
    assert!(server.log().contains("[alice] Peer Connection Initiated"), "{}", server.log());
    drop(client);

    for words in ["revoke alice", "crl"] {
        place.done(&format!("--dir ca {words}"));
    }
    export(place, "ca", "localhost", "openvpn", "openvpn");
    refused(place, &server, "again", &alice, "error=certificate revoked: CN=alice");
}

/// The profile of a client: the lines that are shown, with the name of the server, and the file.
fn profile(place: &Place, dir: &str, name: &str) -> String {
    let folder = format!("{dir}-{name}");
    let report = export(place, dir, name, "openvpn", &folder);
    let lines = lines(&report, "client.ovpn").replace("VPN.EXAMPLE", "localhost");
    format!("{lines}\n{}", fs::read_to_string(place.path(folder).join("client.ovpn")).unwrap())
}

/// The content of a block of a profile.
fn between<'a>(profile: &'a str, block: &str) -> &'a str {
    let (_, rest) = profile.split_once(&format!("<{block}>")).unwrap();
    rest.split_once(&format!("</{block}>")).unwrap().0
}

/// A client must have a certificate, or else the name and passphrase of a user.
fn without_certificate(place: &Place, profile: &str) -> String {
    let user = place.path("user");
    fs::write(&user, "mallory\nsesame\n").unwrap();
    let without = ["cert", "key"].iter().fold(profile.to_owned(), |profile, block| {
        profile.replace(&format!("<{block}>{}</{block}>", between(&profile, block)), "")
    });
    format!("auth-user-pass {}\n{without}", user.display())
}

fn connect(place: &Place, server: &Background, name: &str, profile: &str) -> Background {
    fs::write(place.path(format!("{name}.conf")), profile).unwrap();
    let mut client = namespace::inside(server, place, "openvpn");
    client.arg("--config").arg(place.path(format!("{name}.conf")));
    Background::start(&format!("client-{name}"), place, client)
}

/// Connects with a profile, and waits until the server says why it refuses the client.
fn refused(place: &Place, server: &Background, name: &str, profile: &str, reason: &str) {
    let client = connect(place, server, name, profile);
    wait_for(&format!("{name}: {reason}"), || server.log().contains(reason).then_some(()));
    assert!(!client.log().contains("Initialization Sequence Completed"), "{name}: {}", client.log());
}
