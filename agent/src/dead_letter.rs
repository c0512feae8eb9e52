//! A record that cannot be sent, with everything that is needed to find out why and to send it after all.
//!
//! Invariant: the data is there whole, byte for byte: as text, or in base64 when it is not UTF-8.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::config::Destination;
use crate::wall_time::push_time;

/// The record was longer than its destination takes, and `recordOverLimitPolicy` is DEAD_LETTER.
pub const OVER_LIMIT: &str = "RecordOverLimit";

/// The record cannot be put into any call.
pub const INVALID: &str = "InvalidUserRecord";

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter<'a> {
    /// The file that it was read from.
    pub file: String,
    /// Where it begins there.
    pub offset: u64,
    /// How many bytes of the file it is.
    pub length: u64,
    /// Why it cannot be sent: the service's error code, [`OVER_LIMIT`] or [`INVALID`].
    pub code: String,
    /// The same for people.
    pub message: String,
    /// How often it was sent; the last 16 are counted.
    pub attempts: usize,
    /// What was to be sent: converted, and without the newline only if the converters took it off.
    pub data: &'a [u8],
}

/// One line of the file, in the order of its members.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    destination: String,
    file: &'a str,
    offset: u64,
    length: u64,
    code: &'a str,
    message: &'a str,
    attempts: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a str>,
    #[serde(rename = "dataBase64", skip_serializing_if = "Option::is_none")]
    data_base64: Option<String>,
}

impl DeadLetter<'_> {
    /// Appends it as a line of JSON, with the time at which it was given up, in milliseconds since 1970.
    pub fn write_line(&self, destination: &Destination, wall_time_ms: u64, lines: &mut Vec<u8>) {
        let mut time = String::new();
        push_time(&mut time, wall_time_ms);
        let data = std::str::from_utf8(self.data).ok();
        let line = Line {
            time,
            destination: destination.to_string(),
            file: &self.file,
            offset: self.offset,
            length: self.length,
            code: &self.code,
            message: &self.message,
            attempts: self.attempts,
            data,
            data_base64: data.is_none().then(|| STANDARD.encode(self.data)),
        };
        // Texts and numbers always are JSON, and a vector takes everything.
        let _ = serde_json::to_writer(&mut *lines, &line);
        lines.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_everything() {
        let mut letter = DeadLetter {
            file: "/log/a".into(),
            offset: 7,
            length: 5,
            code: "ValidationException".into(),
            message: "no \"such\" thing".into(),
            attempts: 1,
            data: b"text\n",
        };
        let mut lines = Vec::new();
        let destination = Destination::KinesisStream("s".into());
        letter.write_line(&destination, 0, &mut lines);
        letter.data = b"\xff\n";
        letter.write_line(&destination, 1, &mut lines);
        let expected = concat!(
            r#"{"time":"1970-01-01T00:00:00.000Z","destination":"KinesisStream:s","file":"/log/a","offset":7,"length":5,"#,
            r#""code":"ValidationException","message":"no \"such\" thing","attempts":1,"data":"text\n"}"#,
            "\n",
            r#"{"time":"1970-01-01T00:00:00.001Z","destination":"KinesisStream:s","file":"/log/a","offset":7,"length":5,"#,
            r#""code":"ValidationException","message":"no \"such\" thing","attempts":1,"dataBase64":"/wo="}"#,
            "\n"
        );
        assert_eq!(String::from_utf8(lines).unwrap(), expected);
    }
}
