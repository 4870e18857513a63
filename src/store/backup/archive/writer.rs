//! Writing an archive.

use std::io::{ErrorKind, Read, Write};

use super::header::MemberHeader;
use super::{ArchiveError, BLOCK};

/// Writes one member after the other.
pub struct ArchiveWriter<W> {
    out: W,
}

impl<W: Write> ArchiveWriter<W> {
    pub fn new(out: W) -> Self {
        Self { out }
    }

    /// Writes a member; its content has to be as long as the header says.
    ///
    /// # Errors
    /// When the path or the length cannot be in an archive, the content has another length, or reading or writing fails.
    pub fn add(&mut self, header: &MemberHeader, mut content: impl Read) -> Result<(), ArchiveError> {
        let changed = || ArchiveError::Changed { path: header.path.clone() };
        self.write(&header.encode()?)?;
        let (mut buffer, mut left) = ([0; 16 * BLOCK], header.bytes);
        loop {
            match content.read(&mut buffer) {
                Ok(0) if left == 0 => return self.write(&[0; BLOCK][..padding(header.bytes)]),
                Ok(0) => return Err(changed()),
                Ok(read) => {
                    left = left.checked_sub(read as u64).ok_or_else(changed)?;
                    self.write(&buffer[..read])?;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(ArchiveError::Read(error)),
            }
        }
    }

    /// Writes the end of the archive: two blocks of zeros.
    ///
    /// # Errors
    /// When writing fails.
    pub fn finish(mut self) -> Result<W, ArchiveError> {
        self.write(&[0; 2 * BLOCK])?;
        Ok(self.out)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.out.write_all(bytes).map_err(ArchiveError::Write)
    }
}

/// Returns how many zeros fill the last block of a content.
pub(super) fn padding(bytes: u64) -> usize {
    let over = (bytes % BLOCK as u64) as usize;
    (BLOCK - over) % BLOCK
}
