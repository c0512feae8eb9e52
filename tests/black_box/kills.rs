//! `kill -9` at random moments, again and again, under a log that is written and rotated all the time.
//!
//! Nothing may be missing; lines may be doubled, because what was sent and not yet saved is sent again.
//!
//! The environment: `KINESIS_AGENT_KILLS` is how often (default 12), `KINESIS_AGENT_SEED` repeats a run; the seed is
//! printed.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::books::Books;
use crate::log_writer::{LogWriter, Rotation};
use crate::patience::PATIENCE;
use crate::workshop::Workshop;

/// Between two chances of a rotation.
const STRETCH: Duration = Duration::from_millis(40);

/// Of so many chances one is taken.
const ROTATION_ODDS: u32 = 5;

pub(crate) fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// The rotations, of which one is drawn.
pub(crate) const ROTATIONS: [Rotation; 5] = [
    Rotation::Rename,
    Rotation::CopyTruncate,
    Rotation::RenameAndCompress,
    Rotation::CopyTruncateAndCompress,
    Rotation::DateName,
];

struct Scene<'a> {
    writer: LogWriter,
    books: Books,
    random: fastrand::Rng,
    read: Box<dyn FnMut() -> Vec<bytes::Bytes> + 'a>,
    /// What happened before which line.
    history: Vec<(u64, String)>,
}

impl Scene<'_> {
    /// Writes for so long, and rotates now and then.
    fn play(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let left = end.saturating_duration_since(Instant::now())
            && !left.is_zero()
        {
            self.writer.write_for(left.min(STRETCH));
            if self.random.u32(0..ROTATION_ODDS) == 0 {
                self.rotate();
            }
        }
    }

    fn rotate(&mut self) {
        self.books.enter((self.read)());
        let rotation = ROTATIONS[self.random.usize(..ROTATIONS.len())];
        self.note(&format!("{rotation:?}"));
        self.writer.rotate(rotation);
    }

    fn note(&mut self, what: &str) {
        self.history.push((self.writer.written, what.to_owned()));
    }

    /// What happened around a line.
    fn around(&self, line: u64) -> &[(u64, String)] {
        let place = self.history.partition_point(|(written, _)| *written <= line);
        &self.history[place.saturating_sub(4)..(place + 8).min(self.history.len())]
    }

    /// How long an agent lives: often too short to save anything.
    fn life(&mut self) -> Duration {
        let longest = if self.random.bool() { 500 } else { 2500 };
        Duration::from_millis(self.random.u64(0..longest))
    }
}

fn survive(pattern: &str) {
    let kills = from_environment("KINESIS_AGENT_KILLS").unwrap_or(12);
    let seed = from_environment("KINESIS_AGENT_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("{pattern}: KINESIS_AGENT_SEED={seed} KINESIS_AGENT_KILLS={kills}");
    let shop = Workshop::new();
    let more = json!({ "aggregation": false, "maxBufferSizeRecords": 50 });
    let configuration = shop.configure(&[shop.flow(pattern, more)]);
    let mut reader = shop.reader();
    let mut scene = Scene {
        writer: LogWriter::open(shop.log("app.log")),
        books: Books::default(),
        random: fastrand::Rng::with_seed(seed),
        read: Box::new(move || reader.read_all()),
        history: Vec::new(),
    };
    // What is rotated before the first start is left alone, so that has to come first.
    shop.run_started(&configuration).kill();
    for number in 1..=kills {
        let agent = shop.run(&configuration);
        let life = scene.life();
        scene.note(&format!("agent {number} for {life:?}"));
        scene.play(life);
        agent.kill();
    }
    let agent = shop.run(&configuration);
    let written = scene.writer.written;
    scene.books.await_lines(written, PATIENCE, &mut scene.read);
    agent.stop();
    for line in scene.books.missing(written).iter().take(5) {
        println!("{pattern}: line {line} is missing; before lines: {:?}", scene.around(*line));
    }
    println!(
        "{pattern}: {kills} kills, {} rotations, {written} lines written, {} missing, {} doubled",
        scene.writer.rotations,
        scene.books.missing(written).len(),
        scene.books.doubled()
    );
    scene.books.assert_nothing_missing(written);
}

#[test]
fn nothing_is_lost_under_a_glob() {
    survive("app.log*");
}

#[test]
fn nothing_is_lost_under_an_exact_name() {
    survive("app.log");
}
