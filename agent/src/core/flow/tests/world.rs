//! A made-up directory: an application that writes numbered lines, and everything that is done to its log.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use crate::types::Node;

pub(super) const LOG: &str = "/log/app.log";

/// A file.
#[derive(Debug, Clone, Default)]
pub(super) struct Stored {
    /// Its bytes; of a compressed file, what is in it.
    pub(super) content: Vec<u8>,
    pub(super) modified: u64,
    pub(super) compression: Compression,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Compression {
    #[default]
    None,
    Begun,
    Complete,
}

impl Stored {
    /// How many bytes [`Stored::stored`] has.
    pub(super) fn size(&self) -> usize {
        match self.compression {
            Compression::None => self.content.len(),
            Compression::Begun => (self.content.len() + 11) / 2,
            Compression::Complete => self.content.len() + 11,
        }
    }

    /// Where the NULs begin with which it ends.
    pub(super) fn text_length(&self) -> usize {
        self.content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
    }

    /// Its bytes as they are stored. Nothing but their sizes and their difference counts.
    pub(super) fn stored(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> =
            b"compressed ".iter().chain(self.content.iter()).map(|byte| byte ^ 0x55).collect();
        match self.compression {
            Compression::None => return self.content.clone(),
            Compression::Begun => bytes.truncate(bytes.len() / 2),
            Compression::Complete => {}
        }
        bytes
    }
}

/// The directory and the application.
#[derive(Debug)]
pub(super) struct World {
    pub(super) random: fastrand::Rng,
    pub(super) files: BTreeMap<Node, Stored>,
    pub(super) names: BTreeMap<PathBuf, Node>,
    pub(super) links: BTreeMap<PathBuf, PathBuf>,
    free_inodes: Vec<u64>,
    next_inode: u64,
    /// The file system's clock, which may jump.
    clock: u64,
    writer: Node,
    /// Numbers given to names, so that no file takes another one's.
    numbers: u32,
    /// Where a writer without `O_APPEND` writes next.
    writer_place: Option<usize>,
    /// The application fills its log with NULs before it writes into it.
    pub(super) makes_room: bool,
    /// How much of the last record is written, if not all.
    partial: Option<usize>,
    /// A line with which every file begins, and that is no record.
    pub(super) header: &'static str,
    /// Some records have two lines.
    pub(super) has_long_records: bool,
    pub(super) written: Vec<String>,
    /// Those that were written between the copy and the truncation of a copytruncate: in neither file.
    pub(super) in_no_file: HashSet<String>,
    /// Where in its file each of them begins.
    pub(super) places: Vec<usize>,
    pub(super) history: Vec<(usize, String)>,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut world = Self {
            random: fastrand::Rng::with_seed(seed),
            files: BTreeMap::new(),
            names: BTreeMap::new(),
            links: BTreeMap::new(),
            free_inodes: Vec::new(),
            next_inode: 1,
            clock: 1 << 50,
            writer: Node::GONE,
            numbers: 0,
            writer_place: None,
            makes_room: false,
            partial: None,
            header: "",
            has_long_records: false,
            written: Vec::new(),
            in_no_file: HashSet::new(),
            places: Vec::new(),
            history: Vec::new(),
        };
        world.writer = world.create(LOG, &[]);
        world
    }

    pub(super) fn create(&mut self, path: &str, content: &[u8]) -> Node {
        let is_reused = !self.free_inodes.is_empty() && self.random.u32(..4) > 0;
        let inode = if is_reused { self.free_inodes.pop() } else { None };
        let inode = inode.unwrap_or_else(|| {
            self.next_inode += 1;
            self.next_inode
        });
        self.clock += 1;
        let node = Node { device: 1, inode, birth: self.clock };
        let stored = Stored { content: content.to_vec(), modified: self.clock, ..Stored::default() };
        self.files.insert(node, stored);
        self.names.insert(path.into(), node);
        node
    }

    /// Frees what has no name and is held by nobody.
    pub(super) fn sweep(&mut self, is_open: impl Fn(Node) -> bool) {
        let named: HashSet<Node> = self.names.values().copied().collect();
        let is_named = |node: &Node| named.contains(node);
        let mut gone: Vec<Node> = self
            .files
            .keys()
            .filter(|node| !is_named(node) && !is_open(**node) && **node != self.writer)
            .copied()
            .collect();
        // The same life has to be lived again.
        gone.sort_unstable();
        for node in gone {
            self.files.remove(&node);
            self.free_inodes.push(node.inode);
        }
    }

    pub(super) fn live(&self) -> Node {
        self.names[Path::new(LOG)]
    }

    pub(super) fn content(&self, node: Node) -> &[u8] {
        &self.files[&node].content
    }

    fn write(&mut self, text: &str) {
        self.clock += 1;
        let file = self.files.get_mut(&self.writer).expect("what is written to is kept");
        let header = if file.text_length() == 0 { self.header } else { "" };
        let bytes = [header, text].concat().into_bytes();
        if self.makes_room && self.writer_place.is_none() {
            self.writer_place = Some(file.text_length());
        }
        if let Some(place) = &mut self.writer_place {
            let end = *place + bytes.len();
            let room = if self.makes_room && end > file.content.len() { 300 } else { 0 };
            file.content.resize((end + room).max(file.content.len()), 0);
            file.content[*place..end].copy_from_slice(&bytes);
            *place = end;
        } else {
            file.content.extend_from_slice(&bytes);
        }
        file.modified = self.clock;
    }

    fn next_record(&mut self) -> String {
        let end = self.files[&self.writer].text_length();
        self.places.push(self.writer_place.unwrap_or(end));
        let number = self.written.len();
        let filler = "x".repeat(self.random.usize(..60));
        let is_long = self.has_long_records && self.random.u32(..3) == 0;
        let more = if is_long { format!("\n  and more of {number:06}") } else { String::new() };
        format!("line {number:06} {filler}{more}")
    }

    pub(super) fn append(&mut self, records: u64) {
        self.end_record();
        for _ in 0..records {
            let record = self.next_record();
            self.write(&format!("{record}\n"));
            self.written.push(record);
        }
    }

    /// Writes a part of a record, with an unfinished line at its end.
    pub(super) fn begin_record(&mut self) {
        self.end_record();
        let record = self.next_record();
        let last_line = record.find('\n').map_or(0, |newline| newline + 1);
        let part = last_line + 9.min(record.len() - last_line);
        self.write(&record[..part]);
        self.written.push(record);
        self.partial = Some(part);
    }

    pub(super) fn end_record(&mut self) {
        if let Some(part) = self.partial.take() {
            let rest = self.written.last().expect("was begun")[part..].to_owned();
            self.write(&format!("{rest}\n"));
        }
    }

    pub(super) fn note(&mut self, what: &str) {
        self.history.push((self.written.len(), what.to_owned()));
    }

    /// What happened around a line.
    pub(super) fn around(&self, line: usize) -> &[(usize, String)] {
        let place = self.history.partition_point(|(before, _)| *before <= line);
        &self.history[place.saturating_sub(20)..(place + 40).min(self.history.len())]
    }

    pub(super) fn jump_clock(&mut self) {
        self.note("clock jumps");
        let day = 86_400_000_000_000;
        self.clock = if self.random.bool() { self.clock + day } else { self.clock - day };
    }

    fn numbered(number: usize) -> PathBuf {
        format!("{LOG}.{number}").into()
    }

    /// Makes room for a new `.1`, compressed ones included. Nothing falls off the end of the chain unread.
    fn shift_chain(&mut self) {
        let place = |path: &PathBuf| {
            let added = path.to_str()?.strip_prefix(LOG)?.strip_prefix('.')?;
            let (number, ending) = added.split_at(added.find('.').unwrap_or(added.len()));
            Some((number.parse::<u32>().ok()?, ending.to_owned(), path.clone()))
        };
        let mut chain: Vec<_> = self.names.keys().filter_map(place).collect();
        chain.sort_unstable();
        for (number, ending, path) in chain.into_iter().rev() {
            let node = self.names.remove(&path).expect("is in the chain");
            self.names.insert(format!("{LOG}.{}{ending}", number + 1).into(), node);
        }
    }

    /// For a name that was never given.
    fn next_number(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }

    fn rotated_path(&mut self) -> PathBuf {
        if self.random.u32(..4) > 0 {
            self.shift_chain();
            return Self::numbered(1);
        }
        format!("{LOG}-20261121{:06}", self.next_number()).into()
    }

    /// The application opens its log, which it makes if it is not there.
    pub(super) fn reopen(&mut self) {
        self.end_record();
        self.writer_place = None;
        let live = self.names.get(Path::new(LOG)).copied();
        self.writer = live.unwrap_or_else(|| self.create(LOG, &[]));
    }

    pub(super) fn rotate_by_rename(&mut self) {
        self.note("rename");
        self.end_record();
        let to = self.rotated_path();
        let node = self.names.remove(Path::new(LOG)).expect("the live file exists");
        self.names.insert(to, node);
        if self.random.u32(..3) == 0 {
            // The old file is written to until the application is told.
            let lines = self.random.u64(..5);
            self.create(LOG, &[]);
            self.append(lines);
        }
        self.reopen();
    }

    /// The copy that a copytruncate begins with, half made.
    pub(super) fn begin_copy(&mut self) -> Node {
        self.note("copy begins");
        self.end_record();
        let to = self.rotated_path();
        let content = self.content(self.live()).to_vec();
        self.create(to.to_str().expect("text"), &content[..content.len() / 2])
    }

    /// Lines between the copy and the truncation.
    pub(super) fn append_to_no_file(&mut self, lines: u64) {
        self.note("written before the truncation");
        let before = self.written.len();
        self.append(lines);
        self.in_no_file.extend(self.written[before..].iter().cloned());
    }

    /// The rest of the copy. What is written from here to the truncation is in neither file.
    pub(super) fn finish_copy(&mut self, copy: Node) {
        self.note("copy is complete");
        self.end_record();
        let content = self.content(self.live()).to_vec();
        self.clock += 1;
        *self.files.get_mut(&copy).expect("was begun") =
            Stored { content, modified: self.clock, ..Stored::default() };
    }

    pub(super) fn truncate(&mut self) {
        self.note("truncate");
        self.clock += 1;
        let live = self.live();
        let file = self.files.get_mut(&live).expect("it exists");
        if self.makes_room {
            self.writer_place = None;
        } else if self.writer_place.is_none() && self.random.u32(..6) == 0 {
            self.writer_place = Some(file.content.len());
        }
        if self.writer_place.is_some() && self.random.bool() {
            self.writer_place = None;
        }
        file.content.clear();
        file.modified = self.clock;
    }

    /// Rotated plain files of which no other name is known.
    fn rotated(&self) -> Vec<PathBuf> {
        let is_plain = |path: &Path| {
            let text = path.to_str().expect("text");
            text != LOG && text.starts_with(LOG) && !text.ends_with(".gz")
        };
        self.names
            .iter()
            .filter(|(path, node)| is_plain(path) && **node != self.writer)
            .map(|(path, _)| path.clone())
            .collect()
    }

    pub(super) fn begin_compression(&mut self) -> Option<(PathBuf, Node)> {
        let plain = self.rotated();
        let path = plain.get(self.random.usize(..plain.len().max(1)))?.clone();
        let packed = self.begin_compression_of(&path);
        Some((path, packed))
    }

    pub(super) fn begin_compression_of(&mut self, path: &Path) -> Node {
        self.note(&format!("{} is compressed", path.display()));
        let stored = self.files[&self.names[path]].clone();
        let packed = self.create(&format!("{}.gz", path.display()), &stored.content);
        let file = self.files.get_mut(&packed).expect("was made");
        // gzip keeps the time of the last write.
        (file.modified, file.compression) = (stored.modified, Compression::Begun);
        packed
    }

    pub(super) fn finish_compression(&mut self, (path, packed): (PathBuf, Node)) {
        self.note("compressed");
        if let Some(file) = self.files.get_mut(&packed) {
            file.compression = Compression::Complete;
        }
        self.names.remove(&path);
    }

    /// Rotation into another directory; of a file that the agent knows.
    pub(super) fn move_away(&mut self, is_known: impl Fn(Node) -> bool) {
        let mut plain = self.rotated();
        plain.retain(|path| is_known(self.names[path]));
        if let Some(path) = plain.pop() {
            self.note(&format!("{} is moved away", path.display()));
            let node = self.names.remove(&path).expect("was listed");
            let number = self.next_number();
            self.names.insert(format!("/log/old/{number}").into(), node);
        }
    }

    pub(super) fn delete(&mut self, may_be_deleted: impl Fn(Node) -> bool) {
        let mut all: Vec<PathBuf> =
            self.names.keys().filter(|path| *path != Path::new(LOG)).cloned().collect();
        all.retain(|path| self.names[path] != self.writer && may_be_deleted(self.names[path]));
        if !all.is_empty() {
            let path = all.swap_remove(self.random.usize(..all.len()));
            self.note(&format!("{} is deleted", path.display()));
            self.names.remove(&path);
        }
    }

    /// Another name of a file, hard or symbolic.
    pub(super) fn link(&mut self) {
        let number = self.next_number();
        if self.random.bool() {
            self.note("a symbolic link");
            self.links.insert(format!("{LOG}.link{number}").into(), LOG.into());
        } else if let Some(path) = self.rotated().pop() {
            self.note(&format!("a hard link of {}", path.display()));
            self.names.insert(format!("/log/old/hard{number}").into(), self.names[&path]);
        }
    }

    /// An editor writes the file anew, and the application opens it again.
    pub(super) fn replace(&mut self) {
        let content = self.content(self.live()).to_vec();
        // A file of which less was read is not recognised (A6), and room is not read.
        let text = content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        if text > 1200 && self.writer == self.live() && self.partial.is_none() {
            self.note("replaced by an editor");
            self.create(LOG, &content);
            self.reopen();
        }
    }
}
