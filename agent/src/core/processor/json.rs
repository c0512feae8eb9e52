//! Writes JSON as the Java agent's printer (Jackson) does, to the byte.
//!
//! Compact JSON has no spaces. Pretty JSON is indented by two spaces, has ` : ` between name and value, and
//! arrays on one line. Invariant: only `"`, `\` and control characters are escaped, the latter as `\b \t \n
//! \f \r` or with upper-case hex.

use serde_json::Value;

use crate::config::JsonFormat;

/// An object with fixed names, ready to be filled with values: what stands before each value is prepared.
#[derive(Debug)]
pub(super) struct ObjectLayout {
    members: Vec<Member>,
    end: &'static str,
}

#[derive(Debug)]
struct Member {
    /// Everything from the value before to this value, for example `,"host":`.
    prefix: String,
    /// Which of the values belongs here.
    column: usize,
}

impl ObjectLayout {
    /// The layout of an object with these names. Of a name given twice the last value stands at the first
    /// place.
    pub(super) fn new<S: AsRef<str>>(names: &[S], format: JsonFormat) -> Self {
        let mut columns: Vec<(&str, usize)> = Vec::with_capacity(names.len());
        for (column, name) in names.iter().enumerate() {
            let name = name.as_ref();
            match columns.iter_mut().find(|(earlier, _)| *earlier == name) {
                Some(earlier) => earlier.1 = column,
                None => columns.push((name, column)),
            }
        }
        let members = columns.into_iter().enumerate();
        let members = members
            .map(|(position, (name, column))| Member { prefix: prefix(position, name, format), column });
        let members: Vec<Member> = members.collect();
        let end = match (format, members.is_empty()) {
            (JsonFormat::Compact, false) => "}",
            (JsonFormat::Compact, true) => "{}",
            (JsonFormat::PrettyPrint, false) => "\n}",
            (JsonFormat::PrettyPrint, true) => "{ }",
        };
        Self { members, end }
    }

    /// Appends the object and a newline; `value` gives the text of a column, or none for null.
    pub(super) fn write<'t>(&self, output: &mut String, mut value: impl FnMut(usize) -> Option<&'t str>) {
        for member in &self.members {
            output.push_str(&member.prefix);
            match value(member.column) {
                Some(text) => push_string(output, text),
                None => output.push_str("null"),
            }
        }
        output.push_str(self.end);
        output.push('\n');
    }
}

/// Everything that stands before the value of the member `position`.
pub(super) fn prefix(position: usize, name: &str, format: JsonFormat) -> String {
    let mut prefix = String::new();
    prefix.push(if position == 0 { '{' } else { ',' });
    push_indentation(&mut prefix, format, 1);
    push_string(&mut prefix, name);
    prefix.push_str(separator(format));
    prefix
}

/// What closes an object that is not empty.
pub(super) fn object_end(format: JsonFormat) -> &'static str {
    match format {
        JsonFormat::Compact => "}\n",
        JsonFormat::PrettyPrint => "\n}\n",
    }
}

/// Appends a value that stands inside `depth` objects.
pub(super) fn push_value(output: &mut String, value: &Value, format: JsonFormat, depth: usize) {
    match value {
        Value::String(text) => push_string(output, text),
        Value::Array(items) => push_array(output, items, format, depth),
        Value::Object(members) => push_object(output, members, format, depth),
        plain => output.push_str(&plain.to_string()),
    }
}

fn push_array(output: &mut String, items: &[Value], format: JsonFormat, depth: usize) {
    let space = if format == JsonFormat::PrettyPrint { " " } else { "" };
    output.push('[');
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            output.push(',');
        }
        output.push_str(space);
        push_value(output, item, format, depth);
    }
    output.push_str(space);
    output.push(']');
}

fn push_object(
    output: &mut String,
    members: &serde_json::Map<String, Value>,
    format: JsonFormat,
    depth: usize,
) {
    output.push('{');
    for (position, (name, value)) in members.iter().enumerate() {
        if position > 0 {
            output.push(',');
        }
        push_indentation(output, format, depth + 1);
        push_string(output, name);
        output.push_str(separator(format));
        push_value(output, value, format, depth + 1);
    }
    if !members.is_empty() {
        push_indentation(output, format, depth);
    } else if format == JsonFormat::PrettyPrint {
        output.push(' ');
    }
    output.push('}');
}

fn separator(format: JsonFormat) -> &'static str {
    match format {
        JsonFormat::Compact => ":",
        JsonFormat::PrettyPrint => " : ",
    }
}

fn push_indentation(output: &mut String, format: JsonFormat, depth: usize) {
    if format == JsonFormat::PrettyPrint {
        output.push('\n');
        output.extend(std::iter::repeat_n("  ", depth));
    }
}

/// Appends a text in quotes.
pub(super) fn push_string(output: &mut String, text: &str) {
    output.push('"');
    let mut rest = text;
    while let Some(at) = position_to_escape(rest.as_bytes()) {
        output.push_str(&rest[..at]);
        push_escape(output, rest.as_bytes()[at]);
        rest = &rest[at + 1..];
    }
    output.push_str(rest);
    output.push('"');
}

fn push_escape(output: &mut String, byte: u8) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    match byte {
        b'"' => output.push_str("\\\""),
        b'\\' => output.push_str("\\\\"),
        0x08 => output.push_str("\\b"),
        b'\t' => output.push_str("\\t"),
        b'\n' => output.push_str("\\n"),
        0x0c => output.push_str("\\f"),
        b'\r' => output.push_str("\\r"),
        _ => {
            output.push_str("\\u00");
            output.push(HEX[usize::from(byte >> 4)]);
            output.push(HEX[usize::from(byte & 15)]);
        }
    }
}

/// The first byte that JSON wants escaped. Eight bytes are looked at together, since most texts need no
/// escape.
fn position_to_escape(bytes: &[u8]) -> Option<usize> {
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        if has_byte_to_escape(u64::from_le_bytes(*word)) {
            let inside = word.iter().position(|byte| must_escape(*byte));
            return inside.map(|inside| index * 8 + inside);
        }
    }
    let inside = tail.iter().position(|byte| must_escape(*byte));
    inside.map(|inside| bytes.len() - tail.len() + inside)
}

fn must_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Whether any of eight bytes must be escaped: the usual trick that borrows from a byte's high bit when the
/// byte is below a bound. It is exact as a yes or no for the whole word.
fn has_byte_to_escape(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGH_BITS: u64 = ONES << 7;
    let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word & HIGH_BITS;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn strings_are_escaped_like_jacksons() {
        let table = [
            ("", "\"\""),
            ("a/b\u{7f}\u{2028}é😀", "\"a/b\u{7f}\u{2028}é😀\""),
            ("\"\\", r#""\"\\""#),
            ("\u{8}\t\n\u{c}\r", r#""\b\t\n\f\r""#),
            ("\u{0}\u{b}\u{1f}", r#""\u0000\u000B\u001F""#),
            ("12345678\"x", r#""12345678\"x""#),
        ];
        for (text, expected) in table {
            let mut output = String::new();
            push_string(&mut output, text);
            assert_eq!(output, expected);
        }
    }

    #[test]
    fn values_are_laid_out_like_jacksons() {
        let value = json!({"z": 1, "a": [true, null, {"b": "c"}], "e": {}, "f": [], "g": {"h": 1.5}});
        let mut compact = String::new();
        push_value(&mut compact, &value, JsonFormat::Compact, 0);
        assert_eq!(compact, r#"{"z":1,"a":[true,null,{"b":"c"}],"e":{},"f":[],"g":{"h":1.5}}"#);
        let mut pretty = String::new();
        push_value(&mut pretty, &value, JsonFormat::PrettyPrint, 0);
        let expected = "{\n  \"z\" : 1,\n  \"a\" : [ true, null, {\n    \"b\" : \"c\"\n  } ],\n  \"e\" : { },\n  \"f\" : [ ],\n  \"g\" : {\n    \"h\" : 1.5\n  }\n}";
        assert_eq!(pretty, expected);
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>(), tail in "[\"\\\\\u{0}-\u{22}é]{0,20}") {
            let text = text + &tail;
            let mut output = String::new();
            push_string(&mut output, &text);
            prop_assert_eq!(serde_json::from_str::<String>(&output).unwrap(), text);
        }
    }
}
