//! Work on many items in a few threads.

use std::num::NonZeroUsize;
use std::thread;

/// Calls `work` for each item in at most `jobs` threads, and returns the results in the order of the items.
pub fn in_threads<T: Sync, R: Send>(items: &[T], jobs: NonZeroUsize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let jobs = jobs.get().min(items.len());
    if jobs <= 1 {
        return items.iter().map(work).collect();
    }
    let part = items.len().div_ceil(jobs);
    thread::scope(|scope| {
        let work = &work;
        let started: Vec<_> =
            items.chunks(part).map(|items| scope.spawn(move || items.iter().map(work).collect::<Vec<R>>())).collect();
        started
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_results_have_the_order_of_the_items_whatever_the_number_of_threads() {
        for count in [0_usize, 1, 7, 8] {
            let items: Vec<usize> = (0..count).collect();
            for jobs in [1, 2, 3, 100] {
                let doubled = in_threads(&items, NonZeroUsize::new(jobs).unwrap(), |item| 2 * item);
                assert_eq!(doubled, items.iter().map(|item| 2 * item).collect::<Vec<_>>());
            }
        }
    }
}
