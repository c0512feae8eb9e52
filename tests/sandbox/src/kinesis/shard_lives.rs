//! When each shard was opened and closed, to the millisecond. The emulator's sequence numbers know seconds only.
//!
//! Invariant: of two changes of one stream the later one has a later moment.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ferrokinesis::types::Stream;

use super::resharding;

/// A shard's life, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) opened_ms: u64,
    pub(super) closed_ms: Option<u64>,
}

/// The lives of the shards of one stream, by shard id.
#[derive(Clone, Debug, Default)]
pub(super) struct Lives {
    shards: HashMap<String, Life>,
    last_change_ms: u64,
}

/// The lives of all shards, by stream.
#[derive(Default)]
pub(super) struct ShardLives(Mutex<HashMap<String, Lives>>);

impl ShardLives {
    /// Notes what a change did to a stream.
    pub(super) fn note(&self, stream: &Stream, now_ms: u64) {
        self.lock().entry(stream.stream_name.clone()).or_default().note(stream, now_ms);
    }

    /// Forgets a stream that was deleted.
    pub(super) fn forget(&self, stream: &str) {
        self.lock().remove(stream);
    }

    pub(super) fn of(&self, stream: &str) -> Lives {
        self.lock().get(stream).cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Lives>> {
        // A change that was noted by half is noted anew with the next one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lives {
    fn note(&mut self, stream: &Stream, now_ms: u64) {
        let moment_ms = now_ms.max(self.last_change_ms + 1);
        self.last_change_ms = moment_ms;
        for shard in &stream.shards {
            let born = Life { opened_ms: moment_ms, closed_ms: None };
            let life = self.shards.entry(shard.shard_id.clone()).or_insert(born);
            if !resharding::is_open(shard) {
                life.closed_ms.get_or_insert(moment_ms);
            }
        }
    }

    /// The life of a shard; one that was never noted is older than everything.
    pub(super) fn of(&self, shard: &str) -> Life {
        self.shards.get(shard).copied().unwrap_or(Life { opened_ms: 0, closed_ms: None })
    }

    /// When the first shards were opened.
    pub(super) fn begin_ms(&self) -> u64 {
        self.shards.values().map(|life| life.opened_ms).min().unwrap_or(0)
    }
}
