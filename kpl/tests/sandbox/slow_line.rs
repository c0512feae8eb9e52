//! A slow line between the producer and the service: everything arrives, and next to nothing twice.
//!
//! A few combinations run with every test, and assert arrival and repeats. `KPL_SLOW_LINES=1 cargo test --release -p kpl
//! --all-features --test sandbox slow_line::matrix -- --nocapture` runs all of them, one after the other, and prints the
//! table of `BENCHMARKS.md`; `KPL_SLOW_LINES=20000,600000` does so for these speeds only.

mod trial;

use std::time::Duration;

use kinesis_slow_line::Shape;

use self::trial::{Traffic, Trial};
use crate::support::soon;

const SPEEDS: [u32; 6] = [20_000, 40_000, 200_000, 600_000, 900_000, 5_000_000];
const TRAFFICS: [Traffic; 3] = [Traffic::AGGREGATED_LINES, Traffic::LONG_LINES, Traffic::SINGLE_RECORDS];

fn shape(bytes_per_second: u32, latency_ms: u64, stalls: f64) -> Shape {
    Shape { latency: Duration::from_millis(latency_ms), stalls, ..Shape::steady(bytes_per_second) }
}

/// Runs trials side by side; each has a line of its own.
async fn all_arrive<const N: usize>(trials: [Trial; N]) {
    let mut running = tokio::task::JoinSet::new();
    for trial in trials {
        running.spawn(trial.run());
    }
    while let Some(result) = soon(running.join_next()).await {
        let result = result.expect("a trial");
        assert_eq!(result.missing, 0, "{result}");
        assert!(result.repeats * 100 < result.records, "{result}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_arrives_over_slow_lines() {
    all_arrive([
        Trial { shape: shape(20_000, 0, 0.0), traffic: Traffic::AGGREGATED_LINES, bytes: 160_000 },
        Trial { shape: shape(40_000, 0, 0.0), traffic: Traffic::LONG_LINES, bytes: 400_000 },
        Trial { shape: shape(40_000, 150, 0.01), traffic: Traffic::SINGLE_RECORDS, bytes: 100_000 },
        Trial { shape: shape(200_000, 0, 0.0), traffic: Traffic::AGGREGATED_LINES, bytes: 1_600_000 },
        Trial { shape: shape(900_000, 150, 0.01), traffic: Traffic::LONG_LINES, bytes: 6_000_000 },
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn matrix() {
    let Ok(chosen) = std::env::var("KPL_SLOW_LINES") else { return };
    let chosen: Vec<u32> = chosen.split(',').filter_map(|speed| speed.parse().ok()).collect();
    println!(
        "| line | latency | stalls | traffic | carried | ideal s | took s | repeats | within 1.3 x + 5 s |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for speed in SPEEDS.into_iter().chain(chosen.iter().copied().filter(|speed| !SPEEDS.contains(speed))) {
        if chosen.iter().any(|chosen| *chosen >= 1_000) && !chosen.contains(&speed) {
            continue;
        }
        for (latency, stalls) in [(0, 0.0), (150, 0.0), (0, 0.01), (150, 0.01)] {
            for traffic in TRAFFICS {
                let bytes = (speed as usize * 9).min(20_000_000);
                let result = Trial { shape: shape(speed, latency, stalls), traffic, bytes }.run().await;
                println!("{result}");
            }
        }
    }
}
