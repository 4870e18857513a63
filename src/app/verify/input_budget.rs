//! How much one call may read. Without a limit for all files together, many long files would take many times the time and
//! memory of the longest file that is allowed.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::report::failure::Failure;
use crate::system::files;

/// The longest file, and room for the roots and the chain beside it.
const MAX_MEBIBYTES: u64 = (files::MAX_FILE_BYTES >> 20) + 1;

/// A file to verify that is no longer than this is free: TLS clients take no longer chain (rustls: 64 KiB), and thousands of such files
/// are verified one after the other.
const SHORT: u64 = 64 * 1024;

/// The number of bytes that this call may still read.
pub struct InputBudget(AtomicU64);

impl Default for InputBudget {
    fn default() -> Self {
        Self::new()
    }
}

impl InputBudget {
    pub const fn new() -> Self {
        Self(AtomicU64::new(MAX_MEBIBYTES << 20))
    }

    /// Takes what stays in memory until all is verified: roots, intermediates, CRLs.
    ///
    /// # Errors
    /// When all of it together is too long.
    pub fn keep(&self, content: &[u8]) -> Result<(), Failure> {
        self.take(content.len() as u64).map_err(|TooMuch| Failure::too_much_input(MAX_MEBIBYTES))
    }

    /// Takes a file that is verified and then forgotten, before it is read.
    ///
    /// # Errors
    /// When it and the other long ones together are too long; [`refused`] recognizes the error.
    pub fn take_file(&self, bytes: u64) -> io::Result<()> {
        if bytes <= SHORT {
            return Ok(());
        }
        self.take(bytes.min(files::MAX_FILE_BYTES)).map_err(io::Error::other)
    }

    fn take(&self, bytes: u64) -> Result<(), TooMuch> {
        let less = |left: u64| left.checked_sub(bytes);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).map(drop).map_err(|_| TooMuch)
    }
}

/// Returns the failure of an error of [`InputBudget::take_file`], `None` for another error. It names no file, because which of the
/// long files comes last is chance.
pub fn refused(error: &io::Error) -> Option<Failure> {
    error.get_ref().is_some_and(|cause| cause.is::<TooMuch>()).then(|| Failure::too_much_input(MAX_MEBIBYTES))
}

#[derive(Debug, thiserror::Error)]
#[error("the files are too long together")]
struct TooMuch;
