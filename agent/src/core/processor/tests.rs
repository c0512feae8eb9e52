//! Records through whole processors: the vectors of every converter, and of chains.

use super::*;
use crate::config::{
    AddMetadataOptions, CsvToJsonOptions, JsonFormat, LogFormat, LogToJsonOptions, SingleLineOptions,
};
use proptest::prelude::*;
use serde_json::json;

fn process(options: &[DataProcessingOption], record: &[u8]) -> Option<String> {
    let mut processor = Processor::new(options).unwrap();
    match processor.process(record, 0) {
        Processed::Record(output) => Some(String::from_utf8(output.to_vec()).unwrap()),
        Processed::Dropped => None,
        Processed::FailedSoRaw => panic!("no converter fails"),
    }
}

fn names(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

fn csv(fields: &str, delimiter: &str, json_format: JsonFormat) -> DataProcessingOption {
    let options =
        CsvToJsonOptions { field_names: names(fields), delimiter: delimiter.to_owned(), json_format };
    DataProcessingOption::CsvToJson(options)
}

fn built_in(log_format: LogFormat) -> DataProcessingOption {
    DataProcessingOption::LogToJson(LogToJsonOptions {
        log_format,
        match_pattern: None,
        field_names: log_format.field_names().iter().map(ToString::to_string).collect(),
        json_format: JsonFormat::Compact,
    })
}

fn custom(log_format: LogFormat, pattern: &str, fields: &str) -> DataProcessingOption {
    DataProcessingOption::LogToJson(LogToJsonOptions {
        log_format,
        match_pattern: Some(pattern.to_owned()),
        field_names: names(fields),
        json_format: JsonFormat::Compact,
    })
}

fn check_log(format: LogFormat, accepted: &[(&str, &str)], dropped: &[&str]) {
    for (line, expected) in accepted {
        for end in ["\n", "\r\n", ""] {
            let output = process(&[built_in(format)], format!("{line}{end}").as_bytes());
            assert_eq!(output.as_deref(), Some(format!("{expected}\n").as_str()), "{line}");
        }
    }
    for line in dropped {
        assert_eq!(process(&[built_in(format)], format!("{line}\n").as_bytes()), None, "{line}");
    }
}

#[test]
fn an_empty_chain_hands_back_the_input() {
    let mut processor = Processor::new(&[]).unwrap();
    let record = b"\xff raw\r\n";
    let Processed::Record(output) = processor.process(record, 0) else { panic!("no converter drops") };
    assert!(processor_output_is(output, record));
}

fn processor_output_is(output: &[u8], record: &[u8]) -> bool {
    std::ptr::eq(output, record)
}

#[test]
fn single_line() {
    let plain = SingleLineOptions::default();
    let no_trim = SingleLineOptions { keep_white_space: true, escape_new_line: false };
    let both = SingleLineOptions { keep_white_space: true, escape_new_line: true };
    let escape = SingleLineOptions { keep_white_space: false, escape_new_line: true };
    let table = [
        (plain, " a \n  b\t\n\n c \n\n", "abc\n"),
        (plain, "\n", "\n"),
        (plain, "", "\n"),
        (plain, "x", "x\n"),
        (plain, "a\r\nb\r\n", "ab\n"),
        (plain, "\u{a0}a\u{0}\n", "\u{a0}a\n"),
        (no_trim, " a \n  b\t\n", " a   b\t\n"),
        (both, "a\n b\n", "a\\\\n b\n"),
        (escape, "{\n  \"a\" : 1\n}\n", "{\\\\n\"a\" : 1\\\\n}\n"),
        (escape, "a\n\n b\n\n", "a\\\\n\\\\nb\n"),
    ];
    for (options, record, expected) in table {
        let output = process(&[DataProcessingOption::SingleLine(options)], record.as_bytes());
        assert_eq!(output.as_deref(), Some(expected), "{record:?}");
    }
}

#[test]
fn csv_to_json() {
    let table = [
        ("a,b,c", ",", "1,2,3\n", r#"{"a":"1","b":"2","c":"3"}"#),
        ("a,b,c", ",", "1,2,3", r#"{"a":"1","b":"2","c":"3"}"#),
        ("a,b,c", ",", "1,2,3,4\n", r#"{"a":"1","b":"2","c":"3"}"#),
        ("a,b,c", ",", "1,,\n", r#"{"a":"1","b":null,"c":null}"#),
        ("a,b", ",", "1,,3\n", r#"{"a":"1","b":""}"#),
        ("a,b,c", ",", ",x\n", r#"{"a":"","b":"x","c":null}"#),
        ("a,b,c", ",", "\n", r#"{"a":"","b":null,"c":null}"#),
        ("a,b,c", ",", ",\n", r#"{"a":null,"b":null,"c":null}"#),
        ("a,b,c", ",", "1,\"2,3\",4\n", r#"{"a":"1","b":"\"2","c":"3\""}"#),
        ("a,b,c", ",", "1,2,3\r\n", r#"{"a":"1","b":"2","c":"3\r"}"#),
        ("a,b", "\\t", "1\t 2 \n", r#"{"a":"1","b":" 2 "}"#),
        ("a,b", "|", "1|2\n", r#"{"a":"1","b":"|"}"#),
        ("a,b", "\\|", "1|2\n", r#"{"a":"1","b":"2"}"#),
        ("a,b", ",", "x\ny,2\n", r#"{"a":"x\ny","b":"2"}"#),
        ("a,b,a", ",", "1,2,3\n", r#"{"a":"3","b":"2"}"#),
        ("a,b,a", ",", "1,2\n", r#"{"a":null,"b":"2"}"#),
    ];
    for (fields, delimiter, record, expected) in table {
        let output = process(&[csv(fields, delimiter, JsonFormat::Compact)], record.as_bytes());
        assert_eq!(output, Some(format!("{expected}\n")), "{record:?}");
    }
    let pretty = process(&[csv("a,b", ",", JsonFormat::PrettyPrint)], b"1\n");
    assert_eq!(pretty.as_deref(), Some("{\n  \"a\" : \"1\",\n  \"b\" : null\n}\n"));
    let not_utf8 = process(&[csv("a,b", ",", JsonFormat::Compact)], b"\xff,\xc3\xa9\n");
    assert_eq!(not_utf8.as_deref(), Some("{\"a\":\"\u{fffd}\",\"b\":\"é\"}\n"));
}

#[test]
fn common_apache_log() {
    let start = r#"1.2.3.4 - bob [10/Oct/2000:13:55:36 -0700] "#;
    let out = r#"{"host":"1.2.3.4","ident":null,"authuser":"bob","datetime":"10/Oct/2000:13:55:36 -0700","#;
    let accepted = [
        (
            format!(r#"{start}"GET / HTTP/1.0" 200 -"#),
            format!(r#"{out}"request":"GET / HTTP/1.0","response":"200","bytes":null}}"#),
        ),
        (
            format!(r#"{start}"GET / HTTP/1.0" 200 - extra "stuff""#),
            format!(r#"{out}"request":"GET / HTTP/1.0","response":"200","bytes":null}}"#),
        ),
        (format!(r#"{start}"-" 408 -"#), format!(r#"{out}"request":null,"response":"408","bytes":null}}"#)),
        (format!(r#"{start}"é\" - -5x"#), format!(r#"{out}"request":"é\\","response":null,"bytes":"-5"}}"#)),
        (format!(r#"{start}"a" 200 -x"#), format!(r#"{out}"request":"a","response":"200","bytes":null}}"#)),
    ];
    let accepted: Vec<(&str, &str)> =
        accepted.iter().map(|(line, out)| (line.as_str(), out.as_str())).collect();
    let dropped = [
        r#"::1 - bob [10/Oct/2000:13:55:36 -0700] "a" 200 5"#,
        r#"1.2.3.4 - a@b [10/Oct/2000:13:55:36 -0700] "a" 200 5"#,
        r#"1.2.3.4 - bob [10/Oct/2000:13:55:36 -0700] "a \" b" 200 5"#,
        r#"1.2.3.4 - bob [10/Oct/2000:13:55:36 -0700] "" 200 5"#,
        r#"1.2.3.4 - bob [32/Oct/2000:13:55:36 -0700] "a" 200 5"#,
        r#"1.2.3.4 - bob [10/oct/2000:13:55:36 -0700] "a" 200 5"#,
        r#"1.2.3.4 - bob [10/Oct/2000:13:55:36 -0700] "a" 200"#,
        r#"1.2.3.4 - bob [10/Oct/0200:13:55:36 -0700] "a" 200 5"#,
        r#"1.2.3.4 - bob [10/Oct/2000:13:55:36  -0700] "a" 200 5"#,
        r#"1.2.3.4  - bob [10/Oct/2000:13:55:36 -0700] "a" 200 5"#,
        r#"a..b - bob [10/Oct/2000:13:55:36 -0700] "a" 200 5"#,
        "1.2.3.4 - bob [10/Oct/2000:13:55:36 -0700] \"a\" 200 5\r\r",
        "1.2.3.4 - bob [10/Oct/2000:13:55:36 -0700] \"a\" 200 5 \u{2028}",
        "",
    ];
    check_log(LogFormat::CommonApacheLog, &accepted, &dropped);
    let cut = format!("{start}\"a\" 200 5\r");
    assert_eq!(process(&[built_in(LogFormat::CommonApacheLog)], cut.as_bytes()), None);
}

#[test]
fn combined_apache_log() {
    let start = r#"h - - [10/Oct/2000:13:55:36 -0700] "G" 200 5"#;
    let out = r#"{"host":"h","ident":null,"authuser":null,"datetime":"10/Oct/2000:13:55:36 -0700","request":"G","response":"200","bytes":"5","#;
    let accepted = [
        (format!(r#"{start} "-" "UA""#), format!(r#"{out}"referer":null,"agent":"UA"}}"#)),
        (
            format!(r#"{start} "http://r/" "UA" "extra""#),
            format!(r#"{out}"referer":"http://r/","agent":"UA"}}"#),
        ),
    ];
    let accepted: Vec<(&str, &str)> =
        accepted.iter().map(|(line, out)| (line.as_str(), out.as_str())).collect();
    let dropped = [format!(r#"{start} "" "UA""#), start.to_owned(), format!("{start}x \"-\" \"UA\"")];
    check_log(LogFormat::CombinedApacheLog, &accepted, &dropped.each_ref().map(String::as_str));
}

#[test]
fn apache_error_log() {
    let accepted = [
        (
            "[Tue Jan 02 03:04:05.678901 2024] [ssl:warn] [pid 77:tid 140] [client 10.0.0.9:443] hello, world",
            r#"{"timestamp":"Tue Jan 02 03:04:05.678901 2024","module":"ssl","severity":"warn","processid":"77","threadid":"140","client":"10.0.0.9:443","message":"hello, world"}"#,
        ),
        (
            "[Fri Dec 16 01:46:23 2011] [error] [pid 1] [client 1.2.3.4] msg",
            r#"{"timestamp":"Fri Dec 16 01:46:23 2011","module":null,"severity":"error","processid":"1","threadid":null,"client":"1.2.3.4","message":"msg"}"#,
        ),
        (
            "[Friday December  6 01:46:23 2011] [error] [pid 0] [client h.] -",
            r#"{"timestamp":"Friday December  6 01:46:23 2011","module":null,"severity":"error","processid":"0","threadid":null,"client":"h.","message":null}"#,
        ),
    ];
    let dropped = [
        "[Fri Dec 16 01:46:23 2011] [error] [pid 1] msg",
        "[Fri Dec 16 01:46:23 2011] [error] [client 1.2.3.4] msg",
        "[Fri Dec 16 01:46:23 2011] [error] [pid 1] [client h:0] msg",
        "[fri Dec 16 01:46:23 2011] [error] [pid 1] [client h] msg",
        "[Fri Dec 16 01:46:23 2011] [:error] [pid 1] [client h] msg",
        "[Fri Dec 16 01:46:23 2011] [error] [pid 1] [client ::1] msg",
    ];
    check_log(LogFormat::ApacheErrorLog, &accepted, &dropped);
}

#[test]
fn syslog() {
    let accepted = [
        (
            "Mar  7 04:22:00 h p[1]: m",
            r#"{"timestamp":"Mar  7 04:22:00","hostname":"h","program":"p","processid":"1","message":"m"}"#,
        ),
        (
            "Mar 7 04:22:00 h p: -",
            r#"{"timestamp":"Mar 7 04:22:00","hostname":"h","program":"p","processid":null,"message":"-"}"#,
        ),
        (
            "January 2 3:04:05 web-1 app: hi",
            r#"{"timestamp":"January 2 3:04:05","hostname":"web-1","program":"app","processid":null,"message":"hi"}"#,
        ),
        (
            "Mar 7 04:22:60 h p: m",
            r#"{"timestamp":"Mar 7 04:22:60","hostname":"h","program":"p","processid":null,"message":"m"}"#,
        ),
        (
            "Mar 7 03:04:05,123 h a/b%c.d-e_f: m",
            r#"{"timestamp":"Mar 7 03:04:05,123","hostname":"h","program":"a/b%c.d-e_f","processid":null,"message":"m"}"#,
        ),
        (
            "Mar 7 03:04:05 <134> h p: ",
            r#"{"timestamp":"Mar 7 03:04:05","hostname":"h","program":"p","processid":null,"message":""}"#,
        ),
        (
            "Mar 7 03:04:05 <1.2> h p: é",
            r#"{"timestamp":"Mar 7 03:04:05","hostname":"h","program":"p","processid":null,"message":"é"}"#,
        ),
        (
            "Mar 7 03:04:05 <12>3> h p: m",
            r#"{"timestamp":"Mar 7 03:04:05","hostname":"h","program":"p","processid":null,"message":"m"}"#,
        ),
    ];
    let dropped = [
        "Mar 7 04:22:00 h p[0]: m",
        "Mar 7 04:22:00 h p:m",
        "Mar 7 04:22:00 h p(x)[5]: m",
        "Mar 7 24:22:00 h p: m",
        "<13>Mar 7 04:22:00 h p: m",
        "Mar 7 04:22:00 <13> h p: m",
        "Mar 7 04:22:00 <.13> h p: m",
        "Mar 7 04:22:00 <1.23 h p: m",
        "Mar 7 04:22:00 h p: m\u{85}",
        "Mar 7 04:22:00  h p: m",
    ];
    check_log(LogFormat::Syslog, &accepted, &dropped);
}

#[test]
fn rfc3339_syslog() {
    let accepted = [
        (
            "2016-04-22T00:01:02.123456+02:00 h p: m",
            r#"{"timestamp":"2016-04-22T00:01:02.123456+02:00","hostname":"h","program":"p","processid":null,"message":"m"}"#,
        ),
        (
            "9999-99-99T99:99:99Z h p[12]: m",
            r#"{"timestamp":"9999-99-99T99:99:99Z","hostname":"h","program":"p","processid":"12","message":"m"}"#,
        ),
    ];
    let dropped = [
        "2016-04-22T00:01:02 h p: m",
        "2016-04-22 00:01:02Z h p: m",
        "2016-4-22T00:01:02Z h p: m",
        "2016-04-22T00:01:02+0200 h p: m",
        "2016-04-22T00:01:02.Z h p: m",
    ];
    check_log(LogFormat::Rfc3339Syslog, &accepted, &dropped);
}

#[test]
fn custom_patterns() {
    let table = [
        (LogFormat::Syslog, r"(\S+) (\S+)", "x,y", "a -\n", Some(r#"{"x":"a","y":"-"}"#)),
        (LogFormat::CommonApacheLog, r"(\S+) (\S+)", "x,y", "a -\n", Some(r#"{"x":"a","y":null}"#)),
        (LogFormat::Syslog, r"(\S+) (\S+)", "x,y", "a b c\n", None),
        (LogFormat::Syslog, r"(\S+) (\S+)", "x", "a b\n", None),
        (LogFormat::Syslog, r"(\S+) (\S+)", "x,y,z", "a b\n", None),
        (
            LogFormat::Syslog,
            r"(?<n>a)(b)?((c)d)",
            "1,2,3,4",
            "acd\n",
            Some(r#"{"1":"a","2":null,"3":"cd","4":"c"}"#),
        ),
        (LogFormat::Syslog, r"(.*)", "x", "é\r\n", Some(r#"{"x":"é"}"#)),
        (LogFormat::Syslog, r"(.*)x?", "x", "a\rb\r\n", None),
        (LogFormat::Syslog, r"(a\r)", "x", "a\r\n", Some(r#"{"x":"a\r"}"#)),
    ];
    for (format, pattern, fields, record, expected) in table {
        let output = process(&[custom(format, pattern, fields)], record.as_bytes());
        assert_eq!(output, expected.map(|expected| format!("{expected}\n")), "{pattern} {record:?}");
    }
}

#[test]
fn custom_names_of_a_built_in_format() {
    let mut options = LogToJsonOptions {
        log_format: LogFormat::Syslog,
        match_pattern: None,
        field_names: names("a,b,c,d,e"),
        json_format: JsonFormat::PrettyPrint,
    };
    let line = b"Mar  7 04:22:00 h p: m\n";
    let output = process(&[DataProcessingOption::LogToJson(options.clone())], line);
    let expected = "{\n  \"a\" : \"Mar  7 04:22:00\",\n  \"b\" : \"h\",\n  \"c\" : \"p\",\n  \"d\" : null,\n  \"e\" : \"m\"\n}\n";
    assert_eq!(output.as_deref(), Some(expected));
    options.field_names = names("a,b");
    assert_eq!(process(&[DataProcessingOption::LogToJson(options)], line), None);
}

#[test]
fn what_no_processor_can_be_built_from() {
    let table = [
        (
            csv("a", "(", JsonFormat::Compact),
            "delimiter \"(\" cannot be used: not a supported regular expression: unclosed group",
        ),
        (
            custom(LogFormat::Syslog, "a++", "x"),
            "matchPattern \"a++\" cannot be used: possessive quantifiers (`++`) are not supported; leave out the second +",
        ),
    ];
    for (option, expected) in table {
        assert_eq!(Processor::new(&[option]).unwrap_err().to_string(), expected);
    }
}

#[test]
fn add_metadata() {
    let metadata = json!({"z": 1, "a": [true, null]});
    let option = |timestamp, json_format, metadata: &serde_json::Value| {
        let metadata = metadata.clone();
        DataProcessingOption::AddMetadata(AddMetadataOptions { metadata, timestamp, json_format })
    };
    let (compact, pretty) = (JsonFormat::Compact, JsonFormat::PrettyPrint);
    let table = [
        (option(false, compact, &metadata), r#"{"metadata":{"z":1,"a":[true,null]},"data":"dé\"q"}"#),
        (
            option(true, compact, &json!(null)),
            r#"{"ts":"1970-01-01T00:00:00.000Z","metadata":null,"data":"dé\"q"}"#,
        ),
        (
            option(false, pretty, &metadata),
            "{\n  \"metadata\" : {\n    \"z\" : 1,\n    \"a\" : [ true, null ]\n  },\n  \"data\" : \"dé\\\"q\"\n}",
        ),
    ];
    for (option, expected) in table {
        assert_eq!(process(&[option], "dé\"q\n".as_bytes()), Some(format!("{expected}\n")));
    }
}

#[test]
fn add_brackets() {
    let output = process(&[DataProcessingOption::AddBrackets], b"\"a\":1\n");
    assert_eq!(output.as_deref(), Some("{\"a\":1\n}"));
}

#[test]
fn chains_run_in_order_and_stop_at_a_drop() {
    let single = DataProcessingOption::SingleLine(SingleLineOptions::default());
    let wrap = DataProcessingOption::AddMetadata(AddMetadataOptions {
        metadata: json!("m"),
        timestamp: false,
        json_format: JsonFormat::Compact,
    });
    let chain = [single, csv("a,b", ",", JsonFormat::Compact), wrap.clone()];
    let mut processor = Processor::new(&chain).unwrap();
    for (record, expected) in [
        (&b" x\n,y \n"[..], r#"{"metadata":"m","data":"{\"a\":\"x\",\"b\":\"y\"}"}"#),
        (b"\xff", "{\"metadata\":\"m\",\"data\":\"{\\\"a\\\":\\\"\u{fffd}\\\",\\\"b\\\":null}\"}"),
        (b"z,", r#"{"metadata":"m","data":"{\"a\":\"z\",\"b\":null}"}"#),
    ] {
        let expected = format!("{expected}\n");
        assert_eq!(processor.process(record, 0), Processed::Record(expected.as_bytes()));
    }
    let mut dropping = Processor::new(&[built_in(LogFormat::Syslog), wrap]).unwrap();
    assert_eq!(dropping.process(b"x\n", 0), Processed::Dropped);
    let Processed::Record(output) = dropping.process(b"Mar 7 04:22:00 h p: m\n", 0) else {
        panic!("has the format")
    };
    assert!(output.starts_with(b"{\"metadata\":\"m\",\"data\":\"{"));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(record in proptest::collection::vec(any::<u8>(), 0..200)) {
        let formats = [
            LogFormat::CommonApacheLog,
            LogFormat::CombinedApacheLog,
            LogFormat::ApacheErrorLog,
            LogFormat::Syslog,
            LogFormat::Rfc3339Syslog,
        ];
        for format in formats {
            process(&[built_in(format)], &record);
        }
        for delimiter in [",", "|", "", "[^a]", ".", "x*"] {
            let output = process(&[csv("a,b", delimiter, JsonFormat::Compact)], &record).unwrap();
            prop_assert!(serde_json::from_str::<serde_json::Value>(&output).is_ok());
        }
        let output = process(&[custom(LogFormat::Syslog, "(?s)(.)?(.*)", "a,b")], &record);
        prop_assert!(output.is_none_or(|output| serde_json::from_str::<serde_json::Value>(&output).is_ok()));
    }
}
