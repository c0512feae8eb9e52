//! Whole files: what they resolve to, and what is said about their mistakes.

use super::*;
use std::ffi::OsStr;
use std::path::Path;

fn parse(text: &str) -> Parsed {
    AgentConfig::parse(text, "agent.json").unwrap_or_else(|problems| panic!("{problems}"))
}

/// A file with one flow that has these members beside files and stream.
fn with_flow(members: &str) -> String {
    format!(r#"{{"flows":[{{"filePattern":"/d/a*","kinesisStream":"s"{members}}}]}}"#)
}

fn problems(text: &str) -> String {
    AgentConfig::parse(text, "agent.json").expect_err(text).to_string()
}

fn warnings(text: &str) -> String {
    parse(text).warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn defaults_are_the_java_agents() {
    let Parsed { config, warnings } = parse(&with_flow(""));
    assert_eq!(warnings, []);
    assert_eq!(config.kinesis_endpoint, None);
    assert_eq!(config.aws_secret_access_key, None);
    assert!(config.emit_metrics && !config.tag_instance);
    assert_eq!(config.cloudwatch_namespace, "AWSKinesisAgent");
    assert_eq!(config.metrics_buffer_time, Duration::from_secs(30));
    assert_eq!(config.checkpoint_file, Path::new("/var/lib/kinesis-agent/checkpoints.db"));
    assert_eq!(config.dead_letter_directory(), Path::new("/var/lib/kinesis-agent/dead-letters"));
    assert_eq!(config.dead_letter_max_bytes, 1 << 30);
    assert_eq!(config.max_open_files, 4096);
    assert_eq!(config.checkpoint_time_to_live, Duration::from_secs(7 * 86400));
    assert_eq!(config.status_socket, Path::new("/var/lib/kinesis-agent/checkpoints.db.sock"));
    let java = Path::new("/var/run/aws-kinesis-agent/checkpoints");
    assert_eq!(config.import_checkpoint_file.as_deref(), Some(java));
    assert_eq!(config.shutdown_timeout, Duration::from_secs(10));
    let six = Duration::from_secs(6);
    assert_eq!((config.connection_timeout, config.socket_timeout), (six, six));
    assert_eq!(config.status_reporting_period, Duration::from_secs(30));
    let expected = FlowConfig {
        id: "kinesis:s:/d/a*".into(),
        file_pattern: FilePattern::parse("/d/a*").unwrap(),
        link_policy: LinkPolicy::Trusted,
        destination: Destination::KinesisStream("s".into()),
        partition_key_option: PartitionKeyOption::Random,
        initial_position: InitialPosition::EndOfFile,
        max_buffer_age: Duration::from_secs(1),
        max_buffer_size_records: 500,
        max_buffer_size_bytes: 5_242_880,
        retry_initial_backoff: Duration::from_millis(100),
        retry_max_backoff: Duration::from_secs(10),
        truncated_record_terminator: b"\n".to_vec(),
        skip_header_lines: 0,
        record_boundaries: RecordBoundaries::default(),
        record_policies: RecordPolicies::default(),
        min_time_between_file_polls: Duration::from_millis(100),
        max_time_between_file_tracker_refresh: Duration::from_secs(10),
        aggregation: false,
        dedup_ids: DedupIds::None,
        data_processing_options: vec![],
    };
    assert_eq!(config.flows, [expected]);
}

#[test]
fn no_call_is_without_a_time_limit() {
    let millis = |connect: &str, answer: &str| {
        let extra = format!(r#""connectionTimeoutMillis": {connect}, "socketTimeoutMillis": {answer},"#);
        let config = parse(&with_flow("").replacen('{', &format!("{{{extra}"), 1)).config;
        (config.connection_timeout.as_millis(), config.socket_timeout.as_millis())
    };
    assert_eq!(millis("0", "0"), (300_000, 600_000), "the Java agent's word for none");
    assert_eq!(millis("9000000", "9000000"), (300_000, 600_000));
    assert_eq!(millis("1", "1"), (100, 100));
}

#[test]
fn every_honoured_key_is_read() {
    let text = r#"{
      "kinesis.endpoint": "kinesis.eu-west-1.amazonaws.com", "kinesis.region": "eu-west-1",
      "firehose.endpoint": "http://127.0.0.1:1", "firehose.region": "eu-west-2",
      "cloudwatch.endpoint": "https://c/", "cloudwatch.region": "eu-west-3", "sts.endpoint": "",
      "awsAccessKeyId": "AK", "awsSecretAccessKey": "hush", "assumeRoleARN": "arn:aws:iam::1:role/r",
      "assumeRoleExternalId": "ext-hush", "cloudwatch.emitMetrics": "no", "cloudwatch.namespace": "N",
      "cloudwatch.metricsBufferTimeMillis": "25", "cloudwatch.tagInstance": 1, "checkpointFile": "/c",
      "deadLetterDirectory": "/l", "deadLetterMaxBytes": 33554432, "maxOpenFiles": 16, "checkpointTimeToLiveDays": 1, "shutdownTimeoutMillis": 5, "log.statusReportingPeriodSeconds": 12,
      "connectionTimeoutMillis": 1500, "socketTimeoutMillis": "20000",
      "flows": [{
        "filePattern": "/d/a*", "kinesisStream": "s", "partitionKeyOption": "DETERMINISTIC", "aggregation": "yes",
        "initialPosition": "START_OF_FILE", "maxBufferAgeMillis": 1230, "maxBufferSizeRecords": "456",
        "maxBufferSizeBytes": 789, "retryInitialBackoffMillis": 123, "retryMaxBackoffMillis": 567,
        "truncatedRecordTerminator": "", "skipHeaderLines": 5, "minTimeBetweenFilePollsMillis": 0,
        "maxTimeBetweenFileTrackerRefreshMillis": 7, "multiLineStartPattern": "^\\d+ ", "multiLineTimeoutMillis": 9,
        "fileFooterPattern": "EOF", "recordOverLimitPolicy": "DEAD_LETTER", "refusedRecordPolicy": "STOP_FILE",
        "splitRecordContinuationMark": null, "dedupIds": "TAG", "dedupIdField": null,
        "dataProcessingOptions": [{"optionName": "ADDBRACKETS"}]
      }]
    }"#;
    let Parsed { config, warnings } = parse(text);
    assert_eq!(warnings, []);
    let shown = format!("{config:?}");
    assert!(!shown.contains("hush"), "{shown}");
    assert_eq!(config.kinesis_endpoint.as_deref(), Some("https://kinesis.eu-west-1.amazonaws.com"));
    assert_eq!(config.firehose_endpoint.as_deref(), Some("http://127.0.0.1:1"));
    assert_eq!(config.cloudwatch_endpoint.as_deref(), Some("https://c/"));
    assert_eq!(config.sts_endpoint, None);
    let regions = [&config.kinesis_region, &config.firehose_region, &config.cloudwatch_region];
    assert_eq!(regions.map(Option::as_deref), [Some("eu-west-1"), Some("eu-west-2"), Some("eu-west-3")]);
    assert_eq!(config.aws_access_key_id.as_deref(), Some("AK"));
    assert_eq!(config.aws_secret_access_key.as_deref(), Some("hush"));
    assert_eq!(config.assume_role_arn.as_deref(), Some("arn:aws:iam::1:role/r"));
    assert_eq!(config.assume_role_external_id.as_deref(), Some("ext-hush"));
    assert!(!config.emit_metrics && config.tag_instance);
    assert_eq!(config.cloudwatch_namespace, "N");
    assert_eq!(config.metrics_buffer_time, Duration::from_millis(25));
    assert_eq!(config.checkpoint_file, Path::new("/c"));
    assert_eq!(config.dead_letter_directory(), Path::new("/l"));
    assert_eq!(config.dead_letter_max_bytes, 32 << 20);
    assert_eq!(config.max_open_files, 16);
    assert_eq!(config.checkpoint_time_to_live, Duration::from_secs(86400));
    assert_eq!(config.shutdown_timeout, Duration::from_millis(5));
    assert_eq!(config.status_reporting_period, Duration::from_secs(12));
    let limits = (config.connection_timeout, config.socket_timeout);
    assert_eq!(limits, (Duration::from_millis(1500), Duration::from_secs(20)));
    let expected = FlowConfig {
        id: "kinesis:s:/d/a*".into(),
        file_pattern: FilePattern::parse("/d/a*").unwrap(),
        link_policy: LinkPolicy::Trusted,
        destination: Destination::KinesisStream("s".into()),
        partition_key_option: PartitionKeyOption::Deterministic,
        initial_position: InitialPosition::StartOfFile,
        max_buffer_age: Duration::from_millis(1230),
        max_buffer_size_records: 456,
        max_buffer_size_bytes: 789,
        retry_initial_backoff: Duration::from_millis(123),
        retry_max_backoff: Duration::from_millis(567),
        truncated_record_terminator: vec![],
        skip_header_lines: 5,
        record_boundaries: RecordBoundaries {
            multi_line_start_pattern: Some(r"^\d+ ".into()),
            multi_line_timeout: Duration::from_millis(9),
            file_footer_pattern: Some("EOF".into()),
        },
        record_policies: RecordPolicies {
            over_limit: OverLimitPolicy::DeadLetter,
            refused: RefusedPolicy::StopFile,
        },
        min_time_between_file_polls: Duration::from_millis(1),
        max_time_between_file_tracker_refresh: Duration::from_millis(7),
        aggregation: true,
        dedup_ids: DedupIds::Tag,
        data_processing_options: vec![DataProcessingOption::AddBrackets],
    };
    assert_eq!(config.flows, [expected]);
}

#[test]
fn keys_of_the_java_agent_without_effect_are_silent() {
    for place in [options::Place::Agent, options::Place::Flow] {
        for row in
            options::rows(place).iter().filter(|row| matches!(row.status, options::Status::NoEffect(_)))
        {
            let member = format!(r#""{}": "anything""#, row.name());
            let text = match place {
                options::Place::Agent => with_flow("").replacen('{', &format!("{{{member},"), 1),
                _ => with_flow(&format!(",{member}")),
            };
            assert_eq!(warnings(&text), "", "{}", row.name());
        }
    }
}

#[test]
fn firehose_flows_have_firehose_limits() {
    let flow = parse(r#"{"flows":[{"filePattern":"/a","deliveryStream":"d","partitionKeyOption":"?"}]}"#);
    let flow = &flow.config.flows[0];
    assert_eq!(flow.id, "fh:d://a");
    assert_eq!(flow.max_buffer_size_bytes, 4_194_304);
    assert_eq!(flow.destination.to_string(), "DeliveryStream:d");
    let both = with_flow(r#","deliveryStream":"d""#);
    assert_eq!(parse(&both).config.flows[0].destination, Destination::DeliveryStream("d".into()));
    assert!(warnings(&both).contains("has no effect beside deliveryStream"));
}

#[test]
fn ranges_hold_at_both_ends() {
    let table = [
        ("maxBufferAgeMillis", 1_000, 900_000),
        ("maxBufferSizeRecords", 1, 500),
        ("maxBufferSizeBytes", 1, 5_242_880),
    ];
    for (key, least, most) in table {
        for good in [least, most] {
            parse(&with_flow(&format!(r#","{key}":{good}"#)));
        }
        for bad in [0, -1, least - 1, most + 1] {
            let text = problems(&with_flow(&format!(r#","{key}":{bad}"#)));
            let expected = format!("flows[0].{key}: {bad} is outside of the valid range: {least} to {most}");
            assert!(text.contains(&expected), "{text}");
        }
    }
}

#[test]
fn mistakes_in_one_flow_are_told_with_place_and_cure() {
    let table = [
        (
            r#","initialPosition":"start_of_file""#,
            r#"agent.json:1:54: flows[0].initialPosition: expected one of START_OF_FILE, END_OF_FILE, found "start_of_file"; did you mean "START_OF_FILE"?"#,
        ),
        (
            r#","partitionKeyOption":"""#,
            r#"agent.json:1:54: flows[0].partitionKeyOption: expected one of RANDOM, DETERMINISTIC, found ""; the names are case-sensitive"#,
        ),
        (
            r#","maxBufferAgeMillis":1000.0"#,
            "agent.json:1:54: flows[0].maxBufferAgeMillis: expected a whole number, found 1000.0; write 1000",
        ),
        (
            r#","maxBufferAgeMillis":0"#,
            "agent.json:1:54: flows[0].maxBufferAgeMillis: 0 is outside of the valid range: 1000 to 900000 milliseconds",
        ),
        (
            r#","retryMaxBackoffMillis":-1"#,
            "agent.json:1:54: flows[0].retryMaxBackoffMillis: -1 is outside of the valid range: at least 0 milliseconds",
        ),
        (
            r#","aggregation":"on""#,
            r#"agent.json:1:54: flows[0].aggregation: expected true or false, found "on""#,
        ),
        (
            r#","multiLineStartPattern":"[""#,
            r"agent.json:1:54: flows[0].multiLineStartPattern: not a supported regular expression: unclosed character class; put two backslashes before a character that is meant literally, like \\[",
        ),
        (
            r#","fileFooterPattern":"a++""#,
            r"agent.json:1:54: flows[0].fileFooterPattern: possessive quantifiers (`++`) are not supported; leave out the second +; put two backslashes before a character that is meant literally, like \\[",
        ),
        (
            r#","recordOverLimitPolicy":"SPLIT","dataProcessingOptions":[{"optionName":"ADDBRACKETS"}]"#,
            "agent.json:1:54: flows[0].recordOverLimitPolicy: SPLIT cannot be used with dataProcessingOptions, which need whole records; choose TRUNCATE or DEAD_LETTER",
        ),
        (
            r#","deliveryStream":"d","aggregatedRecordSizeBytes":5120"#,
            "agent.json:1:75: flows[0].aggregatedRecordSizeBytes: not supported yet; set it to 0 to send each line as a record of its own, or keep the Java agent for this flow\nwarning: agent.json:1:34: flows[0].kinesisStream: has no effect beside deliveryStream; write a second flow to send the files to both",
        ),
        (
            r#","dataProcessingOptions":{"optionName":"ADDBRACKETS"}"#,
            "agent.json:1:54: flows[0].dataProcessingOptions: expected an array of objects; put it into brackets, [ ... ], to have it applied, or remove it to send the records as they are",
        ),
        (
            r#","dataProcessingOptions":[{"optionName":"csvtojson"}]"#,
            r#"agent.json:1:80: flows[0].dataProcessingOptions[0].optionName: expected one of SINGLELINE, CSVTOJSON, LOGTOJSON, ADDMETADATA, ADDBRACKETS, ADDEC2METADATA, USINGPLUGGIN, found "csvtojson"; did you mean "CSVTOJSON"?"#,
        ),
        (
            r#","dataProcessingOptions":[{"optionNam":"CSVTOJSON"}]"#,
            "agent.json:1:79: flows[0].dataProcessingOptions[0]: the required key \"optionName\" is missing; is \"optionNam\" meant?\nwarning: agent.json:1:80: flows[0].dataProcessingOptions[0].optionNam: unknown key; did you mean \"optionName\"?",
        ),
        (
            r#","dataProcessingOptions":[{"optionName":"USINGPLUGGIN","className":"x"}]"#,
            "agent.json:1:80: flows[0].dataProcessingOptions[0].optionName: USINGPLUGGIN is not supported yet; Java classes cannot be loaded; remove it, or keep the Java agent for this flow",
        ),
        (
            r#","dataProcessingOptions":[{"optionName":"CSVTOJSON"}]"#,
            r#"agent.json:1:79: flows[0].dataProcessingOptions[0]: the required key "customFieldNames" is missing; they name the columns, for example ["time", "user", "action"]"#,
        ),
        (
            r#","dataProcessingOptions":[{"optionName":"CSVTOJSON","customFieldNames":["a"],"delimiter":"("}]"#,
            r"agent.json:1:130: flows[0].dataProcessingOptions[0].delimiter: not a supported regular expression: unclosed group; put two backslashes before a character that is meant literally, like \\|",
        ),
        (
            r#","dataProcessingOptions":[{"optionName":"LOGTOJSON"}]"#,
            r#"agent.json:1:79: flows[0].dataProcessingOptions[0]: the required key "logFormat" is missing; choose one of COMMONAPACHELOG, COMBINEDAPACHELOG, APACHEERRORLOG, SYSLOG, RFC3339SYSLOG"#,
        ),
        (
            r#","dataProcessingOptions":[{"optionName":"LOGTOJSON","logFormat":"SYSLOG","customFieldNames":["a"]}]"#,
            "agent.json:1:126: flows[0].dataProcessingOptions[0].customFieldNames: 1 names for the 5 fields of the format; the fields are timestamp, hostname, program, processid, message",
        ),
        (
            r#","dataProcessingOptions":[{"optionName":"LOGTOJSON","logFormat":"SYSLOG","matchPattern":"(a)(b)"}]"#,
            r#"agent.json:1:79: flows[0].dataProcessingOptions[0]: the required key "customFieldNames" is missing; they name the groups of matchPattern, in order"#,
        ),
    ];
    for (members, expected) in table {
        assert_eq!(problems(&with_flow(members)), expected, "{members}");
    }
}

#[test]
fn mistakes_of_files_and_streams() {
    let table = [
        (
            r#""filePattern":"messages*","kinesisStream":"s""#,
            r#"agent.json:1:12: flows[0].filePattern: "messages*" is no file pattern: the directory part is missing; write for example /var/log/messages*"#,
        ),
        (
            r#""filePattern":"/var/log/","kinesisStream":"s""#,
            r#"agent.json:1:12: flows[0].filePattern: "/var/log/" is no file pattern: it names a directory, not files; write /var/log/* for all files in it"#,
        ),
        (
            r#""filePatern":"/d/a","kinesisStream":"s""#,
            "agent.json:1:11: flows[0]: the required key \"filePattern\" is missing; is \"filePatern\" meant?\nwarning: agent.json:1:12: flows[0].filePatern: unknown key; did you mean \"filePattern\"?",
        ),
        (
            r#""filePattern":"/d/a""#,
            r#"agent.json:1:11: flows[0]: the required key "kinesisStream" is missing; add it, or "deliveryStream" for Firehose"#,
        ),
        (
            r#""filePattern":"/d/a","kinesisStream":"arn:aws:kinesis:eu-west-1:1:stream/clicks""#,
            r#"agent.json:1:33: flows[0].kinesisStream: "arn:aws:kinesis:eu-west-1:1:stream/clicks" cannot be the name of a stream; write the name only, without the ARN: "clicks""#,
        ),
        (
            r#""filePattern":"/d/a","deliveryStream":"""#,
            r#"agent.json:1:33: flows[0].deliveryStream: "" cannot be the name of a stream; use 1 to 64 letters, digits, '_', '.' and '-'"#,
        ),
        (
            r#""filePattern":"/d/a","deliveryStream":"d","aggregation":true"#,
            "agent.json:1:54: flows[0].aggregation: Firehose does not read aggregated records that are sent to it directly; remove it, or send to a kinesisStream that feeds the delivery stream",
        ),
    ];
    for (members, expected) in table {
        assert_eq!(problems(&format!(r#"{{"flows":[{{{members}}}]}}"#)), expected, "{members}");
    }
}

#[test]
fn mistakes_of_the_whole_file() {
    let flow = r#"{"filePattern":"/a/b","kinesisStream":"s"}"#;
    let table = [
        ("[]".to_owned(), "agent.json:1:1: expected an object ({ ... }), found an array"),
        (
            "{}".to_owned(),
            "agent.json:1:1: the required key \"flows\" is missing; it says which files go to which streams",
        ),
        (
            "{\"flows\":[]}".to_owned(),
            "agent.json:1:2: flows: there are no flows; add an object with \"filePattern\" and \"kinesisStream\" or \"deliveryStream\"",
        ),
        (
            format!("{{\"flows\":{flow}}}"),
            "agent.json:1:2: flows: expected an array, found an object; put it into brackets: [ ... ]",
        ),
        ("{\"flows\":[7]}".to_owned(), "agent.json:1:11: flows[0]: expected an object ({ ... }), found 7"),
        (
            format!("{{\"flows\":[{flow},\n {flow}]}}"),
            "agent.json:2:2: flows[1]: the same files go to the same stream as in flows[0]; remove one of the two",
        ),
        (
            format!("{{\"kinesis.endpoint\":\"ftp://x\",\"flows\":[{flow}]}}"),
            "agent.json:1:2: kinesis.endpoint: \"ftp://x\" is no endpoint; write a host name or an address like https://kinesis.eu-west-1.amazonaws.com",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(problems(&text), expected, "{text}");
    }
    let empty = AgentConfig::parse("", "agent.yaml").unwrap_err().to_string();
    assert_eq!(empty, "agent.yaml:1:1: expected an object ({ ... }), found null");
}

#[test]
fn unknown_keys_only_warn() {
    let table = [
        (
            with_flow(r#","initialPostion":"END_OF_FILE""#),
            r#"agent.json:1:54: flows[0].initialPostion: unknown key; did you mean "initialPosition"?"#,
        ),
        (
            with_flow(r#","kinesisStream":"t""#),
            "agent.json:1:54: flows[0].kinesisStream: the key stands twice in one object; only the last one counts; remove one of the two",
        ),
        (with_flow(r#","comment":"x""#), "agent.json:1:54: flows[0].comment: unknown key"),
        (
            with_flow("").replacen('{', "{\"kinesis\":{\"endpoint\":\"x\"},", 1),
            "agent.json:1:2: kinesis: unknown key; write names with a dot as one key, for example \"kinesis.region\"",
        ),
        (
            with_flow("").replacen('{', "{\"maxBufferAgeMillis\":1,", 1),
            "agent.json:1:2: maxBufferAgeMillis: unknown key; it belongs into an object of \"flows\"",
        ),
        (
            with_flow(r#","cloudwatch.emitMetrics":false"#),
            "agent.json:1:54: flows[0].cloudwatch.emitMetrics: unknown key; it belongs at the top level of the file",
        ),
        (
            with_flow("").replacen('{', "{\"awsAccessKeyId\":\"x\",", 1),
            "agent.json:1:2: awsAccessKeyId: has no effect alone; set \"awsSecretAccessKey\" too, or remove both",
        ),
        (
            with_flow(r#","aggregatedRecordSizeBytes":1"#),
            "agent.json:1:54: flows[0].aggregatedRecordSizeBytes: has no effect with kinesisStream; for Kinesis, \"aggregation\": true packs records as the KPL does",
        ),
        (
            with_flow(r#","dataProcessingOptions":[{"optionName":"SINGLELINE","parseOptions":["NOTRIM"]}]"#),
            "agent.json:1:122: flows[0].dataProcessingOptions[0].parseOptions[0]: unknown parse option \"NOTRIM\" has no effect; did you mean \"NO_TRIM\"?",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(warnings(&text), expected, "{text}");
    }
}

#[test]
fn all_problems_of_a_file_come_together_in_its_order() {
    let yaml = "
flows:
  - filePattern: app.log
    kinesisStream: s
    maxBufferSizeRecords: 501
  - filePattern: /d/a
    kinesisStreem: s
    maxBufferAgeMillis: 1
cloudwatch.emitMetrics: maybe
";
    let problems = AgentConfig::parse(yaml, "agent.yaml").unwrap_err();
    let places: Vec<_> =
        problems.errors().iter().map(|problem| (problem.position.line, problem.path.to_string())).collect();
    let expected = [
        (3, "flows[0].filePattern"),
        (5, "flows[0].maxBufferSizeRecords"),
        (6, "flows[1]"),
        (8, "flows[1].maxBufferAgeMillis"),
        (9, "cloudwatch.emitMetrics"),
    ];
    assert_eq!(places.len(), expected.len(), "{problems}");
    for (place, (line, path)) in expected.iter().enumerate() {
        assert_eq!(places[place], (*line, (*path).to_owned()), "{problems}");
    }
    assert_eq!(problems.warnings().len(), 1, "{problems}");
}

#[test]
fn the_examples_are_valid() {
    let table = [
        ("minimal.json", include_str!("../../../config-examples/minimal.json"), 1),
        ("apache-to-json.json", include_str!("../../../config-examples/apache-to-json.json"), 1),
        ("csv-to-json.json", include_str!("../../../config-examples/csv-to-json.json"), 1),
        ("many-directories.yaml", include_str!("../../../config-examples/many-directories.yaml"), 4),
        ("firehose.json", include_str!("../../../config-examples/firehose.json"), 2),
    ];
    for (name, text, flows) in table {
        let parsed = AgentConfig::parse(text, name).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(parsed.warnings, [], "{name}");
        assert_eq!(parsed.config.flows.len(), flows, "{name}");
    }
}

#[test]
fn a_resolved_pattern_matches_names() {
    let parsed = parse(&with_flow(""));
    assert!(parsed.config.flows[0].file_pattern.matches(OsStr::new("app.log")));
    assert!(!parsed.config.flows[0].file_pattern.matches(OsStr::new("app.log.gz")));
}

#[test]
fn records_are_split_with_a_mark() {
    let flow = |members: &str| parse(&with_flow(members)).config.flows.remove(0);
    for (mark, expected) in [("", &b"\\\n"[..]), (r#","splitRecordContinuationMark":"->""#, b"->")] {
        let flow = flow(&format!(r#","recordOverLimitPolicy":"SPLIT"{mark}"#));
        let split = OverLimitPolicy::Split { continuation_mark: expected.to_vec() };
        assert_eq!(flow.record_policies.over_limit, split);
    }
    let lonely = warnings(&with_flow(r#","multiLineTimeoutMillis":1"#));
    assert!(
        lonely.contains("multiLineTimeoutMillis: has no effect without multiLineStartPattern"),
        "{lonely}"
    );
}
