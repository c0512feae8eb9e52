//! Makes the partition keys of Kinesis records, as the Java agent makes them.
//!
//! Invariants: a random key is the decimal text of a random number as Java prints it; a deterministic key
//! depends on the bytes of the record only. (The Java agent hashes its whole read buffer when there is no
//! converter, which gives all records of the buffer one key; that is a bug and is not copied.) No source of
//! randomness here: it is passed in.

use std::fmt::Write;
use std::time::Duration;

use fastrand::Rng;
use md5::{Digest, Md5};

use crate::config::PartitionKeyOption;

/// Random keys are numbers below this.
const RANDOM_BOUND: f64 = 1_000_000.0;

/// Replaces the contents of `key` by the partition key of `record`. A buffer that is used again is not
/// allocated again.
pub fn write_partition_key(option: PartitionKeyOption, record: &[u8], rng: &mut Rng, key: &mut String) {
    key.clear();
    match option {
        PartitionKeyOption::Random => push_java_double(key, rng.f64() * RANDOM_BOUND),
        PartitionKeyOption::Deterministic => push_md5(key, record),
    }
}

/// So many random keys are drawn at most for one that has not to wait.
const DRAWS: u32 = 8;

/// A wait that is as good as none.
const SHORT_WAIT: Duration = Duration::from_millis(100);

/// Draws other random keys in the place of `key` as long as a record with it would have to wait for its shard, a few
/// times; leaves the one with the shortest wait. `drawn` is a buffer.
///
/// So a shard that throttles gets what it takes, and no more; were its keys drawn as often as others, in the end everything
/// would wait for it.
pub fn write_unhindered_key(
    rng: &mut Rng,
    expected_wait: &impl Fn(&str) -> Duration,
    drawn: &mut String,
    key: &mut String,
) {
    let mut shortest = expected_wait(key);
    for _ in 1..DRAWS {
        if shortest <= SHORT_WAIT {
            return;
        }
        write_partition_key(PartitionKeyOption::Random, &[], rng, drawn);
        let wait = expected_wait(drawn);
        if wait < shortest {
            shortest = wait;
            std::mem::swap(key, drawn);
        }
    }
}

/// The longest key that [`write_partition_key`] writes, in bytes: an MD5 in hexadecimal digits. Random keys
/// have at most 24.
pub const PARTITION_KEY_MAX_BYTES: usize = 32;

fn push_md5(key: &mut String, record: &[u8]) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    for byte in Md5::digest(record) {
        key.push(HEX[usize::from(byte >> 4)]);
        key.push(HEX[usize::from(byte & 15)]);
    }
}

/// Appends a number from 0 to below 10,000,000 as Java prints a double: shortest digits, from 0.001 on in
/// plain decimal form, below that as `1.5E-4`.
fn push_java_double(text: &mut String, number: f64) {
    let mut buffer = ryu::Buffer::new();
    let shortest = buffer.format(number);
    if number == 0.0 || number >= 1e-3 {
        return text.push_str(shortest);
    }
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((shortest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // All digits, and the power of ten of the first of them.
    let zeros = if whole == "0" { fraction.bytes().take_while(|digit| *digit == b'0').count() } else { 0 };
    let digits = if whole == "0" { &fraction[zeros..] } else { whole };
    let rest = if whole == "0" { "" } else { fraction };
    let below_one = if whole == "0" { zeros + 1 } else { 0 };
    let power = exponent.parse::<i64>().unwrap_or(0) - i64::try_from(below_one).unwrap_or(0);
    let (first, others) = digits.split_at(1);
    let point_zero = if others.is_empty() && rest.is_empty() { "0" } else { "" };
    // Writing to a String cannot fail.
    let _ = write!(text, "{first}.{others}{rest}{point_zero}E{power}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_printed_as_by_java() {
        let table = [
            (0.0, "0.0"),
            (1.0, "1.0"),
            (88152.48217592953, "88152.48217592953"),
            (999999.9999999999, "999999.9999999999"),
            (0.001, "0.001"),
            (0.5, "0.5"),
            (0.0001, "1.0E-4"),
            (0.00015, "1.5E-4"),
            (0.000999, "9.99E-4"),
            (1e-5, "1.0E-5"),
            (1.25e-5, "1.25E-5"),
            (1.1641532182693481e-10, "1.1641532182693481E-10"),
        ];
        for (number, expected) in table {
            let mut text = String::new();
            push_java_double(&mut text, number);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn random_keys_are_numbers_below_the_bound_and_follow_the_seed() {
        let keys = |seed| {
            let mut rng = Rng::with_seed(seed);
            let mut key = String::new();
            let mut next = || {
                write_partition_key(PartitionKeyOption::Random, b"x", &mut rng, &mut key);
                key.clone()
            };
            (0..1000).map(|_| next()).collect::<Vec<_>>()
        };
        let first = keys(1);
        for key in &first {
            let number: f64 = key.parse().unwrap();
            assert!((0.0..RANDOM_BOUND).contains(&number), "{key}");
            assert!(key.len() <= PARTITION_KEY_MAX_BYTES, "{key}");
        }
        assert_eq!(first, keys(1));
        assert_ne!(first, keys(2));
    }

    #[test]
    fn keys_that_would_wait_are_drawn_again() {
        let second = Duration::from_secs(1);
        // How long keys wait that begin with these digits; how long one of a thousand waits at most.
        let table = [
            ("", Duration::ZERO, Duration::ZERO),
            ("1", second, SHORT_WAIT),
            ("12345", 3 * second, second),
            ("12345678", 3 * second, second),
        ];
        for (digits, waits, most) in table {
            let wait = |key: &str| match key.chars().next() {
                Some(first) if digits.contains(first) => waits,
                _ => most,
            };
            let (mut rng, mut drawn, mut key) = (Rng::with_seed(1), String::new(), String::new());
            let mut others = 0;
            for _ in 0..1000 {
                write_partition_key(PartitionKeyOption::Random, &[], &mut rng, &mut key);
                write_unhindered_key(&mut rng, &wait, &mut drawn, &mut key);
                assert!(!key.is_empty());
                others += u32::from(wait(&key) > most);
            }
            // All draws fall on those digits: 8/9 to the power of 8 for the last one.
            assert!(others < 450, "{digits}: {others}");
            assert!(digits.len() > 5 || others < 20, "{digits}: {others}");
        }
    }

    #[test]
    fn a_key_that_need_not_wait_is_asked_for_once() {
        let asked = std::cell::Cell::new(0);
        let wait = |_: &str| {
            asked.set(asked.get() + 1);
            SHORT_WAIT
        };
        let mut key = "7".to_owned();
        write_unhindered_key(&mut Rng::with_seed(1), &wait, &mut String::new(), &mut key);
        assert_eq!((asked.get(), key.as_str()), (1, "7"));
    }

    #[test]
    fn deterministic_keys_are_the_md5_of_the_record() {
        let table =
            [(&b""[..], "d41d8cd98f00b204e9800998ecf8427e"), (b"abc", "900150983cd24fb0d6963f7d28e17f72")];
        let mut key = "old".to_owned();
        for (record, expected) in table {
            write_partition_key(PartitionKeyOption::Deterministic, record, &mut Rng::with_seed(1), &mut key);
            assert_eq!(key, expected);
        }
    }
}
