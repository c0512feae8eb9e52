//! How long to wait before trying again: exponential backoff with full jitter.
//!
//! Invariant: a wait is never longer than the cap, and waits of many producers spread evenly from zero to it.

use std::time::Duration;

const BASE: Duration = Duration::from_millis(50);
const CAP: Duration = Duration::from_secs(5);

/// A wait after `failures` failures in a row (1 for the first): uniform from zero to 50 ms doubled with each further
/// failure, at most 5 s.
pub(crate) fn full_jitter(failures: u32, random: &mut fastrand::Rng) -> Duration {
    full_ceiling(failures).mul_f64(random.f64())
}

fn full_ceiling(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    (BASE * 2u32.pow(doublings)).min(CAP)
}

/// How long a shard that throttled is left alone: half of it for certain, the rest by chance, because the service counts
/// by the second and what comes within the same one is throttled, too. 100 ms at most after the first failure, doubled
/// with each further one, at most 5 s.
pub(crate) fn throttle_pause(failures: u32, random: &mut fastrand::Rng) -> Duration {
    let ceiling = full_ceiling(failures.saturating_add(1));
    ceiling.mul_f64(0.5 + random.f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_fill_the_range() {
        let mut random = fastrand::Rng::with_seed(7);
        for (failures, ceiling_ms) in [(1, 50), (2, 100), (5, 800), (8, 5000), (1000, 5000)] {
            let ceiling = Duration::from_millis(ceiling_ms);
            let waits: Vec<_> = (0..500).map(|_| full_jitter(failures, &mut random)).collect();
            assert!(waits.iter().all(|wait| *wait <= ceiling), "{failures}");
            assert!(waits.iter().any(|wait| *wait < ceiling / 4), "{failures}: reaches down");
            assert!(waits.iter().any(|wait| *wait > ceiling * 3 / 4), "{failures}: reaches up");
        }
    }
}
