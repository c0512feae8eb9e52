//! The real binary, from outside: real files, a real configuration, real sockets to a sandbox in this process.
//!
//! Nothing here looks inside the agent. A test writes and rotates files, starts and stops and kills
//! `kinesis-agent`, and reads back what a consumer of the stream would see. What is waited for is a condition with a
//! deadline, never a time.
//!
//! Each module says that it is a test, because clippy lets helpers unwrap only then.

#![expect(
    clippy::disallowed_methods,
    reason = "these tests play the world around the agent: its files and its time"
)]

#[cfg(test)]
mod agent_process;
#[cfg(test)]
mod behind_links;
#[cfg(test)]
mod books;
#[cfg(test)]
mod checkpoint_damage;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod config_examples;
#[cfg(test)]
mod consume_bounds;
#[cfg(test)]
mod converters;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod dedup_ids;
#[cfg(test)]
mod fairness;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod few_descriptors;
#[cfg(test)]
mod firehose;
#[cfg(test)]
mod full_disk;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod initial_position;
#[cfg(test)]
mod java_switch;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod late_listings;
#[cfg(test)]
mod log_writer;
#[cfg(test)]
mod logrotate;
#[cfg(test)]
mod long_run;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod new_files;
#[cfg(test)]
mod once;
#[cfg(test)]
mod patience;
#[cfg(test)]
mod preallocated;
#[cfg(test)]
mod records;
#[cfg(test)]
mod regions;
#[cfg(test)]
mod rewritten;
#[cfg(test)]
mod rotations;
#[cfg(test)]
mod rotations_in_an_outage;
#[cfg(test)]
mod rotations_while_down;
#[cfg(test)]
mod slow_line;
#[cfg(test)]
mod status_commands;
#[cfg(test)]
mod stops;
#[cfg(test)]
mod stream_reader;
#[cfg(test)]
mod trials;
#[cfg(test)]
mod watchdog;
#[cfg(test)]
mod workshop;
