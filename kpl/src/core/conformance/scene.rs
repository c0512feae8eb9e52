//! A pipeline with its clock, fed by hand, that keeps every call and every outcome.

use super::support::{Original, at};
use crate::config::Config;
use crate::core::pipeline::{Action, Finished, Pipeline, Service};
use crate::outcome::{Attempt, FailureReason};
use crate::put_records::{
    CallError, Doubt, EntryError, EntryPlaced, PutRecordsRequest, PutRecordsResponse, ShardDescription,
};
use crate::types::{HashKey, Moment, RequestId, StreamName};

/// What became of one user record.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) tag: usize,
    /// Shard and sequence number.
    pub(super) result: Result<(String, String), FailureReason>,
    pub(super) attempts: Vec<Attempt>,
}

pub(super) struct Scene {
    pub(super) pipeline: Pipeline<usize>,
    pub(super) now: Moment,
    pub(super) calls: Vec<PutRecordsRequest>,
    pub(super) told: Vec<Told>,
    pub(super) listings_asked: usize,
    ids: Vec<RequestId>,
    accepted: usize,
}

impl Scene {
    /// The first listing is in flight.
    pub(super) fn new(config: Config) -> Self {
        let stream = StreamName::new("myStream").expect("lawful");
        let now = Moment::ORIGIN;
        let pipeline = Pipeline::new(stream, Service::DataStream, config, 1, now);
        let (calls, told, ids) = (Vec::new(), Vec::new(), Vec::new());
        let mut scene = Self { pipeline, now, calls, told, listings_asked: 0, ids, accepted: 0 };
        scene.settle();
        scene
    }

    pub(super) fn list(&mut self, shards: &[(&str, u128, u128)]) {
        let shards = shards.iter().map(|(id, start, end)| ShardDescription {
            shard_id: (*id).into(),
            starting_hash_key: HashKey(*start),
            ending_hash_key: HashKey(*end),
        });
        self.pipeline.shards_listed(&Ok(shards.collect::<Vec<_>>().into()), self.now);
        self.settle();
    }

    /// For good: what fails in passing is waited for.
    pub(super) fn fail_listing(&mut self) {
        self.pipeline.shards_listed(&Err(call_error("AccessDeniedException", "")), self.now);
        self.settle();
    }

    /// Hands a record over; the first one has the tag 0.
    pub(super) fn accept(&mut self, original: &Original) {
        self.pipeline.accept(original.as_ref(), self.accepted, 1, self.now);
        self.accepted += 1;
        self.settle();
    }

    pub(super) fn flush(&mut self) {
        self.pipeline.flush(self.now);
        self.settle();
    }

    /// Answers the call at `place`, entry by entry.
    pub(super) fn answer(&mut self, place: usize, entries: Vec<Result<EntryPlaced, EntryError>>) {
        let answer = Ok(PutRecordsResponse { entries });
        self.pipeline.put_records_done(self.ids[place], &answer, self.now).expect("under way");
        self.settle();
    }

    /// Fails the call at `place` as a whole.
    pub(super) fn fail_call(&mut self, place: usize, code: &str, message: &str) {
        let answer = Err(call_error(code, message));
        self.pipeline.put_records_done(self.ids[place], &answer, self.now).expect("under way");
        self.settle();
    }

    /// Everything from the call at `first` on is stored, wherever `place` says, until there is nothing left.
    pub(super) fn store_the_rest(&mut self, first: usize, place: impl Fn(HashKey) -> EntryPlaced) {
        let mut next = first;
        while self.pipeline.outstanding() > 0 {
            while next == self.calls.len() {
                let wakeup = self.pipeline.next_wakeup();
                assert!(wakeup < Moment::NEVER, "{} records hang", self.pipeline.outstanding());
                self.now = self.now.max(wakeup);
                self.settle();
            }
            let entries = &self.calls[next].entries;
            let entries = entries.iter().map(|entry| Ok(place(entry.hash_key()))).collect();
            self.answer(next, entries);
            next += 1;
        }
    }

    /// Time passes to `milliseconds` after the origin, wake-up by wake-up.
    pub(super) fn pass_to(&mut self, milliseconds: u64) {
        let until = at(milliseconds);
        while self.pipeline.next_wakeup() <= until {
            self.now = self.now.max(self.pipeline.next_wakeup());
            self.settle();
        }
        self.now = until;
        self.settle();
    }

    /// User records that are on their way again.
    pub(super) fn retried(&self) -> u64 {
        self.pipeline.snapshot(self.now).user_records_retried
    }

    /// What became of the record with this tag.
    pub(super) fn told_of(&self, tag: usize) -> &Told {
        let told: Vec<_> = self.told.iter().filter(|told| told.tag == tag).collect();
        assert_eq!(told.len(), 1, "record {tag} has one outcome");
        told[0]
    }

    fn settle(&mut self) {
        self.pipeline.advance(self.now);
        while let Some(action) = self.pipeline.next_action() {
            match action {
                Action::PutRecords(id, request) => {
                    self.ids.push(id);
                    self.calls.push(request);
                }
                Action::ListShards(_) => self.listings_asked += 1,
                Action::Finish(finished) => self.finish(finished),
                Action::Flushed(_) | Action::Warn(..) | Action::LineIsLimit { .. } => {}
                Action::Compress(..) => panic!("nothing is compressed here"),
            }
        }
    }

    fn finish(&mut self, finished: Finished<usize>) {
        let (record, result) = match finished {
            Finished::Stored { record, shard_id, sequence_number } => {
                (record, Ok((shard_id.as_str().to_owned(), sequence_number.as_str().to_owned())))
            }
            Finished::Failed { record, reason } => (record, Err(reason)),
        };
        for member in &record.members {
            let attempts = record.history.joined(member.history.as_ref()).attempts.to_vec();
            self.told.push(Told { tag: member.tag, result: result.clone(), attempts });
        }
    }
}

pub(super) fn placed(shard: &str, sequence_number: &str) -> EntryPlaced {
    EntryPlaced { shard_id: shard.into(), sequence_number: sequence_number.into() }
}

pub(super) fn entry_error(code: &str, message: &str) -> EntryError {
    EntryError { code: code.into(), message: message.into() }
}

fn call_error(code: &str, message: &str) -> CallError {
    CallError { code: code.into(), message: message.into(), doubt: Doubt::NotWritten }
}
