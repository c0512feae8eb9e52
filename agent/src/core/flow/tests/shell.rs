//! What the shell does, in the made-up directory.

mod verdict;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::world::{Compression, LOG, World};
use crate::checkpoint::{FileCheckpoint, Fingerprint, HEAD_BYTES, Probe, Wanted};
use crate::config::{AgentConfig, FlowConfig};
use crate::core::flow::{
    Adoption, COPY_HOLDS, Flow, Glance, Glimpse, Next, Publish, Pumped, Question, Record, Sight, Turn,
};
use crate::core::identity::{holds, is_rotated_name};
use crate::core::rotated_name::{kind, rotated_kind};
use crate::core::tracked_file::TrackedFile;
use crate::source_file::{Kind, Listed, Search};
use crate::statistics::FlowStatistics;
use crate::types::{FileId, Moment, Node, RecordTag};

/// The line with which every file begins in some lives.
const HEADER: &str = "#fields: what was written\n";

pub(super) struct Shell {
    pub(super) world: World,
    pub(super) random: fastrand::Rng,
    pub(super) now: Moment,
    pub(super) config: FlowConfig,
    pub(super) flow: Flow,
    pub(super) statistics: Arc<FlowStatistics>,
    open: HashMap<FileId, Node>,
    /// Descriptors that it may hold.
    pub(super) max_open: usize,
    /// A file that is not read to its end may be replaced.
    pub(super) sees_replacements: bool,
    /// Lines are written between a copy and its truncation.
    pub(super) loses_lines: bool,
    pub(super) store: BTreeMap<FileId, FileCheckpoint>,
    /// Records that have no outcome yet.
    in_flight: Vec<(RecordTag, String)>,
    pub(super) delivered: HashMap<String, u32>,
    /// What was delivered under each id.
    pub(super) ids: HashMap<String, String>,
    /// A record found no room in this step.
    is_blocked: bool,
    has_searched: bool,
    /// Compressed files that were left alone, with their sizes and the machine's epoch: with the same ones nothing changed.
    passed_over: HashMap<Node, (u64, u64, Moment)>,
}

pub(super) fn config(pattern: &str, more: &str) -> FlowConfig {
    let text = format!(r#"{{"flows":[{{"filePattern":"{pattern}","kinesisStream":"s"{more}}}]}}"#);
    AgentConfig::parse(&text, "agent.json").expect("a lawful configuration").config.flows.remove(0)
}

pub(super) fn flow(
    config: &FlowConfig,
    store: &BTreeMap<FileId, FileCheckpoint>,
    statistics: &Arc<FlowStatistics>,
) -> Flow {
    let checkpoints = store.values().cloned().collect();
    Flow::new(config.clone(), checkpoints, true, false, 1, Arc::clone(statistics))
        .expect("no converters to compile")
}

/// The hole of a log that nobody had seen before it was truncated is taken for data if it is short.
fn without_short_hole(line: &str) -> &str {
    let text = line.trim_start_matches('\0');
    if line.len() - text.len() < HEAD_BYTES { text } else { line }
}

fn probe(content: &[u8], wanted: Wanted) -> Probe {
    let start = usize::try_from(wanted.marker_start).expect("small").min(content.len());
    let end = (start + wanted.marker_length).min(content.len());
    Probe {
        head: content[..wanted.head_length.min(content.len())].to_vec(),
        marker: content[start..end].to_vec(),
    }
}

impl Shell {
    pub(super) fn new(seed: u64, pattern: &str) -> Self {
        // In every other life a record is complete when the next one begins, or after a while; in every third one files
        // have a header.
        let (has_long_records, has_header) = (seed % 2 == 1, seed % 3 == 2);
        let mut more = r#","dedupIds":"TAG""#.to_owned();
        if has_long_records {
            more += r#","multiLineStartPattern":"line ","multiLineTimeoutMillis":500"#;
        }
        if has_header {
            more += r#","skipHeaderLines":1"#;
        }
        let config = config(pattern, &more);
        let mut world = World::new(seed);
        (world.has_long_records, world.header) = (has_long_records, if has_header { HEADER } else { "" });
        // In every fifth one the application makes room ahead of what it writes.
        world.makes_room = seed % 5 == 4;
        let statistics = Arc::new(FlowStatistics::default());
        let flow = flow(&config, &BTreeMap::new(), &statistics);
        Self {
            world,
            random: fastrand::Rng::with_seed(seed ^ 0xA5A5),
            now: Moment::ORIGIN,
            config,
            flow,
            statistics,
            open: HashMap::new(),
            max_open: usize::MAX,
            sees_replacements: true,
            loses_lines: false,
            store: BTreeMap::new(),
            in_flight: Vec::new(),
            delivered: HashMap::new(),
            ids: HashMap::new(),
            is_blocked: false,
            has_searched: false,
            passed_over: HashMap::new(),
        }
    }

    fn listing(&self, kind: impl Fn(&Path) -> Option<Kind>) -> Vec<Listed> {
        let world = &self.world;
        let links = world.links.iter().filter_map(|(link, to)| Some((link, world.names.get(to)?)));
        let all = world.names.iter().chain(links);
        let listed = all.filter_map(|(path, node)| {
            let file = &world.files[node];
            let size = file.size() as u64;
            let (path, node, modified) = (path.clone(), *node, file.modified);
            Some(Listed { kind: kind(&path)?, path, node, size, stored_size: size, modified })
        });
        listed.collect()
    }

    fn kind(&self, path: &Path) -> Option<Kind> {
        if path.parent() == Some(Path::new("/log")) { kind(&self.config.file_pattern, path) } else { None }
    }

    fn questions(&self, found: &Listed) -> Vec<Question> {
        let intact_size = |file, fingerprint: &Fingerprint| {
            let known = self.flow.file(file)?;
            let node = match self.open.get(&file) {
                Some(node) => *node,
                None if self.named(&known.path) != Some(known.node) => return Some(known.size()),
                None => known.node,
            };
            let file = &self.world.files[&node];
            let is_intact = holds(fingerprint, &probe(&file.content, fingerprint.wanted()));
            is_intact.then_some(file.text_length() as u64)
        };
        self.flow.questions(found, intact_size)
    }

    /// The file as it was opened, and the answers; None if it cannot be read now.
    fn examine(&self, listed: &Listed) -> Option<(Listed, Vec<(Question, Probe)>)> {
        let file = &self.world.files[&listed.node];
        let mut found = listed.clone();
        let mut questions = self.flow.own_questions(&found);
        let answer = |question: Question, content: &[u8]| {
            let probe = probe(content, question.fingerprint.wanted());
            (question, probe)
        };
        if found.kind == Kind::Compressed {
            let known = self.passed_over.get(&found.node);
            if known.is_some_and(|(size, epoch, at)| {
                (*size, *epoch) == (found.stored_size, self.flow.epoch()) && self.now.since(*at) < COPY_HOLDS
            }) {
                return None;
            }
            let stored = file.stored();
            for question in &questions {
                let (question, probe) = answer(question.clone(), &stored);
                if question.fingerprint.offset == found.stored_size && holds(&question.fingerprint, &probe) {
                    return Some((found, vec![(question, probe)]));
                }
            }
            if file.compression != Compression::Complete {
                return None;
            }
            found.size = file.text_length() as u64;
            questions.extend(self.questions(&found));
            let answers = questions.into_iter().map(|question| answer(question, &file.content)).collect();
            return Some((found, answers));
        }
        found.size = file.text_length() as u64;
        let mut answers: Vec<_> =
            questions.into_iter().map(|question| answer(question, &file.content)).collect();
        if !self.flow.recognises(&found, &answers) {
            answers
                .extend(self.questions(&found).into_iter().map(|question| answer(question, &file.content)));
        }
        Some((found, answers))
    }

    fn hold(&mut self, adoption: Adoption, found: &Listed) {
        if let Adoption::Continued(id) | Adoption::New(id) | Adoption::NewFromEnd(id) = adoption {
            let (path, node) = (found.path.display(), found.node.inode);
            let fetched = self.flow.file(id).map_or(0, TrackedFile::fetched);
            self.world
                .note(&format!("  {path} (inode {node}, {} bytes): {adoption:?} at {fetched}", found.size));
        }
        let file = &self.world.files[&found.node];
        let id = match adoption {
            Adoption::Copy => {
                if found.kind == Kind::Compressed {
                    self.passed_over.insert(found.node, (found.stored_size, self.flow.epoch(), self.now));
                }
                return;
            }
            Adoption::Finished(id) => {
                if found.kind == Kind::Compressed {
                    let stored = file.stored();
                    let size = stored.len() as u64;
                    let print = Fingerprint::of_probe(size, &probe(&stored, Fingerprint::wanted_at(size)));
                    self.flow.stored(id, print, found);
                }
                return;
            }
            Adoption::New(id) => {
                self.flow.foresee(id, &file.content);
                id
            }
            Adoption::NewFromEnd(id) | Adoption::Continued(id) => id,
            Adoption::AlreadyRead(id) => {
                let probe = probe(&file.content, Fingerprint::wanted_at(found.size));
                let fingerprint = Fingerprint::of_probe(found.size, &probe);
                self.flow.start_at(id, fingerprint, probe, self.now);
                id
            }
        };
        self.open.insert(id, found.node);
    }

    pub(super) fn list(&mut self) {
        let listing = self.listing(|path| self.kind(path));
        for unknown in self.flow.listed(&listing, self.now) {
            if self.flow.is_predecessor(&unknown) {
                let stored = self.world.files[&unknown.node].stored();
                let size = stored.len() as u64;
                let print = Fingerprint::of_probe(size, &probe(&stored, Fingerprint::wanted_at(size)));
                self.flow.predates(&unknown, print);
                continue;
            }
            if self.flow.is_tracked(unknown.node) {
                continue;
            }
            let Some((found, answers)) = self.examine(&unknown) else { continue };
            let adoption = self.flow.adopt(&found, &answers, self.now);
            self.hold(adoption, &found);
        }
        if !std::mem::replace(&mut self.has_searched, true) || self.flow.has_lost() {
            let mut candidates =
                self.listing(|path| self.kind(path).or_else(|| path.file_name().map(rotated_kind)));
            candidates.retain(|candidate| self.flow.may_be_missing(candidate));
            self.take_rest(candidates);
            self.flow.give_up_lost();
        }
        self.flow.forget_surplus();
        self.flow.started();
    }

    fn search_rest(&mut self, path: &Path) {
        let candidates = self.listing(|candidate| {
            let is_rotated = is_rotated_name(path, candidate);
            self.kind(candidate)
                .or_else(|| is_rotated.then(|| candidate.file_name().map_or(Kind::Rotated, rotated_kind)))
        });
        self.take_rest(candidates);
    }

    fn take_rest(&mut self, candidates: Vec<Listed>) {
        for found in candidates {
            if self.flow.is_tracked(found.node) {
                continue;
            }
            let Some((found, answers)) = self.examine(&found) else { continue };
            let Some(adoption) = self.flow.adopt_rest(&found, &answers, self.now) else { continue };
            self.hold(adoption, &found);
        }
    }

    /// What a name leads to.
    fn named(&self, path: &Path) -> Option<Node> {
        let names = &self.world.names;
        names.get(path).or_else(|| names.get(self.world.links.get(path)?)).copied()
    }

    /// Looks at the name of a file without a descriptor. Answers whether there is more to do.
    fn look_at_name(&mut self, id: FileId) -> Option<Next> {
        let known = self.flow.file(id)?;
        let node = known.node;
        let glimpse = self.named(&known.path).map(|node| {
            let file = &self.world.files[&node];
            Glimpse { node, size: file.size() as u64, modified: file.modified, links: 1 }
        });
        match self.flow.glanced(id, glimpse, self.now) {
            Glance::Same(next) => return Some(next),
            Glance::Open => {
                self.open.insert(id, node);
                self.flow.opened_again(id);
            }
            Glance::List => self.list(),
            Glance::Wait => {}
        }
        None
    }

    fn give_back_surplus(&mut self) {
        let count = self.open.len().saturating_sub(self.max_open);
        for id in self.flow.to_give_back(self.open.keys().copied(), count, self.now) {
            if let Some(node) = self.open.remove(&id) {
                self.flow.gave_back(id, self.world.files[&node].modified);
            }
        }
    }

    pub(super) fn look(&mut self, id: FileId) {
        let named = if self.open.contains_key(&id) { None } else { self.look_at_name(id) };
        let Some(node) = self.open.get(&id).copied().or(self.flow.file(id).map(|file| file.node)) else {
            return;
        };
        let mut next = match named {
            Some(next) => next,
            None if !self.open.contains_key(&id) => return,
            None => {
                let file = &self.world.files[&node];
                // Room in a gzip file is not even counted.
                let is_packed = file.compression == Compression::Complete;
                let size = if is_packed { file.text_length() } else { file.content.len() } as u64;
                let links = u64::from(self.world.names.values().any(|named| *named == node));
                let modified = self.world.files[&node].modified;
                self.flow.looked(id, Sight { size, modified, links }, self.now)
            }
        };
        let content = self.world.content(node).to_vec();
        if let Next::Read { offset, length } = next {
            let start = usize::try_from(offset).expect("small");
            // Short reads are lawful, but for what is read again.
            let repeated = self.flow.file(id).map_or(0, TrackedFile::overlap);
            let end = content.len().min(start + (repeated + self.random.usize(50..6000)).min(length));
            *self.flow.read_buffer() = content[start..end].to_vec();
            next = self.flow.read(id, content.len() as u64, self.now);
            if next == Next::Wait {
                next = Next::Drain;
            }
        }
        if let Next::Compare(wanted) = next {
            next = self.flow.compared(id, &probe(&content, wanted), self.now);
        }
        if let Next::Search(from) = next {
            let start = usize::try_from(from).expect("small");
            let end = content.len().min(start + self.random.usize(50..6000));
            let text = content[start..end].iter().position(|byte| *byte != 0);
            let search = text.map_or(Search::Nuls(end as u64), |text| Search::Text((start + text) as u64));
            next = self.flow.searched(id, search, content.len() as u64, self.now);
        }
        match next {
            Next::Truncated(new) => {
                let path = self.flow.file(id).expect("is under way").path.clone();
                self.world.note(&format!("  {id:?} {} is truncated: {new:?}", path.display()));
                self.open.insert(new, node);
                self.search_rest(&path);
            }
            Next::Drain => self.pump(id),
            Next::Wait | Next::Read { .. } | Next::Search(_) | Next::Compare(_) => {}
        }
    }

    fn pump(&mut self, id: FileId) {
        if self.flow.name_origin(id) | self.flow.take_save_urgency() {
            self.save();
        }
        let room = self.random.usize(..200);
        let (mut accepted, random) = (Vec::new(), &mut self.random);
        let publish = |record: Record<'_>| {
            if accepted.len() == room {
                return Publish::Full;
            }
            let line = String::from_utf8(record.data.to_vec()).expect("lines are text");
            let line = line.strip_suffix('\n').unwrap_or(&line);
            let line = without_short_hole(line).to_owned();
            let id = record.dedup_id.expect("each has one").to_owned();
            if random.u32(..200) == 0 {
                accepted.push((None, line, id));
                return Publish::DeadLettered;
            }
            accepted.push((Some(record.tag), line, id));
            Publish::Accepted
        };
        let pumped = self.flow.pump(id, 0, |_| Duration::ZERO, publish);
        if pumped == Pumped::Blocked {
            self.flow.found_no_room(id, self.now);
            self.is_blocked = true;
        }
        for (tag, line, id) in accepted {
            let first = self.ids.entry(id).or_insert_with(|| line.clone());
            assert_eq!(*first, line, "one id for two lines: {:?}", self.world.around(usize::MAX));
            match tag {
                Some(tag) => self.in_flight.push((tag, line)),
                None => *self.delivered.entry(line).or_default() += 1,
            }
        }
    }

    pub(super) fn step(&mut self) {
        self.now = self.now.plus(Duration::from_millis(self.random.u64(1..400)));
        if self.random.f64() < 0.3 {
            self.list();
        }
        self.is_blocked = false;
        self.flow.go_round(self.now);
        while !self.is_blocked
            && let Some(turn) = self.flow.next_turn()
        {
            match turn {
                Turn::Look(file) => self.look(file),
                Turn::Pump(file) => self.pump(file),
            }
        }
        for _ in 0..self.random.usize(..100).min(self.in_flight.len()) {
            let place = self.random.usize(..self.in_flight.len());
            let (tag, line) = self.in_flight.swap_remove(place);
            *self.delivered.entry(line).or_default() += 1;
            // Some are refused, and safe in the dead-letter file.
            match self.random.u32(..100) {
                0 => self.flow.dead_lettered(tag),
                _ => self.flow.acknowledge(tag),
            }
        }
        for gone in self.flow.give_up_finished() {
            self.world.note(&format!("  {gone:?} is given up"));
            self.open.remove(&gone);
        }
        self.give_back_surplus();
        if self.flow.take_save_urgency() || self.random.f64() < 0.3 {
            self.save();
        }
        let open: Vec<Node> = self.open.values().copied().collect();
        self.world.sweep(|node| open.contains(&node));
    }

    pub(super) fn save(&mut self) {
        let (saved, forgotten) = self.flow.checkpoints();
        forgotten.iter().for_each(|file| drop(self.store.remove(file)));
        self.store.extend(saved.into_iter().map(|checkpoint| (checkpoint.file, checkpoint)));
    }

    /// A clean stop: nothing more is read, and what is under way gets its outcome.
    pub(super) fn stop(&mut self) {
        self.world.note("stop");
        for (tag, line) in std::mem::take(&mut self.in_flight) {
            *self.delivered.entry(line).or_default() += 1;
            self.flow.acknowledge(tag);
        }
        self.save();
        self.restart();
    }

    pub(super) fn crash(&mut self) {
        self.world.note("crash");
        // Some of what was under way arrived, and its answer is lost.
        for (_, line) in std::mem::take(&mut self.in_flight) {
            if self.random.bool() {
                *self.delivered.entry(line).or_default() += 1;
            }
        }
        self.restart();
    }

    fn restart(&mut self) {
        self.flow = flow(&self.config, &self.store, &self.statistics);
        self.open.clear();
        self.in_flight.clear();
        self.is_blocked = false;
        self.passed_over.clear();
        self.has_searched = false;
        self.world.sweep(|_| false);
    }

    /// Whether the agent has saved that it knows a file, by more than other files may begin with.
    pub(super) fn is_known(&self, node: Node) -> bool {
        let unique = self.world.header.len() + "line 000000".len();
        self.is_saved(node, |known| known.fingerprint.head.length as usize >= unique)
    }

    /// Whether it is saved that all of a file is done.
    pub(super) fn is_done(&self, node: Node) -> bool {
        let file = &self.world.files[&node];
        let sizes = [file.text_length() as u64, file.size() as u64];
        self.is_saved(node, |known| sizes.contains(&known.fingerprint.offset))
    }

    fn is_saved(&self, node: Node, is: impl Fn(&FileCheckpoint) -> bool) -> bool {
        let content = self.world.content(node);
        let holds = |known: &FileCheckpoint| {
            let print = &known.fingerprint;
            print.head.length > 0 && holds(print, &probe(content, print.wanted()))
        };
        self.store.values().any(|known| known.node.is_same(&node) && is(known) && holds(known))
    }

    /// Everything that is there is read and acknowledged, and what was rotated away is given up.
    pub(super) fn settle(&mut self) {
        self.world.end_record();
        let decided = self.now.plus(2 * COPY_HOLDS);
        for _ in 0..3000 {
            self.list();
            self.step();
            let is_read = self.flow.files().all(|file| {
                let there = self.world.files.get(&file.node);
                file.is_drained || there.is_some_and(|there| file.cut() == there.text_length() as u64)
            });
            let is_quiet = !self.is_blocked && self.in_flight.is_empty() && self.now > decided;
            if is_read && is_quiet && self.flow.outstanding() == 0 && !self.flow.has_young_copies() {
                return;
            }
        }
        panic!("never settled: {:?}", self.world.around(usize::MAX));
    }

    pub(super) fn live(&self) -> Node {
        self.world.names[Path::new(LOG)]
    }
}
