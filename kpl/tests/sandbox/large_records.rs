//! Streams whose record size was raised.

use bytes::Bytes;
use kinesis_sandbox::Sandbox;
use kpl::{Config, FailureReason, Producer, StreamName, Transport, UserRecord};

use crate::kinesis::transport;
use crate::reader::{client, read_back};
use crate::support::{STREAM, patient, sandbox, soon};

const MIB: usize = 1 << 20;
const ARN: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/orders";

/// Sends records of all sizes up to 10 MiB among small ones, and finds them all.
pub(crate) async fn all_sizes_pass(sandbox: &Sandbox, transport: impl Transport) {
    sandbox.create_stream(STREAM, 2).await.expect("created");
    let raise = client(sandbox).update_max_record_size().stream_arn(ARN).max_record_size_in_kib(10 * 1024);
    raise.send().await.expect("raised");
    let mut config = Config::default();
    config.max_user_record_size = 10 * MIB;
    config.collection_max_size = 10 * MIB;
    config.record_ttl = None;
    let producer = Producer::builder(transport).config(config).start().expect("a lawful configuration");
    let sizes = [10 * MIB - 4, 1, 5 * MIB, 5 * MIB + 1, MIB, 10, MIB + 1, 9 * MIB, 100_000, 3 * MIB];
    let mut deliveries = Vec::new();
    for (number, size) in sizes.into_iter().enumerate() {
        let data = Bytes::from(vec![b'0' + u8::try_from(number).expect("a digit"); size]);
        let stream = StreamName::new(STREAM).expect("lawful");
        let record = UserRecord::new(stream, format!("key{number}"), data);
        deliveries.push(soon(producer.send(record)).await.expect("room in time"));
    }
    soon(producer.close()).await;
    for delivery in deliveries {
        // Ten mebibytes are not to be printed.
        let stored = soon(delivery).await.map_err(|failed| failed.to_string()).expect("stored");
        assert_eq!(stored.attempts().len(), 1, "{:?}", stored.attempts());
    }
    let mut arrived: Vec<_> = read_back(sandbox).await.iter().map(|arrived| arrived.data.len()).collect();
    let mut sizes = Vec::from(sizes);
    arrived.sort_unstable();
    sizes.sort_unstable();
    assert_eq!(arrived, sizes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_raised_stream_takes_ten_mebibytes() {
    let sandbox = sandbox(&[]).await;
    all_sizes_pass(&sandbox, transport(&sandbox, patient())).await;
}

#[tokio::test]
async fn a_stream_that_was_not_raised_refuses_honestly() {
    let sandbox = sandbox(&[]).await;
    sandbox.create_stream(STREAM, 1).await.expect("created");
    let mut config = Config::default();
    config.max_user_record_size = 10 * MIB;
    let transport = transport(&sandbox, patient());
    let producer = Producer::builder(transport).config(config).start().expect("a lawful configuration");
    let record = UserRecord::new(StreamName::new(STREAM).expect("lawful"), "k", vec![b'x'; 2 * MIB]);
    let delivery = soon(producer.send(record)).await.expect("room");
    let Err(failed) = soon(delivery).await else { panic!("too large") };
    assert_eq!((failed.reason(), failed.may_have_been_written()), (FailureReason::Refused, false));
    soon(producer.close()).await;
}
