//! The answer to a call as the service gives it nearly always: everything is stored, and nothing stands in it that is not
//! expected. Reading only that takes a third of the time.
//!
//! Invariant: what is read here would be read alike by [`response_of`](super::response_of); all else is left to it.

use memchr::memchr;

use crate::limits::ENTRIES_PER_REQUEST;
use crate::put_records::{EntryError, EntryPlaced};

/// What is left to read. Each step answers `None` where something else stands.
struct Rest<'a>(&'a str);

/// The results of an answer in which every entry is stored, if that is all that it says.
pub(super) fn all_stored(body: &str) -> Option<Vec<Result<EntryPlaced, EntryError>>> {
    let mut rest = Rest(body);
    rest.skip("{")?;
    while rest.side_member().is_some() {
        rest.skip(",")?;
    }
    rest.skip("\"Records\":[")?;
    // An entry has 56 digits, 20 bytes of a shard's id, and their names.
    let mut entries = Vec::with_capacity((rest.0.len() / 110 + 1).min(ENTRIES_PER_REQUEST));
    loop {
        if entries.len() == ENTRIES_PER_REQUEST {
            return None;
        }
        entries.push(Ok(rest.placed()?));
        if rest.skip(",").is_none() {
            break;
        }
    }
    rest.skip("]")?;
    while rest.skip(",").is_some() {
        rest.side_member()?;
    }
    (rest.0 == "}").then_some(entries)
}

impl<'a> Rest<'a> {
    fn skip(&mut self, expected: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    /// A text in which nothing is escaped.
    fn text(&mut self) -> Option<&'a str> {
        self.skip("\"")?;
        let (text, rest) = self.0.split_at(memchr(b'"', self.0.as_bytes())?);
        if text.bytes().any(|byte| byte == b'\\' || byte < b' ') {
            return None;
        }
        self.0 = rest;
        self.skip("\"")?;
        Some(text)
    }

    fn placed(&mut self) -> Option<EntryPlaced> {
        self.skip("{\"SequenceNumber\":")?;
        let sequence_number = self.text().filter(|text| !text.is_empty())?.into();
        self.skip(",\"ShardId\":")?;
        let shard_id = self.text().filter(|text| !text.is_empty())?.into();
        self.skip("}")?;
        Some(EntryPlaced { sequence_number, shard_id })
    }

    /// A member of the answer that says nothing of single entries.
    fn side_member(&mut self) -> Option<()> {
        if self.skip("\"FailedRecordCount\":0").is_some() {
            return Some(());
        }
        self.skip("\"EncryptionType\":")?;
        self.text().map(|_| ())
    }
}
