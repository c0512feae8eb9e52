//! Gzip around the data of a Kinesis record, marked so that a consumer can tell.
//!
//! A compressed record is one gzip member ([RFC 1952](https://www.rfc-editor.org/rfc/rfc1952)), level 3, whose header
//! has an extra field with the subfield `KP` and the version 1 in it. So it begins
//!
//! ```text
//! 1f 8b 08 04  <6 bytes>  05 00 4b 50 01 00 01
//! ```
//!
//! Every gunzip undoes it; what comes out is what would have been sent without compression: an aggregated record, or
//! the raw data of a lone one. A record that gzip does not make smaller is sent as it is, so a stream holds both, and
//! each record says which it is. [`decode`](crate::aggregation_format::decode) undoes it by itself.
//!
//! **Only consumers that undo it can read the stream. The KCL does not**: it hands the gzip member on as one plain
//! record.
//!
//! # What it saves
//!
//! Measured with an access log, aggregated to the default size: 51,272 bytes became 8,029, at 3 ms of processor time
//! for each MiB (outside of the callers' threads), and 1 ms to undo it.
//!
//! | 1 GiB of such records | as it is | compressed | compressed, `aggregation_max_size` 150,000 |
//! |---|---|---|---|
//! | bytes that the service takes in | 1 GiB | 160 MiB | 160 MiB |
//! | seconds of one shard (1 MiB a second) | 1,024 | 160 | 160 |
//! | PUT payload units (25 KB) | 62,800 | 21,000 | 7,200 |
//!
//! The pace of the producer is counted in compressed bytes, so the same traffic needs as many times fewer shards. A
//! Kinesis record is at least one payload unit, or one KB of an on-demand stream, however small it becomes; so raise
//! `aggregation_max_size`, which counts bytes before compression, where compression is on.
//!
//! Invariant: decompressing gives no more than [`DECOMPRESSED_BYTES`], or the caller's limit, whatever the input claims.

use std::io::{Read as _, Write as _};

use bytes::Bytes;
use flate2::bufread::GzDecoder;
use flate2::{Compression as Level, GzBuilder};

use crate::limits::KINESIS_RECORD_BYTES_RAISED;

/// The most that one record decompresses to: what a stream takes at most (10 MiB), as nothing larger is compressed.
pub const DECOMPRESSED_BYTES: usize = KINESIS_RECORD_BYTES_RAISED;

/// Data up to here never becomes smaller: header, mark and trailer alone take 25 bytes.
pub(crate) const NEVER_SMALLER_BYTES: usize = 32;

/// Gzip, deflate, with an extra field.
const START: [u8; 4] = [0x1F, 0x8B, 0x08, 0x04];

/// Where the extra field stands, and what we write there behind its length: subfield `KP`, one byte, version 1.
const EXTRA_AT: usize = 10;
const EXTRA: [u8; 5] = [b'K', b'P', 1, 0, 1];

const LEVEL: u32 = 3;

/// Why marked data could not be decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecompressError {
    /// It would have more bytes than allowed.
    #[error("it decompresses to more than {limit} bytes")]
    TooLarge {
        /// How many are allowed.
        limit: usize,
    },
    /// It is cut off or altered.
    #[error("the gzip member is damaged")]
    Damaged,
    /// Something follows the gzip member.
    #[error("{bytes} bytes follow the gzip member")]
    TrailingBytes {
        /// How many.
        bytes: usize,
    },
}

/// Whether `data` carries the mark of this crate's compression.
#[must_use]
pub fn is_compressed(data: &[u8]) -> bool {
    let length = [EXTRA.len() as u8, 0];
    data.starts_with(&START)
        && data.get(EXTRA_AT..EXTRA_AT + 2) == Some(&length)
        && data.get(EXTRA_AT + 2..EXTRA_AT + 2 + EXTRA.len()) == Some(&EXTRA)
}

/// Undoes the compression. `None` for data without the mark: that is to be read as it is.
///
/// # Errors
///
/// [`DecompressError`] for data that has the mark and is no sound gzip member, or one that is too large. Memory stays
/// within [`DECOMPRESSED_BYTES`] and what a growing buffer needs besides.
pub fn decompress(data: &[u8]) -> Result<Option<Bytes>, DecompressError> {
    decompress_within(data, DECOMPRESSED_BYTES)
}

/// The same with a limit of the caller's: for consumers that trust their producers less, or know their records better.
/// A thousandth of the decompressed size can be enough to make a member, and taking its records apart takes up to
/// [`MEMORY_FACTOR`](crate::aggregation_format::MEMORY_FACTOR) times that size again.
///
/// # Errors
///
/// As [`decompress`].
pub fn decompress_within(data: &[u8], limit: usize) -> Result<Option<Bytes>, DecompressError> {
    if !is_compressed(data) {
        return Ok(None);
    }
    let mut plain = Vec::new();
    let mut decoder = GzDecoder::new(data);
    (&mut decoder)
        .take((limit as u64).saturating_add(1))
        .read_to_end(&mut plain)
        .map_err(|_| DecompressError::Damaged)?;
    if plain.len() > limit {
        return Err(DecompressError::TooLarge { limit });
    }
    match decoder.into_inner().len() {
        0 => Ok(Some(plain.into())),
        bytes => Err(DecompressError::TrailingBytes { bytes }),
    }
}

/// The data as a marked gzip member, if that is smaller and may be decompressed again.
#[must_use]
pub fn compress(data: &[u8]) -> Option<Bytes> {
    if data.len() <= NEVER_SMALLER_BYTES || data.len() > DECOMPRESSED_BYTES {
        return None;
    }
    let buffer = Vec::with_capacity(data.len() / 2);
    let mut encoder = GzBuilder::new().extra(EXTRA).write(buffer, Level::new(LEVEL));
    // Writing to memory does not fail; if it did, the record would go as it is.
    encoder.write_all(data).ok()?;
    let compressed = encoder.finish().ok()?;
    (compressed.len() < data.len()).then(|| compressed.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    fn line(number: usize) -> String {
        format!("2026-11-21T14:00:00Z INFO request {number} served in {} ms\n", number % 37)
    }

    fn bomb(bytes: usize) -> Vec<u8> {
        let mut encoder = GzBuilder::new().extra(EXTRA).write(Vec::new(), Level::best());
        encoder.write_all(&vec![0; bytes]).expect("memory");
        encoder.finish().expect("memory")
    }

    #[test]
    fn the_header_is_the_documented_one_and_any_gunzip_undoes_it() {
        let text: String = (0..100).map(line).collect();
        let compressed = compress(text.as_bytes()).expect("smaller");
        assert_eq!(compressed[..4], [0x1F, 0x8B, 0x08, 0x04]);
        assert_eq!(compressed[10..17], [0x05, 0x00, 0x4B, 0x50, 0x01, 0x00, 0x01]);
        assert!(compressed.len() * 4 < text.len(), "{} of {}", compressed.len(), text.len());
        let mut plain = String::new();
        flate2::read::MultiGzDecoder::new(&compressed[..]).read_to_string(&mut plain).expect("standard");
        assert_eq!(plain, text);
    }

    #[test]
    fn what_does_not_shrink_goes_as_it_is() {
        let noise: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(1000).collect();
        assert_eq!(compress(&noise), None);
        assert_eq!(compress(&[0; NEVER_SMALLER_BYTES]), None);
        assert_eq!(compress(&vec![0; DECOMPRESSED_BYTES + 1]), None, "nobody would decompress it");
        assert!(compress(&vec![0; DECOMPRESSED_BYTES]).is_some_and(|data| decompress(&data).is_ok()));
    }

    #[test]
    fn foreign_gzip_is_left_alone() {
        let mut plain = GzEncoder::new(Vec::new(), Level::fast());
        plain.write_all(b"somebody's own gzip").expect("memory");
        assert_eq!(decompress(&plain.finish().expect("memory")), Ok(None));
        let mut other = GzBuilder::new().extra(*b"XX\x01\x00\x01").write(Vec::new(), Level::fast());
        other.write_all(b"somebody's own gzip").expect("memory");
        assert_eq!(decompress(&other.finish().expect("memory")), Ok(None));
        assert_eq!(decompress(b"a plain line"), Ok(None));
    }

    #[test]
    fn hostile_members_are_refused() {
        let good = bomb(1000);
        assert_eq!(decompress(&good).map(|data| data.map(|data| data.len())), Ok(Some(1000)));
        for cut in 17..good.len() {
            assert_eq!(decompress(&good[..cut]), Err(DecompressError::Damaged), "cut at {cut}");
        }
        let mut wrong_sum = good.clone();
        let place = good.len() - 8;
        wrong_sum[place] ^= 1;
        assert_eq!(decompress(&wrong_sum), Err(DecompressError::Damaged));
        let trailing = [&good[..], b"more"].concat();
        assert_eq!(decompress(&trailing), Err(DecompressError::TrailingBytes { bytes: 4 }));
        let two = [&good[..], &good[..]].concat();
        assert!(matches!(decompress(&two), Err(DecompressError::TrailingBytes { .. })));
        let too_large = DecompressError::TooLarge { limit: DECOMPRESSED_BYTES };
        assert_eq!(decompress(&bomb(DECOMPRESSED_BYTES + 1)), Err(too_large));
        assert_eq!(decompress(&bomb(8 * DECOMPRESSED_BYTES)), Err(too_large));
        assert_eq!(decompress_within(&good, 999), Err(DecompressError::TooLarge { limit: 999 }));
        assert_eq!(decompress_within(&good, 1000), decompress(&good));
    }

    proptest! {
        #[test]
        fn compressed_data_comes_back(data in proptest::collection::vec(0..4_u8, 0..3000)) {
            if let Some(compressed) = compress(&data) {
                prop_assert!(compressed.len() < data.len());
                prop_assert_eq!(decompress(&compressed), Ok(Some(data.into())));
            }
        }

        #[test]
        fn altered_data_never_comes_back_as_other_data(flip in 0..400_usize, bit in 0..8) {
            let text: String = (0..20).map(line).collect();
            let mut compressed = compress(text.as_bytes()).expect("smaller").to_vec();
            let place = flip % compressed.len();
            compressed[place] ^= 1_u8 << bit;
            if let Ok(Some(data)) = decompress(&compressed) {
                // A bit of the header's time or of the padding behind the last block says nothing.
                prop_assert_eq!(data, text);
            }
        }
    }
}
