//! A flow in a made-up directory: lines are appended, files are rotated in every way, records wait for room, the agent
//! crashes and starts again. What was delivered is held against what was written; a failing seed prints itself.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{Adoption, Flow, Next, Publish, Pumped, Question};
use crate::checkpoint::{FileCheckpoint, Fingerprint, Probe, Wanted};
use crate::config::{AgentConfig, FlowConfig};
use crate::core::identity::{holds, is_rotated_name};
use crate::core::tracked_file::Presence;
use crate::source_file::Listed;
use crate::statistics::FlowStatistics;
use crate::types::{FileId, Moment, Node, RecordTag};

const LOG: &str = "/log/app.log";

/// A directory, and an agent's flow that follows it.
struct World {
    seed: u64,
    random: fastrand::Rng,
    now: Moment,
    contents: HashMap<Node, Vec<u8>>,
    names: BTreeMap<PathBuf, Node>,
    next_inode: u64,
    config: FlowConfig,
    flow: Flow,
    statistics: Arc<FlowStatistics>,
    open: HashMap<FileId, Node>,
    store: BTreeMap<FileId, FileCheckpoint>,
    in_flight: Vec<RecordTag>,
    delivered: HashMap<String, u32>,
    written: Vec<String>,
    partial: bool,
    /// The file whose next record found no room.
    blocked: Option<FileId>,
}

fn config(pattern: &str, more: &str) -> FlowConfig {
    let text = format!(r#"{{"flows":[{{"filePattern":"{pattern}","kinesisStream":"s"{more}}}]}}"#);
    AgentConfig::parse(&text, "agent.json").expect("a lawful configuration").config.flows.remove(0)
}

fn flow(
    config: &FlowConfig,
    store: &BTreeMap<FileId, FileCheckpoint>,
    statistics: &Arc<FlowStatistics>,
) -> Flow {
    let checkpoints = store.values().cloned().collect();
    Flow::new(config.clone(), checkpoints, true, false, 1, Arc::clone(statistics))
        .expect("no converters to compile")
}

impl World {
    fn new(seed: u64, pattern: &str) -> Self {
        // In every other world a line is complete when the next one begins, or after a while.
        let lines = ["", r#","multiLineStartPattern":"line ","multiLineTimeoutMillis":500"#];
        let config = config(pattern, lines[seed as usize % 2]);
        let statistics = Arc::new(FlowStatistics::default());
        let flow = flow(&config, &BTreeMap::new(), &statistics);
        let mut world = Self {
            seed,
            random: fastrand::Rng::with_seed(seed),
            now: Moment::ORIGIN,
            contents: HashMap::new(),
            names: BTreeMap::new(),
            next_inode: 1,
            config,
            flow,
            statistics,
            open: HashMap::new(),
            store: BTreeMap::new(),
            in_flight: Vec::new(),
            delivered: HashMap::new(),
            written: Vec::new(),
            partial: false,
            blocked: None,
        };
        world.create(LOG);
        world
    }

    // --- what applications and logrotate do ---

    fn create(&mut self, path: &str) -> Node {
        let node = Node { device: 1, inode: self.next_inode };
        self.next_inode += 1;
        self.contents.insert(node, Vec::new());
        self.names.insert(path.into(), node);
        node
    }

    fn live(&mut self) -> &mut Vec<u8> {
        let node = self.names[Path::new(LOG)];
        self.contents.get_mut(&node).expect("the live file exists")
    }

    fn append(&mut self, lines: u64) {
        for _ in 0..lines {
            let line = format!("line {:06} {}", self.written.len(), "x".repeat(self.random.usize(..60)));
            self.live().extend_from_slice(line.as_bytes());
            self.live().push(b'\n');
            self.written.push(line);
        }
    }

    fn begin_line(&mut self) {
        let line = format!("line {:06} in two parts", self.written.len());
        self.live().extend_from_slice(&line.as_bytes()[..9]);
        self.written.push(line);
        self.partial = true;
    }

    fn end_line(&mut self) {
        if std::mem::take(&mut self.partial) {
            let rest = self.written.last().expect("was begun")[9..].to_owned();
            self.live().extend_from_slice(rest.as_bytes());
            self.live().push(b'\n');
        }
    }

    /// The agent has seen the live file and read something of it. A generation that comes and goes between two looks is
    /// a known limit.
    fn be_noticed(&mut self) {
        self.end_line();
        let node = self.names[Path::new(LOG)];
        let is_noticed = |world: &Self| {
            let followed =
                world.flow.files().filter(|file| file.presence == Presence::Listed && file.node == node);
            world.contents[&node].is_empty() || followed.into_iter().any(|file| file.fetched() > 0)
        };
        while !is_noticed(self) {
            self.list();
            self.step();
        }
    }

    /// The chain is longer than any test, so that nothing falls off its end unread.
    fn shift_chain(&mut self) {
        for number in (1..40).rev() {
            if let Some(node) = self.names.remove(Path::new(&format!("{LOG}.{number}"))) {
                self.names.insert(format!("{LOG}.{}", number + 1).into(), node);
            }
        }
    }

    fn rotate_by_rename(&mut self) {
        self.be_noticed();
        self.shift_chain();
        let node = self.names.remove(Path::new(LOG)).expect("the live file exists");
        self.names.insert(format!("{LOG}.1").into(), node);
        self.create(LOG);
        self.list(); // the kernel tells of new names
    }

    fn rotate_by_copy(&mut self) {
        self.be_noticed();
        self.shift_chain();
        let content = self.live().clone();
        let copy = self.create(&format!("{LOG}.1"));
        // A look while the copy is being made.
        let half = content.len() / 2;
        self.contents.insert(copy, content[..half].to_vec());
        if self.random.bool() {
            self.step();
        }
        self.contents.insert(copy, content);
        if self.random.bool() {
            self.step();
        }
        self.live().clear();
        // Rotated again before the agent looks, the copy would have moved on: a known limit too.
        let node = self.names[Path::new(LOG)];
        while self
            .flow
            .files()
            .any(|file| file.node == node && file.fetched() > 0 && file.presence != Presence::Ended)
        {
            self.step();
        }
    }

    // --- what the shell does ---

    fn probe(&self, node: Node, wanted: Wanted) -> Probe {
        let content = &self.contents[&node];
        let start = usize::try_from(wanted.marker_start).expect("small").min(content.len());
        let end = (start + wanted.marker_length).min(content.len());
        Probe {
            head: content[..wanted.head_length.min(content.len())].to_vec(),
            marker: content[start..end].to_vec(),
        }
    }

    fn listing(&self, matches: impl Fn(&Path) -> bool) -> Vec<Listed> {
        let size = |node: &Node| self.contents[node].len() as u64;
        let listed =
            |(path, node): (&PathBuf, &Node)| Listed { path: path.clone(), node: *node, size: size(node) };
        self.names.iter().filter(|(path, _)| matches(path)).map(listed).collect()
    }

    fn is_followed(&self, path: &Path) -> bool {
        path.file_name().is_some_and(|name| self.config.file_pattern.matches(name))
    }

    fn answers(&self, listed: &Listed) -> Vec<(Question, Probe)> {
        let intact_size = |file, fingerprint: &Fingerprint| {
            let node = self.open.get(&file)?;
            let is_intact = holds(fingerprint, &self.probe(*node, fingerprint.wanted()));
            is_intact.then(|| self.contents[node].len() as u64)
        };
        let questions = self.flow.questions(listed, intact_size);
        questions
            .into_iter()
            .map(|question| {
                let probe = self.probe(listed.node, question.fingerprint.wanted());
                (question, probe)
            })
            .collect()
    }

    fn hold(&mut self, adoption: Adoption, found: &Listed) {
        let id = match adoption {
            Adoption::Copy => return,
            Adoption::New(id) | Adoption::NewFromEnd(id) | Adoption::Continued(id) => id,
            Adoption::AlreadyRead(id) => {
                let probe = self.probe(found.node, Fingerprint::wanted_at(found.size));
                let fingerprint = Fingerprint::of_probe(found.size, &probe);
                self.flow.start_at(id, fingerprint, probe, self.now);
                id
            }
        };
        self.open.insert(id, found.node);
    }

    fn list(&mut self) {
        let listing = self.listing(|path| self.is_followed(path));
        for unknown in self.flow.listed(listing, self.now) {
            let answers = self.answers(&unknown);
            let adoption = self.flow.adopt(&unknown, &answers, self.now);
            self.hold(adoption, &unknown);
        }
        if !self.flow.orphans().is_empty() {
            let mut candidates = self.listing(|_| true);
            candidates.retain(|candidate| self.flow.may_be_orphan(candidate));
            self.take_rest(candidates);
            self.flow.give_up_orphans();
        }
    }

    fn search_rest(&mut self, path: &Path) {
        let candidates = self.listing(|candidate| is_rotated_name(path, candidate));
        self.take_rest(candidates);
    }

    fn take_rest(&mut self, candidates: Vec<Listed>) {
        for found in candidates {
            if self.flow.is_tracked(found.node) {
                continue;
            }
            let answers = self.answers(&found);
            let is_followed = self.is_followed(&found.path);
            let Some(adoption) = self.flow.adopt_rest(&found, &answers, is_followed, self.now) else {
                continue;
            };
            if let Adoption::Continued(id) = adoption
                && !is_followed
            {
                self.flow.is_away(id, self.now);
            }
            self.hold(adoption, &found);
        }
    }

    fn look(&mut self, id: FileId) {
        let Some(node) = self.open.get(&id).copied() else { return };
        let content = self.contents[&node].clone();
        let links = u64::from(self.names.values().any(|named| *named == node));
        let mut next = self.flow.looked(id, content.len() as u64, links, self.now);
        if let Next::Read { offset, length } = next {
            let start = usize::try_from(offset).expect("small");
            // Short reads are lawful.
            let end = content.len().min(start + self.random.usize(300..600).min(length));
            next = self.flow.read(id, &content[start..end], content.len() as u64, self.now);
            if next == Next::Wait {
                next = Next::Drain;
            }
        }
        match next {
            Next::Truncated(new) => {
                let path = self.flow.file(id).expect("is under way").path.clone();
                self.open.insert(new, node);
                self.search_rest(&path);
            }
            Next::Drain => self.pump(id),
            Next::Wait | Next::Read { .. } => {}
        }
    }

    fn pump(&mut self, id: FileId) {
        let room = self.random.usize(..40);
        let mut accepted = Vec::new();
        let pumped = self.flow.pump(id, 0, |record| {
            if accepted.len() == room {
                return Publish::Full;
            }
            let line = String::from_utf8(record.data.to_vec()).expect("lines are text");
            accepted.push((record.tag, line.trim_end_matches('\n').to_owned()));
            Publish::Accepted
        });
        self.blocked = (pumped == Pumped::Blocked).then_some(id);
        for (tag, line) in accepted {
            // The service has it at once; the acknowledgement comes later.
            *self.delivered.entry(line).or_default() += 1;
            self.in_flight.push(tag);
        }
    }

    fn step(&mut self) {
        self.now = self.now.plus(Duration::from_millis(self.random.u64(1..400)));
        if self.random.f64() < 0.3 {
            self.list();
        }
        if let Some(blocked) = self.blocked {
            self.pump(blocked);
        }
        for file in self.flow.due(self.now) {
            if self.blocked.is_none() {
                self.look(file);
            }
        }
        for _ in 0..self.random.usize(..60).min(self.in_flight.len()) {
            let place = self.random.usize(..self.in_flight.len());
            self.flow.acknowledge(self.in_flight.swap_remove(place));
        }
        for gone in self.flow.give_up_finished() {
            self.open.remove(&gone);
        }
        if self.flow.take_save_urgency() || self.random.f64() < 0.3 {
            self.save();
        }
    }

    fn save(&mut self) {
        let (saved, forgotten) = self.flow.checkpoints();
        self.store.extend(saved.into_iter().map(|checkpoint| (checkpoint.file, checkpoint)));
        forgotten.iter().for_each(|file| drop(self.store.remove(file)));
    }

    fn crash(&mut self) {
        self.flow = flow(&self.config, &self.store, &self.statistics);
        self.open.clear();
        self.in_flight.clear();
        self.blocked = None;
        self.list();
        self.save();
    }

    /// Everything that is there is read and acknowledged.
    fn settle(&mut self) {
        self.end_line();
        for _ in 0..2000 {
            self.list();
            self.step();
            let read = self.flow.files().all(|file| {
                let size = self.contents[&self.open[&file.id]].len() as u64;
                file.is_drained || file.cut() == size
            });
            if read && self.blocked.is_none() && self.in_flight.is_empty() && self.flow.outstanding() == 0 {
                return;
            }
        }
        panic!("seed {}: never settled", self.seed);
    }

    fn missing(&self) -> Vec<&String> {
        self.written.iter().filter(|line| !self.delivered.contains_key(*line)).collect()
    }

    fn doubled(&self) -> Vec<&String> {
        self.delivered.iter().filter(|(_, copies)| **copies > 1).map(|(line, _)| line).collect()
    }

    fn live_for(&mut self, steps: u32, crashes: bool) {
        for _ in 0..steps {
            match self.random.u32(..100) {
                0..50 => {
                    self.end_line();
                    let lines = self.random.u64(..30);
                    self.append(lines);
                }
                50..55 => {
                    self.end_line();
                    self.begin_line();
                }
                55..58 => self.rotate_by_rename(),
                58..61 => self.rotate_by_copy(),
                61..64 if crashes => self.crash(),
                _ => {}
            }
            self.step();
        }
        self.settle();
    }
}

#[test]
fn rotations_lose_nothing_and_double_nothing() {
    for pattern in [LOG, "/log/app.log*"] {
        for seed in 0..60 {
            let mut world = World::new(seed, pattern);
            world.list();
            world.live_for(150, false);
            assert_eq!(world.missing(), Vec::<&String>::new(), "{pattern}, seed {seed}");
            assert_eq!(world.doubled(), Vec::<&String>::new(), "{pattern}, seed {seed}");
        }
    }
}

#[test]
fn crashes_lose_nothing() {
    for pattern in [LOG, "/log/app.log*"] {
        for seed in 1000..1060 {
            let mut world = World::new(seed, pattern);
            world.list();
            world.live_for(150, true);
            assert_eq!(world.missing(), Vec::<&String>::new(), "{pattern}, seed {seed}");
        }
    }
}

#[test]
fn header_lines_are_left_out_of_every_new_file() {
    let config = config(LOG, r#","skipHeaderLines":2"#);
    let mut world = World::new(1, LOG);
    world.flow = flow(&config, &BTreeMap::new(), &world.statistics);
    world.append(1);
    world.list();
    world.step();
    world.append(3);
    world.rotate_by_rename();
    world.append(4);
    world.settle();
    let delivered: Vec<bool> = world.written.iter().map(|line| world.delivered.contains_key(line)).collect();
    assert_eq!(delivered, [false, false, true, true, false, false, true, true]);
}

#[test]
fn once_ships_what_is_there_and_is_done() {
    let config = config("/log/app.log*", "");
    let mut world = World::new(2, "/log/app.log*");
    world.append(20);
    world.rotate_by_rename();
    world.begin_line();
    let first_part = world.written[20][..9].to_owned();
    world.flow =
        Flow::new(config, Vec::new(), false, true, 1, Arc::clone(&world.statistics)).expect("no converters");
    world.list();
    for _ in 0..200 {
        world.step();
    }
    assert!(world.flow.is_all_cut());
    assert!(world.delivered.contains_key(&first_part), "an unfinished last line is part of what is there");
    world.end_line();
    world.append(5);
    for _ in 0..20 {
        world.step();
    }
    assert_eq!(world.delivered.len(), 21, "what came later is left");
}

#[test]
fn two_names_of_one_file_are_one_file() {
    let mut world = World::new(3, "/log/app.log*");
    let node = world.names[Path::new(LOG)];
    world.names.insert("/log/app.log.link".into(), node);
    world.append(30);
    world.list();
    world.settle();
    assert!(world.missing().is_empty() && world.doubled().is_empty());
}

#[test]
fn files_that_begin_alike_are_all_read() {
    let mut world = World::new(4, "/log/*.csv");
    for name in ["/log/a.csv", "/log/b.csv", "/log/a.csv.csv"] {
        let node = world.create(name);
        let rows = format!("id,name\n{name} 1\n{name} 2\n");
        world.contents.insert(node, rows.into_bytes());
        world.list();
        (0..40).for_each(|_| world.step());
    }
    assert_eq!(world.delivered.get("id,name"), Some(&3));
    assert_eq!(world.delivered.len(), 7);
}
