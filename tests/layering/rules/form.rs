//! The form of a source file: it opens with what it is for, and it is short or says why not.

use kinesis_tests::{LONGEST_FILE_LINES, LongFile};

use crate::tree::{SourceFile, SourceTree};
use crate::violation::Violation;

/// Every file without an opening comment, every long file without a reason, and every reason without a file.
pub(super) fn check(long_files: &[LongFile], tree: &SourceTree) -> Vec<Violation> {
    let stale =
        long_files.iter().filter(|long| !tree.files().any(|(key, file)| key == long.file && is_long(file)));
    let mut found: Vec<Violation> = stale.map(stale_reason).collect();
    for (key, file) in tree.files() {
        if !opens_with_purpose(&file.text) {
            let message =
                "has no opening comment; say with //! what the module is for and which invariant it keeps";
            found.push(Violation::new(&file.path, 1, message));
        }
        if is_long(file) && !long_files.iter().any(|long| long.file == key) {
            found.push(too_long(file));
        }
    }
    found
}

fn opens_with_purpose(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty());
    first.and_then(|line| line.strip_prefix("//!")).is_some_and(|purpose| !purpose.trim().is_empty())
}

fn is_long(file: &SourceFile) -> bool {
    file.text.lines().count() > LONGEST_FILE_LINES
}

fn too_long(file: &SourceFile) -> Violation {
    let lines = file.text.lines().count();
    let message = format!(
        "has {lines} lines, more than {LONGEST_FILE_LINES}; split it, or give a reason in long_files"
    );
    Violation::new(&file.path, lines, message)
}

fn stale_reason(long: &LongFile) -> Violation {
    let message = format!("long_files names {}, which is not a long file; take the line out", long.file);
    Violation::new("tests/layering/floors.rs", 1, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(long_files: &[LongFile], text: &str) -> Vec<String> {
        check(long_files, &SourceTree::of(&[("a.rs", text)]))
            .iter()
            .map(|found| found.message.clone())
            .collect()
    }

    #[test]
    fn a_file_opens_with_its_purpose() {
        let cases = [
            ("//! What it is for.\n", 0),
            ("\n//! What it is for.\n", 0),
            ("", 1),
            ("//!\n", 1),
            ("// not a module comment\n", 1),
            ("/// the next item's comment\nstruct A;", 1),
            ("use a;\n//! too late", 1),
        ];
        for (text, expected) in cases {
            assert_eq!(findings(&[], text).len(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_file_needs_a_reason_and_a_reason_a_long_file() {
        let text = |lines: usize| format!("//! A.\n{}", "// b\n".repeat(lines - 1));
        let listed = [LongFile { file: "a", reason: "one table" }];
        assert_eq!(findings(&[], &text(500)), Vec::<String>::new());
        assert!(findings(&[], &text(501))[0].contains("501 lines"));
        assert_eq!(findings(&listed, &text(501)), Vec::<String>::new());
        assert!(findings(&listed, &text(500))[0].contains("not a long file"));
    }
}
