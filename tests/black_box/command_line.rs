//! Arguments, exit codes, and what is said when something is wrong.

use std::fs;

use serde_json::json;

use crate::agent_process::{Finished, binary};
use crate::patience::{PATIENCE, comes_true};
use crate::workshop::{Workshop, sorted};

fn say(arguments: &[&str]) -> Finished {
    let output = binary().args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Finished { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

#[test]
fn every_command_explains_itself() {
    let general = say(&["--help"]);
    assert_eq!(general.code, Some(0));
    for command in ["run", "status", "shipped", "sandbox", "consume", "demo"] {
        assert!(general.stdout.contains(command), "{command} is not in --help:\n{}", general.stdout);
        let help = say(&[command, "--help"]);
        assert_eq!(help.code, Some(0), "{command}: {}", help.stderr);
        assert!(help.stdout.contains("Usage: kinesis-agent "), "{command}: {}", help.stdout);
    }
    assert_eq!(say(&["--version"]).code, Some(0));
}

#[test]
fn wrong_usage_is_2() {
    for arguments in [&["run", "--no-such-option"][..], &["no-such-command"], &["run", "--timeout", "1"]] {
        let finished = say(arguments);
        assert_eq!(finished.code, Some(2), "{arguments:?}: {}", finished.stderr);
    }
}

#[test]
fn a_configuration_that_is_not_there() {
    let finished = say(&["run", "-c", "no/such/agent.json"]);
    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("no/such/agent.json"), "{}", finished.stderr);
    assert!(finished.stderr.contains("-c FILE"), "what to do: {}", finished.stderr);
}

#[test]
fn everything_that_is_wrong_with_a_configuration_is_said_at_once() {
    let shop = Workshop::new();
    let text = r#"{
  "flows": [
    { "filePattern": "/tmp/a*", "kinesisStream": "s", "initialPostion": "END_OF_FILE", "maxBufferSizeRecords": 501 },
    { "kinesisStream": "s" },
    { "filePattern": "/tmp/b*", "kinesisStream": "s",
      "partitionKeyOption": "random" }
  ]
}"#;
    let configuration = shop.configure_as_text("bad.json", text);
    let finished = say(&["run", "-c", configuration.to_str().unwrap()]);
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    for wanted in [
        "bad.json:3:",
        "maxBufferSizeRecords",
        "bad.json:4:",
        "filePattern",
        "bad.json:6:",
        "partitionKeyOption",
    ] {
        assert!(finished.stderr.contains(wanted), "{wanted}: {}", finished.stderr);
    }
    assert!(finished.stderr.contains("did you mean \"initialPosition\""), "{}", finished.stderr);

    let configuration = shop.configure_as_text("broken.json", "{\n  \"flows\": [,]\n}");
    let finished = say(&["run", "-c", configuration.to_str().unwrap()]);
    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("broken.json:2:"), "{}", finished.stderr);
}

#[test]
fn the_java_agents_form_runs() {
    let shop = Workshop::new();
    shop.write("app.log", "line\n");
    let configuration = shop.configure(&[shop.flow("app.log", json!({}))]);
    for option in ["-c", "--configuration"] {
        let mut agent = shop.start(&[option, configuration.to_str().unwrap()]);
        agent.await_started();
        assert!(comes_true(PATIENCE, || shop.shipped() == sorted(&["line\n"])), "{}", agent.stderr());
        agent.stop();
    }
}

#[test]
fn a_second_agent_on_the_same_checkpoints_is_refused() {
    let shop = Workshop::new();
    shop.write("app.log", "line\n");
    let configuration = shop.configure(&[shop.flow("app.log", json!({}))]);
    let first = shop.run_started(&configuration);
    let second = shop.run(&configuration).finish(PATIENCE);
    assert_eq!(second.code, Some(1), "{}", second.stderr);
    assert!(second.stderr.contains("checkpoints.db is in use by another agent"), "{}", second.stderr);
    assert!(second.stderr.contains("checkpointFile"), "what to do: {}", second.stderr);
    assert!(comes_true(PATIENCE, || shop.shipped() == sorted(&["line\n"])), "the first works on");
    first.stop();
    shop.once(&configuration);
    assert_eq!(shop.shipped(), sorted(&["line\n"]));
}

#[test]
fn a_checkpoint_file_that_cannot_be() {
    let shop = Workshop::new();
    fs::write(shop.root().join("file"), "").unwrap();
    for (place, wanted) in [("file/checkpoints.db", "checkpointFile"), ("logs", "checkpoint file")] {
        let more = json!({ "checkpointFile": shop.root().join(place) });
        let configuration = shop.configure_with(&[shop.flow("app.log", json!({}))], more);
        let finished = shop.run(&configuration).finish(PATIENCE);
        assert_eq!(finished.code, Some(1), "{place}: {}", finished.stderr);
        assert!(finished.stderr.contains(wanted), "{place}: {}", finished.stderr);
    }
    let more = json!({ "checkpointFile": shop.log("garbage.db") });
    shop.write("garbage.db", "this is no database, ".repeat(100));
    let configuration = shop.configure_with(&[shop.flow("app.log", json!({}))], more);
    let finished = shop.run(&configuration).finish(PATIENCE);
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    assert!(finished.stderr.contains("garbage.db"), "{}", finished.stderr);
}
