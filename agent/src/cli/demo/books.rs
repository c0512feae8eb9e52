//! The books of the demo: whether every line that was written was read, acknowledged and delivered, once.
//!
//! Invariant: the books balance only if there is no [`Discrepancy`]; what is lawful is decided here and nowhere else.

use std::fmt;

use kinesis_sandbox::{FaultEffect, FaultRule};

use super::tally::WrongLines;
use kpl::CallTimeouts;

/// What was counted at the end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Books {
    /// Lines that the application wrote.
    pub(super) written: u64,
    /// Records that the agent cut from the files.
    pub(super) read: u64,
    /// Records that the agent dropped because they are no Apache lines.
    pub(super) dropped: u64,
    /// Records that were acknowledged to the agent.
    pub(super) acknowledged: u64,
    /// Records without an outcome when the agent had stopped.
    pub(super) unacknowledged: u64,
    /// Lines that the consumer got.
    pub(super) delivered: u64,
    /// Lines that it did not get.
    pub(super) missing: WrongLines,
    /// Copies that it got beyond the first.
    pub(super) duplicates: WrongLines,
    /// Records that it got and nobody wrote.
    pub(super) damaged: u64,
    /// How far the log was read according to the checkpoint file.
    pub(super) checkpoint: CheckpointFound,
    /// What the metrics say was sent; `None` if no metrics came.
    pub(super) records_sent_metric: Option<u64>,
}

/// The checkpoint of the log as it is at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct CheckpointFound {
    /// Files with a checkpoint.
    pub(super) files: usize,
    /// The offset that is saved for the log; `None` if there is none.
    pub(super) offset: Option<u64>,
    /// The log's size.
    pub(super) size: u64,
}

/// What the faults that were injected excuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leniency {
    /// Answers may have been lost: who sends again in doubt sends some records twice.
    pub(super) duplicates: bool,
    /// Uploads of metrics may have failed.
    pub(super) metrics: bool,
}

/// One thing that does not balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Discrepancy {
    /// The agent did not read what was written.
    Read(u64, u64),
    /// The agent took lines for something else.
    Dropped(u64),
    /// Not everything was acknowledged.
    Acknowledged(u64, u64),
    /// Records had no outcome at the end.
    Unacknowledged(u64),
    /// Lines did not arrive.
    Missing(WrongLines),
    /// Lines arrived more than once without an excuse.
    Duplicates(WrongLines),
    /// Records arrived that nobody wrote.
    Damaged(u64),
    /// The checkpoint is not at the end of the log.
    Checkpoint(CheckpointFound),
    /// The metrics tell another story.
    Metrics(Option<u64>, u64),
}

impl Leniency {
    /// Of these rules.
    pub(super) fn of(rules: &[FaultRule]) -> Self {
        let loses_answers = |rule: &FaultRule| match rule.effect() {
            FaultEffect::DropAfter | FaultEffect::Error500 | FaultEffect::Hang => true,
            FaultEffect::Delay(delay) => *delay >= CallTimeouts::default().request,
            _ => false,
        };
        Self { duplicates: rules.iter().any(loses_answers), metrics: !rules.is_empty() }
    }
}

impl Books {
    /// Everything that does not balance.
    pub(super) fn discrepancies(&self, leniency: Leniency) -> Vec<Discrepancy> {
        let found = [
            (self.read != self.written).then_some(Discrepancy::Read(self.read, self.written)),
            (self.dropped > 0).then_some(Discrepancy::Dropped(self.dropped)),
            (self.acknowledged != self.written)
                .then_some(Discrepancy::Acknowledged(self.acknowledged, self.written)),
            (self.unacknowledged > 0).then_some(Discrepancy::Unacknowledged(self.unacknowledged)),
            (self.missing.count > 0).then(|| Discrepancy::Missing(self.missing.clone())),
            (self.duplicates.count > 0 && !leniency.duplicates)
                .then(|| Discrepancy::Duplicates(self.duplicates.clone())),
            (self.damaged > 0).then_some(Discrepancy::Damaged(self.damaged)),
            (self.checkpoint.offset != Some(self.checkpoint.size))
                .then_some(Discrepancy::Checkpoint(self.checkpoint)),
            (self.records_sent_metric != Some(self.written) && !leniency.metrics)
                .then_some(Discrepancy::Metrics(self.records_sent_metric, self.written)),
        ];
        found.into_iter().flatten().collect()
    }
}

impl fmt::Display for Discrepancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(read, written) => write!(f, "the agent read {read} lines of {written}"),
            Self::Dropped(count) => write!(f, "the agent dropped {count} lines as no Apache lines"),
            Self::Acknowledged(count, written) => write!(f, "{count} lines of {written} were acknowledged"),
            Self::Unacknowledged(count) => write!(f, "{count} records had no outcome when the agent stopped"),
            Self::Missing(lines) => write!(f, "{lines} did not arrive"),
            Self::Duplicates(lines) => write!(f, "{lines} arrived again"),
            Self::Damaged(count) => write!(f, "{count} records arrived that nobody wrote"),
            Self::Checkpoint(CheckpointFound { offset: Some(offset), size, .. }) => {
                write!(f, "the checkpoint of the log is at byte {offset} of {size}")
            }
            Self::Checkpoint(_) => write!(f, "the log has no checkpoint"),
            Self::Metrics(Some(sent), written) => {
                write!(f, "the metric RecordsSent says {sent}, not {written}")
            }
            Self::Metrics(None, _) => write!(f, "no metric RecordsSent arrived"),
        }
    }
}

impl fmt::Display for WrongLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let examples: Vec<String> = self.examples.iter().map(u64::to_string).collect();
        let more = if self.count > self.examples.len() as u64 { ", ..." } else { "" };
        write!(f, "{} lines (numbers {}{more})", self.count, examples.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Leniency = Leniency { duplicates: false, metrics: false };
    const LENIENT: Leniency = Leniency { duplicates: true, metrics: true };

    fn balanced() -> Books {
        Books {
            written: 10,
            read: 10,
            acknowledged: 10,
            delivered: 10,
            checkpoint: CheckpointFound { files: 1, offset: Some(7), size: 7 },
            records_sent_metric: Some(10),
            ..Books::default()
        }
    }

    fn lines(count: u64) -> WrongLines {
        WrongLines { count, examples: (0..count.min(2)).collect() }
    }

    #[test]
    fn every_single_discrepancy_is_found() {
        type Change = fn(&mut Books);
        let cases: [(Change, &str); 11] = [
            (|books| books.read = 9, "the agent read 9 lines of 10"),
            (|books| books.read = 11, "the agent read 11 lines of 10"),
            (|books| books.dropped = 1, "the agent dropped 1 lines as no Apache lines"),
            (|books| books.acknowledged = 9, "9 lines of 10 were acknowledged"),
            (|books| books.unacknowledged = 1, "1 records had no outcome when the agent stopped"),
            (|books| books.missing = lines(3), "3 lines (numbers 0, 1, ...) did not arrive"),
            (|books| books.duplicates = lines(2), "2 lines (numbers 0, 1) arrived again"),
            (|books| books.damaged = 1, "1 records arrived that nobody wrote"),
            (|books| books.checkpoint.offset = Some(6), "the checkpoint of the log is at byte 6 of 7"),
            (|books| books.checkpoint.offset = None, "the log has no checkpoint"),
            (|books| books.records_sent_metric = Some(9), "the metric RecordsSent says 9, not 10"),
        ];
        assert_eq!(balanced().discrepancies(STRICT), []);
        for (change, expected) in cases {
            let mut books = balanced();
            change(&mut books);
            let found: Vec<String> = books.discrepancies(STRICT).iter().map(Discrepancy::to_string).collect();
            assert_eq!(found, [expected]);
        }
    }

    #[test]
    fn faults_excuse_duplicates_and_metrics_but_never_a_missing_line() {
        let mut books = Books { duplicates: lines(2), records_sent_metric: None, ..balanced() };
        assert_eq!(books.discrepancies(LENIENT), []);
        books.missing = lines(1);
        assert_eq!(books.discrepancies(LENIENT), [Discrepancy::Missing(lines(1))]);
    }

    #[test]
    fn only_lost_answers_excuse_duplicates() {
        for (rule, duplicates) in [
            ("throttle:share=0.3", false),
            ("fail:share=0.2", false),
            ("drop-before:share=0.1", false),
            ("delay:ms=300", false),
            ("delay:ms=60000", true),
            ("drop-after:share=0.1", true),
            ("error500:share=0.1", true),
            ("hang:share=0.1", true),
        ] {
            let rules = [rule.parse().expect("is valid")];
            assert_eq!(Leniency::of(&rules), Leniency { duplicates, metrics: true }, "{rule}");
        }
        assert_eq!(Leniency::of(&[]), STRICT);
    }
}
