//! For consumers: drops what arrives twice, so that "at least once" becomes "once".
//!
//! A producer sends a record again when an answer was lost, and the stream then holds it twice. With
//! [`Config::dedup_ids`](crate::Config::dedup_ids), or an id of your own on each record, both copies carry the same id
//! ([`DecodedRecord::dedup_id`](crate::aggregation_format::DecodedRecord::dedup_id)), and a [`DedupWindow`] tells the
//! second one.
//!
//! ```
//! use kpl::DedupId;
//! use kpl::dedup::{DedupWindow, DedupWindowSize, Sighting};
//!
//! let mut window = DedupWindow::new(DedupWindowSize::default());
//! let id = DedupId::new("order-4711")?;
//! assert_eq!(window.note(&id), Sighting::First);
//! assert_eq!(window.note(&id), Sighting::Repeat);
//! # Ok::<(), kpl::InvalidDedupId>(())
//! ```
//!
//! # A reader that sees each record once
//!
//! 1. **Parents first.** Read a shard only after its parents (ListShards: `ParentShardId`, and after a merge
//!    `AdjacentParentShardId`) were read to their end, where GetRecords answers without a next iterator. A parent that
//!    ListShards does not list any more has expired: do not wait for it. List the shards again when a shard ends.
//! 2. **Each shard by its range.** Take records apart with [`decode_in_shard`](crate::aggregation_format::decode_in_shard)
//!    and the [`HashKeyRange`](crate::HashKeyRange) that ListShards gives for the shard that is read. It drops the
//!    aggregates that the KCL drops; the producer sends their members again. A closed shard keeps its range.
//! 3. **One window for each shard**, so that a shard that is read faster than another does not push the other's numbers
//!    out. A shard begins with what its parents' windows hold: a record that was stored in the parent may be sent again
//!    to a child. After a split both children get a [`Clone`], after a merge the child gets both, by
//!    [`DedupWindow::join`]. A reader of a whole stream may use one window for all shards instead.
//!
//! Without rule 2 a reader sees records twice after a reshard. Without rule 3 it sees those twice whose answer was lost.
//!
//! ```
//! # use bytes::Bytes;
//! use kpl::HashKeyRange;
//! use kpl::aggregation_format::{Decoded, decode_in_shard};
//! use kpl::dedup::{DedupWindow, DedupWindowSize};
//!
//! /// One shard, from its oldest record to its end.
//! struct ShardReader {
//!     range: HashKeyRange,
//!     window: DedupWindow,
//! }
//!
//! impl ShardReader {
//!     /// `parents`: the windows of the parents, which were read to their end.
//!     fn new(range: HashKeyRange, parents: &[DedupWindow]) -> Self {
//!         let mut window = DedupWindow::new(DedupWindowSize::default());
//!         parents.iter().for_each(|parent| window.join(parent));
//!         Self { range, window }
//!     }
//!
//!     /// `data`: that of a Kinesis record, as GetRecords returns it.
//!     fn take(&mut self, data: &Bytes, mut handle: impl FnMut(&[u8])) {
//!         match decode_in_shard(data, &self.range) {
//!             Decoded::Aggregated(records) => {
//!                 for record in records {
//!                     if !self.window.is_repeat(record.dedup_id.as_ref()) {
//!                         handle(&record.data);
//!                     }
//!                 }
//!             }
//!             Decoded::Decompressed(data) => handle(&data), // has no id
//!             Decoded::Plain => handle(data),               // has no id
//!         }
//!     }
//! }
//! # let mut reader = ShardReader::new(HashKeyRange::ALL, &[DedupWindow::new(DedupWindowSize::default())]);
//! # let mut seen = 0;
//! # reader.take(&Bytes::from_static(b"plain"), |_| seen += 1);
//! # assert_eq!(seen, 1);
//! ```
//!
//! The example `dedup_consumer` is a complete reader.
//!
//! # How large
//!
//! Two copies of a record are at most `record_ttl` and one call apart, so a window must remember what one producer
//! accepts in twice that time: the default of 1,048,576 numbers covers 17,000 records a second with the default of
//! 30 s. (With a `record_ttl` of `None` no size is certain to do.)
//!
//! The window is memory. A consumer that starts again reads from its checkpoint with an empty one: what it handled
//! after the checkpoint it sees as new, as every consumer of a stream does, and so is a repeat of which the first copy
//! stands before the checkpoint.
//!
//! Invariant: a record is never taken for a repeat of another; in doubt it is new.

mod id_ring;
mod producer_windows;
mod sequence_window;

use self::id_ring::IdRing;
use self::producer_windows::ProducerWindows;
use crate::dedup_id::DedupId;

/// What a consumer remembers of the ids that it saw: a bounded number of them, the oldest forgotten first.
#[derive(Debug, Clone)]
pub struct DedupWindow {
    own: IdRing,
    numbered: ProducerWindows,
}

/// How much a [`DedupWindow`] remembers. It grows to that as ids come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DedupWindowSize {
    /// Ids that callers chose. Each takes about 50 bytes, and its own length once more if that is over 23 bytes.
    /// 1 or more, default 100,000.
    pub ids: u32,
    /// Producers that number their records themselves; each start of a producer counts. 1 or more, default 64. The
    /// one that was silent for longest is forgotten first.
    pub producers: u32,
    /// Numbers remembered for each producer, at one bit each, rounded up to a multiple of 64. 1 or more, default
    /// 1,048,576, which is 128 KiB for each producer.
    pub sequences_per_producer: u32,
}

/// What a [`DedupWindow`] knows of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sighting {
    /// It was not seen before, as far as the window reaches.
    First,
    /// It was seen before: this is a copy of a record that was handed on already.
    Repeat,
    /// A producer's number from before the window's reach: nobody knows. Handle it as new, and make the window larger.
    TooOld,
}

// === impl DedupWindow ===

impl DedupWindow {
    /// An empty window. A size of 0 counts as 1.
    #[must_use]
    pub fn new(size: DedupWindowSize) -> Self {
        Self {
            own: IdRing::new(size.ids.max(1)),
            numbered: ProducerWindows::new(size.producers.max(1), size.sequences_per_producer.max(1)),
        }
    }

    /// Notes that `id` was seen, and says whether it had been before. An id that was [`Sighting::TooOld`] is not noted.
    pub fn note(&mut self, id: &DedupId) -> Sighting {
        match id.numbered() {
            Some(numbered) => self.numbered.note(numbered),
            None if self.own.note(id) => Sighting::First,
            None => Sighting::Repeat,
        }
    }

    /// Remembers what either window holds, for a shard that was merged from two.
    ///
    /// The size stays that of `self`. If both hold more than that, the oldest ids are forgotten, and the producers that
    /// were silent for longest.
    ///
    /// ```
    /// use kpl::DedupId;
    /// use kpl::dedup::{DedupWindow, DedupWindowSize};
    ///
    /// let mut windows = [(); 2].map(|()| DedupWindow::new(DedupWindowSize::default()));
    /// let id = DedupId::new("order-4711")?;
    /// windows[1].note(&id);
    /// let [mut merged, other] = windows;
    /// merged.join(&other);
    /// assert!(merged.is_repeat(Some(&id)));
    /// # Ok::<(), kpl::InvalidDedupId>(())
    /// ```
    pub fn join(&mut self, other: &Self) {
        self.own.join(&other.own);
        self.numbered.join(&other.numbered);
    }

    /// As [`DedupWindow::note`], for whoever only wants to know what to drop. A record without an id is never a repeat.
    pub fn is_repeat(&mut self, id: Option<&DedupId>) -> bool {
        id.is_some_and(|id| self.note(id) == Sighting::Repeat)
    }
}

impl Default for DedupWindowSize {
    fn default() -> Self {
        Self { ids: 100_000, producers: 64, sequences_per_producer: 1 << 20 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(text: &str) -> DedupId {
        DedupId::new(text).expect("a lawful id")
    }

    #[test]
    fn ids_of_both_kinds_are_kept_apart() {
        let mut window = DedupWindow::new(DedupWindowSize::default());
        for text in ["p-1", "~p-1", "~p-01", "~q-1", "~p.2-1", "~p-2"] {
            assert!(!window.is_repeat(Some(&id(text))), "{text}");
        }
        for text in ["p-1", "~p-1", "~p-01", "~q-1", "~p.2-1", "~p-2"] {
            assert!(window.is_repeat(Some(&id(text))), "{text}");
        }
        assert!(!window.is_repeat(None) && !window.is_repeat(None));
    }

    #[test]
    fn a_size_of_nothing_remembers_the_last() {
        let mut window =
            DedupWindow::new(DedupWindowSize { ids: 0, producers: 0, sequences_per_producer: 0 });
        for text in ["own", "~p-1"] {
            assert_eq!((window.note(&id(text)), window.note(&id(text))), (Sighting::First, Sighting::Repeat));
        }
    }

    proptest! {
        /// A window that begins with its parents' knows every id of theirs.
        #[test]
        fn a_joined_window_knows_the_ids_of_both(
            texts in proptest::collection::vec((any::<bool>(), "[a-c]{1,2}|~[pq]-[0-9a-z]{1,2}"), 0..100),
        ) {
            let size = DedupWindowSize { sequences_per_producer: 2_000, ..DedupWindowSize::default() };
            let mut windows = [DedupWindow::new(size), DedupWindow::new(size)];
            for (is_second, text) in &texts {
                windows[usize::from(*is_second)].note(&id(text));
            }
            let mut child = DedupWindow::new(size);
            windows.iter().for_each(|parent| child.join(parent));
            for (_, text) in &texts {
                prop_assert!(child.is_repeat(Some(&id(text))), "{}", text);
            }
            prop_assert_eq!(child.note(&id("~p-zzz")), Sighting::First);
        }

        /// Whatever ids come, in whatever order, and however small the window: no id is a repeat at its first sight.
        #[test]
        fn nothing_is_taken_for_a_repeat_of_another(
            texts in proptest::collection::vec("[a-c]{1,2}|~[pq](\\.1)?-[0-9a-z]{1,2}", 0..300),
            ids in 0..9_u32, producers in 0..3_u32, sequences in 0..200_u32,
        ) {
            let size = DedupWindowSize { ids, producers, sequences_per_producer: sequences };
            let mut window = DedupWindow::new(size);
            let mut seen = std::collections::HashSet::new();
            for text in &texts {
                let sighting = window.note(&id(text));
                prop_assert!(sighting != Sighting::Repeat || seen.contains(text), "{}", text);
                seen.insert(text);
            }
        }
    }
}
