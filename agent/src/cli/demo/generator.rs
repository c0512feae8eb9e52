//! The demo's application: a thread that writes the access log at a steady pace and has it rotated.
//!
//! Invariants: after its whole time it has written exactly [`GeneratorPlan::total_lines`] lines, numbered from 0; the
//! thread has ended when the [`Generator`] is gone.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::access_log::{AccessLog, Rotation};
use super::log_line::LogLine;
use crate::clock::Clock;
use crate::statistics::Counter;

/// Between two bursts of lines.
const PAUSE: Duration = Duration::from_millis(10);
/// The usual time between two rotations.
const ROTATION_PERIOD: Duration = Duration::from_millis(1400);
/// However short the demo is: two of each kind.
const LEAST_ROTATIONS: u32 = 4;

/// What to write.
#[derive(Debug, Clone)]
pub(super) struct GeneratorPlan {
    /// The log.
    pub(super) path: PathBuf,
    /// For how long; at least a second.
    pub(super) duration: Duration,
    /// How fast.
    pub(super) lines_per_second: u64,
    /// What the lines follow from, beside their numbers.
    pub(super) seed: u64,
}

/// What was written so far.
#[derive(Debug, Default)]
pub(super) struct GeneratorProgress {
    /// Lines.
    pub(super) lines: Counter,
    /// Bytes.
    pub(super) bytes: Counter,
    /// Rotations by renaming.
    pub(super) renames: Counter,
    /// Rotations by copytruncate.
    pub(super) copy_truncates: Counter,
}

/// The thread, and how far it is.
#[derive(Debug)]
pub(super) struct Generator {
    progress: Arc<GeneratorProgress>,
    is_abandoned: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl GeneratorPlan {
    /// Lines that are written in the whole time.
    pub(super) fn total_lines(&self) -> u64 {
        self.lines_due(self.duration)
    }

    fn lines_due(&self, elapsed: Duration) -> u64 {
        let due = elapsed.min(self.duration).as_millis() * u128::from(self.lines_per_second) / 1000;
        u64::try_from(due).unwrap_or(u64::MAX)
    }

    /// Rotations that should have been by now: spread evenly, none at the very end.
    fn rotations_due(&self, elapsed: Duration) -> u64 {
        let usual = self.duration.as_millis() / ROTATION_PERIOD.as_millis();
        let total = usual.max(u128::from(LEAST_ROTATIONS));
        let due = elapsed.as_nanos() * (total + 1) / self.duration.as_nanos().max(1);
        u64::try_from(due.min(total)).unwrap_or(u64::MAX)
    }
}

impl Generator {
    /// Starts to write.
    ///
    /// # Errors
    ///
    /// The log cannot be made, or the system refuses a thread.
    pub(super) fn start(plan: GeneratorPlan) -> io::Result<Self> {
        let log = AccessLog::open(&plan.path)?;
        let progress = Arc::new(GeneratorProgress::default());
        let is_abandoned = Arc::new(AtomicBool::new(false));
        let (shared, abandoned) = (Arc::clone(&progress), Arc::clone(&is_abandoned));
        let work = move || write_all(&plan, log, &shared, &abandoned);
        let thread = thread::Builder::new().name("demo-application".to_owned()).spawn(work)?;
        Ok(Self { progress, is_abandoned, thread: Some(thread) })
    }

    /// How far it is; stays readable when the generator is gone.
    pub(super) fn progress(&self) -> Arc<GeneratorProgress> {
        Arc::clone(&self.progress)
    }

    /// Whether it writes no more.
    pub(super) fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits for the end.
    ///
    /// # Errors
    ///
    /// The log could not be written or rotated.
    pub(super) fn join(mut self) -> io::Result<()> {
        self.end()
    }

    fn end(&mut self) -> io::Result<()> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the writing thread panicked")))
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        self.is_abandoned.store(true, Ordering::Relaxed);
        // Nobody is left to hear of a failure.
        let _ = self.end();
    }
}

fn write_all(
    plan: &GeneratorPlan,
    mut log: AccessLog,
    progress: &GeneratorProgress,
    is_abandoned: &AtomicBool,
) -> io::Result<()> {
    let clock = Clock::start();
    let start = clock.now();
    let mut buffer = Vec::new();
    let mut rotations = 0;
    while progress.lines.get() < plan.total_lines() && !is_abandoned.load(Ordering::Relaxed) {
        thread::sleep(PAUSE);
        let elapsed = clock.now().since(start);
        write_burst(plan, plan.lines_due(elapsed), clock.wall_time_ms(), &mut buffer, &mut log, progress)?;
        if rotations < plan.rotations_due(elapsed) {
            rotate(Rotation::of_turn(rotations), &mut log, progress)?;
            rotations += 1;
        }
    }
    Ok(())
}

fn write_burst(
    plan: &GeneratorPlan,
    lines_due: u64,
    wall_time_ms: u64,
    buffer: &mut Vec<u8>,
    log: &mut AccessLog,
    progress: &GeneratorProgress,
) -> io::Result<()> {
    buffer.clear();
    let written = progress.lines.get();
    for number in written..lines_due {
        LogLine::new(plan.seed, number).append(wall_time_ms, buffer);
    }
    log.write(buffer)?;
    progress.lines.add(lines_due.saturating_sub(written));
    progress.bytes.add(buffer.len() as u64);
    Ok(())
}

fn rotate(rotation: Rotation, log: &mut AccessLog, progress: &GeneratorProgress) -> io::Result<()> {
    log.rotate(rotation)?;
    match rotation {
        Rotation::Rename => progress.renames.add(1),
        Rotation::CopyTruncate => progress.copy_truncates.add(1),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(seconds: u64) -> GeneratorPlan {
        GeneratorPlan {
            path: PathBuf::new(),
            duration: Duration::from_secs(seconds),
            lines_per_second: 1500,
            seed: 0,
        }
    }

    #[test]
    fn lines_come_evenly_and_end_with_the_time() {
        for (millis, lines) in [(0, 0), (1, 1), (10, 15), (4999, 7498), (5000, 7500), (9000, 7500)] {
            assert_eq!(plan(5).lines_due(Duration::from_millis(millis)), lines, "after {millis} ms");
        }
        assert_eq!(plan(5).total_lines(), 7500);
    }

    #[test]
    fn there_are_two_rotations_of_each_kind_before_the_end() {
        for seconds in [1, 5, 10, 60] {
            let plan = plan(seconds);
            let before_the_end = plan.rotations_due(plan.duration - Duration::from_millis(100));
            assert!(before_the_end >= 4, "{before_the_end} in {seconds} s");
            assert_eq!(plan.rotations_due(plan.duration), before_the_end);
            assert_eq!(plan.rotations_due(Duration::from_millis(100)), 0);
        }
        let of_ten_seconds = (0..=10_000).map(|ms| plan(10).rotations_due(Duration::from_millis(ms)));
        assert_eq!(of_ten_seconds.max(), Some(7));
    }
}
