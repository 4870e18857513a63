//! A browser at the door: Chromium, without a window, calls `ca handshake-test --listen` with a client certificate that its user
//! imported with the lines of the recipe, and without one.
//!
//! A browser calls several times: it hangs up to have a certificate chosen, or only wanted to be quick. So it is received
//! with `--for`, and what counts is what it shows in the end.

use std::fs;

use super::programs::{export, lines};
use crate::support::hierarchy::Hierarchy;
use crate::support::process::{Background, talk, wait_for};
use crate::support::program::{Place, succeeded};
use crate::support::skip;

const KNOWN: &str = "this connection is mutually authenticated";

const WITHOUT: &str = ": FAILED, the client showed no certificate";

#[test]
fn a_browser_that_holds_a_client_certificate_is_let_in_and_one_that_holds_none_is_not() {
    if !skip::unless_installed(&["chromium", "certutil", "pk12util"]) {
        return;
    }
    let hierarchy = Hierarchy::of("ecdsa-p256");
    for tls in ["1.3", "1.2"] {
        let (page, notes) = visited(&hierarchy, tls, Some(("ca", "alice")), ": passed");
        assert!(page.contains(KNOWN), "TLS {tls}: {page}\n{notes}");
        assert!(notes.contains(&format!(": passed, TLS {tls}, CN=alice")), "TLS {tls}: {notes}");
        let (page, notes) = visited(&hierarchy, tls, None, WITHOUT);
        assert!(!page.contains(KNOWN), "TLS {tls}: {page}\n{notes}");
        assert!(!notes.contains(": passed"), "TLS {tls}: {notes}");
    }
}

/// The browser itself offers no certificate that has expired. That of another CA it offers, since the CA has the same name.
#[test]
fn a_browser_is_not_let_in_with_a_revoked_or_expired_certificate_or_one_of_another_ca() {
    if !skip::unless_installed(&["chromium", "certutil", "pk12util"]) {
        return;
    }
    let hierarchy = Hierarchy::of("ecdsa-p256");
    let place = &hierarchy.place;
    for words in ["issue client carol --for 2s", "issue client bob", "revoke bob", "crl --all"] {
        place.done(&format!("--dir ca {words}"));
    }
    wait_for("the end of carol", || place.done("--dir ca list --status expired").contains("carol").then_some(()));
    for (dir, name, reason) in
        [("ca", "bob", "revoked"), ("ca", "carol", WITHOUT), ("other", "alice", "a signature is invalid")]
    {
        let (page, notes) = visited(&hierarchy, "1.3", Some((dir, name)), reason);
        assert!(!page.contains(KNOWN), "{name} of {dir}: {page}\n{notes}");
        assert!(!notes.contains(": passed"), "{name} of {dir}: {notes}");
    }
}

/// What the browser shows, and what is said of its calls: `word` is part of it at the end. The certificate is one of a CA directory.
fn visited(hierarchy: &Hierarchy, tls: &str, certificate: Option<(&str, &str)>, word: &str) -> (String, String) {
    let place = &hierarchy.place;
    home(place, certificate);
    let host = format!("--dir ca handshake-test --listen 127.0.0.1:0 --server localhost --for 1h --tls {tls}");
    let host = Background::start("host", place, place.ca(&host));
    let port: u16 = wait_for("the port", || host.log().split_once("127.0.0.1:")?.1.split_once(' ')?.0.parse().ok());
    let mut browser = place.command("chromium");
    browser.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-breakpad"]);
    browser.arg(format!("--user-data-dir={}", place.path("profile").display()));
    browser.args(["--dump-dom", &format!("https://localhost:{port}/")]);
    let page = talk(place, browser, "");
    // It is told of each call when it is over.
    wait_for(word, || host.log().contains(word).then_some(()));
    (page, host.log())
}

/// A home with the root among the authorities and, if there is one, the certificate and key as their owner would import them; and a
/// profile that shows it without asking.
fn home(place: &Place, certificate: Option<(&str, &str)>) {
    for folder in [".pki", "profile"] {
        fs::remove_dir_all(place.path(folder)).ok();
    }
    fs::create_dir_all(place.path(".pki/nssdb")).unwrap();
    let run = |program: &str, words: &[&str]| {
        let mut command = place.command(program);
        succeeded(program, &command.args(words).output().unwrap());
    };
    let database = |words: &str| run("certutil", &words.split(' ').collect::<Vec<_>>());
    database("-N -d sql:.pki/nssdb --empty-password");
    if let Some((dir, name)) = certificate {
        let report = export(place, dir, name, "chromium", &format!("{dir}-{name}"));
        run("sh", &["-e", "-c", lines(&report, "shell of the user")]);
    }
    // The root of the recipe is that of the certificate, which need not be that of the server.
    if certificate.is_none_or(|(dir, _)| dir != "ca") {
        database("-A -d sql:.pki/nssdb -n root -t C,, -i ca/authorities/root/cert.pem");
    }
    let settings = r#"{"profile": {"content_settings": {"exceptions": {"auto_select_certificate":
        {"https://localhost,*": {"setting": {"filters": [{}]}}}}}}}"#;
    fs::create_dir_all(place.path("profile/Default")).unwrap();
    fs::write(place.path("profile/Default/Preferences"), settings).unwrap();
}
