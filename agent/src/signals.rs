//! The signals that end the agent.
//!
//! Invariant: from [`Termination::listen`] on, a signal is not lost and does not end the process by itself.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for SIGTERM and SIGINT.
#[derive(Debug)]
pub struct Termination {
    terminate: Signal,
    interrupt: Signal,
}

impl Termination {
    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// The handlers cannot be installed.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for a signal and tells which.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no signal.
    pub async fn received(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// Listens and waits in one, for who has nothing to say before.
///
/// # Errors
///
/// The handlers cannot be installed.
pub async fn termination() -> std::io::Result<&'static str> {
    Ok(Termination::listen()?.received().await)
}
