//! A browser at the door: Chromium, without a window, calls `ca handshake-test --listen` with a client certificate that its user
//! imported, and without one.
//!
//! A browser calls several times: it hangs up to have a certificate chosen, or only wanted to be quick. So it is received
//! with `--for`, and what counts is what it shows in the end.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use crate::support::hierarchy::Hierarchy;
use crate::support::process::{self, talk};
use crate::support::program::{Place, kill_group, succeeded};
use crate::support::skip;

const KNOWN: &str = "this connection is mutually authenticated";

#[test]
fn a_browser_that_holds_a_client_certificate_is_let_in_and_one_that_holds_none_is_not() {
    if !skip::unless_installed(&["chromium", "certutil", "pk12util", "openssl"]) {
        return;
    }
    let hierarchy = Hierarchy::of("ecdsa-p256");
    for tls in ["1.3", "1.2"] {
        let (page, notes) = visited(&hierarchy, tls, true);
        assert!(page.contains(KNOWN), "TLS {tls}: {page}\n{notes}");
        assert!(notes.contains(&format!(": passed, TLS {tls}, CN=alice")), "TLS {tls}: {notes}");
        let (page, notes) = visited(&hierarchy, tls, false);
        assert!(!page.contains(KNOWN), "TLS {tls}: {page}\n{notes}");
        assert!(notes.contains(": FAILED, the client showed no certificate"), "TLS {tls}: {notes}");
        assert!(!notes.contains(": passed"), "TLS {tls}: {notes}");
    }
}

/// What the browser shows, and what is said of its calls.
fn visited(hierarchy: &Hierarchy, tls: &str, has_certificate: bool) -> (String, String) {
    let place = &hierarchy.place;
    home(place, has_certificate);
    let said = place.path("said");
    let mut host =
        place.ca(&format!("--dir ca handshake-test --listen 127.0.0.1:0 --server localhost --for 1h --tls {tls}"));
    host.stdout(Stdio::null()).stderr(fs::File::create(&said).unwrap()).process_group(0);
    let mut host = host.spawn().unwrap();
    let notes = || fs::read_to_string(&said).unwrap();
    let port: u16 =
        process::wait_for("the port", || notes().split_once("127.0.0.1:")?.1.split_once(' ')?.0.parse().ok());
    let mut browser = place.command("chromium");
    browser.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-breakpad"]);
    browser.arg(format!("--user-data-dir={}", place.path("profile").display()));
    browser.args(["--dump-dom", &format!("https://localhost:{port}/")]);
    let page = talk(place, browser, "");
    // It is told of each call when it is over.
    process::wait_for("a word on the last call", || {
        let wanted = if has_certificate { ": passed" } else { "showed no certificate" };
        notes().contains(wanted).then_some(())
    });
    kill_group(host.id());
    host.wait().unwrap();
    (page, notes())
}

/// A home with the root among the authorities and, if it is wanted, alice's certificate and key as she would import them; and
/// a profile that shows it without asking her.
fn home(place: &Place, has_certificate: bool) {
    for folder in [".pki", "profile"] {
        fs::remove_dir_all(place.path(folder)).ok();
    }
    fs::create_dir_all(place.path(".pki/nssdb")).unwrap();
    let run = |program: &str, words: &str| {
        let mut command = place.command(program);
        succeeded(program, &command.args(words.split(' ')).output().unwrap());
    };
    run("certutil", "-N -d sql:.pki/nssdb --empty-password");
    run("certutil", "-A -d sql:.pki/nssdb -n root -t C,, -i ca/authorities/root/cert.pem");
    if has_certificate {
        let files = "-in ca/issued/alice/fullchain.pem -inkey ca/issued/alice/key.pem -out alice.p12";
        run("openssl", &format!("pkcs12 -export -name alice -passout pass:imported {files}"));
        run("pk12util", "-i alice.p12 -d sql:.pki/nssdb -W imported");
    }
    let settings = r#"{"profile": {"content_settings": {"exceptions": {"auto_select_certificate":
        {"https://localhost,*": {"setting": {"filters": [{}]}}}}}}}"#;
    fs::create_dir_all(place.path("profile/Default")).unwrap();
    fs::write(place.path("profile/Default/Preferences"), settings).unwrap();
}
