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
mod pump;
mod stopping;
mod watching;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use regex::bytes::Regex;

use crate::checkpoint::FileCheckpoint;
use crate::config::{Destination, FlowConfig};
use crate::core::processor::{Processor, ProcessorError};
use crate::core::splitter::SplitRules;
use crate::core::tracked_file::{Presence, TrackedFile};
use crate::statistics::FlowStatistics;
use crate::types::{FileId, Moment, Node, RecordTag};

pub use adoption::{Adoption, Known, Question};
pub use pump::{Publish, Pumped, Record};
pub use stopping::Whereabouts;
pub use watching::Next;

/// Files that are remembered after they were shipped to their end, so that one can ask for them.
const FINISHED_FILES: usize = 512;

/// The machine of one flow.
#[derive(Debug)]
pub struct Flow {
    config: FlowConfig,
    processor: Processor,
    split_rules: Arc<SplitRules>,
    footer: Option<Regex>,
    random: fastrand::Rng,
    statistics: Arc<FlowStatistics>,
    files: BTreeMap<FileId, TrackedFile>,
    by_node: HashMap<Node, FileId>,
    /// Copies that may still be being made.
    has_young_copies: bool,
    /// Checkpoints whose files were not found yet.
    orphans: Vec<FileCheckpoint>,
    next_file: u32,
    /// Whether files that appear are new: false during the very first listing of a flow without checkpoints.
    is_started: bool,
    /// Ship what is there and stop.
    once: bool,
    /// Files whose checkpoints are to be deleted.
    forgotten: Vec<FileId>,
    /// The last checkpoints of files that were shipped to their end and are followed no more.
    finished: Vec<FileCheckpoint>,
    /// All of them that are in the store, the oldest first.
    remembered: VecDeque<FileId>,
    /// A file became known, or its beginning did.
    is_save_urgent: bool,
    /// Records of stopped files that are refused for good.
    held_records: usize,
    /// The present record's partition key; kept for its buffer.
    key: String,
    /// How many more records it is for.
    key_records: u32,
}

/// Limits of the records that a destination takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RecordLimits {
    /// Bytes of a record; for Kinesis with its partition key.
    record_bytes: usize,
    /// Bytes of a line; longer lines are cut while they are read.
    line_bytes: usize,
}

impl RecordLimits {
    fn of(destination: &Destination) -> Self {
        match destination {
            Destination::KinesisStream(_) => Self {
                record_bytes: kpl::limits::KINESIS_RECORD_BYTES,
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
        let next_file = checkpoints.iter().map(|checkpoint| checkpoint.file.0 + 1).max().unwrap_or(0);
        let (finished, orphans) =
            checkpoints.into_iter().partition::<Vec<_>, _>(|checkpoint| checkpoint.is_finished);
        Ok(Self {
            config,
            processor,
            split_rules,
            footer,
            random: fastrand::Rng::with_seed(seed),
            statistics,
            files: BTreeMap::new(),
            by_node: HashMap::new(),
            has_young_copies: false,
            orphans,
            next_file,
            is_started: is_known,
            once,
            forgotten: Vec::new(),
            finished: Vec::new(),
            remembered: finished.iter().map(|checkpoint| checkpoint.file).collect(),
            is_save_urgent: false,
            held_records: 0,
            key: String::new(),
            key_records: 0,
        })
    }

    /// The first listing is over: files that appear from now on are new and are read from their beginning.
    pub fn started(&mut self) {
        self.is_started = true;
    }

    /// Takes acknowledgements of published records.
    pub fn acknowledge(&mut self, tag: RecordTag) {
        let file = self.files.get_mut(&tag.file);
        if file.is_some_and(|file| file.ledger.close(tag.sequence)) {
            self.statistics.records_acknowledged.add(1);
        }
    }

    /// What is to be saved: the checkpoints that changed, and the files whose checkpoints are to go.
    pub fn checkpoints(&mut self) -> (Vec<FileCheckpoint>, Vec<FileId>) {
        let mut saved = std::mem::take(&mut self.finished);
        saved.extend(self.files.values_mut().filter_map(TrackedFile::checkpoint));
        (saved, std::mem::take(&mut self.forgotten))
    }

    /// Whether there is something to save that should not wait for the next regular save.
    #[must_use]
    pub fn take_save_urgency(&mut self) -> bool {
        std::mem::take(&mut self.is_save_urgent)
    }

    /// Records published and not acknowledged.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.files.values().map(|file| file.ledger.outstanding()).sum()
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
        self.files.get(&file)
    }

    /// With `--once`: everything was read and cut that was there at the first look.
    #[must_use]
    pub fn is_all_cut(&self) -> bool {
        self.files.values().all(|file| file.is_drained)
    }

    /// Gives up a file that is shipped to its end.
    fn forget(&mut self, file: FileId) {
        if let Some(mut gone) = self.files.remove(&file) {
            if self.by_node.get(&gone.node) == Some(&file) {
                self.by_node.remove(&gone.node);
            }
            // A truncated file's node is its next generation's.
            if gone.presence == Presence::Ended {
                self.forgotten.push(file);
            } else {
                self.finished.push(FileCheckpoint { is_finished: true, ..gone.last_checkpoint() });
                self.remembered.push_back(file);
                if self.remembered.len() > FINISHED_FILES {
                    self.forgotten.extend(self.remembered.pop_front());
                }
            }
        }
    }

    fn is_ended(&self, file: FileId) -> bool {
        self.files.get(&file).is_some_and(|file| file.presence == Presence::Ended)
    }

    /// When the shell should look at some file again.
    #[must_use]
    pub fn next_look(&self) -> Moment {
        self.files
            .values()
            .filter(|file| !file.is_drained && !file.is_stopped)
            .map(|file| file.look_at)
            .min()
            .unwrap_or(Moment::NEVER)
    }
}

#[cfg(test)]
mod record_tests;
#[cfg(test)]
mod tests;
