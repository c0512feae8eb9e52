//! The producer over the real SDK and real sockets, against the sandbox and its faults.
//!
//! Each module says that it is a test, because clippy lets helpers expect only then.

#[cfg(test)]
mod auto;
#[cfg(test)]
#[cfg(feature = "cbor")]
mod cbor;
#[cfg(test)]
mod connection;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod dedup;
#[cfg(test)]
mod documented_consumer;
#[cfg(test)]
#[cfg(feature = "firehose")]
mod firehose;
#[cfg(test)]
#[cfg(feature = "glue")]
mod glue;
#[cfg(test)]
mod keyless;
#[cfg(test)]
mod kinesis;
#[cfg(test)]
mod large_records;
#[cfg(test)]
mod late_listings;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod lying;
#[cfg(test)]
mod many_shards;
#[cfg(test)]
#[cfg(feature = "cloudwatch")]
mod metrics;
#[cfg(test)]
mod overload;
#[cfg(test)]
mod reader;
#[cfg(test)]
mod resharding;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod scripted_server;
#[cfg(test)]
mod silence;
#[cfg(test)]
mod slow_line;
#[cfg(test)]
mod stream_arns;
#[cfg(test)]
mod support;
#[cfg(test)]
mod time_limits;
