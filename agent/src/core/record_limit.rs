//! Records that the service would refuse for their size, cut as the Java agent cuts them.
//!
//! Invariant: what comes out is never longer than the limit, and a cut record ends with the terminator.

use std::borrow::Cow;

/// `data` if it has at most `limit` bytes; else its first bytes with their end overwritten by `terminator`.
#[must_use]
pub fn fit<'a>(data: &'a [u8], limit: usize, terminator: &[u8]) -> Cow<'a, [u8]> {
    if data.len() <= limit {
        return Cow::Borrowed(data);
    }
    let kept = limit.saturating_sub(terminator.len());
    let mut cut = Vec::with_capacity(limit);
    cut.extend_from_slice(&data[..kept]);
    cut.extend_from_slice(&terminator[..terminator.len().min(limit)]);
    Cow::Owned(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_too_long_is_cut() {
        for (data, limit, terminator, expected) in [
            ("abc\n", 4, "\n", "abc\n"),
            ("abcd\n", 4, "\n", "abc\n"),
            ("abcdefgh", 5, "...", "ab..."),
            ("abcdefgh", 5, "", "abcde"),
            ("abcdefgh", 2, "...", ".."),
        ] {
            assert_eq!(
                fit(data.as_bytes(), limit, terminator.as_bytes()),
                expected.as_bytes(),
                "{data} to {limit}"
            );
        }
    }
}
