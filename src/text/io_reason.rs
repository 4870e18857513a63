//! The reason of an error of the operating system, in words.

use std::fmt;
use std::io::{self, ErrorKind};

/// Returns the reason to be displayed. The only place that turns an [`io::Error`] into text: Rust's own text ends with the
/// number of the error, and depends on the C library.
pub fn io_reason(error: &io::Error) -> IoReason<'_> {
    IoReason(error)
}

/// The reason of an error, displayed without the number of the error.
#[derive(Debug, Clone, Copy)]
pub struct IoReason<'e>(&'e io::Error);

impl fmt::Display for IoReason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An error of this program or of a library, which has its own sentence.
        if let Some(own) = self.0.get_ref() {
            return write!(f, "{own}");
        }
        match known(self.0.kind()) {
            Some(reason) => f.write_str(reason),
            None => f.write_str(&without_number(&self.0.to_string())),
        }
    }
}

fn known(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::NotFound => "no such file or folder",
        ErrorKind::PermissionDenied => "permission denied",
        ErrorKind::AlreadyExists => "it exists already",
        ErrorKind::IsADirectory => "is a folder",
        ErrorKind::NotADirectory => "a part of the path is not a folder",
        ErrorKind::DirectoryNotEmpty => "the folder is not empty",
        ErrorKind::StorageFull => "the disk is full",
        ErrorKind::QuotaExceeded => "the disk quota of this user is used up",
        ErrorKind::FileTooLarge => "the file size limit is exceeded",
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        ErrorKind::CrossesDevices => "the two places are on different file systems",
        ErrorKind::ResourceBusy => "another program uses it",
        ErrorKind::ConnectionRefused => "connection refused",
        ErrorKind::ConnectionReset => "the other side reset the connection",
        ErrorKind::ConnectionAborted => "the connection was aborted",
        ErrorKind::NotConnected => "not connected",
        ErrorKind::AddrInUse => "the address is in use",
        ErrorKind::AddrNotAvailable => "this machine does not have the address",
        ErrorKind::HostUnreachable => "the host is unreachable",
        ErrorKind::NetworkUnreachable => "the network is unreachable",
        ErrorKind::NetworkDown => "the network is down",
        ErrorKind::BrokenPipe => "the reader closed the pipe",
        ErrorKind::TimedOut => "timed out",
        ErrorKind::OutOfMemory => "out of memory",
        ErrorKind::UnexpectedEof => "it ends too early",
        ErrorKind::Interrupted => "interrupted",
        ErrorKind::Unsupported => "not supported here",
        _ => return None,
    })
}

/// Returns the text of the C library, such as `Too many open files (os error 24)`, without its number and as a part of a
/// sentence.
fn without_number(text: &str) -> String {
    let text = text.split(" (os error").next().unwrap_or(text);
    let mut characters = text.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_of_the_system_shows_its_number() {
        for number in 1..134 {
            let shown = io_reason(&io::Error::from_raw_os_error(number)).to_string();
            assert!(!shown.contains("os error") && !shown.is_empty(), "{number}: {shown}");
            assert!(shown.starts_with(|first: char| !first.is_uppercase()), "{number}: {shown}");
        }
    }

    #[test]
    fn an_error_of_this_program_keeps_its_sentence() {
        let own = io::Error::other("it is longer than 5 bytes");
        assert_eq!(io_reason(&own).to_string(), "it is longer than 5 bytes");
        assert_eq!(io_reason(&ErrorKind::NotFound.into()).to_string(), "no such file or folder");
    }
}
