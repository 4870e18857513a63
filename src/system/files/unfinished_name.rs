//! The names of unfinished files and folders, by which the next run recognizes what a dead process left behind.

use std::ffi::OsStr;
use std::io;

use crate::system::Entropy;
use crate::text;

/// The prefix of all names of unfinished files and folders. They are abandoned once their kernel lock is free; see
/// [`super::remove_stale`].
pub const PREFIX: &str = ".staged-";

/// Returns a name for an unfinished file or folder that an attacker cannot guess.
pub(super) fn unfinished_name(entropy: &dyn Entropy) -> io::Result<String> {
    let mut random = [0; 8];
    entropy.fill(&mut random)?;
    Ok(format!("{PREFIX}{}", text::hex(&random)))
}

/// Returns whether a name was made by this program for something unfinished.
pub fn is_unfinished_name(name: &OsStr) -> bool {
    name.to_str()
        .and_then(|name| name.strip_prefix(PREFIX))
        .is_some_and(|random| random.len() == 16 && random.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
