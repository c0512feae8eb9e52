//! The grammars of all formats a second time, as regular expressions, to hold the hand-written parsers
//! against.
//!
//! Regular expressions step back where the parsers go straight on; on lines that are almost right both must
//! agree, in what they accept and in every part.

use proptest::prelude::*;
use regex::Regex;

use super::{apache_error, combined_apache, common_apache, rfc3339_syslog, syslog};

const HOST: &str = r"(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|[0-9.]+)";
const USER: &str = "[A-Za-z0-9._-]+";
const ANY: &str = "[^\n\r\u{85}\u{2028}\u{2029}]";
const SPACE: &str = "[ \t\n\u{b}\u{c}\r]";
const MONTH: &str = "(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:tember)?\
                     |Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)";
const DAY: &str = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|Mon|Tue|Wed|Thu|Fri|Sat|Sun";
const MONTH_DAY: &str = "(?:0[1-9]|[12][0-9]|3[01]|[1-9])";
const TIME: &str = "(?:2[0-3]|[01]?[0-9]):[0-5][0-9]:(?:60|[0-5]?[0-9])(?:[:.,][0-9]+)?";
const YEAR: &str = "[1-9][0-9]*";
const INTEGER: &str = "(?:[+-]?[0-9]+|-)";

fn common() -> String {
    let date = format!("{MONTH_DAY}/{MONTH}/{YEAR}:{TIME}{SPACE}[+-]?[0-9]+");
    format!(r#"({HOST}) ({USER}) ({USER}) \[({date})\] "([^"]+)" ({INTEGER}) ({INTEGER})"#)
}

fn after_timestamp() -> String {
    format!(r"(?: <[0-9]+{ANY}[0-9]+>)? ({USER}) ([A-Za-z0-9._/%-]+)(?:\[([1-9][0-9]*)\])?: ({ANY}*)")
}

/// The oracle, the parser, and lines to start from.
type Format = (Regex, fn(&str) -> Option<Vec<Option<&str>>>, &'static [&'static str]);

fn formats() -> Vec<Format> {
    let full = |pattern: String| Regex::new(&format!(r"\A(?:{pattern})\z")).unwrap();
    let error_date = format!("(?:{DAY}){SPACE}+{MONTH}{SPACE}+{MONTH_DAY}{SPACE}+{TIME}{SPACE}+{YEAR}");
    let word = "[A-Za-z0-9_]+";
    let error = format!(
        r"\[({error_date})\] \[(?:({word}):)?({word})\] \[pid ([0-9]+)(?::tid ([0-9]+))?\] \[client ({HOST}(?::[1-9][0-9]*)?)\] ({ANY}*)"
    );
    let rfc3339 =
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})";
    vec![
        (
            full(format!("{}{ANY}*", common())),
            |line| common_apache::parse(line).map(Vec::from),
            &[
                r#"1.2.3.4 - b.b [10/Oct/2000:13:55:36 -0700] "GET /" 200 -5"#,
                r#"a-b. u - [1/May/20:1:00:60:9 0] "-" - +12 x"#,
            ],
        ),
        (
            full(format!(r#"{} "([^"]+)" "([^"]+)"{ANY}*"#, common())),
            |line| combined_apache::parse(line).map(Vec::from),
            &[
                r#"h - - [31/March/2024:23:59:5,1 +1] "a" 1 - "r" "u""#,
                r#"1..2 a b [09/Jul/9:00:00:00 1] "x" - 0 "-" "-" z"#,
            ],
        ),
        (
            full(error),
            |line| apache_error::parse(line).map(Vec::from),
            &[
                "[Tue Jan 02 03:04:05.6 2024] [ssl:warn] [pid 77:tid 140] [client 10.0.0.9:443] hello",
                "[Sunday May  6 1:46:23 2] [error] [pid 0] [client h] ",
            ],
        ),
        (
            full(format!("({MONTH}{SPACE}+{MONTH_DAY}{SPACE}+{TIME}){}", after_timestamp())),
            |line| syslog::parse(line).map(Vec::from),
            &[
                "Mar  7 04:22:00 h p[1]: m",
                "May 31 3:04:05,1 <134> h-1 a/b: x: y",
                "June 09 00:00:60 <12.3> h p: ",
            ],
        ),
        (
            full(format!("({rfc3339}){}", after_timestamp())),
            |line| rfc3339_syslog::parse(line).map(Vec::from),
            &["2016-04-22T00:01:02.123+02:00 h p[12]: m", "2016-04-22T00:01:02Z <1>2> h p: é"],
        ),
    ]
}

/// Deletes, replaces or inserts one character.
fn mutate(line: &str, (kind, place, letter): (u8, usize, char)) -> String {
    let mut letters: Vec<char> = line.chars().collect();
    let place = place % (letters.len() + 1);
    match (kind % 3, place < letters.len()) {
        (0, true) => drop(letters.remove(place)),
        (1, true) => letters[place] = letter,
        _ => letters.insert(place, letter),
    }
    letters.into_iter().collect()
}

#[test]
fn parsers_and_oracles_agree_on_lines_that_are_almost_right() {
    let formats = formats();
    for (oracle, _, lines) in &formats {
        assert!(lines.iter().all(|line| oracle.is_match(line)), "{oracle}");
    }
    let letters =
        prop::sample::select("0123456789 .:,-+/[]<>\"abMT_%\t\n\r\u{85}é".chars().collect::<Vec<_>>());
    let mutations = prop::collection::vec((any::<u8>(), any::<usize>(), letters), 0..4);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(4000));
    let outcome = runner.run(&mutations, |mutations| {
        for (oracle, parse, lines) in &formats {
            for line in *lines {
                let line =
                    mutations.iter().fold((*line).to_owned(), |line, mutation| mutate(&line, *mutation));
                let expected = oracle.captures(&line).map(|groups| {
                    groups.iter().skip(1).map(|group| group.map(|group| group.as_str())).collect::<Vec<_>>()
                });
                prop_assert_eq!(parse(&line), expected, "{:?}", line);
            }
        }
        Ok(())
    });
    outcome.unwrap();
}
