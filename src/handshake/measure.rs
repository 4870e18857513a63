//! How fast: the good case many times over, in full and resumed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::NoKeyLog;
use rustls::client::Resumption;

use super::exchange::{self, Exchange};
use super::registry::TlsVersion;
use super::scenario::Ends;
use super::session::{self, HandshakeError, HandshakeTest};

/// The figures of one kind of handshake. Both sides are computed by one thread: what two machines share, one does here.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    pub version: TlsVersion,
    /// Taken up from an earlier session, without certificates.
    pub resumed: bool,
    pub count: usize,
    /// For all of them, with connecting and a few octets each way.
    pub total: Duration,
    pub median: Duration,
    /// 95 of 100 took no longer.
    pub p95: Duration,
    /// 99 of 100 took no longer.
    pub p99: Duration,
    /// Octets on the wire for one of them, both directions together.
    pub octets: usize,
}

impl Rate {
    /// Handshakes per second.
    pub fn per_second(&self) -> f64 {
        per_second(self.count, self.total)
    }
}

/// So many in this time, per second.
pub fn per_second(count: usize, total: Duration) -> f64 {
    if total.is_zero() { 0.0 } else { count as f64 / total.as_secs_f64() }
}

/// Plays the good case `count` times in full and `count` times resumed, in every version of the test.
///
/// # Errors
/// When the test cannot be held, as for [`super::run`].
pub fn measure(test: &HandshakeTest<'_>, count: usize) -> Result<Vec<Rate>, HandshakeError> {
    let mut rates = Vec::new();
    for version in test.versions {
        let ends = session::good_case(test, *version)?.ends()?;
        rates.extend(repeat(&quiet(&ends, Resumption::disabled()), *version, count)?);
        let resuming = quiet(&ends, Resumption::in_memory_sessions(8));
        // The first is a full one, and leaves behind what the others take up.
        exchange::play(&resuming)?;
        rates.extend(repeat(&resuming, *version, count)?);
    }
    Ok(rates)
}

/// The same ends without a key log: what nobody reads must not be paid for.
fn quiet(ends: &Ends, resumption: Resumption) -> Ends {
    let (mut client, mut server) = ((*ends.client).clone(), (*ends.server).clone());
    client.key_log = Arc::new(NoKeyLog);
    server.key_log = Arc::new(NoKeyLog);
    client.resumption = resumption;
    Ends {
        client: client.into(),
        server: server.into(),
        host_name: ends.host_name.clone(),
        secrets: ends.secrets.clone(),
    }
}

/// The figures, or nothing if an exchange did not pass or no exchange was asked for.
fn repeat(ends: &Ends, version: TlsVersion, count: usize) -> Result<Option<Rate>, HandshakeError> {
    let mut times = Vec::with_capacity(count);
    let mut last: Option<Exchange> = None;
    let began = Instant::now();
    for _ in 0..count {
        let exchange = exchange::play(ends)?;
        let Some(handshake) = exchange.handshake.filter(|_| exchange.passed()) else { return Ok(None) };
        times.push(handshake);
        last = Some(exchange);
    }
    let total = began.elapsed();
    times.sort_unstable();
    let percentile = |percent: usize| times.get((count * percent).div_ceil(100).saturating_sub(1)).copied();
    Ok(last.and_then(|exchange| {
        Some(Rate {
            version,
            resumed: exchange.resumed,
            count,
            total,
            median: percentile(50)?,
            p95: percentile(95)?,
            p99: percentile(99)?,
            octets: exchange.flights.iter().map(|flight| flight.octets.len()).sum(),
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::Hierarchy;
    use super::*;
    use crate::x509::KeyAlgorithm;

    #[test]
    fn full_and_resumed_handshakes_are_counted_apart_in_both_versions() {
        let hierarchy = Hierarchy::new(KeyAlgorithm::EcdsaP256);
        let rates = measure(&hierarchy.test(&[TlsVersion::Tls13, TlsVersion::Tls12]), 3).unwrap();
        let kinds: Vec<_> = rates.iter().map(|rate| (rate.version, rate.resumed, rate.count)).collect();
        let (new, old) = (TlsVersion::Tls13, TlsVersion::Tls12);
        assert_eq!(kinds, [(new, false, 3), (new, true, 3), (old, false, 3), (old, true, 3)]);
        assert!(rates[1].octets < rates[0].octets && rates[3].octets < rates[2].octets);
        assert!(rates.iter().all(|rate| rate.median <= rate.p95 && rate.p95 <= rate.p99));
    }
}
