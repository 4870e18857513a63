//! What the system's name service knows, asked with its own program. The C library would load what extends the service
//! (nsswitch.conf) as shared libraries, and in a program that is linked statically they can crash: docs/decisions/0007.

use std::io;
use std::process::{Command, Stdio};

/// How `getent` says that there is no such name.
const NOT_FOUND: i32 = 2;

/// The lines of a database (getent(1)) that are about a name; none when it does not know it.
///
/// # Errors
/// When there is no `getent`, or it does not know the database.
pub fn ask(database: &str, name: &str) -> io::Result<String> {
    // Nobody is called so, and it would be taken for an option.
    if name.is_empty() || name.starts_with('-') {
        return Ok(String::new());
    }
    let asked = Command::new("getent").args([database, name]).stdin(Stdio::null()).stderr(Stdio::null()).output()?;
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
    fn what_is_known_is_told_what_is_not_is_nothing_and_no_database_is_an_error() {
        // Where there is no getent, there is nothing to test.
        let Ok(told) = ask("passwd", "root") else { return };
        assert!(told.starts_with("root:"), "{told}");
        for name in ["nobody-of-this-name", "", "--help"] {
            assert_eq!(ask("passwd", name).unwrap(), "");
        }
        assert!(ask("no-such-database", "root").is_err());
    }
}
