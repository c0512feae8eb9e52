//! Walks JSON text down to a path.
//!
//! Invariant: reads text that has been parsed before (comments blanked); on anything unexpected it gives up
//! instead of guessing. Of a key given twice the last one is found, because the last one counts.

use crate::config::path::Step;
use crate::config::problem::Position;

/// A reading position in the text.
#[derive(Debug, Clone, Copy)]
struct Walker<'t> {
    text: &'t str,
    at: usize,
}

/// The position of the key or the item at the end of `steps`.
pub(super) fn find(text: &str, steps: &[Step]) -> Option<Position> {
    let offset = Walker { text, at: 0 }.descend(steps)?;
    let before = text.get(..offset)?;
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    Some(Position { line, column: before[line_start..].chars().count() + 1 })
}

impl Walker<'_> {
    /// The offset of the value at the end of `steps`, or of its key if the last step is a key.
    fn descend(mut self, steps: &[Step]) -> Option<usize> {
        self.skip_space();
        match steps.split_first() {
            None => Some(self.at),
            Some((Step::Key(name), rest)) => self.descend_member(name, rest),
            Some((Step::Index(index), rest)) => self.descend_item(*index, rest),
        }
    }

    fn descend_member(mut self, name: &str, rest: &[Step]) -> Option<usize> {
        self.expect(b'{')?;
        let mut found = None;
        while self.peek()? != b'}' {
            let key_at = self.at;
            self.skip_string()?;
            let key: String = serde_json::from_str(&self.text[key_at..self.at]).ok()?;
            self.skip_space();
            self.expect(b':')?;
            if key == name {
                found = if rest.is_empty() { Some(key_at) } else { self.descend(rest) };
            }
            self.skip_value()?;
            self.skip_comma();
        }
        found
    }

    fn descend_item(mut self, index: usize, rest: &[Step]) -> Option<usize> {
        self.expect(b'[')?;
        for _ in 0..index {
            self.skip_value()?;
            self.skip_comma();
        }
        if self.peek()? == b']' { None } else { self.descend(rest) }
    }

    fn skip_value(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                b'"' => self.skip_string()?,
                b',' | b':' if depth > 0 => self.at += 1,
                _ => self.skip_word(),
            }
            self.skip_space();
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn skip_string(&mut self) -> Option<()> {
        self.expect_here(b'"')?;
        loop {
            match self.byte()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(())
    }

    /// A number, `true`, `false` or `null`; always at least one byte.
    fn skip_word(&mut self) {
        self.at += 1;
        while self.byte().is_some_and(|byte| !b",:{}[]\"".contains(&byte) && !byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn skip_comma(&mut self) {
        self.skip_space();
        if self.byte() == Some(b',') {
            self.at += 1;
        }
        self.skip_space();
    }

    fn skip_space(&mut self) {
        while self.byte().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.byte()
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        self.skip_space();
        self.expect_here(wanted)?;
        self.skip_space();
        Some(())
    }

    fn expect_here(&mut self, wanted: u8) -> Option<()> {
        (self.byte()? == wanted).then(|| self.at += 1)
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}
