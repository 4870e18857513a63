//! Work on many items in a few threads.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
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

/// Calls `feed` with a function that takes items. Each item goes through `work`, and `take` gets the results in the order of the
/// items, in the thread of the caller. A thread works on so many items `together`; fewer start no thread. At most twice as many items as
/// all threads work on are in memory.
///
/// # Errors
/// The first one of `feed` or `take`.
pub fn in_order<T: Send, R: Send, E>(
    jobs: NonZeroUsize,
    together: usize,
    feed: impl FnOnce(&mut dyn FnMut(T) -> Result<(), E>) -> Result<(), E>,
    work: impl Fn(T) -> R + Sync,
    mut take: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let work = |items: Vec<T>| -> Vec<R> { items.into_iter().map(&work).collect() };
    parts_in_order(jobs, together, feed, work, |results| results.into_iter().try_for_each(&mut take))
}

/// As [`in_order`]; `work` gets the items that belong together, and `take` what it makes of them.
///
/// # Errors
/// As [`in_order`].
pub fn parts_in_order<T: Send, R: Send, E>(
    jobs: NonZeroUsize,
    together: usize,
    feed: impl FnOnce(&mut dyn FnMut(T) -> Result<(), E>) -> Result<(), E>,
    work: impl Fn(Vec<T>) -> R + Sync,
    mut take: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    type Part<T, R> = (Vec<T>, SyncSender<R>);
    let jobs = jobs.get();
    let (give, waiting) = sync_channel::<Part<T, R>>(jobs);
    let waiting = Mutex::new(waiting);
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
    let run = || {
        while let Ok((items, result)) = next() {
            // After an error, the caller waits for no result.
            drop(result.send(work(items)));
        }
    };
    thread::scope(|scope| {
        // The threads end when it is dropped.
        let give = give;
        let (mut part, mut has_threads) = (Vec::new(), false);
        let mut begun: VecDeque<Receiver<R>> = VecDeque::new();
        // A thread that panics gives no result, and the scope passes its panic on.
        let mut take_part = |result: Receiver<R>| result.recv().map_or(Ok(()), &mut take);
        feed(&mut |item| {
            part.push(item);
            if part.len() < together {
                return Ok(());
            }
            if !has_threads {
                has_threads = true;
                (0..jobs).for_each(|_| drop(scope.spawn(run)));
            }
            if begun.len() == 2 * jobs
                && let Some(oldest) = begun.pop_front()
            {
                take_part(oldest)?;
            }
            let (send, result) = sync_channel(1);
            if give.send((std::mem::take(&mut part), send)).is_ok() {
                begun.push_back(result);
            }
            Ok(())
        })?;
        begun.into_iter().try_for_each(&mut take_part)?;
        if part.is_empty() { Ok(()) } else { take(work(part)) }
    })
}

/// Calls `aside` in a thread of its own while `work` runs in that of the caller; with one job, before it.
pub fn beside<A: Send, R>(jobs: NonZeroUsize, aside: impl FnOnce() -> A + Send, work: impl FnOnce() -> R) -> (A, R) {
    if jobs == NonZeroUsize::MIN {
        let aside = aside();
        return (aside, work());
    }
    thread::scope(|scope| {
        let thread = scope.spawn(aside);
        let result = work();
        (thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), result)
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

    #[test]
    fn what_runs_aside_is_in_another_thread_unless_there_is_one_job() {
        for jobs in [1, 2] {
            let here = thread::current().id();
            let (aside, work) =
                beside(NonZeroUsize::new(jobs).unwrap(), || thread::current().id(), || thread::current().id());
            assert_eq!((work == here, aside == here), (true, jobs == 1));
        }
    }

    #[test]
    fn results_are_taken_in_the_order_of_the_items_and_the_first_error_ends_the_work() {
        let run = |jobs: usize, together: usize, most: usize| {
            let (mut taken, mut fed) = (Vec::new(), 0);
            let ended = in_order(
                NonZeroUsize::new(jobs).unwrap(),
                together,
                |give| {
                    (0..1000).try_for_each(|item: usize| {
                        fed += 1;
                        give(item)
                    })
                },
                |item| 2 * item,
                |result| {
                    taken.push(result);
                    if taken.len() == most { Err("enough") } else { Ok(()) }
                },
            );
            (taken, fed, ended)
        };
        for (jobs, together) in [(1, 1), (2, 7), (7, 1), (3, 1000), (2, 2000)] {
            let (taken, fed, ended) = run(jobs, together, usize::MAX);
            assert_eq!((taken, fed, ended), ((0..1000).map(|item| 2 * item).collect(), 1000, Ok(())));
            let (taken, fed, ended) = run(jobs, together, 3);
            assert_eq!((taken, ended), (vec![0, 2, 4], Err("enough")));
            let most = (3_usize.div_ceil(together) + 2 * jobs) * together;
            assert!(fed <= most, "{fed} items were made although the third result was an error");
        }
    }
}
