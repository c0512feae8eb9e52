//! One generation under way, read piece by piece.

use super::*;
use crate::checkpoint::MARKER_BYTES;
use crate::core::splitter::{Excess, SplitRules};
use std::sync::Arc;

fn file() -> TrackedFile {
    let node = Node { device: 1, inode: 2, birth: 3 };
    let nothing = (Vec::new(), Vec::new());
    let rules = Arc::new(SplitRules { max_bytes: 1 << 20, start_pattern: None, excess: Excess::PassedOver });
    TrackedFile::new(FileId(1), "/log/a".into(), node, Fingerprint::default(), nothing, Splitter::new(rules))
}

/// Reads `content` from where the file stands.
fn read(file: &mut TrackedFile, content: &[u8]) -> bool {
    let start = (file.fetched() as usize).saturating_sub(file.overlap()).min(content.len());
    file.take_in(&mut content[start..].to_vec())
}

fn cut(file: &mut TrackedFile) -> usize {
    let mut records = 0;
    loop {
        let split = file.split();
        let Split::Record(length) = split else { break };
        file.take(split, length);
        file.ledger.open(file.cut());
        records += 1;
    }
    file.set_landmark();
    records
}

#[test]
fn checkpoints_follow_the_acknowledgements() {
    let mut file = file();
    let content = b"one\ntwo\nthr";
    assert!(read(&mut file, content));
    assert_eq!(cut(&mut file), 2);
    assert_eq!(file.checkpoint().map(|saved| saved.fingerprint.offset), Some(0));
    file.ledger.close(1);
    assert_eq!(file.checkpoint(), None, "the first is not acknowledged, and nothing new is to be saved");
    file.ledger.close(0);
    let print = file.checkpoint().expect("both are acknowledged").fingerprint;
    assert_eq!((print.offset, print.marker), (8, Print::of(b"one\ntwo\n")));
    assert_eq!(print.head, Print::of(content), "everything that was read of the beginning");
    assert!(read(&mut file, b"one\ntwo\nthree\n"));
    assert_eq!(cut(&mut file), 1, "the unfinished line went on");
    assert_eq!(file.cut(), 14);
}

#[test]
fn a_file_that_changed_under_the_reader_is_seen() {
    let mut file = file();
    assert!(read(&mut file, b"one\ntwo\n"));
    assert!(!read(&mut file, b"ONE\nTWO\nand more\n"));
    assert_eq!(file.fetched(), 8, "nothing was taken in");
    assert!(read(&mut file, b"one\ntwo\nand more\n"));
}

#[test]
fn a_file_that_changed_before_it_was_read_is_seen() {
    let mut file = file();
    file.foresee(b"one\ntw");
    assert_eq!(file.checkpoint().map(|saved| saved.fingerprint.head), Some(Print::of(b"one\ntw")));
    assert!(!read(&mut file, b"other\n"));
    assert!(read(&mut file, b"one\n") && !read(&mut file, b"one\nTWO\n") && read(&mut file, b"one\ntwo\n"));
    assert_eq!(file.head().bytes()[..], b"one\ntwo\n"[..]);
}

#[test]
fn only_nuls_at_the_beginning_are_a_hole() {
    let mut file = file();
    assert!(read(&mut file, &[0; 700]));
    assert_eq!(file.hole(), 700);
    file.consume(700);
    file.release_buffer(&mut Vec::new());
    let content = [&[0; 900][..], b"one\n\0two\n"].concat();
    assert!(read(&mut file, &content));
    assert_eq!(file.hole(), 200);
    file.consume(200);
    assert_eq!((file.hole(), file.unconsumed()), (0, &b"one\n\0two\n"[..]));
    file.consume(4);
    assert_eq!(file.hole(), 0, "a NUL after the first line belongs to its line");
}

#[test]
fn the_head_stops_growing_and_the_marker_moves_on() {
    let mut file = file();
    let content: Vec<u8> = (0..3000u32).flat_map(|number| format!("{number}\n").into_bytes()).collect();
    for end in [10, 500, 2000, 9000, content.len()] {
        assert!(read(&mut file, &content[..end]));
    }
    cut(&mut file);
    let print = file.fingerprint();
    assert_eq!(print.head, Print::of(&content[..HEAD_BYTES]));
    assert_eq!(print.marker, Print::of(&content[content.len() - MARKER_BYTES..]));
    assert_eq!(file.landmarks.back().map(|landmark| landmark.marker), Some(print.marker));
}
