//! What a connection to a server needs beside its location: the user, the password and TLS. None of it is in ca.toml.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls_pki_types::PrivateKeyDer;

use crate::store::certificate_files::CERTIFICATE;
use crate::store::home::Home;
pub use crate::store::index::database::postgres::Credentials;
use crate::store::index::database::postgres::{MOST_CONNECTING, tls};
use crate::store::index::error::IndexError;
use crate::store::index::password_file::password_for;
use crate::store::index::postgres_location::{PostgresLocation, Tls};
use crate::system::World;
use crate::system::files::{self, FileError};
use crate::text::PathText;
use crate::x509::{certificate_file, pem};

/// What the environment says of a server, in the variables of libpq.
#[derive(Clone, Default)]
pub struct ServerVariables {
    /// `PGUSER`, else `USER` or `LOGNAME`: the user of the server when the URL names none. `None` when none of them is set.
    user: Option<String>,
    /// `PGPASSWORD`; `None` when it is not set.
    password: Option<String>,
    /// `PGPASSFILE`, or `.pgpass` in the home folder.
    password_file: Option<PathBuf>,
    /// How long a connection may take; `None` for the usual time.
    patience: Option<Duration>,
}

impl ServerVariables {
    /// Returns them for a program that does not wait longer than this for a connection.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience: Some(patience), ..self }
    }

    /// Reads them.
    pub fn of(world: &World) -> Self {
        let text = |name: &str| world.variable(name).and_then(|value| value.to_str()).map(str::to_owned);
        let path = |name: &str| world.variable(name).map(|path| world.resolve(Path::new(path)));
        Self {
            user: ["PGUSER", "USER", "LOGNAME"].into_iter().find_map(text),
            password: text("PGPASSWORD"),
            password_file: path("PGPASSFILE").or_else(|| path("HOME").map(|home| home.join(".pgpass"))),
            patience: None,
        }
    }
}

/// Without the password.
impl fmt::Debug for ServerVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerVariables").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Reads what a connection needs. Without `sslrootcert`, the roots are those of the CA directory `home`.
///
/// # Errors
/// When the user is not known, a file cannot be read, or other users can read the password or the key.
pub fn credentials(
    location: &PostgresLocation,
    variables: &ServerVariables,
    home: &Home,
) -> Result<Credentials, IndexError> {
    let Some(user) = location.user.as_ref().or(variables.user.as_ref()).cloned() else {
        return Err(unusable(location, "neither its URL nor the variable PGUSER names a user"));
    };
    let password = match &variables.password {
        Some(password) => Some(password.clone()),
        None => password_in_file(location, variables, &user)?,
    };
    let tls = match &location.tls {
        Tls::None => None,
        Tls::VerifyFull { roots, identity } => {
            let roots = match roots {
                Some(file) => certificates(file)?,
                None => own_roots(home)?,
            };
            let identity = identity.as_ref().map(|(chain, key)| -> Result<_, IndexError> {
                check_secret(key, location)?;
                Ok((certificates(chain)?, key_of(key)?))
            });
            let configuration = tls::configuration(roots, identity.transpose()?);
            Some(configuration.map_err(|error| unusable(location, &error.to_string()))?)
        }
    };
    Ok(Credentials { user, password, tls, patience: variables.patience.unwrap_or(MOST_CONNECTING) })
}

/// Returns the certificates of the CA directory that sign themselves.
fn own_roots(home: &Home) -> Result<Vec<Vec<u8>>, IndexError> {
    let mut roots = Vec::new();
    for name in files::names_in(&home.authorities())? {
        let file = CERTIFICATE.path_in(&home.authority(&name));
        let Some(content) = files::read_if_exists(&file, files::MAX_SMALL_FILE_BYTES)? else { continue };
        let found = certificate_file::parse(&content).map_err(unreadable(&file))?;
        roots.extend(found.iter().filter(|root| root.is_self_issued()).map(|root| root.as_der().to_vec()));
    }
    Ok(roots)
}

fn password_in_file(
    location: &PostgresLocation,
    variables: &ServerVariables,
    user: &str,
) -> Result<Option<String>, IndexError> {
    let Some(file) = location.password_file.as_ref().or(variables.password_file.as_ref()) else { return Ok(None) };
    let Some(content) = files::read_if_exists(file, files::MAX_SMALL_FILE_BYTES)? else { return Ok(None) };
    check_secret(file, location)?;
    Ok(password_for(&String::from_utf8_lossy(&content), location, user))
}

fn check_secret(file: &Path, location: &PostgresLocation) -> Result<(), IndexError> {
    let mode = files::mode(file)?;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(unusable(location, &format!("other users can read {}, its mode is {mode:04o}", file.escaped())))
}

fn certificates(file: &Path) -> Result<Vec<Vec<u8>>, IndexError> {
    let content = files::read(file, files::MAX_SMALL_FILE_BYTES)?;
    let found = certificate_file::parse(&content).map_err(unreadable(file))?;
    if found.is_empty() {
        return Err(unreadable(file)("it contains no certificate"));
    }
    Ok(found.iter().map(|certificate| certificate.as_der().to_vec()).collect())
}

fn key_of(file: &Path) -> Result<PrivateKeyDer<'static>, IndexError> {
    let content = files::read(file, files::MAX_SMALL_FILE_BYTES)?;
    let blocks = pem::parse_all(&content).map_err(unreadable(file))?;
    let key = blocks.iter().find_map(|block| match block.label.as_str() {
        "PRIVATE KEY" => Some(PrivateKeyDer::Pkcs8(block.content.to_vec().into())),
        "EC PRIVATE KEY" => Some(PrivateKeyDer::Sec1(block.content.to_vec().into())),
        "RSA PRIVATE KEY" => Some(PrivateKeyDer::Pkcs1(block.content.to_vec().into())),
        _ => None,
    });
    key.ok_or_else(|| unreadable(file)("it contains no unencrypted key"))
}

/// Converts the reason why a file is of no use.
fn unreadable<R: fmt::Display>(file: &Path) -> impl Fn(R) -> IndexError {
    move |reason| FileError::of("read", file)(std::io::Error::other(reason.to_string())).into()
}

fn unusable(location: &PostgresLocation, reason: &str) -> IndexError {
    IndexError::Unsafe { path: PathBuf::from(location.to_string()), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_not_taken_for_one_without_content() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, content).unwrap();
            path
        };
        let damaged = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        let error = certificates(&file("damaged.pem", damaged)).unwrap_err().to_string();
        assert!(error.contains("damaged.pem") && !error.contains("no certificate"), "{error}");
        let error = certificates(&file("empty.pem", "\n")).unwrap_err().to_string();
        assert!(error.ends_with("it contains no certificate"), "{error}");
        let cut = "-----BEGIN PRIVATE KEY-----\nMAA=\n";
        let error = key_of(&file("key.pem", cut)).unwrap_err().to_string();
        assert!(error.contains("key.pem") && !error.contains("no unencrypted key"), "{error}");
        file("ca/authorities/root/cert.pem", damaged);
        let error = own_roots(&Home::at(folder.path().join("ca"))).unwrap_err().to_string();
        assert!(error.contains("authorities/root/cert.pem"), "{error}");
    }
}
