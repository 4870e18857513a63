//! Flags that several subcommands share.

pub mod backup;
pub mod change;
pub mod endpoints;
pub mod file_rules;
pub mod globals;
pub mod hook;
pub mod issue;
pub mod key_value;
pub mod number;
pub mod passphrase;
pub mod recordings;
pub mod store;
