//! REPORT: how results and failures are reported, as text for a person and as JSON.

pub mod describe;
pub mod document_schema;
pub mod exit_status;
pub mod failure;
pub mod failure_codes;
pub mod handshake;
pub mod json;
pub mod ladder;
pub mod output;
pub mod page;
pub mod refusals;
pub mod relative;
pub mod style;
pub mod warning_codes;
