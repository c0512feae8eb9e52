//! The state against whatever becomes of its files.
//!
//! Invariant tested: the agent starts, and no file is skipped.

#![expect(clippy::disallowed_methods, reason = "these tests break the files of the state")]

use std::fs;

use super::*;
use crate::checkpoint::{FileCheckpoint, Fingerprint, Print};
use crate::checkpoint_saver::CheckpointSaver;
use crate::checkpoint_store::FlowSave;
use crate::clock::Clock;
use crate::types::{FileId, Node};

const FILES: u32 = 300;

/// Does something to the bytes of a file.
type Damage = Box<dyn Fn(&mut Vec<u8>)>;

fn checkpoint(file: u32) -> FileCheckpoint {
    FileCheckpoint {
        file: FileId(file),
        path: format!("/var/log/application/instance-{file}.log").into(),
        former_paths: Vec::new(),
        node: Node { device: 1, inode: u64::from(file), birth: 3 },
        fingerprint: Fingerprint { offset: 0, head: Print::of(b"head"), marker: Print::of(b"") },
        is_finished: false,
        origin: Some(crate::types::Origin(file.into())),
    }
}

fn some(files: std::ops::Range<u32>) -> FlowSave {
    FlowSave { flow: "flow".to_owned(), saved: files.map(checkpoint).collect(), ..FlowSave::default() }
}

fn flows() -> Vec<String> {
    vec!["flow".to_owned(), "new".to_owned()]
}

/// A state directory in which an agent has been.
fn used() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let path = directory.path().join("checkpoints.db");
    let mut opened = open(&path, &flows(), 1).expect("opens");
    assert!(!opened.is_lost && !opened.store.load("flow").1, "the first start");
    opened.store.save(&[some(0..FILES)]).expect("saves");
    (directory, path)
}

fn asides(directory: &Path) -> usize {
    let names = fs::read_dir(directory).expect("lists").map(|entry| entry.expect("an entry").file_name());
    names.filter(|name| name.to_string_lossy().contains(".damaged-")).count()
}

#[test]
fn a_sound_database_is_used() {
    let (directory, path) = used();
    let opened = open(&path, &flows(), 2).expect("opens");
    assert!(!opened.is_lost);
    assert_eq!(opened.store.load("flow").0.len(), FILES as usize);
    assert_eq!((opened.store.load("new").1, asides(directory.path())), (false, 0));
}

#[test]
fn whatever_becomes_of_the_database_the_agent_starts_and_skips_nothing() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut damages: Vec<(String, Damage)> = vec![
        ("text".into(), Box::new(|bytes| *bytes = b"not a database at all\n".repeat(500))),
        ("emptied".into(), Box::new(Vec::clear)),
        ("one byte".into(), Box::new(|bytes| bytes.truncate(1))),
        ("zeroes".into(), Box::new(|bytes| bytes.fill(0))),
        ("a header only".into(), Box::new(|bytes| bytes.truncate(100))),
        ("another version".into(), Box::new(|bytes| bytes[60..64].copy_from_slice(&9u32.to_be_bytes()))),
    ];
    for _ in 0..25 {
        let (at, length, with) = (random.f64(), random.usize(1..3000), random.u8(..));
        let cut = random.f64();
        damages.push((
            format!("{length} bytes of {with} at {at}"),
            Box::new(move |bytes| {
                let start = (bytes.len() as f64 * at) as usize;
                let end = (start + length).min(bytes.len());
                bytes[start..end].fill(with);
            }),
        ));
        damages.push((
            format!("cut at {cut}"),
            Box::new(move |bytes| bytes.truncate((bytes.len() as f64 * cut) as usize)),
        ));
    }
    for (name, damage) in damages {
        let (_directory, path) = used();
        let mut bytes = fs::read(&path).expect("reads");
        damage(&mut bytes);
        fs::write(&path, &bytes).expect("writes");
        let first = open(&path, &flows(), 3).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (is_lost, files) = (first.is_lost, first.store.load("flow").0);
        // Either the damage hit nothing that means something, or it was seen.
        assert!(is_lost || files.len() == FILES as usize, "{name}: {} files", files.len());
        drop(first);
        let second = open(&path, &flows(), 4).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!second.is_lost && second.store.load("flow") == (files, true), "{name}");
        assert_eq!(second.store.load("new").1, is_lost, "{name}: no file may be skipped");
    }
}

#[test]
fn somebodys_file_is_left_alone() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let path = directory.path().join("app.log");
    fs::write(&path, "a line of somebody's log\n".repeat(100)).expect("writes");
    for _ in 0..2 {
        let refused = open(&path, &flows(), 1).expect_err("no agent has been there");
        assert!(matches!(refused, RecoveryError::Store(StoreError::NoDatabase { .. })), "{refused}");
    }
    assert_eq!(fs::read(&path).expect("reads").len(), 2500);
}

/// Most rows of a database with one bad page are saved.
#[test]
fn what_is_readable_is_salvaged() {
    let (_directory, path) = used();
    let mut bytes = fs::read(&path).expect("reads");
    let page = u16::from_be_bytes([bytes[16], bytes[17]]) as usize;
    let needle = b"instance-150.log";
    let hit =
        bytes.windows(needle.len()).position(|window| window == needle).expect("the row is in the file");
    let start = hit / page * page;
    bytes[start..start + page].fill(0xFF);
    fs::write(&path, &bytes).expect("writes");
    let opened = open(&path, &flows(), 3).expect("opens");
    let files = opened.store.load("flow").0;
    assert!(
        opened.is_lost && files.len() > FILES as usize / 2 && files.len() < FILES as usize,
        "{}",
        files.len()
    );
    assert!(files.iter().all(|file| *file == checkpoint(file.file.0)));
}

#[test]
fn a_recovery_that_was_interrupted_is_done_again() {
    let (directory, path) = used();
    // The database was set aside, and then the power went.
    fs::rename(&path, directory.path().join("checkpoints.db.damaged-5")).expect("renames");
    let opened = open(&path, &flows(), 6).expect("opens");
    assert!(opened.is_lost);
    assert_eq!(opened.store.load("flow").0.len(), FILES as usize);
    drop(opened);
    // It went again, when SQLite had just made the file.
    fs::write(&path, b"").expect("writes");
    assert_eq!(open(&path, &flows(), 7).expect("opens").store.load("flow").0.len(), 300);
}

#[test]
fn a_database_that_somebody_deleted_is_a_first_start() {
    let (_directory, path) = used();
    fs::remove_file(&path).expect("deletes");
    let opened = open(&path, &flows(), 2).expect("opens");
    assert!(!opened.is_lost && !opened.store.load("flow").1);
}

#[test]
fn a_second_agent_is_refused_even_when_the_database_is_gone() {
    let (_directory, path) = used();
    let _first = open(&path, &flows(), 2).expect("opens");
    for _ in 0..2 {
        let refused = open(&path, &flows(), 2).expect_err("it is in use");
        assert!(matches!(refused, RecoveryError::Store(StoreError::InUse { .. })), "{refused}");
        // Without it, only the lock is left to say so.
        let _ = fs::remove_file(&path);
    }
}

#[test]
fn a_database_that_breaks_or_goes_under_the_agent_is_written_anew() {
    for (name, harm) in [
        ("deleted", Box::new(|path: &Path| fs::remove_file(path).expect("deletes")) as Box<dyn Fn(&Path)>),
        (
            "replaced",
            Box::new(|path: &Path| {
                fs::write(path.with_extension("new"), b"something else").expect("writes");
                fs::rename(path.with_extension("new"), path).expect("replaces");
            }),
        ),
    ] {
        let (_directory, path) = used();
        let saver =
            CheckpointSaver::start(open(&path, &flows(), 2).expect("opens"), Clock::start()).expect("starts");
        harm(&path);
        saver.save_now(some(FILES..FILES + 1));
        assert_eq!(saver.trouble(), None, "it saves");
        saver.stop().expect("saves");
        drop(saver);
        let loaded = open(&path, &flows(), 3).expect("opens");
        assert!(!loaded.is_lost, "{name}");
        assert_eq!(loaded.store.load("flow").0.len(), FILES as usize + 1, "{name}");
    }
}
