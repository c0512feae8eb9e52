//! `status` and `shipped`, answered by the running agent and by its checkpoint file.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::agent_process::{AgentProcess, Finished};
use crate::patience::{PATIENCE, comes_true};
use crate::workshop::Workshop;

pub(crate) fn status(shop: &Workshop, configuration: &Path) -> (Option<i32>, Value) {
    let finished = shop.start(&["status", "--json", "-c", configuration.to_str().unwrap()]).finish(PATIENCE);
    let tree = serde_json::from_str(&finished.stdout).unwrap_or(Value::Null);
    (finished.code, tree)
}

fn shipped(shop: &Workshop, configuration: &Path, files: &[PathBuf], wait: &str) -> Finished {
    let mut arguments = vec!["shipped", "--wait", wait, "-c", configuration.to_str().unwrap()];
    arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
    shop.start(&arguments).finish(PATIENCE)
}

fn socket(shop: &Workshop) -> PathBuf {
    shop.root().join("state/checkpoints.db.sock")
}

/// What the agent answers to these bytes, up to the end of the connection.
fn say(shop: &Workshop, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(socket(shop)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The agent may have closed already.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

#[test]
fn what_is_buffered_leaves_in_so_many_seconds() {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow("app.log", json!({ "maxBufferAgeMillis": 600_000 }))]);
    shop.write("app.log", "one\n");
    let agent = shop.run_started(&configuration);
    let why = || status(&shop, &configuration).1["flows"][0]["files"][0]["why"].to_string();
    let is_said = comes_true(PATIENCE, || why().contains("1 records are buffered; they leave in "));
    assert!(is_said, "{} {}", why(), agent.stderr());
    agent.stop();
}

#[test]
fn what_is_shipped_and_what_is_not() {
    let shop = Workshop::new();
    shop.write("app.log", "one\ntwo\n");
    let configuration = shop.configure(&[shop.flow("*.log", json!({}))]);
    let agent = shop.run_started(&configuration);
    let log = shop.log("app.log");
    let done = shipped(&shop, &configuration, std::slice::from_ref(&log), "60");
    assert_eq!(done.code, Some(0), "{}{}", done.stderr, agent.stderr());
    assert!(done.stdout.contains("shipped"), "{}", done.stdout);
    assert_eq!(shop.shipped().len(), 2, "it says so only when it is");

    // An open line, a name that is no longer followed, a file of nobody.
    shop.write("open.log", "one\nopen");
    fs::write(shop.root().join("stranger"), "x\n").unwrap();
    let code = |files: &[PathBuf], wait| shipped(&shop, &configuration, files, wait).code;
    assert_eq!(code(&[shop.log("open.log")], "2"), Some(1));
    assert_eq!(code(&[shop.root().join("stranger")], "0"), Some(2));
    assert_eq!(code(&[shop.root().join("nothing")], "0"), Some(2));
    fs::rename(&log, shop.root().join("moved")).unwrap();
    assert_eq!(code(&[shop.root().join("moved")], "0"), Some(0));
    assert_eq!(code(&[shop.root().join("moved"), shop.log("open.log")], "0"), Some(1));

    let (exit, tree) = status(&shop, &configuration);
    assert_eq!((exit, &tree["is_running"]), (Some(0), &json!(true)));
    let files = tree["flows"][0]["files"].as_array().unwrap();
    let open = files.iter().find(|file| file["path"].as_str().unwrap().ends_with("open.log")).unwrap();
    assert_eq!((&open["size"], &open["read"], &open["acknowledged"]), (&json!(8), &json!(8), &json!(4)));
    assert_eq!((&open["lag_bytes"], &open["oldest_unsent_byte"]), (&json!(4), &json!(4)), "{open}");
    assert_eq!(open["state"], "open_line");
    agent.stop();

    // Without an agent the checkpoint file answers.
    assert!(!socket(&shop).exists(), "the socket went with the agent");
    assert_eq!(code(&[shop.root().join("moved")], "0"), Some(0));
    assert_eq!(code(&[shop.log("open.log")], "0"), Some(1));
    let (exit, tree) = status(&shop, &configuration);
    assert_eq!((exit, &tree["is_running"]), (Some(3), &json!(false)));
    fs::write(shop.root().join("moved"), "one\ntwX\n").unwrap();
    assert_eq!(code(&[shop.root().join("moved")], "0"), Some(1), "other bytes of the same number");
}

#[test]
fn while_the_service_is_away_the_reason_is_told() {
    let shop = Workshop::with_faults(&["error500:op=PutRecords"]);
    shop.write("app.log", "one\ntwo\n");
    let configuration = shop.configure(&[shop.flow("*.log", json!({}))]);
    let agent = shop.run_started(&configuration);
    let told = comes_true(PATIENCE, || {
        let (_, tree) = status(&shop, &configuration);
        let file = &tree["flows"][0]["files"][0];
        file["state"] == "sending" && file["lag_bytes"] == 8 && file["lag_seconds"].as_f64() > Some(0.0)
    });
    assert!(told, "{:?}\n{}", status(&shop, &configuration), agent.stderr());
    let log = shop.log("app.log");
    assert_eq!(shipped(&shop, &configuration, std::slice::from_ref(&log), "1").code, Some(1));
    shop.set_faults(&[]);
    assert_eq!(shipped(&shop, &configuration, &[log], "60").code, Some(0));
    agent.stop();
}

/// A deleted file that was shipped to its end is given up after a few seconds; one can still ask for it. Asked for is the
/// descriptor that this test holds, because it has no name any more.
#[test]
fn a_file_that_is_given_up_is_remembered() {
    let shop = Workshop::new();
    shop.write("app.log", "one\n");
    let held = fs::File::open(shop.log("app.log")).unwrap();
    let configuration = shop.configure(&[shop.flow("app.log", json!({}))]);
    let agent = shop.run_started(&configuration);
    assert_eq!(shipped(&shop, &configuration, &[shop.log("app.log")], "60").code, Some(0));
    fs::remove_file(shop.log("app.log")).unwrap();
    let given_up = comes_true(PATIENCE, || status(&shop, &configuration).1["flows"][0]["files"] == json!([]));
    assert!(given_up, "{}", agent.stderr());
    let nameless =
        PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), std::os::fd::AsRawFd::as_raw_fd(&held)));
    let code = || shipped(&shop, &configuration, std::slice::from_ref(&nameless), "10").code;
    assert!(comes_true(PATIENCE, || code() == Some(0)), "by the agent: {}", agent.stderr());
    agent.stop();
    assert_eq!(code(), Some(0), "by the checkpoint file");
    assert_eq!(status(&shop, &configuration).1["flows"][0]["files"], json!([]));
}

#[test]
fn hostile_input_is_answered_with_an_error() {
    let shop = Workshop::new();
    shop.write("app.log", "one\n");
    let configuration = shop.configure(&[shop.flow("*.log", json!({}))]);
    let agent = shop.run_started(&configuration);
    assert_eq!(fs::metadata(socket(&shop)).unwrap().permissions().mode() & 0o777, 0o660);
    let deep = "[".repeat(4000) + "\n";
    for hostile in [
        &b"\n"[..],
        b"{}\n",
        b"\xFF\xFE\x00\n",
        b"status\n",
        b"{\"version\":2,\"command\":\"status\"}\n",
        b"{\"version\":1,\"command\":\"stop\"}\n",
        b"{\"version\":1,\"command\":\"file\",\"device\":-1,\"inode\":1e99}\n",
        &[b'x'; 100_000],
        b"{\"version\":1,\"comm",
        deep.as_bytes(),
    ] {
        let answer = say(&shop, hostile);
        let tree: Value = serde_json::from_str(answer.lines().next().unwrap_or_default()).unwrap_or_default();
        assert!(
            tree["error"].is_string(),
            "{:?}: {answer}",
            String::from_utf8_lossy(&hostile[..hostile.len().min(60)])
        );
    }
    assert_eq!(say(&shop, b""), "");

    // Connections that say nothing take the room, until their time is over.
    let idle: Vec<_> = (0..30).map(|_| UnixStream::connect(socket(&shop)).unwrap()).collect();
    let answered = comes_true(PATIENCE, || status(&shop, &configuration).0 == Some(0));
    assert!(answered, "idle connections are closed");
    drop(idle);
    let two = say(&shop, b"{\"version\":1,\"command\":\"status\"}\n{\"version\":1,\"command\":\"status\"}\n");
    assert_eq!(two.lines().count(), 2, "{two}");
    agent.stop();
}

#[test]
fn a_socket_that_cannot_be_made_does_not_stop_the_agent() {
    let shop = Workshop::new();
    shop.write("app.log", "one\n");
    fs::create_dir(shop.root().join("state")).unwrap();
    fs::write(socket(&shop), "precious").unwrap();
    let configuration = shop.configure(&[shop.flow("*.log", json!({}))]);
    let agent = shop.run_started(&configuration);
    assert!(comes_true(PATIENCE, || shop.shipped().len() == 1), "{}", agent.stderr());
    assert!(agent.stderr().contains("statusSocket"), "{}", agent.stderr());
    agent.stop();
    assert_eq!(fs::read_to_string(socket(&shop)).unwrap(), "precious");
}

#[test]
fn a_socket_that_was_left_behind_is_replaced() {
    let shop = Workshop::new();
    shop.write("app.log", "one\n");
    let configuration = shop.configure(&[shop.flow("*.log", json!({}))]);
    shop.run_started(&configuration).kill();
    assert!(socket(&shop).exists());
    let gone: (Option<i32>, Value) = status(&shop, &configuration);
    assert_eq!(gone.0, Some(3), "nobody answers there");
    let agent: AgentProcess = shop.run_started(&configuration);
    assert!(comes_true(Duration::from_secs(20), || status(&shop, &configuration).0 == Some(0)));
    agent.stop();
}
