//! The emulator's answers, completed to what AWS answers.
//!
//! Invariant: an answer that should have fields always is a tree.

use ferrokinesis::error::KinesisErrorResponse;
use ferrokinesis::types::Shard;
use serde_json::{Value, json};

use crate::aws_error::AwsError;

/// The tree of an answer that must have one.
pub(super) fn tree(answer: Result<Option<Value>, KinesisErrorResponse>) -> Result<Value, AwsError> {
    Ok(answer?.unwrap_or_else(|| json!({})))
}

/// What a consumer is told to read after `parent` has ended.
pub(super) fn child_shards(shards: &[Shard], parent: &str) -> Value {
    shards.iter().filter(|shard| parents(shard).any(|id| id == parent)).map(child_shard).collect()
}

fn parents(shard: &Shard) -> impl Iterator<Item = &str> {
    [&shard.parent_shard_id, &shard.adjacent_parent_shard_id].into_iter().filter_map(|id| id.as_deref())
}

fn child_shard(shard: &Shard) -> Value {
    json!({
        "ShardId": shard.shard_id,
        "ParentShards": parents(shard).collect::<Vec<_>>(),
        "HashKeyRange": shard.hash_key_range,
    })
}
