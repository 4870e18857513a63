//! The backup of a CA: one encrypted file from which the whole CA directory can be restored.
//!
//! The file is in the age format; its content is a tar archive, so that `age -d FILE | tar x` restores the CA without this
//! program. The first member is [`manifest`], the last one has the SHA-256 of every file (`sha256sum -c SHA256SUMS`).

pub mod archive;
pub mod encryption;
pub mod error;
pub mod manifest;
pub mod restore;
mod settings;
pub mod write;
