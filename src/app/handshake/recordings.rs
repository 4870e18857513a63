//! The files in which a handshake test records its sessions for other tools.
//!
//! Both hold secrets: they are created with mode 0600, not through a link, not over an existing file, and both or neither.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::app::context::Context;
use crate::handshake::HandshakeReport;
use crate::report::failure::Failure;
use crate::system::files;
use crate::tls::recording::{Recording, pcapng};

/// The files to write.
#[derive(Default)]
pub struct RecordingFiles {
    /// What crossed the wire and its secrets, as pcapng.
    pub pcap: Option<PathBuf>,
    /// The secrets of all sessions, as a key log.
    pub keylog: Option<PathBuf>,
}

impl RecordingFiles {
    /// Returns whether any file is to be written.
    pub fn are_wanted(&self) -> bool {
        self.pcap.is_some() || self.keylog.is_some()
    }

    /// Checks that the files can be created, before the test runs.
    ///
    /// # Errors
    /// When one is there already, its folder is not, or both are the same.
    pub fn check(&self, context: &Context<'_>) -> Result<(), Failure> {
        let paths: Vec<PathBuf> =
            [&self.keylog, &self.pcap].into_iter().flatten().map(|path| context.world.resolve(path)).collect();
        if let [keylog, pcap] = paths.as_slice()
            && keylog == pcap
        {
            return Err(Failure::usage("bad-arguments", "--keylog and --pcap name the same file")
                .hint("a pcapng file has the secrets inside: Wireshark needs no key log beside it"));
        }
        paths.iter().try_for_each(|path| Ok(files::check_new(path)?))
    }

    /// Writes the files.
    ///
    /// # Errors
    /// When the system refuses; then neither is there.
    pub fn write(&self, found: &HandshakeReport, context: &Context<'_>) -> Result<(), Failure> {
        let sessions = found.sessions.iter().map(|session| &session.recording);
        let refusals = found.refusals.iter().filter_map(|refusal| refusal.recording.as_ref());
        let recordings: Vec<&Recording> = sessions.chain(refusals).collect();
        let mut contents = Vec::new();
        if let Some(path) = &self.keylog {
            let mut log = Zeroizing::new(Vec::new());
            recordings.iter().for_each(|recording| log.extend_from_slice(recording.key_log().as_bytes()));
            contents.push((context.world.resolve(path), log));
        }
        if let Some(path) = &self.pcap {
            contents.push((context.world.resolve(path), pcapng(recordings, found.at)));
        }
        let contents: Vec<(&Path, &[u8])> =
            contents.iter().map(|(path, content)| (path.as_path(), content.as_slice())).collect();
        Ok(files::write_secrets(&contents)?)
    }
}
