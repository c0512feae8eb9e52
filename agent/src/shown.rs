//! Text of others as it is shown to people: names of files, what a service says, lines of logs.
//!
//! Invariant: what comes out is one line, and nothing in it is obeyed by a terminal or hides what stands beside it.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Characters that reorder or break a line without being control characters: the separators of lines and paragraphs, and
/// what changes the direction of writing (Unicode, UAX #9).
const DISGUISES: [std::ops::RangeInclusive<char>; 4] =
    ['\u{61C}'..='\u{61C}', '\u{200E}'..='\u{200F}', '\u{2028}'..='\u{202E}', '\u{2066}'..='\u{2069}'];

/// The text with each character escaped that is not to be shown as it is.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    escaped_except(text, &[])
}

/// The same, with exceptions.
#[must_use]
pub fn escaped_except<'a>(text: &'a str, exceptions: &[char]) -> Cow<'a, str> {
    let is_unsafe = |letter: char| is_unsafe(letter) && !exceptions.contains(&letter);
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            safe if !is_unsafe(safe) => shown.push(safe),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            other => {
                // Writing to a String does not fail.
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(other));
            }
        }
    }
    Cow::Owned(shown)
}

/// A path: bytes that are no UTF-8 are escaped, too, so that two names never look the same.
#[must_use]
pub fn path(path: &Path) -> String {
    bytes(path.as_os_str().as_bytes())
}

/// Any bytes, such as a line of a log.
#[must_use]
pub fn bytes(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        shown.push_str(&escaped(chunk.valid()));
        for byte in chunk.invalid() {
            // Writing to a String does not fail.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

/// The beginning of a line of somebody's log: enough to know it again.
#[must_use]
pub fn beginning(line: &[u8]) -> String {
    const BYTES: usize = 120;
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    if line.len() <= BYTES { bytes(line) } else { format!("{}...", bytes(&line[..BYTES])) }
}

/// JSON with the same characters escaped as JSON does it. They stand in its strings only.
#[must_use]
pub fn json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter != '\n' && is_unsafe(letter) {
            // All of them are in the plane that four digits reach. Writing to a String does not fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(letter));
        } else {
            shown.push(letter);
        }
    }
    shown
}

fn is_unsafe(letter: char) -> bool {
    letter.is_control() || DISGUISES.iter().any(|range| range.contains(&letter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    #[test]
    fn nothing_that_a_terminal_obeys_is_shown() {
        for (text, expected) in [
            ("app.log", "app.log"),
            ("größe 日志 🦀 \\d+", "größe 日志 🦀 \\d+"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{1b}[2J\u{7}\0\u{7f}", "\\u{1b}[2J\\u{7}\\u{0}\\u{7f}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\u{202e}gol.b\u{2028}", "a\\u{202e}gol.b\\u{2028}"),
        ] {
            assert_eq!(escaped(text), expected);
        }
        assert_eq!(escaped_except("\u{1b}[1m\n", &['\u{1b}']), "\u{1b}[1m\\n");
    }

    #[test]
    fn names_that_are_no_text_stay_different() {
        let shown = |name: &[u8]| path(Path::new(OsStr::from_bytes(name)));
        assert_eq!(shown(b"a\xFF\n"), "a\\xff\\n");
        assert_ne!(shown(b"a\xFF"), shown(b"a\xFE"));
        assert_eq!(beginning(&[b'x'; 200]).len(), 123);
        assert_eq!(beginning(b"a\r\n"), "a\\r");
    }

    #[test]
    fn json_means_the_same() {
        let text = serde_json::to_string("a\u{1b}\n\u{9b}\u{2028}ö").expect("is written");
        let shown = json(&text);
        assert!(!shown.contains(is_unsafe));
        assert_eq!(serde_json::from_str::<String>(&shown).expect("is read"), "a\u{1b}\n\u{9b}\u{2028}ö");
        assert_eq!(json("{\n  \"a\": 1\n}"), "{\n  \"a\": 1\n}");
    }
}
