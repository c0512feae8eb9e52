//! The signals that the agent heeds.
//!
//! | signal | what it does |
//! |---|---|
//! | SIGTERM, SIGINT | a clean stop, which ends within a limit whatever holds it up |
//! | SIGHUP | nothing yet: the log says so |
//! | SIGUSR1, SIGUSR2, SIGALRM, SIGIO | nothing |
//!
//! Invariant: from [`Termination::listen`] on, none of these is lost or ends the process by itself.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::log_output;

/// Their default would end the process.
const WITHOUT_EFFECT: [fn() -> SignalKind; 4] =
    [SignalKind::user_defined1, SignalKind::user_defined2, SignalKind::alarm, SignalKind::io];

/// The exit code of a stop that had to be broken off.
const BROKEN_OFF: i32 = 1;

/// Hears of SIGTERM and SIGINT.
#[derive(Debug)]
pub struct Termination {
    told: watch::Receiver<Option<&'static str>>,
}

/// The handlers.
#[derive(Debug)]
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Termination {
    /// Begins to listen, on the present tokio runtime.
    ///
    /// # Errors
    ///
    /// The handlers cannot be installed.
    pub fn listen() -> io::Result<Self> {
        let signals = Signals::install()?;
        let (tell, told) = watch::channel(None);
        Handle::current().spawn(signals.heed(tell, None));
        Ok(Self { told })
    }

    /// The same; when `limit` has passed since the first of these signals the process is ended, whatever it is doing: the
    /// orderly stop hangs.
    ///
    /// # Errors
    ///
    /// The handlers cannot be installed, or the operating system refuses a thread.
    pub fn listen_with_limit(limit: Duration) -> io::Result<Self> {
        let signals = Signals::install()?;
        let (tell, told) = watch::channel(None);
        // A thread, because tasks may be what hangs.
        let (begin, begun) = sync_channel(1);
        thread::Builder::new().name("stop-limit".to_owned()).spawn(move || enforce(&begun, limit))?;
        Handle::current().spawn(signals.heed(tell, Some(begin)));
        Ok(Self { told })
    }

    /// Waits for a signal and tells which.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no signal.
    pub async fn received(&mut self) -> &'static str {
        match self.told.wait_for(Option::is_some).await {
            Ok(signal) => signal.unwrap_or_default(),
            // The runtime is shutting down.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Signals {
    fn install() -> io::Result<Self> {
        for kind in WITHOUT_EFFECT {
            // Once installed a handler stays.
            let _stays = signal(kind())?;
        }
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn heed(mut self, tell: watch::Sender<Option<&'static str>>, begin: Option<SyncSender<()>>) {
        loop {
            let name = tokio::select! {
                _ = self.terminate.recv() => "SIGTERM",
                _ = self.interrupt.recv() => "SIGINT",
                _ = self.hangup.recv() => {
                    tracing::info!(
                        "SIGHUP has no effect: a running agent does not read its configuration again; restart it for that"
                    );
                    continue;
                }
            };
            let is_first = tell.borrow().is_none();
            if let Some(begin) = begin.as_ref().filter(|_| is_first) {
                // There is room: nothing was sent before.
                let _ = begin.try_send(());
            }
            tell.send_replace(Some(name));
        }
    }
}

/// Ends the process when the limit has passed since the first signal. Until there is one it waits.
fn enforce(begun: &Receiver<()>, limit: Duration) {
    if begun.recv().is_err() {
        return;
    }
    if begun.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
        tracing::error!(
            "the stop did not end within {limit:?}: a file system hangs; it is broken off, and what was not saved is sent \
             again"
        );
        log_output::finish();
        std::process::exit(BROKEN_OFF);
    }
}
