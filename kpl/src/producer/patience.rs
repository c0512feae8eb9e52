//! A time limit for what is awaited outside the producer's own tasks, perhaps on no runtime at all.
//!
//! Invariant: it ends, whoever polls it.

use std::future::Future;
use std::pin::pin;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::clock::Clock;

/// The time is over.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Elapsed;

/// What `work` resolves to within `patience`.
pub(super) async fn within<F: Future>(patience: Duration, work: F) -> Result<F::Output, Elapsed> {
    if Clock::has_timers() {
        return tokio::time::timeout(patience, work).await.map_err(|_| Elapsed);
    }
    let (_stops_the_thread, over) = alarm(patience);
    let mut work = pin!(work);
    tokio::select! {
        biased;
        done = &mut work => Ok(done),
        _ = over => Err(Elapsed),
    }
}

/// A thread that waits for `patience`, or until the sender is dropped. If it cannot be had, the time is over at once.
fn alarm(patience: Duration) -> (SyncSender<()>, oneshot::Receiver<()>) {
    let (sender, stopped) = sync_channel::<()>(0);
    let (ring, over) = oneshot::channel();
    let wait = move || {
        if stopped.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            // The one who waited may be gone.
            let _ = ring.send(());
        }
    };
    let _ = thread::Builder::new().name("kpl-close".to_owned()).spawn(wait);
    (sender, over)
}
