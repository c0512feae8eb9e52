//! The lines that the application of the demo logs, and how they are recognised when they come back.
//!
//! Invariant: a line's parts follow from its number and the seed alone, so a record that comes back is compared with
//! what was written, not only counted. Only the time of the line is not compared.

use std::borrow::Cow;
use std::io::Write;

use fastrand::Rng;
use serde::Deserialize;

const PAGES: [&str; 8] = [
    "catalogue",
    "product",
    "basket",
    "checkout",
    "search",
    "account/orders",
    "static/app.js",
    "api/v1/stock",
];
const REFERERS: [&str; 4] = [
    "-",
    "https://www.example.com/",
    "https://search.example.net/?q=blue+shoes",
    "https://shop.example.com/sale",
];
const USER_AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
    "curl/8.14.1",
];
/// Status codes, the usual ones more often.
const RESPONSES: [u16; 10] = [200, 200, 200, 200, 200, 200, 304, 302, 404, 500];
const METHODS: [&str; 4] = ["GET", "GET", "GET", "POST"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The part of a request that holds the line's number.
const NUMBER_FIELD: &str = "visit=";

/// One line, without its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogLine {
    host: String,
    user: String,
    request: String,
    response: u16,
    size: u32,
    referer: &'static str,
    user_agent: &'static str,
}

/// What is read of a record that came back.
#[derive(Debug, Deserialize)]
struct DeliveredLine<'r> {
    #[serde(borrow)]
    host: Cow<'r, str>,
    #[serde(borrow)]
    request: Cow<'r, str>,
    #[serde(borrow)]
    agent: Cow<'r, str>,
}

impl LogLine {
    /// The line of this number.
    pub(super) fn new(seed: u64, number: u64) -> Self {
        let mut random = Rng::with_seed(seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let [a, b, c] = [random.u8(1..=223), random.u8(..), random.u8(1..=254)];
        let user = if random.u8(..) < 32 { format!("customer{}", random.u16(..)) } else { "-".to_owned() };
        let method = pick(&mut random, &METHODS);
        let page = pick(&mut random, &PAGES);
        let item = random.u32(1..100_000);
        Self {
            host: format!("{a}.{b}.0.{c}"),
            user,
            request: format!("{method} /{page}/{item}?{NUMBER_FIELD}{number} HTTP/1.1"),
            response: pick(&mut random, &RESPONSES),
            size: random.u32(0..200_000),
            referer: pick(&mut random, &REFERERS),
            user_agent: pick(&mut random, &USER_AGENTS),
        }
    }

    /// Appends the line in the combined format of Apache, with its newline.
    pub(super) fn append(&self, wall_time_ms: u64, output: &mut Vec<u8>) {
        let Self { host, user, request, response, size, referer, user_agent } = self;
        let time = apache_time(wall_time_ms);
        // Memory takes everything.
        let _ = writeln!(
            output,
            "{host} - {user} [{time}] \"{request}\" {response} {size} \"{referer}\" \"{user_agent}\""
        );
    }
}

/// The number of the line in a record that came back as JSON; `None` if it is not the line that was written.
pub(super) fn number_of(seed: u64, record: &[u8]) -> Option<u64> {
    let delivered: DeliveredLine<'_> = serde_json::from_slice(record).ok()?;
    let (_, rest) = delivered.request.split_once(NUMBER_FIELD)?;
    let number = rest.split(' ').next()?.parse().ok()?;
    let written = LogLine::new(seed, number);
    let is_same = delivered.host == written.host
        && delivered.request == written.request
        && delivered.agent == written.user_agent;
    is_same.then_some(number)
}

fn pick<T: Copy>(random: &mut Rng, choices: &[T]) -> T {
    choices[random.usize(..choices.len())]
}

/// `10/Oct/2000:13:55:36 +0000`.
fn apache_time(wall_time_ms: u64) -> String {
    let seconds = wall_time_ms / 1000;
    let (year, month, day) = civil_date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{day:02}/{}/{year}:{hour:02}:{minute:02}:{second:02} +0000", MONTHS[month])
}

/// Year, month from 0 and day from 1 of a day counted from 1970.
fn civil_date(mut day: u64) -> (u64, usize, u64) {
    let is_leap =
        |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while day >= 365 + u64::from(is_leap(year)) {
        day -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while day >= lengths[month] {
        day -= lengths[month];
        month += 1;
    }
    (year, month, day + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::demo::agent_json::{self, Places};
    use crate::config::AgentConfig;
    use crate::core::processor::{Processed, Processor};
    use std::path::Path;

    #[test]
    fn times_as_apache_writes_them() {
        for (wall_time_ms, expected) in [
            (0, "01/Jan/1970:00:00:00 +0000"),
            (971_186_136_999, "10/Oct/2000:13:55:36 +0000"),
            (1_709_164_800_000, "29/Feb/2024:00:00:00 +0000"),
            (1_709_251_199_000, "29/Feb/2024:23:59:59 +0000"),
            (4_107_542_399_000, "28/Feb/2100:23:59:59 +0000"),
            (4_107_542_400_000, "01/Mar/2100:00:00:00 +0000"),
        ] {
            assert_eq!(apache_time(wall_time_ms), expected);
        }
    }

    #[test]
    fn only_the_line_that_was_written_is_recognised() {
        let json = |line: &LogLine| {
            format!(
                r#"{{"host":"{}","request":"{}","agent":"{}"}}"#,
                line.host, line.request, line.user_agent
            )
        };
        for number in [0, 7, 1_000_000] {
            let line = LogLine::new(3, number);
            assert_eq!(number_of(3, json(&line).as_bytes()), Some(number));
            let damaged = LogLine { host: format!("{}0", line.host), ..line };
            assert_eq!(number_of(3, json(&damaged).as_bytes()), None);
        }
        for no_line in ["", "{}", "not JSON", r#"{"host":"a","request":"GET / HTTP/1.1","agent":"b"}"#] {
            assert_eq!(number_of(3, no_line.as_bytes()), None, "{no_line}");
        }
    }

    #[test]
    fn every_line_comes_through_the_converter_of_the_demo() {
        let places = Places { endpoint: "http://127.0.0.1:1", stream: "s", directory: Path::new("/scratch") };
        let config = AgentConfig::parse(&agent_json::text(&places), "agent.json").expect("is valid").config;
        let mut processor = Processor::new(&config.flows[0].data_processing_options).expect("can be built");
        let mut line = Vec::new();
        for number in 0..2000 {
            line.clear();
            LogLine::new(9, number).append(number * 86_399_999, &mut line);
            match processor.process(&line, 0) {
                Processed::Record(json) => assert_eq!(number_of(9, json), Some(number)),
                other => panic!("{other:?}: {}", String::from_utf8_lossy(&line)),
            }
        }
    }
}
