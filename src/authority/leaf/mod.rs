//! Acts on leaf certificates: request, issue, sign, renew, roll back, and what runs afterwards.

pub mod due;
pub mod hook;
pub mod issue;
pub mod order;
pub mod renew;
pub mod request;
pub(crate) mod request_inputs;
pub mod rollback;
pub mod sign;
pub(crate) mod subject_key_checks;
