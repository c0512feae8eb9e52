//! The tasks that a stream's task waits for: calls to the service, and compression.
//!
//! Invariant: a task that panics is answered as a failure.

use std::collections::HashMap;

use bytes::Bytes;
use tokio::task::{Id, JoinError, JoinSet};

use crate::core::compressor::BatchId;
use crate::put_records::{CallError, Doubt, PutRecordsResponse, ShardListing};
use crate::types::RequestId;

/// What came of a task.
pub(super) enum Answer {
    PutRecords(RequestId, Result<PutRecordsResponse, CallError>),
    Compressed(BatchId, Vec<Option<Bytes>>),
    Shards(Result<ShardListing, CallError>),
}

/// The calls in flight, and what each task is for.
#[derive(Default)]
pub(super) struct Calls {
    tasks: JoinSet<Answer>,
    purposes: HashMap<Id, Purpose>,
}

/// What a task is for; needed when it panics.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    PutRecords(RequestId),
    Compress(BatchId),
    ListShards,
}

impl Calls {
    pub(super) fn start(&mut self, purpose: Purpose, call: impl Future<Output = Answer> + Send + 'static) {
        let task = self.tasks.spawn(call);
        self.purposes.insert(task.id(), purpose);
    }

    /// The next answer; `None` when no call is in flight.
    pub(super) async fn next(&mut self) -> Option<Answer> {
        let joined = self.tasks.join_next_with_id().await?;
        Some(self.answer(joined))
    }

    /// An answer that is there already.
    pub(super) fn ready(&mut self) -> Option<Answer> {
        let joined = self.tasks.try_join_next_with_id()?;
        Some(self.answer(joined))
    }

    fn answer(&mut self, joined: Result<(Id, Answer), JoinError>) -> Answer {
        match joined {
            Ok((id, answer)) => {
                self.purposes.remove(&id);
                answer
            }
            Err(error) => {
                let failure = CallError {
                    code: "TransportFailure".into(),
                    message: error.to_string().into(),
                    doubt: Doubt::MayHaveBeenWritten,
                };
                match self.purposes.remove(&error.id()) {
                    Some(Purpose::PutRecords(id)) => Answer::PutRecords(id, Err(failure)),
                    Some(Purpose::Compress(id)) => Answer::Compressed(id, Vec::new()),
                    Some(Purpose::ListShards) | None => Answer::Shards(Err(failure)),
                }
            }
        }
    }
}
