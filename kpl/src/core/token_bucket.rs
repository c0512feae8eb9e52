//! A shard's allowance of records and bytes, taken together, with debt.
//!
//! Invariant: over any time, what was taken is at most the capacity plus the rate times that time, plus one record.
//! A record larger than the bucket passes when the bucket is not in debt, and the debt is worked off afterwards; a
//! bucket without debt would never let a 10 MiB record through.

use std::time::Duration;

use crate::types::Moment;

/// Two allowances that are taken at once.
#[derive(Debug, Clone)]
pub(crate) struct TokenBucket {
    records: Allowance,
    bytes: Allowance,
    refilled_at: Moment,
}

#[derive(Debug, Clone)]
struct Allowance {
    capacity: f64,
    per_second: f64,
    left: f64,
}

impl TokenBucket {
    /// A full bucket that holds one second's worth and refills at these rates.
    pub(crate) fn new(records_per_second: f64, bytes_per_second: f64, now: Moment) -> Self {
        let full = |per_second| Allowance { capacity: per_second, per_second, left: per_second };
        Self { records: full(records_per_second), bytes: full(bytes_per_second), refilled_at: now }
    }

    /// Takes one record of `bytes`, unless the bucket is in debt: then says when it will not be.
    pub(crate) fn take(&mut self, bytes: usize, now: Moment) -> Result<(), Moment> {
        let elapsed = now.since(self.refilled_at).as_secs_f64();
        self.refilled_at = self.refilled_at.max(now);
        self.records.refill(elapsed);
        self.bytes.refill(elapsed);
        let wait = self.records.seconds_to_credit().max(self.bytes.seconds_to_credit());
        if wait > 0.0 {
            // A nanosecond more than needed, so that the wake-up finds credit in spite of rounding.
            return Err(now.plus(Duration::from_secs_f64(wait)).plus(Duration::from_nanos(1)));
        }
        self.records.left -= 1.0;
        self.bytes.left -= bytes as f64;
        Ok(())
    }
}

impl Allowance {
    fn refill(&mut self, elapsed_seconds: f64) {
        self.left = (self.left + elapsed_seconds * self.per_second).min(self.capacity);
    }

    fn seconds_to_credit(&self) -> f64 {
        // Credit starts a hair above zero: floating point rarely lands on it exactly.
        const HAIR: f64 = 1e-6;
        if self.left > 0.0 { 0.0 } else { (HAIR - self.left) / self.per_second }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Moment {
        Moment::after_origin(Duration::from_millis(milliseconds))
    }

    #[test]
    fn admits_no_more_than_rate_and_capacity() {
        let mut bucket = TokenBucket::new(100.0, 1e9, at(0));
        let taken =
            |bucket: &mut TokenBucket, now| (0..1000).filter(|_| bucket.take(1, at(now)).is_ok()).count();
        assert_eq!(taken(&mut bucket, 0), 100, "full at the start");
        assert_eq!(taken(&mut bucket, 100), 10);
        assert_eq!(taken(&mut bucket, 400), 30);
        assert_eq!(taken(&mut bucket, 60_000), 100, "never above the capacity");
    }

    #[test]
    fn a_record_larger_than_the_bucket_passes_and_is_paid_for() {
        let mut bucket = TokenBucket::new(1000.0, 1000.0, at(0));
        assert_eq!(bucket.take(10_000, at(0)), Ok(()));
        let again = bucket.take(1, at(0)).expect_err("in debt by 9,000 bytes");
        assert!(again > at(8_999) && again < at(9_002), "{again:?}");
        assert!(bucket.take(1, again).is_ok(), "the moment that it named is right");
    }

    #[test]
    fn time_that_goes_backwards_gives_nothing() {
        let mut bucket = TokenBucket::new(1.0, 1e9, at(5000));
        assert!(bucket.take(1, at(5000)).is_ok());
        assert!(bucket.take(1, at(1000)).is_err());
    }
}
