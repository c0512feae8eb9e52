//! Makes the partition keys of Kinesis records, as the Java agent makes them.
//!
//! Invariants: a random key is the decimal text of a random number as Java prints it; a deterministic key
//! depends on the bytes of the record only. (The Java agent hashes its whole read buffer when there is no
//! converter, which gives all records of the buffer one key; that is a bug and is not copied.) No source of
//! randomness here: it is passed in.

use std::fmt::Write;

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
