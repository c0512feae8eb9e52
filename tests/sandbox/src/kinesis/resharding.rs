//! UpdateShardCount as AWS carries it out: as splits and merges of single shards, some of them short-lived.
//!
//! Invariant: the open shards cover every hash key once before and after each step; every new shard names the shards
//! that it came from, and those are closed.

use ferrokinesis::sequence::{self, MAX_SEQ_IX, SeqObj};
use ferrokinesis::types::{HashKeyRange, SequenceNumberRange, Shard};

/// Sequence numbers hold the second in which their shard was made; a child's has to be later than its parents'.
const SECOND_MS: u64 = 1000;

/// Splits and merges until there are `count` open shards with ranges of one size.
///
/// A shard that has the wanted range already stays as it is.
pub(super) fn scale(shards: &mut Vec<Shard>, count: u32, now_ms: u64) {
    let starts = uniform_starts(count);
    for start in &starts {
        let cut = open(shards).find(|shard| contains_inside(&shards[*shard], *start));
        if let Some(shard) = cut {
            split(shards, shard, *start, now_ms);
        }
    }
    for (place, start) in starts.iter().enumerate() {
        let end = starts.get(place + 1).map_or(u128::MAX, |next| next - 1);
        merge_within(shards, *start, end, now_ms);
    }
}

/// Where the ranges of `count` shards of one size begin. The last one takes what does not divide.
fn uniform_starts(count: u32) -> Vec<u128> {
    let count = u128::from(count.max(1));
    let divides = u128::MAX % count == count - 1;
    // 2^128 itself, the size of a single shard, has no place in the type; its only start is 0.
    let size = (u128::MAX / count).wrapping_add(u128::from(divides));
    (0..count).map(|place| size.wrapping_mul(place)).collect()
}

/// The places of the open shards.
fn open(shards: &[Shard]) -> impl Iterator<Item = usize> {
    shards.iter().enumerate().filter(|(_, shard)| is_open(shard)).map(|(place, _)| place)
}

pub(super) fn is_open(shard: &Shard) -> bool {
    shard.sequence_number_range.ending_sequence_number.is_none()
}

fn contains_inside(shard: &Shard, key: u128) -> bool {
    shard.hash_key_range.start_u128() < key && key <= shard.hash_key_range.end_u128()
}

fn split(shards: &mut Vec<Shard>, parent: usize, start_of_second: u128, now_ms: u64) {
    let range = &shards[parent].hash_key_range;
    let halves = [(range.start_u128(), start_of_second - 1), (start_of_second, range.end_u128())];
    let id = shards[parent].shard_id.clone();
    let made_ms = close(shards, parent, now_ms);
    for half in halves {
        add(shards, half, (Some(id.clone()), None), made_ms);
    }
}

/// Merges the open shards between two hash keys into one, from the left to the right.
fn merge_within(shards: &mut Vec<Shard>, start: u128, end: u128, now_ms: u64) {
    loop {
        let mut inside: Vec<usize> = open(shards)
            .filter(|shard| (start..=end).contains(&shards[*shard].hash_key_range.start_u128()))
            .collect();
        inside.sort_by_key(|shard| shards[*shard].hash_key_range.start_u128());
        let [left, right, ..] = inside[..] else { return };
        merge(shards, left, right, now_ms);
    }
}

fn merge(shards: &mut Vec<Shard>, left: usize, right: usize, now_ms: u64) {
    let range = (shards[left].hash_key_range.start_u128(), shards[right].hash_key_range.end_u128());
    let parents = (Some(shards[left].shard_id.clone()), Some(shards[right].shard_id.clone()));
    let made_ms = close(shards, left, now_ms).max(close(shards, right, now_ms));
    add(shards, range, parents, made_ms);
}

/// Closes a shard; says when a child of it can have been made.
fn close(shards: &mut [Shard], shard: usize, now_ms: u64) -> u64 {
    let range = &mut shards[shard].sequence_number_range;
    let made_ms = sequence::parse_sequence(&range.starting_sequence_number)
        .map_or(0, |sequence_number| sequence_number.shard_create_time);
    range.ending_sequence_number =
        Some(sequence_number(shard, made_ms, Some(MAX_SEQ_IX), Some(now_ms.max(made_ms))));
    now_ms.max(made_ms + SECOND_MS)
}

fn add(
    shards: &mut Vec<Shard>,
    range: (u128, u128),
    parents: (Option<String>, Option<String>),
    made_ms: u64,
) {
    let place = shards.len();
    shards.push(Shard {
        shard_id: sequence::shard_id_name(place as i64),
        hash_key_range: HashKeyRange::new(range.0.to_string(), range.1.to_string()),
        sequence_number_range: SequenceNumberRange {
            starting_sequence_number: sequence_number(place, made_ms, None, None),
            ending_sequence_number: None,
        },
        parent_shard_id: parents.0,
        adjacent_parent_shard_id: parents.1,
    });
}

fn sequence_number(shard: usize, made_ms: u64, index: Option<u64>, moment_ms: Option<u64>) -> String {
    sequence::stringify_sequence(&SeqObj {
        shard_create_time: made_ms,
        seq_ix: index,
        byte1: None,
        seq_time: moment_ms,
        seq_rand: None,
        shard_ix: shard as i64,
        version: 2,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_700_000_000_000;

    fn stream(count: u32) -> Vec<Shard> {
        let mut shards = Vec::new();
        let starts = uniform_starts(count);
        for (place, start) in starts.iter().enumerate() {
            let end = starts.get(place + 1).map_or(u128::MAX, |next| next - 1);
            add(&mut shards, (*start, end), (None, None), NOW_MS);
        }
        shards
    }

    fn ranges(shards: &[Shard]) -> Vec<(u128, u128)> {
        let range = |place: usize| {
            let range = &shards[place].hash_key_range;
            (range.start_u128(), range.end_u128())
        };
        let mut ranges: Vec<_> = open(shards).map(range).collect();
        ranges.sort_unstable();
        ranges
    }

    #[test]
    fn any_count_becomes_any_other_with_the_ranges_of_a_new_stream() {
        for before in 1..12 {
            for after in 1..12 {
                let mut shards = stream(before);
                scale(&mut shards, after, NOW_MS);
                assert_eq!(ranges(&shards), ranges(&stream(after)), "{before} to {after}");
                let first_new = before as usize;
                assert!(shards[first_new..].iter().all(|shard| shard.parent_shard_id.is_some()));
            }
        }
    }

    #[test]
    fn a_shard_that_fits_already_stays() {
        let mut shards = stream(3);
        shards[0].hash_key_range = HashKeyRange::new("0".to_owned(), (u128::MAX / 2).to_string());
        shards[1].hash_key_range =
            HashKeyRange::new((u128::MAX / 2 + 1).to_string(), (u128::MAX / 4 * 3).to_string());
        shards[2].hash_key_range =
            HashKeyRange::new((u128::MAX / 4 * 3 + 1).to_string(), u128::MAX.to_string());
        scale(&mut shards, 2, NOW_MS);
        assert!(is_open(&shards[0]) && !is_open(&shards[1]) && !is_open(&shards[2]));
        assert_eq!(shards.len(), 4);
    }

    #[test]
    fn the_sequence_numbers_of_a_child_are_higher_than_those_of_its_parents() {
        let mut shards = stream(4);
        scale(&mut shards, 6, NOW_MS);
        let number = |text: &str| (text.len(), text.to_owned());
        for child in &shards {
            let parents = [&child.parent_shard_id, &child.adjacent_parent_shard_id];
            for parent in parents.into_iter().flatten() {
                let parent = shards.iter().find(|shard| shard.shard_id == *parent).unwrap();
                let end = parent.sequence_number_range.ending_sequence_number.as_deref().unwrap();
                assert!(number(&child.sequence_number_range.starting_sequence_number) > number(end));
            }
        }
    }
}
