//! A TCP proxy that behaves like a slow line: limited in both directions, with latency and stalls.
//!
//! All connections share the line, as they share an office's uplink: each direction carries the configured bytes a
//! second in total. Kernel buffers are small, so a sender notices soon that nothing moves.
//!
//! Invariant: bytes arrive unchanged and in order, never earlier than the line could carry them; what waits inside the
//! proxy is bounded.

#![expect(
    clippy::disallowed_methods,
    reason = "the proxy is a clock: it delays bytes, and its tasks end when it is dropped"
)]

mod carriage;
mod pace;
mod proxy;

pub use proxy::SlowLine;

use std::time::Duration;

/// What the line is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Bytes a second, in each direction, over all connections. 1,000 or more.
    pub bytes_per_second: u32,
    /// Time that a byte takes from one end to the other, besides its transmission. The round trip has it twice.
    pub latency: Duration,
    /// Share of chunks that arrive late, from 0 to 1, together with all that follow on their connection.
    pub stalls: f64,
    /// By how much they are late.
    pub stall: Duration,
}

impl Shape {
    /// A line of so many bytes a second, without latency and stalls.
    #[must_use]
    pub fn steady(bytes_per_second: u32) -> Self {
        Self { bytes_per_second, latency: Duration::ZERO, stalls: 0.0, stall: Duration::from_millis(300) }
    }

    /// Bytes that are carried at a time: 20 ms of the line, from 512 bytes to 32 KiB.
    fn chunk_bytes(&self) -> usize {
        (self.bytes_per_second as usize / 50).clamp(512, 32 * 1024)
    }
}
