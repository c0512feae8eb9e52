//! The producer as its users see it, in tokio's paused time, over a service that does what a script says.

mod back_pressure;
mod delivery_streams;
mod fake;
mod flush_and_close;
mod outcomes;
mod runtimes;
mod support;
mod time;
