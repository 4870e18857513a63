//! Measures handshakes per second: the good case many times, full and resumed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use rustls::NoKeyLog;
use rustls::client::Resumption;

use super::config_pair::ConfigPair;
use super::error::HandshakeError;
use super::exchange::{self, Exchange};
use super::good_case::{HandshakeTest, good_case};
use super::scenario::Scenario;
use crate::tls::{NamedGroup, TlsVersion};

/// The number of handshakes and of parallel jobs.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// The number of handshakes of each kind.
    pub count: usize,
    /// The number of parallel jobs; each computes both endpoints.
    pub jobs: usize,
}

/// The progress of a measurement.
#[derive(Debug, Clone)]
pub struct Progress<'a> {
    pub done: usize,
    pub of: usize,
    /// The kind that is being measured: `TLS 1.3, ecdsa-p256, resumed`.
    pub what: &'a str,
}

/// The results for one kind of handshake. One thread computes both endpoints, which are usually on two machines.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    pub version: TlsVersion,
    /// The algorithm of the server's key: `ecdsa-p256`.
    pub key: String,
    /// The group of the Diffie-Hellman exchange; `None` in a resumed session of TLS 1.2.
    pub group: Option<NamedGroup>,
    /// `true`: the sessions resume an earlier one, without certificates.
    pub resumed: bool,
    pub count: usize,
    pub jobs: usize,
    /// The duration of all handshakes, including connections and application data.
    pub total: Duration,
    pub median: Duration,
    /// 95 percent of the handshakes were not slower.
    pub p95: Duration,
    /// 99 percent of the handshakes were not slower.
    pub p99: Duration,
    /// The number of bytes on the wire for one handshake, in both directions.
    pub bytes: usize,
}

impl Rate {
    /// Returns the handshakes per second.
    pub fn per_second(&self) -> f64 {
        per_second(self.count, self.total)
    }
}

/// Returns `count` divided by `total` in seconds; 0 for no time.
pub fn per_second(count: usize, total: Duration) -> f64 {
    if total.is_zero() { 0.0 } else { count as f64 / total.as_secs_f64() }
}

/// Measures the good case, full and resumed, in each version of the test; `on_progress` is called regularly.
///
/// # Errors
/// As for [`super::run`], and when one handshake has another result than the others.
pub fn measure(
    test: &HandshakeTest<'_>,
    workload: Workload,
    on_progress: &mut dyn FnMut(&Progress<'_>),
) -> Result<Vec<Rate>, HandshakeError> {
    let mut plan = MeasurePlan { runs: Vec::new(), workload };
    for version in test.versions {
        plan.add(&good_case(test, *version)?, &test.server.certificate().public_key.kind().to_string())?;
    }
    plan.play(on_progress)
}

/// The kinds of handshakes to be measured, one after the other.
pub(super) struct MeasurePlan {
    runs: Vec<Run>,
    pub workload: Workload,
}

struct Run {
    configs: ConfigPair,
    version: TlsVersion,
    key: String,
    resumed: bool,
}

impl MeasurePlan {
    pub fn new(workload: Workload) -> Self {
        Self { runs: Vec::new(), workload }
    }

    /// Adds this scenario, full and resumed.
    pub fn add(&mut self, scenario: &Scenario, key: &str) -> Result<(), HandshakeError> {
        for resumed in [false, true] {
            let configs = scenario.configs()?;
            self.runs.push(Run { configs, version: scenario.version, key: key.to_owned(), resumed });
        }
        Ok(())
    }

    pub fn play(&self, on_progress: &mut dyn FnMut(&Progress<'_>)) -> Result<Vec<Rate>, HandshakeError> {
        let of = self.runs.len() * self.workload.count;
        let mut rates = Vec::with_capacity(self.runs.len());
        for (index, run) in self.runs.iter().enumerate() {
            let what = format!("{}, {}, {}", run.version, run.key, if run.resumed { "resumed" } else { "full" });
            let before = index * self.workload.count;
            let mut done = |done: usize| on_progress(&Progress { done: before + done, of, what: &what });
            rates.push(run.repeat(self.workload, &mut done)?);
        }
        Ok(rates)
    }
}

/// The interval at which progress is reported.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(50);

impl Run {
    fn repeat(&self, workload: Workload, on_progress: &mut dyn FnMut(usize)) -> Result<Rate, HandshakeError> {
        let next = AtomicUsize::new(0);
        let start = Barrier::new(workload.jobs);
        let results = std::thread::scope(|scope| {
            let jobs: Vec<_> =
                (0..workload.jobs).map(|_| scope.spawn(|| self.work(workload.count, &next, &start))).collect();
            while jobs.iter().any(|job| !job.is_finished()) {
                on_progress(next.load(Ordering::Relaxed).min(workload.count));
                std::thread::park_timeout(PROGRESS_INTERVAL);
            }
            let joined =
                jobs.into_iter().map(|job| job.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            joined.collect::<Result<Vec<JobResult>, HandshakeError>>()
        })?;
        // Measured by the jobs themselves: the waiting thread may wake up later.
        let began = results.iter().map(|result| result.began).min();
        let ended = results.iter().map(|result| result.ended).max();
        let total = began.zip(ended).map(|(began, ended)| ended.saturating_duration_since(began));
        let mut times: Vec<Duration> = results.iter().flat_map(|result| result.times.iter().copied()).collect();
        times.sort_unstable();
        let percentile = |percent: usize| {
            let rank = (times.len() * percent).div_ceil(100).saturating_sub(1);
            times.get(rank).copied().unwrap_or_default()
        };
        let group = results.iter().find_map(|result| result.group);
        Ok(Rate {
            version: self.version,
            key: self.key.clone(),
            group,
            resumed: self.resumed,
            count: times.len(),
            jobs: workload.jobs,
            total: total.unwrap_or_default(),
            median: percentile(50),
            p95: percentile(95),
            p99: percentile(99),
            bytes: results.iter().map(|result| result.bytes).max().unwrap_or_default(),
        })
    }

    /// Carries out handshakes until `count` is reached. Each job has its own client, so that no other job uses up its
    /// tickets.
    fn work(&self, count: usize, next: &AtomicUsize, start: &Barrier) -> Result<JobResult, HandshakeError> {
        let resumption = if self.resumed { Resumption::in_memory_sessions(8) } else { Resumption::disabled() };
        let configs = without_key_log(&self.configs, resumption);
        // The first handshake provides the ticket that the others resume, and warms the caches.
        let warmed = exchange::play(&configs);
        start.wait();
        let began = Instant::now();
        let mut result = JobResult { times: Vec::new(), bytes: 0, group: None, began, ended: began };
        warmed?;
        while next.fetch_add(1, Ordering::Relaxed) < count {
            let exchange = exchange::play(&configs)?;
            result.times.push(self.time_of(&exchange)?);
            result.bytes = exchange.flights.iter().map(|flight| flight.bytes.len()).sum();
            result.group = exchange.group;
        }
        result.ended = Instant::now();
        Ok(result)
    }

    fn time_of(&self, exchange: &Exchange) -> Result<Duration, HandshakeError> {
        let unsteady = |reason: String| HandshakeError::Unsteady { version: self.version, reason };
        if exchange.resumed != self.resumed {
            return Err(unsteady(
                if self.resumed { "it was not taken up again" } else { "it was taken up again" }.to_owned(),
            ));
        }
        exchange.handshake.filter(|_| exchange.passed()).ok_or_else(|| unsteady("it did not pass".to_owned()))
    }
}

/// The result of one job.
struct JobResult {
    times: Vec<Duration>,
    bytes: usize,
    group: Option<NamedGroup>,
    began: Instant,
    ended: Instant,
}

/// Returns the configurations without a key log, which would cost time.
fn without_key_log(configs: &ConfigPair, resumption: Resumption) -> ConfigPair {
    let (mut client, mut server) = ((*configs.client).clone(), (*configs.server).clone());
    client.key_log = Arc::new(NoKeyLog);
    server.key_log = Arc::new(NoKeyLog);
    client.resumption = resumption;
    ConfigPair {
        client: client.into(),
        server: server.into(),
        host_name: configs.host_name.clone(),
        secrets: configs.secrets.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::Hierarchy;
    use super::*;
    use crate::tls::NamedGroup;
    use crate::x509::KeyAlgorithm;

    #[test]
    fn full_and_resumed_handshakes_are_counted_apart_in_both_versions() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let test = hierarchy.test(&[TlsVersion::Tls13, TlsVersion::Tls12]);
        let rates = measure(&test, Workload { count: 3, jobs: 1 }, &mut |_| ()).unwrap();
        assert!(rates.iter().all(|rate| rate.total >= rate.p99), "the whole took no less than one of them");
        let kinds: Vec<_> = rates.iter().map(|rate| (rate.version, rate.resumed, rate.count)).collect();
        let (new, old) = (TlsVersion::Tls13, TlsVersion::Tls12);
        assert_eq!(kinds, [(new, false, 3), (new, true, 3), (old, false, 3), (old, true, 3)]);
        assert!(rates[1].bytes < rates[0].bytes && rates[3].bytes < rates[2].bytes);
        assert!(rates.iter().all(|rate| rate.median <= rate.p95 && rate.p95 <= rate.p99));
    }

    #[test]
    fn a_handshake_that_ends_otherwise_than_the_others_is_not_measured() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let test = hierarchy.test(&[TlsVersion::Tls13]);
        let mut plan = MeasurePlan::new(Workload { count: 2, jobs: 1 });
        plan.add(&good_case(&test, TlsVersion::Tls13).unwrap(), "ecdsa-p256").unwrap();
        let reason_of = |reported: Result<Duration, HandshakeError>| match reported {
            Err(HandshakeError::Unsteady { reason, .. }) => reason,
            other => panic!("{other:?}"),
        };
        let [full, resumed] = &plan.runs[..] else { panic!("two runs") };
        let mut exchange = exchange::play(&full.configs).unwrap();
        assert!(full.time_of(&exchange).is_ok());
        assert_eq!(reason_of(resumed.time_of(&exchange)), "it was not taken up again");
        exchange.resumed = true;
        assert_eq!(reason_of(full.time_of(&exchange)), "it was taken up again");
        exchange.resumed = false;
        // The handshake succeeded, but the application data did not arrive.
        exchange.to_client = 0;
        assert_eq!(reason_of(full.time_of(&exchange)), "it did not pass");
        // A server that sends no tickets.
        let mut server = (*resumed.configs.server).clone();
        server.send_tls13_tickets = 0;
        plan.runs[1].configs.server = server.into();
        assert!(matches!(plan.play(&mut |_| ()), Err(HandshakeError::Unsteady { .. })));
    }

    #[test]
    fn what_took_no_time_has_no_rate() {
        assert_eq!((per_second(4, Duration::ZERO), per_second(4, Duration::from_secs(2))), (0.0, 2.0));
    }

    #[test]
    fn jobs_share_the_work_and_progress_is_reported() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let mut reported = Vec::new();
        let workload = Workload { count: 50, jobs: 4 };
        let test = hierarchy.test(&[TlsVersion::Tls13]);
        let rates = measure(&test, workload, &mut |progress| reported.push((progress.done, progress.of))).unwrap();
        assert_eq!(rates.iter().map(|rate| (rate.count, rate.jobs)).collect::<Vec<_>>(), [(50, 4), (50, 4)]);
        assert!(rates.iter().all(|rate| rate.group == Some(NamedGroup::X25519_MLKEM768) && rate.key == "ecdsa-p256"));
        assert!(reported.is_sorted() && reported.iter().all(|(done, of)| done <= of && *of == 100), "{reported:?}");
    }
}
