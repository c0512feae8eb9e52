//! Records that do not have the format of the flow's converter and are not sent: one of them, to be shown.

use std::path::PathBuf;

use super::Flow;

/// Bytes of a record that are shown.
const SHOWN_BYTES: usize = 200;

/// The first record that was left out since the last one that was taken to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched {
    /// Its file.
    pub path: PathBuf,
    /// Where it begins there.
    pub offset: u64,
    /// Its first bytes, without the newline.
    pub beginning: String,
    /// Whether there are more than these.
    pub is_cut: bool,
}

impl Unmatched {
    pub(super) fn new(path: PathBuf, offset: u64, record: &[u8]) -> Self {
        let record = record.trim_ascii_end();
        let shown = &record[..record.len().min(SHOWN_BYTES)];
        let beginning = String::from_utf8_lossy(shown).into_owned();
        Self { path, offset, beginning, is_cut: shown.len() < record.len() }
    }
}

impl Flow {
    /// Whether there is one to be shown.
    #[must_use]
    pub fn has_unmatched(&self) -> bool {
        self.unmatched.is_some()
    }

    /// Takes it; the next one that is left out is noted again.
    pub fn take_unmatched(&mut self) -> Option<Unmatched> {
        self.unmatched.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_short() {
        for (record, beginning, is_cut) in [
            (&b"one\r\n"[..], "one".to_owned(), false),
            (&[b'x'; SHOWN_BYTES][..], "x".repeat(SHOWN_BYTES), false),
            (&[b'x'; SHOWN_BYTES + 1][..], "x".repeat(SHOWN_BYTES), true),
            (b"\xFF\n", "\u{FFFD}".to_owned(), false),
        ] {
            let unmatched = Unmatched::new("/log/a".into(), 7, record);
            assert_eq!((unmatched.beginning, unmatched.is_cut), (beginning, is_cut), "{record:?}");
        }
    }
}
