//! The store against whatever happens to its file.
//!
//! Invariant tested: what a save left is there, whole, or nothing of it.

#![expect(clippy::disallowed_methods, reason = "these tests break the files of the store")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use super::*;
use crate::checkpoint::{Fingerprint, Print};
use crate::types::{Node, Origin};

fn checkpoint(file: u32, path: &[u8], offset: u64) -> FileCheckpoint {
    FileCheckpoint {
        file: FileId(file),
        path: PathBuf::from(OsStr::from_bytes(path)),
        former_paths: ["/log/a", "/log/b\u{e9}\n"]
            .iter()
            .take(file as usize % 3)
            .map(PathBuf::from)
            .collect(),
        node: Node { device: u64::MAX, inode: u64::from(file), birth: u64::MAX },
        fingerprint: Fingerprint {
            offset,
            head: Print::of(b"head"),
            marker: Print::of(if offset < 6 { b"" } else { b"marker" }),
        },
        is_finished: file == 2,
        origin: (file != 2).then_some(Origin(u64::from(file) << 60)),
    }
}

fn save(saved: Vec<FileCheckpoint>) -> FlowSave {
    FlowSave { flow: "flow".to_owned(), saved, ..FlowSave::default() }
}

fn scratch() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let path = directory.path().join("checkpoints.db");
    (directory, path)
}

#[test]
fn what_was_saved_is_loaded_after_reopening() {
    let (_directory, path) = scratch();
    let saved = vec![checkpoint(1, b"/log/a", 1 << 40), checkpoint(2, b"/log/\xFF", 0)];
    {
        let mut store = CheckpointStore::open(&path, false).expect("opens");
        assert_eq!(store.load("flow"), (Vec::new(), false));
        store.save(&[save(saved.clone())]).expect("saves");
        store.save(&[save(vec![checkpoint(3, b"/log/b", 5)])]).expect("saves");
        store.save(&[FlowSave { forgotten: vec![FileId(3)], ..save(Vec::new()) }]).expect("saves");
        assert_eq!(store.load("flow"), (saved.clone(), true), "the image is what the file holds");
    }
    assert_eq!(
        read(&path).expect("is read without an agent")["flow"].values().cloned().collect::<Vec<_>>(),
        saved
    );
    let store = CheckpointStore::open(&path, true).expect("opens again");
    assert_eq!(store.load("flow"), (saved, true));
    assert_eq!(store.load("other"), (Vec::new(), false));
}

#[test]
fn a_second_agent_is_refused() {
    let (_directory, path) = scratch();
    let _first = CheckpointStore::open(&path, false).expect("opens");
    assert!(matches!(CheckpointStore::open(&path, false), Err(StoreError::InUse { .. })));
    assert!(matches!(read(&path), Err(StoreError::InUse { .. })));
}

/// A power cut leaves a beginning of the log that was being written, and whatever behind it: every such state opens,
/// and holds what some save left; never less than the last save that lies within the beginning.
#[test]
fn a_log_cut_anywhere_holds_what_was_saved_before_the_cut() {
    let (directory, path) = scratch();
    let log = directory.path().join("checkpoints.db-wal");
    let mut store = CheckpointStore::open(&path, false).expect("opens");
    let length = || fs::metadata(&log).expect("there is a log").len();
    // Before each length: how far the files were.
    let mut saves = vec![(length(), 0)];
    for number in 1..=12 {
        let files = (0..20).map(|file| checkpoint(file, b"/log/a", 1000 * number + 6)).collect();
        store.save(&[save(files)]).expect("saves");
        saves.push((length(), 1000 * number + 6));
    }
    let (main, whole) = (fs::read(&path).expect("reads"), fs::read(&log).expect("reads"));
    let last = whole.len();
    let frames = saves.iter().flat_map(|(length, _)| [*length as usize - 1, *length as usize]);
    for cut in (0..last).step_by(997).chain(frames).chain([last]) {
        for torn in [&b""[..], &[0; 5000][..], &[0xA5; 5000][..]] {
            let (_other, copy) = scratch();
            fs::write(&copy, &main).expect("writes");
            fs::write(copy.with_file_name("checkpoints.db-wal"), [&whole[..cut], torn].concat())
                .expect("writes");
            let store = CheckpointStore::open(&copy, false).expect("a cut log is no damage");
            let offsets: Vec<_> = store.load("flow").0.iter().map(|saved| saved.fingerprint.offset).collect();
            let offset = offsets.first().copied().unwrap_or(0);
            assert!(offsets.iter().all(|other| *other == offset), "{cut}: all files of a save, or none");
            let expected =
                saves.iter().rev().find(|(length, _)| *length <= cut as u64).map_or(0, |save| save.1);
            assert_eq!(offset, expected, "cut at {cut} of {last}");
        }
    }
}

#[test]
fn a_full_disk_keeps_what_was_saved_and_goes_on_when_there_is_room() {
    let (_directory, path) = scratch();
    let mut store = CheckpointStore::open(&path, false).expect("opens");
    let files = |numbers: std::ops::Range<u32>, offset| {
        save(numbers.map(|number| checkpoint(number, &[b'x'; 200], offset)).collect())
    };
    store.save(&[files(0..10, 100)]).expect("saves");
    let limit = |store: &CheckpointStore, pages: i64| {
        let set = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
        store.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], set).expect("is set")
    };
    let pages = limit(&store, 1);
    for _ in 0..3 {
        let full = store.save(&[files(0..500, 200)]).expect_err("there is no room");
        assert!(matches!(full, StoreError::Sqlite { .. }) && !full.is_damage(), "{full}");
        assert_eq!(store.load("flow").0.len(), 10, "nothing was half saved");
    }
    store.save(&[files(0..10, 150)]).expect("what needs no room is saved");
    limit(&store, pages + 1000);
    store.save(&[files(0..500, 200)]).expect("there is room again");
    drop(store);
    let loaded = CheckpointStore::open(&path, false).expect("opens again").load("flow").0;
    assert!(loaded.len() == 500 && loaded.iter().all(|saved| saved.fingerprint.offset == 200));
}

#[test]
fn the_tables_of_version_1_go_on() {
    let (_directory, path) = scratch();
    let mut expected = checkpoint(4, b"/log/a", 77);
    {
        let mut store = CheckpointStore::open(&path, false).expect("opens");
        store.save(&[save(vec![expected.clone()])]).expect("saves");
        let back = "ALTER TABLE checkpoints RENAME TO file_checkpoints;
                    ALTER TABLE file_checkpoints DROP COLUMN finished;
                    ALTER TABLE file_checkpoints DROP COLUMN origin;
                    ALTER TABLE file_checkpoints DROP COLUMN former_paths;
                    ALTER TABLE file_checkpoints DROP COLUMN birth; PRAGMA user_version = 1;";
        store.connection.execute_batch(back).expect("is as it was");
    }
    (expected.node.birth, expected.origin, expected.former_paths) = (0, None, Vec::new());
    assert_eq!(
        CheckpointStore::open(&path, false).expect("opens").load("flow"),
        (vec![expected.clone()], true)
    );
    assert_eq!(CheckpointStore::open(&path, false).expect("opens").load("flow"), (vec![expected], true));
}

#[test]
fn the_tables_of_version_2_go_on_and_their_files_have_no_origin_yet() {
    let back = "ALTER TABLE checkpoints DROP COLUMN origin; ALTER TABLE checkpoints DROP COLUMN former_paths;
                PRAGMA user_version = 2;";
    go_on_from(back, |saved| (saved.origin, saved.former_paths) = (None, Vec::new()));
}

#[test]
fn the_tables_of_version_3_go_on_and_their_files_have_no_former_paths() {
    let back = "ALTER TABLE checkpoints DROP COLUMN former_paths; PRAGMA user_version = 3;";
    go_on_from(back, |saved| saved.former_paths = Vec::new());
}

/// `back` makes older tables of ours, which lack what `lose` takes away.
fn go_on_from(back: &str, lose: impl Fn(&mut FileCheckpoint)) {
    for (damage, is_lost) in
        [("", false), ("UPDATE checkpoints SET head_length = 5000 WHERE file = 4;", true)]
    {
        let (_directory, path) = scratch();
        let mut saved = vec![checkpoint(4, b"/log/a", 77), checkpoint(5, b"/log/b", 78)];
        {
            let mut store = CheckpointStore::open(&path, false).expect("opens");
            store.save(&[save(saved.clone())]).expect("saves");
            store.connection.execute_batch(&format!("{back}{damage}")).expect("is as it was");
        }
        saved.iter_mut().for_each(&lose);
        if is_lost {
            assert!(CheckpointStore::open(&path, true).expect_err("a row is damaged").is_damage());
            let salvaged = salvage(&path)["flow"].values().cloned().collect::<Vec<_>>();
            assert_eq!(salvaged, saved[1..]);
            continue;
        }
        for _ in 0..2 {
            let loaded = CheckpointStore::open(&path, true).expect("opens").load("flow");
            assert_eq!(loaded, (saved.clone(), true));
        }
    }
}

#[test]
fn databases_of_others_are_left_alone() {
    let (_directory, path) = scratch();
    for made in ["CREATE TABLE orders (id)", "CREATE TABLE orders (id); PRAGMA user_version = 2"] {
        let _ = fs::remove_file(&path);
        Connection::open(&path).and_then(|other| other.execute_batch(made)).expect("is made");
        let refused = CheckpointStore::open(&path, false).expect_err("it is another program's");
        assert!(matches!(&refused, StoreError::Foreign { table, .. } if table == "orders"), "{refused}");
    }
}

#[test]
fn rows_that_make_no_sense_are_damage() {
    for change in [
        "UPDATE checkpoints SET marker_length = 200",
        "UPDATE checkpoints SET head_length = 5000",
        "UPDATE checkpoints SET acknowledged_offset = -1",
        "UPDATE checkpoints SET file = 4294967295",
        "UPDATE checkpoints SET head_md5 = x'00'",
        "ALTER TABLE checkpoints DROP COLUMN inode",
        "DROP TABLE checkpoints",
        "UPDATE checkpoints SET origin = 'here'",
        "PRAGMA user_version = 5",
        "PRAGMA user_version = 0",
    ] {
        let (_directory, path) = scratch();
        {
            let mut store = CheckpointStore::open(&path, false).expect("opens");
            store.save(&[save(vec![checkpoint(1, b"/log/a", 50)])]).expect("saves");
            store.connection.execute_batch(change).expect("is changed");
        }
        let found = CheckpointStore::open(&path, false).expect_err(change);
        assert!(found.is_damage(), "{change}: {found}");
    }
}

#[test]
fn the_java_agents_table_stays_as_it_is() {
    let (_directory, path) = scratch();
    let java = "CREATE TABLE FILE_CHECKPOINTS(flow text, path text, fileId text, lastModifiedTime bigint, size bigint,
                offset bigint, lastUpdated datetime, primary key (flow, path));
                INSERT INTO FILE_CHECKPOINTS VALUES
                ('kinesis:s:/log/a', '/log/a', '(dev=fe00,ino=5)', 1700000000123, 900, 800, '2026-11-21 10:00:00.000')";
    Connection::open(&path).and_then(|java_agent| java_agent.execute_batch(java)).expect("is made");
    let expected = JavaCheckpoint {
        flow: "kinesis:s:/log/a".into(),
        path: "/log/a".into(),
        node: Some(Node { device: 0xfe00, inode: 5, birth: 0 }),
        modified_ms: 1_700_000_000_123,
        size: 900,
        offset: 800,
        updated: "2026-11-21 10:00:00.000".into(),
    };
    assert_eq!(read_java_database(&path, false).expect("reads"), Some(vec![expected.clone()]));
    for _ in 0..2 {
        let mut store = CheckpointStore::open(&path, false).expect("opens beside the Java agent's table");
        store.save(&[save(vec![checkpoint(1, b"/log/a", 50)])]).expect("saves");
        assert_eq!(store.java_checkpoints().expect("reads"), std::slice::from_ref(&expected));
    }
    assert_eq!(read_java_database(&path, false).expect("reads"), Some(vec![expected]));
}
