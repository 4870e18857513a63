//! NSS databases: `cert9.db` of Chromium and of Firefox profiles, by `certutil`.

use std::path::Path;

use super::plan::{Invocation, Step, Tool};
use super::presence::{Presence, Wanted};
use super::programs::Programs;
use super::roots::TrustRoot;
use crate::report::failure::Failure;
use crate::text::hex;

/// The trust attributes of a CA for TLS servers, and for nothing else.
const TRUSTED: &str = "C,,";

fn database(folder: &Path) -> String {
    format!("sql:{}", folder.to_string_lossy())
}

/// Returns the lines of `certutil -L`: nicknames and trust attributes.
fn nicknames(listed: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for line in listed.lines() {
        let line = line.trim_end();
        let Some((nickname, flags)) = line.rsplit_once(char::is_whitespace) else { continue };
        let is_flags = flags.matches(',').count() == 2 && flags.chars().all(|c| c == ',' || c.is_ascii_alphabetic());
        // The head of the table has the kinds of attributes with slashes.
        if is_flags && !nickname.trim().is_empty() {
            found.push((nickname.trim(), flags));
        }
    }
    found
}

/// A certificate as `certutil -L -n NICKNAME` describes it: every one with the same subject.
#[derive(Debug, Default, PartialEq, Eq)]
struct Described {
    /// SHA-256 in lower case.
    fingerprint: String,
    /// Whether it is trusted as the CA of TLS servers.
    is_trusted: bool,
}

fn described(text: &str) -> Vec<Described> {
    let mut found: Vec<Described> = Vec::new();
    let (mut is_fingerprint, mut is_for_tls) = (false, false);
    for line in text.lines().map(str::trim) {
        if is_fingerprint {
            let fingerprint = line.replace(':', "").to_lowercase();
            found.push(Described { fingerprint, is_trusted: false });
        }
        is_fingerprint = line == "Fingerprint (SHA-256):";
        if line.ends_with(" Flags:") {
            is_for_tls = line == "SSL Flags:";
        } else if is_for_tls
            && line == "Trusted CA"
            && let Some(last) = found.last_mut()
        {
            last.is_trusted = true;
        }
    }
    found
}

pub fn find(folder: &Path, roots: &[TrustRoot], programs: &Programs<'_>) -> Result<Vec<Presence>, Failure> {
    let database = database(folder);
    let list = programs.output(&Invocation::new(Tool::Certutil, ["-L", "-d", &database]))?;
    let listed = String::from_utf8_lossy(&list).into_owned();
    let mut found = vec![Presence::default(); roots.len()];
    let own: Vec<String> = roots.iter().map(TrustRoot::entry_name).collect();
    for (nickname, flags) in nicknames(&listed) {
        let of_own_name = own.iter().position(|name| name == nickname);
        // A profile may have hundreds of intermediates, and each is a call of certutil.
        if !flags.contains('C') && of_own_name.is_none() {
            continue;
        }
        let show = Invocation::new(Tool::Certutil, ["-L", "-d", &database, "-n", nickname]);
        // A nickname that cannot be shown is not one of this CA.
        let Ok(shown) = programs.output(&show) else { continue };
        let all = described(&String::from_utf8_lossy(&shown));
        for (at, root) in roots.iter().enumerate() {
            let fingerprint = hex(&root.certificate.fingerprint());
            let Some(this) = all.iter().find(|described| described.fingerprint == fingerprint) else { continue };
            found[at].is_trusted |= this.is_trusted;
            // Of several with one subject, only a name with the fingerprint says which one it is.
            if of_own_name == Some(at) || (of_own_name.is_none() && all.len() == 1) {
                found[at].entries.push(nickname.to_owned());
            }
        }
    }
    Ok(found)
}

pub fn install(folder: &Path, wanted: &Wanted<'_>) -> Vec<Step> {
    let database = database(folder);
    let step = |(_, root, presence): &(usize, &TrustRoot, &Presence)| match presence.entries.first() {
        // It is there, and not trusted for servers.
        Some(nickname) => {
            Step::Run(Invocation::new(Tool::Certutil, ["-M", "-d", &database, "-n", nickname, "-t", TRUSTED]))
        }
        None => {
            let (name, file) = (root.entry_name(), root.path.to_string_lossy());
            let add = ["-A", "-a", "-d", database.as_str(), "-n", &name, "-t", TRUSTED, "-i", &file];
            Step::Run(Invocation::new(Tool::Certutil, add))
        }
    };
    wanted.iter().map(step).collect()
}

pub fn uninstall(folder: &Path, wanted: &Wanted<'_>) -> Vec<Step> {
    let database = database(folder);
    let nicknames = wanted.iter().flat_map(|(.., presence)| &presence.entries);
    let remove = |name: &String| Step::Run(Invocation::new(Tool::Certutil, ["-D", "-d", &database, "-n", name]));
    nicknames.map(remove).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_certutil_is_read_with_every_kind_of_nickname() {
        let listed = "\nCertificate Nickname                                         Trust Attributes\n\
                      \x20                                                            SSL,S/MIME,JAR/XPI\n\n\
                      Corp Root CA (2)                                             C,,  \n\
                      plain                                                        ,,   \n\
                      two  spaces, and commas                                      CTu,Cu,Cu\n";
        let expected = [("Corp Root CA (2)", "C,,"), ("plain", ",,"), ("two  spaces, and commas", "CTu,Cu,Cu")];
        assert_eq!(nicknames(listed), expected);
    }

    #[test]
    fn certificates_of_one_subject_are_distinguished_by_their_fingerprints() {
        let text = "Certificate:\n    Data:\n        Subject: \"CN=Same\"\n    Fingerprint (SHA-256):\n        D4:11:0A\n    \
                    Fingerprint (SHA1):\n        47:F7\n\n    Mozilla-CA-Policy: false (attribute missing)\n    \
                    Certificate Trust Flags:\n        SSL Flags:\n        Email Flags:\n            Trusted CA\n\n\
                    Certificate:\n    Fingerprint (SHA-256):\n        DB:3A:62\n    Certificate Trust Flags:\n        \
                    SSL Flags:\n            Valid CA\n            Trusted CA\n        Email Flags:\n";
        let of = |fingerprint: &str, is_trusted| Described { fingerprint: fingerprint.to_owned(), is_trusted };
        assert_eq!(described(text), [of("d4110a", false), of("db3a62", true)]);
    }
}
