//! One direction of one connection: reads at the line's pace, and hands on after the latency.
//!
//! Invariant: bytes leave in the order in which they came; a connection that ends is ended on the other side only when
//! its last byte was handed on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::Shape;
use crate::pace::Pace;

/// Chunks between the two ends, for each connection: enough for 600 ms of latency and a stall of the whole line.
const CHUNKS: usize = 64;

/// One direction, shared by all connections.
#[derive(Debug)]
pub(crate) struct Direction {
    shape: Shape,
    pace: Pace,
    carried: AtomicU64,
}

impl Direction {
    pub(crate) fn new(shape: Shape) -> Arc<Self> {
        Arc::new(Self { shape, pace: Pace::new(shape.bytes_per_second), carried: AtomicU64::new(0) })
    }

    /// Bytes carried so far.
    pub(crate) fn carried(&self) -> u64 {
        self.carried.load(Ordering::Relaxed)
    }

    /// Carries what comes from `from` to `to`, until either end closes.
    pub(crate) async fn carry(self: Arc<Self>, from: OwnedReadHalf, to: OwnedWriteHalf) {
        let (near, far) = mpsc::channel(CHUNKS);
        tokio::join!(self.take(from, near), hand_on(far, to));
    }

    async fn take(&self, mut from: OwnedReadHalf, near: mpsc::Sender<(Instant, Vec<u8>)>) {
        let mut random = fastrand::Rng::new();
        let mut not_before = Instant::now();
        let mut chunk = vec![0; self.shape.chunk_bytes()];
        while let Ok(bytes @ 1..) = from.read(&mut chunk).await {
            let left_at = self.pace.reserve(bytes);
            sleep_until(left_at).await;
            self.carried.fetch_add(bytes as u64, Ordering::Relaxed);
            not_before = not_before.max(left_at + self.shape.latency);
            if random.f64() < self.shape.stalls {
                not_before += self.shape.stall;
            }
            if near.send((not_before, chunk[..bytes].to_vec())).await.is_err() {
                return;
            }
        }
    }
}

async fn hand_on(mut far: mpsc::Receiver<(Instant, Vec<u8>)>, mut to: OwnedWriteHalf) {
    while let Some((due, chunk)) = far.recv().await {
        sleep_until(due).await;
        if to.write_all(&chunk).await.is_err() {
            return;
        }
    }
    // The other side may have closed already.
    let _ = to.shutdown().await;
}
