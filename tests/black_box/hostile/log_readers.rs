//! What the agent's log and answers go to takes no more.

use std::fs::File;
use std::io::PipeReader;
use std::process::Stdio;

use serde_json::json;

use crate::agent_process::{AgentProcess, binary};
use crate::books::{Books, line};
use crate::patience::PATIENCE;
use crate::workshop::Workshop;

fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

/// Ships, is stopped, and ends as well as with a log that is written.
fn ships_with_this_log(log: Stdio) {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow("*.log", json!({}))]);
    // More files than a pipe has room for what is said of them.
    let files = 1000;
    (0..files).for_each(|number| shop.write(&format!("{number}.log"), line(number)));
    let mut command = binary();
    command.args(["run", "-c", configuration.to_str().unwrap()]);
    let agent = AgentProcess::start_with(&mut command, &shop.root().join("unheard"), log);
    let (mut reader, mut books) = (shop.reader(), Books::default());
    books.await_lines(files, PATIENCE, || reader.read_all());
    agent.stop();
    shop.once(&configuration);
    books.enter(reader.read_all());
    books.assert_exact(files);
}

#[test]
fn the_disk_of_the_log_is_full() {
    ships_with_this_log(full().into());
}

#[test]
fn the_reader_of_the_log_is_gone() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    ships_with_this_log(writer.into());
}

#[test]
fn the_reader_of_the_log_reads_nothing() {
    let (_held, writer): (PipeReader, _) = std::io::pipe().unwrap();
    ships_with_this_log(writer.into());
}

#[test]
fn answers_that_cannot_be_written_are_a_failure_and_no_panic() {
    let shop = Workshop::new();
    shop.write("app.log", "one\n");
    let configuration = shop.configure(&[shop.flow("*.log", json!({}))]);
    shop.once(&configuration);
    let (log, endpoint) = (shop.log("app.log"), shop.sandbox.endpoint());
    let path = configuration.to_str().unwrap();
    for (arguments, expected) in [
        (vec!["status", "-c", path], 2),
        (vec!["status", "--json", "-c", path], 2),
        (vec!["shipped", "-c", path, log.to_str().unwrap()], 2),
        (vec!["consume", "--stream", "lines", "--endpoint", &endpoint], 1),
    ] {
        let ended = binary().args(&arguments).stdout(full()).stderr(full()).status().unwrap();
        assert_eq!(ended.code(), Some(expected), "{arguments:?}");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = binary().args(&arguments).stdout(writer).stderr(full()).status().unwrap();
        assert!(matches!(ended.code(), Some(0 | 3)), "{arguments:?}: {ended}");
    }
}
