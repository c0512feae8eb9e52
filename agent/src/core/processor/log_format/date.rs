//! The parts of dates and times in log lines.
//!
//! Invariant: each is followed by a separator in every format, so taking the longest form is enough.

use super::cursor::Cursor;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEK_DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The English name of a month, short or full, case-sensitive.
pub(super) fn month(cursor: &mut Cursor<'_>) -> Option<()> {
    let name = cursor.take(|byte| byte.is_ascii_alphabetic())?;
    MONTHS.iter().any(|month| is_short_or_full(name, month)).then_some(())
}

/// The English name of a day of the week, short or full, case-sensitive.
pub(super) fn week_day(cursor: &mut Cursor<'_>) -> Option<()> {
    let name = cursor.take(|byte| byte.is_ascii_alphabetic())?;
    WEEK_DAYS.iter().any(|day| is_short_or_full(name, day)).then_some(())
}

/// Short names are the first three letters.
fn is_short_or_full(name: &str, full: &str) -> bool {
    if name.len() == 3 { full.starts_with(name) } else { name == full }
}

/// A day of the month: 01 to 31, or one digit from 1.
pub(super) fn month_day(cursor: &mut Cursor<'_>) -> Option<()> {
    let day = cursor.digits()?;
    (one_or_two_digits(day)? <= 31 && !matches!(day, "0" | "00")).then_some(())
}

/// A year without a leading zero.
pub(super) fn year(cursor: &mut Cursor<'_>) -> Option<()> {
    cursor.positive_integer().map(|_| ())
}

/// Hour, minute and second, the second up to 60 and with an optional fraction behind `:`, `.` or `,`.
pub(super) fn time(cursor: &mut Cursor<'_>) -> Option<()> {
    let hour = one_or_two_digits(cursor.digits()?)?;
    cursor.expect(":")?;
    let minute = cursor.digits().filter(|minute| minute.len() == 2)?;
    cursor.expect(":")?;
    let second = one_or_two_digits(cursor.digits()?)?;
    if hour > 23 || one_or_two_digits(minute)? > 59 || second > 60 {
        return None;
    }
    if cursor.skip(":") || cursor.skip(".") || cursor.skip(",") {
        cursor.digits()?;
    }
    Some(())
}

fn one_or_two_digits(digits: &str) -> Option<u8> {
    match digits.as_bytes() {
        [ones] => Some(ones - b'0'),
        [tens, ones] => Some((tens - b'0') * 10 + (ones - b'0')),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_month() {
        for good in ["1", "9", "01", "09", "10", "29", "30", "31"] {
            assert!(month_day(&mut Cursor::new(good)).is_some(), "{good}");
        }
        for bad in ["0", "00", "32", "99", "001", "", "x"] {
            assert!(month_day(&mut Cursor::new(bad)).is_none(), "{bad}");
        }
    }

    #[test]
    fn times() {
        for good in
            ["00:00:00", "3:04:05", "23:59:60", "1:02:3", "1:02:3:9", "1:02:3.99999999999", "1:02:03,1"]
        {
            let mut cursor = Cursor::new(good);
            assert!(time(&mut cursor).is_some() && cursor.peek().is_none(), "{good}");
        }
        for bad in
            ["24:00:00", "1:2:03", "1:60:03", "1:02:61", "1:02", "1:02:", "1:02:03.", "001:02:03", "1:02:003"]
        {
            assert!(time(&mut Cursor::new(bad)).is_none(), "{bad}");
        }
    }

    #[test]
    fn names() {
        for good in ["Mar", "March", "May", "September"] {
            assert!(month(&mut Cursor::new(good)).is_some(), "{good}");
        }
        for bad in ["mar", "Marc", "MAR", "Sept", ""] {
            assert!(month(&mut Cursor::new(bad)).is_none(), "{bad}");
        }
        assert!(week_day(&mut Cursor::new("Tuesday")).is_some());
        assert!(week_day(&mut Cursor::new("Tues")).is_none());
    }
}
