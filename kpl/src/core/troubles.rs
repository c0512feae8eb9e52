//! When a failure that repeats is reported: at once, then at most once a minute with the number since, then its end.
//!
//! Invariant: for each operation and code at most one report and one recovery a minute; memory is bounded.

use std::time::Duration;

use smol_str::SmolStr;

use crate::types::Moment;

/// Between two reports of the same trouble.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);

/// How long a trouble must not have shown before a success ends it, so that one call in ten that fails is one trouble.
const QUIET: Duration = Duration::from_secs(10);

/// Codes that are kept apart. The service has some 40; whatever invents them without end shares one.
const MOST: usize = 32;

/// What stands for all codes beyond those.
const OTHER_CODES: &str = "other codes";

/// Over how long throttled entries are counted.
const SHARE_INTERVAL: Duration = Duration::from_secs(10);

/// Fewer entries than that say nothing about their share.
const FEWEST_ENTRIES: usize = 8;

/// The troubles of one stream.
#[derive(Debug, Default)]
pub(crate) struct Troubles(Vec<Trouble>);

/// The share of throttled entries of late. A few are how the pace of a shard is found.
#[derive(Debug, Default)]
pub(crate) struct ThrottledShare {
    since: Moment,
    entries: usize,
    throttled: usize,
}

#[derive(Debug)]
struct Trouble {
    operation: &'static str,
    code: SmolStr,
    phase: Phase,
    since: Moment,
    last: Moment,
    reported: Moment,
    /// Since it began.
    times: u64,
    /// Since the last report.
    times_unreported: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It goes on, and that was reported.
    Reported,
    /// It came again within a minute of the last report, so it was only counted.
    Counted,
    /// It ended. It is remembered for the pace of reports.
    Over,
}

/// A failure to be reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failing {
    /// Failures that this report stands for, this one included.
    pub(crate) times: u64,
    /// How long it has been going on.
    pub(crate) lasting: Duration,
}

/// The end of a trouble, to be reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recovered {
    pub(crate) operation: &'static str,
    pub(crate) code: SmolStr,
    /// Failures in all.
    pub(crate) times: u64,
    /// From the first failure to the last.
    pub(crate) lasted: Duration,
}

impl ThrottledShare {
    /// Notes the entries of a call; whether more than half of those of late were throttled.
    pub(crate) fn is_most(&mut self, entries: usize, throttled: usize, now: Moment) -> bool {
        if now.since(self.since) >= SHARE_INTERVAL {
            *self = Self { since: now, entries: 0, throttled: 0 };
        }
        self.entries += entries;
        self.throttled += throttled;
        self.entries >= FEWEST_ENTRIES && self.throttled * 2 > self.entries
    }
}

impl Troubles {
    /// A call of `operation` failed with `code`. `Some` when that is to be reported.
    pub(crate) fn failed(&mut self, operation: &'static str, code: &str, now: Moment) -> Option<Failing> {
        let Some(place) = self.place(operation, code) else {
            self.begin(operation, code, now);
            return Some(Failing { times: 1, lasting: Duration::ZERO });
        };
        let trouble = &mut self.0[place];
        if trouble.phase == Phase::Over {
            (trouble.since, trouble.times, trouble.phase) = (now, 0, Phase::Counted);
        }
        trouble.last = now;
        trouble.times += 1;
        trouble.times_unreported += 1;
        if now.since(trouble.reported) < REPORT_INTERVAL {
            return None;
        }
        (trouble.reported, trouble.phase) = (now, Phase::Reported);
        let times = std::mem::take(&mut trouble.times_unreported);
        Some(Failing { times, lasting: now.since(trouble.since) })
    }

    /// A call of `operation` succeeded. What has ended by that is returned if its beginning was reported.
    pub(crate) fn succeeded(&mut self, operation: &'static str, now: Moment) -> Vec<Recovered> {
        let is_over = |trouble: &Trouble| {
            trouble.operation == operation && trouble.phase != Phase::Over && now.since(trouble.last) >= QUIET
        };
        let mut recovered = Vec::new();
        for trouble in self.0.iter_mut().filter(|trouble| is_over(trouble)) {
            if trouble.phase == Phase::Reported {
                recovered.push(Recovered {
                    operation,
                    code: trouble.code.clone(),
                    times: trouble.times,
                    lasted: trouble.last.since(trouble.since),
                });
            }
            trouble.phase = Phase::Over;
        }
        let is_remembered =
            |trouble: &Trouble| trouble.phase != Phase::Over || now.since(trouble.reported) < REPORT_INTERVAL;
        self.0.retain(is_remembered);
        recovered
    }

    fn place(&self, operation: &'static str, code: &str) -> Option<usize> {
        let find = |code: &str| {
            self.0.iter().position(|trouble| trouble.operation == operation && trouble.code == code)
        };
        find(code).or_else(|| if self.0.len() < MOST { None } else { find(OTHER_CODES) })
    }

    fn begin(&mut self, operation: &'static str, code: &str, now: Moment) {
        let code = if self.0.len() < MOST { code } else { OTHER_CODES };
        self.0.push(Trouble {
            operation,
            code: code.into(),
            phase: Phase::Reported,
            since: now,
            last: now,
            reported: now,
            times: 1,
            times_unreported: 0,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUT: &str = "PutRecords";

    fn at(seconds: u64) -> Moment {
        Moment::after_origin(Duration::from_secs(seconds))
    }

    #[test]
    fn a_failure_each_second_is_reported_at_once_and_once_a_minute() {
        let mut troubles = Troubles::default();
        let reports: Vec<_> = (0..3_600)
            .filter_map(|second| Some((second, troubles.failed(PUT, "AccessDenied", at(second))?)))
            .collect();
        assert_eq!(reports.len(), 60);
        assert_eq!(reports[0], (0, Failing { times: 1, lasting: Duration::ZERO }));
        assert_eq!(reports[1], (60, Failing { times: 60, lasting: Duration::from_secs(60) }));
        assert_eq!(reports.iter().map(|(_, failing)| failing.times).sum::<u64>(), 3_541);
        let recovered = troubles.succeeded(PUT, at(3_610));
        let lasted = Duration::from_secs(3_599);
        assert_eq!(
            recovered,
            [Recovered { operation: PUT, code: "AccessDenied".into(), times: 3_600, lasted }]
        );
        assert!(troubles.succeeded(PUT, at(3_611)).is_empty(), "once");
    }

    #[test]
    fn codes_and_operations_are_reported_each() {
        let mut troubles = Troubles::default();
        for (operation, code) in [(PUT, "A"), (PUT, "B"), ("ListShards", "A")] {
            assert!(troubles.failed(operation, code, at(0)).is_some(), "{operation} {code}");
            assert!(troubles.failed(operation, code, at(1)).is_none(), "{operation} {code}");
        }
        let ended = |troubles: &mut Troubles, operation| troubles.succeeded(operation, at(100)).len();
        assert_eq!((ended(&mut troubles, "ListShards"), ended(&mut troubles, PUT)), (1, 2));
    }

    #[test]
    fn one_call_in_ten_that_fails_is_one_trouble() {
        let mut troubles = Troubles::default();
        let (mut reports, mut recoveries) = (0, 0);
        for second in 0..600 {
            if second % 5 == 0 {
                reports += usize::from(troubles.failed(PUT, "InternalFailure", at(second)).is_some());
            } else {
                recoveries += troubles.succeeded(PUT, at(second)).len();
            }
        }
        assert_eq!((reports, recoveries), (10, 0));
    }

    #[test]
    fn what_comes_and_goes_is_reported_once_a_minute_at_most() {
        let mut troubles = Troubles::default();
        let (mut reports, mut recoveries) = (0, 0);
        for round in 0..60 {
            reports += usize::from(troubles.failed(PUT, "Timeout", at(round * 20)).is_some());
            recoveries += troubles.succeeded(PUT, at(round * 20 + 15)).len();
        }
        assert_eq!((reports, recoveries), (20, 20));
    }

    #[test]
    fn few_throttled_entries_are_no_trouble_and_most_are() {
        let mut share = ThrottledShare::default();
        assert!(!share.is_most(400, 1, at(0)));
        assert!((1..10).all(|second| !share.is_most(1, 1, at(second))), "an entry that is sent again alone");
        let mut stuck = (10..30).map(|second| share.is_most(1, 1, at(second)));
        assert_eq!(stuck.position(|is_most| is_most), Some(FEWEST_ENTRIES - 1));
        assert!(!share.is_most(500, 0, at(40)));
    }

    #[test]
    fn codes_without_end_take_bounded_memory_and_few_reports() {
        let mut troubles = Troubles::default();
        let mut reports = 0;
        for number in 0..30_000 {
            let code = format!("code {number}");
            reports += usize::from(troubles.failed(PUT, &code, at(number / 1_000)).is_some());
        }
        assert_eq!((reports, troubles.0.len()), (MOST + 1, MOST + 1));
        assert_eq!(troubles.succeeded(PUT, at(1_000)).len(), MOST + 1);
        assert!(troubles.0.is_empty());
    }
}
