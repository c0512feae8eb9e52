//! A flow in a made-up directory: lines are appended, the log is rotated in every way, records wait for room, the agent
//! crashes and starts again. What was delivered is held against what was written.
//!
//! One id never stands for two lines. In half of the lives, those of plain logs, every line that is delivered again has the
//! same id again. In the others there are files with holes, files that an editor replaced, copies that are seen half made
//! and files that begin alike, which may be taken for strangers.
//!
//! A failing life prints its seed; `KINESIS_AGENT_SEED` lives it again. `KINESIS_AGENT_LIVES` is how many there are.

mod shell;
mod world;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::{Flow, Sight};
use crate::core::flow::tests::shell::{Shell, config, flow};
use crate::core::flow::tests::world::LOG;
use crate::types::Node;

/// Steps of one life.
const STEPS: u32 = 400;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    WithoutCrashes,
    WithStops,
    WithCrashes,
}

fn copytruncate(shell: &mut Shell, is_down: bool) {
    let copy = shell.world.begin_copy();
    let looks = if is_down { 0 } else { shell.random.u32(..3) };
    (0..looks).for_each(|_| shell.step());
    shell.world.finish_copy(copy);
    let looks = if is_down { 0 } else { shell.random.u32(..2) };
    (0..looks).for_each(|_| shell.step());
    if shell.loses_lines && shell.random.u32(..4) == 0 {
        let lines = shell.random.u64(..30);
        shell.world.append_to_no_file(lines);
        (0..looks).for_each(|_| shell.step());
    }
    shell.world.truncate();
}

fn compress(shell: &mut Shell, is_down: bool) {
    let Some(begun) = shell.world.begin_compression() else { return };
    let looks = if is_down { 0 } else { shell.random.u32(..3) };
    (0..looks).for_each(|_| shell.step());
    shell.world.finish_compression(begun);
}

/// Nodes of the files for which something is true.
fn nodes(shell: &Shell, is: impl Fn(Node) -> bool) -> HashSet<Node> {
    shell.world.names.values().copied().filter(|node| is(*node)).collect()
}

/// One thing that happens in the directory.
fn event(shell: &mut Shell, is_down: bool) {
    let lines = shell.random.u64(..30);
    match shell.random.u32(..60) {
        0..34 => shell.world.append(lines),
        34..40 => shell.world.begin_record(),
        40..45 => shell.world.rotate_by_rename(),
        45..49 => copytruncate(shell, is_down),
        49..52 => compress(shell, is_down),
        52..54 => {
            let known = nodes(shell, |node| shell.is_known(node));
            shell.world.move_away(|node| known.contains(&node));
        }
        54..56 => {
            let done = nodes(shell, |node| shell.is_done(node));
            shell.world.delete(|node| done.contains(&node));
        }
        56 => shell.world.link(),
        // What was not read of a file without a descriptor, or before a stop, is in its replacement, too, but not known for
        // it.
        57 if shell.sees_replacements || shell.is_done(shell.live()) => shell.world.replace(),
        58 => shell.world.jump_clock(),
        _ => {}
    }
}

/// What happens between a clean stop and the next start.
fn plain_event(shell: &mut Shell) {
    let lines = shell.random.u64(..30);
    match shell.random.u32(..8) {
        0..5 => shell.world.append(lines),
        5 => shell.world.begin_record(),
        _ => shell.world.rotate_by_rename(),
    }
}

fn live(seed: u64, pattern: &str, life: Life, max_open: usize) -> Shell {
    let mut shell = Shell::new(seed, pattern);
    shell.max_open = max_open;
    shell.sees_replacements = life != Life::WithStops && max_open == usize::MAX;
    shell.loses_lines = life == Life::WithCrashes;
    shell.list();
    for _ in 0..STEPS {
        event(&mut shell, false);
        if life != Life::WithoutCrashes && shell.random.u32(..30) == 0 {
            if life == Life::WithCrashes {
                shell.crash();
            } else {
                shell.stop();
            }
            for _ in 0..shell.random.u32(..12) {
                if life == Life::WithCrashes { event(&mut shell, true) } else { plain_event(&mut shell) }
            }
            shell.list();
            shell.save();
        }
        if shell.random.u32(..3) > 0 {
            shell.step();
        }
    }
    shell.settle();
    shell
}

fn tell(shell: &Shell, line: usize) {
    println!("what happened around line {line}:");
    shell.world.around(line).iter().for_each(|(before, what)| println!("  before line {before}: {what}"));
}

/// Answers what is wrong with a life, after it has printed what happened.
fn judge(seed: u64, pattern: &str, life: Life, max_open: usize) -> Option<String> {
    let shell = live(seed, pattern, life, max_open);
    let who = format!("KINESIS_AGENT_SEED={seed} {pattern} {life:?} {max_open} open");
    let doubled = match life {
        Life::WithoutCrashes if max_open == usize::MAX => shell.doubled(),
        // A short file that was copied, compressed or replaced around the stop, or while it had no descriptor, is a
        // stranger, and read again.
        Life::WithoutCrashes | Life::WithStops => shell.doubled_in_known_files(),
        Life::WithCrashes => Vec::new(),
    };
    let (missing, mangled) = (shell.missing(), shell.mangled());
    if !mangled.is_empty() && life != Life::WithCrashes {
        let text: Vec<_> = mangled.iter().map(|line| line.replace('\0', "")).collect();
        let line = text[0].get(5..11).and_then(|number| number.parse().ok()).unwrap_or(0);
        tell(&shell, line);
        return Some(format!("{who}: mangled, NULs left out: {text:?}"));
    }
    let renamed = shell.renamed_in_known_files();
    // After a crash a known file may be taken for a stranger (A6), in one life of ten.
    let renamed = if life == Life::WithCrashes { Vec::new() } else { renamed };
    let first = missing.first().or(doubled.first()).or(renamed.first())?;
    for line in missing.iter().chain(&doubled) {
        print!("{} ", shell.number(line));
    }
    let line = shell.number(first);
    tell(&shell, line);
    let number = format!("{line:06}");
    let alike = shell.delivered.keys().filter(|delivered| delivered.contains(&number));
    println!("delivered of it: {:?}", alike.collect::<Vec<_>>());
    Some(format!(
        "{who}: missing {} {:?}, doubled {} {:?}, under several ids {}",
        missing.len(),
        &missing[..missing.len().min(3)],
        doubled.len(),
        &doubled[..doubled.len().min(3)],
        renamed.len()
    ))
}

fn lives(life: Life, max_open: usize) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("KINESIS_AGENT_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("KINESIS_AGENT_LIVES").unwrap_or(if max_open == usize::MAX { 130 } else { 40 }),
    };
    let steps = (seeds.end - seeds.start) * 2 * u64::from(STEPS);
    println!("{life:?}, {max_open} open: {steps} steps");
    let lives = seeds.flat_map(|seed| [LOG, "/log/app.log*"].map(|pattern| (seed, pattern)));
    let failed: Vec<_> = lives.filter_map(|(seed, pattern)| judge(seed, pattern, life, max_open)).collect();
    assert!(failed.is_empty(), "{} lives failed:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn rotations_lose_nothing_and_double_nothing() {
    lives(Life::WithoutCrashes, usize::MAX);
}

#[test]
fn clean_stops_lose_nothing_and_double_nothing() {
    lives(Life::WithStops, usize::MAX);
}

#[test]
fn crashes_lose_nothing() {
    lives(Life::WithCrashes, usize::MAX);
}

#[test]
fn few_descriptors_lose_nothing_and_double_no_known_file() {
    [1, 2].into_iter().for_each(|max_open| lives(Life::WithoutCrashes, max_open));
}

#[test]
fn crashes_with_few_descriptors_lose_nothing() {
    [0, 1].into_iter().for_each(|max_open| lives(Life::WithCrashes, max_open));
}

#[test]
fn header_lines_are_left_out_of_every_new_file() {
    let config = config(LOG, r#","skipHeaderLines":2,"dedupIds":"TAG""#);
    let mut shell = Shell::new(4, LOG);
    shell.flow = flow(&config, &BTreeMap::new(), &shell.statistics);
    shell.world.append(1);
    shell.list();
    shell.step();
    shell.world.append(3);
    shell.world.rotate_by_rename();
    let first = shell.world.written.len();
    shell.world.append(4);
    shell.settle();
    let delivered = |line: usize| shell.delivered.contains_key(&shell.world.written[line]);
    assert_eq!([0, 1, 2, 3].map(delivered), [false, false, true, true]);
    assert_eq!([0, 1, 2, 3].map(|line| delivered(first + line)), [false, false, true, true]);
}

#[test]
fn once_ships_what_is_there_and_is_done() {
    let config = config("/log/app.log*", r#","dedupIds":"TAG""#);
    let mut shell = Shell::new(6, "/log/app.log*");
    shell.world.append(20);
    shell.world.rotate_by_rename();
    shell.world.begin_record();
    let begun = shell.world.written.len() - 1;
    let first_part = shell.world.written[begun][..9].to_owned();
    shell.flow =
        Flow::new(config, Vec::new(), false, true, 1, Arc::clone(&shell.statistics)).expect("no converters");
    shell.list();
    for _ in 0..200 {
        shell.step();
    }
    assert!(shell.flow.is_all_cut());
    assert!(shell.delivered.contains_key(&first_part), "an unfinished last line is part of what is there");
    shell.world.append(5);
    for _ in 0..20 {
        shell.step();
    }
    assert_eq!(shell.delivered.len(), begun + 1, "what came later is left");
}

#[test]
fn two_names_of_one_file_are_one_file() {
    let mut shell = Shell::new(3, "/log/app.log*");
    let node = shell.live();
    shell.world.names.insert("/log/app.log.link".into(), node);
    shell.world.links.insert("/log/app.log.symbolic".into(), LOG.into());
    shell.world.append(30);
    shell.list();
    shell.settle();
    assert!(shell.missing().is_empty() && shell.doubled().is_empty());
}

#[test]
fn files_that_begin_alike_are_all_read() {
    let mut shell = Shell::new(4, "/log/*.csv");
    for name in ["/log/a.csv", "/log/b.csv", "/log/a.csv.csv"] {
        shell.world.create(name, format!("id,name\n{name} 1\n{name} 2\n").as_bytes());
        shell.list();
        (0..40).for_each(|_| shell.step());
    }
    assert_eq!(shell.delivered.get("id,name"), Some(&3));
    assert_eq!(shell.delivered.len(), 7);
}

/// What a program writes between the copy and the truncation is in neither file; what was read or copied is safe, and
/// what was seen and lost is counted.
#[test]
fn the_window_of_copytruncate_is_counted() {
    let mut shell = Shell::new(5, LOG);
    shell.world.append(40);
    shell.list();
    shell.settle();
    let copy = shell.world.begin_copy();
    shell.world.finish_copy(copy);
    shell.world.append(3);
    let seen = shell.world.content(shell.live()).len() as u64;
    let id = shell.flow.files().next().expect("is followed").id;
    let read = shell.flow.file(id).expect("is followed").fetched();
    let sight = Sight { size: seen, modified: 1, links: 1 };
    shell.flow.looked(id, sight, shell.now); // and never read
    shell.world.truncate();
    shell.world.append(5);
    shell.settle();
    assert_eq!(shell.missing().len(), 3);
    assert!(shell.doubled().is_empty());
    assert_eq!(shell.statistics.bytes_lost_by_truncation.get(), seen - read);
}

/// The listing that finds the rest of a truncated file in its first copy shows the beginning of a second one, of lines that
/// nobody has seen yet.
#[test]
fn a_second_copy_that_begins_before_the_truncation_is_seen_is_a_copy() {
    for pattern in [LOG, "/log/app.log*"] {
        let mut shell = Shell::new(8, pattern);
        shell.world.append(40);
        shell.list();
        shell.settle();
        shell.world.append(10);
        let first = shell.world.begin_copy();
        shell.world.finish_copy(first);
        shell.world.truncate();
        shell.world.append(8);
        let second = shell.world.begin_copy();
        shell.list();
        shell.world.finish_copy(second);
        shell.world.truncate();
        shell.settle();
        assert!(shell.missing().is_empty() && shell.doubled().is_empty(), "{pattern}: {:?}", shell.doubled());
    }
}

/// Nine bytes were read of a file that is then copied and truncated, and an older file, compressed by now, begins with
/// the same ones.
#[test]
fn a_copy_of_a_known_file_is_not_the_rest_of_one_that_was_hardly_read() {
    let mut shell = Shell::new(10, LOG);
    shell.world.append(40);
    shell.list();
    shell.settle();
    let older = shell.world.names.remove(Path::new(LOG)).expect("the live file exists");
    shell.world.names.insert("/log/app.log-20261121".into(), older);
    shell.world.reopen();
    shell.list();
    let begun = shell.world.begin_compression().expect("there is a rotated file");
    shell.world.finish_compression(begun);
    shell.world.begin_record();
    let is_read = |shell: &Shell| shell.flow.files().any(|file| file.fetched() == 9);
    while !is_read(&shell) {
        shell.step();
    }
    shell.world.append(20);
    let copy = shell.world.begin_copy();
    shell.world.finish_copy(copy);
    shell.world.truncate();
    shell.settle();
    assert!(shell.missing().is_empty() && shell.doubled().is_empty(), "{:?}", shell.doubled());
}

/// Generations that were compressed while the agent was down are left alone as long as nothing was read of the live file,
/// and then they are not its copies after all.
#[test]
fn compressed_generations_are_read_once_the_live_file_is_known() {
    let mut shell = Shell::new(12, LOG);
    shell.world.append(40);
    shell.list();
    shell.settle();
    let first = shell.world.begin_copy();
    shell.world.finish_copy(first);
    shell.world.truncate();
    let id = shell.flow.files().next().expect("is followed").id;
    let node = shell.live();
    shell.look(id); // it was truncated, and nothing is read of what comes
    shell.save();
    shell.world.append(30);
    let second = shell.world.begin_copy();
    shell.world.finish_copy(second);
    shell.crash();
    shell.world.truncate();
    let path =
        shell.world.names.iter().find(|(_, named)| **named == second).expect("it has a name").0.clone();
    let packed = shell.world.begin_compression_of(&path);
    shell.world.finish_compression((path, packed));
    shell.world.append(5);
    assert_eq!(shell.live(), node);
    shell.settle();
    assert_eq!(shell.missing(), Vec::<&String>::new());
}

/// All files begin with the same long header. Generations that nobody saw are shorter than one that was read: what they
/// have in common proves nothing.
#[test]
fn files_with_the_same_long_header_are_not_copies_of_each_other() {
    const HEADER: &str = concat!("#", include_str!("tests/long_header.txt"));
    for (pattern, is_down) in [(LOG, true), ("/log/app.log*", true), (LOG, false), ("/log/app.log*", false)] {
        let mut shell = Shell::new(14, pattern);
        shell.world.header = HEADER;
        shell.world.rotate_by_rename();
        shell.world.append(200);
        shell.list();
        shell.settle();
        if is_down {
            shell.stop();
        }
        for lines in [150, 10, 250, 60, 5] {
            shell.world.rotate_by_rename();
            shell.world.append(lines);
        }
        if is_down {
            shell.list();
        }
        shell.settle();
        assert_eq!(shell.missing(), Vec::<&String>::new(), "{pattern} {is_down}");
    }
}

#[test]
fn what_was_rotated_before_the_first_start_is_not_read() {
    let mut shell = Shell::new(6, LOG);
    shell.world.append(40);
    shell.world.rotate_by_rename();
    if let Some(begun) = shell.world.begin_compression() {
        shell.world.finish_compression(begun);
    }
    shell.world.rotate_by_rename();
    let before = shell.world.written.len();
    let config = config(LOG, r#","initialPosition":"START_OF_FILE","dedupIds":"TAG""#);
    let statistics = Arc::clone(&shell.statistics);
    shell.flow = Flow::new(config, Vec::new(), false, false, 1, statistics).expect("no converters");
    shell.list();
    shell.world.append(10);
    shell.world.rotate_by_rename();
    shell.settle();
    shell.save();
    shell.crash();
    shell.list();
    shell.settle();
    let old: Vec<_> =
        shell.world.written[..before].iter().filter(|line| shell.delivered.contains_key(*line)).collect();
    assert_eq!(old, Vec::<&String>::new());
    assert_eq!(shell.delivered.len(), shell.world.written.len() - before);
    assert!(shell.world.names.contains_key(Path::new(LOG)));
}
