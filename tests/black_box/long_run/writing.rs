//! One program of a round: it writes lines and rotates its log.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::kind::{Kind, Way};
use super::reading::Scene;
use crate::log_writer::{LogWriter, Rotation};
use crate::logrotate::rotate;

/// How long the agent needs at most to save that it knows a file of which lines have arrived.
pub(super) const SAVING: Duration = Duration::from_secs(3);

/// Of so many writes one is followed by a rotation.
const ROTATION_ODDS: u32 = 12;

/// A file of which less was read may be taken for another one when it is replaced: A6 in ARCHITECTURE.md.
const KNOWN_AGAIN_BYTES: u64 = 1024;

/// The program.
#[derive(Debug)]
pub(super) struct Program {
    number: usize,
    kind: Kind,
    /// Its first line.
    base: u64,
    log: LogWriter,
    /// Where logrotate's configuration and state are kept.
    logrotate: PathBuf,
    /// Since when it is known that the present file's first line has arrived.
    arrived: Option<Instant>,
    random: fastrand::Rng,
}

impl Program {
    /// A program that writes into this log, beginning with this line.
    pub(super) fn new(number: usize, kind: Kind, path: PathBuf, base: u64, seed: u64) -> Self {
        let directory = path.parent().unwrap().to_owned();
        let logrotate = directory.with_extension("logrotate");
        fs::create_dir_all(&logrotate).unwrap();
        fs::create_dir_all(&directory).unwrap();
        if matches!(kind.way, Way::Own(Rotation::PointElsewhere)) {
            fs::write(directory.join("target-0"), "").unwrap();
            symlink(directory.join("target-0"), &path).unwrap();
        }
        let mut log = LogWriter::open(path);
        (log.written, log.first_of_file) = (base, base);
        Self { number, kind, base, log, logrotate, arrived: None, random: fastrand::Rng::with_seed(seed) }
    }

    /// Writes and rotates until `end`. Answers how often it rotated.
    pub(super) fn work(mut self, scene: &Scene, is_killed: bool, end: Instant) -> u64 {
        while Instant::now() < end {
            let lines = self.random.u64(1..20);
            self.log.write_lines(lines);
            scene.written(self.number, self.log.written);
            std::thread::sleep(Duration::from_millis(self.random.u64(5..40)));
            if self.random.u32(..ROTATION_ODDS) == 0 && self.may_rotate(scene, is_killed) {
                self.rotate(scene);
            }
        }
        self.log.rotations
    }

    /// Whether nothing is lost by design; see [`Kind::hides`].
    fn may_rotate(&mut self, scene: &Scene, is_killed: bool) -> bool {
        if !self.kind.hides() {
            return true;
        }
        if !scene.has_arrived(self.number, self.log.first_of_file) {
            return false;
        }
        let arrived = *self.arrived.get_or_insert_with(Instant::now);
        let life = *scene.life.lock().unwrap();
        !is_killed || life.is_some_and(|started| started.max(arrived).elapsed() > SAVING)
    }

    fn rotate(&mut self, scene: &Scene) {
        scene.note(format!("program {} rotates before line {}", self.number, self.log.written));
        self.arrived = None;
        if matches!(self.kind.way, Way::Own(Rotation::Replace)) && self.log.length() < KNOWN_AGAIN_BYTES {
            scene.short_file(self.base..self.log.written);
        }
        match self.kind.way {
            Way::Own(rotation) => self.log.rotate(rotation),
            Way::Logrotate(manner) => {
                rotate(&self.logrotate, &self.log.path, manner);
                self.log.was_rotated(manner.reopens);
            }
        }
    }
}
