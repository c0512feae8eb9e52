//! What a put has to know of its stream, kept from one call to the next: the emulator copies every shard when it is asked.
//!
//! Invariant: nothing that was read before a change of streams was complete is kept after it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferrokinesis::store::Store;
use ferrokinesis::types::{Stream, StreamStatus};

use super::put_limits::PutLimits;
use super::shard_ranges::ShardRanges;
use crate::aws_error::AwsError;

/// The limits of a stream's puts, and its shards.
pub(super) struct KnownStream {
    pub(super) limits: PutLimits,
    pub(super) ranges: ShardRanges,
}

/// Those that were asked for since the last change.
#[derive(Default)]
pub(super) struct KnownStreams(Mutex<State>);

#[derive(Default)]
struct State {
    /// Changes that are complete.
    changes: u64,
    streams: HashMap<String, Arc<KnownStream>>,
}

/// A change of streams; all is forgotten when it is complete, or given up.
pub(super) struct Change<'a>(&'a KnownStreams);

impl KnownStreams {
    pub(super) async fn look_up(&self, name: &str, store: &Store) -> Result<Arc<KnownStream>, AwsError> {
        let changes = {
            let state = self.lock();
            if let Some(known) = state.streams.get(name) {
                return Ok(Arc::clone(known));
            }
            state.changes
        };
        let stream = store.get_stream(name).await?;
        let known = Arc::new(KnownStream::of(&stream));
        let mut state = self.lock();
        if state.changes == changes && stream.stream_status == StreamStatus::Active {
            state.streams.insert(name.to_owned(), Arc::clone(&known));
        }
        Ok(known)
    }

    pub(super) fn change(&self) -> Change<'_> {
        Change(self)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KnownStream {
    fn of(stream: &Stream) -> Self {
        Self { limits: PutLimits::of(stream), ranges: ShardRanges::of(stream) }
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.changes += 1;
        state.streams.clear();
    }
}
