//! What is stuck stops only itself: one stream, one huge file, one shard, one file whose dead letter cannot be written.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;

use serde_json::json;

use crate::books::{Books, line};
use crate::patience::{PATIENCE, comes_true};
use crate::status_commands::status;
use crate::workshop::{STREAM, Workshop, sorted};

/// Lines of so many bytes at least, which are not looked at.
fn backlog(bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 200);
    while text.len() < bytes {
        text.push_str(
            "a line of a backlog that is only there to be in the way of the others, as far as it may\n",
        );
    }
    text
}

#[test]
fn a_throttled_stream_does_not_hold_up_another() {
    let shop = Workshop::with_faults(&["throttle:stream=stuck"]);
    shop.create_stream("stuck");
    // More than all flows may hold together.
    shop.write("stuck.log", backlog(40 << 20));
    shop.write("app.log", line(0));
    let stuck = shop.flow("stuck.log", json!({ "kinesisStream": "stuck" }));
    let agent = shop.run_started(&shop.configure(&[stuck, shop.flow("app.log", json!({}))]));
    let felt = comes_true(PATIENCE, || shop.sandbox.counters().faults_fired > 20);
    assert!(felt, "nothing is throttled:\n{}", agent.stderr());

    let (mut reader, mut books) = (shop.reader(), Books::default());
    let mut log = OpenOptions::new().append(true).open(shop.log("app.log")).unwrap();
    for number in 1..20_000 {
        log.write_all(line(number).as_bytes()).unwrap();
    }
    books.await_lines(20_000, PATIENCE, || reader.read_all());
    books.assert_exact(20_000);
    assert_eq!(shop.reader_of("stuck").read_all().len(), 0);
}

#[test]
fn a_huge_file_does_not_hold_up_small_ones() {
    let shop = Workshop::with_faults(&["delay:ms=300,op=PutRecords"]);
    let huge = 60 << 20;
    shop.write("0-huge.log", backlog(huge));
    let agent = shop.run_started(&shop.configure(&[shop.flow("*.log", json!({}))]));
    // It is under way, and has all the room.
    let begun = comes_true(PATIENCE, || shop.sandbox.counters().put_records.bytes > 4 << 20);
    assert!(begun, "{}", agent.stderr());
    for number in 0..40 {
        shop.write(&format!("small-{number}.log"), line(number));
    }
    let (mut reader, mut books) = (shop.reader(), Books::default());
    books.await_lines(40, PATIENCE, || reader.read_all());
    books.mangled.clear(); // the huge file's
    books.assert_exact(40);
    let stored = shop.sandbox.counters().put_records.bytes;
    assert!(stored < huge as u64 * 9 / 10, "the huge one was through before: {stored} bytes");
}

/// Four shards, one of which takes nothing: were keys drawn blindly, a quarter would be for that one, and when all the
/// room is its, nothing else would move.
#[test]
fn a_throttled_shard_does_not_hold_up_the_others() {
    let shop = Workshop::with_faults(&["throttle:shard=0"]);
    let backlog = backlog(48 << 20);
    let lines = backlog.lines().count() as u64;
    shop.write("app.log", backlog);
    let configuration = shop.configure(&[shop.flow("app.log", json!({}))]);
    let agent = shop.run_started(&configuration);
    let acknowledged = || {
        let (_, tree) = status(&shop, &configuration);
        tree["flows"][0]["records_acknowledged"].as_u64().unwrap_or(0)
    };
    let is_most = comes_true(PATIENCE * 2, || acknowledged() > lines * 85 / 100);
    assert!(is_most, "{} of {lines} lines:\n{}", acknowledged(), agent.stderr());
    shop.set_faults(&[]);
    let is_all = comes_true(PATIENCE * 2, || acknowledged() == lines);
    assert!(is_all, "what waited for that shard is not lost: {} of {lines} lines", acknowledged());
}

#[test]
fn a_letter_that_cannot_be_written_stops_its_file_until_it_can() {
    let shop =
        Workshop::with_faults(&[&format!("fail:code=InvalidArgumentException,times=1,stream={STREAM}")]);
    shop.write("bad.log", "one\n");
    let blocked = shop.root().join("letters");
    std::fs::write(&blocked, "a file where the directory should be").unwrap();
    let flow = shop.flow("*.log", json!({ "aggregation": false, "maxBufferAgeMillis": 1000 }));
    let configuration = shop.configure_with(&[flow], json!({ "deadLetterDirectory": blocked }));
    let agent = shop.run_started(&configuration);
    let is_said = comes_true(PATIENCE, || agent.stderr().contains("is not in the dead-letter file either"));
    assert!(is_said, "{}", agent.stderr());

    let mut more = String::new();
    (0..5).for_each(|number| writeln!(more, "{number}").unwrap());
    shop.write("good.log", &more);
    let is_shipped = comes_true(PATIENCE, || shop.shipped().len() == 5);
    assert!(is_shipped, "the other file goes on:\n{}", agent.stderr());

    std::fs::remove_file(&blocked).unwrap();
    let is_written = comes_true(PATIENCE, || {
        std::fs::read_dir(&blocked).is_ok_and(|mut entries| entries.next().is_some())
    });
    assert!(is_written, "{}", agent.stderr());
    OpenOptions::new().append(true).open(shop.log("bad.log")).unwrap().write_all(b"two\n").unwrap();
    comes_true(PATIENCE, || shop.shipped().len() == 6);
    agent.stop();
    assert_eq!(shop.shipped(), sorted(&["0\n", "1\n", "2\n", "3\n", "4\n", "two\n"]));
}
