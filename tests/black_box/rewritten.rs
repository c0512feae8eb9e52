//! Files that are not appended to, but written anew: what is new arrives, what was lost is said, and nothing else is.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use bytes::Bytes;
use serde_json::json;

use crate::agent_process::AgentProcess;
use crate::books::{Books, line};
use crate::patience::{PATIENCE, comes_true};
use crate::workshop::Workshop;

fn await_record(shop: &Workshop, record: &str) -> bool {
    comes_true(PATIENCE, || shop.shipped().contains(&Bytes::copy_from_slice(record.as_bytes())))
}

/// Contents of one size arrive, one after the other.
fn rewrite(contents: &[String], record: fn(&str) -> String, more: serde_json::Value) {
    let shop = Workshop::new();
    shop.write("job.log", &contents[0]);
    shop.write("another.log", "which takes the only descriptor, if there is one only\n");
    let agent = shop.run_started(&shop.configure_with(&[shop.flow("*.log", json!({}))], more));
    for content in contents {
        assert_eq!(content.len(), contents[0].len());
        shop.write("job.log", content);
        assert!(await_record(&shop, &record(content)), "{content:?}:\n{}", agent.stderr());
    }
    let said = agent.stop().stderr;
    assert!(said.contains("bytes_lost_by_truncation=0"), "{said}");
}

#[test]
fn a_line_that_is_replaced_by_one_of_its_length() {
    let dates: Vec<_> = (10..14).map(|second| format!("Fri Nov 27 10:00:{second} UTC 2026\n")).collect();
    rewrite(&dates, str::to_owned, json!({}));
}

/// Only the middle of it changes, neither of which its head nor its end tells.
#[test]
fn a_report_of_which_the_middle_changes() {
    let frame = "the same in every report\n".repeat(100);
    let reports: Vec<_> = (0..4).map(|used| format!("{frame}used {used}\n{frame}")).collect();
    let middle =
        |report: &str| report.lines().find(|line| line.starts_with("used")).unwrap().to_owned() + "\n";
    rewrite(&reports, middle, json!({}));
}

#[test]
fn a_line_that_is_replaced_in_a_file_without_a_descriptor() {
    let dates: Vec<_> = (10..14).map(|second| format!("Fri Nov 27 10:00:{second} UTC 2026\n")).collect();
    rewrite(&dates, str::to_owned, json!({ "maxOpenFiles": 1 }));
}

/// Reads fifty lines, and then whatever `rewrite` makes of the file before the agent looks again.
fn read_and_rewrite(rewrite: impl Fn(&Workshop)) -> (Workshop, String) {
    let shop = Workshop::new();
    shop.write("app.log", (0..50).map(line).collect::<String>());
    // It looks once in a while, and both steps are seen at once.
    let flow = shop.flow("app.log", json!({ "minTimeBetweenFilePollsMillis": 900 }));
    let agent: AgentProcess = shop.run_started(&shop.configure(&[flow]));
    let (mut reader, mut books) = (shop.reader(), Books::default());
    books.await_lines(50, PATIENCE, || reader.read_all());
    rewrite(&shop);
    books.await_lines(250, PATIENCE, || reader.read_all());
    let said = agent.stop().stderr;
    books.enter(reader.read_all());
    books.assert_exact(250);
    (shop, said)
}

fn assert_nothing_lost(said: &str) {
    assert!(!said.contains("are in neither") && said.contains("bytes_lost_by_truncation=0"), "{said}");
}

#[test]
fn emptied_and_written_past_its_old_size() {
    let (_, said) = read_and_rewrite(|shop| {
        let file = OpenOptions::new().write(true).truncate(true).open(shop.log("app.log"));
        file.unwrap().write_all((50..250).map(line).collect::<String>().as_bytes()).unwrap();
    });
    assert_nothing_lost(&said);
}

#[test]
fn copied_emptied_and_written_past_its_old_size() {
    let (_, said) = read_and_rewrite(|shop| {
        fs::copy(shop.log("app.log"), shop.log("app.log.1")).unwrap();
        let file = OpenOptions::new().write(true).truncate(true).open(shop.log("app.log"));
        file.unwrap().write_all((50..250).map(line).collect::<String>().as_bytes()).unwrap();
    });
    assert_nothing_lost(&said);
}
