//! Blanks out the `//` and `/* */` comments that the Java agent allows in agent.json.
//!
//! Invariant: the result has the length of the input and its line breaks at the same places, so that the
//! position of a mistake in the blanked text is its position in the file.

/// The text with every comment outside strings turned into spaces. A comment that is never closed reaches to
/// the end.
pub(super) fn blank_comments(text: &str) -> String {
    let mut blanked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(length) = next_token_length(rest) {
        let (token, after) = rest.split_at(length);
        if token.starts_with("//") || token.starts_with("/*") {
            push_blank(&mut blanked, token);
        } else {
            blanked.push_str(token);
        }
        rest = after;
    }
    blanked
}

/// The length of the comment, the string or the stretch of other text at the beginning; `None` at the end.
fn next_token_length(text: &str) -> Option<usize> {
    if text.is_empty() {
        None
    } else if text.starts_with("//") {
        Some(text.find('\n').unwrap_or(text.len()))
    } else if text.starts_with("/*") {
        Some(text.get(2..).and_then(|inside| inside.find("*/")).map_or(text.len(), |end| end + 4))
    } else if text.starts_with('"') {
        Some(string_length(text))
    } else {
        let after_first = text.chars().next().map_or(0, char::len_utf8);
        let stop = text[after_first..].find(['"', '/']);
        Some(stop.map_or(text.len(), |length| after_first + length))
    }
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (offset, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return offset + 1,
            _ => {}
        }
    }
    text.len()
}

fn push_blank(blanked: &mut String, comment: &str) {
    blanked.extend(
        comment.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { char::from(byte) } else { ' ' }),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_become_spaces_and_nothing_else_changes() {
        let table = [
            ("{} // end", "{}       "),
            ("{ /* é\n x */ }", "{      \n      }"),
            (r#"{"a": "http://x/*y*/"}"#, r#"{"a": "http://x/*y*/"}"#),
            (r#"{"a\"//": 1} //z"#, r#"{"a\"//": 1}    "#),
            ("a / b", "a / b"),
            ("/* open", "       "),
            ("/*/ still */1", "            1"),
            ("\"open // string", "\"open // string"),
            ("é//é\r\n1", "é    \r\n1"),
        ];
        for (text, expected) in table {
            let blanked = blank_comments(text);
            assert_eq!(blanked, expected, "{text:?}");
            assert_eq!(blanked.len(), text.len(), "{text:?}");
        }
    }
}
