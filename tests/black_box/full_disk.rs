//! No room for checkpoints: lines are shipped all the same, that is said, and it catches up.
//!
//! The limit on the size of files that the process may write stands in for the disk. It ends a write in the middle, as a
//! full disk does, and it can be taken away while the process runs. Needs `prlimit` (util-linux), as any Linux has.

use std::process::Command;

use serde_json::json;

use crate::agent_process::{AgentProcess, binary};
use crate::books::{Books, line};
use crate::patience::{PATIENCE, comes_true};
use crate::workshop::Workshop;

/// Files may be so large: enough for what the agent says, not for the log of its database.
const ROOM: &str = "65536";

fn limited(shop: &Workshop, configuration: &std::path::Path) -> AgentProcess {
    let agent = binary();
    let mut command = Command::new("bash");
    // Without a handler for it the signal of the limit would end the process.
    command.args(["-c", "trap '' XFSZ; exec prlimit --fsize=$0:unlimited \"$@\"", ROOM]);
    command.arg(agent.get_program()).args(["run", "-c", configuration.to_str().unwrap()]);
    for (name, value) in agent.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("KINESIS_AGENT_LOG", "info");
    let mut agent = AgentProcess::start_as(&mut command, &shop.root().join("limited"));
    agent.await_started();
    agent
}

#[test]
fn it_keeps_shipping_says_so_and_catches_up() {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow("*.log", json!({}))]);
    let agent = limited(&shop, &configuration);
    let (mut reader, mut books, mut written) = (shop.reader(), Books::default(), 0);
    let mut write_more = |books: &mut Books| {
        // Many files, so that a save is large.
        for _ in 0..50 {
            shop.write(&format!("{written}.log"), line(written));
            written += 1;
        }
        books.await_lines(written, PATIENCE, || reader.read_all());
        written
    };
    let is_full = comes_true(PATIENCE * 2, || {
        write_more(&mut books);
        agent.stderr().contains("checkpoints cannot be saved")
    });
    assert!(is_full, "{}", agent.stderr());
    let written_when_full = write_more(&mut books);
    books.assert_exact(written_when_full);
    let status = shop.start(&["status", "-c", configuration.to_str().unwrap()]).finish(PATIENCE);
    assert!(status.stdout.contains("NOT being saved"), "{}", status.stdout);

    let limit = format!("--pid={}", agent.id());
    assert!(Command::new("prlimit").args([&limit, "--fsize=unlimited"]).status().unwrap().success());
    let is_well = comes_true(PATIENCE, || agent.stderr().contains("checkpoints are saved again"));
    assert!(is_well, "{}", agent.stderr());
    agent.stop();
    shop.once(&configuration);
    books.enter(reader.read_all());
    books.assert_exact(written_when_full);
}
