//! placeholder
pub mod checkpoint;
pub mod config;
pub mod core;
pub mod statistics;
pub mod types;
