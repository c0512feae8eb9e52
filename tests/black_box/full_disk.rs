//! No room for checkpoints: lines are shipped all the same, that is said, and it catches up.
//!
//! Once with the limit on the size of files that a process may write, which ends a write in the middle as a full disk does,
//! and can be taken away while the process runs (`prlimit`, of util-linux); once with a small file system, where mounting
//! one is allowed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::agent_process::{AgentProcess, binary};
use crate::books::{Books, line};
use crate::patience::{PATIENCE, comes_true};
use crate::workshop::Workshop;

/// Files may be so large: enough for what the agent says, not for the log of its database.
const ROOM: &str = "65536";

fn limited(shop: &Workshop, configuration: &Path) -> AgentProcess {
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

/// Ships until checkpoints do not fit any more, and on; then makes room.
fn ships_and_catches_up(
    shop: &Workshop,
    configuration: &Path,
    agent: AgentProcess,
    make_room: impl FnOnce(),
) {
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
    let written = write_more(&mut books);
    books.assert_exact(written);
    let status = shop.start(&["status", "-c", configuration.to_str().unwrap()]).finish(PATIENCE);
    assert!(status.stdout.contains("NOT being saved"), "{}", status.stdout);

    make_room();
    let is_well = comes_true(PATIENCE, || agent.stderr().contains("checkpoints are saved again"));
    assert!(is_well, "{}", agent.stderr());
    agent.stop();
    shop.once(configuration);
    books.enter(reader.read_all());
    books.assert_exact(written);
}

#[test]
fn no_room_by_the_limit_of_the_process() {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow("*.log", json!({}))]);
    let agent = limited(&shop, &configuration);
    let limit = format!("--pid={}", agent.id());
    ships_and_catches_up(&shop, &configuration, agent, || {
        assert!(Command::new("prlimit").args([&limit, "--fsize=unlimited"]).status().unwrap().success());
    });
}

/// A file system of its own. It is gone with this.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where mounting is not allowed.
    fn mount(at: &Path) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=512k", "tmpfs"]).arg(at).output();
        mount.is_ok_and(|mount| mount.status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What cannot be unmounted is seen on the machine; the test has told its result.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn no_room_on_the_disk() {
    let shop = Workshop::new();
    let Some(disk) = SmallDisk::mount(&shop.root().join("disk")) else {
        println!("left out: mounting a file system needs root");
        return;
    };
    let filler = disk.0.join("filler");
    fs::write(&filler, [0; 300_000]).unwrap();
    let keys = json!({ "checkpointFile": disk.0.join("checkpoints.db") });
    let configuration = shop.configure_with(&[shop.flow("*.log", json!({}))], keys);
    let agent = shop.run_started(&configuration);
    ships_and_catches_up(&shop, &configuration, agent, || fs::remove_file(filler).unwrap());
}
