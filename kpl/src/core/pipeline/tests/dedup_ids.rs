//! Dedup ids on their way through retries.

use super::*;

fn dedup_ids(entry: &PutRecordsEntry) -> Vec<String> {
    let Decoded::Aggregated(records) = decode(&entry.data) else { panic!("a record with an id is framed") };
    records.iter().map(|record| record.dedup_id.as_ref().expect("given").to_string()).collect()
}

#[test]
fn a_record_keeps_its_dedup_id_through_retries_and_new_company() {
    let producer_id = Some("p".to_owned());
    let mut scene = Scene::listed(Config { dedup_ids: true, producer_id, ..Config::default() });
    scene.accept(1);
    scene.flush();
    assert_eq!(dedup_ids(&scene.calls[0].2.entries[0]), ["~p-0"], "also when it is alone");
    scene.answer(0, Err("ProvisionedThroughputExceededException"));
    scene.accept(2);
    let own = RecordRef::new("k", b"x").with_explicit_hash_key(HashKey(1 << 100)).with_dedup_id("own");
    scene.pipeline.accept(own, 3, 1, scene.now);
    scene.pass_to(1000);
    let second: Vec<_> = scene.calls[1..].iter().flat_map(|call| &call.2.entries).map(dedup_ids).collect();
    assert_eq!(second, [vec!["~p-0"], vec!["~p-1", "own"]]);
    // The shard splits between the records, and the aggregate lands where one of them does not belong.
    let last = scene.calls.len() - 1;
    scene.answer(last, Ok("s1"));
    scene.list(&[("s1", 0, 1 << 90), ("s2", (1 << 90) + 1, u128::MAX)]);
    scene.pass_to(2000);
    let apart: Vec<_> =
        scene.calls[last + 1..].iter().flat_map(|call| &call.2.entries).map(dedup_ids).collect();
    assert_eq!(apart, [vec!["~p-1"], vec!["own"]]);
}

#[test]
fn a_failed_record_keeps_its_dedup_id_for_whoever_sends_it_again() {
    let producer_id = Some("p".to_owned());
    let mut scene = Scene::new(Config { dedup_ids: true, producer_id, ..Config::default() });
    scene.accept(1);
    scene.pipeline.abort(scene.now);
    let mut ids = Vec::new();
    while let Some(action) = scene.pipeline.next_action() {
        if let Action::Finish(Finished::Failed { record, .. }) = action {
            record.for_each_member(|_, part| ids.extend(part.dedup_id.map(str::to_owned)));
        }
    }
    assert_eq!(ids, ["~p-0"]);
}
