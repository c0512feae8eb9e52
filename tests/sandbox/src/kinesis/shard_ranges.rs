//! Which open shard takes a hash key.
//!
//! Invariant: the open shards of a stream cover every hash key once, so a lookup by the start of the range suffices.

use ferrokinesis::sequence;
use ferrokinesis::types::Stream;

/// The open shards of a stream, by hash key.
pub(super) struct ShardRanges {
    open: Vec<OpenShard>,
}

/// One open shard.
pub(super) struct OpenShard {
    starting_hash_key: u128,
    /// The number in the shard's id.
    pub(super) number: u32,
    pub(super) id: String,
}

impl ShardRanges {
    pub(super) fn of(stream: &Stream) -> Self {
        let mut open: Vec<OpenShard> = stream
            .shards
            .iter()
            .filter(|shard| shard.sequence_number_range.ending_sequence_number.is_none())
            .map(|shard| OpenShard {
                starting_hash_key: shard.hash_key_range.start_u128(),
                number: number(&shard.shard_id),
                id: shard.shard_id.clone(),
            })
            .collect();
        open.sort_by_key(|shard| shard.starting_hash_key);
        Self { open }
    }

    /// The shard that takes the hash key; `None` only for a stream without open shards.
    pub(super) fn find(&self, hash_key: u128) -> Option<&OpenShard> {
        let after = self.open.partition_point(|shard| shard.starting_hash_key <= hash_key);
        self.open.get(after.checked_sub(1)?)
    }
}

fn number(shard_id: &str) -> u32 {
    sequence::resolve_shard_id(shard_id)
        .ok()
        .and_then(|(_, number)| u32::try_from(number).ok())
        .unwrap_or(u32::MAX)
}
