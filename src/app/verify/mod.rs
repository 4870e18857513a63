//! Verification of files and of what servers send.

pub mod advice;
pub mod batch;
pub mod clients;
pub mod input;
pub mod input_budget;
pub mod request;
pub mod server;
pub mod verified_file;
