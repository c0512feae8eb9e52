//! What the process has cost so far, as Linux tells of it.
//!
//! Invariant: what Linux does not tell is left out, never guessed.

use std::path::Path;
use std::time::Duration;

use crate::fs::read_text;

/// Clock ticks of a second in `/proc`: fixed at 100 for all programs on Linux (proc(5), `sysconf(_SC_CLK_TCK)`).
const TICKS_PER_SECOND: u64 = 100;

/// The cost of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ProcessCost {
    /// The most memory that was resident at one time, in KiB (`VmHWM`).
    pub(super) peak_memory_kib: Option<u64>,
    /// Processor time, user and system.
    pub(super) processor_time: Option<Duration>,
}

impl ProcessCost {
    /// The cost of this process up to now.
    pub(super) fn measure() -> Self {
        let text = |path: &str| read_text(Path::new(path)).unwrap_or_default();
        Self {
            peak_memory_kib: peak_memory_kib(&text("/proc/self/status")),
            processor_time: processor_time(&text("/proc/self/stat")),
        }
    }
}

fn peak_memory_kib(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

fn processor_time(stat: &str) -> Option<Duration> {
    // The second field is the program's name in parentheses and may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    // utime and stime are fields 14 and 15 of the line, state is the third.
    let mut times = fields.split_ascii_whitespace().skip(11);
    let ticks = times.next()?.parse::<u64>().ok()? + times.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_found() {
        assert_eq!(peak_memory_kib("Name:\tx\nVmHWM:\t   51234 kB\nVmRSS:\t 1 kB\n"), Some(51_234));
        assert_eq!(peak_memory_kib("Name:\tx\n"), None);
        let stat = "42 (a) b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 9 0";
        assert_eq!(processor_time(stat), Some(Duration::from_secs(3)));
        assert_eq!(processor_time("42 (a"), None);
    }
}
