//! A loopback AWS endpoint for Kinesis, Firehose, CloudWatch, STS and the Glue Schema Registry, with fault injection.
//!
//! One server on one port of 127.0.0.1 speaks what the AWS SDKs, boto3 and the AWS CLI speak. The Kinesis semantics
//! come from the emulator `ferrokinesis`; around it stand the services that it lacks, faults injected by rule,
//! counters of what was received, and read-back of everything that arrived.
//!
//! # In process
//!
//! ```
//! use kinesis_sandbox::{Sandbox, SandboxOptions};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::start(SandboxOptions {
//!     faults: vec!["throttle:shard=0,share=0.5".parse()?],
//!     ..SandboxOptions::default()
//! })
//! .await?;
//! sandbox.create_stream("clicks", 2).await?;
//! assert!(sandbox.endpoint().starts_with("http://127.0.0.1:"));
//! sandbox.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Over HTTP
//!
//! | request | answer |
//! |---|---|
//! | `GET /sandbox/health` | `{"status":"ok"}` |
//! | `GET /sandbox/counters` | what was received, as JSON: see [`Counters`] |
//! | `GET /sandbox/faults` | the rules, how often each matched and fired |
//! | `POST /sandbox/faults` | replaces the rules; the body holds one [`FaultRule`] a line |
//! | `GET /sandbox/delivery-streams/NAME` | what the delivery stream received, one JSON object a line |
//! | `GET /sandbox/metrics` | every metric datum received: see [`MetricDatum`] |
//!
//! Everything else is an AWS call. Signatures are not checked. Records stay in memory until their stream is deleted
//! or the sandbox ends.
//!
//! # What it does not do
//!
//! The limit of ten UpdateShardCount calls in 24 hours, a single subscription for each consumer and shard, percentiles and
//! metric math of CloudWatch, and the two weeks within which a metric's timestamp has to be.
//!
//! # Invariant
//!
//! Nothing but loopback is ever listened on, and with the same seed, rules and order of calls the same calls and
//! entries fail.

mod aws_error;
mod backend;
mod call;
mod cloudwatch;
mod codec;
mod control;
mod counters;
mod faults;
mod firehose;
mod glue;
mod kinesis;
mod options;
mod pause;
mod reply;
mod sandbox;
mod server;
mod sts;

pub use cloudwatch::metric_datum::{Dimension, MetricDatum, MetricValue};
pub use counters::{Counters, PutCounters};
pub use faults::FaultStatus;
pub use faults::rule::{FaultEffect, FaultRule, FaultRuleError};
pub use options::{SandboxError, SandboxOptions};
pub use sandbox::Sandbox;
