//! Tomcat, with a connector and a page.

use std::fs;

use super::{Exported, restart_script, restarted};
use crate::support::process::Server;
use crate::support::program::succeeded;
use crate::support::skip;

const HOME: &str = "/usr/share/tomcat10";

#[test]
fn tomcat_runs_with_the_lines_of_its_recipe() {
    if !skip::unless_installed(&["java", "catalina.sh"]) {
        return;
    }
    let exported = Exported::of("tomcat");
    let place = &exported.hierarchy.place;
    let folder = exported.folder("base");
    let mut make = exported.command("mkdir");
    make.args(["conf", "webapps", "temp", "logs", "work"]).current_dir(&folder);
    succeeded("mkdir", &make.output().unwrap());
    let passphrase = |store: &str| {
        let line = fs::read_to_string(place.path(format!("tomcat/{store}.p12.passphrase"))).unwrap();
        line.trim_end().to_owned()
    };
    let lines = exported.lines("server.xml");
    let lines = lines.replace("TRUSTSTORE-PASSPHRASE", &passphrase("truststore"));
    let lines = lines.replace("KEYSTORE-PASSPHRASE", &passphrase("keystore"));
    let server = Server::start("tomcat", place, |port| {
        let connector =
            format!("port=\"{port}\" address=\"127.0.0.1\" SSLEnabled=\"true\" scheme=\"https\" secure=\"true\"");
        let configuration = format!(
            "<Server port=\"-1\"><Service name=\"s\"><Connector {connector}>\n{lines}\n</Connector><Engine name=\"e\" \
             defaultHost=\"localhost\"><Host name=\"localhost\" appBase=\"webapps\"/></Engine></Service></Server>\n"
        );
        fs::write(folder.join("conf/server.xml"), configuration).unwrap();
        let mut command = exported.command("catalina.sh");
        command.arg("run");
        let mut command = restarted(place, &command);
        command.env("CATALINA_HOME", HOME).env("CATALINA_BASE", &folder);
        command
    });
    exported.check(&server, "", &[]);
    exported.check_hook(&server, "", &[("systemctl", restart_script(place, "tomcat10"))]);
}
