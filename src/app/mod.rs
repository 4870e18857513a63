//! APP: what a command does, without its flags and its text. It is called with plain values and returns plain results, so that
//! a server or another program can call it too.

pub mod address;
pub mod after_issue;
pub mod backup;
pub mod certificate_input;
pub mod clock;
mod collected_crls;
pub mod context;
pub mod crl_bundle;
pub mod crl_expiry;
pub mod directory;
pub mod export;
pub mod export_files;
mod file_pattern;
pub mod handshake;
pub mod hierarchy;
pub mod import;
pub mod key_input;
pub mod lint;
pub mod output_file;
pub mod progress;
pub mod public_key;
pub mod recipes;
pub mod remembered_exports;
pub mod renew_due;
pub mod resolve;
pub mod restored;
pub mod revocations;
pub mod roots;
pub mod run_hook;
pub mod settings;
pub mod status;
pub mod store_passphrase;
pub mod template_check;
pub mod templates;
pub mod trust;
pub mod verify;
