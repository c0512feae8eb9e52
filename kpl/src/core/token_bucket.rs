//! A shard's allowance of records and bytes, taken together, with debt.
//!
//! Invariant: over any time, what was taken is at most the capacity plus the rate times that time, plus one record.
//! A record larger than the bucket passes when the bucket is not in debt, and the debt is worked off afterwards; a
//! bucket without debt would never let a 10 MiB record through. A shard that throttles gets less, and by and by more
//! again: other producers write to it too, and the pace at which all of them fit is nobody's to know.

use std::time::Duration;

use crate::limits::{SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND};
use crate::types::Moment;

/// How fast a bucket fills.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    records_per_second: f64,
    bytes_per_second: f64,
    /// Whether a shard that throttles gets less for a while.
    is_adaptive: bool,
}

/// Two allowances that are taken at once.
#[derive(Debug, Clone)]
pub(crate) struct TokenBucket {
    records: Allowance,
    bytes: Allowance,
    refilled_at: Moment,
    is_adaptive: bool,
    /// Part of the pace that counts now: less than one after the shard throttled.
    share: f64,
}

#[derive(Debug, Clone)]
struct Allowance {
    capacity: f64,
    per_second: f64,
    left: f64,
}

/// What is left of the share when the shard throttles. It throttles because it gets more than it takes, from this
/// producer or from all together, so all give way.
const THROTTLED: f64 = 0.7;

/// What the share gains in a second without trouble.
const RECOVERY_PER_SECOND: f64 = 0.05;

/// The smallest share.
const LEAST_SHARE: f64 = 0.02;

impl Pace {
    /// That percentage of what a shard takes.
    pub(crate) fn of_shard(rate_limit_percent: u32, is_adaptive: bool) -> Self {
        let part = f64::from(rate_limit_percent) / 100.0;
        Self {
            records_per_second: SHARD_RECORDS_PER_SECOND * part,
            bytes_per_second: SHARD_BYTES_PER_SECOND * part,
            is_adaptive,
        }
    }
}

impl TokenBucket {
    /// A full bucket that holds one second's worth.
    pub(crate) fn new(pace: Pace, now: Moment) -> Self {
        let full = |per_second| Allowance { capacity: per_second, per_second, left: per_second };
        Self {
            records: full(pace.records_per_second),
            bytes: full(pace.bytes_per_second),
            refilled_at: now,
            is_adaptive: pace.is_adaptive,
            share: 1.0,
        }
    }

    /// Takes one record of `bytes`, unless the bucket is in debt: then says when it will not be.
    pub(crate) fn take(&mut self, bytes: usize, now: Moment) -> Result<(), Moment> {
        self.refill(now);
        let wait = self.seconds_to_credit();
        if wait > 0.0 {
            // A nanosecond more than needed, so that the wake-up finds credit in spite of rounding.
            return Err(now.plus(Duration::from_secs_f64(wait)).plus(Duration::from_nanos(1)));
        }
        self.records.left -= 1.0;
        self.bytes.left -= bytes as f64;
        Ok(())
    }

    /// When there would be credit again if so many records and bytes were taken before. Takes nothing.
    pub(crate) fn credit_after(&self, records: usize, bytes: usize, now: Moment) -> Moment {
        let mut after = self.clone();
        after.refill(now);
        after.records.left -= records as f64;
        after.bytes.left -= bytes as f64;
        now.plus(Duration::from_secs_f64(after.seconds_to_credit()))
    }

    /// The shard throttled: less from now on, and nothing saved up.
    pub(crate) fn slow_down(&mut self, now: Moment) {
        self.refill(now);
        if self.is_adaptive {
            self.share = (self.share * THROTTLED).max(LEAST_SHARE);
            self.records.left = self.records.left.min(0.0);
            self.bytes.left = self.bytes.left.min(0.0);
        }
    }

    fn seconds_to_credit(&self) -> f64 {
        self.records.seconds_to_credit().max(self.bytes.seconds_to_credit()) / self.share
    }

    fn refill(&mut self, now: Moment) {
        let elapsed = now.since(self.refilled_at).as_secs_f64();
        self.refilled_at = self.refilled_at.max(now);
        self.records.refill(elapsed * self.share);
        self.bytes.refill(elapsed * self.share);
        self.share = (self.share + elapsed * RECOVERY_PER_SECOND).min(1.0);
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
mod conformance;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Moment {
        Moment::after_origin(Duration::from_millis(milliseconds))
    }

    fn bucket(records_per_second: f64, bytes_per_second: f64, now: Moment) -> TokenBucket {
        TokenBucket::new(Pace { records_per_second, bytes_per_second, is_adaptive: true }, now)
    }

    #[test]
    fn a_shard_that_throttles_gets_less_and_recovers() {
        let mut bucket = bucket(1000.0, 1e9, at(0));
        let in_a_second = |bucket: &mut TokenBucket, from: u64| {
            (0..100)
                .map(|tick| at(from + 10 * tick))
                .map(|now| (0..2000).take_while(|_| bucket.take(1, now).is_ok()).count())
                .sum::<usize>()
        };
        bucket.slow_down(at(0));
        let first = in_a_second(&mut bucket, 0);
        assert!((690..=780).contains(&first), "{first}");
        for _ in 0..20 {
            bucket.slow_down(at(1000));
        }
        let least = in_a_second(&mut bucket, 1000);
        assert!((15..=80).contains(&least), "{least}");
        in_a_second(&mut bucket, 30_000);
        let recovered = in_a_second(&mut bucket, 31_000);
        assert!((990..=1010).contains(&recovered), "{recovered}");
    }

    #[test]
    fn admits_no_more_than_rate_and_capacity() {
        let mut bucket = bucket(100.0, 1e9, at(0));
        let taken =
            |bucket: &mut TokenBucket, now| (0..1000).filter(|_| bucket.take(1, at(now)).is_ok()).count();
        assert_eq!(taken(&mut bucket, 0), 100, "full at the start");
        assert_eq!(taken(&mut bucket, 100), 10);
        assert_eq!(taken(&mut bucket, 400), 30);
        assert_eq!(taken(&mut bucket, 60_000), 100, "never above the capacity");
    }

    #[test]
    fn a_record_larger_than_the_bucket_passes_and_is_paid_for() {
        let mut bucket = bucket(1000.0, 1000.0, at(0));
        assert_eq!(bucket.take(10_000, at(0)), Ok(()));
        let again = bucket.take(1, at(0)).expect_err("in debt by 9,000 bytes");
        assert!(again > at(8_999) && again < at(9_002), "{again:?}");
        assert!(bucket.take(1, again).is_ok(), "the moment that it named is right");
    }

    #[test]
    fn credit_is_foreseen() {
        let bucket = bucket(10.0, 100.0, at(0));
        let table = [((0, 0), 0), ((9, 99), 0), ((20, 0), 1000), ((0, 300), 2000), ((20, 300), 2000)];
        for ((records, bytes), milliseconds) in table {
            let foreseen = bucket.credit_after(records, bytes, at(0));
            assert_eq!(foreseen.since(at(0)).as_millis(), milliseconds, "{records} records, {bytes} bytes");
        }
        assert_eq!(bucket.credit_after(20, 0, at(0)).since(at(600)).as_millis(), 400);
        let mut slow = bucket.clone();
        slow.slow_down(at(0));
        assert_eq!(
            slow.credit_after(7, 0, at(0)).since(at(0)).as_millis(),
            1000,
            "at the pace that counts now"
        );
    }

    #[test]
    fn time_that_goes_backwards_gives_nothing() {
        let mut bucket = bucket(1.0, 1e9, at(5000));
        assert!(bucket.take(1, at(5000)).is_ok());
        assert!(bucket.take(1, at(1000)).is_err());
    }
}
