//! A line to the service that is slower than the files grow: everything arrives once, and `status` says why it takes long.

use bytes::Bytes;
use kinesis_slow_line::Shape;
use serde_json::{Value, json};

use crate::patience::{PATIENCE, comes_true};
use crate::status_commands::status;
use crate::workshop::{STREAM, Workshop};

/// Lines of 500 bytes.
fn lines(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{number:06} {}\n", "x".repeat(492))).collect()
}

/// Where the agent sends to, through the line.
fn through(endpoint: &str) -> Value {
    json!({ "kinesis.endpoint": endpoint, "firehose.endpoint": endpoint, "cloudwatch.emitMetrics": false })
}

#[test]
fn what_no_call_could_carry_in_six_seconds_arrives_and_status_names_the_line() {
    let shop = Workshop::new();
    let line = shop.slow_line(Shape::steady(200_000));
    let written = lines(3_000);
    shop.write("app.log", written.concat());
    let configuration = shop.configure_with(&[shop.flow("*.log", json!({}))], through(&line.endpoint()));
    let agent = shop.run_started(&configuration);
    let mut shown = Value::Null;
    let is_limit = comes_true(PATIENCE, || {
        shown = status(&shop, &configuration).1;
        shown["flows"][0]["line"]["is_limit"] == true
    });
    assert!(is_limit, "{shown:#}");
    let rate = shown["flows"][0]["line"]["bytes_per_second"].as_u64();
    assert!(rate.is_some_and(|rate| (100_000..300_000).contains(&rate)), "{shown:#}");
    let text = shop.start(&["status", "-c", configuration.to_str().unwrap()]).finish(PATIENCE).stdout;
    assert!(text.contains("the connection to the service is the limit: it carries about"), "{text}");
    let log = shop.log("app.log");
    let wait = ["shipped", "--wait", "60", "-c", configuration.to_str().unwrap(), log.to_str().unwrap()];
    let shipped = shop.start(&wait).finish(PATIENCE);
    assert_eq!(shipped.code, Some(0), "{}{}", shipped.stdout, agent.stderr());
    agent.stop();
    assert_each_once(shop.shipped(), &written);
}

#[test]
fn a_delivery_stream_behind_a_slow_line_gets_every_line_once() {
    let shop = Workshop::new();
    let line = shop.slow_line(Shape::steady(100_000));
    let written = lines(1_200);
    shop.write("app.log", written.concat());
    let flow = shop.flow("*.log", json!({ "deliveryStream": STREAM }));
    shop.once(&shop.configure_with(&[flow], through(&line.endpoint())));
    assert_each_once(shop.sandbox.delivered(STREAM).unwrap(), &written);
}

fn assert_each_once(mut arrived: Vec<Bytes>, written: &[String]) {
    arrived.sort_unstable();
    assert_eq!(arrived.len(), written.len(), "each line once");
    assert!(
        arrived
            .iter()
            .zip(written)
            .all(|(arrived, written)| arrived.trim_ascii() == written.trim_end().as_bytes())
    );
}
