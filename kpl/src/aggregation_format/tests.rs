//! Golden bytes, exact sizes, round trips and hostile input.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::types::HashKey;
use crate::user_record::RecordRef;

type Row<'a> = (&'a str, Option<u128>, &'a [u8]);

fn record<'a>((partition_key, hash_key, data): Row<'a>) -> RecordRef<'a> {
    RecordRef { explicit_hash_key: hash_key.map(HashKey), ..RecordRef::new(partition_key, data) }
}

fn encode(rows: &[Row<'_>]) -> Bytes {
    let mut encoder = AggregateEncoder::new();
    for row in rows {
        encoder.try_push(record(*row), usize::MAX).expect("no limit");
    }
    let size = encoder.encoded_bytes();
    let bytes = encoder.finish();
    assert_eq!(bytes.len(), size, "the size is known before the bytes are");
    assert!(encoder.is_empty());
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn golden_bytes() {
    let rows: [(&[Row<'_>], &str); 4] = [
        (
            &[("a", None, b"x"), ("a", None, b"y")],
            "f3899ac20a01611a0508001a01781a0508001a01794ce17b1ac841e7ccc082e6c0e097f7f6",
        ),
        (
            &[("pk1", Some(0), b"hello"), ("pk2", None, b""), ("pk1", Some(123), b"world")],
            "f3899ac20a03706b310a03706b3212013012033132331a0b080010001a0568656c6c6f1a0408011a001a0b080010011a05776f72\
             6c64f34e62ff9343d968f4e9eb4fd88dbb06",
        ),
        (
            &[("abcd", None, b"1234"), ("abcd", None, b"1234"), ("abcd", None, b"1234")],
            "f3899ac20a04616263641a0808001a04313233341a0808001a04313233341a0808001a0431323334cfa727073037d17c91b74641\
             729d27a2",
        ),
        (
            &[("é", None, &[0xFF]), ("日本", None, &[0])],
            "f3899ac20a02c3a90a06e697a5e69cac1a0508001a01ff1a0508011a0100ed9b6d56f23014ec3792372d702f161c",
        ),
    ];
    for (records, expected) in rows {
        assert_eq!(hex(&encode(records)), expected);
    }
}

#[test]
fn a_default_encoder_is_an_empty_one() {
    let mut encoder = AggregateEncoder::default();
    let row: Row<'_> = ("pk", Some(5), b"x");
    encoder.try_push(record(row), usize::MAX).expect("no limit");
    assert_eq!(encoder.finish(), encode(&[row]));
}

#[test]
fn golden_sizes() {
    for (count, data_bytes, expected) in [
        (1000, 1, 7024),
        (1000, 100, 106_024),
        (1000, 128, 136_024),
        (1000, 200, 208_024),
        (500, 1000, 504_024),
    ] {
        let data = vec![7; data_bytes];
        let rows: Vec<Row<'_>> = (0..count).map(|_| ("pk", None, data.as_slice())).collect();
        assert_eq!(encode(&rows).len(), expected, "{count} records of {data_bytes} bytes");
    }
    assert_eq!(encode(&[("k", Some(u128::MAX), &[0; 200]), ("k", Some(u128::MAX), &[0; 200])]).len(), 484);
}

#[test]
fn a_refused_record_leaves_no_trace() {
    let mut encoder = AggregateEncoder::new();
    encoder.try_push(record(("a", None, b"x")), 100).expect("fits");
    let before = encoder.encoded_bytes();
    assert_eq!(encoder.try_push(record(("new key", Some(9), &[0; 90])), 100), Err(Refused));
    assert_eq!(encoder.encoded_bytes(), before);
    encoder.try_push(record(("a", None, b"y")), 100).expect("fits");
    assert_eq!(encoder.finish(), encode(&[("a", None, b"x"), ("a", None, b"y")]));
}

#[test]
fn a_single_record_comes_out_raw() {
    let mut encoder = AggregateEncoder::new();
    encoder.try_push(record(("a", Some(1), b"only")), usize::MAX).expect("fits");
    assert_eq!(encoder.finish_single(), Some(Bytes::from_static(b"only")));
    assert!(encoder.is_empty() && encoder.finish_single().is_none());
}

fn framed(message: &[u8]) -> Bytes {
    use md5::{Digest as _, Md5};
    [&MAGIC[..], message, &Md5::digest(message)[..]].concat().into()
}

#[test]
fn what_is_no_aggregate_is_plain_and_says_why() {
    let good = encode(&[("a", None, b"x"), ("b", Some(5), b"y")]);
    let mut bad_digest = good.to_vec();
    *bad_digest.last_mut().expect("not empty") ^= 1;
    let key = b"\x0A\x01a";
    let with_key = |rest: &[u8]| framed(&[&key[..], rest].concat());
    let with_hash_key = |text: &[u8]| {
        let mut table = vec![0x12];
        prost::encoding::encode_varint(text.len() as u64, &mut table);
        table.extend_from_slice(text);
        with_key(&[&table[..], &[0x1A, 0x06, 0x08, 0x00, 0x10, 0x00, 0x1A, 0x00]].concat())
    };
    let record = [0x1A, 0x04, 0x08, 0x00, 0x1A, 0x00];
    for (name, bytes, error) in [
        ("empty", Bytes::new(), DecodeError::NotAggregated),
        ("magic only", MAGIC.to_vec().into(), DecodeError::NotAggregated),
        ("magic and the digest of nothing", framed(b""), DecodeError::NotAggregated),
        ("plain text", Bytes::from_static(b"just a line that is long enough"), DecodeError::NotAggregated),
        ("bad digest", bad_digest.into(), DecodeError::WrongDigest),
        ("broken message", framed(&[0x0A, 0xFF]), DecodeError::Malformed),
        ("length beyond the end", framed(&[0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]), DecodeError::Malformed),
        ("broken record", framed(&[0x1A, 0x01, 0x08]), DecodeError::Malformed),
        (
            "partition key index out of range",
            with_key(&[0x1A, 4, 0x08, 5, 0x1A, 0]),
            DecodeError::IndexOutOfRange,
        ),
        (
            "hash key index out of range",
            with_key(&[0x1A, 6, 8, 0, 0x10, 0, 0x1A, 0]),
            DecodeError::IndexOutOfRange,
        ),
        ("missing data", with_key(&[0x1A, 0x02, 0x08, 0x00]), DecodeError::MissingField),
        ("missing partition key index", with_key(&[0x1A, 0x02, 0x1A, 0x00]), DecodeError::MissingField),
        ("tag without key", with_key(&[0x1A, 6, 8, 0, 0x1A, 0, 0x22, 0]), DecodeError::MissingField),
        (
            "key is not UTF-8",
            framed(&[&[0x0A, 1, 0xFF][..], &record].concat()),
            DecodeError::InvalidPartitionKey,
        ),
        ("hash key is no number", with_hash_key(b"-1"), DecodeError::InvalidHashKey),
        (
            "hash key is too large",
            with_hash_key(b"340282366920938463463374607431768211456"),
            DecodeError::InvalidHashKey,
        ),
        ("hash key is too long", with_hash_key(&[b'0'; 129]), DecodeError::InvalidHashKey),
    ] {
        assert_eq!(decode_strict(&bytes), Err(error), "{name}");
        assert_eq!(decode(&bytes), Decoded::Plain, "{name}");
    }
}

#[test]
fn tables_without_records_are_an_aggregate_of_nothing() {
    assert_eq!(decode(&framed(b"\x0A\x01a")), Decoded::Aggregated(vec![]), "the KCL delivers nothing either");
}

#[test]
fn a_dedup_id_travels_as_a_tag() {
    let mut encoder = AggregateEncoder::new();
    let tagged = RecordRef::new("a", b"x").with_dedup_id("id-7");
    encoder.try_push(tagged, usize::MAX).expect("no limit");
    assert_eq!(encoder.finish_single(), None, "raw data has no place for it");
    encoder.try_push(RecordRef::new("a", b"y"), usize::MAX).expect("no limit");
    let size = encoder.encoded_bytes();
    let bytes = encoder.finish();
    assert_eq!(bytes.len(), size);
    let message = "0a01611a1508001a0178220e0a066b706c2e6964120469642d371a0508001a0179";
    assert_eq!(hex(&bytes[4..bytes.len() - 16]), message);
    let Decoded::Aggregated(records) = decode(&bytes) else { panic!("not recognised as aggregated") };
    assert_eq!(records[0].as_ref(), tagged);
    assert_eq!(records[1].dedup_id, None);
}

#[test]
fn the_size_of_a_frame_is_known_before_it_is_made() {
    for data in [0, 1, 90, 100, 127, 128, 16_383, 16_384] {
        for hash_key in [None, Some(HashKey(7)), Some(HashKey::MAX)] {
            for id in ["i", &"i".repeat(118), &"i".repeat(128)] {
                let data = vec![0; data];
                let record = RecordRef { explicit_hash_key: hash_key, ..RecordRef::new("key", &data) };
                let bytes = frame_alone(record.with_dedup_id(id)).len();
                assert_eq!(bytes, framed_bytes(&record, id.len()), "{record:?} {id}");
            }
        }
    }
}

proptest! {
    #[test]
    fn decoding_gives_back_what_was_encoded(
        rows in proptest::collection::vec(
            (
                "[a-c]{1,3}|.{1,12}",
                proptest::option::of(any::<u128>()),
                proptest::collection::vec(any::<u8>(), 0..300),
                proptest::option::of("[0-9a-zé]{1,64}"),
            ),
            1..200,
        )
    ) {
        let mut encoder = AggregateEncoder::new();
        let borrowed: Vec<RecordRef<'_>> = rows
            .iter()
            .map(|(key, hash, data, id)| RecordRef { dedup_id: id.as_deref(), ..record((key, *hash, data)) })
            .collect();
        for record in &borrowed {
            let before = encoder.encoded_bytes();
            prop_assert_eq!(encoder.try_push(*record, before), Err(Refused));
            prop_assert_eq!(encoder.encoded_bytes(), before);
            encoder.try_push(*record, usize::MAX).expect("no limit");
        }
        let size = encoder.encoded_bytes();
        let bytes = encoder.finish();
        prop_assert_eq!(bytes.len(), size);
        let decoded = decode_strict(&bytes).expect("aggregated");
        let again: Vec<RecordRef<'_>> = decoded.iter().map(DecodedRecord::as_ref).collect();
        prop_assert_eq!(again, borrowed);
    }

    #[test]
    fn no_bytes_break_the_decoder(noise in proptest::collection::vec(any::<u8>(), 0..400), flip in any::<usize>()) {
        let _ = decode(&Bytes::from(noise.clone()));
        let mut mutated = encode(&[("a", Some(3), &noise), ("b", None, b"tail")]).to_vec();
        let place = flip % mutated.len();
        mutated[place] ^= 0x55;
        let _ = decode(&Bytes::from(mutated));
    }
}
