//! Whether a file that is exactly as long as what was read of it has to be compared with that: it may have been written
//! anew in that length.
//!
//! The time of the last write says so, but not within the moment of the write: a second one within the grain of the file
//! system's clock leaves no trace. So a comparison counts for good only if the time had stood still for longer than any
//! grain before it began.
//!
//! Invariant: of a file that is not written to any more there are two comparisons at most.

use std::time::Duration;

use crate::types::Moment;

/// Longer than the grain of any file system's clock; FAT counts in two seconds.
const GRAIN: Duration = Duration::from_secs(3);

/// When a file was last written to, and when its content was last seen to be what was read.
#[derive(Debug, Default)]
pub struct LastWrite {
    modified: u64,
    /// Since when that is the time of the last write.
    since: Moment,
    /// When it was last looked at.
    looked: Moment,
    /// When the look was of which the content was compared.
    compared: Option<Moment>,
}

impl LastWrite {
    /// Notes a look.
    pub fn seen(&mut self, modified: u64, now: Moment) {
        if self.modified != modified {
            (self.modified, self.since, self.compared) = (modified, now, None);
        }
        self.looked = now;
    }

    /// The content was seen, after the last look, to be what was read.
    pub fn compared(&mut self) {
        self.compared = Some(self.looked);
    }

    /// Whether it has to be compared.
    #[must_use]
    pub fn is_to_be_compared(&self, now: Moment) -> bool {
        let still_for = |moment: Moment| moment.since(self.since) >= GRAIN;
        self.compared.is_none_or(|compared| !still_for(compared) && still_for(now))
    }

    /// In nanoseconds since 1970.
    #[must_use]
    pub fn modified(&self) -> u64 {
        self.modified
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_compared_when_it_was_written_to_and_once_more() {
        let mut last = LastWrite::default();
        // Milliseconds, the time of the last write, whether it is compared then.
        for (millis, modified, expected) in [
            (0, 5, true),
            (100, 5, false),
            (200, 6, true),
            (300, 6, false),
            (3_199, 6, false),
            (3_200, 6, true),
            (3_300, 6, false),
            (90_000, 6, false),
            (90_100, 4, true),
            (95_000, 4, true),
            (96_000, 4, false),
        ] {
            let now = Moment::ORIGIN.plus(Duration::from_millis(millis));
            last.seen(modified, now);
            assert_eq!(last.is_to_be_compared(now), expected, "{millis} {modified}");
            if expected {
                last.compared();
            }
        }
    }
}
