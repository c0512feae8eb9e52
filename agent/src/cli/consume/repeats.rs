//! What `consume --dedup` leaves out: records that were seen before.
//!
//! One window for all shards, because a record that is read again after a crash may get another partition key. Invariant:
//! a record without an id is never left out.

use std::fmt;
use std::num::NonZeroU32;

use kpl::DedupId;
use kpl::dedup::{DedupWindow, DedupWindowSize, Sighting};
use serde_json::Value;

use crate::stream_reader::ConsumedRecord;

/// Knows what was printed, and counts.
#[derive(Debug)]
pub(super) struct Repeats {
    window: DedupWindow,
    field: Option<String>,
    left_out: u64,
    without_id: u64,
    too_old: u64,
}

impl Repeats {
    /// Reads ids from tags, and from this member of JSON objects that have none there.
    pub(super) fn new(field: Option<String>, ids: NonZeroU32) -> Self {
        let size = DedupWindowSize { ids: ids.get(), ..DedupWindowSize::default() };
        Self { window: DedupWindow::new(size), field, left_out: 0, without_id: 0, too_old: 0 }
    }

    /// Whether a record is to be left out.
    pub(super) fn is_repeat(&mut self, record: &ConsumedRecord) -> bool {
        let Some(id) = record.dedup_id.clone().or_else(|| self.id_in(&record.data)) else {
            self.without_id += 1;
            return false;
        };
        let sighting = self.window.note(&id);
        self.left_out += u64::from(sighting == Sighting::Repeat);
        self.too_old += u64::from(sighting == Sighting::TooOld);
        sighting == Sighting::Repeat
    }

    fn id_in(&self, data: &[u8]) -> Option<DedupId> {
        let object: serde_json::Map<String, Value> = serde_json::from_slice(data).ok()?;
        DedupId::new(object.get(self.field.as_ref()?)?.as_str()?).ok()
    }
}

impl fmt::Display for Repeats {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { left_out, without_id, too_old, .. } = self;
        write!(formatter, "repeats left out: {left_out}; printed without an id: {without_id}")?;
        if *too_old > 0 {
            write!(
                formatter,
                "; printed though perhaps repeats, older than what a producer's window reaches: {too_old}"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn record(tag: &str, data: &'static str) -> ConsumedRecord {
        ConsumedRecord {
            data: Bytes::from_static(data.as_bytes()),
            partition_key: "key".into(),
            explicit_hash_key: None,
            shard_id: "shardId-000000000001".into(),
            sequence_number: "49".into(),
            sub_sequence_number: None,
            approximate_arrival: None,
            dedup_id: DedupId::new(tag).ok(),
        }
    }

    fn repeats(field: Option<&str>, records: &[(&str, &'static str)]) -> (Vec<bool>, String) {
        let mut repeats = Repeats::new(field.map(str::to_owned), NonZeroU32::new(2).expect("is 2"));
        let seen = records.iter().map(|(tag, data)| repeats.is_repeat(&record(tag, data))).collect();
        (seen, repeats.to_string())
    }

    #[test]
    fn what_has_a_known_tag_is_left_out() {
        let (seen, said) = repeats(None, &[("a", "1"), ("", "1"), ("a", "1"), ("b", "1"), ("", "1")]);
        assert_eq!(seen, [false, false, true, false, false]);
        assert_eq!(said, "repeats left out: 1; printed without an id: 2");
    }

    #[test]
    fn the_window_is_bounded() {
        let (seen, _) = repeats(None, &[("a", ""), ("b", ""), ("c", ""), ("a", ""), ("c", "")]);
        assert_eq!(seen, [false, false, false, false, true]);
    }

    #[test]
    fn an_id_may_stand_in_the_record() {
        let object = r#"{"a":1,"id":"x"}"#;
        let (seen, said) = repeats(
            Some("id"),
            &[
                ("", object),
                ("", object),
                ("y", object),
                ("y", ""),
                ("", r#"{"id":7}"#),
                ("", "[]"),
                ("", "x"),
            ],
        );
        assert_eq!(seen, [false, true, false, true, false, false, false]);
        assert_eq!(said, "repeats left out: 2; printed without an id: 3");
        assert_eq!(repeats(None, &[("", object), ("", object)]).0, [false, false]);
    }
}
