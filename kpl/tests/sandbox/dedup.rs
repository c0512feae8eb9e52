//! At least once, and then once: what a consumer sees of a stream whose producer lost answers.

use std::collections::BTreeSet;

use aws_sdk_kinesis::Client;
use kinesis_sandbox::Sandbox;
use kpl::aggregation_format::{Decoded, decode_in_shard};
use kpl::dedup::{DedupWindow, DedupWindowSize};
use kpl::{AwsTransport, Compression, Config, DedupId, Producer, StreamName, UserRecord};

use crate::reader::{range, read_shard};
use crate::support::{STREAM, assert_all_stored, builder, data, many_calls, patient, sandbox, send, soon};

/// What a consumer with a window for each shard sees, and how many copies it dropped.
async fn read_once(sandbox: &Sandbox) -> (Vec<Vec<u8>>, usize) {
    let client = Client::from_conf(builder!(aws_sdk_kinesis, sandbox).build());
    let shards =
        client.list_shards().stream_name(STREAM).send().await.expect("listed").shards.unwrap_or_default();
    let (mut seen, mut repeats) = (Vec::new(), 0);
    for shard in shards {
        let mut window = DedupWindow::new(DedupWindowSize::default());
        for record in read_shard(&client, shard.shard_id()).await {
            let data = record.data.into_inner().into();
            let Decoded::Aggregated(records) = decode_in_shard(&data, &range(&shard)) else {
                panic!("every record has an id, so every one is framed");
            };
            for record in records {
                assert!(record.dedup_id.is_some());
                if window.is_repeat(record.dedup_id.as_ref()) {
                    repeats += 1;
                } else {
                    seen.push(record.data.to_vec());
                }
            }
        }
    }
    (seen, repeats)
}

async fn losing_answers(change: impl FnOnce(&mut Config)) -> (Sandbox, Producer) {
    let sandbox = sandbox(&["drop-after:share=0.2,op=PutRecords", "throttle:share=0.1,op=PutRecords"]).await;
    sandbox.create_stream(STREAM, 4).await.expect("created");
    let mut config = many_calls();
    change(&mut config);
    let transport = AwsTransport::from_builder(builder!(aws_sdk_kinesis, sandbox), patient());
    let producer = Producer::builder(transport).config(config).start().expect("a lawful configuration");
    (sandbox, producer)
}

async fn assert_seen_once(sandbox: &Sandbox, records: usize) {
    sandbox.set_faults(Vec::new());
    let (seen, repeats) = read_once(sandbox).await;
    assert!(repeats > 0, "no answer was lost: nothing was tested");
    let expected: BTreeSet<_> = (0..records).map(data).collect();
    assert_eq!(seen.len(), records, "each once");
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), expected, "and all of them");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbered_records_are_seen_once() {
    for (aggregation, compression) in
        [(true, Compression::None), (true, Compression::Gzip), (false, Compression::None)]
    {
        let (sandbox, producer) = losing_answers(|config| {
            config.dedup_ids = true;
            config.aggregation_enabled = aggregation;
            config.compression = compression;
        })
        .await;
        let deliveries = soon(send(&producer, 3_000)).await;
        soon(producer.close()).await;
        assert_all_stored(deliveries).await;
        assert_seen_once(&sandbox, 3_000).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_with_ids_of_their_own_are_seen_once() {
    let (sandbox, producer) = losing_answers(|_| {}).await;
    let stream = StreamName::new(STREAM).expect("lawful");
    let mut deliveries = Vec::new();
    for number in 0..3_000 {
        let id = DedupId::new(&format!("order-{number}")).expect("lawful");
        let record = UserRecord::new(stream.clone(), format!("key-{number}"), data(number)).with_dedup_id(id);
        deliveries.push(soon(producer.send(record)).await.expect("open"));
    }
    soon(producer.close()).await;
    assert_all_stored(deliveries).await;
    assert_seen_once(&sandbox, 3_000).await;
}
