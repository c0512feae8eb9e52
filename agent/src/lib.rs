//! Follows log files and ships them to Kinesis streams and Firehose delivery streams.
//!
//! Bytes go one way: [`discovery`] finds files, a [`flow_task`] reads them, the pure [`core`] cuts them into records
//! and converts them, the [`publisher`] hands them to `kpl`. Facts come back as acknowledgements only; the ledger of
//! each file turns them into [`checkpoint`]s.
//!
//! The library exists for the binary `kinesis-agent` and its tests. To run an agent inside another program:
//!
//! ```no_run
//! use kinesis_agent::agent::{Agent, AgentSettings};
//! use kinesis_agent::config::AgentConfig;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let text = r#"{ "flows": [ { "filePattern": "/var/log/app.log*", "kinesisStream": "app-logs" } ] }"#;
//! let config = AgentConfig::parse(text, "agent.json")?.config;
//! let mut agent = Agent::start(AgentSettings { config, once: false, sandbox_endpoint: None }).await?;
//! // What appears from here on is new.
//! agent.listed().await;
//! // ... until it is time to go:
//! agent.stop().await;
//! # Ok(())
//! # }
//! ```

pub mod agent;
pub mod aws_clients;
pub mod checkpoint;
pub mod checkpoint_recovery;
pub mod checkpoint_saver;
pub mod checkpoint_store;
pub mod cli;
pub mod clock;
pub mod cloudwatch;
pub mod config;
pub mod core;
pub mod dead_letter;
pub mod dead_letter_file;
pub mod descriptors;
pub mod discovery;
pub mod flow_task;
pub mod fs;
pub mod inbox;
pub mod java_checkpoint;
pub mod java_import;
pub mod log_output;
pub mod metric;
pub mod metrics;
pub mod publisher;
pub mod shown;
pub mod signals;
pub mod source_file;
pub mod statistics;
pub mod status;
pub mod status_report;
pub mod status_socket;
pub mod stream_reader;
pub mod types;
pub mod wall_time;
pub mod watchdog;
