//! One writer at a time for a stream.
//!
//! Invariant: two calls on the same stream never hold its lock together. Streams may share a lock: the number of locks
//! is fixed, so that clients cannot grow it.

use std::hash::{DefaultHasher, Hash, Hasher};

use tokio::sync::{Mutex, MutexGuard};

const LOCKS: usize = 64;

pub(super) struct StreamLocks([Mutex<()>; LOCKS]);

impl StreamLocks {
    /// Waits for the stream's turn.
    pub(super) async fn lock(&self, stream: &str) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        stream.hash(&mut hasher);
        let place = hasher.finish() % LOCKS as u64;
        self.0[place as usize].lock().await
    }
}

impl Default for StreamLocks {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }
}
