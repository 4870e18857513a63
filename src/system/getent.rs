//! The name service of the system, asked with its own program. The C library would load the extensions of the service
//! (nsswitch.conf) as shared libraries, which can crash in a statically linked program: docs/decisions/0007.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// Where systems have `getent`. PATH is not searched: it is the caller's, and the answer decides who owns a key file.
const PLACES: [&str; 3] = ["/usr/bin/getent", "/bin/getent", "/run/current-system/sw/bin/getent"];
/// The exit status of `getent` for an unknown name.
const NOT_FOUND: i32 = 2;

/// Returns the lines of a database (getent(1)) about a name; empty when the name is unknown.
///
/// The environment of `getent` is empty: the variable of `--passphrase-env` stays in this process.
///
/// # Errors
/// When there is no `getent`, or it does not have the database.
pub fn ask(database: &str, name: &str) -> io::Result<String> {
    // No entry has such a name, and `getent` would take it for an option.
    if name.is_empty() || name.starts_with('-') {
        return Ok(String::new());
    }
    let Some(program) = PLACES.iter().map(Path::new).find(|place| place.exists()) else {
        return Err(io::Error::new(io::ErrorKind::NotFound, "getent is not installed"));
    };
    let asked =
        Command::new(program).env_clear().args([database, name]).stdin(Stdio::null()).stderr(Stdio::null()).output()?;
    match asked.status.code() {
        Some(0) => Ok(String::from_utf8_lossy(&asked.stdout).into_owned()),
        Some(NOT_FOUND) => Ok(String::new()),
        _ => Err(io::Error::other("getent does not answer")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_name_has_lines_an_unknown_one_has_none_and_a_missing_database_is_an_error() {
        // Without getent there is nothing to test.
        let Ok(message) = ask("passwd", "root") else { return };
        assert!(message.starts_with("root:"), "{message}");
        for name in ["nobody-of-this-name", "", "--help"] {
            assert_eq!(ask("passwd", name).unwrap(), "");
        }
        assert!(ask("no-such-database", "root").is_err());
    }
}
