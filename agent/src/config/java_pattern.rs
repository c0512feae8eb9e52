//! Compiles the regular expressions of a configuration, which were written for Java.
//!
//! Invariant: a pattern compiles here only if it means the same as in Java, as far as can be told: classes
//! such as `\d` are ASCII, `.` matches neither end of line, and syntax that would silently change its meaning
//! is refused.

use regex::bytes::{Regex, RegexBuilder};
use thiserror::Error;

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PatternError {
    /// Java's possessive quantifiers mean something else here.
    #[error("possessive quantifiers (`{0}`) are not supported; leave out the second +")]
    Possessive(String),
    /// An inline flag that means something else here.
    #[error("the inline flag (?{0}) is not supported; leave it out")]
    Flag(char),
    /// Refused by the compiler of regular expressions.
    #[error("not a supported regular expression: {0}")]
    Syntax(String),
}

/// Compiles a pattern that is searched for within a text.
///
/// # Errors
/// The pattern is malformed, or cannot be proved to mean what it means in Java.
pub fn compile(pattern: &str) -> Result<Regex, PatternError> {
    refuse_changed_meanings(pattern)?;
    build(pattern)
}

/// Compiles a pattern that must match a whole text.
///
/// # Errors
/// The pattern is malformed, or cannot be proved to mean what it means in Java.
pub fn compile_full_match(pattern: &str) -> Result<Regex, PatternError> {
    compile(pattern)?;
    build(&format!(r"\A(?:{pattern})\z"))
}

/// Compiles a pattern with which a line must begin; `^` and `$` match at the line's ends, before its newline.
///
/// # Errors
/// The pattern is malformed, or cannot be proved to mean what it means in Java.
pub fn compile_line_start(pattern: &str) -> Result<Regex, PatternError> {
    compile(pattern)?;
    build(&format!(r"\A(?m:{pattern})"))
}

/// Compiles a pattern that must match a whole record; `^` and `$` match at the ends of each of its lines.
///
/// # Errors
/// The pattern is malformed, or cannot be proved to mean what it means in Java.
pub fn compile_whole_record(pattern: &str) -> Result<Regex, PatternError> {
    compile(pattern)?;
    build(&format!(r"\A(?m:{pattern})\z"))
}

fn build(pattern: &str) -> Result<Regex, PatternError> {
    RegexBuilder::new(pattern)
        .unicode(false)
        .crlf(true)
        .build()
        .map_err(|error| PatternError::Syntax(reason(&error)))
}

/// The last line of the compiler's report, which holds the reason; the lines before draw the pattern.
fn reason(error: &regex::Error) -> String {
    let report = error.to_string();
    let last = report.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

fn refuse_changed_meanings(pattern: &str) -> Result<(), PatternError> {
    let mut in_class = false;
    let mut previous = None;
    let mut rest = pattern.char_indices().peekable();
    while let Some((at, letter)) = rest.next() {
        let quantifier = !in_class && previous.is_some_and(|previous| "*+?}".contains(previous));
        match letter {
            '\\' => {
                rest.next();
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '+' if quantifier => {
                let start = previous.map_or(at, |previous: char| at - previous.len_utf8());
                return Err(PatternError::Possessive(pattern[start..=at].to_owned()));
            }
            '(' if !in_class => refuse_flags(&pattern[at..])?,
            _ => {}
        }
        previous = (letter != '\\').then_some(letter);
    }
    Ok(())
}

fn refuse_flags(group: &str) -> Result<(), PatternError> {
    let Some(flags) = group.strip_prefix("(?") else { return Ok(()) };
    let flags = flags.chars().take_while(|letter| letter.is_ascii_alphabetic() || *letter == '-');
    // `(?P<name>` is no flag, but Java does not know it either.
    match flags.clone().find(|flag| "URud".contains(*flag)) {
        Some(flag) => Err(PatternError::Flag(flag)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_java() {
        let table: [(&str, &[u8], bool); 9] = [
            (r"(\S+) (.*)", b"a b", true),
            (r"(\S+) (.*)", b"a b\r", false),
            (r"\d", "\u{0663}".as_bytes(), false),
            ("a|ab", b"ab", true),
            ("é+", "éé".as_bytes(), true),
            (r"\++", b"++", true),
            ("[+*]+", b"+*", true),
            (r"(?<name>x)(?i)y", b"xY", true),
            ("a{2}", b"aa", true),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(compile_full_match(pattern).unwrap().is_match(text), expected, "{pattern}");
        }
    }

    #[test]
    fn lines_and_records_keep_their_ends() {
        let table: [(&str, &[u8], bool); 6] = [
            (r"\d+$", b"12\n", true),
            (r"^\d+$", b"12\r\n", true),
            (r"\d", b"x1\n", false),
            ("a|b", b"b and more\n", true),
            ("^$", b"\n", true),
            (r"\s", b" at x\n", true),
        ];
        for (pattern, line, expected) in table {
            assert_eq!(compile_line_start(pattern).unwrap().is_match(line), expected, "{pattern}");
        }
        for (record, expected) in [(&b"a\nb"[..], true), (b"a\nb\n", false), (b"x a\nb", false)] {
            assert_eq!(compile_whole_record("^a$\n^b$").unwrap().is_match(record), expected);
        }
    }

    #[test]
    fn what_would_change_its_meaning_is_refused() {
        for pattern in
            ["a++", "a*+", "a?+", "a{2}+", "(?U)a", "(?iu)a", "a(?=b)", r"(a)\1", r"\Qa\E", "(", "[[]", r"\h"]
        {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
        assert_eq!(
            compile("xa++").unwrap_err().to_string(),
            "possessive quantifiers (`++`) are not supported; leave out the second +"
        );
        let lookahead = compile("a(?=b)").unwrap_err().to_string();
        assert!(lookahead.starts_with("not a supported regular expression: look-around"), "{lookahead}");
    }
}
