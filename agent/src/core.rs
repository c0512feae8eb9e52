//! A flow as a pure machine: no clock, no file, no thread.
//!
//! The [`flow`] is given what the shell saw (the directory, a file's size, bytes, acknowledgements) with the present
//! moment, and answers what to do. The stages below it do not know each other.

pub mod content_sum;
pub mod dedup_ids;
pub mod descriptors;
pub mod file_head;
pub mod flow;
pub mod former_paths;
pub mod identity;
pub mod idle_pause;
pub mod java_handover;
pub mod lag;
pub mod last_write;
pub mod ledger;
pub mod origin;
pub mod partition_key;
pub mod processor;
pub mod read_window;
pub mod record_limit;
pub mod refusal;
pub mod rescan;
pub mod room;
pub mod rotated_name;
pub mod rotation;
pub mod splitter;
pub mod tracked_file;
pub mod trail;
