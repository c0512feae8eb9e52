//! Golden bytes, exact sizes, round trips and hostile input.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::types::HashKey;
use crate::user_record::RecordRef;

type Row<'a> = (&'a str, Option<u128>, &'a [u8]);

fn record<'a>((partition_key, hash_key, data): Row<'a>) -> RecordRef<'a> {
    RecordRef { partition_key, explicit_hash_key: hash_key.map(HashKey), data }
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

#[test]
fn what_is_no_aggregate_is_plain() {
    let good = encode(&[("a", None, b"x"), ("b", Some(5), b"y")]);
    let mut bad_digest = good.to_vec();
    *bad_digest.last_mut().expect("not empty") ^= 1;
    let framed = |message: &[u8]| {
        use md5::{Digest as _, Md5};
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(message);
        bytes.extend_from_slice(&Md5::digest(message));
        bytes
    };
    for (name, bytes) in [
        ("empty", vec![]),
        ("magic only", MAGIC.to_vec()),
        ("magic and the digest of nothing", framed(b"")),
        ("plain text", b"just a line".to_vec()),
        ("bad digest", bad_digest),
        ("broken message", framed(&[0x0A, 0xFF])),
        ("length beyond the end", framed(&[0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F])),
        ("partition key index out of range", framed(&[0x1A, 0x04, 0x08, 0x05, 0x1A, 0x00])),
        ("missing data", framed(&[0x0A, 0x01, b'a', 0x1A, 0x02, 0x08, 0x00])),
        ("missing partition key index", framed(&[0x0A, 0x01, b'a', 0x1A, 0x02, 0x1A, 0x00])),
    ] {
        assert_eq!(decode(&Bytes::from(bytes)), Decoded::Plain, "{name}");
    }
}

proptest! {
    #[test]
    fn decoding_gives_back_what_was_encoded(
        rows in proptest::collection::vec(
            ("[a-c]{1,3}|.{1,12}", proptest::option::of(any::<u128>()), proptest::collection::vec(any::<u8>(), 0..300)),
            1..200,
        )
    ) {
        let borrowed: Vec<Row<'_>> =
            rows.iter().map(|(key, hash, data)| (key.as_str(), *hash, data.as_slice())).collect();
        let Decoded::Aggregated(decoded) = decode(&encode(&borrowed)) else {
            panic!("not recognised as aggregated");
        };
        let again: Vec<Row<'_>> = decoded
            .iter()
            .map(|record| {
                (&*record.partition_key, record.explicit_hash_key.map(|key| key.0), &record.data[..])
            })
            .collect();
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
