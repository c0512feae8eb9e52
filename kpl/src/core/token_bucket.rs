//! A shard's allowance of records and bytes, taken together, with debt.
//!
//! Invariant: over any time, what was taken is at most the capacity plus the rate times that time, plus one record. In the
//! second that begins with a full bucket an adaptive one gives no more than the rate or what the shard takes, whichever is
//! more: the service counts by the second, and would throttle a burst and what comes right behind it.
//! A record larger than the bucket passes when the bucket is not in debt, and the debt is worked off afterwards; a
//! bucket without debt would never let a 10 MiB record through. A shard that throttles gets less, and by and by more
//! again: other producers write to it too, and the pace at which all of them fit is nobody's to know.

use std::time::Duration;

use crate::limits::{SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND};
use crate::types::Moment;

/// How fast a bucket fills.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// What a shard takes.
    records_per_second: f64,
    bytes_per_second: f64,
    /// How much of that may be used: 1.5 of it, for example.
    most_share: f64,
    /// Whether a shard that throttles gets less for a while.
    is_adaptive: bool,
    growth: Growth,
}

/// Two allowances that are taken at once.
#[derive(Debug, Clone)]
pub(crate) struct TokenBucket {
    records: Allowance,
    bytes: Allowance,
    refilled_at: Moment,
    is_adaptive: bool,
    /// How much of what a shard takes counts now.
    share: f64,
    most_share: f64,
    growth: Growth,
    /// When the shard's throttling last made the share smaller.
    slowed_at: Option<Moment>,
    /// When the second is over that began with a full bucket.
    second_ends: Moment,
}

/// How the share grows while there is no trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Growth {
    /// Back to the largest share: it is a known shard's.
    Recover,
    /// By a quarter a second, until the first throttling: how many shards there are is not known.
    Probe,
    /// By three hundredths a second, without an end: about so many shards there are.
    Creep,
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

/// What is left of a share of more than the shard takes: this producer alone is enough to make it throttle. It is also
/// what is asked of a shard at first: an answer may take a second or more, and what is sent meanwhile is throttled, too.
const JUST_BELOW_THE_LIMIT: f64 = 0.9;

/// The part of a larger largest share that is asked of a shard at first: whoever configured that much wants it.
const FIRST_PART: f64 = 0.6;

/// The service counts by it.
const SECOND: Duration = Duration::from_secs(1);

/// How much of a second's worth a shard that throttled lately saves up, and how long that is so: what came in one burst
/// would be throttled again.
const SAVED_AFTER_THROTTLING: f64 = 0.05;
const CAUTIOUS_FOR: Duration = Duration::from_secs(10);

/// What a share without an end is multiplied by in a second, before the first trouble and after it.
const PROBE_PER_SECOND: f64 = 1.25;
const CREEP_PER_SECOND: f64 = 1.03;

/// What the share gains in a second without trouble: below what a shard takes, and above it before the first trouble; and
/// above it afterwards.
const RECOVERY_PER_SECOND: f64 = 0.05;
const RECOVERY_PER_SECOND_ABOVE: f64 = 0.005;

/// The smallest share.
const LEAST_SHARE: f64 = 0.02;

impl Pace {
    /// That percentage of what a shard takes.
    pub(crate) fn of_shard(rate_limit_percent: u32, is_adaptive: bool) -> Self {
        Self {
            records_per_second: SHARD_RECORDS_PER_SECOND,
            bytes_per_second: SHARD_BYTES_PER_SECOND,
            most_share: f64::from(rate_limit_percent) / 100.0,
            is_adaptive,
            growth: Growth::Recover,
        }
    }

    /// For a stream whose shards are not known: at first what one shard takes, or that percentage of it if it is less.
    pub(crate) fn of_unknown_shards(rate_limit_percent: u32) -> Self {
        Self { growth: Growth::Probe, ..Self::of_shard(rate_limit_percent.min(100), true) }
    }
}

impl TokenBucket {
    /// A full bucket. It holds one second's worth, but never more than the shard takes in a second. An adaptive one begins
    /// just below what the shard takes, and grows from there.
    pub(crate) fn new(pace: Pace, now: Moment) -> Self {
        let full = |per_second: f64| {
            let capacity = per_second * pace.most_share.min(1.0);
            Allowance { capacity, per_second, left: capacity }
        };
        let first_share = JUST_BELOW_THE_LIMIT.max(pace.most_share * FIRST_PART).min(pace.most_share);
        Self {
            records: full(pace.records_per_second),
            bytes: full(pace.bytes_per_second),
            refilled_at: now,
            is_adaptive: pace.is_adaptive,
            share: if pace.is_adaptive { first_share } else { pace.most_share },
            most_share: pace.most_share,
            growth: pace.growth,
            slowed_at: None,
            second_ends: Moment::ORIGIN,
        }
    }

    /// The same for a shard that gets records of this producer already, or is about to get many at once: nothing is saved
    /// up.
    pub(crate) fn in_use(pace: Pace, now: Moment) -> Self {
        let mut bucket = Self::new(pace, now);
        if bucket.is_adaptive {
            (bucket.records.left, bucket.bytes.left) = (0.0, 0.0);
            bucket.slowed_at = Some(now);
        }
        bucket
    }

    /// Takes one record of `bytes`, unless the bucket is in debt: then says when it will not be.
    pub(crate) fn take(&mut self, bytes: usize, now: Moment) -> Result<(), Moment> {
        self.refill(now);
        let wait = self.seconds_to_credit(now);
        if wait > 0.0 {
            // A nanosecond more than needed, so that the wake-up finds credit in spite of rounding.
            return Err(now.plus(Duration::from_secs_f64(wait)).plus(Duration::from_nanos(1)));
        }
        if self.is_adaptive && self.records.is_full() && self.bytes.is_full() {
            self.second_ends = now.plus(SECOND);
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
        now.plus(Duration::from_secs_f64(after.seconds_to_credit(now)))
    }

    /// The shard throttled: less from now on, and nothing saved up.
    pub(crate) fn slow_down(&mut self, now: Moment) {
        self.refill(now);
        if !self.is_adaptive {
            return;
        }
        if !self.records.is_mostly_taken() && !self.bytes.is_mostly_taken() {
            // Others have taken this second's worth, and nobody knows when theirs ends.
            self.second_ends = now;
        }
        self.records.left = self.records.left.min(0.0);
        self.bytes.left = self.bytes.left.min(0.0);
        if self.slowed_at.is_some_and(|slowed| now.since(slowed) < SECOND) {
            return;
        }
        self.slowed_at = Some(now);
        self.share = match self.growth {
            Growth::Recover if self.share > 1.0 => JUST_BELOW_THE_LIMIT,
            _ => (self.share * THROTTLED).max(LEAST_SHARE.min(self.most_share)),
        };
        if self.growth == Growth::Probe {
            self.growth = Growth::Creep;
        }
    }

    fn seconds_to_credit(&self, now: Moment) -> f64 {
        let worth = self.records.seconds_to_credit().max(self.bytes.seconds_to_credit());
        let (left_of_second, share_in_it) =
            (self.second_ends.since(now).as_secs_f64(), self.share_behind_burst());
        match worth - left_of_second * share_in_it {
            beyond if beyond > 0.0 => left_of_second + beyond / self.share,
            _ if worth > 0.0 => worth / share_in_it,
            _ => 0.0,
        }
    }

    fn gain_above_limit(&self) -> f64 {
        if self.slowed_at.is_none() { RECOVERY_PER_SECOND } else { RECOVERY_PER_SECOND_ABOVE }
    }

    /// What counts of the share in the second that began with a full bucket, which gave what the shard takes in it.
    fn share_behind_burst(&self) -> f64 {
        (self.share - 1.0).max(0.0)
    }

    fn refill(&mut self, now: Moment) {
        let elapsed = now.since(self.refilled_at).as_secs_f64();
        let behind_burst = now.min(self.second_ends).since(self.refilled_at).as_secs_f64();
        let worth = behind_burst * self.share_behind_burst() + (elapsed - behind_burst) * self.share;
        self.refilled_at = self.refilled_at.max(now);
        let is_cautious = self.slowed_at.is_some_and(|slowed| now.since(slowed) < CAUTIOUS_FOR);
        let saved = if is_cautious { SAVED_AFTER_THROTTLING } else { 1.0 };
        self.records.refill(worth, saved);
        self.bytes.refill(worth, saved);
        self.share = match self.growth {
            Growth::Recover => recovered(self.share, self.most_share, self.gain_above_limit(), elapsed),
            Growth::Probe => self.share * PROBE_PER_SECOND.powf(elapsed),
            Growth::Creep => self.share * CREEP_PER_SECOND.powf(elapsed),
        };
    }
}

/// The share of a known shard after so many seconds without trouble; `gain` is what it gains in one beyond the knee.
fn recovered(share: f64, most_share: f64, gain: f64, seconds: f64) -> f64 {
    let knee = JUST_BELOW_THE_LIMIT.min(most_share);
    let seconds_to_knee = ((knee - share) / RECOVERY_PER_SECOND).max(0.0);
    if seconds < seconds_to_knee {
        return share + seconds * RECOVERY_PER_SECOND;
    }
    (share.max(knee) + (seconds - seconds_to_knee) * gain).min(most_share)
}

impl Allowance {
    /// Fills up to that part of the capacity.
    fn refill(&mut self, elapsed_seconds: f64, part: f64) {
        self.left = (self.left + elapsed_seconds * self.per_second).min(self.capacity * part);
    }

    fn is_full(&self) -> bool {
        self.left >= self.capacity
    }

    fn is_mostly_taken(&self) -> bool {
        self.left < self.capacity / 2.0
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
        TokenBucket::new(bucket_pace(records_per_second, bytes_per_second), now)
    }

    /// One whose pace never changes.
    fn steady(records_per_second: f64, bytes_per_second: f64, now: Moment) -> TokenBucket {
        let pace = bucket_pace(records_per_second, bytes_per_second);
        TokenBucket::new(Pace { is_adaptive: false, ..pace }, now)
    }

    fn taken(bucket: &mut TokenBucket, milliseconds: u64) -> usize {
        (0..10_000).take_while(|_| bucket.take(1, at(milliseconds)).is_ok()).count()
    }

    fn bucket_pace(records_per_second: f64, bytes_per_second: f64) -> Pace {
        let (most_share, growth) = (1.0, Growth::Recover);
        Pace { records_per_second, bytes_per_second, most_share, is_adaptive: true, growth }
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
        assert!((620..=700).contains(&first), "{first}");
        for second in 1..=20 {
            bucket.slow_down(at(1000 * second));
        }
        let least = in_a_second(&mut bucket, 20_000);
        assert!((100..=180).contains(&least), "what it gains in a second is soon lost again: {least}");
        in_a_second(&mut bucket, 60_000);
        let recovered = in_a_second(&mut bucket, 61_000);
        assert!((990..=1010).contains(&recovered), "{recovered}");
    }

    #[test]
    fn what_throttles_within_a_second_is_the_same_trouble() {
        let pace = Pace { most_share: 1.5, ..bucket_pace(1000.0, 1e9) };
        let mut bucket = TokenBucket::new(pace, at(0));
        bucket.share = 1.5;
        for (milliseconds, share) in [(0, 0.9), (500, 0.9), (999, 0.9), (1000, 0.63), (1500, 0.655)] {
            bucket.slow_down(at(milliseconds));
            assert!((bucket.share - share).abs() < 0.006, "{} after {milliseconds} ms", bucket.share);
        }
    }

    #[test]
    fn a_shard_that_throttled_gets_no_burst() {
        let mut bucket = bucket(1000.0, 1e9, at(0));
        assert_eq!((0..2000).take_while(|_| bucket.take(1, at(0)).is_ok()).count(), 1000);
        bucket.slow_down(at(10));
        let after_a_pause = (0..2000).take_while(|_| bucket.take(1, at(2000)).is_ok()).count();
        assert!(after_a_pause <= 51, "{after_a_pause}");
    }

    /// Nobody knows how many shards there are.
    #[test]
    fn the_pace_of_unknown_shards_grows_until_they_throttle() {
        let mut bucket = TokenBucket::new(Pace::of_unknown_shards(150), at(0));
        let mut shares = Vec::new();
        for second in 1..=20 {
            let _ = bucket.take(1, at(1000 * second));
            if second == 10 {
                bucket.slow_down(at(1000 * second));
            }
            shares.push(bucket.share);
        }
        assert!(shares[3] > 2.0 && shares[8] > 6.0, "{shares:?}");
        assert!(shares[9] < shares[8] && shares[19] > shares[9] * 1.2, "{shares:?}");
    }

    #[test]
    fn admits_no_more_than_rate_and_capacity() {
        let mut bucket = steady(100.0, 1e9, at(0));
        assert_eq!(taken(&mut bucket, 0), 100, "full at the start");
        assert_eq!(taken(&mut bucket, 100), 10);
        assert_eq!(taken(&mut bucket, 400), 30);
        assert_eq!(taken(&mut bucket, 60_000), 100, "never above the capacity");
    }

    /// With a service whose seconds begin with the burst, nothing is throttled until the share is above 1.
    #[test]
    fn behind_a_burst_nothing_comes_within_the_same_second() {
        for (rate_limit, burst, next) in
            [(150, 1000, 900..=1000), (100, 1000, 900..=1000), (50, 500, 480..=500)]
        {
            let mut bucket = TokenBucket::new(Pace::of_shard(rate_limit, true), at(0));
            assert_eq!(taken(&mut bucket, 0), burst, "{rate_limit}");
            let mut later =
                |from: u64| (1..50_u64).map(|tick| taken(&mut bucket, from + 20 * tick)).sum::<usize>();
            let (behind, second) = (later(0), later(1000));
            assert!(behind == 0 && next.contains(&second), "{rate_limit}: {behind}, then {second}");
        }
    }

    #[test]
    fn a_burst_that_throttles_waits_for_the_next_second_and_a_single_record_does_not() {
        for (burst, waits) in [(1000, true), (600, true), (1, false)] {
            let mut bucket = TokenBucket::new(Pace::of_shard(150, true), at(0));
            assert!((0..burst).all(|_| bucket.take(1, at(0)).is_ok()));
            bucket.slow_down(at(20));
            assert_eq!(bucket.take(1, at(100)).is_err(), waits, "{burst}");
            assert!(bucket.take(1, at(1100)).is_ok());
        }
    }

    #[test]
    fn a_shard_without_trouble_gets_all_of_its_rate_soon() {
        let mut bucket = TokenBucket::new(Pace::of_shard(150, true), at(0));
        let mut a_second =
            |from: u64| (0..50).map(|tick| taken(&mut bucket, from + 20 * tick)).sum::<usize>();
        let seconds: Vec<_> = (0..15).map(|second| a_second(1000 * second)).collect();
        assert!(seconds.is_sorted_by(|one, next| *one <= next + 100), "{seconds:?}");
        assert!((1450..=1520).contains(&seconds[14]), "{seconds:?}");
    }

    #[test]
    fn a_rate_limit_that_is_lifted_holds_nothing_up() {
        let mut bucket = TokenBucket::new(Pace::of_shard(u32::MAX, true), at(0));
        let taken: usize = (0..10).map(|millisecond| taken(&mut bucket, millisecond)).sum();
        assert_eq!(taken, 10_000, "a full bucket each time");
    }

    #[test]
    fn a_record_larger_than_the_bucket_passes_and_is_paid_for() {
        let mut bucket = steady(1000.0, 1000.0, at(0));
        assert_eq!(bucket.take(10_000, at(0)), Ok(()));
        let again = bucket.take(1, at(0)).expect_err("in debt by 9,000 bytes");
        assert!(again > at(8_999) && again < at(9_002), "{again:?}");
        assert!(bucket.take(1, again).is_ok(), "the moment that it named is right");
    }

    #[test]
    fn credit_is_foreseen() {
        let bucket = steady(10.0, 100.0, at(0));
        let table = [((0, 0), 0), ((9, 99), 0), ((20, 0), 1000), ((0, 300), 2000), ((20, 300), 2000)];
        for ((records, bytes), milliseconds) in table {
            let foreseen = bucket.credit_after(records, bytes, at(0));
            assert_eq!(foreseen.since(at(0)).as_millis(), milliseconds, "{records} records, {bytes} bytes");
        }
        assert_eq!(bucket.credit_after(20, 0, at(0)).since(at(600)).as_millis(), 400);
        let mut slow = TokenBucket::new(bucket_pace(10.0, 100.0), at(0));
        slow.slow_down(at(0));
        let wait =
            |bucket: &TokenBucket, records| bucket.credit_after(records, 0, at(0)).since(at(0)).as_millis();
        assert_eq!(wait(&slow, 63), 10_000, "at the pace that counts now");
        let mut burst = TokenBucket::new(bucket_pace(10.0, 100.0), at(0));
        assert_eq!(burst.take(1, at(0)), Ok(()));
        assert_eq!(wait(&burst, 18), 2000, "not within the second of the burst");
    }

    #[test]
    fn time_that_goes_backwards_gives_nothing() {
        let mut bucket = bucket(1.0, 1e9, at(5000));
        assert!(bucket.take(1, at(5000)).is_ok());
        assert!(bucket.take(1, at(1000)).is_err());
    }
}
