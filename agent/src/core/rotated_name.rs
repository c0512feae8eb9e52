//! Which name a rotated file had before it was rotated, as far as its present name tells.
//!
//! | name | may have been |
//! |---|---|
//! | `app.log.1`, `app.log-20261121`, `app.log.2026-11-21T10:00` | `app.log` |
//! | `app-20261121.log` | `app.log` |
//! | `app.1.log`, `app.log.1` | `app.log`; and `app.0.log`, `app.log.0`, as `java.util.logging` counts from the live file |
//! | `app.log-20261121.1` | `app.log-20261121`, `app.log` |
//! | `app.log.2.gz`, `app-20261121.log.gz` | the same without `.gz`, and what that may have been |
//! | `app.log-2026112117.backup` | the same without `.backup`, and what that may have been: logrotate's name for a log that the program made before `create` could |
//! | `app.log.1.bz2` | `app.log.bz2`, which no pattern matches |
//! | `app.log.bak`, `app.logger` | nothing else |
//!
//! Invariant: only additions that begin with a separator and a digit count, so that a file that merely has a longer
//! name is never taken for a log.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use crate::config::FilePattern;
use crate::source_file::Kind;

/// The ending of gzip files, in any case.
const GZIP: &[u8] = b".gz";

/// Why a file is listed in one of the pattern's directories, if it is: the pattern matches its name, or one that it may
/// have had.
#[must_use]
pub fn kind(pattern: &FilePattern, path: &Path) -> Option<Kind> {
    let name = path.file_name()?;
    if pattern.matches(name) {
        return (!pattern.excludes(path)).then_some(Kind::Followed);
    }
    let is_of = |original: &OsString| {
        pattern.matches(original)
            && !pattern.excludes(path)
            && !pattern.excludes(&path.with_file_name(original))
    };
    originals(name).iter().any(is_of).then(|| rotated_kind(name))
}

/// Why a file is listed beside logs of these names, if it is: rotation made its name of one of them.
#[must_use]
pub fn generation_kind(pattern: &FilePattern, path: &Path, logs: &HashSet<OsString>) -> Option<Kind> {
    let name = path.file_name()?;
    let is_generation = originals(name).iter().any(|original| logs.contains(original));
    (is_generation && !pattern.excludes(path)).then(|| rotated_kind(name))
}

/// The kind of a file whose name rotation made.
#[must_use]
pub fn rotated_kind(name: &OsStr) -> Kind {
    if is_compressed(name) { Kind::Compressed } else { Kind::Rotated }
}

/// Whether the name is one of a gzip file.
#[must_use]
pub fn is_compressed(name: &OsStr) -> bool {
    without_gzip(name.as_bytes()).is_some()
}

/// The names that a file of this name may have had before it was rotated, the longest first.
#[must_use]
pub fn originals(name: &OsStr) -> Vec<OsString> {
    let whole = name.as_bytes();
    let plain = without_gzip(whole);
    let mut found: Vec<Vec<u8>> = plain.map(<[u8]>::to_vec).into_iter().collect();
    let plain = plain.unwrap_or(whole);
    let set_aside = without_backup(plain);
    found.extend(set_aside.map(<[u8]>::to_vec));
    let plain = set_aside.unwrap_or(plain);
    let endings = [Some(plain.len()), extension(plain)];
    for (stem, ending) in endings.into_iter().flatten().map(|end| plain.split_at(end)) {
        found.extend(cuts(stem).map(|end| [&stem[..end], ending].concat()));
        found.extend(number(stem).map(|start| [&stem[..start], b"0", ending].concat()));
    }
    found.retain(|original| !original.is_empty());
    found.sort_by_key(|original| std::cmp::Reverse(original.len()));
    found.into_iter().map(OsString::from_vec).collect()
}

/// The path that all generations of one log share: the shortest of the originals, or the path itself. A `.tmp` at the end
/// is a step on the way to an archive (`app.log.2026-11-21.0123.tmp`); what is in it may be compressed already, so it makes
/// no name a generation's.
#[must_use]
pub fn family(path: &Path) -> PathBuf {
    let shortest = path.file_name().and_then(|name| originals(without_temporary(name)).pop());
    shortest.map_or_else(|| path.to_owned(), |name| path.with_file_name(name))
}

fn without_temporary(name: &OsStr) -> &OsStr {
    let stem = name.as_bytes().strip_suffix(b".tmp").filter(|stem| cuts(stem).next().is_some());
    stem.map_or(name, OsStr::from_bytes)
}

fn without_gzip(name: &[u8]) -> Option<&[u8]> {
    let (plain, ending) = name.split_at_checked(name.len().checked_sub(GZIP.len())?)?;
    ending.eq_ignore_ascii_case(GZIP).then_some(plain)
}

fn without_backup(name: &[u8]) -> Option<&[u8]> {
    name.strip_suffix(b".backup").filter(|dated| cuts(dated).next().is_some())
}

/// Where the additions of rotation at the end of a name may begin.
fn cuts(name: &[u8]) -> impl Iterator<Item = usize> {
    let is_added = |byte: &u8| byte.is_ascii_digit() || b".-_:+TZ".contains(byte);
    let kept = name.iter().rposition(|byte| !is_added(byte)).map_or(0, |last| last + 1);
    let begins =
        |place: &usize| b".-_".contains(&name[*place]) && name.get(place + 1).is_some_and(u8::is_ascii_digit);
    (kept.max(1)..name.len()).filter(begins)
}

/// Where the number of a generation at the end of a name begins, if there is one and it is not 0. A date has more digits.
fn number(name: &[u8]) -> Option<usize> {
    let start = name.iter().rposition(|byte| !byte.is_ascii_digit())? + 1;
    let digits = name.get(start..).filter(|digits| (1..=3).contains(&digits.len()) && *digits != b"0")?;
    (start > 1 && b".-_".contains(&name[start - 1]) && !digits.is_empty()).then_some(start)
}

/// Where the extension begins, if it is a word.
fn extension(name: &[u8]) -> Option<usize> {
    let dot = name.iter().rposition(|byte| *byte == b'.')?;
    name[dot + 1..].first().is_some_and(u8::is_ascii_alphabetic).then_some(dot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_rotated_file_was_called() {
        let table: [(&str, &[&str]); 26] = [
            ("app.log", &[]),
            ("app.log.1", &["app.log.0", "app.log"]),
            ("app.log.0", &["app.log"]),
            ("app.log.10", &["app.log.0", "app.log"]),
            ("app.log-20261121", &["app.log"]),
            ("app.log.2026-11-21T10:00Z", &["app.log.2026-11", "app.log.2026", "app.log"]),
            ("app-20261121.log", &["app.log"]),
            ("app.1.log", &["app.0.log", "app.log"]),
            ("java0.log.12", &["java0.log.0", "java0.log"]),
            ("node.1.app.log", &[]),
            ("app1.log", &[]),
            ("app.log-20261121.1", &["app.log-20261121.0", "app.log-20261121", "app.log"]),
            ("app.log.2.gz", &["app.log.2", "app.log.0", "app.log"]),
            ("app.log.gz", &["app.log"]),
            ("app-1.log.GZ", &["app-1.log", "app-0.log", "app.log"]),
            ("app.log-2026112117.backup", &["app.log-2026112117", "app.log"]),
            ("app.log.backup", &[]),
            (".backup", &[]),
            ("app.log.bak", &[]),
            ("app.logger", &[]),
            ("app.log.1.bz2", &["app.log.0.bz2", "app.log.bz2"]),
            ("messages", &[]),
            ("messages-1", &["messages-0", "messages"]),
            (".1", &[]),
            (".gz", &[]),
            ("", &[]),
        ];
        for (name, expected) in table {
            let expected: Vec<OsString> = expected.iter().map(OsString::from).collect();
            let found = originals(OsStr::new(name));
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn why_a_file_is_listed() {
        for (pattern, name, expected) in [
            ("app.log", "app.log", Some(Kind::Followed)),
            ("app.log", "app.log.1", Some(Kind::Rotated)),
            ("app.log", "app-20261121.log", Some(Kind::Rotated)),
            ("app.log", "app.log.1.gz", Some(Kind::Compressed)),
            ("app.log", "app.log.bak", None),
            ("app.log", "app.log.20261121-101500.tmp", None),
            ("app.0.log", "app.1.log", Some(Kind::Rotated)),
            ("app.0.log", "app.10.log.gz", Some(Kind::Compressed)),
            ("app.1.log", "app.2.log", None),
            ("java0.log.0", "java0.log.1", Some(Kind::Rotated)),
            ("app-0.log", "app-20261121.log", None),
            ("app.log*", "app.log.1", Some(Kind::Followed)),
            ("app.log*", "app.log.1.gz", Some(Kind::Compressed)),
            ("*", "archive.tar.gz", Some(Kind::Compressed)),
            ("a*.log", "a-secret.log", None),
            ("a*.log", "a-secret.log.1", None),
        ] {
            let mut pattern = FilePattern::parse(&format!("/log/{pattern}")).expect("a pattern");
            pattern.exclude("*secret.log").expect("a pattern");
            assert_eq!(kind(&pattern, &Path::new("/log").join(name)), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn generations_where_a_link_leads() {
        let mut pattern = FilePattern::parse("/containers/*.log").expect("a pattern");
        pattern.exclude("*.3").expect("a pattern");
        let logs = HashSet::from(["0.log".into()]);
        for (name, expected) in [
            ("0.log", None),
            ("0.log.20261121-101500", Some(Kind::Rotated)),
            ("0.log.1.gz", Some(Kind::Compressed)),
            ("0.log.3", None),
            ("1.log.1", None),
        ] {
            assert_eq!(generation_kind(&pattern, &Path::new("/pods").join(name), &logs), expected, "{name}");
        }
    }

    #[test]
    fn a_log_and_its_generations_are_a_family() {
        for name in [
            "app.log",
            "app.log.1",
            "app.log-20261121.2",
            "app.log.3.gz",
            "app-20261121.log",
            "app.log.2026-11-21.0123.tmp",
        ] {
            assert_eq!(family(&Path::new("/log").join(name)), Path::new("/log/app.log"), "{name}");
        }
        assert_eq!(family(Path::new("/log/app.log.bak")), Path::new("/log/app.log.bak"));
    }
}
