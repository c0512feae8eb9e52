//! Kinesis: the emulator's semantics, with the gaps closed that producers and consumers meet.
//!
//! Added to `ferrokinesis`: stream ARNs everywhere, on-demand streams, tags and record sizes of new streams, pages and
//! summaries of ListStreams, ListShards with pages and filters, UpdateShardCount by splits and merges, the child shards
//! of a finished shard, subscriptions that end with them, the record limit over data and partition key, which
//! UpdateMaxRecordSize raises, streams whose records the service distributes itself, faults on single entries,
//! discarding.
//!
//! Invariant: writes to a stream and changes of its shards happen one after the other. The emulator gives out sequence
//! numbers before it stores, so without that a reader could pass a record that is stored late, and lose it.

mod answered;
mod arn;
mod create;
mod discard;
mod distribution;
mod entries;
mod known_streams;
mod list_shards;
mod list_streams;
mod put;
mod put_limits;
mod reading;
mod resharding;
mod shard_count;
mod shard_filter;
mod shard_lives;
mod shard_ranges;
mod stream_locks;
mod subscribe;

use std::time::Duration;

use std::sync::atomic::AtomicU64;

use ferrokinesis::actions::{self, Operation};
use ferrokinesis::store::{Store, StoreOptions};
use ferrokinesis::types::{StreamMode, StreamStatus};
use ferrokinesis::util::current_time_ms;
use ferrokinesis::{constants, validation};
use serde_json::{Value, json};

use crate::aws_error::AwsError;
use crate::backend::Instruments;
use crate::call::Protocol;
use crate::options::SandboxOptions;
use crate::pause::pause;
use crate::reply::Answer;
use create::Extras;
pub(crate) use discard::PutRecordsBody;
use distribution::Distribution;
use known_streams::KnownStreams;
use shard_lives::ShardLives;
use stream_locks::StreamLocks;

/// More than any test opens; AWS's own default is 500 to 20,000.
const SHARD_LIMIT: u32 = 1_000_000;
/// How often a changing stream is looked at before its call is answered all the same.
const SETTLING_LOOKS: u32 = 5_000;
/// Between two such looks.
const SETTLING_PAUSE: Duration = Duration::from_millis(1);

/// The streams.
pub(crate) struct Kinesis {
    store: Store,
    default_shards: u32,
    discard: bool,
    locks: StreamLocks,
    known_streams: KnownStreams,
    lives: ShardLives,
    distribution: Distribution,
    next_sequence_number: AtomicU64,
}

impl Kinesis {
    pub(crate) fn new(options: &SandboxOptions) -> Self {
        let store = Store::new(StoreOptions {
            create_stream_ms: 0,
            delete_stream_ms: 0,
            update_stream_ms: 0,
            shard_limit: SHARD_LIMIT,
            enforce_limits: options.enforce_limits,
            aws_account_id: options.account_id.clone(),
            aws_region: options.region.clone(),
            ..StoreOptions::default()
        });
        Self {
            store,
            default_shards: options.default_shards.get(),
            discard: options.discard_records,
            locks: StreamLocks::default(),
            known_streams: KnownStreams::default(),
            lives: ShardLives::default(),
            distribution: Distribution::new(options.seed),
            next_sequence_number: AtomicU64::new(0),
        }
    }

    /// The stream that a call is about, as far as the call says.
    pub(crate) fn stream_of(tree: &Value) -> Option<String> {
        arn::stream_of(tree)
    }

    pub(crate) async fn carry_out(
        &self,
        operation: &str,
        protocol: Protocol,
        mut tree: Value,
        instruments: Instruments<'_>,
    ) -> Result<Answer, AwsError> {
        if operation == distribution::UPDATE {
            return self.update_distribution(&tree).await;
        }
        let operation: Operation = operation.parse().map_err(|()| AwsError::unknown_operation(operation))?;
        arn::names_for_arns(operation, &mut tree)?;
        self.distribution.fill_in_keys(operation, &mut tree);
        let on_demand = operation == Operation::CreateStream && self.fill_in_shard_count(&mut tree);
        let auto = operation == Operation::CreateStream && distribution::asks_for_auto(&tree)?;
        distribution::check_mode(on_demand, auto)?;
        let checked = check(operation, &tree)?;
        match operation {
            Operation::PutRecords => self.put_records(checked, instruments).await.map(Answer::Tree),
            Operation::PutRecord => self.put_record(checked, instruments).await.map(Answer::Tree),
            Operation::ListShards => self.list_shards(&checked, &tree["ShardFilter"]).await.map(Answer::Tree),
            Operation::ListStreams => self.list_streams(&checked, &tree["NextToken"]).await.map(Answer::Tree),
            Operation::GetShardIterator => self.shard_iterator(checked).await.map(Answer::Tree),
            Operation::GetRecords => self.get_records(checked).await.map(Answer::Tree),
            Operation::SubscribeToShard => {
                // The emulator's rules let only the type of a position through.
                let body = self.subscribe(&checked, &tree["StartingPosition"], protocol).await?;
                Ok(Answer::EventStream(body))
            }
            Operation::DescribeStreamSummary => self.describe_summary(checked).await.map(Answer::Tree),
            Operation::UpdateShardCount => self.update_shard_count(&checked).await.map(Answer::Tree),
            Operation::CreateStream => {
                let extras = Extras::read(&tree, on_demand)?;
                let stream = name_of(&checked);
                let answer = self.create(checked, &extras).await?;
                self.distribution.set(&stream, auto);
                Ok(answer)
            }
            _ => self.change_or_describe(operation, checked).await,
        }
    }

    async fn update_distribution(&self, tree: &Value) -> Result<Answer, AwsError> {
        let name = distribution::stream_to_update(tree)?;
        let auto = distribution::asks_for_auto(tree)?;
        let stream = self.store.get_stream(&name).await?;
        let on_demand = matches!(stream.stream_mode_details.stream_mode, StreamMode::OnDemand);
        distribution::check_mode(on_demand, auto)?;
        self.distribution.set(&name, auto);
        Ok(Answer::Empty)
    }

    async fn describe_summary(&self, checked: Value) -> Result<Value, AwsError> {
        let name = name_of(&checked);
        let described = actions::dispatch(&self.store, Operation::DescribeStreamSummary, checked).await;
        let mut answer = answered::tree(described)?;
        let summary = &mut answer["StreamDescriptionSummary"];
        distribution::describe(summary, self.distribution.is_auto(&name));
        summary["MaxRecordSizeInKiB"] = json!(self.store.get_stream(&name).await?.max_record_size_kib);
        Ok(answer)
    }

    /// Creates a stream in process; it is ACTIVE when this returns.
    pub(crate) async fn create_stream(&self, name: &str, shards: u32) -> Result<(), AwsError> {
        let checked = check(Operation::CreateStream, &json!({"StreamName": name, "ShardCount": shards}))?;
        self.change_or_describe(Operation::CreateStream, checked).await.map(drop)
    }

    /// Gives a stream without a count the default one, as on-demand mode does; says whether it is on demand.
    fn fill_in_shard_count(&self, tree: &mut Value) -> bool {
        if tree["ShardCount"].is_null() {
            tree["ShardCount"] = json!(self.default_shards);
        }
        tree["StreamModeDetails"]["StreamMode"] == "ON_DEMAND"
    }

    async fn change_or_describe(&self, operation: Operation, checked: Value) -> Result<Answer, AwsError> {
        let name = name_of(&checked);
        let _change = self.known_streams.change();
        let _turn = if changes_shards(operation) { Some(self.locks.lock(&name).await) } else { None };
        if matches!(operation, Operation::SplitShard | Operation::MergeShards) {
            shard_count::check_provisioned(&self.store.get_stream(&name).await?)?;
        }
        let answer = actions::dispatch(&self.store, operation, checked).await?;
        if changes_shards(operation) {
            self.settle(&name).await;
            self.note_shards(&name).await;
        }
        Ok(answer.map_or(Answer::Empty, Answer::Tree))
    }

    /// Notes when shards were opened and closed, once a change is complete.
    async fn note_shards(&self, name: &str) {
        match self.store.get_stream(name).await {
            Ok(stream) => self.lives.note(&stream, current_time_ms()),
            Err(_) => {
                self.lives.forget(name);
                self.distribution.set(name, false);
            }
        }
    }

    /// Waits until the emulator has carried out a change that it does in the background.
    async fn settle(&self, name: &str) {
        for _ in 0..SETTLING_LOOKS {
            match self.store.get_stream(name).await {
                Ok(stream) if stream.stream_status != StreamStatus::Active => pause(SETTLING_PAUSE).await,
                _ => return,
            }
        }
        tracing::warn!(stream = name, "the stream is still changing; answering all the same");
    }
}

fn check(operation: Operation, tree: &Value) -> Result<Value, AwsError> {
    let rules = put_limits::rules(operation);
    let fields: Vec<_> = rules.iter().map(|(name, rule)| (*name, rule)).collect();
    let checked = validation::check_types(tree, &fields)?;
    validation::check_validations(&checked, &fields, None)?;
    put_limits::check_keys(operation, &checked)?;
    Ok(checked)
}

fn name_of(checked: &Value) -> String {
    checked[constants::STREAM_NAME].as_str().unwrap_or_default().to_owned()
}

fn changes_shards(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::CreateStream
            | Operation::DeleteStream
            | Operation::SplitShard
            | Operation::MergeShards
            | Operation::UpdateShardCount
            | Operation::StartStreamEncryption
            | Operation::StopStreamEncryption
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On one thread nothing runs in the background unless the call itself makes way for it.
    #[tokio::test]
    async fn a_change_is_complete_when_its_call_returns() {
        let kinesis = Kinesis::new(&SandboxOptions::default());
        kinesis.create_stream("s", 2).await.unwrap();
        let merge = json!({"StreamName": "s", "ShardToMerge": "0", "AdjacentShardToMerge": "1"});
        kinesis.change_or_describe(Operation::MergeShards, merge).await.unwrap();
        let stream = kinesis.store.get_stream("s").await.unwrap();
        assert_eq!((stream.stream_status, stream.shards.len()), (StreamStatus::Active, 3));
        let delete = json!({"StreamName": "s"});
        kinesis.change_or_describe(Operation::DeleteStream, delete).await.unwrap();
        assert!(!kinesis.store.contains_stream("s").await);
    }
}
