//! The sandbox as real AWS clients see it: the Rust SDKs, and raw requests for the protocols that they do not speak.
//!
//! Each module says that it is a test, because clippy lets helpers unwrap only then.

#[cfg(test)]
mod cloudwatch;
#[cfg(test)]
mod control;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod firehose;
#[cfg(test)]
mod http;
#[cfg(test)]
mod kinesis;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod list_shards;
#[cfg(test)]
mod list_streams;
#[cfg(test)]
mod moments;
#[cfg(test)]
mod protocols;
#[cfg(test)]
mod resharding;
#[cfg(test)]
mod statistics;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod subscriptions;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tags;
