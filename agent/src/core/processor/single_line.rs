//! SINGLELINE: joins the lines of a record into one.
//!
//! Invariant: the output has exactly one newline, at its end.

use crate::config::SingleLineOptions;

/// The converter.
#[derive(Debug)]
pub(super) struct SingleLine {
    keep_white_space: bool,
    separator: &'static str,
}

impl SingleLine {
    /// A converter with these options.
    pub(super) fn new(options: SingleLineOptions) -> Self {
        // Two backslashes, as the Java agent writes them.
        let separator = if options.escape_new_line { r"\\n" } else { "" };
        Self { keep_white_space: options.keep_white_space, separator }
    }

    /// Appends the joined lines. Empty lines at the end do not count.
    pub(super) fn convert(&self, record: &str, output: &mut String) {
        let lines = record.trim_end_matches('\n').split('\n');
        for (position, line) in lines.enumerate() {
            if position > 0 {
                output.push_str(self.separator);
            }
            output.push_str(if self.keep_white_space { line } else { trim(line) });
        }
        output.push('\n');
    }
}

/// Java's idea of white space at the ends of a text: everything up to U+0020.
fn trim(line: &str) -> &str {
    line.trim_matches(|letter| letter <= ' ')
}
