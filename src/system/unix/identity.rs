//! The user id, the login name and the host name of this process.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

/// Only this much of `/etc/passwd` is read.
const MAX_PASSWD_BYTES: u64 = 1024 * 1024;

/// Returns the real user id.
pub fn user_id() -> u32 {
    rustix::process::getuid().as_raw()
}

/// Returns the host name.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Returns the login name of a user id from `/etc/passwd`, without another process; `None` when the file has none.
pub fn login_name(user_id: u32) -> Option<String> {
    let lines = BufReader::new(File::open("/etc/passwd").ok()?.take(MAX_PASSWD_BYTES)).split(b'\n');
    lines.map_while(Result::ok).find_map(|line| {
        let line = String::from_utf8(line).ok()?;
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?, fields.nth(1)?);
        (id.parse() == Ok(user_id)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_of_this_machine_has_its_name_and_an_unknown_one_has_none() {
        // A container without the file has no names to test.
        if let Some(name) = login_name(0) {
            assert_eq!(name, "root");
        }
        assert_eq!(login_name(u32::MAX - 7), None);
        assert!(!host_name().is_empty());
    }
}
