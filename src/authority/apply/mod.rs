//! `apply`: what distinguishes a CA from what manifests declare, and the steps that need the lock. Deciding reads the index in a few
//! queries and each folder once, and writes nothing.

pub mod access;
pub mod plan;
pub mod prune;
mod site;

pub use site::{profile_of, read_site, template_digest};

#[cfg(test)]
mod tests;
