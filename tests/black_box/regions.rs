//! Which region is used, who is asked for it, and what is said when nobody names one.

use serde_json::{Value, json};

use crate::agent_process::{AgentProcess, Finished, binary};
use crate::patience::PATIENCE;
use crate::workshop::Workshop;

/// `run --once` of one flow over no files, outside EC2.
fn run(flow: &Value, more: &Value, environment: &[(&str, &str)]) -> Finished {
    let shop = Workshop::new();
    let mut configuration = json!({
        "cloudwatch.emitMetrics": false,
        "checkpointFile": shop.root().join("state/checkpoints.db"),
        "flows": [flow],
    });
    configuration["flows"][0]["filePattern"] = json!(shop.log("app.log"));
    configuration.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let path = shop.configure_as_text("agent.json", &configuration.to_string());
    let mut command = binary();
    command.args(["run", "--once", "-c", path.to_str().unwrap()]).env_remove("KINESIS_AGENT_LOG");
    // A machine that is no instance: nobody answers where the metadata would be.
    command
        .env_remove("AWS_EC2_METADATA_DISABLED")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1");
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command.envs(environment.iter().copied());
    AgentProcess::start_as(&mut command, &shop.root().join("run")).finish(PATIENCE)
}

#[test]
fn a_kinesis_flow_without_a_region_does_not_start() {
    let finished = run(&json!({ "kinesisStream": "lines" }), &json!({}), &[]);
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    for part in ["no AWS region is known for kinesis", "kinesis.region", "AWS_REGION"] {
        assert!(finished.stderr.contains(part), "{part}: {}", finished.stderr);
    }
}

#[test]
fn a_region_that_nobody_named_is_said() {
    for (flow, more, service) in [
        (json!({ "kinesisStream": "lines" }), json!({ "kinesis.endpoint": "http://127.0.0.1:1" }), "kinesis"),
        (json!({ "deliveryStream": "lines" }), json!({}), "firehose"),
    ] {
        let finished = run(&flow, &more, &[]);
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        let warning = format!("set {service}.region");
        assert!(finished.stderr.contains(&warning), "{}", finished.stderr);
        assert!(finished.stderr.contains("us-east-1"), "{}", finished.stderr);
    }
}

#[test]
fn the_region_and_who_named_it_are_in_the_log() {
    let stream = || json!({ "kinesisStream": "lines" });
    for (more, environment, expected) in [
        (json!({ "kinesis.region": "eu-west-3" }), vec![("AWS_REGION", "eu-north-1")], "eu-west-3"),
        (json!({}), vec![("AWS_REGION", "eu-north-1")], "eu-north-1"),
        (json!({ "firehose.region": "eu-west-2" }), vec![], "another service's settings"),
    ] {
        let finished = run(&stream(), &more, &environment);
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        assert!(finished.stderr.contains(expected), "{expected}: {}", finished.stderr);
        assert!(!finished.stderr.contains("WARN signed"), "{}", finished.stderr);
    }
}

/// What the SDK says of the metadata that it did not find is a page of nested structures.
#[test]
fn the_libraries_say_nothing() {
    for flow in [json!({ "kinesisStream": "lines" }), json!({ "deliveryStream": "lines" })] {
        let finished = run(&flow, &json!({ "kinesis.endpoint": "http://127.0.0.1:1" }), &[]);
        for line in finished.stderr.lines() {
            assert!(line.len() < 400 && !line.contains(" { "), "{line}");
        }
    }
}
