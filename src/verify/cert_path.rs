//! A certification path with the options that it is checked under.

use super::candidate::Candidate;
use super::input::VerifyOptions;
use super::signature::SignatureCache;
use super::verdict::Role;

/// A path from the anchor (first) to the leaf (last).
#[derive(Debug, Clone, Copy)]
pub struct CertPath<'a> {
    pub certificates: &'a [&'a Candidate],
    pub options: &'a VerifyOptions,
    /// The signature of a root over itself is checked under every leaf, so results are cached.
    pub signatures: &'a SignatureCache,
}

impl<'a> CertPath<'a> {
    /// Returns the role of the certificate with this index.
    pub fn role(&self, index: usize) -> Role {
        if index + 1 == self.certificates.len() {
            Role::Leaf
        } else if index == 0 {
            Role::Root
        } else {
            Role::Intermediate
        }
    }

    pub fn leaf(&self) -> Option<&'a Candidate> {
        self.certificates.last().copied()
    }

    /// Returns whether the certificate is a self-issued CA below the anchor, which RFC 5280 §6.1 exempts from path
    /// lengths and name constraints.
    pub fn is_exempt(&self, index: usize) -> bool {
        self.role(index) == Role::Intermediate && self.certificates.get(index).is_some_and(|it| it.is_self_issued())
    }
}
