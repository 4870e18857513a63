//! The tools whose folders are read, and the files by which a folder is recognised.

use std::fmt;
use std::str::FromStr;

/// A CA tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// `openssl ca`, and CAs of its demoCA.
    OpenSsl,
    EasyRsa,
    Cfssl,
    /// `step ca` and `step certificate`.
    Step,
    Mkcert,
    Minica,
    /// A folder of PEM files, as XCA exports them.
    XcaPem,
}

impl Tool {
    pub const ALL: [Self; 7] =
        [Self::OpenSsl, Self::EasyRsa, Self::Cfssl, Self::Step, Self::Mkcert, Self::Minica, Self::XcaPem];

    /// Returns the name for `--from` and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenSsl => "openssl",
            Self::EasyRsa => "easy-rsa",
            Self::Cfssl => "cfssl",
            Self::Step => "step",
            Self::Mkcert => "mkcert",
            Self::Minica => "minica",
            Self::XcaPem => "xca-pem",
        }
    }

    /// Returns the tools whose files a folder has; `has` says whether a relative path exists. A folder of PEM files without the
    /// marks of a tool is not recognised.
    pub fn recognise(has: &dyn Fn(&str) -> bool) -> Vec<Self> {
        let either = |first: &str, second: &str| has(first) || has(second);
        let below = |base: &str, name: &str| has(&format!("{base}{name}"));
        let is_easy_rsa = |base: &str| {
            let has_issued = below(base, "issued") || below(base, "certs_by_serial");
            below(base, "ca.crt") && below(base, "private") && has_issued
        };
        let is_step = |base: &str| {
            let certificate = below(base, "certs/intermediate_ca.crt") || below(base, "certs/root_ca.crt");
            certificate && below(base, "secrets")
        };
        let easy_rsa = is_easy_rsa("pki/") || is_easy_rsa("");
        let has_database = either("certs.db", "certstore_development.db");
        let has_index = either("index.txt", "demoCA/index.txt");
        let has_authority = either("newcerts", "demoCA/newcerts") || either("private", "demoCA/private");
        let openssl = !easy_rsa && (has_index || has_authority && either("openssl.cnf", "demoCA/cacert.pem"));
        let cfssl = !openssl && (has_database || has("ca-config.json") || has("ca.pem") && has("ca-key.pem"));
        let found = [
            (Self::OpenSsl, openssl),
            (Self::EasyRsa, easy_rsa),
            (Self::Cfssl, cfssl),
            (Self::Step, is_step("") || is_step(".step/")),
            (Self::Mkcert, has("rootCA.pem")),
            (Self::Minica, has("minica.pem") || (has("cacert.crt") && has("cakey.key"))),
        ];
        found.into_iter().filter(|(_, is_found)| *is_found).map(|(tool, _)| tool).collect()
    }

    /// Returns what no file of the tool records: a code, and a sentence.
    pub fn unknown(self) -> (&'static str, &'static str) {
        match self {
            Self::OpenSsl | Self::EasyRsa => (
                "not-recorded",
                "a certificate that was signed without 'openssl ca' (such as with 'openssl x509 -req') is in no record: its \
                 file revokes it: ca revoke FILE",
            ),
            Self::Cfssl => (
                "not-recorded",
                "cfssl records only what it signs with a database ('-db-config'). 'ca revoke FILE' revokes another \
                 certificate",
            ),
            Self::Step => (
                "no-record",
                "step-ca records its certificates and revocations in the folder 'db', whose format (Badger) cannot be read \
                 here. Certificates found as files are recorded. To revoke another one: ca revoke FILE",
            ),
            Self::Mkcert => (
                "no-record",
                "mkcert records neither certificates nor revocations. To revoke a certificate: ca revoke FILE",
            ),
            Self::Minica => (
                "no-record",
                "minica has no record of certificates outside of this folder, and no revocations. To revoke one: ca revoke FILE",
            ),
            Self::XcaPem => (
                "no-record",
                "only what was exported is known: a certificate or revocation that exists only in the database of XCA is not",
            ),
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Tool {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|tool| tool.name() == given);
        known.ok_or_else(|| format!("expected {}", Self::ALL.map(Self::name).join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recognised(files: &[&str]) -> Vec<Tool> {
        let has = |wanted: &str| files.iter().any(|file| *file == wanted || file.starts_with(&format!("{wanted}/")));
        Tool::recognise(&has)
    }

    #[test]
    fn a_folder_is_recognised_by_the_files_of_its_tool() {
        for (files, tool) in [
            (&["cacert.pem", "private/cakey.pem", "index.txt", "newcerts/01.pem"][..], Tool::OpenSsl),
            (&["openssl.cnf", "demoCA/cacert.pem", "demoCA/private/cakey.pem", "demoCA/index.txt"], Tool::OpenSsl),
            (&["pki/ca.crt", "pki/private/ca.key", "pki/issued/a.crt", "pki/index.txt"], Tool::EasyRsa),
            (&["ca.crt", "private/ca.key", "certs_by_serial/01.pem", "index.txt"], Tool::EasyRsa),
            (&["ca.pem", "ca-key.pem", "certs.db"], Tool::Cfssl),
            (&["ca.pem", "ca-key.pem", "ca.csr"], Tool::Cfssl),
            (&["certs/root_ca.crt", "certs/intermediate_ca.crt", "secrets/intermediate_ca_key"], Tool::Step),
            (&[".step/certs/root_ca.crt", ".step/secrets/root_ca_key"], Tool::Step),
            (&["rootCA.pem", "rootCA-key.pem"], Tool::Mkcert),
            (&["minica.pem", "minica-key.pem", "a.test/cert.pem"], Tool::Minica),
            (&["cacert.crt", "cakey.key", "a.test.crt", "a.test.key"], Tool::Minica),
        ] {
            assert_eq!(recognised(files), [tool], "{files:?}");
        }
        assert_eq!(recognised(&["some.pem", "other.crt"]), []);
        assert_eq!(recognised(&["rootCA.pem", "minica.pem"]), [Tool::Mkcert, Tool::Minica]);
    }

    #[test]
    fn every_tool_has_one_name() {
        for tool in Tool::ALL {
            assert_eq!(tool.name().parse(), Ok(tool));
        }
        assert!("xca".parse::<Tool>().unwrap_err().contains("xca-pem"));
    }
}
