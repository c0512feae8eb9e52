//! One stream's pipeline as a pure machine: no clock, no socket, no task.
//!
//! The contract: give the [`Pipeline`](pipeline::Pipeline) one input with the present moment, then take its actions
//! until there are none, then wait for the next input or for [`next_wakeup`](pipeline::Pipeline::next_wakeup).
//! Moments never decrease. The same seed and the same inputs give the same actions.
//!
//! Records flow `aggregator -> (compressor) -> limiter -> collector -> sender`, their results through the `retrier`, which finishes
//! them or hands them back to the limiter as they are, or to the aggregator when the shards changed. The stages do
//! not know each other; only the pipeline passes values on.

pub(crate) mod aggregator;
pub(crate) mod call_summary;
pub(crate) mod collector;
pub(crate) mod compressor;
pub(crate) mod flushes;
pub(crate) mod hot_keys;
pub(crate) mod jitter;
pub(crate) mod keys_under_way;
pub(crate) mod last_error;
pub(crate) mod last_key;
pub(crate) mod learned_shards;
pub(crate) mod limiter;
pub(crate) mod line;
pub(crate) mod numbering;
pub(crate) mod open_aggregate;
pub(crate) mod pipeline;
pub(crate) mod retrier;
pub(crate) mod room;
pub(crate) mod sender;
pub(crate) mod shard_map;
pub(crate) mod shared_copy;
pub(crate) mod suspects;
pub(crate) mod token_bucket;
pub(crate) mod totals;
pub(crate) mod troubles;
pub(crate) mod undecided;
pub(crate) mod upload_schedule;

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod simulation;
