//! Reading an archive, member by member, in bounded memory.

use std::io::{self, ErrorKind, Read};

use super::header::{Block, MemberHeader, decode, decode_path_record};
use super::path::MAX_BYTES;
use super::writer::padding;
use super::{ArchiveError, BLOCK};

/// Reads one member after the other. The content of a member is read through the reader itself.
pub struct ArchiveReader<R> {
    input: R,
    /// The position in the archive, for messages.
    at: u64,
    /// The bytes of the current member that were not read yet.
    left: u64,
    /// The zeros after its content.
    padding: usize,
}

impl<R: Read> ArchiveReader<R> {
    pub fn new(input: R) -> Self {
        Self { input, at: 0, left: 0, padding: 0 }
    }

    /// Goes to the next member, past what was not read of the current one; `None` after the last one.
    ///
    /// # Errors
    /// When the archive is cut off, or has what no backup has.
    pub fn next_member(&mut self) -> Result<Option<MemberHeader>, ArchiveError> {
        io::copy(self, &mut io::sink()).map_err(cut_off)?;
        if self.left > 0 {
            return Err(ArchiveError::Truncated);
        }
        let mut zeros = vec![0; self.padding];
        self.fill(&mut zeros)?;
        if zeros.iter().any(|byte| *byte != 0) {
            return Err(self.invalid("the padding before it is not zero"));
        }
        self.padding = 0;
        let mut extended = None;
        loop {
            let mut block = [0; BLOCK];
            self.fill(&mut block)?;
            if block == [0; BLOCK] {
                return if extended.is_none() { self.end() } else { Err(ArchiveError::Truncated) };
            }
            match decode(&block, extended.take()).map_err(|error| self.placed(error))? {
                Block::Extended(bytes) => extended = Some(self.path_record(bytes)?),
                Block::Member(header) => {
                    (self.left, self.padding) = (header.bytes, padding(header.bytes));
                    return Ok(Some(header));
                }
            }
        }
    }

    fn path_record(&mut self, bytes: u64) -> Result<String, ArchiveError> {
        // The record is a path with a few characters around it.
        let length = usize::try_from(bytes).ok().filter(|length| *length <= MAX_BYTES + 16);
        let Some(length) = length else { return Err(self.invalid("an extended header is too long")) };
        let mut record = vec![0; length.next_multiple_of(BLOCK)];
        self.fill(&mut record)?;
        decode_path_record(&record[..length]).map_err(|error| self.placed(error))
    }

    /// After the end there is nothing.
    fn end(&mut self) -> Result<Option<MemberHeader>, ArchiveError> {
        let mut block = [0; BLOCK];
        self.fill(&mut block)?;
        let rest = io::copy(&mut self.input.by_ref().take(1), &mut io::sink()).map_err(cut_off)?;
        let is_end = block == [0; BLOCK] && rest == 0;
        if is_end { Ok(None) } else { Err(ArchiveError::Trailing) }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), ArchiveError> {
        self.input.read_exact(buffer).map_err(cut_off)?;
        self.at += buffer.len() as u64;
        Ok(())
    }

    fn invalid(&self, reason: &'static str) -> ArchiveError {
        ArchiveError::Header { at: self.at.saturating_sub(BLOCK as u64), reason }
    }

    fn placed(&self, error: ArchiveError) -> ArchiveError {
        match error {
            ArchiveError::Header { reason, .. } => self.invalid(reason),
            other => other,
        }
    }
}

fn cut_off(error: io::Error) -> ArchiveError {
    match error.kind() {
        ErrorKind::UnexpectedEof => ArchiveError::Truncated,
        _ => ArchiveError::Read(error),
    }
}

/// Reads the content of the current member.
impl<R: Read> Read for ArchiveReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let read = self.input.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the archive ends in the middle"));
        }
        self.left -= read as u64;
        self.at += read as u64;
        Ok(read)
    }
}
