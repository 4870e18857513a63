//! Work on many items in a few threads.

use std::num::NonZeroUsize;
use std::thread;

/// Calls `work` with each item in at most `jobs` threads, and returns the results in the order of the items. One item, or one
/// job, starts no thread.
pub fn in_threads<T: Send, R: Send>(items: Vec<T>, jobs: NonZeroUsize, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let jobs = jobs.get().min(items.len());
    if jobs <= 1 {
        return items.into_iter().map(work).collect();
    }
    let (part, count) = (items.len().div_ceil(jobs), items.len());
    let mut rest = items.into_iter();
    thread::scope(|scope| {
        let work = &work;
        let parts = std::iter::from_fn(|| {
            let items: Vec<T> = rest.by_ref().take(part).collect();
            (!items.is_empty()).then_some(items)
        });
        let started: Vec<_> =
            parts.map(|items| scope.spawn(move || items.into_iter().map(work).collect::<Vec<R>>())).collect();
        let mut results = Vec::with_capacity(count);
        for thread in started {
            results.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    })
}

/// The number of threads when none is given: one for each processor.
pub fn usual_jobs() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_results_have_the_order_of_the_items_whatever_the_number_of_threads() {
        for count in [0_usize, 1, 7, 8] {
            let items: Vec<usize> = (0..count).collect();
            for jobs in [1, 2, 3, 100] {
                let doubled = in_threads(items.clone(), NonZeroUsize::new(jobs).unwrap(), |item| 2 * item);
                assert_eq!(doubled, items.iter().map(|item| 2 * item).collect::<Vec<_>>());
            }
        }
    }
}
