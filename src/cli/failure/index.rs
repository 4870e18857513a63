//! What the index refuses.

use super::Failure;
use crate::store::index::IndexError;
use crate::text;

const RESTORE: &str = "restore the CA directory from a copy; index.db and index.db-wal belong together";

impl From<IndexError> for Failure {
    fn from(error: IndexError) -> Self {
        let sentence = error.to_string();
        match error {
            IndexError::NotFound { nearest, .. } => {
                let failure = Self::usage("unknown-certificate", sentence);
                let told = |near| format!("did you mean '{}'?", text::escape(near));
                nearest
                    .iter()
                    .map(|near| told(near))
                    .fold(failure, Self::hint)
                    .hint("'ca list' shows every certificate of this CA")
            }
            IndexError::Ambiguous { given } => Self::usage("ambiguous", sentence)
                .hint(format!("write name:{given} or serial:{given} to say which one is meant")),
            IndexError::SeveralIssuers { .. } => {
                Self::usage("ambiguous", sentence).hint("ask for it by its name: 'ca list' shows the names")
            }
            IndexError::Missing { .. } => Self::refused("index-missing", sentence).hint(RESTORE),
            IndexError::Foreign { .. } => {
                Self::refused("index-foreign", sentence).hint("[index] location in ca.toml says where the index is")
            }
            IndexError::Newer { .. } => Self::refused("index-newer", sentence)
                .hint("use the version of this program that wrote it, or a later one"),
            IndexError::Damaged { .. } => Self::refused("index-damaged", sentence).hint(RESTORE),
            IndexError::Busy { .. } => Self::refused("index-busy", sentence)
                .hint("end the program that has it open, and run the same command again"),
            IndexError::Full { .. } => {
                Self::refused("disk-full", sentence).hint("free some space and run the same command again")
            }
            IndexError::ReadOnly { .. } => Self::refused("permission-denied", sentence),
            IndexError::SerialUsed { .. } => Self::refused("serial-used", sentence),
            IndexError::Failed { .. } => Self::refused("index-failed", sentence),
            IndexError::File(error) => error.into(),
        }
    }
}
