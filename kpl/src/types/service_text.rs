//! A text from outside: an error code or message of the service, a proxy, or the network.
//!
//! Invariant: it is at most [`ServiceText::MAX_BYTES`] long and holds nothing that acts on a terminal or breaks a log
//! line, whatever was received.

use std::fmt;
use std::ops::Deref;

use smol_str::SmolStr;

/// A text of the service, such as an error message: at most 1 KiB, without control characters. Cloning copies a
/// pointer.
///
/// Longer texts are cut at a character boundary and end in `…`. Control characters, line separators and marks that turn
/// the direction of writing are replaced by spaces.
///
/// ```
/// use kpl::ServiceText;
///
/// let message = ServiceText::from("no such stream\r\n\u{1b}[2J");
/// assert_eq!(message, "no such stream   [2J");
/// assert!(ServiceText::from("x".repeat(100_000)).len() <= ServiceText::MAX_BYTES);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ServiceText(SmolStr);

/// Says that a text was cut.
const CUT: &str = "…";

impl ServiceText {
    /// Bytes of the longest text that is kept.
    pub const MAX_BYTES: usize = 1024;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ServiceText {
    fn from(text: &str) -> Self {
        if text.len() <= Self::MAX_BYTES && !text.contains(is_harmful) {
            return Self(text.into());
        }
        let (kept, end) = if text.len() > Self::MAX_BYTES {
            (text.floor_char_boundary(Self::MAX_BYTES - CUT.len()), CUT)
        } else {
            (text.len(), "")
        };
        let clean = |character| if is_harmful(character) { ' ' } else { character };
        Self(text[..kept].chars().map(clean).chain(end.chars()).collect())
    }
}

/// Control characters, separators of lines and paragraphs, and the marks of the bidirectional algorithm (Unicode
/// Standard Annex 9), by which a text can look like another one.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl From<String> for ServiceText {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl Deref for ServiceText {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for ServiceText {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for ServiceText {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for ServiceText {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<ServiceText> for &str {
    fn eq(&self, other: &ServiceText) -> bool {
        *self == other.as_str()
    }
}

impl fmt::Display for ServiceText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), formatter)
    }
}

impl fmt::Debug for ServiceText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_clean_texts_stay_as_they_are() {
        for text in ["", "InternalFailure", "Größe 512 KiB überschritten", &"é".repeat(512)] {
            assert_eq!(ServiceText::from(text), *text);
        }
    }

    #[test]
    fn a_text_of_100_kb_is_cut_at_a_character_boundary_and_says_so() {
        for filler in ["x", "é", "…", "😀"] {
            let text = ServiceText::from(filler.repeat(100_000));
            assert!(
                text.len() <= ServiceText::MAX_BYTES && text.len() > ServiceText::MAX_BYTES - 4,
                "{filler}"
            );
            assert!(text.ends_with(CUT), "{filler}");
        }
    }

    #[test]
    fn a_text_cannot_forge_a_log_line_or_drive_a_terminal() {
        let text = ServiceText::from("no\r\nERROR forged\u{1b}[31m\u{0}\u{85}\u{2028}\u{202e}end");
        assert_eq!(text, "no  ERROR forged [31m    end");
    }

    #[test]
    fn clones_share_a_long_text() {
        let text = ServiceText::from("x".repeat(500));
        assert!(std::ptr::eq(text.as_str(), text.clone().as_str()));
    }

    proptest! {
        #[test]
        fn whatever_is_received_is_bounded_and_clean(text in "\\PC{0,40}|.{0,400}", times in 1..60_usize) {
            let received = text.repeat(times);
            let kept = ServiceText::from(received.as_str());
            prop_assert!(kept.len() <= ServiceText::MAX_BYTES);
            prop_assert!(!kept.contains(is_harmful));
            if received.len() <= ServiceText::MAX_BYTES {
                prop_assert_eq!(kept.chars().count(), received.chars().count());
            }
        }
    }
}
