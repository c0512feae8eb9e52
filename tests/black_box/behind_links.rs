//! Logs that the pattern finds through symbolic links, as container runtimes and deployments lay them out, rotated where
//! they really are: every line once, found by notification. The rescan is an hour away.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::books::{Books, line};
use crate::log_writer::{LogWriter, Rotation};
use crate::patience::{PATIENCE, comes_true};
use crate::workshop::Workshop;

const ROTATIONS: u32 = 8;
const BETWEEN: Duration = Duration::from_millis(250);
const LINES: u64 = 400;

fn rarely_rescanned() -> Value {
    json!({ "maxTimeBetweenFileTrackerRefreshMillis": 3_600_000 })
}

/// Links that lead to each other, the last one to the file itself; answers where that is. The kubelet makes such chains.
fn link_to(shop: &Workshop, log: &str, hops: &[&str]) -> PathBuf {
    let mut link = shop.log(log);
    for hop in hops {
        let to = shop.root().join(hop);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        symlink(&to, &link).unwrap();
        link = to;
    }
    link
}

fn follow(pattern: &str, hops: &[&str], rotation: Rotation) {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow(pattern, rarely_rescanned())]);
    let mut writer = LogWriter::open(link_to(&shop, "app.log", hops));
    let agent = shop.run_started(&configuration);
    for _ in 0..ROTATIONS {
        writer.write_for(BETWEEN);
        writer.rotate(rotation);
    }
    writer.write_for(BETWEEN);
    let (mut reader, mut books) = (shop.reader(), Books::default());
    books.await_lines(writer.written, PATIENCE, || reader.read_all());
    let said = agent.stop().stderr;
    books.enter(reader.read_all());
    if !books.missing(writer.written).is_empty() || books.doubled() > 0 {
        eprintln!("{pattern} {hops:?} {rotation:?}:\n{said}");
    }
    books.assert_exact(writer.written);
}

#[test]
fn a_target_that_is_renamed_and_made_anew() {
    follow("*.log", &["pods/web/0.log"], Rotation::Rename);
    follow("app.log", &["pods/web/0.log", "docker/1-json.log"], Rotation::DateName);
}

#[test]
fn a_target_that_is_renamed_and_compressed_at_once() {
    follow("*.log", &["pods/web/0.log"], Rotation::RenameAndCompress);
    follow("app.log", &["pods/web/0.log"], Rotation::RenameAndCompress);
}

#[test]
fn a_target_that_is_copied_and_truncated() {
    follow("*.log", &["pods/web/0.log", "docker/1-json.log"], Rotation::CopyTruncate);
    follow("app.log", &["pods/web/0.log"], Rotation::CopyTruncateAndCompress);
}

/// The target lies beside the link, and its generations have nothing of the link's name.
#[test]
fn a_target_in_the_same_directory() {
    follow("app.log", &["logs/current"], Rotation::Rename);
}

/// Generations that come and go between two starts are found where the target is, and those that were there before the
/// first one are not read.
#[test]
fn rotated_while_the_agent_is_stopped() {
    for (pattern, rotation) in [
        ("*.log", Rotation::Rename),
        ("app.log", Rotation::RenameAndCompress),
        ("*.log", Rotation::CopyTruncate),
    ] {
        let shop = Workshop::new();
        let configuration = shop.configure(&[shop.flow(pattern, rarely_rescanned())]);
        let target = link_to(&shop, "app.log", &["pods/web/0.log"]);
        fs::write(target.with_file_name("0.log.7"), "older than the agent\n").unwrap();
        let mut writer = LogWriter::open(target);
        let (mut reader, mut books) = (shop.reader(), Books::default());
        writer.write_lines(LINES);
        let agent = shop.run_started(&configuration);
        books.await_lines(writer.written, PATIENCE, || reader.read_all());
        agent.stop();
        writer.write_lines(LINES);
        for _ in 0..3 {
            writer.rotate(rotation);
            writer.write_lines(LINES);
        }
        let agent = shop.run_started(&configuration);
        books.await_lines(writer.written, PATIENCE, || reader.read_all());
        agent.stop();
        books.enter(reader.read_all());
        books.assert_exact(writer.written);
    }
}

fn await_lines(shop: &Workshop, lines: u64) -> bool {
    comes_true(PATIENCE, || shop.shipped().len() as u64 >= lines)
}

/// First the link, then the directory that it leads to, then the file.
#[test]
fn a_target_that_comes_later() {
    let shop = Workshop::new();
    symlink(shop.root().join("pods/web/0.log"), shop.log("app.log")).unwrap();
    let agent = shop.run_started(&shop.configure(&[shop.flow("*.log", rarely_rescanned())]));
    fs::create_dir_all(shop.root().join("pods/web")).unwrap();
    std::thread::sleep(BETWEEN);
    fs::write(shop.root().join("pods/web/0.log"), line(0)).unwrap();
    assert!(await_lines(&shop, 1), "{}", agent.stderr());
    agent.stop();
}

fn repoint(link: &Path, to: &Path) {
    let anew = link.with_extension("anew");
    symlink(to, &anew).unwrap();
    fs::rename(anew, link).unwrap();
}

/// A deployment: the directory of the pattern is a link, which leads elsewhere from then on; and a link on the way to it.
#[test]
fn a_directory_that_is_a_link() {
    let shop = Workshop::new();
    let release = |number: u32| shop.root().join(format!("releases/{number}"));
    (1..=3).for_each(|number| fs::create_dir_all(release(number).join("log")).unwrap());
    repoint(&shop.root().join("live"), &release(1));
    repoint(&shop.root().join("current"), Path::new("live"));
    let mut flow = shop.flow("", rarely_rescanned());
    flow["filePattern"] = json!(shop.root().join("current/log/*.log"));
    let agent = shop.run_started(&shop.configure(&[flow]));
    let write = |number: u32| {
        fs::write(release(number).join("log/app.log"), line(number.into())).unwrap();
    };
    write(1);
    assert!(await_lines(&shop, 1), "{}", agent.stderr());
    repoint(&shop.root().join("live"), &release(2));
    write(2);
    assert!(await_lines(&shop, 2), "{}", agent.stderr());
    repoint(&shop.root().join("current"), &release(3));
    write(3);
    assert!(await_lines(&shop, 3), "{}", agent.stderr());
    agent.stop();
}
