//! `--pcap` and `--keylog`: the files in which a handshake test records its sessions.

use std::path::PathBuf;

use clap::Args;

use crate::app::handshake::recordings::RecordingFiles;

/// The flags of the files.
#[derive(Debug, Args)]
pub struct RecordingArguments {
    /// Write the connections and their secrets to a new pcapng file
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Write the secrets of all sessions to a new file, as a key log
    #[arg(long, value_name = "FILE")]
    keylog: Option<PathBuf>,
}

impl RecordingArguments {
    /// What the flags say, without the words of the command line.
    pub fn files(&self) -> RecordingFiles {
        RecordingFiles { pcap: self.pcap.clone(), keylog: self.keylog.clone() }
    }
}
