//! The producer as its users see it, in tokio's paused time, over a service that does what a script says.
//!
//! Each module says that it is a test, because clippy lets helpers expect only then.

#[cfg(test)]
mod back_pressure;
#[cfg(test)]
mod batches;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod counters;
#[cfg(test)]
mod dedup_and_compression;
#[cfg(test)]
mod delivery_streams;
#[cfg(test)]
mod fairness;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod flush_and_close;
#[cfg(test)]
mod log_capture;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod monitor;
#[cfg(test)]
mod outcomes;
#[cfg(test)]
mod reserve;
#[cfg(test)]
mod runtimes;
#[cfg(test)]
mod shared_data;
#[cfg(test)]
mod strange_maps;
#[cfg(test)]
mod stream_configs;
#[cfg(test)]
mod stuck_shards;
#[cfg(test)]
mod stuck_streams;
#[cfg(test)]
mod support;
#[cfg(test)]
mod time;
#[cfg(test)]
mod uploads;
