//! The aggregate that a shard's records are being added to.
//!
//! Invariant: it never exceeds its limits; its deadline and arrival are the earliest of its members'.

use bytes::Bytes;

use crate::aggregation_format::{AggregateEncoder, Refused};
use crate::incoming_record::IncomingRecord;
use crate::kinesis_record::{Content, DataSizes, History, KinesisRecord, KinesisRecordParts, Member};
use crate::types::{HashKey, Moment, ShardIndex};

/// An aggregate under construction.
#[derive(Debug)]
pub(crate) struct OpenAggregate<T> {
    encoder: AggregateEncoder,
    members: Vec<Member<T>>,
    hash_keys: (HashKey, HashKey),
    /// Keys of the first record, and its data if that is shared, in case it stays the only one.
    first_keys: (String, Option<HashKey>),
    first_data: Option<Bytes>,
    data_sizes: DataSizes,
    arrival: Moment,
    deadline: Moment,
}

impl<T> OpenAggregate<T> {
    pub(crate) fn new() -> Self {
        Self {
            encoder: AggregateEncoder::new(),
            members: Vec::new(),
            hash_keys: (HashKey::MAX, HashKey(0)),
            first_keys: (String::new(), None),
            first_data: None,
            data_sizes: DataSizes::NONE,
            arrival: Moment::NEVER,
            deadline: Moment::NEVER,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn arrival(&self) -> Moment {
        self.arrival
    }

    pub(crate) fn deadline(&self) -> Moment {
        self.deadline
    }

    /// Adds a record, or hands its member back when it does not fit under `max_bytes`.
    pub(crate) fn try_push(
        &mut self,
        record: IncomingRecord<'_>,
        hash_key: HashKey,
        member: Member<T>,
        deadline: Moment,
        max_bytes: usize,
    ) -> Result<(), Member<T>> {
        if let Err(Refused) = self.encoder.try_push(*record, max_bytes) {
            return Err(member);
        }
        if self.members.is_empty() {
            self.first_keys.0.clear();
            self.first_keys.0.push_str(record.key());
            self.first_keys.1 = record.explicit_hash_key;
            self.first_data = record.shared_data();
        }
        self.hash_keys = (self.hash_keys.0.min(hash_key), self.hash_keys.1.max(hash_key));
        self.data_sizes = self.data_sizes.with(record.data.len());
        self.arrival = self.arrival.min(member.arrival);
        self.deadline = self.deadline.min(deadline);
        self.members.push(member);
        Ok(())
    }

    /// What was gathered, as a Kinesis record with `deadline`; the aggregate is empty afterwards. `None` if it was.
    pub(crate) fn close(&mut self, shard: ShardIndex, deadline: Moment) -> Option<KinesisRecord<T>> {
        if self.members.is_empty() {
            return None;
        }
        let first_data = self.first_data.take();
        let (content, data) = match self.encoder.finish_single_shared(first_data) {
            Some(data) => {
                let (partition_key, explicit_hash_key) = &self.first_keys;
                let partition_key = partition_key.as_str().into();
                let has_explicit_hash_key = explicit_hash_key.is_some();
                (Content::Single { partition_key, has_explicit_hash_key, dedup_id: None }, data)
            }
            None => (Content::Aggregate, self.encoder.finish()),
        };
        let capacity = self.members.len();
        let record = KinesisRecordParts {
            data,
            is_compressed: false,
            content,
            hash_keys: self.hash_keys,
            predicted_shard: Some(shard),
            members: std::mem::replace(&mut self.members, Vec::with_capacity(capacity)).into(),
            data_sizes: std::mem::replace(&mut self.data_sizes, DataSizes::NONE),
            arrival: self.arrival,
            deadline,
            history: History::default(),
        };
        self.hash_keys = (HashKey::MAX, HashKey(0));
        self.arrival = Moment::NEVER;
        self.deadline = Moment::NEVER;
        Some(record.into())
    }
}
