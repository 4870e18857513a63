//! strongSwan: a gateway and a client in namespaces of their own, with a cable between them. Their IKE security associations are childless
//! (RFC 6023), so that the kernel needs no IPsec.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;

use super::{Exported, export, namespace};
use crate::support::process::{Background, wait_for};
use crate::support::program::{Place, succeeded};
use crate::support::skip;

/// The plugins that IKEv2 with certificates needs, without those that look for servers.
const SETTINGS: &str = "charon {
    load = pem x509 pubkey revocation constraints openssl pkcs8 nonce random drbg kernel-netlink socket-default vici kdf hmac aes sha2
    install_routes = no
    filelog { stderr { default = 1
    } }
}
swanctl { load = pem x509 pubkey openssl pkcs8 random
}
";

#[test]
fn strongswan_runs_with_the_lines_of_its_recipe_and_reads_a_new_crl_with_its_hook() {
    if !skip::unless_installed(&["charon", "swanctl", "libstrongswan-openssl.so", "unshare", "nsenter", "ip"]) {
        return;
    }
    let exported = Exported::of("strongswan");
    let place = &exported.hierarchy.place;
    if !namespace::unless_permitted(place) {
        return;
    }
    fs::write(place.path("strongswan.conf"), SETTINGS).unwrap();
    let [gateway, client] = ["gateway", "client"].map(|name| Host::start(place, name));
    gateway.join(&client);
    gateway.load("strongswan", &sides(&exported.report), "local_addrs = 10.9.0.1", "");

    let connect = |folder: &str, sides: &str, secrets: &str| {
        client.load(folder, sides, "remote_addrs = 10.9.0.1", secrets);
        client.swanctl(folder, "--initiate --ike vpn --timeout 10")
    };
    let refused = |folder: &str, sides: &str, secrets: &str, reason: &str| {
        let output = connect(folder, sides, secrets);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success() && said.contains("AUTHENTICATION_FAILED"), "{folder}: {said}");
        let log = gateway.charon.log();
        assert!(log.contains(reason), "{folder}: {reason}: {log}");
    };
    let of_client = |dir: &str, name: &str| {
        let folder = format!("{dir}-{name}");
        let report = export(place, dir, name, "strongswan", &folder);
        (folder, sides(&report).replace("VPN.EXAMPLE", "localhost"))
    };

    place.done("--dir other crl --all");
    let (other, sides) = of_client("other", "alice");
    // It trusts our gateway: only its own certificate is of the other CA.
    for (from, to) in [("x509ca/root.pem", "x509ca/ours.pem"), ("x509crl/issuing.pem", "x509crl/ours.pem")] {
        fs::copy(place.path("strongswan").join(from), place.path(&other).join(to)).unwrap();
    }
    refused(&other, &sides, "", "no issuer certificate found for \"CN=alice\"");
    fs::create_dir(place.path("none")).unwrap();
    let with_passphrase = "local {\nauth = psk\nid = mallory\n}\nremote {\nid = localhost\n}";
    refused("none", with_passphrase, "ike {\nsecret = sesame\n}", "no shared key found");
    let (bob, sides) = of_client("ca", "bob");
    refused(&bob, &sides, "", "certificate was revoked");
    let (carol, sides) = of_client("ca", "carol");
    exported.wait_for_carol();
    refused(&carol, &sides, "", "subject certificate invalid");

    let (alice, sides) = of_client("ca", "alice");
    succeeded("alice", &connect(&alice, &sides, ""));
    let associations = succeeded("--list-sas", &gateway.swanctl("strongswan", "--list-sas"));
    for word in ["ESTABLISHED", "'localhost'", "'CN=alice'"] {
        assert!(associations.contains(word), "{word}: {associations}");
    }
    succeeded("--terminate", &client.swanctl(&alice, "--terminate --ike vpn"));

    for words in ["revoke alice --reason superseded", "crl"] {
        place.done(&format!("--dir ca {words}"));
    }
    let report = export(place, "ca", "localhost", "strongswan", "strongswan");
    let hook = report["reload_command"].as_str().unwrap().strip_prefix("swanctl ").unwrap();
    succeeded(hook, &gateway.swanctl("strongswan", hook));
    refused(&alice, &sides, "", "reason: superseded");
}

/// The lines of the two sides of a connection.
fn sides(report: &Value) -> String {
    let parts = report["configuration"].as_array().unwrap().iter();
    parts.map(|part| part["lines"].as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

struct Host<'a> {
    place: &'a Place,
    charon: Background,
}

impl<'a> Host<'a> {
    fn start(place: &'a Place, name: &str) -> Self {
        let host = Self { place, charon: namespace::start(name, place, &["charon"], &[], &environment(place, "")) };
        wait_for(name, || host.swanctl("", "--stats").status.success().then_some(()));
        host
    }

    /// Connects both: this one is 10.9.0.1, the other 10.9.0.2.
    fn join(&self, other: &Self) {
        let id = other.charon.id();
        for (host, words) in [
            (self, format!("link add cable type veth peer name cable netns {id}")),
            (self, "address add 10.9.0.1/24 dev cable".to_owned()),
            (other, "address add 10.9.0.2/24 dev cable".to_owned()),
            (self, "link set cable up".to_owned()),
            (other, "link set cable up".to_owned()),
        ] {
            let mut command = namespace::inside(&host.charon, self.place, "ip");
            succeeded(&words, &command.args(words.split(' ')).output().unwrap());
        }
    }

    /// Takes the connection `vpn` with these sides, and the credentials of the folder, in place of all others.
    fn load(&self, folder: &str, sides: &str, address: &str, secrets: &str) {
        let connection = format!("vpn {{\nversion = 2\nchildless = force\n{address}\n{sides}\n}}");
        let whole = format!("connections {{\n{connection}\n}}\nsecrets {{\n{secrets}\n}}\n");
        fs::write(self.place.path(folder).join("swanctl.conf"), whole).unwrap();
        succeeded("--load-all", &self.swanctl(folder, "--load-all --clear"));
    }

    fn swanctl(&self, folder: &str, words: &str) -> Output {
        let mut command = namespace::inside(&self.charon, self.place, "swanctl");
        command.args(words.split(' ')).envs(environment(self.place, folder)).output().unwrap()
    }
}

fn environment(place: &Place, folder: &str) -> [(&'static str, PathBuf); 2] {
    [("STRONGSWAN_CONF", place.path("strongswan.conf")), ("SWANCTL_DIR", place.path(folder))]
}
