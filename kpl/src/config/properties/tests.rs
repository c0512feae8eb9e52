//! Reading properties: the KPL's own cases, the traps of its files, and any text at all.

use proptest::prelude::*;

use super::*;
use std::time::Duration;

use crate::config::choices::{MetricsGranularity, MetricsLevel, RecordDistributionStrategyDefault};

fn read(text: &str) -> (Config, Vec<String>) {
    let (config, report) = Config::from_properties(text).unwrap_or_else(|error| panic!("{error}"));
    (config, report.ignored.iter().map(ToString::to_string).collect())
}

fn problems(text: &str) -> Vec<String> {
    Config::from_properties(text).expect_err(text).problems
}

/// The cases of the KPL's `KinesisProducerConfigurationTest`, under its names.
mod kinesis_producer_configuration_test {
    use super::*;

    #[test]
    fn load_string() {
        let (config, ignored) = read("MetricsNamespace=MyNamespace");
        assert_eq!((config.metrics_namespace.as_str(), ignored.len()), ("MyNamespace", 0));
    }

    #[test]
    fn load_long() {
        let default = Config::default().connection.connect_timeout;
        let (config, ignored) = read(&format!("ConnectTimeout={}", default.as_millis() + 1));
        assert_eq!(config.connection.connect_timeout.as_millis(), default.as_millis() + 1);
        assert!(ignored.is_empty());
    }

    /// The KPL's case is VerifyCertificate, which cannot be switched off here and says so.
    #[test]
    fn load_boolean() {
        assert!(read("FailIfThrottled=true").0.fail_if_throttled);
        assert!(!read("AggregationEnabled=FALSE").0.aggregation_enabled);
        let (config, ignored) = read("VerifyCertificate=false");
        assert_eq!(config, Config::default());
        assert!(
            ignored[0].contains("always verified") && ignored[0].contains("SSL_CERT_FILE"),
            "{ignored:?}"
        );
        assert!(read("VerifyCertificate = true").1.is_empty());
    }

    #[test]
    fn unknown_property() {
        let (config, ignored) = read("xcvfcveu=1");
        assert_eq!(config, Config::default());
        assert_eq!(ignored, ["line 1: xcvfcveu has no effect: there is no such option"]);
    }

    #[test]
    fn set_threading_model_from_properties() {
        for model in ["POOLED", "PER_REQUEST"] {
            let (_, ignored) = read(&format!("ThreadingModel={model}"));
            assert!(ignored[0].contains("ThreadingModel has no effect") && ignored[0].contains("tokio"));
        }
    }

    #[test]
    fn set_thread_pool_size_from_properties() {
        assert!(read("ThreadPoolSize=4").1[0].contains("ThreadPoolSize has no effect"));
    }

    #[test]
    fn options_of_kpl_1_1() {
        let text = "DescribeStreamSummaryIntervalMs = 60000\nRecordDistributionStrategyDefault = AUTO";
        let (config, ignored) = read(text);
        assert_eq!(config.describe_stream_summary_interval, Duration::from_secs(60));
        assert_eq!(config.record_distribution_strategy_default, RecordDistributionStrategyDefault::Auto);
        assert!(ignored.is_empty());
        for refused in
            ["DescribeStreamSummaryIntervalMs = 0", "RecordDistributionStrategyDefault = SOMETIMES"]
        {
            assert!(Config::from_properties(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn set_glue_schema_registry_config_from_properties() {
        let (_, ignored) = read("GlueSchemaRegistryPropertiesFilePath=glue.properties");
        assert!(ignored[0].contains("GlueSchemaRegistryConfiguration::from_properties"), "{}", ignored[0]);
    }

    #[test]
    fn set_glue_schema_registry_credentials_provider() {
        assert_eq!(read("GlueSchemaRegistryCredentialsProvider=x").1.len(), 1);
    }
}

/// The options and values of the KPL's sample file, without its stray semicolon.
#[test]
fn a_file_with_the_kpls_defaults_changes_nothing() {
    let text = "
        AggregationEnabled = true
        AggregationMaxCount = 4294967295
        AggregationMaxSize = 51200
        CloudwatchEndpoint =
        CloudwatchPort = 443
        CollectionMaxCount = 500
        CollectionMaxSize = 5242880
        ConnectTimeout = 6000
        CredentialsRefreshDelay = 5000
        EnableCoreDumps = false
        FailIfThrottled = false
        KinesisEndpoint =
        KinesisPort = 443
        LogLevel = info
        MaxConnections = 24
        MaxUserRecordSize = 1048576
        MetricsGranularity = shard
        MetricsLevel = detailed
        MetricsNamespace = KinesisProducerLibrary
        MetricsUploadDelay = 60000
        MinConnections = 1
        NativeExecutable =
        RateLimit = 150
        RecordMaxBufferedTime = 100
        RecordTtl = 30000
        Region =
        RequestTimeout = 6000
        TempDirectory =
        VerifyCertificate = true
        ThreadingModel = PER_REQUEST
        ThreadPoolSize = 0
    ";
    let (config, ignored) = read(text);
    assert_eq!(config, Config::default());
    let names: Vec<_> = ignored.iter().filter_map(|line| line.split(' ').nth(2)).collect();
    let without_effect = [
        "CredentialsRefreshDelay",
        "EnableCoreDumps",
        "LogLevel",
        "MinConnections",
        "ThreadingModel",
        "ThreadPoolSize",
    ];
    assert_eq!(names, without_effect);
}

#[test]
fn values_become_fields() {
    let (config, ignored) = read(
        "
        RecordTtl: 2147483647
        RecordMaxBufferedTime 250\t
        MetricsLevel=Summary
        MetricsGranularity = STREAM\u{20}
        KinesisEndpoint = http://127.0.0.1:4567
        ProxyHost = proxy.example
        ProxyPort = 3128
        Seed = 7
        ProxyUserName = me
        ProxyPassword = se;cret\\u0020\u{20}
    ",
    );
    assert_eq!(ignored, [""; 0]);
    assert_eq!(config.record_ttl.map(|ttl| ttl.as_millis()), Some(2_147_483_647));
    assert_eq!(config.record_max_buffered_time.as_millis(), 250);
    assert_eq!(config.metrics_level, MetricsLevel::Summary);
    assert_eq!(config.metrics_granularity, MetricsGranularity::Stream);
    assert_eq!(config.connection.kinesis_url().as_deref(), Some("http://127.0.0.1:4567"));
    assert_eq!(config.connection.proxy_url().as_deref(), Some("http://proxy.example:3128"));
    assert_eq!(config.seed, Some(7));
    let password = config.connection.proxy_password.expect("given");
    assert_eq!(password.reveal(), "se;cret  ");
}

#[test]
fn all_problems_are_told_at_once_with_their_lines() {
    let found = problems(
        "# a file with traps
         MaxUserRecordSize = 1048576;
         AggregationEnabled = yes
         RateLimit = -5
         record_ttl = 5000
         AggregationEnabld = true

         Region = eu-west-1\\u12
         CollectionMaxCount = \\
             501
         KinesisEndpoint = localhost:4567
         AdditionalMetricDims = a
         MetricsLevel = all
         xcvfcveu = 1",
    );
    let expected = [
        "line 2: MaxUserRecordSize is \"1048576;\": give 64 to 10485760 (without the ';' at the end)",
        "line 3: AggregationEnabled is \"yes\": give true or false",
        "line 4: RateLimit is -5: give 1 or more",
        "line 5: record_ttl is no option: did you mean RecordTtl?",
        "line 6: AggregationEnabld is no option: did you mean AggregationEnabled?",
        "line 8: \\u12 is no character: give four hexadecimal digits after \\u",
        "line 9: CollectionMaxCount is 501: give 1 to 500",
        "line 11: KinesisEndpoint is \"localhost:4567\": \
            give a host name, or a URL such as http://127.0.0.1:4567 without path",
        "line 12: AdditionalMetricDims cannot be given in a .properties file: \
            change Config::additional_metric_dims afterwards",
        "line 13: MetricsLevel is \"all\": give none or summary or detailed",
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_does_nothing_is_reported() {
    let (config, ignored) = read(
        "RecordTtl = 1000\nKinesisPort = 8443\nRecordTtl = 2000\nCloudwatchPort = 8443\n\
        CloudwatchEndpoint = https://monitoring.example\nProxyUserName = me\nProducerId = a\nStsPort = 1",
    );
    assert_eq!(config.record_ttl.map(|ttl| ttl.as_millis()), Some(2000));
    let expected = [
        "line 1: RecordTtl has no effect: line 3 gives it again",
        "line 2: KinesisPort has no effect: it counts only with a host of its own",
        "line 4: CloudwatchPort has no effect: the host is given as a URL, which has a port of its own",
        "line 6: ProxyUserName has no effect: it counts only with a proxy host",
        "line 7: ProducerId has no effect: it counts only with ids to drop repeats by",
        "line 8: StsPort has no effect: the producer does not call STS (nor does the KPL since 1.0.5)",
    ];
    assert_eq!(ignored, expected);
}

#[test]
fn a_password_stays_out_of_problems() {
    let found = problems("ProxyPassword = hunter2\\ud800\nRateLimit = 0");
    assert!(found.iter().all(|problem| !problem.contains("hunter2")), "{found:?}");
}

/// Lines of real names with any values, and lines of anything.
fn any_text() -> impl Strategy<Value = String> {
    let name = (0..table::options().count())
        .prop_map(|place| table::options().nth(place).expect("a place of the table").property);
    let value = prop_oneof!["[-0-9;. ]{0,25}", "\\PC{0,20}", Just("true".to_owned()), "[\\\\u0-9a-f]{0,12}"];
    let line =
        (name, "[ =:]{0,3}", value).prop_map(|(name, separator, value)| format!("{name}{separator}{value}"));
    let lines = prop_oneof![line, "\\PC{0,40}", any::<String>()];
    prop::collection::vec(lines, 0..12).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn any_text_gives_an_answer_and_what_passes_is_lawful(text in any_text()) {
        match Config::from_properties(&text) {
            Ok((config, report)) => {
                prop_assert_eq!(config.check(), Ok(()));
                prop_assert!(report.ignored.iter().all(|ignored| ignored.line >= 1));
            }
            Err(error) => prop_assert!(!error.problems.is_empty()),
        }
    }
}
