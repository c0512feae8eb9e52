//! What the operating system says about this process (Linux).

/// Ticks a second in `/proc`: fixed by the kernel's interface, whatever the machine (`proc(5)`).
const TICKS_PER_SECOND: f64 = 100.0;

/// User and system time so far; zero where there is no `/proc`.
pub(crate) fn cpu_seconds() -> f64 {
    let stat = read("/proc/self/stat");
    // The name of the program, in parentheses, may hold spaces; the 12th and 13th words behind it are the times.
    let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let times = behind_name.split_whitespace().skip(11).take(2);
    times.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SECOND
}

/// The most memory that was resident so far; zero where there is no `/proc`.
pub(crate) fn max_rss_bytes() -> u64 {
    let status = read("/proc/self/status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

#[expect(clippy::disallowed_methods, reason = "the kernel's own files; there is no other way to ask")]
fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
