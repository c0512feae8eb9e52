//! The producer over the real SDK and real sockets, against the sandbox and its faults.
//!
//! Each module says that it is a test, because clippy lets helpers expect only then.

#[cfg(test)]
#[cfg(feature = "firehose")]
mod firehose;
#[cfg(test)]
mod kinesis;
#[cfg(test)]
#[cfg(feature = "cloudwatch")]
mod metrics;
#[cfg(test)]
mod support;
