//! `postgresql://…`: the place of an index in a PostgreSQL server, parsed strictly. What a URL cannot say here is refused, so that
//! no parameter of another program is silently without effect.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::text::{Diagnosis, Diagnostic, PathText, escape};

/// The schemes of the URL.
const SCHEMES: [&str; 2] = ["postgresql://", "postgres://"];
/// The port of a server (IANA).
const USUAL_PORT: u16 = 5432;
/// The schema of the tables when the URL names none.
pub const USUAL_SCHEMA: &str = "ca";
/// The longest identifier of PostgreSQL, in bytes.
const MOST_IDENTIFIER_BYTES: usize = 63;

/// The place of an index in a PostgreSQL server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresLocation {
    pub server: Server,
    pub port: u16,
    pub database: String,
    /// `None` for the name of the user who runs the program.
    pub user: Option<String>,
    pub tls: Tls,
    pub application_name: Option<String>,
    /// The schema that has the tables.
    pub schema: String,
    /// The file with the password, in the format of `.pgpass`; absolute.
    pub password_file: Option<PathBuf>,
}

/// How the server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Server {
    Host(String),
    /// The folder of a Unix socket.
    Socket(PathBuf),
}

/// Whether the connection is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// Without TLS: a Unix socket, or `sslmode=disable`.
    None,
    /// The server's certificate is verified, with its name.
    VerifyFull {
        /// The file with the roots; `None` for the roots of this CA.
        roots: Option<PathBuf>,
        /// The files with the certificate chain and the key of the client.
        identity: Option<(PathBuf, PathBuf)>,
    },
}

/// Why a text is not the place of an index in PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostgresLocationError {
    #[error("it has a password")]
    Password,
    #[error("'{0}://' begins neither a path nor a URL of an index")]
    Scheme(String),
    #[error("it names no database: write postgresql://HOST/DATABASE")]
    NoDatabase,
    #[error("it names no server: write postgresql://HOST/DATABASE, or ?host=/run/postgresql for a Unix socket")]
    NoServer,
    #[error("it names several servers")]
    SeveralServers,
    #[error("'{0}' is not a port: expected a number from 1 to 65535")]
    Port(String),
    #[error("'{0}' is not a percent-encoded text in UTF-8")]
    Encoding(String),
    #[error("it has the parameter '{0}', which is not known; known: {known}", known = PARAMETERS.join(", "))]
    Parameter(String),
    #[error("it has the parameter '{0}' twice")]
    Repeated(String),
    #[error("sslmode={0} does not verify the server: expected verify-full, or disable")]
    SslMode(String),
    #[error("{0} has no effect without TLS")]
    WithoutTls(String),
    #[error("sslcert and sslkey are given together, or not at all")]
    HalfIdentity,
    #[error("the schema '{0}' is not a name of letters, digits and '_' with at most 63 characters")]
    Schema(String),
}

const PARAMETERS: [&str; 8] =
    ["application_name", "host", "passfile", "schema", "sslcert", "sslkey", "sslmode", "sslrootcert"];

impl Diagnostic for PostgresLocationError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Password => Diagnosis::usage("bad-index-location").hint(
                "write the password into a file and name it with passfile=FILE or PGPASSFILE, or into the variable PGPASSWORD",
            ),
            Self::Scheme(_)
            | Self::NoDatabase
            | Self::NoServer
            | Self::SeveralServers
            | Self::Port(_)
            | Self::Encoding(_)
            | Self::Parameter(_)
            | Self::Repeated(_)
            | Self::SslMode(_)
            | Self::WithoutTls(_)
            | Self::HalfIdentity
            | Self::Schema(_) => Diagnosis::usage("bad-index-location")
                .hint("write a path, or postgresql://USER@HOST/DATABASE?PARAMETER=VALUE"),
        }
    }
}

impl PostgresLocation {
    /// Returns true when a setting is such a URL and not a path.
    pub fn is_url(setting: &str) -> bool {
        SCHEMES.iter().any(|scheme| setting.starts_with(scheme))
    }

    /// Checks that a setting which is not such a URL is not one of another scheme (RFC 3986 §3.1).
    ///
    /// # Errors
    /// When it is one.
    pub fn check_path(setting: &str) -> Result<(), PostgresLocationError> {
        let is_scheme = |text: &str| {
            text.starts_with(|first: char| first.is_ascii_alphabetic())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        };
        match setting.split_once("://") {
            Some((scheme, _)) if is_scheme(scheme) => Err(PostgresLocationError::Scheme(scheme.to_owned())),
            _ => Ok(()),
        }
    }

    /// Parses a URL. Relative paths in it begin at `folder`.
    ///
    /// # Errors
    /// When it is not complete, has a password, or says something that has no effect.
    pub fn parse(setting: &str, folder: &Path) -> Result<Self, PostgresLocationError> {
        let rest = SCHEMES.iter().find_map(|scheme| setting.strip_prefix(scheme)).unwrap_or(setting);
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        if user.is_some_and(|user| user.contains(':')) {
            return Err(PostgresLocationError::Password);
        }
        let mut parameters = Parameters::parse(query)?;
        let (host, port) = host_and_port(host)?;
        let server = match (host, parameters.take("host")) {
            (Some(_), Some(_)) => return Err(PostgresLocationError::SeveralServers),
            (None, Some(folder)) if folder.starts_with('/') => Server::Socket(folder.into()),
            (Some(host), None) | (None, Some(host)) if host.contains(',') => {
                drop(host);
                return Err(PostgresLocationError::SeveralServers);
            }
            (Some(host), None) | (None, Some(host)) => Server::Host(host),
            (None, None) => return Err(PostgresLocationError::NoServer),
        };
        let path = |text: String| folder.join(text);
        let tls = parameters.tls(&server, path)?;
        let schema = parameters.take("schema").unwrap_or_else(|| USUAL_SCHEMA.to_owned());
        if !is_identifier(&schema) {
            return Err(PostgresLocationError::Schema(schema));
        }
        let database = decoded(database)?;
        if database.is_empty() {
            return Err(PostgresLocationError::NoDatabase);
        }
        Ok(Self {
            server,
            port,
            database,
            user: user.filter(|user| !user.is_empty()).map(decoded).transpose()?,
            tls,
            application_name: parameters.take("application_name"),
            schema,
            password_file: parameters.take("passfile").map(path),
        })
    }
}

/// For messages: without the files.
impl fmt::Display for PostgresLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgresql://")?;
        if let Some(user) = &self.user {
            write!(f, "{}@", escape(user))?;
        }
        match &self.server {
            Server::Host(host) => write!(f, "{}", escape(host))?,
            Server::Socket(folder) => write!(f, "{}", folder.escaped())?,
        }
        write!(f, ":{}/{}, schema {}", self.port, escape(&self.database), self.schema)
    }
}

/// The parameters of a URL.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn parse(query: &str) -> Result<Self, PostgresLocationError> {
        let mut found: Vec<(String, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            if name == "password" {
                return Err(PostgresLocationError::Password);
            }
            if !PARAMETERS.contains(&name.as_str()) {
                return Err(PostgresLocationError::Parameter(name));
            }
            if found.iter().any(|(known, _)| *known == name) {
                return Err(PostgresLocationError::Repeated(name));
            }
            found.push((name, value));
        }
        Ok(Self(found))
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let position = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(position).1)
    }

    fn tls(&mut self, server: &Server, path: impl Fn(String) -> PathBuf) -> Result<Tls, PostgresLocationError> {
        let (mode, roots) = (self.take("sslmode"), self.take("sslrootcert"));
        let (certificate, key) = (self.take("sslcert"), self.take("sslkey"));
        let is_on = match (mode.as_deref(), server) {
            (Some("verify-full"), Server::Host(_)) | (None, Server::Host(_)) => true,
            (Some("verify-full"), Server::Socket(_)) => {
                return Err(PostgresLocationError::WithoutTls("sslmode=verify-full on a Unix socket".to_owned()));
            }
            (Some("disable"), _) | (None, Server::Socket(_)) => false,
            (Some(other), _) => return Err(PostgresLocationError::SslMode(other.to_owned())),
        };
        if !is_on {
            let given = [("sslrootcert", &roots), ("sslcert", &certificate), ("sslkey", &key)];
            let given = given.into_iter().find(|(_, value)| value.is_some());
            return match given {
                Some((name, _)) => Err(PostgresLocationError::WithoutTls(name.to_owned())),
                None => Ok(Tls::None),
            };
        }
        let identity = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((path(certificate), path(key))),
            (None, None) => None,
            _ => return Err(PostgresLocationError::HalfIdentity),
        };
        Ok(Tls::VerifyFull { roots: roots.map(path), identity })
    }
}

fn host_and_port(text: &str) -> Result<(Option<String>, u16), PostgresLocationError> {
    // An IPv6 address is in brackets (RFC 3986 §3.2.2).
    let (host, port) = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        Some(port) => {
            port.parse().ok().filter(|port| *port != 0).ok_or_else(|| PostgresLocationError::Port(port.to_owned()))?
        }
        None => USUAL_PORT,
    };
    let host = decoded(host)?;
    Ok(((!host.is_empty()).then_some(host), port))
}

fn is_identifier(name: &str) -> bool {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_lowercase() || c == '_');
    first
        && name.len() <= MOST_IDENTIFIER_BYTES
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Decodes percent-encoded text (RFC 3986 §2.1).
fn decoded(text: &str) -> Result<String, PostgresLocationError> {
    let wrong = || PostgresLocationError::Encoding(text.to_owned());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(wrong)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(setting: &str) -> Result<PostgresLocation, PostgresLocationError> {
        PostgresLocation::parse(setting, Path::new("/ca"))
    }

    #[test]
    fn a_url_names_server_database_and_files() {
        let found = parse(
            "postgresql://issuer@db.corp.test:6432/pki?schema=root_ca&sslrootcert=db.pem&sslcert=%2Fc.pem&sslkey=k",
        )
        .unwrap();
        assert_eq!((found.server, found.port), (Server::Host("db.corp.test".to_owned()), 6432));
        assert_eq!((found.database.as_str(), found.user.as_deref()), ("pki", Some("issuer")));
        assert_eq!(found.schema, "root_ca");
        let identity = Some((PathBuf::from("/c.pem"), PathBuf::from("/ca/k")));
        assert_eq!(found.tls, Tls::VerifyFull { roots: Some("/ca/db.pem".into()), identity });
    }

    #[test]
    fn a_socket_has_no_tls_and_a_host_has_it_unless_it_is_disabled() {
        let socket = parse("postgresql:///pki?host=/run/postgresql").unwrap();
        assert_eq!((socket.server, socket.tls), (Server::Socket("/run/postgresql".into()), Tls::None));
        assert_eq!(parse("postgres://[::1]/pki").unwrap().server, Server::Host("::1".to_owned()));
        assert_eq!(parse("postgres://h/pki").unwrap().tls, Tls::VerifyFull { roots: None, identity: None });
        assert_eq!(parse("postgres://h/pki?sslmode=disable").unwrap().tls, Tls::None);
    }

    #[test]
    fn a_url_of_another_scheme_is_not_taken_for_a_path() {
        for url in ["mysql://db/pki", "sqlite:///index.db", "PostgreSQL://db/pki", "https://db.test"] {
            assert!(matches!(PostgresLocation::check_path(url), Err(PostgresLocationError::Scheme(_))), "{url}");
        }
        for path in ["index.db", "../a b/index.db", "/srv/ca/index.db", "a:b", "1://x", "folder/x://y", "://"] {
            PostgresLocation::check_path(path).unwrap();
        }
    }

    #[test]
    fn what_is_incomplete_or_has_no_effect_is_refused() {
        use PostgresLocationError as E;
        for (setting, wanted) in [
            ("postgresql://a:secret@h/d", E::Password),
            ("postgresql://h/d?password=x", E::Password),
            ("postgresql://h", E::NoDatabase),
            ("postgresql:///d", E::NoServer),
            ("postgresql://h1,h2/d", E::SeveralServers),
            ("postgresql://h:0/d", E::Port("0".to_owned())),
            ("postgresql://h/d%zz", E::Encoding("d%zz".to_owned())),
            ("postgresql://h/d?sslmode=require", E::SslMode("require".to_owned())),
            ("postgresql://h/d?target_session_attrs=any", E::Parameter("target_session_attrs".to_owned())),
            ("postgresql://h/d?schema=a&schema=b", E::Repeated("schema".to_owned())),
            ("postgresql://h/d?sslcert=a", E::HalfIdentity),
            ("postgresql://h/d?sslmode=disable&sslrootcert=a", E::WithoutTls("sslrootcert".to_owned())),
            ("postgresql://h/d?schema=a;b", E::Schema("a;b".to_owned())),
        ] {
            assert_eq!(parse(setting), Err(wanted), "{setting}");
        }
    }
}
