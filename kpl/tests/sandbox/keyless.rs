//! Records without a partition key, over the real SDK.

use aws_sdk_kinesis::types::RecordDistributionStrategy;
use kinesis_sandbox::Sandbox;
use kpl::{
    AwsTransport, Config, FailureReason, InvalidUserRecord, Producer, RecordDistributionStrategyDefault,
    SendError, StreamName, UserRecord,
};

use crate::auto::{change, create};
use crate::kinesis::transport;
use crate::reader::{client, read_shard};
use crate::support::{STREAM, patient, sandbox, soon};

fn keyless(data: &'static str) -> UserRecord {
    UserRecord::without_partition_key(StreamName::new(STREAM).expect("lawful"), data)
}

fn start(transport: AwsTransport, assumed: RecordDistributionStrategyDefault) -> Producer {
    let mut config = Config::default();
    config.record_distribution_strategy_default = assumed;
    Producer::builder(transport).config(config).start().expect("a lawful configuration")
}

async fn assert_stored(sandbox: &Sandbox, transport: AwsTransport) {
    create(sandbox, RecordDistributionStrategy::Auto).await;
    let producer = start(transport, RecordDistributionStrategyDefault::Unset);
    let delivery = soon(producer.send(keyless("no key"))).await.expect("an open producer");
    let shard = soon(delivery).await.expect("stored").shard_id().to_string();
    let read = read_shard(&client(sandbox), &shard).await;
    assert_eq!(read.len(), 1);
    assert_eq!((read[0].partition_key(), read[0].data().as_ref()), (None, &b"no key"[..]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_auto_they_are_stored_without_a_key() {
    let sandbox = sandbox(&[]).await;
    assert_stored(&sandbox, transport(&sandbox, patient())).await;
}

#[cfg(feature = "cbor")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_cbor_too() {
    let sandbox = sandbox(&[]).await;
    let transport = transport(&sandbox, patient()).with_wire(kpl::Wire::Cbor);
    assert_stored(&sandbox, transport).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_follows_keys_refuses_them_and_says_what_to_do() {
    let sandbox = sandbox(&[]).await;
    sandbox.create_stream(STREAM, 1).await.expect("created");
    let producer = start(transport(&sandbox, patient()), RecordDistributionStrategyDefault::Unset);
    let early = soon(producer.send(keyless("before anybody knows"))).await.expect("an open producer");
    let failed = soon(early).await.expect_err("no key");
    assert_eq!(failed.reason(), FailureReason::NoPartitionKey);
    assert_eq!(failed.record(), &keyless("before anybody knows"), "the record comes back as it was");
    let late = producer.try_send(keyless("and after"));
    assert!(matches!(&late, Err(SendError::Invalid(_, InvalidUserRecord::NoPartitionKey))), "{late:?}");
    assert!(late.expect_err("refused").to_string().contains("AUTO"));
    assert_eq!(sandbox.counters().calls.get("kinesis:PutRecords"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_it_may_not_ask_the_service_judges() {
    let sandbox = sandbox(&["fail:code=AccessDeniedException,op=DescribeStreamSummary"]).await;
    create(&sandbox, RecordDistributionStrategy::Auto).await;
    let producer = start(transport(&sandbox, patient()), RecordDistributionStrategyDefault::Auto);
    let delivery = soon(producer.send(keyless("1"))).await.expect("an open producer");
    soon(delivery).await.expect("stored");
    change(&sandbox, RecordDistributionStrategy::UserPartitionKey).await;
    let keyed = UserRecord::new(StreamName::new(STREAM).expect("lawful"), "k", "2");
    let (refused, stored) = (producer.send(keyless("3")).await, producer.send(keyed).await);
    let refused = soon(refused.expect("an open producer")).await.expect_err("no key");
    assert_eq!(refused.reason(), FailureReason::Refused, "{refused}");
    soon(stored.expect("an open producer")).await.expect("its company is stored");
}
