//! The way of a record through the stages, up to the call.
//!
//! Invariant: what waits for a flush, a close or somebody in need of room waits for no company.

use std::time::Duration;

use super::{Action, Pipeline, ShardScope};
use crate::aggregation_format::AGGREGATE_PARTITION_KEY;
use crate::config::choices::Compression;
use crate::core::aggregator::{Deadlines, alone};
use crate::incoming_record::IncomingRecord;
use crate::kinesis_record::{Content, KinesisRecord, Member};
use crate::put_records::{PutRecordsEntry, PutRecordsRequest};
use crate::types::{HashKey, Moment};

/// How long a record waits for a shard map, if half of its time to live is not less. Then it leaves without one.
const MAP_PATIENCE: Duration = Duration::from_secs(15);

impl<T> Pipeline<T> {
    pub(super) fn route(&mut self, record: IncomingRecord<'_>, mut member: Member<T>, now: Moment) {
        if self.shards.is_awaited() {
            self.shares.place(&mut member, None);
            let until = self.map_patience(member.arrival);
            self.held.put(record, member, until);
            return;
        }
        if record.partition_key.is_none() && !self.shards.is_off() {
            self.shares.place(&mut member, None);
            if let Some(record) = self.keyless(record, member, now) {
                self.pass_on(record, now);
            }
            return;
        }
        let deadlines = self.deadlines(&member, now);
        let hash_key = match record.explicit_hash_key {
            Some(hash_key) => hash_key,
            None if self.shards.is_off() => HashKey(0),
            None => self.last_key.hash_key(record.key()),
        };
        let shard = self.shards.predict(hash_key);
        self.shares.place(&mut member, shard);
        match shard {
            Some(shard) if self.config.aggregation_enabled => {
                let mut closed = std::mem::take(&mut self.closed);
                self.aggregator.add(record, hash_key, shard, member, deadlines, &mut closed);
                self.limit(&mut closed, now);
                self.closed = closed;
            }
            shard => self.pass_on(alone(record, hash_key, shard, member, deadlines.send), now),
        }
    }

    /// Until when a record that arrived then, or was misplaced then, waits for a shard map.
    pub(super) fn map_patience(&self, since: Moment) -> Moment {
        since.plus(self.config.record_ttl.map_or(MAP_PATIENCE, |ttl| MAP_PATIENCE.min(ttl / 2)))
    }

    pub(super) fn deadlines(&self, member: &Member<T>, now: Moment) -> Deadlines {
        if self.closing || self.flushes.is_hurried(member.epoch) {
            return Deadlines { close: now, send: now };
        }
        let send = member.arrival.plus(self.config.buffered_time());
        Deadlines { close: send.minus(self.collection_time), send }
    }

    /// Whether a flush, a close or somebody in need of room waits for this record.
    pub(super) fn is_hurried(&self, record: &KinesisRecord<T>) -> bool {
        let hurried = |member: &Member<T>| self.flushes.is_hurried(member.epoch);
        self.closing || (self.flushes.has_hurried() && record.members.iter().any(hurried))
    }

    /// Nothing that is here now waits for company any more. (What the limiter holds is looked at as it leaves it.)
    pub(super) fn hurry(&mut self, now: Moment) {
        self.collector.hurry();
        let mut closed = std::mem::take(&mut self.closed);
        self.aggregator.close_all(now, &mut closed);
        self.limit(&mut closed, now);
        self.closed = closed;
    }

    pub(super) fn limit(&mut self, closed: &mut Vec<KinesisRecord<T>>, now: Moment) {
        for record in closed.drain(..) {
            self.pass_on(record, now);
        }
    }

    /// A new Kinesis record goes to the limiter, where compression is on by way of the compressor.
    pub(super) fn pass_on(&mut self, record: KinesisRecord<T>, now: Moment) {
        let record = match self.config.compression {
            Compression::None => Some(record),
            Compression::Gzip => self.compressor.put(record),
        };
        match record {
            Some(record) => self.limit_one(record, now),
            None => self.start_compressing(),
        }
    }

    /// A record that nothing holds back goes on to the collector at once; the limiter keeps any other.
    pub(super) fn limit_one(&mut self, record: KinesisRecord<T>, now: Moment) {
        if let Some(record) = self.limiter.pass(record, now) {
            self.collect(record, now);
        }
    }

    /// Puts a record that may leave among those that wait for a call.
    pub(super) fn collect(&mut self, mut record: KinesisRecord<T>, now: Moment) {
        if self.is_hurried(&record) {
            record.deadline = record.deadline.min(now);
        }
        self.collector.put(record);
    }

    pub(super) fn start_compressing(&mut self) {
        while let Some((id, blobs)) = self.compressor.start() {
            self.actions.push_back(Action::Compress(id, blobs));
        }
    }

    pub(super) fn is_ready(&self, now: Moment) -> bool {
        let wire_bytes = self.sender.call_bytes();
        (self.closing && !self.collector.is_empty()) || self.collector.ready(wire_bytes, now).is_some()
    }

    /// The entries of the call to be made now, if one is.
    pub(super) fn next_entries(&mut self, now: Moment) -> Option<Vec<KinesisRecord<T>>> {
        while let Some(suspects) = self.suspects.take() {
            let records = self.unexpired(suspects, now);
            if !records.is_empty() {
                return Some(records);
            }
        }
        self.is_ready(now).then(|| self.collector.take(self.sender.call_bytes()))
    }

    pub(super) fn unexpired(&mut self, records: Vec<KinesisRecord<T>>, now: Moment) -> Vec<KinesisRecord<T>> {
        let (unexpired, expired): (Vec<_>, Vec<_>) =
            records.into_iter().partition(|record| self.expiration(record.arrival) > now);
        for record in expired {
            self.limiter.landed(&record, now);
            self.expire(record, now);
        }
        unexpired
    }

    pub(super) fn send(&mut self, now: Moment) {
        let mut has_traffic = false;
        while self.sender.room_at() <= now
            && let Some(records) = self.next_entries(now)
        {
            let entries = records.iter().map(entry).collect();
            let id = self.sender.start(records, now);
            let transfer_time = self.sender.transfer_time();
            self.actions.push_back(Action::PutRecords(
                id,
                PutRecordsRequest { stream: self.stream.clone(), entries, transfer_time },
            ));
            has_traffic = true;
        }
        self.sender.note_waiting(self.is_ready(now), now);
        if let Some(bytes_per_second) = self.sender.line_warning(now) {
            self.actions.push_back(Action::LineIsLimit { bytes_per_second });
        }
        if has_traffic && !self.closing && self.shards.is_refreshed(now) {
            self.actions.push_back(Action::ListShards(ShardScope::Open));
        }
    }
}

fn entry<T>(record: &KinesisRecord<T>) -> PutRecordsEntry {
    let (partition_key, explicit_hash_key) = match &record.content {
        // What the service computes need not be said to it.
        Content::Single { partition_key, has_explicit_hash_key, .. } => {
            (partition_key.clone(), has_explicit_hash_key.then_some(record.hash_keys.0))
        }
        Content::Aggregate => (AGGREGATE_PARTITION_KEY.into(), Some(record.hash_keys.0)),
    };
    PutRecordsEntry { partition_key, explicit_hash_key, data: record.data.clone() }
}
