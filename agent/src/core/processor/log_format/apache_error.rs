//! APACHEERRORLOG: `[Tue Jan 02 03:04:05.678901 2024] [ssl:warn] [pid 77:tid 140] [client 10.0.0.9:443]
//! hello`.
//!
//! Invariant: process and client must be there; module and thread may be missing.

use super::cursor::Cursor;
use super::date;

/// timestamp, module, severity, processid, threadid, client, message.
pub(in super::super) fn parse(line: &str) -> Option<[Option<&str>; 7]> {
    let mut cursor = Cursor::new(line);
    cursor.expect("[")?;
    let timestamp = error_date(&mut cursor)?;
    cursor.expect("] [")?;
    let (module, severity) = module_and_severity(&mut cursor)?;
    cursor.expect("] [pid ")?;
    let process_id = cursor.digits()?;
    let thread_id = if cursor.skip(":tid ") { Some(cursor.digits()?) } else { None };
    cursor.expect("] [client ")?;
    let client = client(&mut cursor)?;
    cursor.expect("] ")?;
    let message = cursor.rest()?;
    Some([Some(timestamp), module, Some(severity), Some(process_id), thread_id, Some(client), Some(message)])
}

fn error_date<'l>(cursor: &mut Cursor<'l>) -> Option<&'l str> {
    let start = *cursor;
    date::week_day(cursor)?;
    cursor.white_space()?;
    date::month(cursor)?;
    cursor.white_space()?;
    date::month_day(cursor)?;
    cursor.white_space()?;
    date::time(cursor)?;
    cursor.white_space()?;
    date::year(cursor)?;
    cursor.since(&start)
}

fn module_and_severity<'l>(cursor: &mut Cursor<'l>) -> Option<(Option<&'l str>, &'l str)> {
    let first = cursor.word()?;
    if cursor.skip(":") { Some((Some(first), cursor.word()?)) } else { Some((None, first)) }
}

/// A host with an optional port.
fn client<'l>(cursor: &mut Cursor<'l>) -> Option<&'l str> {
    let start = *cursor;
    cursor.host()?;
    if cursor.skip(":") {
        cursor.positive_integer()?;
    }
    cursor.since(&start)
}
