//! Certificates in the formats of other programs, each made in memory from the same material.

mod encode;
mod format;
mod kubernetes;
mod material;
mod mobileconfig;
pub mod openssl_index;
mod openvpn;
mod target;
mod trust;

pub use encode::encode;
pub use format::{ExportFormat, Part};
pub use kubernetes::object_name as kubernetes_name;
pub(in crate::store) use material::joined;
pub use material::{ExportError, Material};
pub use target::Target;
pub use trust::{RootsFormat, encode_roots};

#[cfg(test)]
mod tests;
