//! Rounds, as a table; and a flow with a huge file and many small ones over a slow stream.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::config::AgentConfig;
use crate::core::flow::{Adoption, Next, Publish, Pumped, Sight};
use crate::source_file::{Kind, Listed};
use crate::statistics::FlowStatistics;
use crate::types::{Node, RecordTag};

fn id(number: u32) -> FileId {
    FileId(number)
}

fn gather(round: &mut Round, due: &[(u32, u64)]) {
    round.gather(due.iter().map(|(file, rest)| (id(*file), *rest)).collect());
}

fn turns(round: &mut Round) -> Vec<u32> {
    std::iter::from_fn(|| round.next()).map(|file| file.0).collect()
}

#[test]
fn the_smallest_come_first_and_each_once() {
    let mut round = Round::default();
    let due = [(1, 5000), (2, 0), (3, 70), (4, 0)];
    for _ in 0..3 {
        gather(&mut round, &due);
        assert_eq!(turns(&mut round), [2, 4, 3, 1]);
    }
}

#[test]
fn an_interrupted_round_goes_on() {
    let due = [(1, 1), (2, 2), (3, 3), (4, 4)];
    // Whether the third file gives way; what comes after the interruption.
    for (gives_way, rest) in [(false, [3, 0, 4]), (true, [0, 3, 4])] {
        let mut round = Round::default();
        gather(&mut round, &due);
        let begun: Vec<_> = (0..3).map(|_| round.next().unwrap().0).collect();
        assert_eq!(begun, [1, 2, 3]);
        round.interrupt(id(3), gives_way);
        // Meanwhile a file became due, and those that had their turn are due again.
        gather(&mut round, &[(0, 0), (1, 0), (2, 0), (3, 3), (4, 4)]);
        assert_eq!(turns(&mut round), rest, "gives way: {gives_way}");
        gather(&mut round, &due);
        assert_eq!(turns(&mut round), [1, 2, 3, 4], "a new round");
    }
}

#[test]
fn an_interrupted_file_that_is_gone_is_not_waited_for() {
    let mut round = Round::default();
    gather(&mut round, &[(1, 1), (2, 2)]);
    assert_eq!(round.next(), Some(id(1)));
    round.interrupt(id(1), false);
    gather(&mut round, &[(2, 2)]);
    assert_eq!(turns(&mut round), [2]);
}

/// A line of every file.
const LINE: &[u8; 64] = b"0123456789012345678901234567890123456789012345678901234567 line\n";

const HUGE: u64 = 5 << 30;
const SMALL: u32 = 50;

/// A flow over files that are nothing but lines, and a stream that stores so many of them in a step.
struct Scene {
    flow: Flow,
    sizes: BTreeMap<FileId, u64>,
    huge: FileId,
    now: Moment,
    room: usize,
    in_flight: VecDeque<RecordTag>,
    /// In the order of their turns.
    turns: Vec<FileId>,
    bad: Option<FileId>,
}

impl Scene {
    fn new() -> Self {
        let text =
            r#"{"flows":[{"filePattern":"/log/*","kinesisStream":"s","initialPosition":"START_OF_FILE"}]}"#;
        let config = AgentConfig::parse(text, "agent.json").unwrap().config.flows.remove(0);
        let statistics = Arc::new(FlowStatistics::default());
        let mut flow = Flow::new(config, Vec::new(), true, false, 1, statistics).unwrap();
        let mut sizes = BTreeMap::new();
        for number in 0..=SMALL {
            let size = if number == 0 { HUGE } else { 0 };
            let found = Listed {
                path: PathBuf::from(format!("/log/{number}")),
                node: Node { device: 1, inode: u64::from(number) + 1, birth: 1 },
                size,
                stored_size: size,
                modified: 0,
                kind: Kind::Followed,
            };
            match flow.adopt(&found, &[], Moment::ORIGIN) {
                Adoption::New(file) => sizes.insert(file, size),
                other => panic!("{other:?}"),
            };
        }
        let huge = *sizes.first_key_value().unwrap().0;
        let (now, in_flight) = (Moment::ORIGIN, VecDeque::new());
        Self { flow, sizes, huge, now, room: 10_000, in_flight, turns: Vec::new(), bad: None }
    }

    /// Lets files go on as far as there is room. Answers whether the round came to its end.
    fn run(&mut self) -> bool {
        self.flow.go_round(self.now);
        while let Some(turn) = self.flow.next_turn() {
            let (Turn::Look(file) | Turn::Pump(file)) = turn;
            self.turns.push(file);
            let has_room = match turn {
                Turn::Look(_) => self.look(file),
                Turn::Pump(_) => self.pump(file),
            };
            if !has_room {
                return false;
            }
        }
        true
    }

    fn look(&mut self, file: FileId) -> bool {
        let size = self.sizes[&file];
        let sight = Sight { size, modified: 1, links: 1 };
        let Next::Read { offset, length } = self.flow.looked(file, sight, self.now) else { return true };
        let end = size.min(offset + length as u64);
        *self.flow.read_buffer() = (offset..end).map(|place| LINE[(place % 64) as usize]).collect();
        assert_eq!(self.flow.read(file, size, self.now), Next::Wait);
        self.pump(file)
    }

    fn pump(&mut self, file: FileId) -> bool {
        let (room, in_flight, is_bad) = (&mut self.room, &mut self.in_flight, self.bad == Some(file));
        let pumped = self.flow.pump(
            file,
            0,
            |_| Duration::ZERO,
            |record| {
                if *room == 0 || is_bad {
                    return Publish::Full;
                }
                *room -= 1;
                in_flight.push_back(record.tag);
                Publish::Accepted
            },
        );
        match pumped {
            Pumped::Blocked if is_bad => self.flow.suspend(file, self.now.plus(Duration::from_secs(5))),
            Pumped::Blocked => {
                self.flow.found_no_room(file, self.now);
                return false;
            }
            Pumped::Empty => {}
        }
        true
    }

    /// The stream stores some of what is under way.
    fn store(&mut self, records: usize) {
        for tag in self.in_flight.drain(..records.min(self.in_flight.len())) {
            self.flow.acknowledge(tag);
            self.room += 1;
        }
    }

    fn append(&mut self, lines: u64) {
        let small = self.sizes.iter_mut().filter(|(file, _)| **file != self.huge);
        small.for_each(|(_, size)| *size += lines * 64);
    }

    fn read(&self, file: FileId) -> u64 {
        self.flow.file(file).unwrap().cut()
    }

    /// Bytes that were written to small files and not sent.
    fn behind(&self) -> u64 {
        let small = self.sizes.iter().filter(|(file, _)| **file != self.huge && self.bad != Some(**file));
        small.map(|(file, size)| size - self.read(*file)).sum()
    }

    /// Lets a round come to its end over a stream that stores so many lines at once; answers how often there was no
    /// room.
    fn round(&mut self, records: usize) -> u32 {
        let mut interruptions = 0;
        while !self.run() {
            self.store(records);
            interruptions += 1;
        }
        self.now = self.now.plus(Duration::from_secs(1));
        interruptions
    }
}

#[test]
fn the_small_files_are_read_in_every_round_and_the_huge_one_too() {
    let mut scene = Scene::new();
    scene.round(1000);
    for _ in 0..100 {
        scene.append(20);
        let before = scene.read(scene.huge);
        scene.turns.clear();
        scene.round(1000);
        scene.turns.dedup(); // interrupted ones went on
        assert_eq!(scene.behind(), 0, "small files are read to their ends");
        assert_eq!(scene.read(scene.huge) - before, 256 * 1024, "the huge one gets its read");
        assert_eq!(
            scene.turns.iter().position(|file| *file == scene.huge),
            Some(SMALL as usize),
            "the last one"
        );
    }
}

#[test]
fn small_files_go_before_the_huge_one_that_holds_the_room() {
    let mut scene = Scene::new();
    scene.room = 2000; // less than one read of the huge file
    assert!(!scene.run(), "the huge file finds no more room");
    scene.append(2);
    assert!(!scene.run() && scene.behind() > 0, "there is none for the others either");
    scene.store(usize::try_from(SMALL).unwrap() * 2);
    scene.run();
    assert_eq!(scene.behind(), 0, "the first room is theirs");
    let before = scene.read(scene.huge);
    scene.store(500);
    scene.run();
    assert_eq!(scene.read(scene.huge) - before, 500 * 64, "and then it goes on");
}

#[test]
fn a_file_that_waits_for_itself_holds_up_no_other() {
    let mut scene = Scene::new();
    let bad = *scene.sizes.keys().nth(1).unwrap();
    (scene.bad, scene.room) = (Some(bad), 1_000_000);
    for _ in 0..4 {
        scene.append(10);
        assert_eq!(scene.round(10_000), 0);
        assert_eq!((scene.behind(), scene.read(bad)), (0, 0));
    }
    assert!(scene.turns.iter().filter(|file| **file == bad).count() <= 2, "it is left alone for a while");
    scene.bad = None;
    scene.now = scene.now.plus(Duration::from_secs(5));
    scene.round(10_000);
    scene.round(10_000);
    assert_eq!(scene.read(bad), 40 * 64, "what was read before, and the rest");
}

/// While a record that is older than all others finds no way, what comes after it is not read without end.
#[test]
fn a_file_whose_oldest_record_is_stuck_waits_for_it() {
    let mut scene = Scene::new();
    scene.room = usize::MAX / 2;
    scene.round(1);
    let oldest = scene.in_flight.pop_front().unwrap();
    for _ in 0..1000 {
        scene.append(1);
        scene.store(usize::MAX);
        scene.round(1);
    }
    let read = scene.read(scene.huge) / 64;
    assert!((1 << 20..1 << 21).contains(&read), "{read} records after it");
    assert_eq!(scene.behind(), 0, "the others go on");
    scene.flow.acknowledge(oldest);
    scene.store(usize::MAX);
    scene.round(1);
    scene.round(1);
    assert!(scene.read(scene.huge) / 64 > read);
}
