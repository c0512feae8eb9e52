//! What systemd is told: that the agent is ready, that it is well, that it stops.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use serde_json::json;

use crate::agent_process::{AgentProcess, binary};
use crate::patience::{PATIENCE, comes_true};
use crate::workshop::Workshop;

#[test]
fn systemd_hears_that_the_agent_is_well() {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow("app.log", json!({}))]);
    let path = shop.root().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let mut command = binary();
    command.args(["run", "-c", configuration.to_str().unwrap()]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000").env_remove("WATCHDOG_PID");
    let agent = AgentProcess::start_as(&mut command, &shop.root().join("run"));
    let mut heard = Vec::new();
    let mut hear = || {
        let mut message = [0; 1000];
        if let Ok(length) = socket.recv(&mut message) {
            heard.push(String::from_utf8_lossy(&message[..length]).trim_end().to_owned());
        }
        heard.clone()
    };
    let count = |heard: &[String], what: &str| heard.iter().filter(|message| message.contains(what)).count();
    let is_well = comes_true(PATIENCE, || {
        let heard = hear();
        count(&heard, "READY=1") == 1 && count(&heard, "WATCHDOG=1") >= 3
    });
    assert!(is_well, "{:?} {}", hear(), agent.stderr());
    agent.stop();
    assert!(comes_true(PATIENCE, || count(&hear(), "STOPPING=1") == 1), "{:?}", hear());
}
