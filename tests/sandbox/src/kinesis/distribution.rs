//! Streams whose records the service distributes itself: `RecordDistributionStrategy = AUTO`.
//!
//! Invariant: a record of such a stream goes to a shard drawn at random, whatever its keys say; with the same seed and
//! the same order of calls the same shards are drawn.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ferrokinesis::actions::Operation;
use serde_json::{Value, json};

use super::arn;
use crate::aws_error::AwsError;

const FIELD: &str = "RecordDistributionStrategy";

/// The partition key of a record that came without one: the emulator cannot store it otherwise.
const FILLED_IN: &str = "\u{0}";

/// Which streams are on AUTO, and the dice.
pub(super) struct Distribution(Mutex<State>);

struct State {
    auto: HashSet<String>,
    random: fastrand::Rng,
}

/// The operation that changes the strategy; the emulator does not know it.
pub(super) const UPDATE: &str = "UpdateStreamRecordDistributionStrategy";

impl Distribution {
    pub(super) fn new(seed: u64) -> Self {
        Self(Mutex::new(State { auto: HashSet::new(), random: fastrand::Rng::with_seed(seed) }))
    }

    pub(super) fn is_auto(&self, stream: &str) -> bool {
        self.state().auto.contains(stream)
    }

    pub(super) fn set(&self, stream: &str, auto: bool) {
        let mut state = self.state();
        if auto {
            state.auto.insert(stream.to_owned());
        } else {
            state.auto.remove(stream);
        }
    }

    /// Explicit hash keys for so many records of a stream; `None` where the keys of the records decide.
    pub(super) fn draw(&self, stream: &str, records: usize) -> Option<Vec<String>> {
        let mut state = self.state();
        let is_auto = state.auto.contains(stream);
        is_auto.then(|| (0..records).map(|_| state.random.u128(..).to_string()).collect())
    }

    /// Gives the records of a put the partition key that the emulator wants, where a stream on AUTO needs none.
    pub(super) fn fill_in_keys(&self, operation: Operation, tree: &mut Value) {
        if !self.is_auto(tree["StreamName"].as_str().unwrap_or_default()) {
            return;
        }
        let records = match operation {
            Operation::PutRecord => std::slice::from_mut(tree),
            Operation::PutRecords => tree["Records"].as_array_mut().map_or(&mut [][..], Vec::as_mut_slice),
            _ => return,
        };
        for record in records.iter_mut().filter(|record| record["PartitionKey"].is_null()) {
            record["PartitionKey"] = json!(FILLED_IN);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A record that came without a partition key is read without one.
pub(super) fn leave_out_filled_in(answer: &mut Value) {
    for record in answer["Records"].as_array_mut().into_iter().flatten() {
        if record["PartitionKey"] == FILLED_IN {
            record["PartitionKey"].take();
        }
    }
}

/// Whether a request asks for AUTO.
pub(super) fn asks_for_auto(tree: &Value) -> Result<bool, AwsError> {
    match tree[FIELD].as_str() {
        Some("AUTO") => Ok(true),
        Some("USER_PARTITION_KEY") => Ok(false),
        None if tree[FIELD].is_null() => Ok(false),
        _ => Err(AwsError::invalid_argument(format!("{FIELD} is AUTO or USER_PARTITION_KEY"))),
    }
}

/// The stream whose strategy is to be changed.
pub(super) fn stream_to_update(tree: &Value) -> Result<String, AwsError> {
    let stream = tree["StreamARN"].as_str().and_then(arn::stream_in);
    stream.map(str::to_owned).ok_or_else(|| AwsError::invalid_argument("StreamARN is missing or no ARN"))
}

/// Only streams in on-demand mode have a strategy.
pub(super) fn check_mode(on_demand: bool, auto: bool) -> Result<(), AwsError> {
    if auto && !on_demand {
        return Err(AwsError::invalid_argument(format!("{FIELD} AUTO needs the on-demand capacity mode")));
    }
    Ok(())
}

/// The field as a description shows it.
pub(super) fn describe(summary: &mut Value, auto: bool) {
    if summary["StreamModeDetails"]["StreamMode"] == "ON_DEMAND" {
        summary[FIELD] = json!(if auto { "AUTO" } else { "USER_PARTITION_KEY" });
    }
}
