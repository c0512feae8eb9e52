//! Many more files than descriptors: every line once, through rotations, and no more descriptors than were allowed.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;

use serde_json::json;

use crate::agent_process::AgentProcess;
use crate::books::{Books, line};
use crate::patience::{PATIENCE, comes_true};
use crate::workshop::Workshop;

const FILES: u64 = 300;

const ROUNDS: u64 = 4;

/// Lines of one file in one round.
const LINES: u64 = 3;

const MAX_OPEN_FILES: usize = 16;

fn log(shop: &Workshop, file: u64) -> PathBuf {
    shop.log(&format!("log-{file}x.log"))
}

/// Appends numbered lines to every file. Answers how many there are now.
fn write_round(shop: &Workshop, mut written: u64) -> u64 {
    for file in 0..FILES {
        let mut file = OpenOptions::new().create(true).append(true).open(log(shop, file)).unwrap();
        for _ in 0..LINES {
            file.write_all(line(written).as_bytes()).unwrap();
            written += 1;
        }
    }
    written
}

/// Every third file gets another name.
fn rotate(shop: &Workshop, round: u64) {
    for file in (round % 3..FILES).step_by(3) {
        let from = log(shop, file);
        fs::rename(&from, from.with_extension(format!("log.{round}"))).unwrap();
    }
}

/// Descriptors of followed files that were not rotated: those keep theirs.
fn held(agent: &AgentProcess) -> usize {
    let descriptors = fs::read_dir(format!("/proc/{}/fd", agent.id())).unwrap();
    let led_to = descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    led_to.filter(|path| path.extension().is_some_and(|extension| extension == "log")).count()
}

#[test]
fn many_files_with_few_descriptors_are_shipped_exactly_once() {
    let shop = Workshop::new();
    let flow = shop.flow("*.log", json!({}));
    let configuration = shop.configure_with(&[flow], json!({ "maxOpenFiles": MAX_OPEN_FILES }));
    let mut written = write_round(&shop, 0);
    let agent = shop.run_started(&configuration);
    let (mut reader, mut books) = (shop.reader(), Books::default());
    for round in 0..ROUNDS {
        books.await_lines(written, PATIENCE, || reader.read_all());
        let is_bounded = comes_true(PATIENCE, || held(&agent) <= MAX_OPEN_FILES);
        assert!(is_bounded, "{} are held in round {round}:\n{}", held(&agent), agent.stderr());
        written = write_round(&shop, written);
        rotate(&shop, round);
    }
    books.await_lines(written, PATIENCE, || reader.read_all());
    let said = agent.stop().stderr;
    books.enter(reader.read_all());
    if !books.missing(written).is_empty() || books.doubled() > 0 {
        eprintln!("{said}");
    }
    books.assert_exact(written);
}
