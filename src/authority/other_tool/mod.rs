//! The folder of another CA tool: recognised by its files, read within limits, and compared with itself. Nothing in it is
//! changed, and nothing here signs.

pub mod comparison;
mod error;
pub mod finding;
mod found_files;
mod layout;
mod names;
mod openssl_conf;
pub mod records;
pub mod source;
mod source_folder;
pub mod tool;
