//! Reports, and parts of them, that several commands share.

pub mod access;
pub mod all_crls;
pub mod apply;
pub mod authority;
pub mod backup;
pub mod bundle;
pub mod clients;
pub mod counts;
pub mod crl;
pub mod crl_files;
pub mod difference;
pub mod dry_run;
pub mod due;
pub mod entry;
pub mod exports;
pub mod handshake;
pub mod handshake_json;
pub mod hook;
pub mod issue;
pub mod lint;
pub mod lint_json;
pub mod list;
#[cfg(test)]
mod list_tests;
pub mod many;
pub mod renew_due;
pub mod status_item;
pub mod summary;
pub mod verify;
pub mod verify_json;
