//! Acts on leaf certificates: request, issue, sign, renew and roll back, and the hooks that run afterwards.

pub mod carry_out;
pub mod due;
pub mod error;
pub mod file_access;
pub(crate) mod follow;
pub mod hook;
pub mod issue;
pub mod opened_issuer;
pub mod order;
pub mod plan;
pub mod renew;
pub mod request;
pub mod request_inputs;
pub mod rollback;
pub mod sign;
pub mod state;
pub mod subject_key_checks;
pub(crate) mod target;
pub mod trial;
