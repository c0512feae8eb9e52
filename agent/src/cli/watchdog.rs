//! Tells systemd that every flow makes progress, as long as that is so.

use std::convert::Infallible;

use tokio::time::MissedTickBehavior;

use crate::agent::Agent;

/// Feeds the watchdog twice in its period. Without one it waits for ever.
pub(super) async fn feed(agent: &Agent) -> Infallible {
    let Some(period) = sd_notify::watchdog_enabled().filter(|period| !period.is_zero()) else {
        return std::future::pending().await;
    };
    let mut ticks = tokio::time::interval(period / 2);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut reported = Vec::new();
    loop {
        ticks.tick().await;
        let stuck = agent.stuck_flows();
        if stuck.is_empty() {
            // A service manager that does not listen restarts the agent, which loses nothing.
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
        }
        for flow in stuck.iter().filter(|flow| !reported.contains(*flow)) {
            tracing::error!(
                flow,
                "the flow is stuck: a file system does not answer; systemd is not told that the agent is well, and restarts it"
            );
        }
        reported = stuck;
    }
}
