//! The files in which a handshake test leaves its sessions for other tools: `--pcap` and `--keylog`.
//!
//! Both hold secrets: mode 0600, never through a link, never over anything that is there, and both or neither.

use std::path::{Path, PathBuf};

use clap::Args;
use zeroize::Zeroizing;

use crate::app::context::Context;
use crate::handshake::HandshakeReport;
use crate::report::failure::Failure;
use crate::system::files;
use crate::tls::recording::{Recording, pcapng};

/// The flags that say where to.
#[derive(Debug, Args)]
pub struct RecordingArguments {
    /// Write what crossed the wire and its secrets to a new pcapng file
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Write the secrets of all sessions to a new file, as a key log
    #[arg(long, value_name = "FILE")]
    keylog: Option<PathBuf>,
}

impl RecordingArguments {
    /// Whether the files can be created: asked before anything is done for them.
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

    /// Writes the files that were asked for.
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
