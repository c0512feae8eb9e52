//! RFC3339SYSLOG: `2016-04-22T00:01:02.123456+02:00 host program: message`.
//!
//! Invariant: only the shape of the time is checked, as in the Java agent; `99:99:99` passes.

use super::cursor::Cursor;
use super::syslog::after_timestamp;

/// timestamp, hostname, program, processid, message.
pub(in super::super) fn parse(line: &str) -> Option<[Option<&str>; 5]> {
    let mut cursor = Cursor::new(line);
    for (length, separator) in [(4, "-"), (2, "-"), (2, "T"), (2, ":"), (2, ":")] {
        digits(&mut cursor, length)?;
        cursor.expect(separator)?;
    }
    digits(&mut cursor, 2)?;
    if cursor.skip(".") {
        cursor.digits()?;
    }
    zone(&mut cursor)?;
    let timestamp = cursor.since(&Cursor::new(line))?;
    after_timestamp(cursor, timestamp)
}

/// `Z`, or hours and minutes with a sign.
fn zone(cursor: &mut Cursor<'_>) -> Option<()> {
    if cursor.skip("Z") {
        return Some(());
    }
    if !(cursor.skip("+") || cursor.skip("-")) {
        return None;
    }
    digits(cursor, 2)?;
    cursor.expect(":")?;
    digits(cursor, 2)
}

fn digits(cursor: &mut Cursor<'_>, count: usize) -> Option<()> {
    cursor.digits().filter(|digits| digits.len() == count).map(|_| ())
}
