//! Which files a flow follows: a glob for the directories, each level for itself, and one for the name of the file.
//!
//! Invariant: a glob has the meaning that Java's `glob:` gives it, and `**` for a whole level of directories stands for
//! any number of them; names of compressed files never match. One known difference: `?` and `[...]` stand for one byte, so not for a
//! letter outside ASCII.

mod level;

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};
use thiserror::Error;

/// Names with these endings, in any case, are left alone: compressed files hold no lines.
const COMPRESSED: [&str; 3] = [".gz", ".bz2", ".zip"];

pub use level::Level;

/// A directory, or a glob of directories, and a glob of file names.
#[derive(Debug, Clone)]
pub struct FilePattern {
    directory: String,
    root: String,
    levels: Vec<Level>,
    glob: String,
    matcher: GlobMatcher,
    excluded: Vec<Excluded>,
}

/// Names, or whole paths, of files that are left alone.
#[derive(Debug, Clone)]
struct Excluded {
    matcher: GlobMatcher,
    is_path: bool,
}

/// Why a text is no file pattern.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FilePatternError {
    /// `messages*`.
    #[error("the directory part is missing")]
    NoDirectory,
    /// `/var/log/`.
    #[error("it names a directory, not files")]
    TrailingSlash,
    /// The glob is malformed; the reason.
    #[error("the file name is not a valid glob: {0}")]
    Glob(String),
}

impl FilePattern {
    /// Splits `pattern` at its last slash.
    ///
    /// # Errors
    /// There is no directory part, or no file part, or the file part is no glob.
    pub fn parse(pattern: &str) -> Result<Self, FilePatternError> {
        let (directory, glob) = pattern.rsplit_once('/').ok_or(FilePatternError::NoDirectory)?;
        if glob.is_empty() {
            return Err(FilePatternError::TrailingSlash);
        }
        let matcher = compile(glob)?;
        let directory = normal_directory(directory);
        let (root, levels) = level::split(&directory)?;
        Ok(Self { directory, root, levels, glob: glob.to_owned(), matcher, excluded: Vec::new() })
    }

    /// Leaves files alone whose names match this glob; with a slash in it, whose paths do.
    ///
    /// # Errors
    /// It is no glob.
    pub fn exclude(&mut self, glob: &str) -> Result<(), FilePatternError> {
        let is_path = glob.contains('/');
        self.excluded.push(Excluded { matcher: compile(glob)?, is_path });
        Ok(())
    }

    /// The directory part as it is written, without doubled slashes.
    #[must_use]
    pub fn directory(&self) -> &Path {
        Path::new(&self.directory)
    }

    /// The directory where the search for directories begins: all of the directory part that comes before a glob.
    #[must_use]
    pub fn root(&self) -> &Path {
        Path::new(&self.root)
    }

    /// The levels of directories below [`FilePattern::root`]; none if the directory part is no glob.
    #[must_use]
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// Whether the file part stands for one name only.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        !self.glob.contains(['*', '?', '[', '{', '\\'])
    }

    /// Whether a file is left alone that the pattern would match.
    #[must_use]
    pub fn excludes(&self, path: &Path) -> bool {
        let is = |excluded: &Excluded| {
            let text = if excluded.is_path { Some(path.as_os_str()) } else { path.file_name() };
            text.is_some_and(|text| excluded.matcher.is_match(text))
        };
        self.excluded.iter().any(is)
    }

    /// The glob of the file names.
    #[must_use]
    pub fn glob(&self) -> &str {
        &self.glob
    }

    /// Whether the flow follows the files of this name in its directories, but for the excluded ones.
    #[must_use]
    pub fn matches(&self, file_name: &OsStr) -> bool {
        !is_compressed(file_name) && self.matcher.is_match(file_name)
    }
}

impl PartialEq for FilePattern {
    fn eq(&self, other: &Self) -> bool {
        self.directory == other.directory && self.glob == other.glob
    }
}

impl Eq for FilePattern {}

impl fmt::Display for FilePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The Java agent's flow ids have two slashes for the root directory.
        write!(f, "{}/{}", self.directory, self.glob)
    }
}

/// Without repeated slashes, as Java's paths are.
fn normal_directory(directory: &str) -> String {
    let parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    match (directory.is_empty() || directory.starts_with('/'), parts.join("/")) {
        (true, parts) => format!("/{parts}"),
        (false, parts) => parts,
    }
}

fn is_compressed(file_name: &OsStr) -> bool {
    let name = file_name.as_encoded_bytes();
    COMPRESSED.iter().any(|ending| {
        let start = name.len().checked_sub(ending.len());
        start.is_some_and(|start| name[start..].eq_ignore_ascii_case(ending.as_bytes()))
    })
}

fn compile(glob: &str) -> Result<GlobMatcher, FilePatternError> {
    GlobBuilder::new(&translate(glob))
        .backslash_escape(true)
        .empty_alternates(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| FilePatternError::Glob(error.kind().to_string()))
}

/// Rewrites the two things that Java's globs and globset's read differently: `[^a]`, where `^` is an ordinary
/// character to Java, and `}` outside a group, which is one too.
fn translate(glob: &str) -> String {
    let mut translated = String::with_capacity(glob.len());
    let mut in_group = false;
    let mut rest = glob;
    while let Some(letter) = rest.chars().next() {
        let after = &rest[letter.len_utf8()..];
        rest = after;
        match letter {
            '\\' => {
                let escaped = after.chars().next();
                translated.push(letter);
                translated.extend(escaped);
                rest = after.get(escaped.map_or(0, char::len_utf8)..).unwrap_or_default();
            }
            '[' => {
                let end =
                    after.get(1..).and_then(|inside| inside.find(']')).map_or(after.len(), |end| end + 2);
                push_class(&mut translated, &after[..end]);
                rest = &after[end..];
            }
            '}' if !in_group => translated.push_str("\\}"),
            _ => {
                in_group = letter == '{' || (in_group && letter != '}');
                translated.push(letter);
            }
        }
    }
    translated
}

/// Appends `[` and the rest of a class, a leading `^` moved behind the first character or range.
fn push_class(translated: &mut String, class: &str) {
    let Some(others) = class.strip_prefix('^') else {
        translated.push('[');
        return translated.push_str(class);
    };
    let letters: Vec<char> = others.chars().collect();
    let first = match letters.as_slice() {
        [] | [']', ..] => return translated.push_str("\\^"),
        [_, '-', last, ..] if *last != ']' => 3,
        _ => 1,
    };
    translated.push('[');
    translated.extend(&letters[..first]);
    translated.push('^');
    translated.extend(&letters[first..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(glob: &str, name: &str) -> bool {
        FilePattern::parse(&format!("/d/{glob}")).unwrap().matches(OsStr::new(name))
    }

    #[test]
    fn globs_have_javas_meaning() {
        let table = [
            ("app.log*", "app.log", true),
            ("app.log*", "app.log.1", true),
            ("app.log*", "App.log", false),
            ("app.log", "app.log.1", false),
            ("*", ".hidden", true),
            ("*.log", ".log", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[ab].log", "b.log", true),
            ("[a-c]x", "bx", true),
            ("[!a]x", "bx", true),
            ("[!a]x", "ax", false),
            ("[^a]x", "ax", true),
            ("[^a]x", "^x", true),
            ("[^a]x", "bx", false),
            ("[^a-c]x", "bx", true),
            ("[^a-c]x", "^x", true),
            ("[^]x", "^x", true),
            ("[^a-]x", "-x", true),
            ("[*?]x", "*x", true),
            ("[*?]x", "ax", false),
            ("{app,web}.log", "web.log", true),
            ("{app,web}.log", "db.log", false),
            ("app{,.1}", "app", true),
            (r"\*x", "*x", true),
            (r"\*x", "ax", false),
            (r"\[^a]", "[^a]", true),
            ("a}b", "a}b", true),
            ("a,b", "a,b", true),
            ("**.log", "x.log", true),
            ("é*", "éx", true),
        ];
        for (glob, name, expected) in table {
            assert_eq!(matches(glob, name), expected, "{glob} {name}");
        }
    }

    #[test]
    fn compressed_files_never_match() {
        for name in ["a.gz", "a.GZ", "a.log.bz2", "a.Zip", ".gz"] {
            assert!(!matches("*", name), "{name}");
        }
        for name in ["a.gz1", "gz", "a.xz", "a.zst"] {
            assert!(matches("*", name), "{name}");
        }
    }

    #[test]
    fn a_pattern_is_a_directory_and_a_glob() {
        let table = [
            ("/var/log/app.log*", "/var/log", "/var/log/app.log*"),
            ("//var///log//a", "/var/log", "/var/log/a"),
            ("/app*", "/", "//app*"),
            ("logs/a", "logs", "logs/a"),
            ("./a", ".", "./a"),
        ];
        for (text, directory, shown) in table {
            let pattern = FilePattern::parse(text).unwrap();
            assert_eq!(pattern.directory(), Path::new(directory), "{text}");
            assert_eq!(pattern.to_string(), shown, "{text}");
        }
        for (text, root, levels) in [
            ("/a/b*/c", "/a", 1),
            ("/a/b*", "/a", 0),
            ("/*/b", "/", 1),
            ("*/b", ".", 1),
            ("/a/**/b/*/c", "/a", 3),
        ] {
            let pattern = FilePattern::parse(text).unwrap();
            assert_eq!((pattern.root(), pattern.levels().len()), (Path::new(root), levels), "{text}");
        }
        for (text, is_literal) in [("/a*/b", true), ("/a/b*", false), (r"/a/b\*", false)] {
            assert_eq!(FilePattern::parse(text).unwrap().is_literal(), is_literal, "{text}");
        }
    }

    #[test]
    fn what_is_excluded() {
        let mut pattern = FilePattern::parse("/log/**/*.log").unwrap();
        pattern.exclude("debug*").unwrap();
        pattern.exclude("/log/private/*").unwrap();
        for (path, excluded) in [
            ("/log/a/debug.log", true),
            ("/log/a/app.log", false),
            ("/log/private/a/app.log", true),
            ("/log/privates/app.log", false),
        ] {
            assert_eq!(pattern.excludes(Path::new(path)), excluded, "{path}");
        }
        assert!(pattern.exclude("[").is_err());
    }

    #[test]
    fn what_is_no_pattern() {
        let table = [
            ("messages*", FilePatternError::NoDirectory),
            ("", FilePatternError::NoDirectory),
            ("/var/log/", FilePatternError::TrailingSlash),
        ];
        for (text, expected) in table {
            assert_eq!(FilePattern::parse(text).unwrap_err(), expected, "{text}");
        }
        for text in ["/[d/a", "/d/[a", "/d/{a", "/d/a\\", "/d/[z-a]"] {
            assert!(matches!(FilePattern::parse(text), Err(FilePatternError::Glob(_))), "{text}");
        }
    }
}
