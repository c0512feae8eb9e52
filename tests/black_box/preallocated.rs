//! Logs with room at their end: filled with NULs before they are filled with lines, as memory-mapped loggers, IIS and some
//! NFS writers do it. Each line once, and no word of loss.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use crate::books::{Books, line};
use crate::log_writer::compress;
use crate::patience::{PATIENCE, comes_true};
use crate::status_commands::status;
use crate::workshop::{Workshop, sorted};

/// A program that makes room ahead of what it writes.
struct Writer {
    path: PathBuf,
    file: File,
    room: u64,
    place: u64,
    end: u64,
    written: u64,
    random: fastrand::Rng,
}

impl Writer {
    fn open(path: PathBuf, room: u64) -> Self {
        let mut writer = Self {
            file: File::create(&path).unwrap(),
            path,
            room,
            place: 0,
            end: 0,
            written: 0,
            random: fastrand::Rng::with_seed(3),
        };
        writer.make_room();
        writer
    }

    /// Real NULs, not a hole.
    fn make_room(&mut self) {
        self.file.write_all_at(&vec![0; self.room as usize], self.end).unwrap();
        self.end += self.room;
    }

    fn write_lines(&mut self, lines: u64) {
        let text: String = (self.written..self.written + lines).map(line).collect();
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(self.random.usize(1..=rest.len().min(3000)));
            while self.place + now.len() as u64 > self.end {
                self.make_room();
            }
            self.file.write_all_at(now, self.place).unwrap();
            self.place += now.len() as u64;
            rest = later;
        }
        self.written += lines;
    }

    fn write_slowly(&mut self, lines: u64) {
        for _ in 0..lines / 10 {
            self.write_lines(10);
            std::thread::sleep(Duration::from_millis(self.random.u64(1..20)));
        }
    }

    fn cut(&mut self) {
        self.file.set_len(self.place).unwrap();
        self.end = self.place;
    }

    /// The file that was full up to here gets another name, its room with it.
    fn rotate(&mut self, name: &str) {
        fs::rename(&self.path, self.path.with_file_name(name)).unwrap();
        self.file = File::create(&self.path).unwrap();
        (self.place, self.end) = (0, 0);
        self.make_room();
    }
}

fn assert_no_loss(said: &str) {
    for word in ["bytes were written between", "hole_bytes=1", "truncated;"] {
        assert!(!said.contains(word), "{word:?} is said:\n{said}");
    }
}

fn fill(room: u64, lines: u64) {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow("*.log", json!({}))]);
    let mut writer = Writer::open(shop.log("app.log"), room);
    let agent = shop.run_started(&configuration);
    let (mut reader, mut books) = (shop.reader(), Books::default());
    writer.write_slowly(lines / 2);
    books.await_lines(writer.written, PATIENCE, || reader.read_all());
    writer.write_slowly(lines / 2);
    writer.cut();
    books.await_lines(writer.written, PATIENCE, || reader.read_all());
    writer.write_lines(20);
    books.await_lines(writer.written, PATIENCE, || reader.read_all());
    let said = agent.stop().stderr;
    books.enter(reader.read_all());
    books.assert_exact(writer.written);
    assert_no_loss(&said);
}

#[test]
fn room_is_filled_in_place_and_cut_at_the_end() {
    fill(1 << 20, 300);
}

#[test]
fn room_is_made_in_small_steps() {
    fill(4096, 600);
}

#[test]
fn there_is_more_room_than_a_read() {
    fill(5_000_000, 20_000);
}

/// What is there is complete, so the agent says so; a line that is not, it does not send.
#[test]
fn what_is_shipped_is_said() {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow("app.log", json!({}))]);
    let writer = Writer::open(shop.log("app.log"), 1 << 20);
    writer.file.write_all_at(b"one\ntwo\nthr", 0).unwrap();
    let agent = shop.run_started(&configuration);
    assert!(comes_true(PATIENCE, || shop.shipped() == sorted(&["one\n", "two\n"])), "{}", agent.stderr());
    let state = || status(&shop, &configuration).1["flows"][0]["files"][0]["state"].clone();
    assert!(comes_true(PATIENCE, || state() == "open_line"), "{}", status(&shop, &configuration).1);
    writer.file.write_all_at(b"ee\n", 11).unwrap();
    assert!(comes_true(PATIENCE, || shop.shipped().len() == 3), "{}", agent.stderr());
    assert!(comes_true(PATIENCE, || state() == "idle"), "{}", status(&shop, &configuration).1);
    let log = shop.log("app.log");
    let arguments = ["shipped", "--wait", "10", "-c", configuration.to_str().unwrap(), log.to_str().unwrap()];
    assert_eq!(shop.start(&arguments).finish(PATIENCE).code, Some(0));
    agent.stop();
}

#[test]
fn rotated_with_room_left_while_the_agent_runs_and_while_it_does_not() {
    for pattern in ["app.log", "app.log*"] {
        let shop = Workshop::new();
        let configuration = shop.configure(&[shop.flow(pattern, json!({}))]);
        let mut writer = Writer::open(shop.log("app.log"), 300_000);
        let (mut reader, mut books) = (shop.reader(), Books::default());
        for round in 0..3 {
            let agent = shop.run_started(&configuration);
            writer.write_slowly(100);
            writer.rotate(&format!("app.log.{round}1"));
            writer.write_slowly(100);
            books.await_lines(writer.written, PATIENCE, || reader.read_all());
            let said = agent.stop().stderr;
            assert_no_loss(&said);
            writer.write_lines(100);
            writer.rotate(&format!("app.log.{round}2"));
            compress(&shop.log(&format!("app.log.{round}2")));
            writer.write_lines(100);
        }
        shop.once(&configuration);
        books.enter(reader.read_all());
        books.assert_exact(writer.written);
    }
}

/// From the end: behind the last line, not behind the room.
#[test]
fn the_end_of_a_file_is_where_its_room_begins() {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow("app.log", json!({ "initialPosition": "END_OF_FILE" }))]);
    let writer = Writer::open(shop.log("app.log"), 3 << 20);
    writer.file.write_all_at(b"old\nopen", 0).unwrap();
    let agent = shop.run_started(&configuration);
    writer.file.write_all_at(b"ed\nnew\n", 8).unwrap();
    assert!(comes_true(PATIENCE, || shop.shipped() == sorted(&["opened\n", "new\n"])), "{}", agent.stderr());
    agent.stop();
}

fn once(content: &[u8]) -> Vec<Vec<u8>> {
    let shop = Workshop::new();
    shop.write("app.log", content);
    shop.once(&shop.configure(&[shop.flow("app.log", json!({}))]));
    shop.reader().read_all().into_iter().map(Vec::from).collect()
}

/// NULs before other bytes are data, as in the Java agent, at the very beginning, too.
#[test]
fn nuls_within_the_text_are_data() {
    let mut records = once(b"\0\0first\na\0b\0\0\nc\0\n\0\n\0\0\0");
    records.sort();
    assert_eq!(records, [&b"\0\0first\n"[..], b"\0\n", b"a\0b\0\0\n", b"c\0\n"]);
    assert_eq!(once(b"one\nunfinished\0\0\0\0"), [&b"one\n"[..], b"unfinished"]);
    let long = [&b"begin"[..], &vec![0; 700_000], b"end\n"].concat();
    let mut records = once(&[b"before\n", &long[..], b"after\n"].concat());
    records.sort();
    assert!(records == [b"after\n".to_vec(), b"before\n".to_vec(), long]);
}

/// NULs that are data arrive from a file that is new to a running agent.
#[test]
fn a_new_file_that_begins_with_nuls() {
    let shop = Workshop::new();
    let agent = shop.run_started(&shop.configure(&[shop.flow("*.log", json!({}))]));
    write_new(&shop.log("new.log"), b"\0\0\0one\ntwo\n");
    assert!(
        comes_true(PATIENCE, || shop.shipped() == sorted(&["\0\0\0one\n", "two\n"])),
        "{}",
        agent.stderr()
    );
    agent.stop();
}

fn write_new(path: &Path, content: &[u8]) {
    let file = OpenOptions::new().write(true).create_new(true).open(path).unwrap();
    file.write_all_at(content, 0).unwrap();
}
