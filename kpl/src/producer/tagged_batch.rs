//! Records that are handed over together: the stream's lock is taken, the clock read and the task woken once for many.
//!
//! Invariant: a record that was taken in has room in the budget, and gets its outcome whatever becomes of the batch.

use std::sync::Arc;

use bytes::Bytes;

use super::SendError;
use super::stream_producer::StreamProducer;
use crate::dedup_id::DedupId;
use crate::driver::Closed;
use crate::outcome::{FailureReason, UserRecordFailed};
use crate::partition_key::PartitionKey;
use crate::permits::Budget;
use crate::reporter::guarded;
use crate::types::HashKey;
use crate::user_record::{RecordRef, UserRecord};

/// Handed over when so many are gathered, or so many bytes.
const BATCH_RECORDS: usize = 64;
const BATCH_BYTES: usize = 64 << 10;

/// A record larger than that is not copied to save a lock.
const GATHERED_BYTES: usize = 4 << 10;

/// Gathers borrowed records with tags for one stream and hands them over together; see [`StreamProducer::batch`].
///
/// Whoever has records at hand one after another, as from a file, saves with it what handing over each alone costs: the
/// stream's lock, for which the stream's own task competes, a look at the clock, and a wake-up. Dropping it hands over
/// what is gathered.
///
/// What is gathered has room in the budget, but the stream does not know of it: it is neither flushed nor awaited by a
/// flush or a close, cannot be hurried for somebody who waits for room, and has no place yet in a strict order. So
/// [`hand_over`](Self::hand_over) before you wait for room, flush, close, or send to the stream in another way.
///
/// ```
/// # async fn example(stream: kpl::StreamProducer, log: &str) -> Result<(), kpl::SendError<()>> {
/// let mut batch = stream.batch();
/// for (tag, line) in log.lines().enumerate() {
///     batch.try_send(kpl::RecordRef::new("key", line.as_bytes()), tag as u64)?;
/// }
/// batch.hand_over();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TaggedBatch {
    stream: StreamProducer,
    gathered: Gathered,
    is_closed: bool,
}

/// Copies of records.
#[derive(Debug, Default)]
struct Gathered {
    /// Partition keys and dedup ids, one after the other.
    texts: String,
    data: Vec<u8>,
    records: Vec<GatheredRecord>,
}

#[derive(Debug)]
struct GatheredRecord {
    partition_key_bytes: usize,
    dedup_id_bytes: Option<usize>,
    data_bytes: usize,
    explicit_hash_key: Option<HashKey>,
    cost: u32,
    tag: u64,
}

impl TaggedBatch {
    pub(super) fn new(stream: StreamProducer) -> Self {
        Self { stream, gathered: Gathered::default(), is_closed: false }
    }

    /// Takes a record in if there is room for it now, as [`StreamProducer::try_send_tagged`] does. It counts as accepted:
    /// its outcome goes to the builder's [`outcomes`](crate::ProducerBuilder::outcomes) with `tag`. It is on its way when
    /// 64 records or 64 KiB are gathered, at the latest after [`hand_over`](Self::hand_over).
    ///
    /// No allocation in steady state.
    ///
    /// # Errors
    ///
    /// [`SendError`]; the caller still has the record. On [`SendError::Full`] what was gathered has been handed over, so that
    /// its outcomes can make room. On [`SendError::Closed`] the records that were gathered when the producer was closed get
    /// their outcomes as [`FailureReason::Aborted`].
    pub fn try_send(&mut self, record: RecordRef<'_>, tag: u64) -> Result<(), SendError<()>> {
        if self.is_closed {
            return Err(SendError::Closed(()));
        }
        if record.service_bytes() > GATHERED_BYTES {
            self.hand_over();
            return self.stream.try_send_tagged(record, tag);
        }
        let record = self.stream.checked(record).map_err(|refusal| refusal.with(()))?;
        let cost = Budget::cost(&record);
        if self.stream.shared.take_to_gather(cost).is_err() {
            // There may be room for it in its shard's part.
            self.hand_over();
            return self.stream.try_send_tagged(record, tag);
        }
        self.gathered.push(record, cost, tag);
        if self.gathered.is_full() {
            self.hand_over();
        }
        Ok(())
    }

    /// Hands over what is gathered.
    pub fn hand_over(&mut self) {
        if self.gathered.records.is_empty() {
            return;
        }
        // Whatever happens below, nothing is handed over twice.
        let mut gathered = std::mem::take(&mut self.gathered);
        if let Err(Closed) = self.stream.shared.accept_gathered(gathered.iter()) {
            self.is_closed = true;
            self.give_up(&gathered);
        }
        gathered.clear();
        self.gathered = gathered;
    }

    /// The producer was closed while records were being gathered.
    fn give_up(&self, gathered: &Gathered) {
        let inner = &self.stream.inner;
        let mut cost = 0;
        for (record, record_cost, tag) in gathered.iter() {
            cost += record_cost as usize;
            let record = owned(&self.stream, record);
            let failed = UserRecordFailed::new(FailureReason::Aborted, Arc::from([]), false, record);
            guarded(|| inner.outcomes.failed(tag, failed));
        }
        guarded(|| inner.outcomes.told());
        self.stream.shared.account.give_back(cost, gathered.records.len());
    }
}

impl Drop for TaggedBatch {
    fn drop(&mut self) {
        self.hand_over();
    }
}

impl Gathered {
    fn push(&mut self, record: RecordRef<'_>, cost: u32, tag: u64) {
        self.texts.push_str(record.key());
        self.texts.push_str(record.dedup_id.unwrap_or_default());
        self.data.extend_from_slice(record.data);
        self.records.push(GatheredRecord {
            partition_key_bytes: record.key().len(),
            dedup_id_bytes: record.dedup_id.map(str::len),
            data_bytes: record.data.len(),
            explicit_hash_key: record.explicit_hash_key,
            cost,
            tag,
        });
    }

    fn is_full(&self) -> bool {
        self.records.len() >= BATCH_RECORDS || self.data.len() >= BATCH_BYTES
    }

    /// The records, with what each took of the budget, and its tag.
    fn iter(&self) -> impl Iterator<Item = (RecordRef<'_>, u32, u64)> {
        let (mut texts, mut all_data) = (self.texts.as_str(), self.data.as_slice());
        self.records.iter().map(move |record| {
            // They were put in with these lengths, in this order.
            let (partition_key, rest) = texts.split_at(record.partition_key_bytes);
            let (dedup_id, rest) = rest.split_at(record.dedup_id_bytes.unwrap_or(0));
            let (data, rest_of_data) = all_data.split_at(record.data_bytes);
            (texts, all_data) = (rest, rest_of_data);
            let explicit_hash_key = record.explicit_hash_key;
            let dedup_id = record.dedup_id_bytes.map(|_| dedup_id);
            let gathered =
                RecordRef { explicit_hash_key, dedup_id, ..RecordRef::without_partition_key(data) };
            (gathered.with_key(partition_key), record.cost, record.tag)
        })
    }

    fn clear(&mut self) {
        self.texts.clear();
        self.data.clear();
        self.records.clear();
    }
}

fn owned(stream: &StreamProducer, record: RecordRef<'_>) -> UserRecord {
    UserRecord {
        stream: stream.shared.stream.clone(),
        partition_key: record.partition_key.map(PartitionKey::from),
        explicit_hash_key: record.explicit_hash_key,
        data: Bytes::copy_from_slice(record.data),
        // It was checked when the record was taken in.
        dedup_id: record.dedup_id.and_then(|id| DedupId::new(id).ok()),
        #[cfg(feature = "glue")]
        schema: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_gathered_comes_out_as_it_went_in() {
        let plain = |key, data| RecordRef::new(key, data);
        let records = [
            plain("key", &b"data"[..]),
            plain("日本", b"").with_dedup_id("é"),
            RecordRef::without_partition_key(b"for a stream under AUTO"),
            plain("k", b"x").with_explicit_hash_key(HashKey(7)).with_dedup_id("id"),
        ];
        let mut gathered = Gathered::default();
        for round in 0..2 {
            for (tag, record) in (0..).zip(records) {
                gathered.push(record, 100 + round, tag);
            }
            let expected = (0..).zip(records).map(|(tag, record)| (record, 100 + round, tag));
            assert!(gathered.iter().eq(expected));
            gathered.clear();
        }
    }
}
