//! SYSLOG: `Mar  7 04:22:00 host program[1]: message`.
//!
//! Invariant: as in the Java agent, a priority may stand after the time and not before it, and has at least
//! three characters in its angle brackets.

use super::cursor::{Cursor, is_line_end};
use super::date;

/// timestamp, hostname, program, processid, message.
pub(in super::super) fn parse(line: &str) -> Option<[Option<&str>; 5]> {
    let mut cursor = Cursor::new(line);
    date::month(&mut cursor)?;
    cursor.white_space()?;
    date::month_day(&mut cursor)?;
    cursor.white_space()?;
    date::time(&mut cursor)?;
    let timestamp = cursor.since(&Cursor::new(line))?;
    after_timestamp(cursor, timestamp)
}

/// Everything behind the time, which RFC3339SYSLOG has in common.
pub(super) fn after_timestamp<'l>(
    mut cursor: Cursor<'l>,
    timestamp: &'l str,
) -> Option<[Option<&'l str>; 5]> {
    cursor.expect(" ")?;
    if cursor.peek() == Some(b'<') {
        cursor = behind_priority(cursor)?;
    }
    let host_name = cursor.user()?;
    cursor.expect(" ")?;
    let program = cursor.take(|byte| byte.is_ascii_alphanumeric() || b"._/%-".contains(&byte))?;
    let process_id = if cursor.skip("[") {
        let process_id = cursor.positive_integer()?;
        cursor.expect("]")?;
        Some(process_id)
    } else {
        None
    };
    cursor.expect(": ")?;
    let message = cursor.rest()?;
    Some([Some(timestamp), Some(host_name), Some(program), process_id, Some(message)])
}

/// The position behind `<digits, any character, digits> `: `<134> ` and `<1.2> `, but not `<13> `.
fn behind_priority(cursor: Cursor<'_>) -> Option<Cursor<'_>> {
    digits_only_priority(cursor).or_else(|| divided_priority(cursor))
}

fn digits_only_priority(mut cursor: Cursor<'_>) -> Option<Cursor<'_>> {
    cursor.expect("<")?;
    cursor.digits().filter(|digits| digits.len() >= 3)?;
    cursor.expect("> ")?;
    Some(cursor)
}

fn divided_priority(mut cursor: Cursor<'_>) -> Option<Cursor<'_>> {
    cursor.expect("<")?;
    cursor.digits()?;
    cursor.take_char().filter(|letter| !is_line_end(*letter))?;
    cursor.digits()?;
    cursor.expect("> ")?;
    Some(cursor)
}
