//! COMMONAPACHELOG: `1.2.3.4 - bob [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 -`.
//!
//! Invariant: anything may follow the size, so a line of the combined format passes too.

use super::cursor::Cursor;
use super::date;

/// host, ident, authuser, datetime, request, response, bytes.
pub(in super::super) fn parse(line: &str) -> Option<[Option<&str>; 7]> {
    let mut cursor = Cursor::new(line);
    let parts = common_parts(&mut cursor)?;
    cursor.rest()?;
    Some(parts.map(Some))
}

/// The seven parts, up to the end of the size.
pub(super) fn common_parts<'l>(cursor: &mut Cursor<'l>) -> Option<[&'l str; 7]> {
    let host = cursor.host()?;
    cursor.expect(" ")?;
    let ident = cursor.user()?;
    cursor.expect(" ")?;
    let authuser = cursor.user()?;
    cursor.expect(" [")?;
    let datetime = http_date(cursor)?;
    cursor.expect("] ")?;
    let request = cursor.quoted()?;
    cursor.expect(" ")?;
    let response = cursor.integer_or_dash()?;
    cursor.expect(" ")?;
    let bytes = cursor.integer_or_dash()?;
    Some([host, ident, authuser, datetime, request, response, bytes])
}

fn http_date<'l>(cursor: &mut Cursor<'l>) -> Option<&'l str> {
    let start = *cursor;
    date::month_day(cursor)?;
    cursor.expect("/")?;
    date::month(cursor)?;
    cursor.expect("/")?;
    date::year(cursor)?;
    cursor.expect(":")?;
    date::time(cursor)?;
    cursor.one_white_space()?;
    cursor.integer()?;
    cursor.since(&start)
}
