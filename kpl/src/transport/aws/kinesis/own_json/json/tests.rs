//! What is written is what was meant, and what is read is what was written.

use base64_simd::STANDARD;
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::put_records::RESPONSE_UNREADABLE;
use crate::types::{HashKey, StreamName};

/// A member that is missing, empty, or says something.
fn text() -> impl Strategy<Value = Option<String>> {
    prop_oneof![Just(None), Just(Some(String::new())), ".{1,9}".prop_map(Some)]
}

fn body_of(stream: StreamName, entries: Vec<PutRecordsEntry>) -> Value {
    let request = PutRecordsRequest { stream, entries, transfer_time: std::time::Duration::ZERO };
    serde_json::from_slice(&request_body(&request, &Bodies::default())).expect("JSON")
}

fn stream() -> StreamName {
    StreamName::new("orders").expect("lawful")
}

fn entry(partition_key: &str, hash_key: impl Into<Option<u128>>, data: &[u8]) -> PutRecordsEntry {
    PutRecordsEntry {
        partition_key: partition_key.into(),
        explicit_hash_key: hash_key.into().map(HashKey),
        data: Bytes::copy_from_slice(data),
    }
}

#[test]
fn a_call_is_written_as_the_service_reads_it() {
    let entries = vec![entry("a", 0, b""), entry("b", u128::MAX, b"\x00\xff?>"), entry("c", None, b"x")];
    assert_eq!(
        body_of(stream(), entries),
        json!({"StreamName": "orders", "Records": [
            {"Data": "", "ExplicitHashKey": "0", "PartitionKey": "a"},
            {"Data": "AP8/Pg==", "ExplicitHashKey": "340282366920938463463374607431768211455", "PartitionKey": "b"},
            {"Data": "eA==", "PartitionKey": "c"},
        ]})
    );
    let arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders";
    let by_arn = StreamName::from_arn(arn).expect("lawful");
    assert_eq!(body_of(by_arn, Vec::new()), json!({"StreamARN": arn, "Records": []}));
}

proptest! {
    #[test]
    fn whatever_the_key_and_the_data_hold_arrives(key in ".{0,40}", hash_key: u128, data: Vec<u8>) {
        let body = body_of(stream(), vec![entry(&key, hash_key, &data)]);
        let record = &body["Records"][0];
        let sent = Some(key.as_str()).filter(|key| !key.is_empty());
        prop_assert_eq!(record["PartitionKey"].as_str(), sent, "an empty key stands for none");
        prop_assert_eq!(&record["ExplicitHashKey"], &json!(hash_key.to_string()));
        let sent = STANDARD.decode_to_vec(record["Data"].as_str().expect("a text")).expect("base64");
        prop_assert_eq!(sent, data);
    }

    #[test]
    fn any_bytes_are_read_or_refused(body: Vec<u8>) {
        let _ = response_of(&body);
    }

    #[test]
    fn a_broken_answer_is_read_or_refused_and_makes_nothing_up(
        places in proptest::collection::vec((0..200_usize, any::<u8>()), 0..6),
        end in 0..400_usize,
    ) {
        let mut body = br#"{"FailedRecordCount":1,"Records":[{"SequenceNumber":"49","ShardId":"s0"},{"ErrorCode":"InternalFailure","ErrorMessage":"no"}]}"#.to_vec();
        for (place, byte) in places {
            let place = place % body.len();
            body[place] = byte;
        }
        body.truncate(end);
        for entry in response_of(&body).into_iter().flat_map(|answer| answer.entries) {
            match entry {
                Ok(placed) => prop_assert!(!placed.sequence_number.as_str().is_empty() && !placed.shard_id.as_str().is_empty()),
                Err(error) => prop_assert!(!error.code.is_empty()),
            }
        }
    }

    #[test]
    fn results_are_read_whatever_is_said_of_an_entry(
        number in text(), shard in text(), code in text(), message in text(),
    ) {
        let body = json!({"Records": [
            {"SequenceNumber": number, "ShardId": shard, "ErrorCode": code, "ErrorMessage": message}
        ]});
        let entries = response_of(body.to_string().as_bytes()).expect("an answer").entries;
        let said = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        let stored = said(&number) && said(&shard) && !said(&code) && !said(&message);
        prop_assert_eq!(entries[0].is_ok(), stored);
    }
}

#[test]
fn every_character_that_json_forbids_is_escaped() {
    let key: String = (0..=0x7f_u8).map(char::from).chain("\u{2028}é😀".chars()).collect();
    assert_eq!(body_of(stream(), vec![entry(&key, 1, b"x")])["Records"][0]["PartitionKey"], json!(key));
}

#[test]
fn the_body_fits_the_room_that_was_taken_for_it() {
    for hash_key in [Some(u128::MAX), None] {
        let entries = vec![entry("0.12345678901234567", hash_key, &[b'x'; 150]); 500];
        let request =
            PutRecordsRequest { stream: stream(), entries, transfer_time: std::time::Duration::ZERO };
        let (room, body) = (room_for(&request), request_body(&request, &Bodies::default()).len());
        assert!(body <= room && room - body < body / 20, "{body} of {room} bytes are used");
    }
}

#[test]
fn answers_are_read_entry_by_entry() {
    let stored = |number: &str, shard: &str| {
        Ok(EntryPlaced { sequence_number: number.into(), shard_id: shard.into() })
    };
    let refused = |code: &str, message: &str| Err(EntryError { code: code.into(), message: message.into() });
    for (body, entries) in [
        (
            r#"{"Records":[{"SequenceNumber":"49","ShardId":"shardId-000000000001"}]}"#,
            vec![stored("49", "shardId-000000000001")],
        ),
        (
            r#" {"FailedRecordCount":1, "EncryptionType":"KMS", "Records":[
                {"ErrorCode":"InternalFailure","ErrorMessage":"a \"word\"\n"},
                {"SequenceNumber":"50","ShardId":"s1","ErrorCode":null,"New":{"a":[1]}}
            ]} "#,
            vec![refused("InternalFailure", "a \"word\" "), stored("50", "s1")],
        ),
        (r#"{"Records":[{"SequenceNumber":"\u0034\u0039","ShardId":"s1"}]}"#, vec![stored("49", "s1")]),
        (r#"{"Records":[]}"#, vec![]),
        (r#"{"Records":null}"#, vec![]),
        ("{}", vec![]),
    ] {
        assert_eq!(response_of(body.as_bytes()).expect(body).entries, entries, "{body}");
    }
}

#[test]
fn what_is_no_answer_is_refused() {
    for body in [
        "",
        "<html>",
        "[]",
        "{",
        r#"{"Records":{}}"#,
        r#"{"Records":[{"SequenceNumber":7}]}"#,
        r#"{"Records":[]}x"#,
        r#"{"Records":[],"Records":[]}"#,
        r#"{"Records":[{"ShardId":"a","ShardId":"b","SequenceNumber":"1"}]}"#,
        r#"{"Records":[{"SequenceNumber":"1","ShardId":{}}]}"#,
        r#"{"Records":[{"SequenceNumber":"\ud800","ShardId":"a"}]}"#,
        r#"{"Records":[null]}"#,
        r#"{"Records":[NaN]}"#,
    ] {
        assert!(response_of(body.as_bytes()).is_err(), "{body}");
    }
    assert!(response_of(b"{\"Records\":[{\"SequenceNumber\":\"\xff\"}]}").is_err(), "no UTF-8");
    let deep = format!("{{\"Records\":[],\"New\":{}", "[".repeat(1 << 20));
    assert!(response_of(deep.as_bytes()).is_err(), "a stack of a million arrays");
}

#[test]
fn an_entry_is_stored_only_if_the_answer_says_so_and_nothing_else() {
    for result in [
        r#"{"SequenceNumber":"49","ShardId":"s0","ErrorCode":"InternalFailure","ErrorMessage":"no"}"#,
        r#"{"SequenceNumber":"49","ShardId":"s0","ErrorMessage":"no"}"#,
        r#"{"SequenceNumber":"49","ShardId":""}"#,
        r#"{"SequenceNumber":"49","ShardId":null}"#,
        r#"{"SequenceNumber":"49"}"#,
        r#"{"SequenceNumber":"","ShardId":"s0"}"#,
        r#"{"ShardId":"s0"}"#,
        "{}",
    ] {
        for around in ["{\"Records\":[RESULT]}", "{\"FailedRecordCount\":0, \"Records\":[ RESULT ]}"] {
            let body = around.replace("RESULT", result);
            let entries = response_of(body.as_bytes()).expect("an answer").entries;
            let error = entries[0].as_ref().expect_err("it is not stored");
            assert_eq!(error.code, RESPONSE_UNREADABLE, "{body}");
        }
    }
}

/// Three bytes of a result take a hundred in memory.
#[test]
fn an_answer_with_more_results_than_a_call_can_have_is_refused() {
    for result in ["{}", r#"{"SequenceNumber":"49","ShardId":"s0"}"#] {
        for (results, is_read) in [(500, true), (501, false), (100_000, false)] {
            let body = format!("{{\"Records\":[{}]}}", vec![result; results].join(","));
            assert_eq!(response_of(body.as_bytes()).is_ok(), is_read, "{results} times {result}");
        }
    }
}

fn in_full(body: &str) -> Option<Vec<EntryResult>> {
    super::in_full(body).ok()
}

/// An answer of two entries, in pieces that can be left out, doubled or exchanged.
const PIECES: [&str; 13] = [
    "{",
    "\"FailedRecordCount\":0",
    ",",
    "\"EncryptionType\":\"KMS\"",
    ",",
    "\"Records\":[",
    "{\"SequenceNumber\":\"49\"",
    ",\"ShardId\":\"shardId-1\"}",
    ",",
    "{\"SequenceNumber\":\"50\",\"ShardId\":\"a\\u0031\"}",
    "]",
    "}",
    " ",
];

proptest! {
    #[test]
    fn the_short_way_reads_nothing_otherwise_than_the_long_one(
        changes in proptest::collection::vec((0..PIECES.len(), 0..PIECES.len(), 0..3_u8), 0..4)
    ) {
        let mut pieces = vec![0, 1, 2, 5, 6, 7, 8, 6, 7, 10, 11];
        for (place, piece, change) in changes {
            let place = place.min(pieces.len() - 1);
            match change {
                0 => pieces[place] = piece,
                1 => pieces.insert(place, piece),
                _ => {
                    pieces.remove(place);
                    pieces.push(12);
                }
            }
        }
        let body: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        if let Some(entries) = plain::all_stored(&body) {
            prop_assert_eq!(Some(entries), in_full(&body), "{}", body);
        }
    }
}

#[test]
fn usual_answers_go_the_short_way() {
    let entry = r#"{"SequenceNumber":"49","ShardId":"shardId-000000000001"}"#;
    for body in [
        format!(r#"{{"FailedRecordCount":0,"Records":[{entry},{entry}]}}"#),
        format!(r#"{{"EncryptionType":"KMS","FailedRecordCount":0,"Records":[{entry}]}}"#),
        format!(r#"{{"Records":[{entry}],"FailedRecordCount":0,"EncryptionType":"NONE"}}"#),
    ] {
        assert!(plain::all_stored(&body).is_some_and(|read| Some(read) == in_full(&body)), "{body}");
    }
    let spaced = format!(r#"{{"Records": [{entry}]}}"#);
    assert!(plain::all_stored(&spaced).is_none() && in_full(&spaced).is_some());
}
