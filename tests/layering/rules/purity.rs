//! Pure files decide and never act: they name no clock, no runtime, no file system, no network and no chance.
//!
//! Moments, random numbers and the contents of files are handed to them; `std::time::Instant` as a value is
//! fine, asking for the present one is not.

use kinesis_tests::Floor;

use crate::paths::NamedPath;
use crate::tree::SourceFile;
use crate::violation::Violation;
use crate::words::Word;

/// Beginnings of paths, with what they reach for.
const PATHS: &[(&str, &str)] = &[
    ("tokio", "a runtime"),
    ("futures", "a runtime"),
    ("async_trait", "a runtime"),
    ("governor", "a clock"),
    ("backoff", "a clock"),
    ("aws_*", "the network"),
    ("rusqlite", "the file system"),
    ("notify", "the file system"),
    ("sd_notify", "the outside"),
    ("std::env", "the outside"),
    ("std::fs", "the file system"),
    ("std::io::stdin", "the outside"),
    ("std::io::stdout", "the outside"),
    ("std::io::stderr", "the outside"),
    ("std::net", "the network"),
    ("std::os", "the outside"),
    ("std::process", "the outside"),
    ("std::sync::mpsc", "a runtime"),
    ("std::thread", "a runtime"),
    ("std::*", "everything at once"),
    ("fastrand", "chance"),
];

/// Paths that [`PATHS`] would catch though they reach for nothing.
const HARMLESS: &[&str] = &["std::net::IpAddr", "std::os::unix::ffi", "fastrand::Rng"];

/// Ends of paths: these calls act, however their type was imported.
const CALLS: &[(&str, &str)] =
    &[("::now", "a clock"), ("Rng::new", "chance"), ("File::open", "the file system")];

/// Single words.
const NAMES: &[(&str, &str)] = &[("async", "a runtime"), ("await", "a runtime"), ("SystemTime", "a clock")];

/// Methods of the standard library that act although they look like questions.
const METHODS: &[(&str, &str)] = &[
    ("elapsed", "a clock"),
    ("canonicalize", "the file system"),
    ("try_exists", "the file system"),
    ("is_file", "the file system"),
    ("is_dir", "the file system"),
    ("read_dir", "the file system"),
    ("symlink_metadata", "the file system"),
];

/// Every name in `file` that reaches for the outside; `paths` are those that lead out of the crate.
pub(super) fn check(
    floor: Floor,
    file: &SourceFile,
    words: &[Word<'_>],
    paths: &[NamedPath],
) -> Vec<Violation> {
    let finding = |line: usize, name: &str, what: &str| {
        let floor = floor.name();
        let message = format!(
            "names {name}, which reaches for {what}: floor {floor} is pure; pass the value in from the shell"
        );
        Violation::new(&file.path, line, message)
    };
    let in_paths =
        paths.iter().filter_map(|path| Some(finding(path.line, &path.text(), reach_of_path(path)?)));
    let in_words = words.iter().filter_map(|word| Some(finding(word.line, word.text, reach_of_name(word)?)));
    let in_methods = words.windows(3).filter_map(|three| {
        Some(finding(three[1].line, &format!(".{}()", three[1].text), reach_of_method(three)?))
    });
    in_paths.chain(in_words).chain(in_methods).collect()
}

fn reach_of_path(path: &NamedPath) -> Option<&'static str> {
    if HARMLESS.iter().any(|harmless| path.starts_with(harmless)) && !path.ends_with("Rng::new") {
        return None;
    }
    let by_start = PATHS.iter().find(|(start, _)| matches_start(path, start));
    let by_end = || CALLS.iter().find(|(end, _)| matches_end(path, end));
    by_start.or_else(by_end).map(|(_, what)| *what)
}

fn matches_start(path: &NamedPath, start: &str) -> bool {
    match start.strip_suffix('*') {
        Some(beginning) if !beginning.ends_with("::") => path.names[0].starts_with(beginning),
        _ => path.starts_with(start),
    }
}

fn matches_end(path: &NamedPath, end: &str) -> bool {
    match end.strip_prefix("::") {
        Some(last) => path.names.len() > 1 && path.ends_with(last),
        None => path.ends_with(end),
    }
}

fn reach_of_name(word: &Word<'_>) -> Option<&'static str> {
    NAMES.iter().find(|(name, _)| word.is(name)).map(|(_, what)| *what)
}

fn reach_of_method(three: &[Word<'_>]) -> Option<&'static str> {
    let is_call = three[0].is(".") && three[2].is("(");
    METHODS.iter().find(|(name, _)| is_call && three[1].is(name)).map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::named_paths;
    use crate::tree::SourceTree;

    fn findings(code: &str) -> Vec<String> {
        let tree = SourceTree::of(&[("core.rs", code)]);
        let (_, file) = tree.files().next().unwrap();
        let words = file.words();
        check(Floor::Core, file, &words, &named_paths(&words)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_reach_for_the_outside_is_found() {
        let cases = [
            "use tokio::sync::mpsc;",
            "use std::{fmt, fs};",
            "use std::fs as files;",
            "fn f() { std::thread::spawn(g); }",
            "use std::net::TcpStream;",
            "use std::process::Command;",
            "fn f() { std::env::var(x); }",
            "fn f() { Instant::now(); }",
            "fn f() { std::time::Instant::now(); }",
            "fn f() { Moment::now(); }",
            "use std::time::SystemTime;",
            "async fn f() {}",
            "fn f() { g.await; }",
            "fn f() { start.elapsed() }",
            "fn f(p: &Path) { p.is_file() }",
            "use std::os::unix::fs::MetadataExt;",
            "use std::*;",
            "use aws_sdk_kinesis::Client;",
            "use aws_config;",
            "use rusqlite::Connection;",
            "fn f() { fastrand::u64(..); }",
            "fn f() { fastrand::Rng::new(); }",
            "fn f() { Rng::new(); }",
        ];
        for code in cases {
            assert_eq!(findings(code).len(), 1, "{code}: {:?}", findings(code));
        }
    }

    #[test]
    fn values_and_words_in_passing_are_fine() {
        let cases = [
            "use std::time::{Duration, Instant};\nfn f(now: Instant) { g(now); self.now; }",
            "use std::path::PathBuf;\nuse std::io::Read;",
            "use std::os::unix::ffi::OsStrExt;",
            "use fastrand::Rng;\nfn f() { Rng::with_seed(1); }",
            "// tokio, std::fs and SystemTime\nconst A: &str = \"std::fs::read, .await\";",
            "/// Uses [`tokio::time`].\nfn f() {}",
            "#[cfg(test)]\nmod tests {\n use std::fs;\n}",
            "use crate::notify_list::X;",
        ];
        for code in cases {
            assert_eq!(findings(code), Vec::<String>::new(), "{code}");
        }
    }

    #[test]
    fn the_message_names_line_name_and_floor() {
        assert_eq!(
            findings("\n\nuse std::fs::File;"),
            ["src/core.rs:3: names std::fs::File, which reaches for the file system: floor core is pure; \
                 pass the value in from the shell"]
        );
    }
}
