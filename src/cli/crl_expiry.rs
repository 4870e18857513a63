//! The warning that a CRL of the CA directory expires soon. Servers and clients that check an expired CRL refuse every
//! certificate of its issuer, so every command warns while there is time to sign the next one.

use std::path::Path;

use time::OffsetDateTime;

use super::directory::ca_certificate_files;
use super::{Context, Failure};
use crate::store::ca_certificates::{CaCertificates, read_certificate};
use crate::store::config::Config;
use crate::store::home::Home;
use crate::store::index::{Index, RecordedList};
use crate::text::{distance, rfc3339};

/// Returns a sentence for every CRL of the CA directory with less than a third of its life left.
///
/// Errors are left out: the commands that they affect report them.
pub fn warnings(context: &Context<'_>) -> Vec<String> {
    let Ok(home) = context.home() else { return Vec::new() };
    overdue(&home, context.now()).unwrap_or_default()
}

fn overdue(home: &Home, now: OffsetDateTime) -> Result<Vec<String>, Failure> {
    let mut with_crl = ca_certificate_files(home)?;
    // A CA without a CRL needs neither its settings nor its index for this.
    with_crl.retain(|ca| home.crl_der(&ca.name).exists());
    if with_crl.is_empty() {
        return Ok(Vec::new());
    }
    let config = Config::load(home)?;
    let index = Index::open_to_read(&home.resolve(&config.index.location))?;
    let mut due = index.latest_lists()?;
    due.retain(|crl| {
        // An authority whose certificate has expired needs no CRL.
        crl.is_due(now) && with_crl.iter().any(|ca| ca.name == crl.authority && is_valid(&ca.path, now))
    });
    let usual = CaCertificates::of(home).choose(None, &config).unwrap_or_default();
    Ok(due.iter().map(|crl| sentence(crl, &usual, now)).collect())
}

fn is_valid(ca_certificate: &Path, now: OffsetDateTime) -> bool {
    read_certificate(ca_certificate).is_ok_and(|certificate| now <= certificate.validity.not_after)
}

fn sentence(crl: &RecordedList, usual: &str, now: OffsetDateTime) -> String {
    let (authority, end) = (&crl.authority, rfc3339(crl.next_update));
    let left = distance(crl.next_update - now);
    let command = if authority == usual {
        "ca crl --ensure".to_owned()
    } else {
        format!("ca crl --authority {authority} --ensure")
    };
    if crl.next_update > now {
        format!(
            "the revocation list of '{authority}' ends at {end}, in {left}; whoever checks it refuses every certificate of \
             '{authority}' from then on. Sign the next one: {command}"
        )
    } else {
        format!(
            "the revocation list of '{authority}' ended at {end}, {left} ago; whoever checks it refuses every certificate of \
             '{authority}'. Sign the next one: {command}"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use time::Duration;

    use crate::authority::revocation::publish_crl::Order;
    use crate::authority::testing::{Ca, NOW};
    use crate::cli::testing::Played;
    use crate::cli::{ExitStatus, run};

    fn said(ca: &Ca, after: Duration, words: &[&str]) -> (ExitStatus, String) {
        let folder = ca.home.folder().as_os_str().to_owned();
        let line = ["ca", "--dir"].map(OsString::from).into_iter().chain([folder]);
        let line: Vec<_> = line.chain(words.iter().map(OsString::from)).collect();
        let mut played = Played { now: Some(NOW + after), ..Played::default() };
        let status = played.with_world(|world| run(line, world));
        (status, played.stderr())
    }

    #[test]
    fn every_command_warns_of_a_list_that_runs_out() {
        let ca = Ca::new();
        assert_eq!(said(&ca, Duration::days(25), &["list"]).1, "", "there is no list yet");
        ca.publish(&Order::default()).unwrap();
        ca.publish(&Order { authority: Some("root".to_owned()), ..Order::default() }).unwrap();
        assert_eq!(said(&ca, Duration::days(20), &["list"]).1, "", "a third is left");
        for words in
            [&["list"][..], &["show", "root"], &["list", "--quiet"], &["list", "--json"], &["completions", "bash"]]
        {
            let (status, told) = said(&ca, Duration::days(25), words);
            assert_eq!(status, ExitStatus::Done);
            let lines: Vec<_> = told.lines().collect();
            assert_eq!(lines.len(), 2, "{words:?}: {told}");
            assert!(
                lines[0]
                    .starts_with("warning: the revocation list of 'issuing' ends at 2026-07-01T12:00:00Z, in 5 days;")
            );
            assert!(lines[0].ends_with("Sign the next one: ca crl --ensure"), "{told}");
            assert!(lines[1].ends_with("Sign the next one: ca crl --authority root --ensure"), "{told}");
        }
        let (_, told) = said(&ca, Duration::days(31), &["list"]);
        assert!(told.contains("ended at 2026-07-01T12:00:00Z, 1 day ago; whoever checks it refuses"), "{told}");

        // A command that fails warns too, but its JSON stays one document.
        let (status, told) = said(&ca, Duration::days(25), &["show", "nobody"]);
        assert!(status == ExitStatus::Usage && told.starts_with("error: ") && told.contains("warning: "), "{told}");
        let (_, told) = said(&ca, Duration::days(25), &["show", "nobody", "--json"]);
        assert!(serde_json::from_str::<serde_json::Value>(&told).is_ok(), "{told}");

        // The command that signs the next one has nothing to warn of any more.
        let (_, told) = said(&ca, Duration::days(25), &["crl", "--ensure"]);
        assert_eq!(told.lines().count(), 1, "{told}");
        // And an authority that has ended is past worrying about.
        assert_eq!(said(&ca, Duration::days(4000), &["list"]).1, "");
    }
}
