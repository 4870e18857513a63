//! The memory of all sessions of one test together: the endpoints that connect decide how many bytes they send.

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

    /// Returns bytes that were taken.
    pub fn put_back(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_taken_than_there_is_and_what_is_put_back_can_be_taken_again() {
        let budget = MemoryBudget::new(10);
        assert!(budget.take(7) && !budget.take(4) && budget.take(3) && !budget.take(1));
        budget.put_back(4);
        assert!(budget.take(4));
    }
}
