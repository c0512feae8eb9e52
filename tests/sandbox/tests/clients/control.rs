//! The requests under `/sandbox/`.

use serde_json::{Value, json};

use crate::http;
use crate::support::{STREAM, entries, kinesis, sandbox};

#[tokio::test]
async fn faults_are_replaced_and_counted_over_http() {
    let sandbox = sandbox(&["hang:op=CreateStream"]).await;
    let rules = b"# two rules\n\nfail:times=2\n  throttle:shard=7 \n";
    let replaced = http::post(&sandbox, "/sandbox/faults", &[], rules).await;
    assert_eq!(replaced.status, 200);
    kinesis(&sandbox).put_records().stream_name(STREAM).set_records(Some(entries(5))).send().await.unwrap();
    assert_eq!(
        http::get(&sandbox, "/sandbox/faults").await.json(),
        json!([{"rule": "fail:times=2", "matched": 1, "fired": 2}, {"rule": "throttle:shard=7", "matched": 1, "fired": 0}])
    );
    let bad = http::post(&sandbox, "/sandbox/faults", &[], b"hang\nthrotle").await;
    assert_eq!(bad.status, 400);
    assert!(bad.json()["error"].as_str().unwrap().contains("use one of throttle, fail"));
    assert_eq!(sandbox.faults().len(), 2, "a bad rule leaves the rules as they were");
}

#[tokio::test]
async fn counters_are_read_over_http() {
    let sandbox = sandbox(&["fail:times=1", "drop-before:op=ListShards"]).await;
    let client = kinesis(&sandbox);
    client.put_records().stream_name(STREAM).set_records(Some(entries(5))).send().await.unwrap();
    client.list_shards().stream_name(STREAM).send().await.unwrap_err();
    let counters = http::get(&sandbox, "/sandbox/counters").await.json();
    let zero = json!({"calls": 0, "entries": 0, "stored_entries": 0, "failed_entries": 0, "bytes": 0});
    assert_eq!(
        counters,
        json!({
            "calls": {"kinesis:ListShards": 1, "kinesis:PutRecords": 1},
            "put_records": {"calls": 1, "entries": 5, "stored_entries": 4, "failed_entries": 1, "bytes": 10},
            "put_record_batch": zero,
            "put_metric_data_calls": 0,
            "faults_fired": 2,
        })
    );
    let unknown: Value = http::get(&sandbox, "/sandbox/nothing").await.json();
    assert!(unknown["error"].as_str().unwrap().contains("GET /sandbox/nothing"));
}
