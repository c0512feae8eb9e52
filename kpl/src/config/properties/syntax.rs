//! The form of Java's `.properties` files (documented at `java.util.Properties.load`): logical lines, names, values,
//! escapes.
//!
//! Written by hand because the libraries for it stop at the first problem, and all are to be reported.
//!
//! Invariant: any text gives an answer, and each logical line gives one property, one problem, or nothing.

use std::iter::Peekable;
use std::str::{CharIndices, Chars};

/// One name with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Property {
    /// The first line that it stands on, counted from 1.
    pub(crate) line: usize,
    pub(crate) name: String,
    pub(crate) value: String,
}

/// All properties of a text, and what is wrong with its form, each with its line.
pub(crate) fn properties(text: &str) -> (Vec<Property>, Vec<(usize, String)>) {
    let mut properties = Vec::new();
    let mut problems = Vec::new();
    for (line, logical) in logical_lines(text) {
        match property(line, &logical) {
            Ok(property) => properties.push(property),
            Err(problem) => problems.push((line, problem)),
        }
    }
    (properties, problems)
}

/// Blank lines and comments left out, continued lines joined, indentation removed.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = natural_lines(text.strip_prefix('\u{feff}').unwrap_or(text)).map(unindented).zip(1..);
    let mut found = Vec::new();
    while let Some((first, number)) = lines.next() {
        if first.is_empty() || first.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = first.to_owned();
        while is_continued(&logical) {
            logical.pop();
            let Some((next, _)) = lines.next() else { break };
            logical.push_str(next);
        }
        if !logical.is_empty() {
            found.push((number, logical));
        }
    }
    found
}

/// Lines end with LF, CR or CR LF.
fn natural_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

fn unindented(line: &str) -> &str {
    line.trim_start_matches(is_blank)
}

fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\u{c}')
}

/// Whether an odd number of backslashes ends the line.
fn is_continued(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

fn property(line: usize, logical: &str) -> Result<Property, String> {
    let end = end_of_name(logical.char_indices().peekable()).unwrap_or(logical.len());
    let (name, rest) = logical.split_at(end);
    let rest = unindented(rest);
    let value = unindented(rest.strip_prefix(['=', ':']).unwrap_or(rest));
    Ok(Property { line, name: unescaped(name)?, value: unescaped(value)? })
}

/// Where the first separator is that no backslash precedes.
fn end_of_name(mut letters: Peekable<CharIndices<'_>>) -> Option<usize> {
    while let Some((place, letter)) = letters.next() {
        match letter {
            '\\' => {
                letters.next();
            }
            '=' | ':' => return Some(place),
            letter if is_blank(letter) => return Some(place),
            _ => {}
        }
    }
    None
}

fn unescaped(text: &str) -> Result<String, String> {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        match letters.next() {
            Some('t') => plain.push('\t'),
            Some('n') => plain.push('\n'),
            Some('r') => plain.push('\r'),
            Some('f') => plain.push('\u{c}'),
            Some('u') => plain.push(unicode(&mut letters)?),
            Some(other) => plain.push(other),
            None => {}
        }
    }
    Ok(plain)
}

/// What follows `\u`: a unit of UTF-16, or the first of two.
fn unicode(letters: &mut Chars<'_>) -> Result<char, String> {
    let first = unit(letters)?;
    let mut units = vec![first];
    if (0xd800..0xdc00).contains(&first) && letters.as_str().starts_with("\\u") {
        letters.next();
        letters.next();
        units.push(unit(letters)?);
    }
    let mut decoded = char::decode_utf16(units);
    match (decoded.next(), decoded.next()) {
        (Some(Ok(letter)), None) => Ok(letter),
        _ => Err(format!("\\u{first:04x} is half a character: give both halves, each as \\uXXXX")),
    }
}

fn unit(letters: &mut Chars<'_>) -> Result<u16, String> {
    let digits: String = letters.by_ref().take(4).collect();
    let is_hex = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let unit = u16::from_str_radix(&digits, 16).ok().filter(|_| is_hex);
    unit.ok_or_else(|| format!("\\u{digits} is no character: give four hexadecimal digits after \\u"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Line, name and value.
    type Expected = (usize, &'static str, &'static str);

    fn read(text: &str) -> Vec<(usize, String, String)> {
        let (properties, problems) = properties(text);
        assert_eq!(problems, [], "{text:?}");
        properties.into_iter().map(|property| (property.line, property.name, property.value)).collect()
    }

    #[test]
    fn java_reads_it_so() {
        let table: &[(&str, &[Expected])] = &[
            ("", &[]),
            ("\n \t\u{c}\r\n\r\n", &[]),
            ("a=1", &[(1, "a", "1")]),
            ("a:1\nb 2\nc\t=\t3\nd = : 4", &[(1, "a", "1"), (2, "b", "2"), (3, "c", "3"), (4, "d", ": 4")]),
            ("  a = 1  ", &[(1, "a", "1  ")]),
            ("a\nb=\nc =", &[(1, "a", ""), (2, "b", ""), (3, "c", "")]),
            ("=1", &[(1, "", "1")]),
            ("# a=1\n  ! b=2\nc=3 # no comment", &[(3, "c", "3 # no comment")]),
            ("# a \\\nb=1", &[(2, "b", "1")]),
            ("a=1,\\\n   2,\\\r\n\t3\nb=4", &[(1, "a", "1,2,3"), (4, "b", "4")]),
            ("a=1\\\n# 2\nb=3", &[(1, "a", "1# 2"), (3, "b", "3")]),
            ("a=1\\\\\nb=2", &[(1, "a", "1\\"), (2, "b", "2")]),
            ("a=1\\\n\nb=2", &[(1, "a", "1"), (3, "b", "2")]),
            ("a=1\\", &[(1, "a", "1")]),
            ("a=1\\\\\\\n2", &[(1, "a", "1\\2")]),
            ("a\rb\r\nc", &[(1, "a", ""), (2, "b", ""), (3, "c", "")]),
            ("a\\=b\\:c\\ d=1", &[(1, "a=b:c d", "1")]),
            (r"a=\t\n\r\f\b\z\\\u00e9", &[(1, "a", "\t\n\r\u{c}bz\\\u{e9}")]),
            (r"a=\ud83d\ude00", &[(1, "a", "\u{1f600}")]),
            ("\u{feff}a=1", &[(1, "a", "1")]),
            ("h\u{f6}he=1\u{a0}", &[(1, "h\u{f6}he", "1\u{a0}")]),
        ];
        for (text, expected) in table {
            let expected: Vec<_> = expected
                .iter()
                .map(|&(line, name, value)| (line, name.to_owned(), value.to_owned()))
                .collect();
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn every_malformed_escape_is_told_with_its_line() {
        let text = "a=\\u12\nb=1\nc\\uzzzz=1\nd=\\ud83d\ne=\\ud83d\\u0041\nf=\\ude00\ng=\\u+123";
        let (properties, problems) = properties(text);
        assert_eq!(properties.len(), 1);
        let lines: Vec<_> = problems.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 3, 4, 5, 6, 7], "{problems:?}");
    }

    proptest! {
        #[test]
        fn any_text_gives_an_answer(text in "[a-c=: \t\r\n\u{c}#!u0d8\\\\\u{e9}]{0,60}") {
            let (properties, problems) = properties(&text);
            let lines = natural_lines(&text).count();
            prop_assert!(properties.len() + problems.len() <= lines);
        }

        #[test]
        fn what_is_escaped_comes_back(name in "\\PC{1,20}", value in "[\\PC\n\t]{0,20}") {
            let escaped = |text: &str| -> String {
                text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
            };
            let text = format!("{}={}", escaped(&name), escaped(&value));
            prop_assert_eq!(read(&text), [(1, name, value)]);
        }
    }
}
