//! Flags that several subcommands share.

pub mod globals;
pub mod number;
pub mod passphrase;
