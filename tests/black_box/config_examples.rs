//! Each file of `config-examples/`, run: only its directories, endpoints and credentials are replaced, textually.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::workshop::{Workshop, sorted};

/// The text of an example, and everything that a test needs instead of what it says.
fn example(shop: &Workshop, text: &str) -> String {
    let root = shop.root().to_str().unwrap();
    let mut text = text.to_owned();
    for directory in ["/var/log", "/srv/exports", "/var/lib/kinesis-agent"] {
        text = text.replace(directory, &format!("{root}{directory}"));
    }
    text.replace("\"firehose.endpoint\": \"\",", "")
}

/// The keys that lead an example to the sandbox, one a line.
fn keys(shop: &Workshop) -> Vec<(&'static str, String)> {
    let endpoint = shop.sandbox.endpoint();
    vec![
        ("kinesis.endpoint", endpoint.clone()),
        ("firehose.endpoint", endpoint.clone()),
        ("cloudwatch.endpoint", endpoint),
        ("awsAccessKeyId", "AKIDTEST".to_owned()),
        ("awsSecretAccessKey", "secret".to_owned()),
    ]
}

fn run_json(shop: &Workshop, text: &str) {
    let checkpoints = ("checkpointFile", shop.root().join("state/checkpoints.db").display().to_string());
    let keys = keys(shop).into_iter().chain([checkpoints]);
    let lines: String = keys.map(|(key, value)| format!("\n  \"{key}\": \"{value}\",")).collect();
    let text = example(shop, text).replacen("\n{", &format!("\n{{{lines}"), 1);
    shop.once(&shop.configure_as_text("example.json", &text));
}

fn run_yaml(shop: &Workshop, text: &str) {
    let lines: String = keys(shop).into_iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
    let text = example(shop, text) + "\n" + &lines;
    shop.once(&shop.configure_as_text("example.yaml", &text));
}

/// Writes a file of the example's world.
fn write(shop: &Workshop, path: &str, text: &str) {
    let path = PathBuf::from(format!("{}{path}", shop.root().display()));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn shipped_to(shop: &Workshop, stream: &str) -> Vec<bytes::Bytes> {
    let mut records = shop.reader_of(stream).read_all();
    records.sort();
    records
}

#[test]
fn minimal() {
    let shop = Workshop::new();
    shop.create_stream("myapp-logs");
    write(&shop, "/var/log/myapp/app.log", "now\n");
    write(&shop, "/var/log/myapp/app.log.1", "before\n");
    run_json(&shop, include_str!("../../config-examples/minimal.json"));
    assert_eq!(shipped_to(&shop, "myapp-logs"), sorted(&["now\n", "before\n"]));
}

#[test]
fn apache_to_json() {
    let shop = Workshop::new();
    shop.create_stream("web-access");
    let line = "203.0.113.7 - mary [10/Oct/2026:13:55:36 +0200] \"GET /index.html HTTP/1.1\" 200 2326 \"-\" \"Mozilla/5.0\"\n";
    write(&shop, "/var/log/apache2/access.log", &format!("{line}no access log line\n"));
    run_json(&shop, include_str!("../../config-examples/apache-to-json.json"));
    let expected = "{\"host\":\"203.0.113.7\",\"ident\":null,\"authuser\":\"mary\",\
         \"datetime\":\"10/Oct/2026:13:55:36 +0200\",\"request\":\"GET /index.html HTTP/1.1\",\"response\":\"200\",\
         \"bytes\":\"2326\",\"referer\":null,\"agent\":\"Mozilla/5.0\"}\n";
    assert_eq!(shipped_to(&shop, "web-access"), sorted(&[expected]));
}

#[test]
fn csv_to_json() {
    let shop = Workshop::new();
    shop.create_stream("orders");
    write(&shop, "/srv/exports/orders-1.csv", "time;customer;amount\n2026-01-31T12:00:00Z;42;12.50\n");
    run_json(&shop, include_str!("../../config-examples/csv-to-json.json"));
    let expected = "{\"time\":\"2026-01-31T12:00:00Z\",\"customer\":\"42\",\"amount\":\"12.50\"}\n";
    assert_eq!(shipped_to(&shop, "orders"), sorted(&[expected]));
}

#[test]
fn firehose() {
    let shop = Workshop::new();
    for name in ["audit-to-s3", "worker-to-opensearch"] {
        shop.sandbox.create_delivery_stream(name).unwrap();
    }
    write(&shop, "/var/log/myapp/audit.log", "audited\n");
    write(&shop, "/var/log/myapp/worker.log", "12:00:01 WARN disk is nearly full\nelse\n");
    run_json(&shop, include_str!("../../config-examples/firehose.json"));
    assert_eq!(shop.sandbox.delivered("audit-to-s3").unwrap(), sorted(&["audited\n"]));
    let expected = "{\"time\":\"12:00:01\",\"level\":\"WARN\",\"message\":\"disk is nearly full\"}\n";
    assert_eq!(shop.sandbox.delivered("worker-to-opensearch").unwrap(), sorted(&[expected]));
}

#[test]
fn stack_traces() {
    let shop = Workshop::new();
    shop.create_stream("shop-errors");
    let entries = ["2026-01-31 ERROR\n\tat a.B.c\n", "2026-01-31 ok\n"];
    write(&shop, "/var/log/shop/server.log", &entries.concat());
    run_json(&shop, include_str!("../../config-examples/stack-traces.json"));
    assert_eq!(shipped_to(&shop, "shop-errors"), sorted(&entries));
}

#[test]
fn many_directories() {
    let shop = Workshop::new();
    for name in ["shop-checkout", "shop-web", "hosts"] {
        shop.create_stream(name);
    }
    write(&shop, "/var/log/shop/checkout/one.log", "c1\n");
    write(&shop, "/var/log/shop/checkout/two.log", "c2\n");
    write(&shop, "/var/log/shop/web/access.log", "access\n");
    write(&shop, "/var/log/shop/web/error.log.1", "error\n");
    write(&shop, "/var/log/shop/web/debug.log", "not matched\n");
    write(&shop, "/var/log/shop/audit/anything", "audit\n");
    write(&shop, "/var/log/syslog", "Mar  7 04:22:00 h p[1]: m\n");
    run_yaml(&shop, include_str!("../../config-examples/many-directories.yaml"));
    assert_eq!(shipped_to(&shop, "shop-checkout"), sorted(&["c1\n", "c2\n"]));
    assert_eq!(shipped_to(&shop, "shop-web"), sorted(&["access\n", "error\n", "audit\n"]));
    let hosts = shipped_to(&shop, "hosts");
    let wrapped: Value = serde_json::from_slice(&hosts[0]).unwrap();
    assert_eq!(hosts.len(), 1);
    assert_eq!(wrapped["metadata"], serde_json::json!({ "site": "dublin", "rack": 7 }));
    let data: Value = serde_json::from_str(wrapped["data"].as_str().unwrap()).unwrap();
    assert_eq!(data["message"], "m");
    assert!(shop.sandbox.metrics().iter().all(|datum| datum.namespace == "Shop/KinesisAgent"));
    assert!(!shop.sandbox.metrics().is_empty());
}

#[test]
fn there_is_no_example_without_a_test() {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../config-examples");
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let tested = [
        "apache-to-json.json",
        "csv-to-json.json",
        "firehose.json",
        "many-directories.yaml",
        "minimal.json",
        "stack-traces.json",
    ];
    assert_eq!(names, tested);
}
