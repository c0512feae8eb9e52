//! Metric data through the Rust SDK (rpc-v2-cbor, compressed when large) and by hand in every other protocol.

use aws_sdk_cloudwatch::types as sdk;
use kinesis_sandbox::{Dimension, MetricValue, Sandbox};
use serde_json::json;

use crate::http::{self, Raw};
use crate::support::{cloudwatch, sandbox};

const FORM: &str = "Action=PutMetricData&Version=2010-08-01&Namespace=app&MetricData.member.1.MetricName=Records&\
    MetricData.member.1.Unit=Count&MetricData.member.1.Dimensions.member.1.Name=Host&\
    MetricData.member.1.Dimensions.member.1.Value=h%201&MetricData.member.1.StatisticValues.Sum=6&\
    MetricData.member.1.StatisticValues.SampleCount=3&MetricData.member.1.StatisticValues.Minimum=1&\
    MetricData.member.1.StatisticValues.Maximum=3";

fn json_body() -> Vec<u8> {
    json!({"Namespace": "app", "MetricData": [{
        "MetricName": "Records", "Unit": "Count", "Dimensions": [{"Name": "Host", "Value": "h 1"}],
        "StatisticValues": {"Sum": 6, "SampleCount": 3, "Minimum": 1, "Maximum": 3},
    }]})
    .to_string()
    .into_bytes()
}

async fn put(sandbox: &Sandbox, content_type: &str, body: &[u8]) -> Vec<Raw> {
    let headers =
        [("content-type", content_type), ("x-amz-target", "GraniteServiceVersion20100801.PutMetricData")];
    let headers = &headers[..if content_type.contains("form") { 1 } else { 2 }];
    let packed = [headers, &[("content-encoding", "gzip")]].concat();
    vec![
        http::post(sandbox, "/", headers, body).await,
        http::post(sandbox, "/", &packed, &http::gzip(body)).await,
    ]
}

#[tokio::test]
async fn the_rust_sdk_puts_every_form_of_value() {
    let sandbox = sandbox(&[]).await;
    let client = cloudwatch(&sandbox);
    let datum = |name: &str| {
        let dimension = sdk::Dimension::builder().name("Host").value("h").build();
        sdk::MetricDatum::builder().metric_name(name).unit(sdk::StandardUnit::Bytes).dimensions(dimension)
    };
    let statistics =
        sdk::StatisticSet::builder().sample_count(2.0).sum(5.0).minimum(1.0).maximum(4.0).build();
    let put = client.put_metric_data().namespace("app").metric_data(datum("value").value(1.5).build());
    let put = put.metric_data(datum("set").statistic_values(statistics).build());
    put.metric_data(datum("values").values(1.0).counts(2.0).values(3.0).counts(4.0).build())
        .send()
        .await
        .unwrap();

    let metrics = sandbox.metrics();
    let values: Vec<_> = metrics.iter().map(|metric| (metric.name.as_str(), metric.value.clone())).collect();
    assert_eq!(
        values,
        [
            ("value", MetricValue::Value(1.5)),
            ("set", MetricValue::StatisticValues { sample_count: 2.0, sum: 5.0, minimum: 1.0, maximum: 4.0 }),
            ("values", MetricValue::ValuesAndCounts { values: vec![1.0, 3.0], counts: vec![2.0, 4.0] }),
        ]
    );
    assert_eq!((metrics[2].value.sum(), metrics[2].value.sample_count()), (14.0, 6.0));
    assert_eq!(metrics[0].dimensions, [Dimension { name: "Host".to_owned(), value: "h".to_owned() }]);
    assert_eq!(metrics[0].unit.as_deref(), Some("Bytes"));
    assert_eq!(sandbox.counters().put_metric_data_calls, 1);

    let listed = client.list_metrics().namespace("app").metric_name("set").send().await.unwrap();
    assert_eq!(listed.metrics()[0].dimensions()[0].value(), Some("h"));
}

#[tokio::test]
async fn the_rust_sdk_compresses_a_large_call() {
    let sandbox = sandbox(&[]).await;
    let data = (0..900).map(|number| {
        sdk::MetricDatum::builder()
            .metric_name(format!("metric with a long name {number}"))
            .value(1.0)
            .build()
    });
    cloudwatch(&sandbox)
        .put_metric_data()
        .namespace("app")
        .set_metric_data(Some(data.collect()))
        .send()
        .await
        .unwrap();
    assert_eq!(sandbox.metrics().len(), 900);
}

#[tokio::test]
async fn the_rust_sdk_understands_errors() {
    let sandbox = sandbox(&["fail:op=PutMetricData,code=InternalServiceFault,times=1"]).await;
    let client = cloudwatch(&sandbox);
    let both = sdk::MetricDatum::builder().metric_name("m").value(1.0).values(1.0).build();
    let put = || client.put_metric_data().namespace("app").metric_data(both.clone()).send();
    assert_eq!(put().await.unwrap_err().into_service_error().meta().code(), Some("InternalServiceFault"));
    let refused = put().await.unwrap_err().into_service_error();
    assert_eq!(refused.meta().code(), Some("InvalidParameterCombination"));
    assert!(refused.meta().message().unwrap().contains("exactly one"));
}

#[tokio::test]
async fn query_and_json_mean_the_same_plain_and_compressed() {
    let sandbox = sandbox(&[]).await;
    let form = put(&sandbox, "application/x-www-form-urlencoded; charset=utf-8", FORM.as_bytes()).await;
    let json_1_0 = put(&sandbox, "application/x-amz-json-1.0", &json_body()).await;
    let json_1_1 = put(&sandbox, "application/x-amz-json-1.1", &json_body()).await;
    for raw in form.iter().chain(&json_1_0).chain(&json_1_1) {
        assert_eq!(raw.status, 200, "{raw:?}");
    }
    assert!(form[0].text().starts_with("<PutMetricDataResponse xmlns="), "{}", form[0].text());
    assert!(json_1_0[0].head.contains("content-type: application/x-amz-json-1.0"), "{}", json_1_0[0].head);
    let metrics = sandbox.metrics();
    assert_eq!(metrics.len(), 6);
    assert!(metrics.iter().all(|metric| *metric == metrics[0]));
    assert_eq!(metrics[0].value.sum(), 6.0);

    let read_back = http::get(&sandbox, "/sandbox/metrics").await.json();
    assert_eq!(
        read_back[0],
        json!({
            "namespace": "app", "name": "Records", "dimensions": [{"name": "Host", "value": "h 1"}], "unit": "Count",
            "statistic_values": {"sample_count": 3.0, "sum": 6.0, "minimum": 1.0, "maximum": 3.0},
            "storage_resolution": null,
        })
    );
}

#[tokio::test]
async fn errors_of_the_query_protocol_are_xml() {
    let sandbox = sandbox(&[]).await;
    let bad =
        put(&sandbox, "application/x-www-form-urlencoded", b"Action=PutMetricData&Version=2010-08-01").await;
    assert_eq!(bad[0].status, 400);
    assert!(
        bad[0].text().contains("<Error><Type>Sender</Type><Code>MissingParameter</Code>"),
        "{}",
        bad[0].text()
    );
}
