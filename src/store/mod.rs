//! STORE: the CA on disk: its directory, its settings and templates, its index, its CA certificates, and the delivery
//! of certificate files.

pub mod approval;
pub mod backup;
pub mod ca_certificates;
pub mod certificate_files;
pub mod certificate_folder;
pub mod config;
pub mod delivery;
pub mod delivery_together;
pub mod effects;
pub mod entry_name;
pub mod error;
pub mod export;
pub mod gitignore;
pub mod home;
pub mod index;
pub mod index_setting;
pub mod locate;
pub mod manifest;
pub mod open;
pub mod passphrase_prompt;
pub mod previous_certificates;
pub mod progress;
pub mod recipe;
pub mod restored;
pub mod templates;
pub mod toml_file;
pub mod trusted_directory;

pub use ca_certificates::CaCertificates;
pub use config::Config;
pub use effects::Effects;
pub use entry_name::EntryName;
pub use error::StoreError;
pub use home::Home;
pub use index::Index;
pub use open::{Locked, Store};
