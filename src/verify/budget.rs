//! Limits on the work of one verification. Input from an attacker decides neither time nor memory: at a limit the chain
//! is invalid.

use std::cell::Cell;

/// The most signatures over certificates that are checked for one leaf.
pub const MOST_SIGNATURES: usize = 500;
/// The most signatures over CRLs, and over the certificates of their signers.
pub const MOST_CRL_SIGNATURES: usize = 300;
/// The most signatures that are checked to explain why a chain is invalid.
pub const MOST_DIAGNOSES: usize = 100;
/// The most certificates tried as issuers.
pub const MOST_STEPS: usize = 20_000;
/// The most complete paths that are checked.
pub const MOST_PATHS: usize = 200;
/// The most bytes of certificates in all the paths that are checked.
pub const MOST_BYTES: usize = 32 << 20;
/// The most comparisons of a name with a subtree: the limit of Go and webpki, here for all paths together.
pub const MOST_COMPARISONS: usize = 250_000;
/// The most policies that are followed from one certificate to the next.
pub const MOST_POLICIES: usize = 250_000;

/// What has been spent on one leaf. `may_…` spends and returns true, or returns false when that would exceed the limit.
#[derive(Debug, Default)]
pub struct Budget {
    signatures: Cell<usize>,
    crl_signatures: Cell<usize>,
    diagnoses: Cell<usize>,
    steps: Cell<usize>,
    paths: Cell<usize>,
    bytes: Cell<usize>,
    comparisons: Cell<usize>,
    policies: Cell<usize>,
}

impl Budget {
    pub fn may_check_signature(&self) -> bool {
        spend(&self.signatures, 1, MOST_SIGNATURES)
    }

    pub fn may_check_crl_signature(&self) -> bool {
        spend(&self.crl_signatures, 1, MOST_CRL_SIGNATURES)
    }

    pub fn may_diagnose(&self) -> bool {
        spend(&self.diagnoses, 1, MOST_DIAGNOSES)
    }

    pub fn may_step(&self) -> bool {
        spend(&self.steps, 1, MOST_STEPS)
    }

    /// For a path of this many bytes. The first path is always checked.
    pub fn may_verify_path(&self, bytes: usize) -> bool {
        let is_first = self.paths.get() == 0;
        spend(&self.paths, 1, MOST_PATHS) && (spend(&self.bytes, bytes, MOST_BYTES) || is_first)
    }

    pub fn may_compare(&self, pairs: usize) -> bool {
        spend(&self.comparisons, pairs, MOST_COMPARISONS)
    }

    pub fn may_follow_policies(&self, policies: usize) -> bool {
        spend(&self.policies, policies, MOST_POLICIES)
    }
}

/// Spends nothing when the sum would exceed the limit.
fn spend(spent: &Cell<usize>, amount: usize, most: usize) -> bool {
    let sum = spent.get().saturating_add(amount);
    if sum > most {
        return false;
    }
    spent.set(sum);
    true
}

#[cfg(test)]
impl Budget {
    /// Returns signatures, CRL signatures, steps, paths, comparisons, policies and diagnoses, in this order.
    pub fn spent(&self) -> [usize; 7] {
        let of_paths = [&self.steps, &self.paths, &self.comparisons, &self.policies];
        let [steps, paths, comparisons, policies] = of_paths.map(Cell::get);
        let [signatures, crls] = [&self.signatures, &self.crl_signatures].map(Cell::get);
        [signatures, crls, steps, paths, comparisons, policies, self.diagnoses.get()]
    }
}
