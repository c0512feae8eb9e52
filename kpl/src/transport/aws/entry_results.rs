//! What an answer says of a call's single entries.
//!
//! Invariant: an entry is stored only when the answer says where and says nothing else; the texts of one answer's errors
//! take a bounded amount of memory, however many entries they stand in.

use crate::put_records::{EntryError, EntryPlaced, RESPONSE_UNREADABLE};
use crate::types::{SequenceNumber, ServiceText, ShardId};

/// The words of one result, as they were received. An empty text counts as one that is missing.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) sequence_number: Option<SequenceNumber>,
    pub(super) shard_id: Option<ShardId>,
    pub(super) error_code: Option<ServiceText>,
    pub(super) error_message: Option<ServiceText>,
}

/// Reads the results of one answer.
#[derive(Debug)]
pub(super) struct EntryResults {
    shards: Shards,
    texts: ErrorTexts,
}

/// Whether the service names the shard that took an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shards {
    Named,
    #[cfg(feature = "firehose")]
    Unknown,
}

/// The distinct texts of an answer's errors, to be shared by the entries.
#[derive(Debug, Default)]
struct ErrorTexts {
    /// The latest ones; in most answers there are one or two.
    latest: [ServiceText; 8],
    next: usize,
    bytes: usize,
}

/// Bytes of distinct error texts that are kept of one answer: enough for 500 throttled entries of as many shards.
const TEXT_BYTES: usize = 128 << 10;

/// In the place of messages for which there is no room.
const LEFT_OUT: &str = "(left out: the error messages of this answer are too long)";

impl EntryResults {
    /// For PutRecords: a stored entry has a sequence number and a shard.
    pub(super) fn of_put_records() -> Self {
        Self { shards: Shards::Named, texts: ErrorTexts::default() }
    }

    /// For PutRecordBatch: a stored entry has a record id.
    #[cfg(feature = "firehose")]
    pub(super) fn of_put_record_batch() -> Self {
        Self { shards: Shards::Unknown, texts: ErrorTexts::default() }
    }

    /// One result. Results that contradict themselves are errors under the code `ResponseUnreadable`.
    pub(super) fn read(&mut self, received: Received) -> Result<EntryPlaced, EntryError> {
        let number = received.sequence_number.filter(|number| !number.as_str().is_empty());
        let shard_id = received.shard_id.filter(|shard_id| !shard_id.as_str().is_empty());
        let code = received.error_code.filter(|code| !code.is_empty());
        let message = received.error_message.filter(|message| !message.is_empty());
        match (number, shard_id, code, message) {
            (Some(sequence_number), Some(shard_id), None, None) => {
                Ok(EntryPlaced { shard_id, sequence_number })
            }
            #[cfg(feature = "firehose")]
            (Some(sequence_number), None, None, None) if self.shards == Shards::Unknown => {
                Ok(EntryPlaced { shard_id: "".into(), sequence_number })
            }
            (None, _, Some(code), message) => Err(self.error(code, message.unwrap_or_default())),
            (None, _, None, message) => {
                let message = message.unwrap_or_default();
                Err(self.unreadable(&format!("neither a sequence number nor an error code {message}")))
            }
            (Some(number), _, None, None) => {
                Err(self.unreadable(&format!("sequence number {number} and no shard")))
            }
            (Some(number), _, code, message) => {
                let (code, message) = (code.unwrap_or_default(), message.unwrap_or_default());
                Err(self.unreadable(&format!("sequence number {number} and an error: {code}: {message}")))
            }
        }
    }

    fn unreadable(&mut self, what: &str) -> EntryError {
        let message = format!("the result of this entry has {}; it counts as not stored", what.trim_end());
        self.error(RESPONSE_UNREADABLE.into(), message.into())
    }

    fn error(&mut self, code: ServiceText, message: ServiceText) -> EntryError {
        EntryError { code: self.texts.shared(code), message: self.texts.shared(message) }
    }
}

impl ErrorTexts {
    /// The same text, in memory that the entries before may have, too.
    fn shared(&mut self, text: ServiceText) -> ServiceText {
        if let Some(known) = self.latest.iter().find(|known| **known == text) {
            return known.clone();
        }
        let text = if self.bytes + text.len() > TEXT_BYTES { LEFT_OUT.into() } else { text };
        self.bytes += text.len();
        self.latest[self.next] = text.clone();
        self.next = (self.next + 1) % self.latest.len();
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(number: &str, shard: &str, code: &str, message: &str) -> Received {
        Received {
            sequence_number: Some(number.into()),
            shard_id: Some(shard.into()),
            error_code: Some(code.into()),
            error_message: Some(message.into()),
        }
    }

    fn code_of(received: Received) -> Option<ServiceText> {
        EntryResults::of_put_records().read(received).err().map(|error| error.code)
    }

    #[test]
    fn stored_is_what_has_a_number_and_a_shard_and_no_error() {
        let placed = EntryPlaced { sequence_number: "49".into(), shard_id: "s0".into() };
        assert_eq!(EntryResults::of_put_records().read(received("49", "s0", "", "")), Ok(placed));
        for (number, shard, code, message, expected) in [
            ("49", "s0", "InternalFailure", "", RESPONSE_UNREADABLE),
            ("49", "s0", "", "no", RESPONSE_UNREADABLE),
            ("49", "", "", "", RESPONSE_UNREADABLE),
            ("", "s0", "", "", RESPONSE_UNREADABLE),
            ("", "", "", "", RESPONSE_UNREADABLE),
            ("", "", "", "no", RESPONSE_UNREADABLE),
            ("", "", "InternalFailure", "no", "InternalFailure"),
            ("", "s0", "InternalFailure", "", "InternalFailure"),
        ] {
            let code = code_of(received(number, shard, code, message));
            assert_eq!(code.as_deref(), Some(expected), "{number:?} {shard:?} {code:?} {message:?}");
        }
        assert_eq!(code_of(Received::default()).as_deref(), Some(RESPONSE_UNREADABLE));
    }

    #[cfg(feature = "firehose")]
    #[test]
    fn firehose_names_no_shard() {
        let read = |received| EntryResults::of_put_record_batch().read(received);
        assert!(read(received("id", "", "", "")).is_ok());
        assert!(read(received("id", "", "ServiceUnavailableException", "")).is_err());
        assert!(read(received("", "", "", "")).is_err());
    }

    #[test]
    fn entries_share_the_texts_of_their_errors() {
        let mut results = EntryResults::of_put_records();
        let message = "x".repeat(500);
        let errors: Vec<_> = (0..500)
            .map(|_| results.read(received("", "", "InternalFailure, as they say", &message)))
            .map(|result| result.expect_err("an error"))
            .collect();
        for error in &errors {
            assert!(std::ptr::eq(error.message.as_str(), errors[0].message.as_str()));
            assert!(std::ptr::eq(error.code.as_str(), errors[0].code.as_str()));
        }
    }

    #[test]
    fn a_long_text_for_each_entry_takes_bounded_memory() {
        let mut results = EntryResults::of_put_records();
        let (mut bytes, mut left_out) = (0, 0);
        for number in 0..500 {
            let message = format!("{number} {}", "x".repeat(100_000));
            let error = results.read(received("", "", "InternalFailure", &message)).expect_err("an error");
            match &*error.message {
                LEFT_OUT => left_out += 1,
                message => bytes += message.len(),
            }
        }
        assert!(bytes <= TEXT_BYTES && bytes > TEXT_BYTES / 2, "{bytes}");
        assert!(left_out > 300, "{left_out}");
    }
}
