//! Streams that are not as they come: with a raised record size, on AUTO, with another number of shards.

use std::collections::BTreeSet;

use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{RecordDistributionStrategy, ScalingType, StreamMode, StreamModeDetails};
use kinesis_sandbox::SandboxOptions;

use crate::support::{ARN, STREAM, entry, kinesis, read_shard, read_stream, sandbox, with_options};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn a_raised_record_size_takes_effect() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    let put =
        |bytes: usize| client.put_records().stream_name(STREAM).records(entry("k", vec![b'x'; bytes])).send();
    assert!(put(MIB - 1).await.is_ok());
    let too_large = put(MIB).await.unwrap_err();
    assert!(too_large.into_service_error().is_invalid_argument_exception());

    client.update_max_record_size().stream_arn(ARN).max_record_size_in_kib(10_240).send().await.unwrap();
    let summary = client.describe_stream_summary().stream_name(STREAM).send().await.unwrap();
    let summary = summary.stream_description_summary().unwrap();
    assert_eq!(
        (summary.max_record_size_in_kib(), summary.record_distribution_strategy()),
        (Some(10_240), None)
    );
    let stored = put(10 * MIB - 1).await.unwrap();
    assert_eq!((stored.failed_record_count(), stored.records().len()), (Some(0), 1));
    assert!(put(10 * MIB + 1).await.is_err());
    let shard = stored.records()[0].shard_id().unwrap();
    let records = read_shard(&client, shard).await;
    assert_eq!(records.iter().map(|record| record.data().as_ref().len()).max(), Some(10 * MIB - 1));

    let half = || entry("k", vec![b'x'; 4 * MIB]);
    let two = client.put_records().stream_name(STREAM).records(half()).records(half()).send().await.unwrap();
    assert_eq!((two.failed_record_count(), two.records().len()), (Some(0), 2));
    let three = client.put_records().stream_name(STREAM).records(half()).records(half()).records(half());
    assert!(three.send().await.is_err(), "12 MiB in one call");
}

#[tokio::test]
async fn a_stream_on_auto_ignores_keys() {
    let sandbox = with_options(SandboxOptions::default()).await;
    let client = kinesis(&sandbox);
    let mode = StreamModeDetails::builder().stream_mode(StreamMode::OnDemand).build().unwrap();
    let create = client.create_stream().stream_name("auto").stream_mode_details(mode);
    create.record_distribution_strategy(RecordDistributionStrategy::Auto).send().await.unwrap();
    let arn = ARN.replace(STREAM, "auto");
    let shards = async || {
        let same_key = (0..50).map(|_| entry("same key", "x")).collect();
        let put = client.put_records().stream_arn(&arn).set_records(Some(same_key)).send().await.unwrap();
        let ids = put.records().iter().filter_map(|record| record.shard_id());
        ids.map(str::to_owned).collect::<BTreeSet<_>>().len()
    };
    let strategy = async || {
        let summary = client.describe_stream_summary().stream_arn(&arn).send().await.unwrap();
        summary.stream_description_summary.unwrap().record_distribution_strategy.unwrap()
    };
    assert_eq!((shards().await, strategy().await), (4, RecordDistributionStrategy::Auto));
    let update = |arn: &str, strategy| {
        let update = client.update_stream_record_distribution_strategy().stream_arn(arn);
        update.record_distribution_strategy(strategy).send()
    };
    update(&arn, RecordDistributionStrategy::UserPartitionKey).await.unwrap();
    assert_eq!((shards().await, strategy().await), (1, RecordDistributionStrategy::UserPartitionKey));
    let provisioned = update(ARN, RecordDistributionStrategy::Auto).await.unwrap_err();
    assert!(provisioned.into_service_error().is_invalid_argument_exception());
}

#[tokio::test]
async fn the_number_of_shards_changes() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    for count in [4, 8, 4] {
        let update = client.update_shard_count().stream_arn(ARN).target_shard_count(count);
        update.scaling_type(ScalingType::UniformScaling).send().await.unwrap();
        let summary = client.describe_stream_summary().stream_arn(ARN).send().await.unwrap();
        assert_eq!(summary.stream_description_summary().unwrap().open_shard_count(), count);
        let put = client.put_record().stream_name(STREAM).partition_key("k").data(Blob::new("x"));
        put.send().await.unwrap();
    }
    assert_eq!(read_stream(&client).await.len(), 3);
}
