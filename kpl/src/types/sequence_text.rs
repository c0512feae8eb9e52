//! A text that stands where it is used if it is as short as Kinesis's sequence numbers are, and is shared if not.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use arrayvec::ArrayString;

/// Digits of a sequence number.
const SHORT_BYTES: usize = 56;

/// The text.
#[derive(Clone)]
pub(super) enum SequenceText {
    Short(ArrayString<SHORT_BYTES>),
    Long(Arc<str>),
}

impl From<&str> for SequenceText {
    fn from(text: &str) -> Self {
        ArrayString::from(text).map_or_else(|_| Self::Long(text.into()), Self::Short)
    }
}

impl From<String> for SequenceText {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl Deref for SequenceText {
    type Target = str;
    fn deref(&self) -> &str {
        match self {
            Self::Short(text) => text,
            Self::Long(text) => text,
        }
    }
}

impl PartialEq for SequenceText {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for SequenceText {}

impl PartialOrd for SequenceText {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SequenceText {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl Hash for SequenceText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_length() {
        for length in [0, 1, SHORT_BYTES, SHORT_BYTES + 1, 300] {
            let text = "7".repeat(length);
            let made = [SequenceText::from(text.as_str()), text.clone().into()];
            assert!(made.iter().all(|made| **made == *text), "{length}");
            assert_eq!(matches!(made[0], SequenceText::Long(_)), length > SHORT_BYTES);
        }
        assert!(SequenceText::from("b") > SequenceText::from("a".repeat(100)));
        assert!(size_of::<SequenceText>() <= 64);
    }
}
