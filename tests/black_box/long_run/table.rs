//! The table at the end.

use std::fmt;
use std::time::Duration;

use super::round::{Outcome, Plan};

/// Sums by kind, and by weather.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Row>,
    weathers: Vec<Row>,
}

#[derive(Debug, Default)]
struct Row {
    name: &'static str,
    /// The number of its first round.
    first: usize,
    rounds: u64,
    rotations: u64,
    kills: u64,
    written: u64,
    missing: u64,
    repeated: u64,
    /// Lines that came more than once in rounds without a kill and without lost answers, although their file was long
    /// enough to be known again.
    repeated_for_no_reason: u64,
    mangled: u64,
    worst_lag: Duration,
    /// In rounds without kills and faults.
    worst_quiet_lag: Duration,
}

const HEADING: &str = "rounds | rotations | kills | lines | missing | repeated | of it without kill, lost answer or short file | \
                       mangled | worst lag, s | in calm, s |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|";

impl Table {
    /// Adds a round.
    pub(super) fn enter(&mut self, plan: &Plan, outcome: &Outcome) {
        row(&mut self.rows, plan.kind.name).add(plan, outcome);
        row(&mut self.weathers, plan.weather.name).add(plan, outcome);
    }

    /// Puts the rows into the order in which they were planned.
    pub(super) fn sort(&mut self) {
        self.rows.sort_by_key(|row| row.first);
        self.weathers.sort_by_key(|row| row.first);
    }

    /// Lines that are missing, and records that are no lines.
    pub(super) fn missing(&self) -> u64 {
        self.rows.iter().map(|row| row.missing + row.mangled).sum()
    }
}

fn row<'a>(rows: &'a mut Vec<Row>, name: &'static str) -> &'a mut Row {
    let place = rows.iter().position(|row| row.name == name).unwrap_or_else(|| {
        rows.push(Row { name, first: usize::MAX, ..Row::default() });
        rows.len() - 1
    });
    &mut rows[place]
}

impl Row {
    fn add(&mut self, plan: &Plan, outcome: &Outcome) {
        let lines = &outcome.lines;
        self.first = self.first.min(plan.number);
        self.rounds += 1;
        self.rotations += outcome.rotations;
        self.kills += outcome.kills;
        self.written += lines.written;
        self.missing += lines.missing.len() as u64;
        self.repeated += lines.repeated;
        self.mangled += lines.mangled as u64;
        self.worst_lag = self.worst_lag.max(lines.worst_lag);
        if plan.is_quiet() {
            self.repeated_for_no_reason += lines.repeated_for_no_reason.len() as u64;
        }
        if outcome.kills == 0 && plan.weather.rules.is_empty() {
            self.worst_quiet_lag = self.worst_quiet_lag.max(lines.worst_lag);
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, rounds, rotations, kills, written, missing, repeated, .. } = self;
        write!(
            formatter,
            "| {name} | {rounds} | {rotations} | {kills} | {written} | {missing} | {repeated} "
        )?;
        let lag = self.worst_lag.as_secs_f64();
        write!(formatter, "| {} | {} | {lag:.1} |", self.repeated_for_no_reason, self.mangled)?;
        match self.worst_quiet_lag.as_secs_f64() {
            0.0 => write!(formatter, " |"),
            lag => write!(formatter, " {lag:.1} |"),
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, rows) in [("rotation", &self.rows), ("weather", &self.weathers)] {
            writeln!(formatter, "\n| {title} | {HEADING}")?;
            rows.iter().try_for_each(|row| writeln!(formatter, "{row}"))?;
        }
        Ok(())
    }
}
