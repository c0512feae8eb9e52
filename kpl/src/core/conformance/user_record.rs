//! The KPL's `UserRecord` suite.

use super::support::{at, member};
use crate::core::aggregator::alone;
use crate::kinesis_record::History;
use crate::outcome::UserRecordResult;
use crate::types::{HashKey, Moment, ServiceText, StreamName};
use crate::user_record::UserRecord;

fn user_record() -> UserRecord {
    UserRecord::new(StreamName::new("myStream").expect("lawful"), "abcd", "hello world")
}

#[test]
fn basic_conversion() {
    let record = user_record();
    assert_eq!(record.stream.as_str(), "myStream");
    let borrowed = record.as_ref();
    let sent = alone(borrowed, borrowed.hash_key(), None, member(1_234_567, at(0)), at(0));
    let mut seen = Vec::new();
    sent.for_each_member(|member, part| {
        seen.push((member.tag, part.key().to_owned(), part.data.to_vec()));
    });
    assert_eq!(seen, [(1_234_567, "abcd".to_owned(), b"hello world".to_vec())]);
}

#[test]
fn hash_key_from_partition_key() {
    let hash_key = user_record().as_ref().hash_key();
    assert_eq!(format!("{:X}", hash_key.0), "E2FC714C4727EE9395F324CD2E7F331F");
}

#[test]
fn explicit_hash_key() {
    let record = user_record().with_explicit_hash_key("123456789".parse().expect("a number"));
    assert_eq!(record.as_ref().hash_key(), HashKey(123_456_789));
}

fn error(code: &str, message: &str) -> Option<(ServiceText, ServiceText)> {
    Some((code.into(), message.into()))
}

fn milliseconds(history: &History) -> Vec<(u128, u128)> {
    history.attempts.iter().map(|attempt| (attempt.delay.as_millis(), attempt.duration.as_millis())).collect()
}

#[test]
fn put_record_result_fail() {
    let mut history = History::default();
    history.note(Moment::ORIGIN, (at(0), at(5)), error("code1", "message1"));
    history.note(Moment::ORIGIN, (at(11), at(18)), error("code2", "message2"));
    assert_eq!(milliseconds(&history), [(0, 5), (6, 7)]);
    assert_eq!(history.attempts[0].error, error("code1", "message1"));
    assert_eq!(history.attempts[1].error, error("code2", "message2"));
}

#[test]
fn put_record_result_success() {
    let mut history = History::default();
    history.note(Moment::ORIGIN, (at(0), at(5)), error("code", "message"));
    history.note(Moment::ORIGIN, (at(11), at(18)), None);
    let result = UserRecordResult::new("shard-0".into(), "123456789".into(), history.attempts);
    assert_eq!((result.shard_id().as_str(), result.sequence_number().as_str()), ("shard-0", "123456789"));
    let errors: Vec<_> = result.attempts().iter().map(|attempt| attempt.error.is_some()).collect();
    assert_eq!(errors, [true, false]);
}
