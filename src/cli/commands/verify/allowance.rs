//! How much one call may read: several long files together take hardly more time and memory than one that is as long as a
//! file may be.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::cli::Failure;
use crate::system::files;

/// The longest file, and room for the roots and the chain beside it.
const MOST_MEBIOCTETS: u64 = (files::MOST_OCTETS >> 20) + 1;

/// A file to judge that is no longer is free: TLS clients take no longer chain (rustls: 64 KiB), and thousands of such files
/// are judged one after the other.
const SHORT: u64 = 64 * 1024;

/// What may still be read in this call.
pub struct Allowance(AtomicU64);

impl Allowance {
    pub const fn new() -> Self {
        Self(AtomicU64::new(MOST_MEBIOCTETS << 20))
    }

    /// For what stays in memory until all is judged: roots, intermediates, revocation lists.
    ///
    /// # Errors
    /// When all of it together is too long.
    pub fn keep(&self, content: &[u8]) -> Result<(), Failure> {
        self.take(content.len() as u64).map_err(|TooMuch| Failure::too_much_input(MOST_MEBIOCTETS))
    }

    /// For a file to judge, before it is read.
    ///
    /// # Errors
    /// When it and the other long ones together are too long; [`refused`] knows the error again.
    pub fn judge(&self, octets: u64) -> io::Result<()> {
        if octets <= SHORT {
            return Ok(());
        }
        self.take(octets.min(files::MOST_OCTETS)).map_err(io::Error::other)
    }

    fn take(&self, octets: u64) -> Result<(), TooMuch> {
        let less = |left: u64| left.checked_sub(octets);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).map(drop).map_err(|_| TooMuch)
    }
}

/// What the error says, if it is one of [`Allowance::judge`]: which of the long files comes too late is chance, so none is named.
pub fn refused(error: &io::Error) -> Option<Failure> {
    error.get_ref().is_some_and(|cause| cause.is::<TooMuch>()).then(|| Failure::too_much_input(MOST_MEBIOCTETS))
}

#[derive(Debug, thiserror::Error)]
#[error("the files are too long together")]
struct TooMuch;
