//! The progress of a long command: one line on standard error that is overwritten, and erased at the end.
//!
//! Nothing is shown in the first second, so that a short command shows nothing. Only a user who looks at a terminal sees the
//! line: not with `--quiet`, not with `--json`, and not in a log.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use crate::store::progress::{Progress, Step, Unit};
use crate::text::{escape, humanize};

/// How long an act runs before its progress is shown.
const DELAY: Duration = Duration::from_secs(1);
/// How often the line is written.
const INTERVAL: Duration = Duration::from_millis(100);
/// How long an act runs before the remaining time is estimated.
const ESTIMATED_AFTER: Duration = Duration::from_secs(3);
/// Cells of the bar.
const CELLS: usize = 20;
/// Begins the line again, and erases what it had (ECMA-48 EL).
const ERASE: &str = "\r\u{1b}[K";

/// The line: what is shown now, and since when.
#[derive(Debug, Default)]
pub struct ProgressLine(RefCell<Shown>);

#[derive(Debug, Default)]
struct Shown {
    /// The first step.
    began: Option<Instant>,
    /// When the line was written.
    written: Option<Instant>,
    is_visible: bool,
}

impl ProgressLine {
    /// Returns what is to be written for a step at this moment, in so many columns; `None`: nothing.
    pub fn step(&self, step: Step<'_>, now: Instant, columns: usize) -> Option<String> {
        let mut shown = self.0.borrow_mut();
        let began = *shown.began.get_or_insert(now);
        let elapsed = now.saturating_duration_since(began);
        let is_recent = shown.written.is_some_and(|written| now.saturating_duration_since(written) < INTERVAL);
        if elapsed < DELAY || is_recent {
            return None;
        }
        shown.written = Some(now);
        shown.is_visible = true;
        // The last column stays free: some terminals break the line there.
        let line: String = text(step, elapsed).chars().take(columns.saturating_sub(1)).collect();
        Some(format!("{ERASE}{line}"))
    }

    /// Returns what erases the line; `None` when it is not there.
    pub fn erase(&self) -> Option<&'static str> {
        let mut shown = self.0.borrow_mut();
        // It comes back with the next step.
        shown.written = shown.written.filter(|_| !shown.is_visible);
        std::mem::take(&mut shown.is_visible).then_some(ERASE)
    }
}

/// `[########            ]  40 %  renewing web.test, 2 of 5, 8 seconds left`.
fn text(step: Step<'_>, elapsed: Duration) -> String {
    let Step { what, done, of, unit } = step;
    let count = |count: u64| match unit {
        Unit::Items => count.to_string(),
        Unit::Bytes => format!("{}.{} MB", count / 1_000_000, count % 1_000_000 / 100_000),
    };
    let what = escape(what);
    let Some(of) = of.filter(|of| *of > 0) else { return format!("{what}, {}", count(done)) };
    let done = done.min(of);
    let part = |whole: u64| usize::try_from(u128::from(whole) * u128::from(done) / u128::from(of)).unwrap_or_default();
    let filled = part(CELLS as u64);
    let bar = format!("[{}{}] {:3} %", "#".repeat(filled), " ".repeat(CELLS - filled), part(100));
    let left = (elapsed >= ESTIMATED_AFTER && done > 0).then(|| elapsed.as_secs() * (of - done) / done);
    let left = left.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX)).filter(|seconds| *seconds > 0);
    let left = left.map(|seconds| format!(", {} left", humanize(time::Duration::seconds(seconds))));
    format!("{bar}  {what}, {} of {}{}", count(done), count(of), left.unwrap_or_default())
}

/// Reports how many bytes were read or written.
pub struct ReportedBytes<'a, T> {
    inner: T,
    what: &'static str,
    done: u64,
    of: Option<u64>,
    progress: &'a dyn Progress,
}

impl<'a, T> ReportedBytes<'a, T> {
    pub fn new(inner: T, what: &'static str, of: Option<u64>, progress: &'a dyn Progress) -> Self {
        Self { inner, what, done: 0, of, progress }
    }

    pub fn into_inner(self) -> T {
        self.inner
    }

    fn count(&mut self, bytes: usize) -> usize {
        self.done += bytes as u64;
        self.progress.report(Step::bytes(self.what, self.done, self.of));
        bytes
    }
}

impl<T: Read> Read for ReportedBytes<'_, T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        Ok(self.count(read))
    }
}

impl<T: Write> Write for ReportedBytes<'_, T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        Ok(self.count(written))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64, began: Instant) -> Instant {
        began + Duration::from_millis(milliseconds)
    }

    #[test]
    fn the_line_is_shown_after_a_second_not_too_often_and_is_erased_once() {
        let (line, began) = (ProgressLine::default(), Instant::now());
        let step = |done, milliseconds| line.step(Step::items("keys", done, Some(5)), at(milliseconds, began), 80);
        assert_eq!((step(0, 0), step(1, 999), line.erase()), (None, None, None));
        assert_eq!(step(2, 1000).unwrap(), format!("{ERASE}[########            ]  40 %  keys, 2 of 5"));
        assert_eq!(step(3, 1099), None);
        assert!(step(4, 4000).unwrap().ends_with(" 80 %  keys, 4 of 5, 1 second left"));
        assert_eq!((line.erase(), line.erase()), (Some(ERASE), None));
        // After a line of the report it is there again, at once.
        assert!(step(5, 4001).unwrap().ends_with("100 %  keys, 5 of 5"));
    }

    #[test]
    fn a_line_fits_the_terminal_and_does_not_control_it() {
        let (line, began) = (ProgressLine::default(), Instant::now());
        line.step(Step::bytes("", 0, None), began, 80);
        let step = Step::bytes("reading\u{1b}[2J", 12_345_678, None);
        let shown = line.step(step, at(1000, began), 80).unwrap();
        assert_eq!(shown.matches('\u{1b}').count(), 1, "{shown:?}");
        assert!(shown.ends_with(", 12.3 MB"), "{shown:?}");
        let shown = line.step(Step::items(&"x".repeat(200), 1, Some(2)), at(2000, began), 60).unwrap();
        assert_eq!(shown.strip_prefix(ERASE).unwrap().chars().count(), 59);
        let shown = line.step(Step::items("none", 0, Some(0)), at(3000, began), 60).unwrap();
        assert!(shown.ends_with("none, 0"), "{shown:?}");
    }

    #[test]
    fn bytes_are_counted_in_both_directions() {
        #[derive(Default)]
        struct Kept(RefCell<Vec<(u64, Option<u64>)>>);
        impl Progress for Kept {
            fn report(&self, step: Step<'_>) {
                self.0.borrow_mut().push((step.done, step.of));
            }
        }
        let kept = Kept::default();
        let mut read = Vec::new();
        ReportedBytes::new(&b"abc"[..], "reading", Some(3), &kept).read_to_end(&mut read).unwrap();
        let mut written = ReportedBytes::new(Vec::new(), "writing", None, &kept);
        written.write_all(b"ab").unwrap();
        written.write_all(b"c").unwrap();
        assert_eq!((read.as_slice(), written.into_inner().as_slice()), (&b"abc"[..], &b"abc"[..]));
        let kept = kept.0.into_inner();
        assert!(kept.contains(&(3, Some(3))) && kept.contains(&(2, None)) && kept.contains(&(3, None)), "{kept:?}");
    }
}
