//! How much memory hostile bytes can make the decoder take: measured, against the factor that it promises.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// Counts what is allocated. Its own test program, because the count is the whole program's.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[cfg(test)]
mod tests {
    use super::ALLOCATOR;
    use bytes::Bytes;
    use kpl::aggregation_format::{DecodeError, MAGIC, MEMORY_FACTOR, decode_strict};
    use md5::{Digest, Md5};
    use stats_alloc::Region;

    fn framed(message: &[u8]) -> Bytes {
        [&MAGIC[..], message, &Md5::digest(message)[..]].concat().into()
    }

    /// 200,000 bytes of one piece.
    fn filled_with(piece: &[u8]) -> Vec<u8> {
        piece.iter().copied().cycle().take(200_000 / piece.len() * piece.len()).collect()
    }

    /// Empty records, each under a key of its own.
    fn keys_of_their_own() -> Vec<u8> {
        let mut message = Vec::new();
        for number in 0..20_000_u64 {
            message.extend_from_slice(&[0x0A, 0x00, 0x1A]);
            let mut body = vec![0x08];
            let mut left = number;
            while left >= 0x80 {
                body.push((left as u8) | 0x80);
                left >>= 7;
            }
            body.extend_from_slice(&[left as u8, 0x1A, 0x00]);
            message.push(body.len() as u8);
            message.extend_from_slice(&body);
        }
        message
    }

    /// One test, so that nothing else allocates meanwhile.
    #[test]
    fn memory_stays_within_the_promised_multiple() {
        let record = [0x1A, 0x04, 0x08, 0x00, 0x1A, 0x00];
        let one_key = [&[0x0A, 0x00][..], &filled_with(&record)].concat();
        let long_key = [&[0x0A, 0xE8, 0x07][..], &[b'k'; 1000], &filled_with(&record)].concat();
        let with_ids = {
            let tag = [&b"\x22\x22\x0A\x06kpl.id\x12\x18"[..], &[b'i'; 24]].concat();
            let body = [&[0x08, 0x00, 0x1A, 0x00][..], &tag].concat();
            [&[0x0A, 0x00][..], &filled_with(&[&[0x1A, body.len() as u8][..], &body].concat())].concat()
        };
        let mut worst = 0.0;
        for (name, message, is_good) in [
            ("keys that nobody names", filled_with(&[0x0A, 0x00]), true),
            ("hash keys that nobody names", filled_with(&[0x12, 0x00]), true),
            ("records without fields", filled_with(&[0x1A, 0x00]), false),
            ("records under one key", one_key, true),
            ("records under one long key", long_key, true),
            ("records under keys of their own", keys_of_their_own(), true),
            ("records with long ids", with_ids, true),
            ("fields that nobody knows", filled_with(&[0x28, 0x00]), true),
        ] {
            let data = framed(&message);
            let region = Region::new(ALLOCATOR);
            let answer = decode_strict(&data);
            let taken = region.change();
            assert_eq!(
                answer.is_ok(),
                is_good,
                "{name}: {:?}",
                answer.err().unwrap_or(DecodeError::NotAggregated)
            );
            let factor = taken.bytes_allocated as f64 / data.len() as f64;
            assert!(factor <= MEMORY_FACTOR as f64, "{name}: {factor} bytes for each");
            worst = f64::max(worst, factor);
        }
        assert!(worst > MEMORY_FACTOR as f64 / 2.0, "the promise is needlessly weak: {worst}");
    }
}
