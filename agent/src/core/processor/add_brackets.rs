//! ADDBRACKETS: puts a record into braces.
//!
//! Invariant: the record, its newline included, stands unchanged between them, and nothing follows them.

/// Appends the record in braces.
pub(super) fn add_brackets(record: &str, output: &mut String) {
    output.push('{');
    output.push_str(record);
    output.push('}');
}
