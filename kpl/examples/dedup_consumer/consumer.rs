//! The rules of a reader that sees each record once, without a client: `kpl::dedup` explains them.
//!
//! The tests of `kpl` run this file against a simulated and a local stream that reshards.

use std::collections::HashMap;

use bytes::Bytes;
use kpl::aggregation_format::{Decoded, decode_in_shard};
use kpl::dedup::{DedupWindow, DedupWindowSize};
use kpl::{DedupId, HashKeyRange};

/// A shard as ListShards describes it, open or closed.
#[derive(Debug, Clone)]
pub(crate) struct ListedShard {
    pub(crate) id: String,
    /// None for a shard that the stream began with, one after a split, two after a merge.
    pub(crate) parents: Vec<String>,
    pub(crate) range: HashKeyRange,
}

/// Which shards were read, and what was seen in them.
#[derive(Debug, Default)]
pub(crate) struct Consumer {
    waiting: Vec<ListedShard>,
    shards: HashMap<String, Progress>,
}

#[derive(Debug)]
enum Progress {
    Unfinished,
    /// What its children begin with.
    Finished(DedupWindow),
}

/// One shard while it is read, from its oldest record to its end.
#[derive(Debug)]
pub(crate) struct ShardReader {
    pub(crate) shard_id: String,
    range: HashKeyRange,
    window: DedupWindow,
    /// Records that came a second time.
    pub(crate) repeats: usize,
}

impl Consumer {
    /// Takes a listing of all shards. It may be an old one again, with new shards added.
    pub(crate) fn list(&mut self, shards: impl IntoIterator<Item = ListedShard>) {
        for shard in shards {
            if !self.shards.contains_key(&shard.id) {
                self.shards.insert(shard.id.clone(), Progress::Unfinished);
                self.waiting.push(shard);
            }
        }
    }

    /// A shard whose parents were read to their end. (A parent that is not listed any more has expired.)
    pub(crate) fn next_shard(&mut self) -> Option<ShardReader> {
        let is_unfinished = |id: &String| matches!(self.shards.get(id), Some(Progress::Unfinished));
        let is_ready = |shard: &ListedShard| !shard.parents.iter().any(is_unfinished);
        let place = self.waiting.iter().position(is_ready)?;
        let ListedShard { id, parents, range } = self.waiting.remove(place);
        let mut window = DedupWindow::new(DedupWindowSize::default());
        for parent in &parents {
            if let Some(Progress::Finished(parent)) = self.shards.get(parent) {
                window.join(parent);
            }
        }
        Some(ShardReader { shard_id: id, range, window, repeats: 0 })
    }

    /// The shard was read to its end.
    pub(crate) fn finish(&mut self, reader: ShardReader) {
        self.shards.insert(reader.shard_id, Progress::Finished(reader.window));
    }
}

impl ShardReader {
    /// Takes the data of a Kinesis record and calls `handle` with each user record that was not seen before.
    pub(crate) fn take(&mut self, data: &Bytes, mut handle: impl FnMut(&Bytes, Option<&DedupId>)) {
        match decode_in_shard(data, &self.range) {
            Decoded::Aggregated(records) => {
                for record in records {
                    match self.window.is_repeat(record.dedup_id.as_ref()) {
                        true => self.repeats += 1,
                        false => handle(&record.data, record.dedup_id.as_ref()),
                    }
                }
            }
            // A lone record has no place for an id.
            Decoded::Decompressed(data) => handle(&data, None),
            Decoded::Plain => handle(data, None),
        }
    }
}
