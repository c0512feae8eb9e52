//! How long a listing of shards may take: longer after each one that had no answer in its time.
//!
//! Invariant: from once to eight times the configured limit; a limit that was enough for a listing is kept for the next
//! ones, and given up step by step.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::put_records::{CallError, ShardListing};
use crate::transport::aws::CallTimeouts;

/// How often the limit is doubled at most: 6, 12, 24, 48 s.
const MOST_DOUBLINGS: u32 = 3;

/// Listings in a row that have to succeed before the limit is halved again.
const SUCCESSES: u32 = 8;

/// The present limit, shared by all streams of a transport: the line is the same.
#[derive(Debug, Clone, Default)]
pub(super) struct ListingPatience {
    doublings: Arc<AtomicU32>,
    successes: Arc<AtomicU32>,
}

impl ListingPatience {
    /// The time limits of the next listing.
    pub(super) fn timeouts(&self, configured: CallTimeouts) -> CallTimeouts {
        let times = 1 << self.doublings.load(Ordering::Relaxed).min(MOST_DOUBLINGS);
        CallTimeouts { request: configured.request.saturating_mul(times), ..configured }
    }

    /// Learns from a listing.
    pub(super) fn note(&self, listing: &Result<ShardListing, CallError>) {
        match listing {
            Ok(_) if self.successes.fetch_add(1, Ordering::Relaxed) + 1 >= SUCCESSES => {
                self.successes.store(0, Ordering::Relaxed);
                self.change(|doublings| doublings.saturating_sub(1));
            }
            Err(error) if error.is_timeout() => {
                self.successes.store(0, Ordering::Relaxed);
                self.change(|doublings| (doublings + 1).min(MOST_DOUBLINGS));
            }
            _ => {}
        }
    }

    fn change(&self, change: impl Fn(u32) -> u32) {
        // The closure always has a value, so this cannot fail.
        let _ = self.doublings.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| Some(change(now)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::put_records::Doubt;
    use std::time::Duration;

    fn failure(code: &str) -> Result<ShardListing, CallError> {
        Err(CallError { code: code.into(), message: "".into(), doubt: Doubt::NotWritten })
    }

    #[test]
    fn a_listing_that_timed_out_has_longer_the_next_time() {
        let patience = ListingPatience::default();
        let seconds = || patience.timeouts(CallTimeouts::default()).request.as_secs();
        for expected in [6, 12, 24, 48, 48] {
            assert_eq!(seconds(), expected);
            patience.note(&failure("Timeout"));
        }
        patience.note(&failure("DispatchFailure"));
        assert_eq!(seconds(), 48, "another failure says nothing about the line");
        for expected in [24, 12, 6, 6] {
            (1..SUCCESSES).for_each(|_| patience.note(&Ok(ShardListing::default())));
            assert!(seconds() > expected || expected == 6, "what was enough is kept");
            patience.note(&Ok(ShardListing::default()));
            assert_eq!(seconds(), expected);
        }
        assert_eq!(patience.timeouts(CallTimeouts::default()).connect, Duration::from_secs(6));
    }
}
