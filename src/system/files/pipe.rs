//! Opening a file that may be a named pipe, without waiting forever for a writer.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::time::Duration;

use crate::system::unix;

/// How long a named pipe may have no writer: `mkfifo p; make-certificate > p & ca verify p` needs a moment.
const WAIT: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(10);

/// Opens a file to read at most `most` bytes. Returns the file, the bytes that were already read from a pipe, and the
/// length: `None` for pipes and devices.
///
/// # Errors
/// When it cannot be opened, or is a pipe without a writer.
pub fn open(path: &Path, most: u64) -> io::Result<(File, Vec<u8>, Option<u64>)> {
    // One look at the path: a second one would cost a fortieth of the verification of a file, and could find another file.
    let mut file = unix::pipe::open_without_waiting(path)?;
    let found = file.metadata()?;
    if found.is_file() {
        // Room for all bytes and one more: one read instead of many growing ones.
        let room = usize::try_from(found.len().min(most)).unwrap_or_default() + 1;
        return Ok((file, Vec::with_capacity(room), Some(found.len())));
    }
    if !unix::pipe::is_pipe(&found) {
        return waiting(file, Vec::new());
    }
    let mut content = vec![0; 4096];
    for _ in 0..WAIT.as_millis() / STEP.as_millis() {
        match file.read(&mut content) {
            // No process has it open for writing yet.
            Ok(0) => std::thread::sleep(STEP),
            Ok(length) => {
                content.truncate(length);
                return waiting(file, content);
            }
            // It has a writer, which has written nothing yet.
            Err(error) if error.kind() == ErrorKind::WouldBlock => return waiting(file, Vec::new()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(ErrorKind::TimedOut, "it is a pipe without a writer"))
}

/// From here on reading waits for bytes.
fn waiting(file: File, content: Vec<u8>) -> io::Result<(File, Vec<u8>, Option<u64>)> {
    unix::pipe::wait_for_bytes(&file)?;
    Ok((file, content, None))
}

#[cfg(test)]
mod tests {
    use crate::system::files;
    use std::process::Command;

    fn pipe() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        (folder, path)
    }

    #[test]
    fn a_pipe_without_a_writer_is_an_error() {
        let (_folder, path) = pipe();
        let error = files::read(&path, 10).unwrap_err();
        assert!(error.to_string().ends_with("it is a pipe without a writer"), "{error}");
    }

    #[test]
    fn a_pipe_is_read_to_its_end_and_no_further_than_allowed() {
        let (_folder, path) = pipe();
        let write = |bytes: usize| {
            let path = path.clone();
            std::thread::spawn(move || drop(std::fs::write(path, vec![7; bytes])))
        };
        let writer = write(200_000);
        assert_eq!(files::read(&path, 200_000).unwrap(), vec![7; 200_000]);
        writer.join().unwrap();
        let writer = write(5000);
        assert!(files::read(&path, 4999).unwrap_err().to_string().ends_with("longer than 4999 bytes"));
        writer.join().unwrap();
    }
}
