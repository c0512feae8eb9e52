//! Tables, and every way of reading a file in chunks against a model that sees it whole.

use std::sync::Arc;

use proptest::prelude::*;

use super::{Excess, Split, SplitRules, Splitter, Tail, Unit};
use crate::config::java_pattern::compile_line_start;

/// What became of the bytes: `R`ecord, `P`art, `L`ast part, `O`versized, passed over (`.`).
type Cut = (char, Vec<u8>);

fn rules(max_bytes: usize, start_pattern: Option<&str>, excess: Excess) -> Arc<SplitRules> {
    let start_pattern = start_pattern.map(|pattern| compile_line_start(pattern).unwrap());
    Arc::new(SplitRules { max_bytes, start_pattern, excess })
}

/// Takes everything that the buffer gives.
fn drain(splitter: &mut Splitter, buffer: &mut Vec<u8>, tail: Tail, cuts: &mut Vec<Cut>) {
    loop {
        let split = splitter.split(buffer, tail, Unit::Record);
        assert_eq!(splitter.split(buffer, tail, Unit::Record), split, "asked twice");
        let (kind, length) = match split {
            Split::Incomplete => return,
            Split::Record(length) => ('R', length),
            Split::Part(length) => ('P', length),
            Split::LastPart(length) => ('L', length),
            Split::Oversized(length) => ('O', length),
            Split::PassOver(length) => ('.', length),
        };
        assert!(length > 0, "no progress");
        splitter.taken(split, &buffer[..length]);
        cuts.push((kind, buffer.drain(..length).collect()));
    }
}

/// Reads `content` in chunks of these sizes.
fn split_all(rules: &Arc<SplitRules>, content: &[u8], chunks: &[usize]) -> Vec<Cut> {
    let mut splitter = Splitter::new(Arc::clone(rules));
    let (mut cuts, mut buffer, mut read) = (Vec::new(), Vec::new(), 0);
    for chunk in chunks {
        let end = content.len().min(read + chunk);
        buffer.extend_from_slice(&content[read..end]);
        read = end;
        drain(&mut splitter, &mut buffer, Tail::Growing, &mut cuts);
        let most = if rules.start_pattern.is_some() { 2 } else { 1 } * rules.max_bytes;
        assert!(buffer.len() <= most, "{} bytes are held", buffer.len());
    }
    buffer.extend_from_slice(&content[read..]);
    drain(&mut splitter, &mut buffer, Tail::Over, &mut cuts);
    assert_eq!(buffer, b"", "everything is covered");
    cuts
}

/// Passed-over bytes as one, because their cuts follow the chunks.
fn merged(cuts: Vec<Cut>) -> Vec<Cut> {
    let mut merged: Vec<Cut> = Vec::new();
    for (kind, bytes) in cuts {
        match merged.last_mut() {
            Some(('.', last)) if kind == '.' && !last.ends_with(b"\n") => last.extend(bytes),
            _ => merged.push((kind, bytes)),
        }
    }
    merged
}

fn table(rules: &Arc<SplitRules>, rows: &[(&str, &str)]) {
    for (content, expected) in rows {
        let expected: Vec<Cut> = expected
            .split('|')
            .filter(|cut| !cut.is_empty())
            .map(|cut| (cut.chars().next().unwrap(), cut.as_bytes()[1..].to_vec()))
            .collect();
        for chunk in [1, 2, 3, 7, 100] {
            let chunks = vec![chunk; content.len() / chunk];
            assert_eq!(merged(split_all(rules, content.as_bytes(), &chunks)), expected, "{content:?}");
        }
    }
}

#[test]
fn lines() {
    table(
        &rules(10, None, Excess::PassedOver),
        &[
            ("", ""),
            ("one\r\n\ntwo", "Rone\r\n|R\n|Rtwo"),
            ("123456789\n1234567890", "R123456789\n|R1234567890"),
            ("1234567890\nnext\n", "O1234567890|.\n|Rnext\n"),
            ("1234567890abc\n\nnext", "O1234567890|.abc\n|R\n|Rnext"),
            ("1234567890abc", "O1234567890|.abc"),
        ],
    );
}

#[test]
fn lines_in_parts() {
    table(
        &rules(10, None, Excess::InParts),
        &[
            ("one\n1234567890", "Rone\n|R1234567890"),
            ("1234567890\nnext\n", "P1234567890|L\n|Rnext\n"),
            ("1234567890abcdefghijxyz\nnext", "P1234567890|Pabcdefghij|Lxyz\n|Rnext"),
            ("123456789é123\n", "P123456789|Lé123\n"),
            ("1234567😀x\n\n", "P1234567|L😀x\n|R\n"),
        ],
    );
}

#[test]
fn records_of_several_lines() {
    table(
        &rules(20, Some("E"), Excess::PassedOver),
        &[
            ("E1\n at x\n at y\nE2\nE3", "RE1\n at x\n at y\n|RE2\n|RE3"),
            ("junk\nmore\nE1\n", "Rjunk\nmore\n|RE1\n"),
            ("E1\n at x", "RE1\n at x"),
            // Ends at the last newline within the limit.
            ("E1\n at x\n at y\n at z\n at q\nE2\n", "RE1\n at x\n at y\n|R at z\n at q\n|RE2\n"),
            // A line over the limit is a record, whatever it begins with.
            ("E1\n 123456789012345678901\nE2\n", "RE1\n|O 1234567890123456789|.01\n|RE2\n"),
            // A record as long as the limit is one, and what follows is looked at.
            ("E1\n 123456789012345\nE2 123456789012345\n", "RE1\n 123456789012345\n|RE2 123456789012345\n"),
        ],
    );
}

#[test]
fn records_of_several_lines_in_parts() {
    table(
        &rules(20, Some(r"\[\d+\]$"), Excess::InParts),
        &[
            ("[1]\n at x\n[2]x\n[3]\n", "R[1]\n at x\n[2]x\n|R[3]\n"),
            ("[1]\n at x\n at y\n at z\n at q\n[2]", "P[1]\n at x\n at y\n|L at z\n at q\n|R[2]"),
        ],
    );
}

#[test]
fn only_a_quiet_file_completes_a_record_of_several_lines() {
    let mut splitter = Splitter::new(rules(100, Some("E"), Excess::PassedOver));
    let mut ask = |buffer: &[u8], tail| splitter.split(buffer, tail, Unit::Record);
    assert_eq!(ask(b"E1\n", Tail::Growing), Split::Incomplete);
    assert_eq!(ask(b"E1\n at", Tail::Quiet), Split::Incomplete, "an unfinished line holds the record back");
    assert_eq!(ask(b"E1\n at x\n", Tail::Growing), Split::Incomplete);
    assert_eq!(ask(b"E1\n at x\n", Tail::Quiet), Split::Record(9));
    assert_eq!(ask(b"E1\n at x\nE2", Tail::Growing), Split::Incomplete, "it is not known yet how it goes on");
    assert_eq!(ask(b"E1\n at x\nE2", Tail::Quiet), Split::Incomplete, "nor whether it begins another");
    assert_eq!(ask(b"E1\n at x\nE2\n", Tail::Growing), Split::Record(9));
    splitter.taken(Split::Record(9), b"E1\n at x\n");
    assert!(!splitter.awaits_quiet());
    assert_eq!(splitter.split(b"E2", Tail::Growing, Unit::Record), Split::Incomplete);
    assert!(!splitter.awaits_quiet(), "there is no whole line");
    assert_eq!(splitter.split(b"E2\n", Tail::Growing, Unit::Record), Split::Incomplete);
    assert!(splitter.awaits_quiet());
}

/// What a pattern says of the beginning of a line it may not say of the whole.
#[test]
fn an_unfinished_line_decides_nothing() {
    let text = "a three\n two\n";
    for (pattern, begun, rest, begins_another) in [
        (r"\w three$", "c three", " more\n", false),
        (r"\w three$", "c thr", "ee\n", true),
        (r"\w+\b", "c", "!\n", true),
        (r"[^ ]{1,7}$", "c-three", " more\n", false),
        ("E", "E", "2\n", true),
    ] {
        let mut splitter = Splitter::new(rules(100, Some(pattern), Excess::PassedOver));
        let unfinished = format!("{text}{begun}");
        for tail in [Tail::Growing, Tail::Quiet, Tail::Growing] {
            let split = splitter.split(unfinished.as_bytes(), tail, Unit::Record);
            assert_eq!(split, Split::Incomplete, "{pattern} {unfinished:?} {tail:?}");
        }
        let whole = format!("{text}{begun}{rest}");
        let expected = if begins_another { text.len() } else { whole.len() };
        let split = splitter.split(whole.as_bytes(), Tail::Quiet, Unit::Record);
        assert_eq!(split, Split::Record(expected), "{pattern} {whole:?}");
    }
}

#[test]
fn an_end_that_was_none_is_forgotten() {
    let mut splitter = Splitter::new(rules(100, Some("E"), Excess::PassedOver));
    assert_eq!(splitter.split(b"E1\n a", Tail::Over, Unit::Record), Split::Record(5));
    assert_eq!(splitter.split(b"E1\n aE\nE2\n", Tail::Growing, Unit::Record), Split::Record(7));
}

#[test]
fn header_lines_are_lines_under_any_rules() {
    for excess in [Excess::PassedOver, Excess::InParts] {
        let mut splitter = Splitter::new(rules(5, Some("E"), excess));
        assert_eq!(splitter.split(b"a\nb\n", Tail::Growing, Unit::HeaderLine), Split::Record(2));
        assert_eq!(splitter.split(b"abcdefg\n", Tail::Growing, Unit::HeaderLine), Split::Oversized(5));
        splitter.taken(Split::Oversized(5), b"abcde");
        assert!(!splitter.is_between_records());
        assert_eq!(splitter.split(b"fg\nE\n", Tail::Growing, Unit::HeaderLine), Split::PassOver(3));
    }
}

/// What the cuts of `content` are, said the slow way. `is_start` tells whether a line begins a record.
fn model(content: &[u8], max: usize, excess: Excess, is_start: impl Fn(&[u8]) -> bool) -> Vec<Cut> {
    let mut cuts: Vec<Cut> = Vec::new();
    let mut record: Vec<u8> = Vec::new();
    let mut in_parts = false;
    let close = |cuts: &mut Vec<Cut>, record: &mut Vec<u8>, in_parts: &mut bool| {
        if !record.is_empty() {
            let kind = if std::mem::take(in_parts) { 'L' } else { 'R' };
            cuts.push((kind, std::mem::take(record)));
        }
    };
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        if line.len() > max || is_start(line) {
            close(&mut cuts, &mut record, &mut in_parts);
        }
        if record.len() + line.len() > max && !record.is_empty() {
            match excess {
                Excess::PassedOver => close(&mut cuts, &mut record, &mut in_parts),
                Excess::InParts => {
                    cuts.push(('P', std::mem::take(&mut record)));
                    in_parts = true;
                }
            }
        }
        record.extend_from_slice(line);
        while record.len() > max {
            match excess {
                Excess::PassedOver => {
                    cuts.push(('O', record[..max].to_vec()));
                    cuts.push(('.', record[max..].to_vec()));
                    record.clear();
                }
                Excess::InParts => {
                    cuts.push(('P', record.drain(..max).collect()));
                    in_parts = true;
                }
            }
        }
    }
    close(&mut cuts, &mut record, &mut in_parts);
    cuts
}

fn content() -> impl Strategy<Value = Vec<u8>> {
    let byte =
        prop_oneof![2 => Just(b'\n'), 3 => Just(b'a'), 1 => Just(b'E'), 1 => 0..128u8, 1 => Just(0xff)];
    proptest::collection::vec(byte, 0..400)
}

proptest! {
    #[test]
    fn chunks_do_not_matter(
        content in content(),
        chunks in proptest::collection::vec(0..40usize, 0..30),
        max_bytes in 1..30usize,
        is_multi_line: bool,
        is_in_parts: bool,
    ) {
        let excess = if is_in_parts { Excess::InParts } else { Excess::PassedOver };
        let rules = rules(max_bytes, is_multi_line.then_some("E"), excess);
        let cuts = merged(split_all(&rules, &content, &chunks));
        prop_assert_eq!(cuts.iter().flat_map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>(), content.clone());
        let is_start = |line: &[u8]| !is_multi_line || line.starts_with(b"E");
        prop_assert_eq!(cuts, merged(model(&content, max_bytes, excess, is_start)));
    }

    #[test]
    fn characters_are_not_cut(text in "[aé€😀\n]{0,200}", max_bytes in 4..20usize, chunk in 1..40usize) {
        let rules = rules(max_bytes, None, Excess::InParts);
        let cuts = split_all(&rules, text.as_bytes(), &vec![chunk; text.len() / chunk]);
        for (_, bytes) in &cuts {
            prop_assert!(std::str::from_utf8(bytes).is_ok(), "{bytes:?}");
        }
        let joined: Vec<u8> = cuts.into_iter().flat_map(|(_, bytes)| bytes).collect();
        prop_assert_eq!(joined, text.into_bytes());
    }
}
