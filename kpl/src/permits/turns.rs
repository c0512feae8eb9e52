//! Callers that wait for room, first come first served for each lane of a stream.
//!
//! Invariant: of each lane one caller has its turn, and a lane is here for as long as a caller waits in it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::types::Lane;

/// What a caller waits for: room for a record of this lane, or of whatever lane.
pub(crate) type Queue = Option<Lane>;

/// The queues of one stream.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<Queue, Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    callers: usize,
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// A place in a queue.
#[derive(Debug)]
pub(super) struct Place<'a> {
    turns: &'a Turns,
    queue: Queue,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Turns {
    pub(super) fn join(&self, queue: Queue) -> Place<'_> {
        let mut queues = self.lock();
        let waiting = queues.entry(queue).or_default();
        waiting.callers += 1;
        Place { turns: self, queue, turn: Arc::clone(&waiting.turn) }
    }

    pub(super) fn has(&self, queue: Queue) -> bool {
        self.lock().contains_key(&queue)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Queue, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// Returns when it is this caller's turn, which lasts as long as the guard.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut queues = self.turns.lock();
        if let Some(waiting) = queues.get_mut(&self.queue) {
            waiting.callers -= 1;
            if waiting.callers == 0 {
                queues.remove(&self.queue);
            }
        }
    }
}
