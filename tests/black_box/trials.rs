//! The commands for trials: `run --sandbox --print`, `sandbox`, and `consume` against it.

use serde_json::{Value, json};

use crate::agent_process::binary;
use crate::patience::{PATIENCE, comes_true};
use crate::workshop::{Workshop, sorted};

#[test]
fn a_trial_run_prints_what_a_consumer_would_see_and_touches_no_checkpoint() {
    let shop = Workshop::new();
    shop.write("app.log", "1,2\n3,4\n");
    let options = json!([{ "optionName": "CSVTOJSON", "customFieldNames": ["a", "b"] }]);
    let flow =
        shop.flow("app.log", json!({ "dataProcessingOptions": options, "kinesisStream": "no-such-stream" }));
    let configuration = shop.configure(&[flow]);
    let arguments = ["run", "--once", "--sandbox", "--print", "-c", configuration.to_str().unwrap()];
    let finished = shop.start(&arguments).finish(PATIENCE);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    for record in ["{\"a\":\"1\",\"b\":\"2\"}", "{\"a\":\"3\",\"b\":\"4\"}"] {
        assert_eq!(finished.stdout.matches(record).count(), 1, "{}", finished.stdout);
    }
    assert!(!shop.root().join("state").exists(), "the real checkpoints are not touched");
    assert!(shop.sandbox.counters().calls.is_empty(), "the endpoint of the configuration is not asked");
}

/// Without an age in the configuration, and with one of ten minutes.
#[test]
fn a_trial_shows_a_line_soon_after_it_was_written() {
    for age in [json!({}), json!({ "maxBufferAgeMillis": 600_000 })] {
        let shop = Workshop::new();
        let mut flow = shop.flow("app.log", age.clone());
        if age == json!({}) {
            flow.as_object_mut().unwrap().remove("maxBufferAgeMillis");
        }
        let configuration = shop.configure(&[flow]);
        let mut trial = shop.start(&["run", "--sandbox", "--print", "-c", configuration.to_str().unwrap()]);
        trial.await_started();
        shop.write("app.log", "one\ntwo\n");
        assert!(comes_true(PATIENCE, || trial.stdout() == "one\ntwo\n"), "{}", trial.stderr());
        trial.stop();
    }
}

#[test]
fn consume_prints_a_stream_record_by_record() {
    let shop = Workshop::new();
    shop.write("app.log", "one\ntwo\nthree\n");
    shop.once(&shop.configure(&[shop.flow("app.log", json!({}))]));
    let endpoint = shop.sandbox.endpoint();
    let plain = ["consume", "--stream", "lines", "--endpoint", &endpoint];
    let finished = shop.start(&plain).finish(PATIENCE);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let lines: Vec<_> = finished.stdout.split_inclusive('\n').collect();
    assert_eq!(sorted(&lines), sorted(&["one\n", "two\n", "three\n"]));

    let finished = shop.start(&[&plain[..], &["--json"]].concat()).finish(PATIENCE);
    let records = finished.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut data: Vec<_> = records.map(|record| record["data"].as_str().unwrap().to_owned()).collect();
    data.sort();
    assert_eq!(data, ["one\n", "three\n", "two\n"]);
}

#[test]
fn the_sandbox_command_serves_other_processes() {
    let shop = Workshop::new();
    let sandbox = shop.start(&["sandbox", "--listen", "127.0.0.1:0", "--stream", "lines"]);
    let mut endpoint = None;
    let told = comes_true(PATIENCE, || {
        let said = sandbox.stdout() + &sandbox.stderr();
        endpoint =
            said.split_whitespace().find(|word| word.starts_with("http://127.0.0.1:")).map(str::to_owned);
        endpoint.is_some()
    });
    assert!(told, "{}", sandbox.stderr());
    let endpoint = endpoint.unwrap();
    shop.write("app.log", "line\n");
    let there = json!({ "kinesis.endpoint": endpoint });
    shop.once(&shop.configure_with(&[shop.flow("app.log", json!({}))], there));
    let consumed = binary().args(["consume", "--stream", "lines", "--endpoint", &endpoint]).output().unwrap();
    assert_eq!(consumed.stdout, b"line\n");
    sandbox.stop();
}

#[test]
fn a_sandbox_for_other_machines_is_refused() {
    let refused = binary().args(["sandbox", "--listen", "0.0.0.0:0"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("127.0.0.1"), "{refused:?}");
}
