//! One direction of the line: when it is free for the next chunk.
//!
//! Invariant: over any time the line carries at most its rate times that time and [`CATCH_UP`], and one chunk.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How much lost time the line makes good: on a busy machine the proxy's tasks run late, which must not slow the line.
const CATCH_UP: Duration = Duration::from_millis(100);

/// The schedule of one direction.
#[derive(Debug)]
pub(crate) struct Pace {
    bytes_per_second: f64,
    free_at: Mutex<Instant>,
}

impl Pace {
    pub(crate) fn new(bytes_per_second: u32) -> Self {
        Self { bytes_per_second: f64::from(bytes_per_second), free_at: Mutex::new(Instant::now()) }
    }

    /// Reserves the line for a chunk; answers when its last byte has left.
    pub(crate) fn reserve(&self, bytes: usize) -> Instant {
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let takes = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second);
        let now = Instant::now();
        *free_at = (*free_at).max(now.checked_sub(CATCH_UP).unwrap_or(now)) + takes;
        *free_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_second_carries_what_the_rate_says_and_an_idle_line_saves_little_up() {
        let (pace, start) = (Pace::new(10_000), Instant::now());
        for chunk in 1..=4_u32 {
            assert_eq!(pace.reserve(2_500) - start, Duration::from_millis(250) * chunk);
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(pace.reserve(2_500) - start, Duration::from_millis(60_150));
    }
}
