//! Clients: which TLS clients refuse a chain, and because of which fact about it. Pure.
//!
//! [`facts()`] computes the facts of a [`Situation`], each a word such as `leaf:aki:mismatch`; [`mod@table`] has the clients that
//! were measured, and for each fact the versions that refuse it; [`mod@predict`] puts both together. The purpose is always that
//! of a TLS server: no other one was measured.

mod client_name;
#[cfg(test)]
mod everyday_parts_tests;
#[cfg(test)]
mod everyday_tests;
pub mod fact;
pub mod facts;
pub mod predict;
mod raw;
mod raw_der;
mod raw_name;
mod raw_time;
pub mod situation;
pub mod table;

pub use client_name::{ClientChoice, ClientList, ClientNameError};
pub use fact::{Fact, Subject, Word};
pub use facts::{certificate_facts, facts, is_of_issuer, is_signature, leaf_facts, words};
pub use predict::{Prediction, predict, refusals};
pub use situation::{Signed, Situation};
pub use table::{Basis, Client, Table, table};
