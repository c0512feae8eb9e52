//! COMBINEDAPACHELOG: the common format, then referer and user agent in quotes.
//!
//! Invariant: both must be there and not be empty; anything may follow them.

use super::common_apache::common_parts;
use super::cursor::Cursor;

/// The seven parts of the common format, referer, agent.
pub(in super::super) fn parse(line: &str) -> Option<[Option<&str>; 9]> {
    let mut cursor = Cursor::new(line);
    let [host, ident, authuser, datetime, request, response, bytes] = common_parts(&mut cursor)?;
    cursor.expect(" ")?;
    let referer = cursor.quoted()?;
    cursor.expect(" ")?;
    let agent = cursor.quoted()?;
    cursor.rest()?;
    Some([host, ident, authuser, datetime, request, response, bytes, referer, agent].map(Some))
}
