//! The Java agent's six CloudWatch metrics, under its names.

use std::collections::BTreeMap;

use kinesis_sandbox::MetricValue;
use serde_json::json;

use crate::books::line;
use crate::patience::{PATIENCE, comes_true};
use crate::workshop::Workshop;

/// By name and dimension: the unit and the sum of all values.
fn sums(shop: &Workshop) -> BTreeMap<(String, String), (String, f64)> {
    let mut sums = BTreeMap::new();
    for datum in shop.sandbox.metrics() {
        assert_eq!(datum.namespace, "AWSKinesisAgent");
        let dimensions: Vec<_> =
            datum.dimensions.iter().map(|one| format!("{}={}", one.name, one.value)).collect();
        let MetricValue::StatisticValues { sum, .. } = datum.value else {
            panic!("no statistic set: {datum:?}")
        };
        let entry = sums.entry((datum.name, dimensions.join(","))).or_insert((datum.unit.unwrap(), 0.0));
        entry.1 += sum;
    }
    sums
}

#[test]
fn all_six_arrive_even_from_a_short_run() {
    let shop = Workshop::new();
    let text: String = (0..1000).map(line).collect();
    shop.write("app.log", &text);
    let configuration = shop.configure(&[
        shop.flow("app.log", json!({})),
        shop.flow("app.log", json!({ "deliveryStream": "lines" })),
    ]);
    let agent = shop.run_started(&configuration);
    assert!(comes_true(PATIENCE, || shop.shipped().len() == 1000));
    assert!(comes_true(PATIENCE, || shop.sandbox.delivered("lines").unwrap().len() == 1000));
    agent.stop();

    let sums = sums(&shop);
    let get = |name: &str, dimension: &str| {
        let found = sums.get(&(name.to_owned(), format!("Destination={dimension}")));
        found.cloned().unwrap_or_else(|| panic!("{name} of {dimension} is missing: {sums:?}"))
    };
    let count = |value: f64| ("Count".to_owned(), value);
    for destination in ["KinesisStream:lines", "DeliveryStream:lines"] {
        assert_eq!(get("RecordSendAttempts", destination), count(1000.0));
        assert_eq!(get("RecordsSent", destination), count(1000.0));
        assert_eq!(get("RecordSendErrors", destination), count(0.0));
        assert_eq!(get("ServiceErrors", destination), count(0.0));
    }
    assert_eq!(get("BytesSent", "DeliveryStream:lines"), ("Bytes".to_owned(), text.len() as f64));
    assert!(get("BytesSent", "KinesisStream:lines").1 >= text.len() as f64);
    assert_eq!(get("ConsecutiveProcessingErrors", "lines"), count(0.0));
}

#[test]
fn they_arrive_while_it_runs_and_name_the_instance_when_asked() {
    let shop = Workshop::new();
    shop.write("app.log", "line\n");
    let more = json!({
        "cloudwatch.metricsBufferTimeMillis": 200,
        "log.statusReportingPeriodSeconds": 1,
        "cloudwatch.tagInstance": true,
    });
    let agent = shop.run_started(&shop.configure_with(&[shop.flow("app.log", json!({}))], more));
    let six = [
        "RecordSendAttempts",
        "RecordsSent",
        "RecordSendErrors",
        "BytesSent",
        "ServiceErrors",
        "ConsecutiveProcessingErrors",
    ];
    let all =
        comes_true(PATIENCE, || six.iter().all(|name| sums(&shop).keys().any(|(known, _)| known == name)));
    assert!(all, "{:?}\n{}", sums(&shop), agent.stderr());
    let tagged = sums(&shop).into_keys().all(|(_, dimensions)| dimensions.contains(",Instance="));
    assert!(tagged, "{:?}", sums(&shop));
    agent.stop();
}

#[test]
fn none_arrive_when_they_are_not_wanted() {
    let shop = Workshop::new();
    shop.write("app.log", "line\n");
    let more = json!({ "cloudwatch.emitMetrics": false });
    shop.once(&shop.configure_with(&[shop.flow("app.log", json!({}))], more));
    assert_eq!(shop.sandbox.metrics().len(), 0);
}
