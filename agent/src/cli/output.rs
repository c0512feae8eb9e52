//! Answers on standard output.
//!
//! Invariant: a reader that has gone is no failure, and anything else that keeps an answer from its reader is one.

use std::io::{self, Write as _};

use crate::log_output::say;

/// Prints lines. Answers whether they were written, or nobody wanted them any more; if not, that is said.
pub(super) fn print(lines: &str) -> bool {
    let mut output = io::stdout().lock();
    match writeln!(output, "{lines}").and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            say(&format!("kinesis-agent: standard output cannot be written: {error}"));
            false
        }
        _ => true,
    }
}
