//! The limits of calls, records and shards, and discarding.

use std::collections::BTreeSet;

use aws_sdk_kinesis::primitives::Blob;
use kinesis_sandbox::{Sandbox, SandboxError, SandboxOptions};

use crate::support::{ARN, STREAM, entries, entry, kinesis, read_stream, sandbox, with_options};

#[tokio::test]
async fn an_address_that_others_can_reach_is_refused() {
    let options = SandboxOptions { listen: "0.0.0.0:0".parse().unwrap(), ..SandboxOptions::default() };
    let error = Sandbox::start(options).await.unwrap_err();
    assert!(matches!(error, SandboxError::NotLoopback { .. }), "{error}");
    let first = sandbox(&[]).await;
    let options = SandboxOptions { listen: first.address(), ..SandboxOptions::default() };
    assert!(matches!(Sandbox::start(options).await.unwrap_err(), SandboxError::Listen { .. }));
}

#[tokio::test]
async fn calls_have_their_limits_always() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    let put = |records| client.put_records().stream_name(STREAM).set_records(Some(records)).send();
    let too_many = put(entries(501)).await.unwrap_err();
    assert_eq!(too_many.into_service_error().meta().code(), Some("ValidationException"));
    let mebibyte =
        |count: usize| (0..count).map(|_| entry("k", vec![b'x'; (1 << 20) - 1])).collect::<Vec<_>>();
    assert_eq!(put(mebibyte(5)).await.unwrap().failed_record_count(), Some(0));
    let too_large = put([mebibyte(5), entries(1)].concat()).await.unwrap_err();
    assert!(too_large.into_service_error().is_invalid_argument_exception());
    let counters = sandbox.counters().put_records;
    assert_eq!((counters.calls, counters.stored_entries, counters.failed_entries), (2, 5, 6));
}

#[tokio::test]
async fn a_record_with_its_key_has_a_limit() {
    for enforce_limits in [false, true] {
        let sandbox = with_options(SandboxOptions { enforce_limits, ..SandboxOptions::default() }).await;
        let client = kinesis(&sandbox);
        for (bytes, fits) in [((1 << 20) - 3, true), ((1 << 20) - 2, false), (1 << 20, false)] {
            let record = Blob::new(vec![b'x'; bytes]);
            // The partition key of three bytes makes the difference; the hash keys use different shards.
            let hash_key = if fits { "0" } else { "340282366920938463463374607431768211455" };
            let one = client.put_record().stream_name(STREAM).partition_key("key").data(record.clone());
            let result = one.explicit_hash_key(hash_key).send().await;
            assert_eq!(result.is_ok(), fits, "{bytes} bytes");
            if let Err(error) = result {
                assert!(error.into_service_error().is_invalid_argument_exception());
            }
            let batch =
                client.put_records().stream_name(STREAM).records(entry("\u{20ac}", vec![b'x'; bytes]));
            // A character of three bytes counts three bytes here, and one towards the length of a key.
            assert_eq!(batch.send().await.is_ok(), fits, "{bytes} bytes in a batch");
        }
    }
}

#[tokio::test]
async fn a_partition_key_has_256_characters_of_whatever_size() {
    for discard_records in [false, true] {
        let sandbox = with_options(SandboxOptions { discard_records, ..SandboxOptions::default() }).await;
        let client = kinesis(&sandbox);
        for character in ["k", "\u{e9}", "\u{20ac}", "\u{1f600}"] {
            for (characters, fits) in [(0, false), (1, true), (256, true), (257, false)] {
                let key = character.repeat(characters);
                let one = client.put_record().stream_name(STREAM).partition_key(&key).data(Blob::new("x"));
                let batch = client.put_records().stream_name(STREAM).records(entry(&key, "x"));
                let one = one
                    .send()
                    .await
                    .map_err(|error| error.into_service_error().meta().code().map(str::to_owned));
                let batch = batch
                    .send()
                    .await
                    .map_err(|error| error.into_service_error().meta().code().map(str::to_owned));
                let refused = Err(Some("ValidationException".to_owned()));
                let wanted = if fits { Ok(()) } else { refused };
                let what = format!("{characters} times {character}, discarding {discard_records}");
                assert_eq!((one.map(drop), batch.map(drop)), (wanted.clone(), wanted), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_shard_takes_a_mebibyte_a_second_when_limits_are_enforced() {
    let sandbox = with_options(SandboxOptions { enforce_limits: true, ..SandboxOptions::default() }).await;
    let client = kinesis(&sandbox);
    let same_shard: Vec<_> = (0..4).map(|_| entry("k", vec![b'x'; 1_000_000])).collect();
    let put = client.put_records().stream_name(STREAM).set_records(Some(same_shard)).send().await.unwrap();
    let codes: Vec<_> = put.records().iter().map(|record| record.error_code()).collect();
    // All four are dated at once, so that at most one second turns between them.
    let refused =
        codes.iter().flatten().inspect(|code| assert_eq!(**code, "ProvisionedThroughputExceededException"));
    let refused = refused.count();
    assert!((2..=3).contains(&refused) && codes[0].is_none(), "{codes:?}");
    assert_eq!(sandbox.counters().put_records.failed_entries, refused as u64);
}

#[tokio::test]
async fn discarded_records_are_answered_and_counted_but_not_kept() {
    let faults = vec!["fail:times=3,code=X,op=PutRecords".parse().unwrap()];
    let sandbox =
        with_options(SandboxOptions { discard_records: true, faults, ..SandboxOptions::default() }).await;
    let client = kinesis(&sandbox);
    let put = client.put_records().stream_arn(ARN).set_records(Some(entries(50))).send().await.unwrap();
    assert_eq!(put.failed_record_count(), Some(3));
    let stored = put
        .records()
        .iter()
        .filter(|record| record.sequence_number().is_some_and(|number| number.len() == 56));
    assert_eq!(stored.count(), 47);
    let shards: Vec<_> = put.records().iter().filter_map(|record| record.shard_id()).collect();
    assert!(shards.contains(&"shardId-000000000000") && shards.contains(&"shardId-000000000001"));
    let one =
        client.put_record().stream_name(STREAM).partition_key("k").data(Blob::new("x")).send().await.unwrap();
    assert_eq!(one.sequence_number().len(), 56);
    assert_eq!(read_stream(&client).await, [""; 0]);
    let counters = sandbox.counters().put_records;
    assert_eq!((counters.entries, counters.stored_entries, counters.failed_entries), (50, 47, 3));
    let unknown =
        client.put_records().stream_name("other").set_records(Some(entries(1))).send().await.unwrap_err();
    assert!(unknown.into_service_error().is_resource_not_found_exception());
}

#[tokio::test]
async fn discarded_records_go_to_the_shards_that_there_are_now() {
    let sandbox = with_options(SandboxOptions { discard_records: true, ..SandboxOptions::default() }).await;
    let client = kinesis(&sandbox);
    let shards = async || {
        let put =
            client.put_records().stream_name(STREAM).set_records(Some(entries(100))).send().await.unwrap();
        put.records()
            .iter()
            .filter_map(|record| record.shard_id().map(str::to_owned))
            .collect::<BTreeSet<_>>()
    };
    let before = shards().await;
    let merge = client.merge_shards().stream_name(STREAM).shard_to_merge("shardId-000000000000");
    merge.adjacent_shard_to_merge("shardId-000000000001").send().await.unwrap();
    assert_eq!(before.len(), 2);
    assert_eq!(shards().await, ["shardId-000000000002".to_owned()].into());
}
