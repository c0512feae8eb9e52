//! What has to hold of any bytes. Run by the fuzzer, and over the corpora by `kpl/tests/corpora.rs`.

use bytes::Bytes;
use kpl::aggregation_format::{
    AggregateEncoder, Decoded, DecodedRecord, MAGIC, Refused, decode as decode_data, decode_strict,
};
use kpl::compression::{DECOMPRESSED_BYTES, compress, decompress as decompress_data, is_compressed};
use kpl::dedup::{DedupWindow, DedupWindowSize, Sighting};
use kpl::{HashKey, RecordRef};
use md5::{Digest, Md5};

/// The input as the data of a Kinesis record, and as the message of one whose digest is right.
pub(crate) fn decode(input: &[u8]) {
    check_decoded(&Bytes::copy_from_slice(input));
    check_decoded(&[&MAGIC[..], input, &Md5::digest(input)[..]].concat().into());
}

/// The input as a list of records to be written, with and without a limit.
pub(crate) fn round_trip(input: &[u8]) {
    let mut encoder = AggregateEncoder::new();
    let limit = usize::from(*input.first().unwrap_or(&0)) * 16;
    let mut written = Vec::new();
    let mut rest = input.get(1..).unwrap_or_default();
    while let Some(record) = next_record(&mut rest) {
        let before = encoder.encoded_bytes();
        match encoder.try_push(record, limit) {
            // The service takes no empty key: one that is read means that there is none.
            Ok(()) => written.push(RecordRef {
                partition_key: record.partition_key.filter(|key| !key.is_empty()),
                ..record
            }),
            Err(Refused) => assert_eq!(encoder.encoded_bytes(), before, "a refused record leaves no trace"),
        }
        assert!(encoder.encoded_bytes() <= limit || encoder.is_empty());
    }
    let expected_bytes = encoder.encoded_bytes();
    let data = encoder.finish();
    assert_eq!(data.len(), expected_bytes, "the size is known before the bytes are");
    if !written.is_empty() {
        let read = decode_strict(&data).expect("what was written is read");
        assert!(read.iter().map(DecodedRecord::as_ref).eq(written), "as it was");
    }
}

/// The input as marked gzip, and as something to compress.
pub(crate) fn decompress(input: &[u8]) {
    const HEADER: &[u8] = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x05\0KP\x01\0\x01";
    for data in [input.to_vec(), [HEADER, input].concat()] {
        match decompress_data(&data) {
            Ok(None) => assert!(!is_compressed(&data)),
            Ok(Some(plain)) => assert!(plain.len() <= DECOMPRESSED_BYTES),
            Err(_) => assert!(is_compressed(&data)),
        }
        check_decoded(&data.into());
    }
    if let Some(compressed) = compress(input) {
        assert_eq!(decompress_data(&compressed), Ok(Some(Bytes::copy_from_slice(input))));
    }
}

/// Whatever was read can be written, and then says the same.
fn check_decoded(data: &Bytes) {
    let Decoded::Aggregated(records) = decode_data(data) else { return };
    let mut encoder = AggregateEncoder::new();
    let mut window = DedupWindow::new(DedupWindowSize { ids: 3, producers: 2, sequences_per_producer: 100 });
    for (place, record) in records.iter().enumerate() {
        encoder.try_push(record.as_ref(), usize::MAX).expect("no limit");
        if let Some(id) = &record.dedup_id {
            let is_new = records[..place].iter().all(|earlier| earlier.dedup_id.as_ref() != Some(id));
            assert!(!(is_new && window.note(id) == Sighting::Repeat), "a repeat at its first sight");
        }
    }
    if !records.is_empty() {
        assert_eq!(decode_strict(&encoder.finish()), Ok(records));
    }
}

/// Takes a record off the input: what it has, the lengths of its parts, and the parts.
fn next_record<'a>(rest: &mut &'a [u8]) -> Option<RecordRef<'a>> {
    let [kinds, key, data, id] = *take(rest, 4)?.first_chunk()?;
    let text = |bytes: &'a [u8]| std::str::from_utf8(bytes).ok();
    let mut record = RecordRef::new(text(take(rest, usize::from(key % 40))?)?, &[]);
    record.data = take(rest, usize::from(data) * if kinds & 4 == 0 { 1 } else { 9 })?;
    if kinds & 1 != 0 {
        record.explicit_hash_key = Some(HashKey(u128::from_be_bytes(*take(rest, 16)?.first_chunk()?)));
    }
    if kinds & 2 != 0 {
        record.dedup_id = Some(text(take(rest, usize::from(id % 128) + 1)?)?);
    }
    Some(record)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}
