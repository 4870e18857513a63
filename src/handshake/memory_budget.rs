//! The memory of all sessions of one test together: the endpoints that connect decide how many bytes they send.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of bytes that may still be kept.
#[derive(Debug)]
pub(super) struct MemoryBudget(AtomicUsize);

impl MemoryBudget {
    pub const fn new(bytes: usize) -> Self {
        Self(AtomicUsize::new(bytes))
    }

    /// Takes bytes, and returns whether there were that many; takes none otherwise.
    pub fn take(&self, bytes: usize) -> bool {
        let less = |left: usize| left.checked_sub(bytes);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

/// What one connection has taken of a budget. It is put back when this is dropped.
#[derive(Debug)]
pub(super) struct MemoryShare {
    budget: Arc<MemoryBudget>,
    bytes: usize,
}

impl MemoryShare {
    pub const fn new(budget: Arc<MemoryBudget>) -> Self {
        Self { budget, bytes: 0 }
    }

    /// Takes further bytes, and returns whether there were that many; takes none otherwise.
    pub fn take(&mut self, bytes: usize) -> bool {
        let taken = self.budget.take(bytes);
        if taken {
            self.bytes += bytes;
        }
        taken
    }
}

impl Drop for MemoryShare {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_gives_what_it_has_and_what_a_share_took_can_be_taken_again() {
        let budget = Arc::new(MemoryBudget::new(10));
        assert!(budget.take(7) && !budget.take(4));
        let mut share = MemoryShare::new(budget.clone());
        assert!(share.take(2) && share.take(1) && !share.take(1) && !budget.take(1));
        drop(share);
        assert!(budget.take(3) && !budget.take(1));
    }
}
