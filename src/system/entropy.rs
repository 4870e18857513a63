//! Randomness for everything that is not a key: serial numbers and the names of temporary files.

use std::io;

/// Whoever can fill a buffer with octets that nobody can guess.
pub trait Entropy {
    /// # Errors
    /// When the source fails; the buffer must not be used then.
    fn fill(&self, buffer: &mut [u8]) -> io::Result<()>;
}

/// The generator of the cryptographic library, seeded by the operating system.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) -> io::Result<()> {
        aws_lc_rs::rand::fill(buffer).map_err(|_| io::Error::other("the random generator failed"))
    }
}
