//! The id by which a consumer recognises a record that it has seen before.
//!
//! Invariant: a [`DedupId`] has 1 to 128 bytes; every [`NumberedId`] has exactly one text.

use std::fmt;
use std::str::FromStr;

use smol_str::SmolStr;

/// Bytes of a dedup id, at least 1.
pub const DEDUP_ID_BYTES: usize = 128;

/// Bytes of a producer id, at least 1.
pub(crate) const PRODUCER_ID_BYTES: usize = 64;

/// Bytes of the text of the largest [`NumberedId`]: the mark, a producer id with its incarnation, a sequence number.
pub(crate) const NUMBERED_ID_BYTES: usize = 1 + PRODUCER_ID_BYTES + 1 + DIGITS + 1 + DIGITS;

/// What the text of a [`NumberedId`] begins with.
const MARK: char = '~';

/// Digits of the largest `u64` in base 36.
const DIGITS: usize = 13;

/// What a record is recognised by when it arrives twice: the producer's own numbering, or an id of the caller's.
///
/// 1 to 128 bytes of text; up to 23 of them are held without an allocation. A text that begins with `~` is read as a
/// [`NumberedId`] where it has that form; both kinds are compared as they are.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DedupId(SmolStr);

/// Text that is no dedup id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the dedup id has {bytes} bytes: give 1 to 128")]
pub struct InvalidDedupId {
    /// How many it has.
    pub bytes: usize,
}

/// The id that a producer gives by itself: which life of which producer, and the how-manieth record of its stream.
///
/// As text `~<producer>-<sequence>`, the sequence number in base 36 without leading zeros, such as
/// `~orders.2v8k1x0q9f3ab-1f`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberedId<'a> {
    /// The producer's name and its incarnation. A producer that was started again is another one here.
    pub producer: &'a str,
    /// Counted from 0, without gaps, for each stream in the order in which its records were accepted.
    pub sequence: u64,
}

/// A numbered id's text on the stack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NumberedText {
    bytes: [u8; NUMBERED_ID_BYTES],
    length: usize,
}

// === impl DedupId ===

impl DedupId {
    /// Checks and takes a text.
    ///
    /// # Errors
    ///
    /// [`InvalidDedupId`] when it is empty or longer than 128 bytes.
    pub fn new(text: &str) -> Result<Self, InvalidDedupId> {
        check(text)?;
        Ok(Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The producer and sequence number, where a producer gave this id by itself.
    #[must_use]
    pub fn numbered(&self) -> Option<NumberedId<'_>> {
        NumberedId::parse(&self.0)
    }
}

/// Whether `text` can be a dedup id.
pub(crate) fn check(text: &str) -> Result<(), InvalidDedupId> {
    match text.len() {
        1..=DEDUP_ID_BYTES => Ok(()),
        bytes => Err(InvalidDedupId { bytes }),
    }
}

impl FromStr for DedupId {
    type Err = InvalidDedupId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl fmt::Display for DedupId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for DedupId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

// === impl NumberedId ===

impl<'a> NumberedId<'a> {
    /// Reads the one text that an id of this kind has; `None` for every other text.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (producer, digits) = text.strip_prefix(MARK)?.rsplit_once('-')?;
        let canonical = digits == "0" || !digits.starts_with('0');
        let lawful = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
        if producer.is_empty() || digits.is_empty() || !canonical || !digits.bytes().all(lawful) {
            return None;
        }
        Some(Self { producer, sequence: u64::from_str_radix(digits, 36).ok()? })
    }

    /// The text, without an allocation. A producer that is too long is cut.
    pub(crate) fn text(self) -> NumberedText {
        let mut text = NumberedText { bytes: [0; NUMBERED_ID_BYTES], length: 0 };
        text.push(MARK as u8);
        let room = NUMBERED_ID_BYTES - 2 - DIGITS;
        self.producer.bytes().take(room).for_each(|byte| text.push(byte));
        text.push(b'-');
        let (digits, start) = base_36(self.sequence);
        digits[start..].iter().for_each(|&digit| text.push(digit));
        text
    }
}

impl NumberedText {
    pub(crate) fn as_str(&self) -> &str {
        // Only ASCII is pushed: producer ids are checked when the producer is started.
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }

    fn push(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }
}

/// A number in base 36: its digits stand from the index given to the end.
pub(crate) fn base_36(mut number: u64) -> ([u8; DIGITS], usize) {
    let (mut digits, mut start) = ([0; DIGITS], DIGITS);
    loop {
        start -= 1;
        digits[start] = b"0123456789abcdefghijklmnopqrstuvwxyz"[(number % 36) as usize];
        number /= 36;
        if number == 0 {
            return (digits, start);
        }
    }
}

/// The name under which one life of a producer numbers its records: what it is called, if anything, and a random
/// part. Without the random part a producer that was started again would use its old numbers for new records, and
/// consumers would drop those.
pub(crate) fn incarnation(producer_id: Option<&str>, random: u64) -> String {
    let (digits, start) = base_36(random);
    let mut name = producer_id.map(|name| format!("{name}.")).unwrap_or_default();
    name.extend(digits[start..].iter().map(|&digit| char::from(digit)));
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_lawful_lengths_pass() {
        for (text, lawful) in
            [("", false), ("x", true), (&*"x".repeat(128), true), (&*"x".repeat(129), false)]
        {
            assert_eq!(DedupId::new(text).is_ok(), lawful, "{} bytes", text.len());
        }
    }

    #[test]
    fn only_the_one_text_of_a_numbered_id_is_read_as_one() {
        for text in
            ["~p-", "~-1", "~p", "p-1", "~p-01", "~p-1A", "~p-+1", "~p-3w5e11264sgsg", "", "~", "~p-é"]
        {
            assert_eq!(NumberedId::parse(text), None, "{text}");
        }
        assert_eq!(NumberedId::parse("~a-b-10"), Some(NumberedId { producer: "a-b", sequence: 36 }));
        assert_eq!(NumberedId::parse("~p-3w5e11264sgsf").map(|id| id.sequence), Some(u64::MAX));
    }

    #[test]
    fn the_longest_numbered_id_is_a_lawful_one() {
        let producer = incarnation(Some(&"p".repeat(PRODUCER_ID_BYTES)), u64::MAX);
        let text = NumberedId { producer: &producer, sequence: u64::MAX }.text();
        assert_eq!(text.as_str().len(), NUMBERED_ID_BYTES);
        assert_eq!(NumberedId::parse(text.as_str()).map(|id| id.producer), Some(producer.as_str()));
        assert!(DedupId::new(text.as_str()).is_ok());
    }

    proptest! {
        #[test]
        fn numbered_ids_survive_their_text(producer in "[a-z0-9._-]{1,70}", sequence in any::<u64>()) {
            let id = NumberedId { producer: &producer, sequence };
            let text = id.text();
            prop_assert_eq!(NumberedId::parse(text.as_str()), Some(id));
        }

        #[test]
        fn no_two_texts_mean_the_same_numbered_id(text in "~[a-b-]{0,3}-[0-9a-c]{0,4}") {
            if let Some(id) = NumberedId::parse(&text) {
                prop_assert_eq!(id.text().as_str().to_owned(), text);
            }
        }
    }
}
