//! The ids by which a reader of the stream recognises a record that it has seen before: which bytes of which generation
//! of a file it is.
//!
//! An id is `<origin>-<offset>-<length>`, such as `07c1f2a94be85d13-1048576-120`: the file's [`Origin`] in hex, the place
//! of the record's first byte, and how many bytes of the file the record is. The length is in it because a record may be
//! cut otherwise the second time (a last line that went on, a record of several lines that got one more): that is another
//! record, and dropping it would lose what is new in it.
//!
//! Invariants: different bytes of the files have different ids; the same ones have the same whenever they are read. A
//! record that cannot have its id is sent without it.

use std::fmt::Write as _;

use serde::de::IgnoredAny;

use crate::config::DedupIds;
use crate::types::Origin;

/// Bytes of the longest id.
pub const DEDUP_ID_BYTES: usize = 16 + 1 + 20 + 1 + 20;

/// Which bytes a record is.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The file's origin; `None` only where nobody has made one.
    pub origin: Option<Origin>,
    /// Where the record begins.
    pub offset: u64,
    /// How many bytes of the file it is.
    pub length: u64,
}

/// A record with its id, as far as it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identified<'a> {
    /// What is sent.
    pub data: &'a [u8],
    /// The id, where it does not stand in the data.
    pub tag: Option<&'a str>,
    /// It should have an id and has none.
    pub is_without: bool,
}

/// Gives one flow's records their ids. Its buffers are used again for each record.
#[derive(Debug)]
pub struct DedupIdWriter {
    form: Form,
    id: String,
    record: Vec<u8>,
}

#[derive(Debug)]
enum Form {
    None,
    Tag,
    /// What stands between the last member of an object and the id.
    Field(String),
}

impl DedupIdWriter {
    /// A writer of ids in this form.
    #[must_use]
    pub fn new(form: &DedupIds) -> Self {
        let form = match form {
            DedupIds::None => Form::None,
            DedupIds::Tag => Form::Tag,
            DedupIds::Field(name) => Form::Field(format!("{}:\"", serde_json::Value::from(name.as_str()))),
        };
        Self { form, id: String::new(), record: Vec::new() }
    }

    /// Gives a record its id. With it in the data the record is at most `limit` bytes; `is_whole`: it is no part of one.
    pub fn identify<'a>(
        &'a mut self,
        data: &'a [u8],
        place: Place,
        limit: usize,
        is_whole: bool,
    ) -> Identified<'a> {
        let without = Identified { data, tag: None, is_without: true };
        if matches!(self.form, Form::None) {
            return Identified { is_without: false, ..without };
        }
        let Place { origin: Some(origin), offset, length } = place else { return without };
        self.id.clear();
        // Writing to a String cannot fail.
        let _ = write!(self.id, "{origin}-{offset}-{length}");
        let Form::Field(before) = &self.form else {
            return Identified { tag: Some(&self.id), is_without: false, ..without };
        };
        let has_room = data.len() + before.len() + self.id.len() + 2 <= limit;
        if is_whole && has_room && add_member(data, before, &self.id, &mut self.record) {
            Identified { data: &self.record, tag: None, is_without: false }
        } else {
            without
        }
    }
}

/// Writes an object with one more member, a text without anything to escape; answers whether it is an object.
fn add_member(object: &[u8], before: &str, text: &str, output: &mut Vec<u8>) -> bool {
    let is_space = |byte: &u8| matches!(*byte, b' ' | b'\t' | b'\n' | b'\r');
    let first = object.iter().find(|byte| !is_space(byte));
    let Some(end) = object.iter().rposition(|byte| !is_space(byte)) else { return false };
    if first != Some(&b'{') || object[end] != b'}' || serde_json::from_slice::<IgnoredAny>(object).is_err() {
        return false;
    }
    // An object has a byte before its end that is no space: that of its last member, or its own first one.
    let last = object[..end].iter().rposition(|byte| !is_space(byte)).unwrap_or(0);
    output.clear();
    output.extend_from_slice(&object[..=last]);
    if object[last] != b'{' {
        output.push(b',');
    }
    for piece in [before.as_bytes(), text.as_bytes(), b"\"", &object[last + 1..]] {
        output.extend_from_slice(piece);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLACE: Place = Place { origin: Some(Origin(0x7c1)), offset: 40, length: 9 };
    const ID: &str = "00000000000007c1-40-9";

    #[test]
    fn without_ids_records_are_as_they_were() {
        let mut writer = DedupIdWriter::new(&DedupIds::None);
        let plain = Identified { data: b"{}", tag: None, is_without: false };
        assert_eq!(writer.identify(b"{}", PLACE, 100, true), plain);
    }

    #[test]
    fn a_tag_says_which_bytes_the_record_is() {
        let mut writer = DedupIdWriter::new(&DedupIds::Tag);
        for (data, is_whole) in [(&b"any\xFF"[..], true), (b"part", false)] {
            let tagged = Identified { data, tag: Some(ID), is_without: false };
            assert_eq!(writer.identify(data, PLACE, 0, is_whole), tagged);
        }
        assert!(writer.identify(b"x", Place { origin: None, ..PLACE }, 100, true).is_without);
        let farthest = Place { origin: Some(Origin(u64::MAX)), offset: u64::MAX, length: u64::MAX };
        let longest = writer.identify(b"x", farthest, 100, true).tag.expect("has one");
        assert_eq!(longest.len(), DEDUP_ID_BYTES);
        assert!(kpl::DedupId::new(longest).is_ok_and(|id| id.numbered().is_none()));
    }

    #[test]
    fn objects_get_a_member_and_everything_else_stays() {
        let mut writer = DedupIdWriter::new(&DedupIds::Field("i\"d".to_owned()));
        for (data, expected) in [
            ("{}", Some(r#"{"i\"d":"ID"}"#)),
            (" { }\r\n", Some(" {\"i\\\"d\":\"ID\" }\r\n")),
            (r#"{"a":1}"#, Some(r#"{"a":1,"i\"d":"ID"}"#)),
            ("{\n  \"a\" : \"}\"\n}\n", Some("{\n  \"a\" : \"}\",\"i\\\"d\":\"ID\"\n}\n")),
            ("{\"a\":{}}", Some(r#"{"a":{},"i\"d":"ID"}"#)),
            ("", None),
            ("}", None),
            ("{", None),
            (" \n", None),
            ("{a}", None),
            ("{\"a\":1,}", None),
            ("{}{}", None),
            ("{} x", None),
            ("[{}]", None),
            ("\"{}\"", None),
            ("12", None),
            ("line", None),
        ] {
            let identified = writer.identify(data.as_bytes(), PLACE, 1000, true);
            let text = String::from_utf8_lossy(identified.data).replace(ID, "ID");
            assert_eq!(
                (text.as_str(), identified.is_without),
                (expected.unwrap_or(data), expected.is_none())
            );
            assert_eq!(identified.tag, None);
        }
    }

    #[test]
    fn the_limit_counts_the_id_and_parts_have_none() {
        let mut writer = DedupIdWriter::new(&DedupIds::Field("id".to_owned()));
        let length = writer.identify(br#"{"a":1}"#, PLACE, 1000, true).data.len();
        for (limit, is_whole, has_id) in
            [(length, true, true), (length - 1, true, false), (1000, false, false)]
        {
            let identified = writer.identify(br#"{"a":1}"#, PLACE, limit, is_whole);
            assert_eq!(identified.is_without, !has_id, "{limit}");
            assert!(identified.data.len() <= limit);
        }
    }

    proptest! {
        #[test]
        fn what_was_an_object_is_one_with_its_id(
            members in proptest::collection::btree_map("[a-c]{0,2}", "[{}\",\\\\ \n]{0,4}", 0..4), pretty in any::<bool>(),
        ) {
            let mut expected = serde_json::json!(members);
            let text = if pretty { format!("{expected:#}\n") } else { expected.to_string() };
            let mut writer = DedupIdWriter::new(&DedupIds::Field("the id".to_owned()));
            let written = writer.identify(text.as_bytes(), PLACE, 1000, true);
            expected["the id"] = ID.into();
            prop_assert_eq!(serde_json::from_slice::<serde_json::Value>(written.data).unwrap(), expected);
        }

        #[test]
        fn any_bytes_come_out_as_they_were_or_as_an_object(bytes in "[{}\\[\\]\":,a1 \n\\\\]{0,20}") {
            let mut writer = DedupIdWriter::new(&DedupIds::Field("id".to_owned()));
            let written = writer.identify(bytes.as_bytes(), PLACE, 1000, true);
            let object = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&bytes).ok();
            prop_assert_eq!(written.is_without, object.is_none());
            prop_assert!(!written.is_without || written.data == bytes.as_bytes());
        }
    }
}
