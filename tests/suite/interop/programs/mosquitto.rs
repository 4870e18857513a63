//! Mosquitto, a server of MQTT.

use std::fs;

use super::Exported;
use crate::support::process::Server;
use crate::support::skip;

#[test]
fn mosquitto_runs_with_the_lines_of_its_recipe() {
    if !skip::unless_installed(&["mosquitto"]) {
        return;
    }
    let exported = Exported::of("mosquitto");
    let place = &exported.hierarchy.place;
    let server = Server::start("mosquitto", place, |port| {
        let lines = exported.lines("mosquitto.conf").replace("listener 8883", &format!("listener {port} 127.0.0.1"));
        fs::write(place.path("mosquitto.conf"), format!("{lines}\n")).unwrap();
        let mut command = exported.command("mosquitto");
        command.arg("-c").arg(place.path("mosquitto.conf"));
        command
    });
    exported.check(&server, "--protocol none", &[]);
    if skip::unless_installed(&["mosquitto_pub"]) {
        exported.check_client("mosquitto_pub", server.port, "");
    }
    // Other tests run this program too: only the one of this test gets the signal.
    let pkill = format!("test \"$*\" = '-HUP -x mosquitto' && kill -HUP {}", server.id());
    exported.check_hook(&server, "", &[("pkill", pkill)]);
}
