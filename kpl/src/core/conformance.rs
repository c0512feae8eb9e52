//! The KPL's own native test cases, under their names and with their numbers, against the machine here.
//!
//! `CONFORMANCE.md` has a row for each of them, with what differs on purpose. Cases that need threads or time are in
//! `tests/producer/conformance.rs`.

#[cfg(test)]
mod aggregator;
#[cfg(test)]
mod kinesis_record;
#[cfg(test)]
mod limiter;
#[cfg(test)]
mod reducer;
#[cfg(test)]
mod retrier;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod shard_map;
#[cfg(test)]
mod support;
#[cfg(test)]
mod user_record;
