//! Small facts about records as text.
//!
//! Invariant: decoding never fails; what is no UTF-8 becomes U+FFFD.

/// The record as text. `buffer` is used, and changed, only if the record is not UTF-8.
pub(super) fn decode<'a>(record: &'a [u8], buffer: &'a mut String) -> &'a str {
    if let Ok(text) = std::str::from_utf8(record) {
        return text;
    }
    buffer.clear();
    for chunk in record.utf8_chunks() {
        buffer.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            buffer.push(char::REPLACEMENT_CHARACTER);
        }
    }
    buffer
}

/// The record without its final newline.
pub(super) fn without_newline(record: &str) -> &str {
    record.strip_suffix('\n').unwrap_or(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_as_the_standard_library_does() {
        let table: [&[u8]; 6] =
            [b"", b"plain", "é€😀".as_bytes(), b"a\xffb\xc3", b"\xf0\x9f\x98x", b"\xed\xa0\x80"];
        for bytes in table {
            let mut buffer = "old".to_owned();
            assert_eq!(decode(bytes, &mut buffer), String::from_utf8_lossy(bytes), "{bytes:?}");
        }
    }
}
