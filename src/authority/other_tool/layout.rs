//! Where each tool has its files. Several paths are tried; the first one that exists counts.

use crate::authority::other_tool::openssl_conf::CaPlaces;
use crate::authority::other_tool::tool::Tool;

/// The paths of a tool, relative to its folder.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The certificate of the CA that issues, and its private key.
    pub certificate: Vec<String>,
    pub key: Vec<String>,
    /// The private key of the root above it; empty for a tool that makes only a root.
    pub root_key: Vec<String>,
    /// `index.txt` of `openssl ca`.
    pub index: Vec<String>,
    /// The file with the number of the next CRL.
    pub crl_number: Vec<String>,
    /// The SQLite database of cfssl.
    pub database: Vec<String>,
    /// The folder into which the tool moves revoked certificates.
    pub revoked: Option<String>,
    /// A folder in which nothing is read.
    pub skipped: Option<String>,
}

/// Returns the paths of a tool; `has` says whether a relative path exists. `places` are the settings of `openssl ca`.
pub fn of(tool: Tool, has: &dyn Fn(&str) -> bool, places: &CaPlaces) -> Layout {
    let base = match tool {
        Tool::OpenSsl if has("demoCA") => "demoCA/",
        Tool::EasyRsa if has("pki") => "pki/",
        Tool::Step if has(".step/certs") => ".step/",
        _ => "",
    };
    let below = |names: &[&str]| names.iter().map(|name| format!("{base}{name}")).collect::<Vec<_>>();
    match tool {
        Tool::OpenSsl => {
            // `dir` in the settings is relative to the folder in which openssl runs: this one, or the one above it.
            let set = |place: &Option<String>| -> Vec<String> {
                let Some(place) = place else { return Vec::new() };
                let place = place.strip_prefix("./").unwrap_or(place);
                let inner = place.split_once('/').map(|(_, inner)| inner.to_owned());
                [Some(place.to_owned()), inner].into_iter().flatten().collect()
            };
            let first = |place: &Option<String>, usual: Vec<String>| [set(place), usual].concat();
            let certificates = [
                "cacert.pem",
                "certs/ca.cert.pem",
                "certs/intermediate.cert.pem",
                "certs/cacert.pem",
                "certs/ca.crt",
                "ca.crt",
                "ca.pem",
                "ca-cert.pem",
                "ca.cert.pem",
                "cacert.crt",
            ];
            let keys = [
                "private/cakey.pem",
                "private/ca.key.pem",
                "private/intermediate.key.pem",
                "private/ca.key",
                "cakey.pem",
                "ca.key",
                "ca-key.pem",
                "ca.key.pem",
            ];
            Layout {
                certificate: first(&places.certificate, below(&certificates)),
                key: first(&places.private_key, below(&keys)),
                index: first(&places.database, below(&["index.txt"])),
                crl_number: first(&places.crl_number, below(&["crlnumber"])),
                ..Layout::default()
            }
        }
        Tool::EasyRsa => Layout {
            certificate: below(&["ca.crt"]),
            key: below(&["private/ca.key"]),
            index: below(&["index.txt"]),
            crl_number: below(&["crlnumber"]),
            revoked: Some(format!("{base}revoked")),
            ..Layout::default()
        },
        Tool::Cfssl => Layout {
            certificate: below(&["ca.pem", "intermediate.pem", "root.pem"]),
            key: below(&["ca-key.pem", "intermediate-key.pem", "root-key.pem"]),
            database: below(&["certs.db", "certstore_development.db", "cfssl.db"]),
            ..Layout::default()
        },
        Tool::Step => Layout {
            certificate: below(&["certs/intermediate_ca.crt", "certs/root_ca.crt"]),
            key: match has(&format!("{base}certs/intermediate_ca.crt")) {
                true => below(&["secrets/intermediate_ca_key"]),
                false => below(&["secrets/root_ca_key"]),
            },
            root_key: below(&["secrets/root_ca_key"]),
            skipped: Some(format!("{base}db")),
            ..Layout::default()
        },
        Tool::Mkcert => {
            Layout { certificate: below(&["rootCA.pem"]), key: below(&["rootCA-key.pem"]), ..Layout::default() }
        }
        // The second names are those of the program that Debian calls minica.
        Tool::Minica => Layout {
            certificate: below(&["minica.pem", "cacert.crt"]),
            key: below(&["minica-key.pem", "cakey.key"]),
            ..Layout::default()
        },
        Tool::XcaPem => Layout::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_of_openssl_come_before_the_usual_places() {
        let places = CaPlaces {
            certificate: Some("./own/ca-root.pem".to_owned()),
            database: Some("./own/db/index".to_owned()),
            ..CaPlaces::default()
        };
        let layout = of(Tool::OpenSsl, &|_| false, &places);
        assert_eq!(layout.certificate[..3], ["own/ca-root.pem", "ca-root.pem", "cacert.pem"]);
        assert_eq!(layout.index, ["own/db/index", "db/index", "index.txt"]);
        assert_eq!(layout.key[0], "private/cakey.pem");
    }

    #[test]
    fn the_folder_in_a_folder_is_found() {
        let layout = |tool, folder: &'static str| of(tool, &move |name| name == folder, &CaPlaces::default());
        assert_eq!(layout(Tool::OpenSsl, "demoCA").index, ["demoCA/index.txt"]);
        assert_eq!(layout(Tool::EasyRsa, "pki").certificate, ["pki/ca.crt"]);
        assert_eq!(layout(Tool::EasyRsa, "issued").certificate, ["ca.crt"]);
        assert_eq!(layout(Tool::Step, ".step/certs").root_key, [".step/secrets/root_ca_key"]);
        assert_eq!(layout(Tool::Step, "certs/intermediate_ca.crt").key, ["secrets/intermediate_ca_key"]);
        assert_eq!(layout(Tool::Step, "certs").key, ["secrets/root_ca_key"]);
    }
}
