//! How long records took from being handed over to their outcome.

use std::time::Duration;

use tokio::time::Instant;

/// The sample, and what failed.
#[derive(Debug, Default)]
pub(crate) struct Latencies {
    pub(crate) failed: u64,
    sample: Vec<Duration>,
}

impl Latencies {
    #[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
    pub(crate) fn now() -> Instant {
        Instant::now()
    }

    pub(crate) fn note(&mut self, is_stored: bool, handed_over: Option<Instant>) {
        self.failed += u64::from(!is_stored);
        self.sample.extend(handed_over.map(|handed_over| Self::now() - handed_over));
    }

    /// The latencies below which these shares of the sample lie, in milliseconds.
    pub(crate) fn percentiles_ms<const N: usize>(&mut self, shares: [f64; N]) -> [f64; N] {
        self.sample.sort_unstable();
        let last = self.sample.len().saturating_sub(1);
        shares.map(|share| {
            let place = (last as f64 * share).round() as usize;
            self.sample.get(place).map_or(0.0, |latency| latency.as_secs_f64() * 1000.0)
        })
    }
}
