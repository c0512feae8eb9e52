//! FIFOs, sockets and devices where files are expected.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::json;

use crate::books::{Books, line};
use crate::patience::PATIENCE;
use crate::workshop::Workshop;

/// For one line. If one is late, all are: the test fails in reasonable time.
const SHORT_PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// The name is a file when it is looked at and a FIFO when it is opened: it is exchanged for the other all the time.
#[test]
fn a_file_that_becomes_a_fifo_between_look_and_open_holds_up_nothing() {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow("*.log", json!({}))]);
    let (fifo, swapped) = (shop.root().join("fifo"), shop.log("swapped.log"));
    make_fifo(&fifo);
    shop.write("swapped.log", "");
    let agent = shop.run_started(&configuration);
    let (mut reader, mut books, lines) = (shop.reader(), Books::default(), 8);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                renameat_with(CWD, &fifo, CWD, &swapped, RenameFlags::EXCHANGE).unwrap();
            }
        });
        for number in 0..lines {
            // Each one makes the agent list the directory.
            shop.write(&format!("good-{number}.log"), line(number));
            books.await_lines(number + 1, SHORT_PATIENCE, || reader.read_all());
        }
        is_over.store(true, Ordering::Relaxed);
    });
    agent.stop();
    books.assert_exact(lines);
}

#[test]
fn whether_a_fifo_is_shipped_is_answered_at_once() {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow("*.log", json!({}))]);
    make_fifo(&shop.log("fifo.log"));
    let _socket = std::os::unix::net::UnixListener::bind(shop.log("socket.log")).unwrap();
    fs::create_dir(shop.log("directory.log")).unwrap();
    let agent = shop.run_started(&configuration);
    for (name, what) in [("fifo.log", "FIFO"), ("socket.log", "socket"), ("directory.log", "directory")] {
        let file = shop.log(name);
        let arguments =
            ["shipped", "--wait", "2", "-c", configuration.to_str().unwrap(), file.to_str().unwrap()];
        let finished = shop.start(&arguments).finish(PATIENCE);
        assert_eq!(finished.code, Some(2), "{name}: {}", finished.stderr);
        assert!(finished.stderr.contains(what), "{name}: {}", finished.stderr);
    }
    agent.stop();
}

#[test]
fn a_fifo_in_the_place_of_a_database_is_no_file() {
    let shop = Workshop::new();
    fs::create_dir(shop.root().join("state")).unwrap();
    let (checkpoints, java) = (shop.root().join("state/checkpoints.db"), shop.root().join("java"));
    make_fifo(&checkpoints);
    make_fifo(&java);
    let flow = shop.flow("*.log", json!({}));
    let configuration = shop.configure(std::slice::from_ref(&flow));
    for command in ["run", "status"] {
        let finished = shop.start(&[command, "-c", configuration.to_str().unwrap()]).finish(PATIENCE);
        assert_ne!(finished.code, Some(0), "{command}");
        assert!(finished.stderr.contains("a FIFO, no regular file"), "{command}: {}", finished.stderr);
    }
    fs::remove_file(&checkpoints).unwrap();
    let configuration = shop.configure_with(&[flow], json!({ "importCheckpointFile": java }));
    let finished = shop.run(&configuration).finish(PATIENCE);
    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("a FIFO, no regular file"), "{}", finished.stderr);
}
