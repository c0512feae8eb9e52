//! Every kind of rotation, in every weather, with and without `kill -9`, several programs writing at once: what was
//! written against what arrived. It ends with a table.
//!
//! `KINESIS_AGENT_LONG_RUN` is how many seconds it goes on; without it every kind gets one short round. PROOF.md has the
//! command and the last table.
//!
//! Invariant: a line that is missing fails the run. Lines may be repeated where an answer was lost or the agent was
//! killed.

mod kind;
mod reading;
mod round;
mod table;
mod weather;
mod writing;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kind::kinds;
use round::{Plan, live};
use table::Table;
use weather::WEATHERS;

/// Rounds that are lived at once.
const SIDE_BY_SIDE: usize = 3;

/// How long is written in a round, and in one of a short run.
const ROUND: Duration = Duration::from_secs(6);
const SHORT_ROUND: Duration = Duration::from_secs(2);

/// The longest outage.
const OUTAGE: Duration = Duration::from_secs(120);

/// The plan of the round of this number. The numbers of kinds and of weathers have no divisor in common, so that in the
/// end each kind has met each weather, with and without kills.
fn plan(number: usize, seconds: Option<u64>) -> Plan {
    let kind = kinds()[number % kinds().len()];
    let weather = WEATHERS[number % WEATHERS.len()];
    let time = match seconds {
        None => SHORT_ROUND,
        Some(seconds) if weather.is_outage => OUTAGE.min(Duration::from_secs(seconds / 10).max(ROUND)),
        // Its rotations have to wait.
        Some(_) if kind.hides() => 2 * ROUND,
        Some(_) => ROUND,
    };
    Plan { number, kind, weather, is_killed: number % 2 == 1, time }
}

#[test]
fn long_run() {
    let seconds = std::env::var("KINESIS_AGENT_LONG_RUN").ok().map(|text| text.parse().unwrap());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(0));
    let (next, table) = (AtomicUsize::new(0), Mutex::new(Table::default()));
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= kinds().len() && Instant::now() >= end {
                        return;
                    }
                    let plan = plan(number, seconds);
                    let outcome = live(&plan);
                    table.lock().unwrap().enter(&plan, &outcome);
                }
            });
        }
    });
    let mut table = table.into_inner().unwrap();
    table.sort();
    println!("{table}");
    assert_eq!(table.missing(), 0, "lines are missing");
}
