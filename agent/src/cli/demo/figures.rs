//! How far generator and agent are, as one set of numbers, and in words.
//!
//! Invariant: every number is one that somebody counted; ratios are of two of them, and a ratio of nothing is "-".

use std::time::Duration;

use super::generator::GeneratorProgress;
use crate::statistics::{DeliveryStatistics, FlowStatistics};

/// What one PUT payload unit holds (Kinesis Data Streams pricing).
const PAYLOAD_UNIT_BYTES: u64 = 25 * 1024;

/// What is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The application writes.
    Writing,
    /// It has ended; the agent ships the rest.
    Draining,
}

/// The numbers of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Figures {
    /// Since the start.
    pub(super) elapsed: Duration,
    /// Lines in the log, ever.
    pub(super) written: u64,
    /// Rotations by renaming.
    pub(super) renames: u64,
    /// Rotations by copytruncate.
    pub(super) copy_truncates: u64,
    /// Records that the agent cut from the files.
    pub(super) read: u64,
    /// Records in the calls so far, repeats included.
    pub(super) sent: u64,
    /// Records that the service acknowledged.
    pub(super) acknowledged: u64,
    /// Records that the agent dropped by rule.
    pub(super) dropped: u64,
    /// Bytes in the files that are not acknowledged.
    pub(super) bytes_behind: u64,
    /// PutRecords calls.
    pub(super) calls: u64,
    /// Those that failed as a whole.
    pub(super) failed_calls: u64,
    /// Kinesis records in the calls.
    pub(super) entries: u64,
    /// Kinesis records stored, as far as the answers told.
    pub(super) entries_put: u64,
    /// User records in them.
    pub(super) user_records_put: u64,
    /// Data bytes in them.
    pub(super) data_bytes_put: u64,
}

impl Figures {
    /// Reads the counters.
    pub(super) fn gather(
        elapsed: Duration,
        generator: &GeneratorProgress,
        flow: &FlowStatistics,
        deliveries: &DeliveryStatistics,
    ) -> Self {
        Self {
            elapsed,
            // Before the counters that follow from them, so that no line seems to be read before it was written.
            acknowledged: flow.records_acknowledged.get(),
            dropped: flow.records_dropped.get(),
            bytes_behind: flow.bytes_behind.get(),
            user_records_put: deliveries.user_records_put.get(),
            entries_put: deliveries.entries_put.get(),
            data_bytes_put: deliveries.data_bytes_put.get(),
            calls: deliveries.calls.get(),
            failed_calls: deliveries.failed_calls.get(),
            entries: deliveries.entries.get(),
            sent: deliveries.user_records.get(),
            read: flow.records_parsed.get(),
            renames: generator.renames.get(),
            copy_truncates: generator.copy_truncates.get(),
            written: generator.lines.get(),
        }
    }

    /// Lines without an acknowledgement.
    pub(super) fn lag(&self) -> u64 {
        self.written.saturating_sub(self.acknowledged)
    }

    /// Several lines for a terminal.
    pub(super) fn screen(&self, phase: Phase) -> Vec<String> {
        vec![
            format!("kinesis-agent demo  {:6.1} s  {}", self.elapsed.as_secs_f64(), phase.in_words()),
            format!("  written       {:>9} lines, rotated {}", self.written, self.rotations()),
            format!("  read          {:>9}", self.read),
            format!("  sent          {:>9}  (repeats included)", self.sent),
            format!("  acknowledged  {:>9}", self.acknowledged),
            format!("  lag           {:>9} lines, {}", self.lag(), bytes_in_words(self.bytes_behind)),
            format!("  PutRecords    {:>9} calls, {} failed", self.calls, self.failed_calls),
            format!(
                "  in a call     {:>9} Kinesis records, {} lines",
                ratio(self.entries, self.calls),
                ratio(self.sent, self.calls)
            ),
            format!(
                "  aggregation   {:>9} lines in a Kinesis record",
                ratio(self.user_records_put, self.entries_put)
            ),
            format!("  PUT payload units: {}", self.payload_units()),
        ]
    }

    /// One line for a log.
    pub(super) fn line(&self, phase: Phase) -> String {
        format!(
            "{:5.1} s  {}: written {}, read {}, sent {}, acknowledged {}, lag {}; {} PutRecords calls, {}; {} lines in \
             a Kinesis record; PUT payload units: {}; rotated {}",
            self.elapsed.as_secs_f64(),
            phase.in_words(),
            self.written,
            self.read,
            self.sent,
            self.acknowledged,
            self.lag(),
            self.calls,
            self.calls_in_words(),
            ratio(self.user_records_put, self.entries_put),
            self.payload_units(),
            self.rotations(),
        )
    }

    /// Kinds and numbers of rotations.
    pub(super) fn rotations(&self) -> String {
        format!("{} x rename, {} x copytruncate", self.renames, self.copy_truncates)
    }

    /// What is in a call, and how many failed.
    pub(super) fn calls_in_words(&self) -> String {
        format!(
            "{} Kinesis records ({} lines) in each, {} failed",
            ratio(self.entries, self.calls),
            ratio(self.sent, self.calls),
            self.failed_calls
        )
    }

    /// An estimate, because the size of each Kinesis record is not counted; the books know better.
    fn payload_units(&self) -> String {
        let mean_bytes = self.data_bytes_put.div_ceil(self.entries_put.max(1));
        let units = self.entries_put * mean_bytes.div_ceil(PAYLOAD_UNIT_BYTES);
        format!("about {units} instead of {}", self.user_records_put)
    }
}

impl Phase {
    fn in_words(self) -> &'static str {
        match self {
            Self::Writing => "the application writes and rotates its log",
            Self::Draining => "the log is complete, the rest is shipped",
        }
    }
}

/// A mean with one decimal.
pub(super) fn ratio(numerator: u64, denominator: u64) -> String {
    if denominator == 0 { "-".to_owned() } else { format!("{:.1}", numerator as f64 / denominator as f64) }
}

/// A size as people read it.
pub(super) fn bytes_in_words(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{:.1} KB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_said() {
        let figures = Figures {
            elapsed: Duration::from_millis(2500),
            written: 10_000,
            renames: 1,
            copy_truncates: 2,
            read: 9_000,
            sent: 8_500,
            acknowledged: 8_000,
            bytes_behind: 250_000,
            calls: 10,
            entries: 85,
            entries_put: 80,
            user_records_put: 8_000,
            data_bytes_put: 80 * 50_000,
            ..Figures::default()
        };
        let line = figures.line(Phase::Writing);
        for part in [
            "lag 2000;",
            "8.5 Kinesis records (850.0 lines) in each, 0 failed",
            "100.0 lines in a Kinesis record",
            "about 160 instead of 8000",
            "1 x rename, 2 x copytruncate",
        ] {
            assert!(line.contains(part), "{part} is not in {line}");
        }
    }

    #[test]
    fn a_long_run_fits_a_terminal_too() {
        let many = 999_999_999;
        let figures = Figures {
            elapsed: Duration::from_secs(3600),
            written: many,
            renames: 2000,
            copy_truncates: 2000,
            sent: many,
            bytes_behind: many,
            calls: 1_000_000,
            failed_calls: 1_000_000,
            entries: 500_000_000,
            entries_put: many / 100,
            user_records_put: many,
            data_bytes_put: many * 300,
            ..Figures::default()
        };
        for line in [Phase::Writing, Phase::Draining].into_iter().flat_map(|phase| figures.screen(phase)) {
            assert!(line.len() < 80, "{line}");
        }
    }

    #[test]
    fn before_anything_happened_nothing_is_divided() {
        let line = Figures::default().line(Phase::Writing);
        assert!(line.contains("0 PutRecords calls, - Kinesis records"), "{line}");
    }

    #[test]
    fn sizes_in_words() {
        for (bytes, words) in
            [(0, "0 bytes"), (9_999, "9999 bytes"), (10_000, "10.0 KB"), (12_345_678, "12.3 MB")]
        {
            assert_eq!(bytes_in_words(bytes), words);
        }
    }
}
