//! The end of the demo in words.
//!
//! Invariant: whatever is wrong stands in the last lines.

use std::fmt;

use super::books::{Books, Discrepancy, Leniency};
use super::figures::{Figures, bytes_in_words, ratio};
use super::process::ProcessCost;
use crate::stream_reader::ReadTotals;

/// Everything that is told at the end.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) books: Books,
    pub(super) leniency: Leniency,
    pub(super) figures: Figures,
    /// What the consumer read.
    pub(super) totals: ReadTotals,
    /// Bytes that the application wrote.
    pub(super) log_bytes: u64,
    /// Metric data that arrived.
    pub(super) metrics: usize,
    /// The rules, and how often each fired.
    pub(super) faults: Vec<(String, u64)>,
    pub(super) cost: ProcessCost,
}

impl Report {
    /// Whether nothing is wrong.
    pub(super) fn is_balanced(&self) -> bool {
        self.discrepancies().is_empty()
    }

    fn discrepancies(&self) -> Vec<Discrepancy> {
        self.books.discrepancies(self.leniency)
    }

    fn write_books(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let books = &self.books;
        writeln!(f, "\nThe books, in lines")?;
        for (what, count) in [
            ("written by the application", books.written),
            ("read by the agent", books.read),
            ("acknowledged to the agent", books.acknowledged),
            ("delivered to the consumer", books.delivered),
            ("missing", books.missing.count),
            ("duplicates", books.duplicates.count),
        ] {
            writeln!(f, "  {what:<28}{count:>10}")?;
        }
        Ok(())
    }

    fn write_shipping(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (figures, totals) = (&self.figures, &self.totals);
        let (lines, records) = (totals.user_records, totals.kinesis_records);
        writeln!(f, "\nHow they were shipped")?;
        writeln!(f, "  log: {}, rotated {}", bytes_in_words(self.log_bytes), figures.rotations())?;
        writeln!(f, "  PutRecords: {} calls, {}", figures.calls, figures.calls_in_words())?;
        writeln!(
            f,
            "  aggregation: {} lines as {} in {records} Kinesis records, {} lines in each",
            lines,
            bytes_in_words(totals.data_bytes),
            ratio(lines, records)
        )?;
        writeln!(f, "  PUT payload units: {} instead of {lines}", totals.put_payload_units)?;
        let checkpoint = self.books.checkpoint;
        writeln!(
            f,
            "  checkpoints in SQLite: {}; the log is at byte {} of {}",
            checkpoint.files,
            checkpoint.offset.map_or_else(|| "-".to_owned(), |offset| offset.to_string()),
            checkpoint.size
        )?;
        let sent = self.books.records_sent_metric;
        let sent = sent.map_or_else(String::new, |sent| format!("; RecordsSent says {sent}"));
        writeln!(f, "  metrics received by CloudWatch: {}{sent}", self.metrics)
    }

    fn write_cost(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (rule, fired) in &self.faults {
            writeln!(f, "  fault {rule} fired {fired} times")?;
        }
        let memory =
            self.cost.peak_memory_kib.map(|kib| format!("{} of memory at most", bytes_in_words(kib * 1024)));
        let time =
            self.cost.processor_time.map(|time| format!("{:.1} s of processor time", time.as_secs_f64()));
        let costs: Vec<String> = [memory, time].into_iter().flatten().collect();
        writeln!(
            f,
            "  process: {} in {:.1} s (application, agent, sandbox with all records, and consumer together)",
            costs.join(", "),
            self.figures.elapsed.as_secs_f64()
        )
    }

    fn write_verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let discrepancies = self.discrepancies();
        if discrepancies.is_empty() {
            writeln!(f, "\nThe books balance: written = read = delivered.")?;
            return self.write_excuse(f);
        }
        writeln!(f, "\nThe books do not balance:")?;
        discrepancies.iter().try_for_each(|discrepancy| writeln!(f, "  {discrepancy}"))
    }

    fn write_excuse(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.books.duplicates.count == 0 {
            return Ok(());
        }
        writeln!(
            f,
            "Duplicates ({}) are lawful here: the faults lose answers, and a record whose answer was lost is sent \
             again, in doubt rather twice than never.",
            self.books.duplicates
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_books(f)?;
        self.write_shipping(f)?;
        self.write_cost(f)?;
        self.write_verdict(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::demo::books::CheckpointFound;
    use crate::cli::demo::tally::WrongLines;

    fn report(duplicates: u64, missing: u64) -> Report {
        let wrong = |count| WrongLines { count, examples: (0..count).collect() };
        Report {
            books: Books {
                written: 5,
                read: 5,
                acknowledged: 5,
                delivered: 5 - missing,
                missing: wrong(missing),
                duplicates: wrong(duplicates),
                checkpoint: CheckpointFound { files: 2, offset: Some(3), size: 3 },
                ..Books::default()
            },
            leniency: Leniency { duplicates: true, metrics: true },
            figures: Figures::default(),
            totals: ReadTotals::default(),
            log_bytes: 3,
            metrics: 6,
            faults: vec![("drop-after:share=0.1".to_owned(), 4)],
            cost: ProcessCost::default(),
        }
    }

    #[test]
    fn the_verdict_comes_last() {
        for (duplicates, missing, end) in [
            (0, 0, "The books balance: written = read = delivered.\n"),
            (1, 0, "rather twice than never.\n"),
            (1, 1, "The books do not balance:\n  1 lines (numbers 0) did not arrive\n"),
        ] {
            let report = report(duplicates, missing);
            assert!(report.to_string().ends_with(end), "{report}");
            assert_eq!(report.is_balanced(), missing == 0);
        }
        assert!(report(0, 0).to_string().contains("fault drop-after:share=0.1 fired 4 times"));
    }
}
