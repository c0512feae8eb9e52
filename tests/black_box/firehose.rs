//! A flow into a delivery stream.

use serde_json::json;

use crate::books::{Books, line};
use crate::workshop::Workshop;

#[test]
fn only_failed_entries_are_sent_again() {
    let shop = Workshop::with_faults(&["fail:share=0.3"]);
    let lines = 5_000;
    shop.write("app.log", (0..lines).map(line).collect::<String>());
    shop.once(&shop.configure(&[shop.flow("app.log", json!({ "deliveryStream": "lines" }))]));

    let mut books = Books::default();
    books.enter(shop.sandbox.delivered("lines").unwrap());
    books.assert_exact(lines);
    let counted = shop.sandbox.counters().put_record_batch;
    assert!(counted.failed_entries > lines / 5, "faults struck: {counted:?}");
    assert_eq!(counted.stored_entries, lines);
}
