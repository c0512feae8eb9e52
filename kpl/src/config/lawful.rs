//! What texts options take.
//!
//! Invariant: each rule says in `wants` what it accepts, so that a refusal can tell.

use std::net::IpAddr;

use crate::config::connection::is_url;

/// A rule for a text.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    /// Whether the rule accepts a text.
    pub(super) accepts: fn(&str) -> bool,
    /// What it accepts, for people.
    pub(super) wants: &'static str,
}

/// Names of regions are words joined by hyphens, the last a number.
pub(super) const REGION: Rule = Rule { accepts: is_region, wants: "a region such as eu-west-1" };

pub(super) const ENDPOINT: Rule =
    Rule { accepts: is_endpoint, wants: "a host name, or a URL such as http://127.0.0.1:4567 without path" };

pub(super) const PRODUCER_ID: Rule =
    Rule { accepts: is_producer_id, wants: "1 to 64 letters, digits, _ and -" };

pub(super) const NAMESPACE: Rule =
    Rule { accepts: is_namespace, wants: "1 to 255 characters, not beginning with AWS/" };

pub(super) const ANY: Rule = Rule { accepts: |_| true, wants: "any text" };

fn is_region(text: &str) -> bool {
    let Some((words, number)) = text.rsplit_once('-') else { return false };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 63 && is_number && words.contains('-') && words.split('-').all(is_word)
}

fn is_endpoint(text: &str) -> bool {
    if !is_url(text) {
        return is_host(text);
    }
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| is_authority(rest.strip_suffix('/').unwrap_or(rest)))
}

/// A host, or a host and a port.
fn is_authority(text: &str) -> bool {
    let is_literal = |host: &str| {
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        address.is_some_and(|address| address.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6()))
    };
    let is_any_host = |host: &str| is_host(host) || is_literal(host);
    let with_port = text.rsplit_once(':').is_some_and(|(host, port)| {
        is_any_host(host) && port.parse::<u16>().is_ok_and(|port| port > 0) && !port.starts_with('+')
    });
    is_any_host(text) || with_port
}

fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        let lawful = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(lawful)
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

fn is_producer_id(text: &str) -> bool {
    let lawful = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(lawful)
}

fn is_namespace(text: &str) -> bool {
    (1..=255).contains(&text.chars().count()) && !text.starts_with("AWS/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_accept_what_they_say_and_nothing_else() {
        let long = |letters: usize| "a".repeat(letters);
        let table: &[(Rule, &[&str], &[&str])] = &[
            (
                REGION,
                &["eu-west-1", "us-gov-west-1", "cn-north-1", "us-isob-east-1", "ap-southeast-12"],
                &[
                    "",
                    "eu-west",
                    "eu-west1",
                    "EU-WEST-1",
                    "eu-west-1 ",
                    "-west-1",
                    "eu--1",
                    "eu-1",
                    "\u{e9}u-west-1",
                ],
            ),
            (
                ENDPOINT,
                &[
                    "kinesis.eu-west-1.amazonaws.com",
                    "localhost",
                    "127.0.0.1",
                    "http://127.0.0.1:4567",
                    "https://kinesis.internal.example/",
                    "http://[::1]:4567",
                    "http://[::1]",
                ],
                &[
                    "",
                    "localhost:4567",
                    "ftp://host",
                    "http://",
                    "http://host/path",
                    "http://host:0",
                    "http://host:65536",
                    "http://host:+1",
                    "http://user@host",
                    "a..b",
                    "host ",
                    "h\u{f6}st",
                    "http://[::1",
                ],
            ),
            (PRODUCER_ID, &["a", "Host-7_b", &long(64)], &["", "a b", "\u{e4}", "a.b", &long(65)]),
            (NAMESPACE, &["x", "My/AWS/", "AWS", &long(255)], &["", "AWS/Kinesis", &long(256)]),
            (ANY, &["", "x"], &[]),
        ];
        for (rule, accepted, refused) in table {
            for text in *accepted {
                assert!((rule.accepts)(text), "{text:?} is {}", rule.wants);
            }
            for text in *refused {
                assert!(!(rule.accepts)(text), "{text:?} is not {}", rule.wants);
            }
        }
    }
}
