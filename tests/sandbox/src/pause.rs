//! The only place where the sandbox waits for time to pass.
//!
//! Invariant: nothing waits unless a fault rule asks for it, the emulator is still changing a stream, or the operating
//! system has no descriptors left.

use std::time::Duration;

/// Waits for `duration`; at once for zero.
#[expect(
    clippy::disallowed_methods,
    reason = "the sandbox's one timer: injected delays, changing streams, a full descriptor table"
)]
pub(crate) async fn pause(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}
