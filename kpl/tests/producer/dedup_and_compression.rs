//! Dedup ids and compression, from the record handed over to the bytes of the call and the outcome.

use std::collections::HashSet;

use kpl::aggregation_format::{Decoded, decode, decode_strict};
use kpl::compression::{decompress, is_compressed};
use kpl::{Compression, DedupId, FailureReason, HashKey, InvalidUserRecord, Producer, SendError, UserRecord};

use crate::fake::{Fake, Reply};
use crate::support::{ORDERS, all_data, assert_empty, outcomes, record, start};

/// The ids in the calls so far, in order.
fn ids(fake: &Fake) -> Vec<DedupId> {
    let calls = fake.calls();
    let entries = calls.iter().flat_map(|call| &call.entries);
    let records = entries.flat_map(|entry| match decode(&entry.data) {
        Decoded::Aggregated(records) => records,
        other => panic!("an entry without ids: {other:?}"),
    });
    records.map(|record| record.dedup_id.expect("every record has one")).collect()
}

#[tokio::test(start_paused = true)]
async fn records_are_numbered_in_the_order_in_which_they_were_accepted() {
    let fake = Fake::new(1).replies([Reply::LoseAnswer]);
    let producer = start(&fake, |config| {
        config.dedup_ids = true;
        config.producer_id = Some("orders-1".to_owned());
        config.collection_max_count = 1;
        config.aggregation_max_count = 10;
    });
    for number in 0..20 {
        drop(producer.try_send(record(number)).expect("room"));
    }
    producer.close().await;
    let ids = ids(&fake);
    assert_eq!(ids.len(), 30, "ten of them twice");
    let mut numbers: Vec<_> = ids.iter().map(|id| id.numbered().expect("numbered").sequence).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers, (0..20).collect::<Vec<_>>());
    let producers: HashSet<_> = ids.iter().map(|id| id.numbered().expect("numbered").producer).collect();
    assert_eq!(producers.len(), 1);
    assert!(producers.iter().all(|name| name.starts_with("orders-1.")), "{producers:?}");
}

#[tokio::test(start_paused = true)]
async fn a_producer_that_starts_again_is_another_one() {
    let fake = Fake::new(1);
    for _ in 0..2 {
        let producer = start(&fake, |config| {
            config.dedup_ids = true;
            config.producer_id = Some("same".to_owned());
        });
        drop(producer.try_send(record(0)).expect("room"));
        producer.close().await;
    }
    let ids = ids(&fake);
    assert_ne!(ids[0], ids[1], "or the second life's records would be dropped as repeats of the first's");
}

#[tokio::test(start_paused = true)]
async fn an_id_of_the_callers_comes_before_the_producers() {
    for dedup_ids in [false, true] {
        let fake = Fake::new(1);
        let producer = start(&fake, |config| config.dedup_ids = dedup_ids);
        let id = DedupId::new("order-1").expect("lawful");
        drop(producer.try_send(record(0).with_dedup_id(id.clone())).expect("room"));
        producer.close().await;
        assert_eq!(ids(&fake), [id]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lone_record_with_an_id_is_placed_as_it_would_be_without() {
    let fake = Fake::new(4);
    let producer = start(&fake, |config| config.dedup_ids = true);
    drop(producer.try_send(record(3)).expect("room"));
    producer.close().await;
    let call = &fake.calls()[0];
    assert_eq!(call.entries[0].partition_key.as_str(), "a");
    assert_eq!(call.entries[0].hash_key(), HashKey::of_partition_key("key-3"));
    assert_eq!(decode_strict(&call.entries[0].data).map(|records| records.len()), Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_fails_hands_its_id_back() {
    let fake = Fake::new(1).always(Reply::FailCall("AccessDeniedException"));
    let producer = start(&fake, |config| (config.dedup_ids, config.fail_if_refused) = (true, true));
    let delivery = producer.try_send(record(0)).expect("room");
    producer.close().await;
    let failed = delivery.await.expect_err("refused");
    let id = failed.into_record().dedup_id.expect("the id that it was sent with");
    assert_eq!(ids(&fake), [id]);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_has_no_room_for_its_frame_is_refused() {
    let check = |producer: &Producer, bytes: usize, fits: bool| {
        let record = UserRecord::new(ORDERS.clone(), "k", vec![0; bytes]);
        match producer.try_send(record) {
            Ok(_) => assert!(fits, "{bytes} bytes"),
            Err(SendError::Invalid(_, InvalidUserRecord::TooLarge { limit, .. })) => {
                assert!(!fits && limit == 1 << 20, "{bytes} bytes");
            }
            Err(other) => panic!("{other}"),
        }
    };
    let plain = start(&Fake::new(1), |_| {});
    check(&plain, (1 << 20) - 1, true);
    let fake = Fake::new(1);
    let numbered = start(&fake, |config| config.dedup_ids = true);
    check(&numbered, (1 << 20) - 1, false);
    check(&numbered, (1 << 20) - 200, true);
    numbered.close().await;
    assert!(fake.calls()[0].entries[0].data.len() < 1 << 20);
}

#[tokio::test(start_paused = true)]
async fn compressed_records_arrive_whole() {
    for aggregation in [true, false] {
        let fake =
            Fake::new(3).replies([Reply::LoseAnswer, Reply::Panic, Reply::FailCall("InternalFailure")]);
        let producer = start(&fake, |config| {
            config.compression = Compression::Gzip;
            config.aggregation_enabled = aggregation;
            config.aggregation_max_size = 2000;
            config.record_ttl = None;
        });
        let mut deliveries = Vec::new();
        for number in 0..2000 {
            deliveries.push(producer.send(record(number)).await.expect("open"));
        }
        producer.flush().await;
        assert!(outcomes(deliveries).await.iter().all(Result::is_ok));
        let mut stored = fake.stored();
        stored.dedup();
        assert_eq!(stored, all_data(2000));
        let calls = fake.calls();
        let compressed = calls.iter().flat_map(|call| &call.entries).any(|entry| is_compressed(&entry.data));
        assert_eq!(compressed, aggregation, "what is too small to gain goes as it is");
        assert_empty(&producer);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lone_compressed_record_is_what_it_was_to_any_gunzip_and_to_its_owner() {
    let fake = Fake::new(1).always(Reply::FailCall("AccessDeniedException"));
    let producer = start(&fake, |config| {
        (config.compression, config.fail_if_refused) = (Compression::Gzip, true);
    });
    let text = "the same words, the same words, the same words, the same words".repeat(10);
    let sent = UserRecord::new(ORDERS.clone(), "key", text.clone());
    let delivery = producer.try_send(sent.clone()).expect("room");
    producer.close().await;
    let data = &fake.calls()[0].entries[0].data;
    assert!(data.len() < text.len() / 4);
    assert_eq!(decompress(data).expect("sound").expect("compressed"), text);
    assert_eq!(decode(data), Decoded::Decompressed(text.into()));
    let failed = delivery.await.expect_err("refused");
    assert_eq!((failed.reason(), failed.record()), (FailureReason::Refused, &sent));
}
