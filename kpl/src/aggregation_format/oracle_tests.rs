//! The format held against prost: what we write, it reads, and the other way round.

use bytes::Bytes;
use md5::{Digest, Md5};
use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::types::HashKey;
use crate::user_record::RecordRef;

#[derive(Clone, PartialEq, prost::Message)]
struct Message {
    #[prost(string, repeated, tag = "1")]
    partition_key_table: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    explicit_hash_key_table: Vec<String>,
    #[prost(message, repeated, tag = "3")]
    records: Vec<Record>,
    /// Not in the format: readers have to skip it.
    #[prost(fixed64, optional, tag = "9")]
    from_the_future: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Record {
    #[prost(uint64, optional, tag = "1")]
    partition_key_index: Option<u64>,
    #[prost(uint64, optional, tag = "2")]
    explicit_hash_key_index: Option<u64>,
    #[prost(bytes = "bytes", optional, tag = "3")]
    data: Option<Bytes>,
    #[prost(message, repeated, tag = "4")]
    tags: Vec<Tag>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Tag {
    #[prost(string, optional, tag = "1")]
    key: Option<String>,
    #[prost(string, optional, tag = "2")]
    value: Option<String>,
}

fn framed(message: &[u8]) -> Bytes {
    [&MAGIC[..], message, &Md5::digest(message)[..]].concat().into()
}

/// The format's rules in the plainest form: what [`decode_strict`] has to answer.
fn expected(message: Message) -> Option<Vec<DecodedRecord>> {
    let record = |record: Record| {
        let index = |index: u64| usize::try_from(index).ok();
        let hash_key = match record.explicit_hash_key_index {
            None => None,
            Some(at) => Some(message.explicit_hash_key_table.get(index(at)?)?.parse().ok()?),
        };
        if record.tags.iter().any(|tag| tag.key.is_none()) {
            return None;
        }
        let ours = record.tags.into_iter().filter(|tag| tag.key.as_deref() == Some(DEDUP_TAG_KEY));
        Some(DecodedRecord {
            partition_key: message
                .partition_key_table
                .get(index(record.partition_key_index?)?)?
                .as_str()
                .into(),
            explicit_hash_key: hash_key,
            data: record.data?,
            dedup_id: ours.filter_map(|tag| tag.value?.parse().ok()).next_back(),
        })
    };
    message.records.into_iter().map(record).collect()
}

fn tags() -> impl Strategy<Value = Vec<Tag>> {
    let key = prop_oneof![6 => Just(Some(DEDUP_TAG_KEY.to_owned())), 2 => Just(Some("other".to_owned())), 1 => Just(None)];
    let tag = (key, proptest::option::of("[a-z]{0,3}")).prop_map(|(key, value)| Tag { key, value });
    proptest::collection::vec(tag, 0..3)
}

fn messages() -> impl Strategy<Value = Message> {
    let keys = proptest::collection::vec("[a-z]{0,3}|é", 1..4);
    let hash_keys = proptest::collection::vec("[0-9]{1,3}|x", 1..4);
    let data = proptest::collection::vec(any::<u8>(), 0..20).prop_map(Bytes::from);
    let present = |index: std::ops::Range<u64>| proptest::option::weighted(0.95, index);
    let record =
        (present(0..3), proptest::option::of(0..3_u64), proptest::option::weighted(0.97, data), tags())
            .prop_map(|(partition_key_index, explicit_hash_key_index, data, tags)| Record {
                partition_key_index,
                explicit_hash_key_index,
                data,
                tags,
            });
    (keys, hash_keys, proptest::collection::vec(record, 0..5), any::<Option<u64>>()).prop_map(
        |(partition_key_table, explicit_hash_key_table, records, from_the_future)| Message {
            partition_key_table,
            explicit_hash_key_table,
            records,
            from_the_future,
        },
    )
}

proptest! {
    #[test]
    fn reads_what_prost_wrote(message in messages()) {
        let bytes = message.encode_to_vec();
        prop_assume!(!bytes.is_empty());
        prop_assert_eq!(decode_strict(&framed(&bytes)).ok(), expected(message));
    }

    /// Protobuf joins messages that stand behind each other, so tables may follow the records that name them.
    #[test]
    fn the_order_of_fields_does_not_matter(message in messages()) {
        let mut head = message.clone();
        let tail = Message { records: std::mem::take(&mut head.records), ..Message::default() };
        let bytes = [tail.encode_to_vec(), head.encode_to_vec()].concat();
        prop_assert_eq!(decode_strict(&framed(&bytes)).ok(), expected(message));
    }

    #[test]
    fn prost_reads_what_was_written(
        rows in proptest::collection::vec(
            ("[a-c]{1,2}", any::<Option<u128>>(), any::<Vec<u8>>(), proptest::option::of("[a-z]{1,128}")),
            1..9,
        )
    ) {
        let mut encoder = AggregateEncoder::new();
        for (key, hash_key, data, id) in &rows {
            let record = RecordRef {
                explicit_hash_key: hash_key.map(HashKey),
                dedup_id: id.as_deref(),
                ..RecordRef::new(key, data)
            };
            encoder.try_push(record, usize::MAX).expect("no limit");
        }
        let bytes = encoder.finish();
        let message = &bytes[MAGIC.len()..bytes.len() - DIGEST_BYTES];
        let read = Message::decode(message).expect("prost reads it");
        prop_assert_eq!(read.encode_to_vec(), message, "and would write the same bytes");
        prop_assert_eq!(expected(read), decode_strict(&bytes).ok());
    }
}
