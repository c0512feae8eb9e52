//! An agent that starts with a backlog while the stream's shards cannot be listed yet, or ever: every line arrives once,
//! and few entries are throttled by the limits of the four shards.

use serde_json::{Value, json};

use crate::books::{Books, line};
use crate::workshop::Workshop;

fn ship_backlog(listing_fault: &str, lines: u64, flow: Value) {
    let shop = Workshop::with_limits(&[listing_fault]);
    shop.write("app.log", (0..lines).map(line).collect::<String>());
    shop.once(&shop.configure(&[shop.flow("app.log", flow)]));
    assert!(shop.sandbox.counters().faults_fired > 0, "{listing_fault} never struck");
    let puts = shop.sandbox.counters().put_records;
    println!("{listing_fault}: {puts:?}");
    shop.set_faults(&[]);
    let mut books = Books::default();
    books.enter(shop.shipped());
    books.assert_exact(lines);
    // On a quiet machine none; beside other tests a sandbox that is served late counts what came late to one second.
    assert!(puts.failed_entries * 8 <= puts.entries, "{listing_fault}: {puts:?}");
}

#[test]
fn listings_that_take_two_seconds() {
    ship_backlog("delay:op=ListShards,ms=2000", 100_000, json!({}));
}

#[test]
fn listings_that_fail_at_first() {
    ship_backlog("error500:op=ListShards,times=2", 100_000, json!({}));
}

#[test]
fn listings_that_are_refused() {
    ship_backlog("fail:op=ListShards,code=AccessDeniedException", 100_000, json!({}));
}

/// Each line is an entry, and the shards take 4,000 of them a second.
#[test]
fn listings_that_take_two_seconds_without_aggregation() {
    ship_backlog("delay:op=ListShards,ms=2000", 12_000, json!({ "aggregation": false }));
}

#[test]
fn listings_that_are_refused_without_aggregation() {
    ship_backlog("fail:op=ListShards,code=AccessDeniedException", 12_000, json!({ "aggregation": false }));
}
