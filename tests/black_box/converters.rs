//! Converters and long lines, end to end: the exact bytes in the stream.

use serde_json::{Value, json};

use crate::patience::{PATIENCE, comes_true};
use crate::status_commands::status;
use crate::workshop::{Workshop, sorted};

/// What the stream gets for these options and this input, aggregated and not.
fn check(options: &Value, input: &str, expected: &[&str]) {
    for aggregation in [true, false] {
        let shop = Workshop::new();
        shop.write("in.log", input);
        let more = json!({ "dataProcessingOptions": options, "aggregation": aggregation });
        shop.once(&shop.configure(&[shop.flow("in.log", more)]));
        assert_eq!(shop.shipped(), sorted(expected), "{options}, aggregation {aggregation}");
    }
}

#[test]
fn csv_to_json() {
    check(
        &json!([{ "optionName": "CSVTOJSON", "customFieldNames": ["a", "b", "c"] }]),
        "1,2,3\n1,,\n,x\n1,\"2,3\",4\n\u{e9},\"\t\",\u{2028}/\r\n",
        &[
            "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}\n",
            "{\"a\":\"1\",\"b\":null,\"c\":null}\n",
            "{\"a\":\"\",\"b\":\"x\",\"c\":null}\n",
            "{\"a\":\"1\",\"b\":\"\\\"2\",\"c\":\"3\\\"\"}\n",
            "{\"a\":\"\u{e9}\",\"b\":\"\\\"\\t\\\"\",\"c\":\"\u{2028}/\\r\"}\n",
        ],
    );
}

#[test]
fn log_to_json_common_apache() {
    check(
        &json!([{ "optionName": "LOGTOJSON", "logFormat": "COMMONAPACHELOG" }]),
        "1.2.3.4 - bob [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 -\n\
         not a log line\n\
         h - - [10/Oct/2000:13:55:36 -0700] \"-\" 408 -\n",
        &[
            "{\"host\":\"1.2.3.4\",\"ident\":null,\"authuser\":\"bob\",\"datetime\":\"10/Oct/2000:13:55:36 -0700\",\
             \"request\":\"GET / HTTP/1.0\",\"response\":\"200\",\"bytes\":null}\n",
            "{\"host\":\"h\",\"ident\":null,\"authuser\":null,\"datetime\":\"10/Oct/2000:13:55:36 -0700\",\
             \"request\":null,\"response\":\"408\",\"bytes\":null}\n",
        ],
    );
}

#[test]
fn log_to_json_combined_apache() {
    check(
        &json!([{ "optionName": "LOGTOJSON", "logFormat": "COMBINEDAPACHELOG" }]),
        "h - - [10/Oct/2000:13:55:36 -0700] \"G\" 200 5 \"-\" \"UA\"\n",
        &["{\"host\":\"h\",\"ident\":null,\"authuser\":null,\"datetime\":\"10/Oct/2000:13:55:36 -0700\",\
           \"request\":\"G\",\"response\":\"200\",\"bytes\":\"5\",\"referer\":null,\"agent\":\"UA\"}\n"],
    );
}

#[test]
fn log_to_json_syslog() {
    check(
        &json!([{ "optionName": "LOGTOJSON", "logFormat": "SYSLOG" }]),
        "Mar  7 04:22:00 h p[1]: m\nMar 7 04:22:00 h p: -\n<13> no\n",
        &[
            "{\"timestamp\":\"Mar  7 04:22:00\",\"hostname\":\"h\",\"program\":\"p\",\"processid\":\"1\",\"message\":\"m\"}\n",
            "{\"timestamp\":\"Mar 7 04:22:00\",\"hostname\":\"h\",\"program\":\"p\",\"processid\":null,\"message\":\"-\"}\n",
        ],
    );
}

#[test]
fn single_line() {
    check(&json!([{ "optionName": "SINGLELINE" }]), " a \t\n\nx", &["a\n", "\n", "x\n"]);
    let options = json!([{ "optionName": "SINGLELINE", "parseOptions": ["NO_TRIM"] }]);
    check(&options, " a \n", &[" a \n"]);
}

#[test]
fn header_lines_are_left_out_of_each_file() {
    let shop = Workshop::new();
    shop.write("a.csv", "name\n---\na\n");
    shop.write("b.csv", "name\n---\nb\n");
    let configuration = shop.configure(&[shop.flow("*.csv", json!({ "skipHeaderLines": 2 }))]);
    shop.once(&configuration);
    assert_eq!(shop.shipped(), sorted(&["a\n", "b\n"]));
}

/// The Java agent's sizes: data and key of a Kinesis record 1 MiB, the terminator written over the end.
#[test]
fn over_long_lines_are_cut() {
    let longer_than_a_call = "x".repeat(6 << 20);
    let longer_than_a_record = "y".repeat((1 << 20) + 100);
    let input = format!("before\n{longer_than_a_call}\n{longer_than_a_record}\nafter\n");
    let shop = Workshop::new();
    shop.write("long.log", &input);
    let plain = json!({ "aggregation": false, "truncatedRecordTerminator": "...\n" });
    let delivery = json!({ "deliveryStream": "lines" });
    shop.once(&shop.configure(&[shop.flow("long.log", plain), shop.flow("long.log", delivery)]));

    let mut reader = shop.reader();
    let records = reader.read_all();
    assert_eq!(records.len(), 4);
    for (record, key) in records.iter().zip(&reader.partition_keys) {
        match record[0] {
            b'x' | b'y' => {
                assert_eq!(record.len() + key.len(), 1 << 20);
                assert!(record.ends_with(b"...\n"));
                assert!(record[..record.len() - 4].iter().all(|byte| *byte == record[0]));
            }
            _ => assert!(record[..] == b"before\n"[..] || record[..] == b"after\n"[..]),
        }
    }
    let mut delivered = shop.sandbox.delivered("lines").unwrap();
    delivered.sort();
    let sizes: Vec<_> = delivered.iter().map(bytes::Bytes::len).collect();
    assert_eq!(sizes, [6, 7, 1_024_000, 1_024_000]);
    assert!(delivered.iter().all(|record| record.ends_with(b"\n")));
}

/// A log in another format than the configuration says: nothing of it can be sent, and that is shown.
#[test]
fn records_that_match_no_pattern_are_shown_and_counted() {
    let long = format!("long {}\u{1b}[31m\n", "x".repeat(5000));
    for (option, pattern, lines) in [
        (json!({ "optionName": "LOGTOJSON", "logFormat": "COMBINEDAPACHELOG" }), "COMBINEDAPACHELOG", 0),
        (json!({ "optionName": "LOGTOJSON", "logFormat": "SYSLOG" }), "SYSLOG", 0),
        (
            json!({ "optionName": "LOGTOJSON", "logFormat": "SYSLOG", "matchPattern": "^(good.*)$",
                    "customFieldNames": ["line"] }),
            "(good.*)",
            1,
        ),
    ] {
        let shop = Workshop::new();
        shop.write("app.log", format!("{long}one\ngood line\n"));
        let flow = shop.flow("app.log", json!({ "dataProcessingOptions": [option] }));
        let configuration = shop.configure(&[flow]);
        let agent = shop.run_started(&configuration);
        let counts = || status(&shop, &configuration).1["flows"][0]["counts"].clone();
        let is_counted = comes_true(PATIENCE, || counts()["records_unmatched"] == json!(3 - lines));
        assert!(is_counted, "{} {}", counts(), agent.stderr());
        let said = agent.stop().stderr;
        let warning = said.lines().find(|line| line.contains("do not match the pattern")).unwrap_or_default();
        for part in ["WARN", "app.log", "offset=0", pattern, "long xxx", "...", "records="] {
            assert!(warning.contains(part), "{part}: {said}");
        }
        assert!(!warning.contains('\u{1b}') && warning.len() < 1000, "{warning}");
        let progress = said.lines().rfind(|line| line.contains("progress")).unwrap_or_default();
        assert!(progress.contains(&format!("records_unmatched={}", 3 - lines)), "{said}");
        assert_eq!(shop.shipped().len(), lines);
    }
}

#[test]
fn once_says_how_many_records_were_left_out() {
    let shop = Workshop::new();
    shop.write("app.log", "one\ntwo\n");
    let options = json!([{ "optionName": "LOGTOJSON", "logFormat": "SYSLOG" }]);
    let configuration = shop.configure(&[shop.flow("app.log", json!({ "dataProcessingOptions": options }))]);
    let finished = shop.once(&configuration);
    assert!(finished.stderr.contains("2 of 2 records do not match the pattern"), "{}", finished.stderr);
}
