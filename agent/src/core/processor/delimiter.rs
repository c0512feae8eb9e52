//! Splits a line into columns as Java's `String.split` does.
//!
//! Invariant: the result is Java's, trailing empty columns removed and all; delimiters without
//! regular-expression syntax take a fast path.

use std::ops::Range;

use memchr::memmem::Finder;
use regex::bytes::Regex;

use crate::config::java_pattern::{self, PatternError};

/// What stands between two columns.
#[derive(Debug)]
pub(super) enum Delimiter {
    /// One ASCII character.
    Byte(u8),
    /// A fixed text.
    Literal(Box<Finder<'static>>),
    /// A regular expression.
    Pattern(Regex),
}

impl Delimiter {
    /// Compiles the regular expression of a configuration.
    pub(super) fn new(pattern: &str) -> Result<Self, PatternError> {
        Ok(match literal(pattern) {
            Some(text) => match text.as_bytes() {
                [byte] => Self::Byte(*byte),
                bytes => Self::Literal(Box::new(Finder::new(bytes).into_owned())),
            },
            None => Self::Pattern(java_pattern::compile(pattern)?),
        })
    }

    /// Replaces the contents of `columns` by the columns of `line`.
    pub(super) fn split(&self, line: &str, columns: &mut Vec<Range<usize>>) {
        columns.clear();
        let bytes = line.as_bytes();
        let mut start = 0;
        let mut cut = |separator: Range<usize>| {
            columns.push(start..separator.start);
            start = separator.end;
        };
        match self {
            Self::Byte(byte) => memchr::memchr_iter(*byte, bytes).for_each(|at| cut(at..at + 1)),
            Self::Literal(finder) => {
                let length = finder.needle().len();
                finder.find_iter(bytes).for_each(|at| cut(at..at + length));
            }
            Self::Pattern(pattern) => find_as_java(pattern, line, cut),
        }
        columns.push(start..line.len());
        remove_trailing_empty(columns);
    }
}

/// Without a separator the whole line is the only column, even if it is empty.
fn remove_trailing_empty(columns: &mut Vec<Range<usize>>) {
    if columns.len() > 1 {
        let kept = columns.iter().rposition(|column| !column.is_empty()).map_or(0, |last| last + 1);
        columns.truncate(kept);
    }
}

/// Java's search differs from the regex crate's iterator: an empty match may follow directly on another
/// match. And its split ignores an empty match at the very beginning.
fn find_as_java(pattern: &Regex, line: &str, mut found: impl FnMut(Range<usize>)) {
    let mut from = 0;
    while from <= line.len() {
        let Some(separator) = pattern.find_at(line.as_bytes(), from).map(|found| found.range()) else {
            return;
        };
        let whole_letters = line.is_char_boundary(separator.start) && line.is_char_boundary(separator.end);
        if whole_letters && separator.end > 0 {
            found(separator.clone());
        }
        let step = if separator.is_empty() { 1 } else { 0 };
        from = line.ceil_char_boundary(separator.end.saturating_add(step)).max(separator.end + step);
    }
}

/// The text that a pattern stands for, if it has no regular-expression syntax but escapes.
fn literal(pattern: &str) -> Option<String> {
    let mut text = String::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        text.push(match letter {
            '\\' => match letters.next()? {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                'f' => '\u{c}',
                escaped if escaped.is_ascii_punctuation() || escaped == ' ' => escaped,
                _ => return None,
            },
            '.' | '$' | '|' | '(' | ')' | '[' | ']' | '{' | '}' | '^' | '?' | '*' | '+' => return None,
            plain => plain,
        });
    }
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split<'l>(pattern: &str, line: &'l str) -> Vec<&'l str> {
        let mut columns = Vec::new();
        Delimiter::new(pattern).unwrap().split(line, &mut columns);
        columns.into_iter().map(|column| &line[column]).collect()
    }

    #[test]
    fn splits_as_java_does() {
        let table: [(&str, &str, &[&str]); 22] = [
            (",", "a,b", &["a", "b"]),
            (",", "", &[""]),
            (",", ",", &[]),
            (",", ",,", &[]),
            (",", "a,,", &["a"]),
            (",", "a,,b", &["a", "", "b"]),
            (",", ",b", &["", "b"]),
            ("\\t", "a\tb", &["a", "b"]),
            ("\t", "a\tb", &["a", "b"]),
            ("\\|", "a|b", &["a", "b"]),
            ("|", "1|2", &["1", "|", "2"]),
            ("|", "é2", &["é", "2"]),
            ("", "ab", &["a", "b"]),
            (", ", "a, b,c", &["a", "b,c"]),
            ("é", "aéb", &["a", "b"]),
            (",*", "a,b", &["a", "", "b"]),
            ("[,;]+", "a,;b;", &["a", "b"]),
            ("\\s+", " a  b ", &["", "a", "b"]),
            ("^a", "aab", &["", "ab"]),
            ("x|", "axb", &["a", "", "b"]),
            ("\\.", "a.b", &["a", "b"]),
            (".", "a.b", &[]),
        ];
        for (pattern, line, expected) in table {
            assert_eq!(split(pattern, line), expected, "{pattern:?} in {line:?}");
        }
    }

    #[test]
    fn plain_delimiters_take_the_fast_path() {
        let table = [
            (",", true),
            ("\\t", true),
            ("\\|", true),
            ("; ", true),
            ("|", false),
            ("\\s", false),
            ("", false),
        ];
        for (pattern, expected) in table {
            let fast = !matches!(Delimiter::new(pattern).unwrap(), Delimiter::Pattern(_));
            assert_eq!(fast, expected, "{pattern}");
        }
    }
}
