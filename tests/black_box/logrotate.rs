//! The real logrotate, where it is installed: every line once.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::books::Books;
use crate::log_writer::LogWriter;
use crate::patience::{PATIENCE, comes_true};
use crate::workshop::Workshop;

/// What is said to logrotate in one test.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) directives: &'static str,
    /// With `-f` every run rotates.
    pub(crate) is_forced: bool,
    /// The program opens its log again.
    pub(crate) reopens: bool,
}

const ROTATIONS: u32 = 5;

/// More than any test makes: what logrotate deletes unread is lost.
const GENERATIONS: u32 = 2000;

/// Debian keeps it where not every user's PATH leads.
pub(crate) fn logrotate() -> Option<Command> {
    let named = std::env::var_os("LOGROTATE").into_iter().map(Into::into);
    let mut places = named.chain(["/usr/sbin/logrotate", "/usr/bin/logrotate"].map(Into::into));
    places.find(|place: &std::path::PathBuf| place.exists()).map(Command::new)
}

/// Rotates; `directory` is where logrotate's configuration and state are kept.
pub(crate) fn rotate(directory: &Path, log: &Path, manner: Manner) {
    let configuration = directory.join("logrotate.conf");
    fs::write(
        &configuration,
        format!("{} {{\n{}\nrotate {GENERATIONS}\n}}\n", log.display(), manner.directives),
    )
    .unwrap();
    let mut said = String::new();
    // A name with the time in it is there already if the last rotation was in the same second.
    let is_rotated = comes_true(PATIENCE, || {
        let mut command = logrotate().unwrap();
        command.arg("-s").arg(directory.join("logrotate.state"));
        if manner.is_forced {
            command.arg("-f");
        }
        let output = command.arg(&configuration).output().unwrap();
        said = String::from_utf8_lossy(&output.stderr).into_owned();
        output.status.success() || !said.contains("already exists")
    });
    assert!(is_rotated && !said.contains("error"), "{said}");
}

fn follow(pattern: &str, manner: Manner, is_killed: bool) {
    if logrotate().is_none() {
        println!("left out: logrotate is not installed");
        return;
    }
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow(pattern, json!({}))]);
    let mut writer = LogWriter::open(shop.log("app.log"));
    let mut agent = shop.run_started(&configuration);
    for number in 0..ROTATIONS {
        writer.write_for(Duration::from_millis(300));
        if is_killed && number == 2 {
            agent.kill();
            rotate(shop.root(), &writer.path, manner);
            if manner.reopens {
                writer.reopen();
            }
            writer.write_lines(300);
            agent = shop.run_started(&configuration);
        }
        rotate(shop.root(), &writer.path, manner);
        if manner.reopens {
            writer.reopen();
        }
    }
    writer.write_for(Duration::from_millis(300));
    let (mut reader, mut books) = (shop.reader(), Books::default());
    books.await_lines(writer.written, PATIENCE, || reader.read_all());
    let said = agent.stop().stderr;
    books.enter(reader.read_all());
    let is_exact = books.missing(writer.written).is_empty() && (is_killed || books.doubled() == 0);
    assert!(is_exact, "{pattern} {manner:?}\n{said}");
}

fn in_every_way(directives: &'static str, reopens: bool) {
    let manner = Manner { directives, is_forced: true, reopens };
    follow("app.log", manner, false);
    follow("app.log*", manner, false);
    follow("app.log", manner, true);
}

#[test]
fn rename() {
    in_every_way("create", true);
}

#[test]
fn copytruncate() {
    in_every_way("copytruncate", false);
}

#[test]
fn compress() {
    in_every_way("create\ncompress", true);
    in_every_way("copytruncate\ncompress", false);
}

#[test]
fn delaycompress() {
    in_every_way("create\ncompress\ndelaycompress", true);
}

#[test]
fn dateext() {
    in_every_way("create\ndateext\ndateformat -%Y%m%d-%s", true);
    in_every_way("create\ndateext\ndateformat -%Y%m%d-%s\ncompress\nextension .log", true);
}

#[test]
fn maxsize() {
    let manner = Manner { directives: "create\nsize 1k", is_forced: false, reopens: true };
    follow("app.log", manner, false);
}
