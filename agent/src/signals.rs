//! The signals that end the agent.

use tokio::signal::unix::{SignalKind, signal};

/// Waits for SIGTERM or SIGINT and tells which.
///
/// # Errors
///
/// The handlers cannot be installed.
pub async fn termination() -> std::io::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => Ok("SIGTERM"),
        _ = interrupt.recv() => Ok("SIGINT"),
    }
}
