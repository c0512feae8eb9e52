//! GetShardIterator and GetRecords, completed to what AWS answers.
//!
//! Invariant: whoever reads a closed shard to its end is given its children.

use ferrokinesis::actions::{self, Operation};
use ferrokinesis::store::Store;
use ferrokinesis::util::current_time_ms;
use ferrokinesis::{constants, sequence, shard_iterator};
use serde_json::{Value, json};

use super::{Kinesis, answered, distribution};
use crate::aws_error::AwsError;

impl Kinesis {
    /// An iterator. After the newest record a moment means the end of the shard; the emulator takes it for the start.
    pub(super) async fn shard_iterator(&self, mut checked: Value) -> Result<Value, AwsError> {
        if checked["ShardIteratorType"] == "AT_TIMESTAMP" && self.nothing_since(&mut checked).await {
            checked["ShardIteratorType"] = json!("LATEST");
            checked["Timestamp"] = Value::Null;
        }
        answered::tree(actions::dispatch(&self.store, Operation::GetShardIterator, checked).await)
    }

    /// Whether a shard has no record from the moment on. The emulator dates records to the second, so the moment is
    /// taken back to its second: better a record too much than one too few.
    async fn nothing_since(&self, checked: &mut Value) -> bool {
        let stream = checked["StreamName"].as_str().unwrap_or_default().to_owned();
        let shard = sequence::resolve_shard_id(checked["ShardId"].as_str().unwrap_or_default());
        let (Some(moment), Ok((_, shard))) = (checked["Timestamp"].as_f64(), shard) else {
            return false;
        };
        if moment * 1000.0 > current_time_ms() as f64 {
            return false;
        }
        checked["Timestamp"] = json!(moment.floor());
        let (from, to) = (sequence::shard_ix_to_hex(shard), sequence::shard_ix_to_hex(shard + 1));
        let from = format!("{from}/");
        self.store.find_first_record_at_timestamp(&stream, &from, &to, moment.floor()).await.is_none()
    }

    pub(super) async fn get_records(&self, checked: Value) -> Result<Value, AwsError> {
        let iterator = checked[constants::SHARD_ITERATOR].as_str().unwrap_or_default().to_owned();
        let mut answer =
            answered::tree(actions::dispatch(&self.store, Operation::GetRecords, checked).await)?;
        distribution::leave_out_filled_in(&mut answer);
        if answer["NextShardIterator"].is_null() {
            answer["ChildShards"] = child_shards(&self.store, &iterator).await;
        }
        Ok(answer)
    }
}

/// What to read after the shard of an iterator.
pub(super) async fn child_shards(store: &Store, iterator: &str) -> Value {
    let Ok((_, stream, shard, _)) = shard_iterator::decode_shard_iterator(iterator) else {
        return json!([]);
    };
    match store.get_stream(&stream).await {
        Ok(stream) => answered::child_shards(&stream.shards, &shard),
        Err(_) => json!([]),
    }
}
