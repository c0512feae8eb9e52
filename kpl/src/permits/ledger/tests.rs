//! Parts of streams, over random lives.

use proptest::prelude::*;

use super::*;

/// A ledger of 1,600 bytes and 160 records.
fn ledger(streams: usize) -> Ledger {
    let mut ledger = Ledger::new(Room { bytes: 1600, records: 160 }, usize::MAX);
    for _ in 0..streams {
        ledger.begin_stream();
    }
    ledger
}

fn try_take(ledger: &mut Ledger, stream: usize, bytes: u32) -> bool {
    let may = ledger.judge(stream, Room::of_record(bytes), Claim::UNPLACED).is_some();
    if may {
        ledger.take(stream, Room::of_record(bytes));
    }
    may
}

/// Takes records until there is no more room; answers how many.
fn fill(ledger: &mut Ledger, stream: usize, bytes: u32) -> usize {
    std::iter::repeat_with(|| try_take(ledger, stream, bytes)).take_while(|taken| *taken).count()
}

#[test]
fn one_stream_has_all_of_it() {
    assert_eq!(fill(&mut ledger(1), 0, 10), 160);
    assert_eq!(fill(&mut ledger(1), 0, 100), 16);
    assert_eq!(fill(&mut ledger(1), 0, 1), 160, "records are bounded, too");
}

#[test]
fn a_stream_that_takes_what_is_common_leaves_the_others_their_parts() {
    for bytes in [1, 10] {
        let mut ledger = ledger(4);
        for stream in 0..4 {
            ledger.take(stream, Room::of_record(bytes));
        }
        assert_eq!(fill(&mut ledger, 0, bytes), 99, "an eighth, and the common half");
        for stream in 1..4 {
            assert_eq!(fill(&mut ledger, stream, bytes), 19, "an eighth");
        }
        assert_eq!(ledger.held().records, 160);
    }
}

#[test]
fn parts_grow_back_when_streams_end() {
    let mut ledger = ledger(4);
    (0..4).for_each(|stream| assert!(try_take(&mut ledger, stream, 10)));
    (1..4).for_each(|stream| ledger.give_back(stream, Room::of_record(10)));
    assert_eq!(fill(&mut ledger, 0, 10), 99, "they may come back at any moment");
    let fifth = ledger.begin_stream();
    assert_eq!(fill(&mut ledger, 0, 10), 60, "they hold nothing, and another one begins");
    assert!(try_take(&mut ledger, fifth, 10) && try_take(&mut ledger, 1, 10));
    assert_eq!(ledger.own().bytes, 1600 / 2 / 3);
}

#[test]
fn what_the_sdk_holds_counts_for_its_stream_alone() {
    let mut ledger = ledger(2);
    assert!(try_take(&mut ledger, 0, 10) && try_take(&mut ledger, 1, 10));
    ledger.take_copies(0, 1190);
    assert_eq!(fill(&mut ledger, 0, 10), 0);
    assert_eq!(fill(&mut ledger, 1, 10), 39, "its own quarter");
    ledger.give_copies_back(0, 1190);
    assert!(try_take(&mut ledger, 0, 10));
}

#[test]
fn other_lanes_parts_are_left_in_the_stream() {
    let mut ledger = ledger(1);
    let left = Claim::Common { left_for_others: Room { bytes: 600, records: 60 } };
    let mut taken = 0;
    while ledger.judge(0, Room::of_record(10), left).is_some() {
        ledger.take(0, Room::of_record(10));
        taken += 1;
    }
    assert_eq!(taken, 100);
    for held in 1..=60 {
        let part = Claim::Part { after: Room { bytes: held * 10, records: held } };
        assert_eq!(ledger.judge(0, Room::of_record(10), part), Some(Terms::Guaranteed));
        ledger.take(0, Room::of_record(10));
    }
}

#[test]
fn the_number_of_a_stream_that_is_gone_is_given_again() {
    let mut ledger = ledger(2);
    assert!(try_take(&mut ledger, 0, 10) && try_take(&mut ledger, 1, 10));
    ledger.end_stream(1);
    assert_eq!(ledger.begin_stream(), 2, "it still holds something");
    ledger.end_stream(2);
    assert_eq!(ledger.begin_stream(), 2);
}

#[derive(Debug, Clone)]
enum Event {
    Begin,
    Take(usize, u32),
    GiveBack(usize),
    Copy(usize, usize),
    CopyBack(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        1 => Just(Event::Begin),
        20 => (0..8usize, 1..200u32).prop_map(|(stream, bytes)| Event::Take(stream, bytes)),
        12 => (0..8usize).prop_map(Event::GiveBack),
        2 => (0..8usize, 1..300usize).prop_map(|(stream, bytes)| Event::Copy(stream, bytes)),
        2 => (0..8usize).prop_map(Event::CopyBack),
    ]
}

proptest! {
    #[test]
    fn every_stream_finds_its_part_and_all_room_comes_back(events in prop::collection::vec(event(), 1..400)) {
        let mut ledger = ledger(2);
        let mut taken: Vec<Vec<u32>> = vec![Vec::new(); 2];
        let mut copies: Vec<Vec<usize>> = vec![Vec::new(); 2];
        for event in events {
            let streams = taken.len();
            match event {
                Event::Begin if streams == 8 => {}
                Event::Begin => {
                    ledger.begin_stream();
                    taken.push(Vec::new());
                    copies.push(Vec::new());
                }
                Event::Take(stream, bytes) => {
                    let stream = stream % streams;
                    let own = ledger.own();
                    let held = taken[stream].iter().sum::<u32>() as usize;
                    let after = held + bytes as usize + copies[stream].iter().sum::<usize>();
                    let is_within = after <= own.bytes && taken[stream].len() < own.records;
                    let is_there = ledger.held().plus(Room::of_record(bytes)).fits(ledger.max);
                    let may = try_take(&mut ledger, stream, bytes);
                    if may {
                        taken[stream].push(bytes);
                    }
                    prop_assert!(may || !(is_within && is_there), "within its part");
                    prop_assert!(may || !taken[stream].is_empty(), "alone");
                    // One record of each stream passes in any case.
                    prop_assert!(ledger.held().bytes <= ledger.beyond().bytes + streams * 200);
                }
                Event::GiveBack(stream) => {
                    if let Some(bytes) = taken[stream % streams].pop() {
                        ledger.give_back(stream % streams, Room::of_record(bytes));
                    }
                }
                Event::Copy(stream, bytes) => {
                    ledger.take_copies(stream % streams, bytes);
                    copies[stream % streams].push(bytes);
                }
                Event::CopyBack(stream) => {
                    if let Some(bytes) = copies[stream % streams].pop() {
                        ledger.give_copies_back(stream % streams, bytes);
                    }
                }
            }
            let committed = ledger.committed;
            ledger.divide();
            prop_assert_eq!(committed, ledger.committed, "the sum is kept");
        }
        for (stream, (taken, copies)) in taken.into_iter().zip(copies).enumerate() {
            taken.into_iter().for_each(|bytes| ledger.give_back(stream, Room::of_record(bytes)));
            copies.into_iter().for_each(|bytes| ledger.give_copies_back(stream, bytes));
        }
        prop_assert_eq!((ledger.held(), ledger.copies), (Room::NONE, 0));
        let last = ledger.begin_stream();
        prop_assert_eq!(fill(&mut ledger, last, 10), 160);
    }
}
