//! Why the folder of another tool is not read.

use std::path::{Path, PathBuf};

use crate::authority::other_tool::source_folder::TooManyFiles;
use crate::authority::other_tool::tool::Tool;
use crate::system::files::FileError;
use crate::text::{Diagnosis, Diagnostic, PathText};

/// Why a folder is not read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{} is not the folder of a CA tool that is known here", .0.escaped())]
    Unknown(PathBuf),
    #[error("{} has files of {}", folder.escaped(), names(found))]
    Several { folder: PathBuf, found: Vec<Tool> },
    #[error("{} is not a folder of {tool}: it has none of {}{}", folder.escaped(), wanted.join(", "), looks_like(found))]
    OtherTool { folder: PathBuf, tool: Tool, wanted: Vec<String>, found: Vec<Tool> },
    #[error("the private key of the CA is not there: {} has none of {}", folder.escaped(), wanted.join(", "))]
    NoKey { folder: PathBuf, wanted: Vec<String> },
    #[error("{} has {what}", folder.escaped())]
    NoSingleCa { folder: PathBuf, what: String },
    #[error("{} cannot be used as the CA certificate: {reason}", path.escaped())]
    Certificate { path: PathBuf, reason: String },
    #[error("the folder is too large: {0}")]
    TooLarge(String),
}

fn names(found: &[Tool]) -> String {
    found.iter().map(|tool| tool.name()).collect::<Vec<_>>().join(" and of ")
}

fn looks_like(found: &[Tool]) -> String {
    if found.is_empty() { String::new() } else { format!("; it looks like one of {}", names(found)) }
}

impl Diagnostic for SourceError {
    fn diagnosis(&self) -> Diagnosis {
        let from = |folder: &Path, tool: &Tool| format!("ca import --from {tool} {}", folder.in_shell());
        match self {
            Self::File(_) => Diagnosis::usage("unreadable-input"),
            Self::Unknown(folder) => Diagnosis::usage("unknown-layout")
                .hint(format!("for a folder with PEM files: {}", from(folder, &Tool::XcaPem)))
                .hint("name the tool with --from, or the files: ca init --cert FILE --key-file FILE --index FILE --crl FILE"),
            Self::Several { folder, found } => {
                Diagnosis::usage("unknown-layout").hints(found.iter().map(|tool| from(folder, tool)))
            }
            Self::OtherTool { folder, found, .. } => {
                let hints = found.iter().map(|tool| from(folder, tool));
                Diagnosis::usage("other-layout").hints(hints).hint("name the files with --cert FILE --key-file FILE")
            }
            Self::NoKey { .. } => {
                Diagnosis::usage("no-ca-key").hint("when it is stored elsewhere, name its file: --key-file FILE")
            }
            Self::NoSingleCa { .. } => {
                Diagnosis::usage("no-ca-key").hint("name the files of the CA that issues: --cert FILE --key-file FILE")
            }
            Self::Certificate { .. } => Diagnosis::usage("bad-certificate"),
            Self::TooLarge(_) => Diagnosis::usage("input-too-large")
                .hint("copy the CA certificate, its key, the index and the certificates into a smaller folder"),
        }
    }
}

impl From<TooManyFiles> for SourceError {
    fn from(_: TooManyFiles) -> Self {
        Self::TooLarge("it has more files than are read".to_owned())
    }
}
