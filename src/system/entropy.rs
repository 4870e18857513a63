//! Random numbers for everything except keys: serial numbers and the names of temporary files.

use std::io;

/// A source of random bytes that an attacker cannot predict.
pub trait Entropy: Sync {
    /// Fills the buffer.
    ///
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
