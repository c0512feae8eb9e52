//! One flow's machine: which files it has, what to do with each, and which bytes are done.
//!
//! The shell lists the directory, looks at files, reads and publishes; every decision is taken here. Files are found
//! again by [`identity`](crate::core::identity), rotations are judged by [`rotation`](crate::core::rotation), and each
//! file's bytes go through splitter, processor and ledger.
//!
//! Invariants: a checkpoint is the end of a contiguous run of acknowledged bytes; a file is given up only when it is
//! away, read to its end and acknowledged; a stranger is read from its beginning.

mod adoption;
mod boundaries;
mod evidence;
mod files;
mod holes;
mod listing;
mod memory;
mod naming;
mod origins;
mod pump;
mod resting;
mod round;
mod stopping;
mod unmatched;
mod watching;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use regex::bytes::Regex;

use crate::checkpoint::FileCheckpoint;
use crate::config::{DedupIds, Destination, FlowConfig};
use crate::core::dedup_ids::{DEDUP_ID_BYTES, DedupIdWriter};
use crate::core::idle_pause::Crowd;
use crate::core::origin::Origins;
use crate::core::processor::{Processor, ProcessorError};
use crate::core::splitter::SplitRules;
use crate::core::tracked_file::{Presence, TrackedFile};
use crate::statistics::FlowStatistics;
use crate::types::{FileId, Moment, Node, RecordTag};

use adoption::SeenCopy;
use files::Files;
use memory::Memory;
use naming::Links;
use round::Round;

pub use adoption::{Adoption, COPY_HOLDS};
pub use evidence::{Known, Question};
pub use pump::{Publish, Pumped, Record};
pub use resting::{Glance, Glimpse};
pub use round::Turn;
pub use stopping::Whereabouts;
pub use unmatched::Unmatched;
pub use watching::{Next, Sight};

/// The machine of one flow.
#[derive(Debug)]
pub struct Flow {
    config: FlowConfig,
    processor: Processor,
    split_rules: Arc<SplitRules>,
    footer: Option<Regex>,
    random: fastrand::Rng,
    statistics: Arc<FlowStatistics>,
    files: Files,
    by_node: HashMap<Node, FileId>,
    links: Links,
    /// Copies that may still be being made.
    has_young_copies: bool,
    /// Copies of a part of a file, with that file and the copies' sizes: what is in them counts as read when what was
    /// read of the file is acknowledged.
    parts: HashMap<Node, (FileId, u64)>,
    /// Copies that the last listing showed.
    copies: HashMap<Node, SeenCopy>,
    /// The family of a live file that this listing found truncated, by its copy: what is in it now is not known before
    /// the next listing.
    truncated_family: Option<PathBuf>,
    /// Files that are not under way.
    memory: Memory,
    /// Those of them that changed since they were saved.
    remembered: Vec<FileCheckpoint>,
    /// Changes when what was decided about a copy may be decided otherwise.
    epoch: u64,
    next_file: u32,
    /// Whether files that appear are new: false during the very first listing of a flow without checkpoints.
    is_started: bool,
    /// Ship what is there and stop.
    once: bool,
    /// Files whose checkpoints are to be deleted.
    forgotten: Vec<FileId>,
    /// A file became known, or its beginning did.
    is_save_urgent: bool,
    /// Files that had no descriptor and that the last listing did not show.
    lost: Vec<resting::Lost>,
    crowd: Crowd,
    /// Records of stopped files that are refused for good.
    held_records: usize,
    /// The names of generations.
    origins: Origins,
    dedup_ids: DedupIdWriter,
    /// The present record's partition key; kept for its buffer.
    key: String,
    /// How many more records it is for.
    key_records: u32,
    /// For keys that are drawn and not taken; kept for its buffer.
    drawn_key: String,
    round: Round,
    unmatched: Option<Unmatched>,
    /// What was read last, on its way to its file; then a buffer for the next read.
    read_buffer: Vec<u8>,
}

/// Limits of the records that a destination takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RecordLimits {
    /// Bytes of a record; for Kinesis with its partition key. What its tag takes is counted off.
    record_bytes: usize,
    /// Bytes of a line; longer lines are cut while they are read.
    line_bytes: usize,
}

impl RecordLimits {
    fn of(config: &FlowConfig) -> Self {
        let tag_bytes = match config.dedup_ids {
            DedupIds::Tag => kpl::limits::DEDUP_FRAME_BYTES + DEDUP_ID_BYTES,
            DedupIds::None | DedupIds::Field(_) => 0,
        };
        match config.destination {
            Destination::KinesisStream(_) => Self {
                record_bytes: kpl::limits::KINESIS_RECORD_BYTES - tag_bytes,
                line_bytes: kpl::limits::PUT_RECORDS_BYTES,
            },
            Destination::DeliveryStream(_) => Self {
                record_bytes: kpl::limits::FIREHOSE_RECORD_BYTES,
                line_bytes: kpl::limits::PUT_RECORD_BATCH_BYTES,
            },
        }
    }
}

impl Flow {
    /// The machine of a flow that was interrupted at these checkpoints. `is_known`: the flow ran before, so that
    /// files without a checkpoint are new ones.
    ///
    /// # Errors
    ///
    /// A pattern of a converter, or of records' boundaries, that cannot be compiled.
    pub fn new(
        config: FlowConfig,
        checkpoints: Vec<FileCheckpoint>,
        is_known: bool,
        once: bool,
        seed: u64,
        statistics: Arc<FlowStatistics>,
    ) -> Result<Self, ProcessorError> {
        let processor = Processor::new(&config.data_processing_options)?;
        let split_rules = Arc::new(boundaries::split_rules(&config)?);
        let footer = boundaries::footer(&config)?;
        let origins = Origins::new("", &config.id, checkpoints.iter().filter_map(|known| known.origin));
        let dedup_ids = DedupIdWriter::new(&config.dedup_ids);
        let next_file = checkpoints.iter().map(|checkpoint| checkpoint.file.0 + 1).max().unwrap_or(0);
        Ok(Self {
            config,
            processor,
            split_rules,
            footer,
            random: fastrand::Rng::with_seed(seed),
            statistics,
            files: Files::default(),
            by_node: HashMap::new(),
            links: Links::default(),
            has_young_copies: false,
            parts: HashMap::new(),
            copies: HashMap::new(),
            truncated_family: None,
            memory: Memory::new(checkpoints),
            remembered: Vec::new(),
            epoch: 0,
            next_file,
            is_started: is_known,
            once,
            forgotten: Vec::new(),
            is_save_urgent: false,
            lost: Vec::new(),
            crowd: Crowd::default(),
            held_records: 0,
            origins,
            dedup_ids,
            key: String::new(),
            key_records: 0,
            drawn_key: String::new(),
            round: Round::default(),
            unmatched: None,
            read_buffer: Vec::new(),
        })
    }

    /// The first listing is over: files that appear from now on are new and are read from their beginning.
    pub fn started(&mut self) {
        self.is_started = true;
    }

    /// Takes acknowledgements of published records.
    pub fn acknowledge(&mut self, tag: RecordTag) {
        let file = self.files.get_mut(tag.file);
        if file.is_some_and(|mut file| file.ledger.close(tag.sequence)) {
            self.statistics.records_acknowledged.add(1);
        }
    }

    /// What is to be saved: the checkpoints that changed, and the files whose checkpoints are to go.
    pub fn checkpoints(&mut self) -> (Vec<FileCheckpoint>, Vec<FileId>) {
        let mut saved = std::mem::take(&mut self.remembered);
        // Of a file that came under way again what is saved now counts; of one that was forgotten since, nothing.
        saved.retain(|checkpoint| self.memory.get(checkpoint.file).is_some());
        for id in self.files.take_news() {
            saved.extend(self.files.get_mut(id).and_then(|mut file| file.checkpoint()));
        }
        (saved, std::mem::take(&mut self.forgotten))
    }

    /// Whether there is something to save, or will be when outcomes are known.
    #[must_use]
    pub fn will_save(&self) -> bool {
        let is_changed = !self.remembered.is_empty() || !self.forgotten.is_empty();
        is_changed || self.files.have_news() || self.outstanding() > 0
    }

    /// Whether there is something to save that should not wait for the next regular save.
    #[must_use]
    pub fn take_save_urgency(&mut self) -> bool {
        std::mem::take(&mut self.is_save_urgent)
    }

    /// Records published and not acknowledged.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.files.outstanding()
    }

    /// Bytes that were seen in the files and are not acknowledged.
    #[must_use]
    pub fn bytes_behind(&self) -> u64 {
        self.files.behind()
    }

    /// How many files are under way.
    #[must_use]
    pub fn file_count(&self) -> usize {
        self.files.len()
    }

    /// The files under way.
    pub fn files(&self) -> impl Iterator<Item = &TrackedFile> {
        self.files.values()
    }

    /// Whether this file is under way.
    #[must_use]
    pub fn is_tracked(&self, node: Node) -> bool {
        self.by_node.contains_key(&node)
    }

    /// One file.
    #[must_use]
    pub fn file(&self, file: FileId) -> Option<&TrackedFile> {
        self.files.get(file)
    }

    /// With `--once`: everything was read and cut that was there at the first look.
    #[must_use]
    pub fn is_all_cut(&self) -> bool {
        self.files.values().all(|file| file.is_drained)
    }

    /// A file is finished: it is remembered, so that neither it nor its copy is read again, and one can ask for it.
    fn finish(&mut self, file: FileId) {
        let Some(mut done) = self.files.remove(file) else { return };
        if self.by_node.get(&done.node) == Some(&file) {
            self.by_node.remove(&done.node);
        }
        let mut checkpoint = done.settle();
        checkpoint.is_finished = true;
        // A birth tells a deleted file from the next one of its inode, and whoever holds it open may ask for it.
        let is_deleted = done.links == 0 && done.node.birth == 0;
        if done.presence == Presence::Ended || is_deleted {
            // Its inode is another's now, or will be.
            checkpoint.node = Node::GONE;
        }
        if done.presence == Presence::Ended {
            let lost = done.seen_size.saturating_sub(done.fetched());
            self.statistics.bytes_lost_by_truncation.add(lost);
        }
        self.epoch += 1;
        self.memory.insert(checkpoint.clone());
        self.remembered.push(checkpoint);
    }

    /// When the shell should look at some file again.
    #[must_use]
    pub fn next_look(&self) -> Moment {
        self.files.next_look()
    }
}

#[cfg(test)]
mod record_tests;
#[cfg(test)]
mod tests;
