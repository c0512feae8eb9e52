//! A reading position in a line, and the words that several log formats share.
//!
//! Invariant: it stops only at the beginning or behind the end of whole characters. Every `take` and `expect`
//! either moves on and succeeds, or ends the match; no format needs to step back except where it says so.

/// A reading position; copy it to try something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'l> {
    line: &'l str,
    at: usize,
}

impl<'l> Cursor<'l> {
    /// At the beginning of a line.
    pub(super) fn new(line: &'l str) -> Self {
        Self { line, at: 0 }
    }

    /// The next byte; none at the end.
    pub(super) fn peek(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }

    /// Moves over this text.
    pub(super) fn expect(&mut self, text: &str) -> Option<()> {
        let rest = self.line.as_bytes().get(self.at..)?;
        rest.starts_with(text.as_bytes()).then(|| self.at += text.len())
    }

    /// Moves over this text if it is there.
    pub(super) fn skip(&mut self, text: &str) -> bool {
        self.expect(text).is_some()
    }

    /// Moves over one or more bytes of an ASCII class.
    pub(super) fn take(&mut self, class: impl Fn(u8) -> bool) -> Option<&'l str> {
        let start = self.at;
        while self.peek().is_some_and(&class) {
            self.at += 1;
        }
        if self.at == start { None } else { self.line.get(start..self.at) }
    }

    /// Moves over one character.
    pub(super) fn take_char(&mut self) -> Option<char> {
        let letter = self.line.get(self.at..)?.chars().next()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    /// Everything between an earlier position and this one.
    pub(super) fn since(&self, earlier: &Self) -> Option<&'l str> {
        self.line.get(earlier.at..self.at)
    }

    /// The rest of the line, which must not contain another end of line.
    pub(super) fn rest(self) -> Option<&'l str> {
        self.line.get(self.at..).filter(|rest| !contains_line_end(rest))
    }

    /// `"..."` with at least one character inside, none of them a quote.
    pub(super) fn quoted(&mut self) -> Option<&'l str> {
        self.expect("\"")?;
        let rest = self.line.get(self.at..)?;
        let length = memchr::memchr(b'"', rest.as_bytes()).filter(|length| *length > 0)?;
        self.at += length + 1;
        rest.get(..length)
    }

    /// Digits with an optional sign, or a single `-`.
    pub(super) fn integer_or_dash(&mut self) -> Option<&'l str> {
        let start = *self;
        match self.integer() {
            Some(integer) => Some(integer),
            None => {
                *self = start;
                self.expect("-")?;
                self.since(&start)
            }
        }
    }

    /// Digits with an optional sign.
    pub(super) fn integer(&mut self) -> Option<&'l str> {
        let start = *self;
        let _ = self.skip("-") || self.skip("+");
        self.take(|byte| byte.is_ascii_digit())?;
        self.since(&start)
    }

    /// Digits.
    pub(super) fn digits(&mut self) -> Option<&'l str> {
        self.take(|byte| byte.is_ascii_digit())
    }

    /// Digits that do not begin with a zero.
    pub(super) fn positive_integer(&mut self) -> Option<&'l str> {
        self.digits().filter(|digits| !digits.starts_with('0'))
    }

    /// A host: labels of word characters and `-`, joined by dots, a dot at the end allowed; or digits and
    /// dots.
    pub(super) fn host(&mut self) -> Option<&'l str> {
        let host = self.take(|byte| is_word(byte) || matches!(byte, b'-' | b'.'))?;
        let labels = host.strip_suffix('.').unwrap_or(host);
        let is_name = || labels.split('.').all(|label| !label.is_empty());
        let is_number = || host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        (is_name() || is_number()).then_some(host)
    }

    /// A user name: letters, digits, `.`, `_` and `-`.
    pub(super) fn user(&mut self) -> Option<&'l str> {
        self.take(|byte| is_word(byte) || matches!(byte, b'-' | b'.'))
    }

    /// Letters, digits and `_`.
    pub(super) fn word(&mut self) -> Option<&'l str> {
        self.take(is_word)
    }

    /// One or more white-space characters.
    pub(super) fn white_space(&mut self) -> Option<()> {
        self.take(is_white_space).map(|_| ())
    }

    /// Exactly one white-space character.
    pub(super) fn one_white_space(&mut self) -> Option<()> {
        self.peek().filter(|byte| is_white_space(*byte))?;
        self.at += 1;
        Some(())
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_white_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

fn contains_line_end(text: &str) -> bool {
    if text.is_ascii() {
        memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_some()
    } else {
        text.contains(is_line_end)
    }
}

/// The ends of line that Java knows and "any character" of a pattern therefore leaves out.
pub(super) fn is_line_end(letter: char) -> bool {
    matches!(letter, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
