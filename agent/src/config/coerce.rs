//! Turns a value of the tree into the type that an option wants, with the Java agent's generosity: `"21"` is
//! a whole number, `1000` is a text, `yes` and `1` are true.
//!
//! Invariant: never guesses; what the Java agent refuses (`1000.0` for a whole number) is refused here.

use serde_json::Value;

/// Why a value does not fit, said with the value itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    /// For example `expected a whole number, found "ten"`.
    pub message: String,
    /// How to write it.
    pub hint: Option<String>,
}

/// A whole number: a JSON integer, or text in decimal, hexadecimal (`0x1F`) or octal (leading `0`) digits.
pub(super) fn whole_number(value: &Value) -> Result<i64, Misfit> {
    let parsed = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => decode_integer(text),
        _ => None,
    };
    parsed.ok_or_else(|| whole_number_misfit(value))
}

/// A boolean: true, yes, t, y, 1 or false, no, f, n, 0, in any case, as text or as they are.
pub(super) fn boolean(value: &Value) -> Result<bool, Misfit> {
    let text = match value {
        Value::Bool(boolean) => return Ok(*boolean),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.to_ascii_lowercase(),
        _ => String::new(),
    };
    match text.as_str() {
        "true" | "yes" | "t" | "y" | "1" => Ok(true),
        "false" | "no" | "f" | "n" | "0" => Ok(false),
        _ => Err(misfit("true or false", value, None)),
    }
}

/// A text; numbers and booleans count as the text they are written with.
pub(super) fn text(value: &Value) -> Result<String, Misfit> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(boolean) => Ok(boolean.to_string()),
        _ => Err(misfit("a text", value, None)),
    }
}

/// A misfit of `value` for something that should be `wanted`.
pub(super) fn misfit(wanted: &str, value: &Value, hint: Option<String>) -> Misfit {
    Misfit { message: format!("expected {wanted}, found {}", describe(value)), hint }
}

fn whole_number_misfit(value: &Value) -> Misfit {
    let hint = match value {
        Value::Number(number) if number.is_f64() => number
            .as_f64()
            .filter(|float| float.fract() == 0.0 && float.abs() < 1e15)
            .map(|float| format!("write {float:.0}")),
        _ => None,
    };
    misfit("a whole number", value, hint)
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        scalar => scalar.to_string(),
    }
}

/// The forms of an integer in text that Java's `decode` accepts.
fn decode_integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = ["0x", "0X", "#"].iter().find_map(|prefix| digits.strip_prefix(prefix));
    let (digits, radix) = match (hexadecimal, digits.strip_prefix('0')) {
        (Some(hexadecimal), _) => (hexadecimal, 16),
        (None, Some(octal)) if !octal.is_empty() => (octal, 8),
        _ => (digits, 10),
    };
    if !digits.starts_with(|first: char| first.is_digit(radix)) {
        return None;
    }
    let magnitude = i128::from_str_radix(digits, radix).ok()?;
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whole_numbers() {
        let table = [
            (json!(21), Some(21)),
            (json!(-1), Some(-1)),
            (json!("21"), Some(21)),
            (json!("+21"), Some(21)),
            (json!("-0x1F"), Some(-31)),
            (json!("#ff"), Some(255)),
            (json!("010"), Some(8)),
            (json!("0"), Some(0)),
            (json!("-9223372036854775808"), Some(i64::MIN)),
            (json!(1000.0), None),
            (json!("1000.0"), None),
            (json!("9223372036854775808"), None),
            (json!(u64::MAX), None),
            (json!(""), None),
            (json!(" 1"), None),
            (json!("--1"), None),
            (json!("0x"), None),
            (json!("09"), None),
            (json!(true), None),
            (json!([1]), None),
        ];
        for (value, expected) in table {
            assert_eq!(whole_number(&value).ok(), expected, "{value}");
        }
        let misfit = whole_number(&json!(1000.0)).unwrap_err();
        assert_eq!(misfit.message, "expected a whole number, found 1000.0");
        assert_eq!(misfit.hint.as_deref(), Some("write 1000"));
    }

    #[test]
    fn booleans() {
        for yes in [json!(true), json!("TRUE"), json!("Yes"), json!("t"), json!("y"), json!("1"), json!(1)] {
            assert_eq!(boolean(&yes), Ok(true), "{yes}");
        }
        for no in [json!(false), json!("False"), json!("nO"), json!("f"), json!("n"), json!("0"), json!(0)] {
            assert_eq!(boolean(&no), Ok(false), "{no}");
        }
        for neither in [json!("on"), json!(""), json!(2), json!([]), json!(null)] {
            assert!(boolean(&neither).is_err(), "{neither}");
        }
        assert_eq!(boolean(&json!("on")).unwrap_err().message, "expected true or false, found \"on\"");
    }

    #[test]
    fn texts() {
        assert_eq!(text(&json!("a")).unwrap(), "a");
        assert_eq!(text(&json!(1000)).unwrap(), "1000");
        assert_eq!(text(&json!(false)).unwrap(), "false");
        assert_eq!(text(&json!({})).unwrap_err().message, "expected a text, found an object");
    }
}
