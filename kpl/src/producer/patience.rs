//! A time limit that needs no runtime, for futures that are awaited outside the producer's own tasks.
//!
//! Invariant: the wait ends at the limit, on whatever executor it is polled.

use std::future::Future;
use std::pin::pin;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::clock::Clock;

/// The limit was reached.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Elapsed;

/// What `work` resolves to within `limit`.
pub(super) async fn within<F: Future>(limit: Duration, work: F) -> Result<F::Output, Elapsed> {
    if Clock::has_timers() {
        return tokio::time::timeout(limit, work).await.map_err(|_| Elapsed);
    }
    let (_stops_the_thread, over) = alarm(limit);
    let mut work = pin!(work);
    tokio::select! {
        biased;
        done = &mut work => Ok(done),
        _ = over => Err(Elapsed),
    }
}

/// Starts a thread that waits for `limit`, or until the sender is dropped. If it cannot be started, the limit is reached at once.
fn alarm(limit: Duration) -> (SyncSender<()>, oneshot::Receiver<()>) {
    let (sender, stopped) = sync_channel::<()>(0);
    let (ring, over) = oneshot::channel();
    let wait = move || {
        if stopped.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            // The waiting future may have been dropped.
            let _ = ring.send(());
        }
    };
    let _ = thread::Builder::new().name("kpl-close".to_owned()).spawn(wait);
    (sender, over)
}
