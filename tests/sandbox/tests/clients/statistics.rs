//! Metrics asked for as statistics, through the Rust SDK (rpc-v2-cbor) and by hand in the other protocols.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    Datapoint, Dimension, DimensionFilter, Metric, MetricDataQuery, MetricDatum, MetricStat, ScanBy,
    StandardUnit, Statistic, StatisticSet,
};
use serde_json::json;

use crate::http;
use crate::support::{cloudwatch, sandbox};

/// 2026-11-01T00:00:00Z.
const START: i64 = 1_793_491_200;

fn second(offset: i64) -> DateTime {
    DateTime::from_secs(START + offset)
}

fn host() -> Dimension {
    Dimension::builder().name("Host").value("h").build()
}

/// Values 1, 2 and 3 in the first minute and 4 to 8 as a set in the third, of one host; 100 without a host.
async fn put(client: &Client) {
    let datum = |offset| {
        MetricDatum::builder().metric_name("Lag").unit(StandardUnit::Seconds).timestamp(second(offset))
    };
    let set = StatisticSet::builder().sample_count(2.0).sum(12.0).minimum(4.0).maximum(8.0).build();
    let put = client.put_metric_data().namespace("app");
    let put = put.metric_data(datum(5).dimensions(host()).value(1.0).build());
    let put =
        put.metric_data(datum(59).dimensions(host()).values(2.0).values(3.0).counts(1.0).counts(1.0).build());
    let put = put.metric_data(datum(120).dimensions(host()).statistic_values(set).build());
    put.metric_data(datum(5).value(100.0).build()).send().await.unwrap();
}

async fn statistics(
    client: &Client,
    from: i64,
    to: i64,
    period: i32,
    dimension: Option<Dimension>,
) -> Vec<Datapoint> {
    let get = client.get_metric_statistics().namespace("app").metric_name("Lag").period(period);
    let get =
        get.start_time(second(from)).end_time(second(to)).set_dimensions(dimension.map(|one| vec![one]));
    let all =
        [Statistic::SampleCount, Statistic::Sum, Statistic::Average, Statistic::Minimum, Statistic::Maximum];
    let answer = get.set_statistics(Some(all.to_vec())).send().await.unwrap();
    assert_eq!(answer.label(), Some("Lag"));
    let mut points = answer.datapoints.unwrap_or_default();
    points.sort_by_key(|point| point.timestamp().unwrap().secs());
    points
}

fn figures(point: &Datapoint) -> (i64, [f64; 5]) {
    let figures = [point.sample_count(), point.sum(), point.average(), point.minimum(), point.maximum()];
    (point.timestamp().unwrap().secs() - START, figures.map(|figure| figure.unwrap()))
}

#[tokio::test]
async fn statistics_are_gathered_by_period() {
    let sandbox = sandbox(&[]).await;
    let client = cloudwatch(&sandbox);
    put(&client).await;
    let minutes = statistics(&client, 0, 300, 60, Some(host())).await;
    let minutes: Vec<_> = minutes.iter().map(figures).collect();
    assert_eq!(minutes, [(0, [3.0, 6.0, 2.0, 1.0, 3.0]), (120, [2.0, 12.0, 6.0, 4.0, 8.0])]);
    let whole = statistics(&client, 0, 300, 300, Some(host())).await;
    assert_eq!(figures(&whole[0]), (0, [5.0, 18.0, 3.6, 1.0, 8.0]));
    assert_eq!(whole[0].unit(), Some(&StandardUnit::Seconds));
    let end_excluded = statistics(&client, 0, 120, 60, Some(host())).await;
    assert_eq!(end_excluded.len(), 1);
    let without_host = statistics(&client, 0, 300, 60, None).await;
    assert_eq!(
        without_host.iter().map(figures).collect::<Vec<_>>(),
        [(0, [1.0, 100.0, 100.0, 100.0, 100.0])]
    );
}

#[tokio::test]
async fn only_what_was_asked_for_is_answered() {
    let sandbox = sandbox(&[]).await;
    let client = cloudwatch(&sandbox);
    put(&client).await;
    let get =
        client.get_metric_statistics().namespace("app").metric_name("Lag").dimensions(host()).period(60);
    let get = get.start_time(second(0)).end_time(second(60));
    let maximum = get.clone().statistics(Statistic::Maximum).send().await.unwrap();
    let point = &maximum.datapoints()[0];
    assert_eq!((point.maximum(), point.sum(), point.sample_count()), (Some(3.0), None, None));
    let other_unit = get.clone().statistics(Statistic::Sum).unit(StandardUnit::Bytes).send().await.unwrap();
    assert_eq!(other_unit.datapoints().len(), 0);
    let nothing = get.send().await.unwrap_err();
    assert_eq!(nothing.into_service_error().meta().code(), Some("InvalidParameterCombination"));
    let refused =
        client.get_metric_statistics().namespace("app").metric_name("Lag").statistics(Statistic::Sum);
    let many = refused.clone().period(60).start_time(second(0)).end_time(second(60 * 1441)).send().await;
    assert_eq!(many.unwrap_err().into_service_error().meta().code(), Some("InvalidParameterCombination"));
    let odd = refused.period(61).start_time(second(0)).end_time(second(610)).send().await.unwrap_err();
    assert_eq!(odd.into_service_error().meta().code(), Some("InvalidParameterValue"));
}

fn query(id: &str, stat: &str) -> MetricDataQuery {
    let metric = Metric::builder().namespace("app").metric_name("Lag").dimensions(host()).build();
    let stat = MetricStat::builder().metric(metric).period(60).stat(stat).build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}

#[tokio::test]
async fn metric_data_are_answered_query_by_query() {
    let sandbox = sandbox(&[]).await;
    let client = cloudwatch(&sandbox);
    put(&client).await;
    let get = client.get_metric_data().start_time(second(0)).end_time(second(300));
    let get = get.metric_data_queries(query("sums", "Sum")).metric_data_queries(query("most", "Maximum"));
    let newest_first = get.clone().send().await.unwrap();
    let results = newest_first.metric_data_results();
    assert_eq!((results[0].id(), results[0].values()), (Some("sums"), &[12.0, 6.0][..]));
    assert_eq!((results[1].id(), results[1].values()), (Some("most"), &[8.0, 3.0][..]));
    assert_eq!(results[0].timestamps(), [second(120), second(0)]);
    assert_eq!(results[0].status_code().unwrap().as_str(), "Complete");
    let oldest_first = get.scan_by(ScanBy::TimestampAscending).send().await.unwrap();
    assert_eq!(oldest_first.metric_data_results()[0].values(), [6.0, 12.0]);
    let formula = MetricDataQuery::builder().id("sum").expression("SUM(METRICS())").build();
    let formula =
        client.get_metric_data().start_time(second(0)).end_time(second(60)).metric_data_queries(formula);
    let refused = formula.send().await.unwrap_err().into_service_error();
    assert!(refused.meta().message().unwrap().contains("Expression"), "{refused:?}");
}

#[tokio::test]
async fn metrics_are_listed_by_dimension() {
    let sandbox = sandbox(&[]).await;
    let client = cloudwatch(&sandbox);
    put(&client).await;
    let list = async |name: &str, value: Option<&str>| {
        let filter = DimensionFilter::builder().name(name).set_value(value.map(str::to_owned)).build();
        client.list_metrics().namespace("app").dimensions(filter).send().await.unwrap().metrics().len()
    };
    assert_eq!((list("Host", None).await, list("Host", Some("h")).await), (1, 1));
    assert_eq!((list("Host", Some("x")).await, list("Other", None).await), (0, 0));
    assert_eq!(client.list_metrics().namespace("app").send().await.unwrap().metrics().len(), 2);
}

const PUT: &str = "Action=PutMetricData&Version=2010-08-01&Namespace=app&MetricData.member.1.MetricName=Lag&\
    MetricData.member.1.Timestamp=2026-11-01T00%3A00%3A07.500Z&MetricData.member.1.Value=7";
const GET: &str = "Action=GetMetricStatistics&Version=2010-08-01&Namespace=app&MetricName=Lag&Period=60&\
    StartTime=2026-11-01T00%3A00%3A00Z&EndTime=2026-11-01T01%3A00%3A00%2B01%3A00&Statistics.member.1=Sum";

#[tokio::test]
async fn statistics_have_the_moments_of_each_protocol() {
    let sandbox = sandbox(&[]).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(http::post(&sandbox, "/", &form, PUT.as_bytes()).await.status, 200);
    let target = |operation: &str| format!("GraniteServiceVersion20100801.{operation}");
    let json = async |operation: &str, body: serde_json::Value| {
        let target = target(operation);
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target.as_str())];
        http::post(&sandbox, "/", &headers, body.to_string().as_bytes()).await
    };
    let datum = json!({"MetricName": "Lag", "Value": 5, "Timestamp": START + 59});
    assert_eq!(json("PutMetricData", json!({"Namespace": "app", "MetricData": [datum]})).await.status, 200);

    let end = GET.replace("T01%3A00%3A00%2B01%3A00", "T02%3A00%3A00%2B01%3A00");
    let xml = http::post(&sandbox, "/", &form, end.as_bytes()).await.text();
    let point =
        "<member><Timestamp>2026-11-01T00:00:00Z</Timestamp><Unit>None</Unit><Sum>12.0</Sum></member>";
    assert!(xml.contains(point), "{xml}");
    let empty = http::post(&sandbox, "/", &form, GET.as_bytes()).await.text();
    assert!(empty.contains("<Code>InvalidParameterValue</Code>"), "the end is the start: {empty}");
    let get = json!({"Namespace": "app", "MetricName": "Lag", "Period": 60, "Statistics": ["Sum"],
        "StartTime": START, "EndTime": START + 60});
    let points = &json("GetMetricStatistics", get).await.json()["Datapoints"];
    assert_eq!(*points, json!([{"Timestamp": START, "Unit": "None", "Sum": 12.0}]));
}

#[tokio::test]
async fn errors_name_the_code_of_the_query_protocol_in_every_protocol() {
    let sandbox = sandbox(&[]).await;
    let headers = [
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", "GraniteServiceVersion20100801.PutMetricData"),
        ("x-amzn-query-mode", "true"),
    ];
    let refused = http::post(&sandbox, "/", &headers, b"{}").await;
    assert_eq!(refused.status, 400);
    assert!(refused.head.contains("x-amzn-query-error: MissingParameter;Sender"), "{}", refused.head);
}
